"""Define the entry that should exist."""

from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from ledger.money import Tenk


class Fx(NamedTuple):
    """How an amount came from another currency: what it was, and the rate that was frozen with it."""

    original_amount: Tenk | None
    currency: str
    rate: int
    """Units of the book's currency for one of the original, in 10⁻¹⁰."""
    rate_day: int
    rate_source: int


class EntryDraft(Struct, frozen=True, gc=False):
    """One entry that a source should have. Amounts are in the book's currency; days are day numbers."""

    account: int
    part: int
    event_day: int
    amount: Tenk
    estimated: bool
    order_day: int | None
    channel: int
    country: int
    variant: int | None = None
    campaign: int | None = None
    fx: Fx | None = None

    def mirrored(self) -> "EntryDraft":
        """Return the entry that cancels this one: the same in everything but the sign of its amounts."""
        fx = self.fx
        if fx is not None and fx.original_amount is not None:
            fx = fx._replace(original_amount=-fx.original_amount)
        return replace(self, amount=-self.amount, fx=fx)
