"""Ring as Shopify documents it, with a signature that is reckoned here."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import msgspec
from django.http import HttpResponse
from django.test import Client

from connectors.connections import Kept
from connectors.models import Connection, WebhookDoor
from connectors.platforms.shopify.connector import SHOPIFY
from connectors.webhooks import doors
from ledger.models import Store
from ledger.sealing import seal

SECRET, SHOP = "the-client-secret", "small-shop.myshopify.com"
PERSON = {"id": 77, "email": "ada@example.com", "phone": "+1 555 0100", "first_name": "Ada"}


def connected_to_shopify(store: Store, *, secret: str = SECRET, shop: str = SHOP, base_url: str = "", token: str = "") -> Connection:
    """Connect a store to a shop, with its door."""
    secrets = {"access_token": token, "client_id": "the-client-id", "client_secret": secret}
    now = datetime.now(UTC)
    row = Connection.objects.create(
        store=store, platform="shopify", account_ref=shop, label="Small shop", base_url=base_url, currency="USD", zone="UTC",
        scopes=list(SHOPIFY.scopes), secrets=seal(msgspec.json.encode(Kept(secrets=secrets))), connected_at=now,
    )  # fmt: skip
    doors.keep(row, SHOPIFY, secrets, now=now)
    return row


def path_of(connection: Connection) -> str:
    """Return where a connection's platform rings."""
    return f"/webhooks/{connection.platform}/{doors.token_of(WebhookDoor.objects.get(connection=connection))}"


def signature(body: bytes, secret: str = SECRET) -> str:
    """Sign a body."""
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def headers_of(
    body: bytes, topic: str, *, delivery: str = "d-1", secret: str = SECRET, shop: str = SHOP, at: datetime | None = None, family: str = "X-Shopify-"
) -> dict[str, str]:  # fmt: skip
    """Make the headers of a delivery."""
    told = {
        "Topic": topic, "Webhook-Id": delivery, "Event-Id": f"e-{delivery}", "Shop-Domain": shop, "API-Version": "2026-10",
        "Hmac-Sha256": signature(body, secret), "Triggered-At": (at or datetime.now(UTC)).isoformat(),
    }  # fmt: skip
    return {f"{family}{name}": value for name, value in told.items()}


def body_of(payload: Any) -> bytes:
    """Write a payload."""
    return json.dumps(payload).encode()


def an_order(number: int, **more: Any) -> dict[str, Any]:
    """Make the payload of an order as Shopify sends it, with what we must not keep."""
    return {"id": number, "admin_graphql_api_id": f"gid://shopify/Order/{number}", "email": PERSON["email"], "customer": PERSON, **more}


def ring(path: str, topic: str, payload: Any, *, browser: Client | None = None, **how: Any) -> HttpResponse:
    """Deliver to an address."""
    body = payload if isinstance(payload, bytes) else body_of(payload)
    return (browser or Client()).post(path, body, content_type="application/json", headers=headers_of(body, topic, **how))
