"""Keep a served shop over a restart: when its business began, and what was granted. Everything else follows from the seed."""

import os
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from connectors.sandbox.shopify_shop import Shop
from connectors.sandbox.shopify_tokens import Grants


class Kept(Struct):
    """What is kept of one shop."""

    business: tuple[int, int, int, str]
    """Seed, days, orders a day, scenario: a shop of another business does not take it over."""
    began: date
    grants: Grants
    subscriptions: dict[str, dict[str, Any]] = {}
    subscribed: int = 0


class Keeper:
    """Write a shop to a file whenever something was granted, and read it again. The file is readable by its owner alone."""

    def __init__(self, path: Path, business: tuple[int, int, int, str]) -> None:
        self.path, self.business = path, business

    def read(self) -> Kept | None:
        """Return what was kept of this business; None where there is nothing, or nothing that can be read."""
        try:
            kept = msgspec.json.decode(self.path.read_bytes(), type=Kept)
        except (FileNotFoundError, msgspec.MsgspecError):
            return None
        return kept if kept.business == self.business else None

    def keep(self, shop: Shop, began: date, kept: Kept | None) -> None:
        """Give a shop back what was kept, and keep what changes from now on."""
        if kept is not None:
            shop.tokens.restore(kept.grants)
            shop.subscriptions.update(kept.subscriptions)
            shop.subscribed = kept.subscribed
        shop.changed = shop.tokens.changed = lambda: self._write(shop, began)
        shop.changed()

    def _write(self, shop: Shop, began: date) -> None:
        kept = Kept(self.business, began, shop.tokens.grants(), dict(shop.subscriptions), shop.subscribed)
        draft = self.path.with_suffix(".draft")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:  # noqa: PTH123  the mode is set before anything is written
            file.write(msgspec.json.encode(kept))
        draft.replace(self.path)
