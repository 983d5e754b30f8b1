"""Build what a page's address asks for."""

from dashboards.forms.scope import Compare, Match, Scope, compared_period
from ledger.periods import By, Period, cut
from tests.builders import day


def span(first: str, last: str) -> Period:
    """Read a span of days."""
    return Period(day(first), day(last))


def a_scope(
    first: str, last: str, by: By = By.MONTH, *, basis: str = "event", today: str = "2027-01-01", compare: Compare = Compare.NONE,
    match: Match = Match.DATE, fiscal_month: int = 1,
) -> Scope:  # fmt: skip
    """Ask for a span of days, as its page would."""
    compared = None if compare == Compare.NONE else compared_period(
        span(first, last), compare, match, today=day(today), fiscal_month=fiscal_month
    )  # fmt: skip
    return Scope(
        tuple(cut(day(first), day(last), by, fiscal_year_start_month=fiscal_month)), by, day(today), basis, compare, match, compared,
        fiscal_month=fiscal_month, is_range_chosen=True, is_compare_chosen=compare != Compare.NONE,
    )  # fmt: skip
