"""Lay a profit statement out as a table: the one form that the page and its CSV file share."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from django.db.models import Max, Min

from dashboards.converted import conversion_of
from dashboards.delta import Delta, Good
from dashboards.forms.scope import Scope
from ledger import accounts
from ledger.book.conversion import Conversion
from ledger.kinds import Basis
from ledger.models import Book, DayTotal, Store
from ledger.periods import By, Period, cut
from ledger.statements import STATEMENT_KEYS, ZERO, Span, Statement, amount, profit, profit_of

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
    """One row: a figure per period, the total, its share of net revenue, and what it is compared with."""

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
    compared: Decimal | None = None
    """The figure of the days compared with; None when nothing is compared, or nothing is booked in them."""
    delta: Delta | None = None
    is_account: bool = False
    meaning: str = ""
    """What the figure is, in a sentence and a formula."""
    address: str = ""
    """Where the total opens to the entries beneath it, and below where its figures by period and the compared one do."""
    addresses: list[str] = field(default_factory=list)
    compared_address: str = ""

    @property
    def opening_cells(self) -> list[tuple[Decimal | None, str]]:
        """Return the figures by period, each with its address."""
        return list(zip(self.cells, self.addresses or [""] * len(self.cells), strict=True))


@dataclass(slots=True)
class Step:
    """One line of the bridge between the bases: its amount counted on order days and on event days."""

    key: str
    label: str
    by_order: Decimal
    by_event: Decimal
    addresses: list[str] = field(default_factory=list)
    """Where the two amounts open to the entries beneath them."""

    @property
    def difference(self) -> Decimal:
        """Return what counting on event days adds."""
        return self.by_event - self.by_order


@dataclass(slots=True)
class Table:
    """A statement by period: the profit lines, what stands beside them, and counts."""

    currency: str
    scope: Scope
    headings: list[str]
    lines: list[Row]
    memo: list[Row]
    statistics: list[Row]
    estimated_share: Decimal | None
    booked: list[bool]
    """Whether anything is booked in each period; where nothing is, a chart has a gap."""
    bridge: list[Step]
    """From profit on order days to profit on event days, the lines that differ and net profit."""
    whole: Statement
    """The statement of all its days."""
    closes: date = date.max
    """The day on which the last period's week, month or year ends, even where the range stops short of it."""
    is_compared_booked: bool = False
    """Whether anything is booked in the days compared with."""
    converted: Conversion | None = None
    """At which rates amounts are shown; None in the store's own currency."""

    @property
    def columns(self) -> int:
        """Return how many columns the table has on the page."""
        return 3 + (3 if self.scope.compared else 0) + len(self.headings)

    def known(self, row: Row) -> list[Decimal | None]:
        """Return a row's figures, None for the periods in which nothing is booked."""
        return [value if booked else None for value, booked in zip(row.cells, self.booked, strict=True)]

    def over(self, row: Row) -> list[Decimal | None]:
        """Return a row's figures of the periods that are over: a course that ends in an unfinished day seems to fall."""
        known = self.known(row)
        return known[:-1] if len(known) > 1 and self.scope.is_partial else known

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


def statement_table(store: Store, scope: Scope) -> Table:
    """Compute the statement of a store for what a page asks for and lay it out, with two queries, and two more in another currency."""
    converted = conversion_of(store, scope)
    other = Basis.ORDER if scope.basis == Basis.EVENT else Basis.EVENT
    spans = [Span(scope.period, scope.basis), Span(scope.period, other)]
    if scope.compared:
        spans.append(Span(scope.compared, scope.basis))
    periods = profit(store.book, scope.periods, basis=scope.basis, converted=converted)
    whole, elsewhere, *before = profit_of(store.book, spans, converted=converted)
    # Where nothing at all is booked, figures before are not known to have been zero.
    read = Read(periods, whole, before[0] if before and before[0].accounts else None)
    headings = [period_label(period, scope.by) for period in scope.periods]
    table = lay_out(store, scope, read, headings=headings, currency=converted.currency if converted else store.book.currency)
    table.bridge = bridge(whole, elsewhere) if scope.basis == Basis.ORDER else bridge(elsewhere, whole)
    if converted is not None:
        table.converted = converted
        # What is not known is no zero.
        leave_out(table, [_lies_in(period, converted.missing) and not _lies_in(period, converted.rates) for period in scope.periods])
    return table


def lay_out(store: Store, scope: Scope, read: "Read", *, headings: list[str], currency: str) -> Table:
    """Lay statements out as a table, a column each; the bridge between the bases is left empty."""
    labels = {line.key: line for line in accounts.STATEMENT}
    return Table(
        currency=currency,
        scope=scope,
        headings=headings,
        lines=[_line(key, labels.get(key), read) for key in STATEMENT_KEYS],
        memo=[_memo(line, read) for line in accounts.MEMO],
        statistics=_statistics(store, read),
        estimated_share=read.whole.estimated_share,
        booked=[bool(one.accounts) for one in read.columns],
        bridge=[],
        whole=read.whole,
        closes=_closes(store, scope),
        is_compared_booked=read.before is not None,
    )


