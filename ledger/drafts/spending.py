"""Draft the entries of what an advertising account spent on one day. Pure: rows of all levels in, entries out.

The account's total, its campaigns, their ad groups and their ads tell the same money. One level below the account is booked: the one
that tells most of it, since what a level misses (an ad that was deleted, a campaign without ad groups, a file that was filtered) no
level makes up; of two that tell the same, the coarser. Where the account's total is told too, its row books what that level misses, so
that the day always costs what the account says.
"""

from collections.abc import Sequence
from typing import NamedTuple

from ledger.days import day_number
from ledger.drafts.entry import EntryDraft, Fx
from ledger.drafts.sales import RateFinder
from ledger.kinds import AdLevel
from ledger.money import Tenk, convert, minor_step, round_half_even


class SpendRow(NamedTuple):
    """One row of one account and day; spend is positive, in its currency."""

    id: int
    level: int
    campaign: int | None
    day: int
    spend: Tenk
    currency: str
    estimated: bool


class Drafted(NamedTuple):
    """The entries of each row, by its id, or the currency whose rate the day waits for."""

    entries: dict[int, list[EntryDraft]]
    waits_for: str = ""


class _Own(NamedTuple):
    """What a row's spend is in the book's currency; positive."""

    amount: Tenk
    fx: Fx | None
    estimated: bool


def draft_day(rows: Sequence[SpendRow], *, account: int, book_currency: str, find_rate: RateFinder) -> Drafted:
    """Draft what the rows of one advertising account and day should have in the book; a cost is negative.

    A day waits as a whole: were a part of it booked, its level could be chosen wrongly.
    """
    nothing: dict[int, list[EntryDraft]] = {row.id: [] for row in rows}
    own: dict[int, _Own] = {}
    for row in rows:
        converted = _own(row, book_currency, find_rate)
        if converted is None:
            return Drafted(nothing, row.currency)
        own[row.id] = converted
    whole = next((row for row in rows if row.level == AdLevel.ACCOUNT), None)
    booked = _booked(rows, own)
    for row in booked:
        nothing[row.id] = _entries(row, account, own[row.id])
    if whole is not None:
        nothing[whole.id] = _entries(whole, account, _rest(whole, booked, own))
    return Drafted(nothing)


def _own(row: SpendRow, book_currency: str, find_rate: RateFinder) -> _Own | None:
    step = minor_step(book_currency)
    if row.currency == book_currency:
        return _Own(round_half_even(row.spend, step), None, row.estimated)
    rate = find_rate(row.currency, row.day)
    if rate is None:
        return None
    fx = Fx(row.spend, row.currency, rate.value, day_number(rate.day), rate.source)
    return _Own(convert(row.spend, rate.value, step), fx, row.estimated or rate.estimated)


def _booked(rows: Sequence[SpendRow], own: dict[int, _Own]) -> list[SpendRow]:
    """Return the rows of the level below the account that is booked."""
    levels: dict[int, list[SpendRow]] = {}
    for row in rows:
        if row.level != AdLevel.ACCOUNT:
            levels.setdefault(row.level, []).append(row)
    if not levels:
        return []
    in_one = len({row.currency for row in rows}) == 1  # then compared as told: rounding each row must not decide
    told = {level: sum(row.spend if in_one else own[row.id].amount for row in found) for level, found in levels.items()}
    return levels[max(levels, key=lambda level: (told[level], -level))]


def _rest(whole: SpendRow, booked: Sequence[SpendRow], own: dict[int, _Own]) -> _Own:
    """Return what an account's total holds beyond the rows that are booked."""
    amount, fx, estimated = own[whole.id]
    amount -= sum(own[row.id].amount for row in booked)
    estimated = estimated or any(own[row.id].estimated for row in booked)
    if fx is not None and booked:
        known = all(row.currency == whole.currency for row in booked)
        fx = fx._replace(original_amount=whole.spend - sum(row.spend for row in booked) if known else None)
    return _Own(amount, fx, estimated)


def _entries(row: SpendRow, account: int, own: _Own) -> list[EntryDraft]:
    if not own.amount:
        return []
    fx = own.fx
    if fx is not None and fx.original_amount is not None:
        fx = fx._replace(original_amount=-fx.original_amount)
    return [EntryDraft(account, 0, row.day, -own.amount, own.estimated, None, 0, 0, None, row.campaign, fx)]
