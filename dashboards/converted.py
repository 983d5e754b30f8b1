"""Tell at which rates a page's amounts are shown, and what is left out for want of one."""

from datetime import timedelta

from dashboards.forms.scope import Scope
from ledger.book.conversion import Conversion, conversion
from ledger.models import Store
from ledger.periods import Period

DAYS_BEFORE = timedelta(days=6)
"""Days before the first that a line over seven days reads."""


def conversion_of(store: Store, scope: Scope) -> Conversion | None:
    """Return the rates a page needs, with two queries; None, without any, where it shows the store's own currency."""
    first, last = scope.period
    spans = [Period(first - DAYS_BEFORE, last), *([scope.compared] if scope.compared else [])]
    return conversion(store.book, scope.currency, spans)


def rates_in_words(converted: Conversion) -> str:
    """Say in a sentence or two how amounts are converted and what is missing, for a page or a sheet."""
    said = [f"Converted from {converted.original} into {converted.currency}, each day at its own rate of the European Central Bank."]
    if converted.by_hand:
        said.append(f"The rate of {_days(converted.by_hand)} was entered by hand.")
    if converted.stand_ins:
        said.append(f"For {_days(converted.stand_ins)} an earlier rate stands in.")
    if converted.missing:
        said.append(f"There is no rate for {missing_in_words(converted)}: what is booked then is in no figure.")
    return " ".join(said)


def missing_in_words(converted: Conversion) -> str:
    """Name the days without a rate; of many, how many there are and from when to when they lie."""
    days = converted.missing
    if len(days) == 1:
        return f"{days[0]:%-d %b %Y}"
    if len(days) <= 3:
        return ", ".join(f"{day:%-d %b %Y}" for day in days[:-1]) + f" and {days[-1]:%-d %b %Y}"
    return f"{len(days)} days from {days[0]:%-d %b %Y} to {days[-1]:%-d %b %Y}"


def _days(number: int) -> str:
    return "one day" if number == 1 else f"{number} days"
