"""Read what Today shows: the figures that are read first, the course of profit, marketing against its break-even, what needs a person."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from dashboards.charts import Chart, Sparkline, daily_chart, profit_chart, sparkline, waterfall_chart
from dashboards.delta import Delta
from dashboards.forms.scope import ONE_DAY, Scope
from dashboards.metrics import METRICS
from dashboards.opening import entries_url
from dashboards.pages.statement_table import Row, Table
from dashboards.ratios import ratio
from ledger import accounts
from ledger.book.beneath import prefixes_of
from ledger.models import Store
from ledger.periods import By, Period, cut
from ledger.statements import Statement, profit, share_of

KPIS = ("net_revenue", "cm2", "marketing", "cm3", "net_profit", "margin")
SHORT = {"cm2": "CM2", "cm3": "CM3"}
"""What a card says where the whole term is too long for it."""


@dataclass(frozen=True, slots=True)
class Kpi:
    """One figure on a card: what it comes to, what it is compared with, its course, how much of it is estimated, and where it opens."""

    key: str
    label: str
    kind: str
    value: Decimal | None
    address: str
    delta: Delta | None
    compared: Decimal | None
    compared_address: str
    spark: Sparkline | None
    estimated_share: Decimal | None
    """None where nothing moved."""
    base: str
    """What a ratio is a share of, in words; empty for an amount."""

    @property
    def is_main(self) -> bool:
        """Tell whether it is the figure everything else leads to."""
        return self.key == "net_profit"

    @property
    def is_negative(self) -> bool:
        """Tell whether it is below zero; a cost always is, and that is no loss."""
        return self.value is not None and self.value < 0 and self.key != "marketing"


@dataclass(frozen=True, slots=True)
class Efficiency:
    """Net revenue for each unit of marketing, and what it must at least be; None with the reason where one is not known."""

    mer: Decimal | None
    why_no_mer: str
    mer_address: str
    break_even: Decimal | None
    why_no_break_even: str
    break_even_address: str

    @property
    def verdict(self) -> str:
        """Say what the two together mean; empty where they say nothing."""
        if self.mer is None or self.break_even is None:
            return ""
        if self.mer == self.break_even:
            return "Marketing took exactly what CM2 earned."
        return "Marketing earned more than it cost." if self.mer > self.break_even else "Marketing cost more than CM2 earned."


def kpis(store: Store, table: Table) -> list[Kpi]:
    """Return the cards from left to right."""
    rows = {row.key: row for row in (*table.lines, *table.statistics)}
    return [_kpi(store, table, rows[key]) for key in KPIS]


def _kpi(store: Store, table: Table, row: Row) -> Kpi:
    scope = table.scope
    compared = _address(store, scope, row.key, scope.compared) if scope.compared else ""
    return Kpi(
        row.key, SHORT.get(row.key) or METRICS[row.key].term, row.kind, row.total, _address(store, scope, row.key, scope.period), row.delta,
        row.compared, compared, sparkline(table.over(row)), estimated_of(table.whole, row.key),
        store.get_margin_basis_display() if row.key == "margin" else "",
    )  # fmt: skip


def _address(store: Store, scope: Scope, key: str, period: Period) -> str:
    return entries_url(store, line=key, first=period.first, last=period.last, basis=scope.basis, currency=scope.currency)


def estimated_of(whole: Statement, key: str) -> Decimal | None:
    """Return the estimated share of a figure; of margin, that of net profit."""
    prefixes = prefixes_of("net_profit" if key == "margin" else key)
    named = [name for name in whole.accounts if any(accounts.under(name, prefix) for prefix in prefixes)]
    return share_of((whole.accounts[name], whole.estimated[name]) for name in named)


def efficiency(store: Store, table: Table) -> Efficiency:
    """Return MER beside its break-even."""
    scope = table.scope
    (mer, no_mer), (least, no_least) = (ratio(store, key, table.whole) for key in ("mer", "break_even_mer"))
    addresses = [_address(store, scope, key, scope.period) for key in ("mer", "break_even_mer")]
    return Efficiency(mer, no_mer, addresses[0], least, no_least, addresses[1])


def course(store: Store, table: Table) -> Chart:
    """Draw net profit day by day, or by longer periods where days would be too many."""
    scope = table.scope
    if scope.by != By.DAY:
        return profit_chart(table, today=scope.today)
    first = scope.period.first
    days = profit(store.book, cut(first - timedelta(days=6), first - ONE_DAY, By.DAY), basis=scope.basis, converted=table.converted)
    return daily_chart(table, _known(days), today=scope.today)


def _known(days: Sequence[Statement]) -> list[Decimal | None]:
    return [day.net_profit if day.accounts else None for day in days]


def charts(store: Store, table: Table) -> list[Chart]:
    """Return the charts of the page, top to bottom."""
    return [course(store, table), waterfall_chart(table)]
