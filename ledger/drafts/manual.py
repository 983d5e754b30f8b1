"""Draft the entries of costs that a person entered and that belong to days: spread over real days, or a share of what was spent."""

from calendar import monthrange
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from itertools import count
from typing import NamedTuple

from msgspec import Struct

from ledger.costs.costing import PERCENT
from ledger.days import day_number
from ledger.drafts.entry import EntryDraft, Fx
from ledger.drafts.sales import RateFinder
from ledger.models import ManualCost
from ledger.money import Tenk, convert, divide_half_even, minor_step

Basis = ManualCost.Basis
DAYS = {Basis.DAY: 1, Basis.WEEK: 7}
MONTHS = {Basis.MONTH: 1, Basis.QUARTER: 3, Basis.YEAR: 12}
ONE_DAY = timedelta(days=1)


class DayCost(Struct, frozen=True):
    """A cost of days: what one period of it costs, net of VAT, and the days it covers."""

    account: int
    channel: int
    basis: str
    amount: Tenk
    """Of one period, in whole minor units of its currency; a cost is positive."""
    currency: str
    first: date
    last: date | None


class Drafted(NamedTuple):
    """The entries of a cost, and the days (as numbers) that wait for an exchange rate."""

    entries: list[EntryDraft]
    waiting: list[int]


def net_of_vat(amount: Tenk, vat: Tenk, step: Tenk) -> Tenk:
    """Take VAT (ten-thousandths of a per cent) out of an amount and round half-even, once, to `step`."""
    return divide_half_even(amount * PERCENT, (PERCENT + vat) * step) * step


def spread(total: Tenk, days: int, step: Tenk) -> list[Tenk]:
    """Spread an amount evenly over days in multiples of `step`; the last day takes the rounding, so the sum is exact."""
    each = divide_half_even(total, days * step) * step
    return [each] * (days - 1) + [total - each * (days - 1)]


def periods(basis: str, first: date) -> Iterator[tuple[date, date]]:
    """Yield a recurring cost's periods without end, first and last day, counted from its first day.

    A month from the 15th runs through the 14th. One from the 31st begins on the last day of shorter months and
    goes back to the 31st: every period is counted from the first day, none from the one before.
    """
    start = first
    for number in count(1):
        after = first + timedelta(days=DAYS[Basis(basis)] * number) if basis in DAYS else _months_after(first, MONTHS[Basis(basis)] * number)
        yield start, after - ONE_DAY
        start = after


def _months_after(first: date, months: int) -> date:
    year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
    return date(year, month + 1, min(first.day, monthrange(year, month + 1)[1]))


def shares(cost: DayCost, through: date) -> Iterator[tuple[date, Tenk]]:
    """Yield what each day of a cost costs in its currency, through a day.

    A whole period ties to the minor unit, with the rounding on its last day; one that is cut short counts its days' shares.
    """
    end = through if cost.last is None else min(cost.last, through)
    step = minor_step(cost.currency)
    spans = [(cost.first, cost.last)] if cost.basis == Basis.ONCE and cost.last is not None else periods(cost.basis, cost.first)
    for first, last in spans:
        if first > end:
            return
        days = spread(cost.amount, (last - first).days + 1, step)
        for offset, share in enumerate(days[: (end - first).days + 1]):
            yield first + timedelta(days=offset), share


def draft_cost(cost: DayCost, *, through: date, book_currency: str, find_rate: RateFinder) -> Drafted:
    """Draft one entry per day through a day (its part is the day's number); a cost is negative in the ledger.

    A foreign amount is spread in its own currency and converted at each day's rate; days without one are left out and named.
    """
    drafted = Drafted([], [])
    own_step = minor_step(book_currency)
    for on, share in shares(cost, through):
        day = day_number(on)
        value, fx, estimated = -share, None, False
        if share and cost.currency != book_currency:
            rate = find_rate(cost.currency, day)
            if rate is None:
                drafted.waiting.append(day)
                continue
            value, estimated = convert(-share, rate.value, own_step), rate.estimated
            fx = Fx(-share, cost.currency, rate.value, day_number(rate.day), rate.source)
        if value:
            drafted.entries.append(EntryDraft(cost.account, day, day, value, estimated, None, cost.channel, 0, fx=fx))
    return drafted


def draft_share(*, account: int, channel: int, percentage: Tenk, spent: Iterable[tuple[int, Tenk]], book_currency: str) -> list[EntryDraft]:
    """Draft a percentage (ten-thousandths of a per cent) of what was spent on each day; spent is negative, and a rule supplied the entry."""
    step = minor_step(book_currency)
    amounts = ((day, divide_half_even(amount * percentage, PERCENT * step) * step) for day, amount in spent)
    return [EntryDraft(account, day, day, amount, True, None, channel, 0) for day, amount in amounts if amount]
