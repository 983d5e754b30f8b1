"""Lay a profit statement out as a table: the one form that the page and its CSV file share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import Max, Min

from dashboards.forms import View
from ledger import accounts
from ledger.kinds import Basis
from ledger.models import Book, DayTotal, Store
from ledger.periods import By, Period, cut
from ledger.statements import STATEMENT_KEYS, Statement, amount, profit

SUM_LABELS = {
    "net_revenue": "Net revenue",
    "gross_profit": "Gross profit (CM1)",
    "cm2": "Contribution after fulfilment and fees (CM2)",
    "cm3": "Contribution after marketing (CM3)",
    "net_profit": "Net profit",
}
NET_PROFIT_NOTE = "before income tax, interest and depreciation"


@dataclass(slots=True)
class Row:
    """One row: a figure per period, the total, and the total's share of net revenue."""

    key: str
    label: str
    kind: str
    """How to write it: money, count or percent."""
    cells: list[Decimal | None]
    total: Decimal | None
    share: Decimal | None = None
    is_sum: bool = False
    note: str = ""
    accounts: list["Row"] = field(default_factory=list)


@dataclass(slots=True)
class Table:
    """A statement by period: the profit lines, what stands beside them, and counts."""

    currency: str
    view: View
    headings: list[str]
    lines: list[Row]
    memo: list[Row]
    statistics: list[Row]
    estimated_share: Decimal | None
    booked: list[bool]
    """Whether anything is booked in each period; where nothing is, a chart has a gap."""
    closes: date = date.max
    """The day on which the last period's week, month or year ends, even where the range stops short of it."""

    def sections(self) -> list[tuple[str, list[Row]]]:
        """Return every section with its title, top to bottom."""
        return [("Profit", self.lines), ("Beside profit (never part of it)", self.memo), ("Counts and ratios", self.statistics)]


def booked_days(book: Book, basis: Basis, *, today: date) -> Period | None:
    """Return the first and the last day with entries; None for an empty book.

    Costs are booked ahead (a year's rent), so the last day is at most `today`, or the first when all lies ahead.
    """
    found = DayTotal.objects.filter(book_id=book.pk, basis=basis.value).aggregate(first=Min("day"), last=Max("day"))
    if found["first"] is None:
        return None
    return Period(found["first"], max(found["first"], min(found["last"], today)))


def statement_table(store: Store, view: View) -> Table:
    """Compute the statement of a store for a view and lay it out."""
    statements = profit(store.book, view.periods, basis=view.basis)
    whole = profit(store.book, [view.whole], basis=view.basis)[0]
    labels = {line.key: line for line in accounts.STATEMENT}
    return Table(
        currency=store.book.currency,
        view=view,
        headings=[period_label(period, view.by) for period in view.periods],
        lines=[_line(key, labels.get(key), statements, whole) for key in STATEMENT_KEYS],
        memo=[_memo(line, statements, whole) for line in accounts.MEMO],
        statistics=_statistics(store, statements, whole),
        estimated_share=whole.estimated_share,
        booked=[bool(one.accounts) for one in statements],
        closes=_closes(store, view),
    )


def _closes(store: Store, view: View) -> date:
    last = view.whole.last
    sunday, month = store.week_starts_on_sunday, store.fiscal_year_start_month
    return cut(last, last + timedelta(days=366), view.by, week_starts_on_sunday=sunday, fiscal_year_start_month=month)[0].last


def margin_base(store: Store, statement: Statement) -> Decimal:
    """Return what the store's margin is a share of: total sales (tax and shipping included) or net revenue."""
    tax = statement.memo["tax"] if store.margin_basis == Store.MarginBasis.TOTAL_SALES else Decimal(0)
    return statement.net_revenue + tax


def share(part: Decimal, base: Decimal) -> Decimal | None:
    """Return a part's share of a base; None when the base is not above zero, where a share says nothing."""
    return part / base if base > 0 else None


def _line(key: str, line: accounts.Line | None, statements: Sequence[Statement], whole: Statement) -> Row:
    total = amount(whole, key)
    row = Row(
        key, line.label if line else SUM_LABELS[key], "money", [amount(one, key) for one in statements], total,
        share(total, whole.net_revenue), is_sum=line is None, note=NET_PROFIT_NOTE if key == "net_profit" else "",
    )  # fmt: skip
    if line is not None:
        row.accounts = _accounts(line, statements, whole)
    return row


def _memo(line: accounts.Line, statements: Sequence[Statement], whole: Statement) -> Row:
    row = Row(line.key, line.label, "money", [one.memo[line.key] for one in statements], whole.memo[line.key])
    row.accounts = _accounts(line, statements, whole)
    return row


def _accounts(line: accounts.Line, statements: Sequence[Statement], whole: Statement) -> list[Row]:
    zero = Decimal(0)
    return [
        Row(name, name, "money", [one.accounts.get(name, zero) for one in statements], total, share(total, whole.net_revenue))
        for name, total in whole.accounts.items()
        if any(accounts.under(name, prefix) for prefix in line.prefixes)
    ]


def _statistics(store: Store, statements: Sequence[Statement], whole: Statement) -> list[Row]:
    def ratio(key: str, label: str, of: Callable[[Statement], Decimal | None]) -> Row:
        return Row(key, label, "percent", [of(one) for one in statements], of(whole))

    counts = [
        Row(line.key, line.label, "count", [Decimal(getattr(one, line.key)) for one in statements], Decimal(getattr(whole, line.key)))
        for line in accounts.STATISTICS
    ]
    margin = ratio("margin", f"Net margin, {store.get_margin_basis_display()}", lambda one: share(one.net_profit, margin_base(store, one)))
    return [*counts, margin, ratio("estimated_share", "Estimated share of the money that moved", lambda one: one.estimated_share)]


def period_label(period: Period, by: By) -> str:
    """Name a period as briefly as it stays unmistakable; a partial one by its days."""
    first, last = period
    if by == By.DAY:
        return f"{first:%-d %b %Y}"
    if first.day == 1 and (last + timedelta(days=1)).day == 1:
        return _months(first, last)
    if first == last:
        return f"{first:%-d %b %Y}"
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{last:%-d %b %Y}"
    return f"{first:%-d %b}–{last:%-d %b %Y}" if first.year == last.year else f"{first:%-d %b %Y}–{last:%-d %b %Y}"


def _months(first: date, last: date) -> str:
    if (first.year, first.month) == (last.year, last.month):
        return f"{first:%b %Y}"
    if first.year != last.year:
        return f"{first:%b %Y}–{last:%b %Y}"
    return f"{first:%Y}" if (first.month, last.month) == (1, 12) else f"{first:%b}–{last:%b %Y}"
