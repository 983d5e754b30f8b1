"""Open the sandbox that developers and the demo use: one business that has lived until now and lives on while it is served."""

import hashlib
from datetime import UTC, datetime, timedelta

from connectors.sandbox.clock import Clock
from connectors.sandbox.server import Sandbox
from connectors.sandbox.shopify_shop import Shop
from connectors.sandbox.shopify_tokens import App
from connectors.sandbox.shopify_world import WorldRows
from connectors.sandbox.world import World

PORT = 8100
AHEAD, FAR_AHEAD = 90, 730
"""How many days of what is to come are made, for the sandbox to live on in; the second where its time runs fast."""
LOCAL = ("http://127.0.0.1", "http://localhost")


def open_shop(
    *, port: int = 0, host: str = "127.0.0.1", seed: int = 1, days: int = 365, orders_per_day: int = 20, scenario: str = "quiet", speed: int = 1,
    redirects: tuple[str, ...] = (), now: datetime | None = None,
) -> tuple[Sandbox, Shop]:  # fmt: skip
    """Serve a shop whose business began `days` days ago; return the sandbox, which the caller closes, and the shop.

    The same arguments on the same day make the same shop, with the same client id and secret. Raises KeyError for a scenario
    nobody wrote and OSError for a port that is taken.
    """
    clock = Clock(now, speed=speed)
    start = clock.now().astimezone(UTC).date() - timedelta(days=days)
    world = World.live(seed=seed, start=start, days=days + (AHEAD if speed <= 1 else FAR_AHEAD), orders_per_day=orders_per_day, scenario=scenario)
    app = app_of(seed, redirects)
    sandbox = Sandbox(clock)
    try:
        sandbox.serve(host, port)
    except OSError:
        sandbox.close()
        raise
    return sandbox, sandbox.add_shop(world.shop.domain, WorldRows(world), app=app, seed=str(seed))


def app_of(seed: int = 1, redirects: tuple[str, ...] = ()) -> App:
    """Return the app that a shop of this seed knows: its client id and secret."""
    return App(_made("client", seed), "shpss_" + _made("secret", seed), redirects=(*LOCAL, *redirects))


def _made(kind: str, seed: int) -> str:
    return hashlib.sha256(f"sandbox/{kind}/{seed}".encode()).hexdigest()[:32]
