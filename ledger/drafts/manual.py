"""Draft the entries of a cost that a person entered, spread over the days it covers."""

from ledger.days import day_number
from ledger.drafts.entry import EntryDraft, Fx
from ledger.drafts.sales import RateFinder, RateMissing
from ledger.money import Tenk, convert, divide_half_even, minor_step


def spread(total: Tenk, days: int, step: Tenk) -> list[Tenk]:
    """Spread an amount evenly over days in multiples of `step`; the last day takes the rounding, so the sum is exact."""
    each = divide_half_even(total, days * step) * step
    return [each] * (days - 1) + [total - each * (days - 1)]


def draft_cost(
    *, account: int, amount: Tenk, currency: str, first_day: int, last_day: int, book_currency: str, find_rate: RateFinder
) -> list[EntryDraft]:
    """Draft one entry per day (its part is the day's number); a cost is negative in the ledger.

    A foreign amount is spread in its own currency and converted at each day's rate. Raises RateMissing.
    """
    entries = []
    step, own_step = minor_step(currency), minor_step(book_currency)
    for offset, share in enumerate(spread(amount, last_day - first_day + 1, step)):
        day = first_day + offset
        value, fx, estimated = -share, None, False
        if currency != book_currency:
            rate = find_rate(currency, day)
            if rate is None:
                raise RateMissing(currency, day)
            value, estimated = convert(-share, rate.value, own_step), rate.estimated
            fx = Fx(-share, currency, rate.value, day_number(rate.day), rate.source)
        if value:
            entries.append(EntryDraft(account, day, day, value, estimated, None, 0, 0, fx=fx))
    return entries
