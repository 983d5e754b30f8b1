"""Spread the money given back of an order over its parts, since an export tells the sum and not what it was for."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby

from msgspec import Struct

from connectors.platforms.files.shopify.parts import Part
from ledger.facts import SaleFact
from ledger.kinds import SaleKind, SaleType
from ledger.money import Tenk, divide_half_even, round_half_even, split

UNDATED = "refund:undated"
"""Begins the ids of the events of a refund whose day is not told."""
_TURN = {SaleType.PRODUCT: 0, SaleType.GIFT_CARD: 0, SaleType.SHIPPING: 1, SaleType.DUTY: 2}
"""What money given back is for, first to last: goods, then shipping, then duties, then the rest."""


class Refund(Struct, frozen=True):
    """Money given back; `key` names it among those of its order."""

    key: str
    at: datetime
    amount: Tenk


class _Left(Struct):
    """What of a part has not been given back."""

    part: Part
    net: Tenk
    discount: Tenk
    tax: Tenk

    @property
    def gross(self) -> Tenk:
        return self.net + self.tax

    def take(self, amount: Tenk, step: Tenk) -> tuple[Tenk, Tenk, Tenk]:
        """Take an amount that was charged, and return it as net, discount and tax."""
        whole = self.gross
        if amount == whole:
            taken = self.net, self.discount, self.tax
        else:
            tax, discount = (round_half_even(divide_half_even(value * amount, whole), step) for value in (self.tax, self.discount))
            taken = amount - tax, discount, tax
        self.net, self.discount, self.tax = self.net - taken[0], self.discount - taken[1], self.tax - taken[2]
        return taken


def give_back(parts: Sequence[Part], refunds: Sequence[Refund], *, restocked: bool, step: Tenk) -> list[SaleFact]:
    """Turn the refunds of an order, first to last, into events on its parts.

    What is given back in full is certain. Of a lesser amount the goods are taken to come first, each in proportion to
    what was charged for it: that is estimated, and says nothing about units. With `restocked`, goods that are
    given back in full are on the shelf.
    """
    left = [_Left(part, part.net, part.discount, part.tax) for part in parts]
    sales: list[SaleFact] = []
    untouched = True
    for refund in refunds:
        full = refund.amount == sum(each.gross for each in left)
        certain = full and untouched and not refund.key.startswith(UNDATED)
        untouched = False
        rest = refund.amount
        for each, amount in zip(left, [each.gross for each in left] if full else _shares(left, refund.amount, step), strict=True):
            if amount or (full and each.part.quantity):
                rest -= amount
                sales.append(_event(refund, each, amount, full=full, restocked=restocked, estimated=not certain, step=step))
        if rest:
            sales.append(SaleFact(f"{refund.key}:more", refund.at, SaleKind.REFUND, SaleType.ADJUSTMENT, -rest, estimated=not certain))
    return sales


def _shares(left: Sequence[_Left], amount: Tenk, step: Tenk) -> list[Tenk]:
    """Share an amount out: the goods first, each by what is left of it, then what comes after them."""
    shares = [0] * len(left)
    turns = sorted((place for place, each in enumerate(left) if each.gross > 0), key=lambda place: _turn(left[place]))
    for _, group in groupby(turns, key=lambda place: _turn(left[place])):
        places = list(group)
        room = [left[place].gross for place in places]
        taken = min(amount, sum(room))
        for place, share in zip(places, room if taken == sum(room) else split(taken, room, step=step), strict=True):
            shares[place] = share
        amount -= taken
    return shares


def _turn(left: _Left) -> int:
    return _TURN.get(left.part.type, 3)


def _event(refund: Refund, left: _Left, amount: Tenk, *, full: bool, restocked: bool, estimated: bool, step: Tenk) -> SaleFact:
    net, discount, tax = left.take(amount, step)
    part = left.part
    units = part.quantity if full and part.type == SaleType.PRODUCT else 0
    return SaleFact(
        f"{refund.key}:{part.key}", refund.at, SaleKind.REFUND, part.type, -net, part.key if part.item is not None else None, -units, -discount, -tax,
        restocked and units > 0, estimated,
    )  # fmt: skip
