"""Open the sandbox that developers and the demo use: one business that has lived until now and lives on while it is served."""

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

from connectors.sandbox.clock import Clock
from connectors.sandbox.keeping import Keeper
from connectors.sandbox.server import Sandbox
from connectors.sandbox.shopify_shop import Shop
from connectors.sandbox.shopify_tokens import App
from connectors.sandbox.shopify_world import WorldRows
from connectors.sandbox.world import World

PORT = 8100
AHEAD = 365
"""How many days of what is to come are made, for the business to live on in."""
LOCAL = ("http://127.0.0.1", "http://localhost")


class StateUnusable(Exception):
    """The file that was to keep a shop cannot be written."""


def open_shop(
    *, port: int = 0, host: str = "127.0.0.1", seed: int = 1, days: int = 365, orders_per_day: int = 20, scenario: str = "quiet", speed: int = 1,
    redirects: tuple[str, ...] = (), now: datetime | None = None, state: Path | None = None,
) -> tuple[Sandbox, Shop]:  # fmt: skip
    """Serve a shop whose business began `days` days ago; return the sandbox, which the caller closes, and the shop.

    The same arguments on the same day make the same shop, with the same client id and secret. With a `state` file they make the same
    shop on any day after the first, and what was granted stays granted. Raises KeyError for a scenario nobody wrote, OSError for a
    port that is taken, and StateUnusable for a file that cannot be written.
    """
    clock = Clock(now, speed=speed)
    keeper = Keeper(state, (seed, days, orders_per_day, scenario)) if state is not None else None
    kept = keeper.read() if keeper is not None else None
    start = kept.began if kept is not None else clock.now().astimezone(UTC).date() - timedelta(days=days)
    world = World.live(seed=seed, start=start, days=days + AHEAD, orders_per_day=orders_per_day, scenario=scenario)
    app = app_of(seed, redirects)
    sandbox = Sandbox(clock)
    try:
        sandbox.serve(host, port)
    except OSError:
        sandbox.close()
        raise
    shop = sandbox.add_shop(world.shop.domain, WorldRows(world), app=app, seed=str(seed))
    if keeper is not None:
        try:
            keeper.keep(shop, start, kept)
            shop.bell.keep_in(keeper.path.with_suffix(".sqlite"), f"{keeper.business} {start}")
        except OSError as error:
            sandbox.close()
            raise StateUnusable(f"{keeper.path} cannot be written: {error.strerror}. Name another file with --state.") from error
    return sandbox, shop


def app_of(seed: int = 1, redirects: tuple[str, ...] = ()) -> App:
    """Return the app that a shop of this seed knows: its client id and secret."""
    return App(_made("client", seed), "shpss_" + _made("secret", seed), redirects=(*LOCAL, *redirects))


def _made(kind: str, seed: int) -> str:
    return hashlib.sha256(f"sandbox/{kind}/{seed}".encode()).hexdigest()[:32]
