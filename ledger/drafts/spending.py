"""Draft the entries of what an advertising account spent on one day. Pure: rows of all levels in, entries out.

The account's total, its campaigns, their ad groups and their ads tell the same money. One level below the account is booked: the one
that tells most of it, since what a level misses (an ad that was deleted, a campaign without ad groups, a file that was filtered) no
level makes up; of two that tell the same, the coarser. Where the account's total is told too, its row books what that level misses, so
that the day always costs what the account says.

Several may tell of one platform and day: the platform itself, its own file, a person's file. What the surer tells is booked, and the
other's row gives way; an account that a file does not name may be any of the platform's.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ledger.days import day_number
from ledger.drafts.entry import EntryDraft, Fx
from ledger.drafts.sales import RateFinder
from ledger.kinds import AdLevel, AdTeller
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
    platform: str
    account: str
    teller: int
    campaign_id: str
    """As the platform calls the campaign; empty where only its name is told."""
    campaign_name: str


class Drafted(NamedTuple):
    """The entries of each row, by its id, or the currency whose rate the day waits for."""

    entries: dict[int, list[EntryDraft]]
    waits_for: str = ""


class _Own(NamedTuple):
    """What a row's spend is in the book's currency; positive."""

    amount: Tenk
    fx: Fx | None
    estimated: bool


def giving_way(rows: Sequence[SpendRow]) -> set[int]:
    """Return which rows, by their ids, give way to what somebody surer tells of the same platform and day."""
    way: set[int] = set()
    for together in _by_platform_and_day(rows):
        if len({_sureness(row) for row in together}) > 1:
            way |= {row.id for row in together if any(_sureness(other) < _sureness(row) and _tells_of(other, row) for other in together)}
    return way


def beside(rows: Sequence[SpendRow], way: set[int]) -> list[SpendRow]:
    """Return the rows of people that stand beside what the platform tells of the same day and may count twice, if their campaigns are its own."""
    found = []
    for together in _by_platform_and_day(rows):
        sure = [row for row in together if row.teller != AdTeller.PERSON and row.level != AdLevel.ACCOUNT]
        others = (row for row in together if row.teller == AdTeller.PERSON and row.id not in way)
        found += [row for row in others if any(_may_be_one_account(other, row) for other in sure)]
    return found


def _by_platform_and_day(rows: Sequence[SpendRow]) -> Iterable[list[SpendRow]]:
    found: dict[tuple[str, int], list[SpendRow]] = {}
    for row in rows:
        found.setdefault((row.platform, row.day), []).append(row)
    return found.values()


def _sureness(row: SpendRow) -> tuple[int, bool]:
    # people leave an account out of one row and not of another; platforms' files have the column or have it not
    return row.teller, row.teller != AdTeller.PERSON and not row.account


def _may_be_one_account(one: SpendRow, other: SpendRow) -> bool:
    return one.account.lower() == other.account.lower() or not one.account or not other.account


def _tells_of(sure: SpendRow, row: SpendRow) -> bool:
    """Tell whether a surer row tells the money of another: of the same campaign, or of the whole account."""
    if not _may_be_one_account(sure, row):
        return False
    if row.level == AdLevel.ACCOUNT:
        return True
    if sure.level == AdLevel.ACCOUNT:
        return sure.account != row.account  # within one account its campaigns are a part of it, booked as such
    if sure.campaign_id and row.campaign_id:
        return sure.campaign_id == row.campaign_id
    return bool(sure.campaign_name) and sure.campaign_name.strip().lower() == row.campaign_name.strip().lower()


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
