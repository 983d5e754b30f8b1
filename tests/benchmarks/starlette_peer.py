"""Take signed deliveries with Starlette and psycopg's asynchronous pool: verify, one durable row, 200. What we are measured by.

Run by an interpreter that has starlette, uvicorn[standard] and psycopg[binary,pool], as `uvicorn starlette_peer:app`; it needs nothing of ours.
"""

import base64
import hashlib
import hmac
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from psycopg_pool import AsyncConnectionPool
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

SECRET = os.environ["PEER_SECRET"].encode()
INSERT = "INSERT INTO peer_delivery (id, topic, shop, body) VALUES (%s, %s, %s, %s) ON CONFLICT (id) DO NOTHING"
pool = AsyncConnectionPool(os.environ["PEER_DATABASE"], min_size=4, max_size=8, kwargs={"autocommit": True}, open=False)


@asynccontextmanager
async def opened(app: Starlette) -> AsyncIterator[None]:
    """Keep the pool open while the application runs."""
    async with pool:
        yield


async def deliver(request: Request) -> Response:
    """Take a delivery."""
    body, headers = await request.body(), request.headers
    right = base64.b64encode(hmac.digest(SECRET, body, hashlib.sha256)).decode()
    if not hmac.compare_digest(right, headers["x-shopify-hmac-sha256"]):
        return Response(status_code=401)
    async with pool.connection() as connection:
        await connection.execute(INSERT, (headers["x-shopify-webhook-id"], headers["x-shopify-topic"], headers["x-shopify-shop-domain"], body))
    return Response(status_code=200)


app = Starlette(routes=[Route("/{path:path}", deliver, methods=["POST"])], lifespan=opened)