def leave_out(table: Table, gaps: Sequence[bool]) -> None:
    """Leave out the amounts of columns whose money could not be converted; counts stay."""
    if not any(gaps):
        return
    for _, rows in table.sections():
        for row in (*rows, *(account for line in rows for account in line.accounts)):
            if row.kind != "count":
                row.cells = [None if gap else value for value, gap in zip(row.cells, gaps, strict=True)]
                row.total = None if all(gaps) else row.total
    table.booked = [booked and not gap for booked, gap in zip(table.booked, gaps, strict=True)]


def _lies_in(period: Period, days: Iterable[date]) -> bool:
    return any(period.first <= day <= period.last for day in days)


class Read(NamedTuple):
    """The statements a table is made of: one a column, of all of them, and of the days compared with."""

    columns: Sequence[Statement]
    whole: Statement
    before: Statement | None

    def row(self, key: str, label: str, kind: str, of: Callable[[Statement], Decimal | None], *, good: Good) -> Row:
        total, before = of(self.whole), of(self.before) if self.before else None
        return Row(key, label, kind, [of(one) for one in self.columns], total, compared=before, delta=Delta(total, before, good, kind))


def _closes(store: Store, scope: Scope) -> date:
    last = scope.period.last
    sunday, month = store.week_starts_on_sunday, store.fiscal_year_start_month
    return cut(last, last + timedelta(days=366), scope.by, week_starts_on_sunday=sunday, fiscal_year_start_month=month)[0].last


def margin_base(store: Store, statement: Statement) -> Decimal:
    """Return what the store's margin is a share of: total sales (tax and shipping included) or net revenue."""
    tax = statement.memo["tax"] if store.margin_basis == Store.MarginBasis.TOTAL_SALES else ZERO
    return statement.net_revenue + tax


def share(part: Decimal, base: Decimal) -> Decimal | None:
    """Return a part's share of a base; None when the base is not above zero, where a share says nothing."""
    return part / base if base > 0 else None


def _line(key: str, line: accounts.Line | None, read: Read) -> Row:
    row = read.row(key, line.label if line else SUM_LABELS[key], "money", lambda one: amount(one, key), good=Good.MORE)
    row.share, row.is_sum, row.note = _share(row, read), line is None, NET_PROFIT_NOTE if key == "net_profit" else ""
    if line is not None:
        row.accounts = _accounts(line, read, good=Good.MORE)
    return row


def _memo(line: accounts.Line, read: Read) -> Row:
    row = read.row(line.key, line.label, "money", lambda one: one.memo[line.key], good=Good.NEITHER)
    row.accounts = _accounts(line, read, good=Good.NEITHER)
    return row


def _share(row: Row, read: Read) -> Decimal | None:
    return None if row.total is None else share(row.total, read.whole.net_revenue)


def _accounts(line: accounts.Line, read: Read, *, good: Good) -> list[Row]:
    before = read.before.accounts if read.before else {}
    named = sorted(name for name in {**read.whole.accounts, **before} if any(accounts.under(name, prefix) for prefix in line.prefixes))
    rows = [read.row(name, name, "money", _amount_of(name), good=good) for name in named]
    for row in rows:
        row.share, row.is_account = _share(row, read), True
    return rows


def _amount_of(name: str) -> Callable[[Statement], Decimal]:
    return lambda statement: statement.accounts.get(name, ZERO)


def _statistics(store: Store, read: Read) -> list[Row]:
    counts = [
        read.row(line.key, line.label, "count", _count_of(line.key), good=Good.LESS if line.key == "returned_units" else Good.MORE)
        for line in accounts.STATISTICS
    ]
    margin = read.row(
        "margin", f"Net margin, {store.get_margin_basis_display()}", "percent", lambda one: share(one.net_profit, margin_base(store, one)),
        good=Good.MORE,
    )  # fmt: skip
    estimated = read.row(
        "estimated_share", "Estimated share of the money that moved", "percent", lambda one: one.estimated_share, good=Good.LESS
    )  # fmt: skip
    return [*counts, margin, estimated]


def _count_of(key: str) -> Callable[[Statement], Decimal]:
    return lambda statement: Decimal(getattr(statement, key))


def bridge(by_order: Statement, by_event: Statement) -> list[Step]:
    """Lay out, line by line, how profit counted on order days becomes profit counted on event days.

    Lines that are the same either way are left out; the differences shown add up to the difference of net profit.
    """
    lines = [Step(line.key, line.label, by_order.lines[line.key], by_event.lines[line.key]) for line in accounts.STATEMENT]
    whole = Step("net_profit", SUM_LABELS["net_profit"], by_order.net_profit, by_event.net_profit)
    return [*(step for step in lines if step.difference), whole]


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
