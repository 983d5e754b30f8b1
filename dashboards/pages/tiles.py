"""Pick the few figures of a statement that are read first, and write them as tiles."""

from dataclasses import dataclass
from decimal import Decimal

from dashboards.charts import Sparkline, sparkline
from dashboards.pages.statement_table import Row, Table
from dashboards.templatetags.money import money, percent

FIRST_READ = {
    "net_revenue": "Net revenue",
    "gross_profit": "Gross profit (CM1)",
    "cm2": "Contribution (CM2)",
    "cm3": "Contribution (CM3)",
}

AFTER = {
    "net_revenue": "after discounts and returns, without tax",
    "gross_profit": "after COGS",
    "cm2": "after fulfilment and fees",
    "cm3": "after marketing",
}


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure: its name, what it is a part of or made of, and its course over the periods."""

    label: str
    value: str
    note: str
    is_negative: bool
    spark: Sparkline | None
    address: str = ""
    """Where the figure opens."""
    is_main: bool = False


def tiles(table: Table) -> list[Tile]:
    """Return net profit and margin first, then the sums above them; CM3 only when there is marketing to take off."""
    rows = {row.key: row for row in (*table.lines, *table.statistics)}
    margin = rows["margin"]
    shown = [key for key in FIRST_READ if key != "cm3" or rows["marketing"].total]
    estimated = f"{percent(table.estimated_share)} of the money that moved is estimated" if table.estimated_share else "nothing in it is estimated"
    return [
        _money("Net profit", rows["net_profit"], table, estimated, is_main=True),
        Tile(
            "Net margin",
            percent(margin.total),
            margin.label.removeprefix("Net margin, "),
            _below_zero(margin),
            _course(margin, table),
            margin.address,
        ),
        *(_money(FIRST_READ[key], rows[key], table, _of_revenue(rows[key])) for key in shown),
    ]


def _money(label: str, row: Row, table: Table, note: str, *, is_main: bool = False) -> Tile:
    return Tile(label, money(row.total, table.currency), note, _below_zero(row), _course(row, table), row.address, is_main)


def _course(row: Row, table: Table) -> Sparkline | None:
    return sparkline(table.over(row))


def _below_zero(row: Row) -> bool:
    return row.total is not None and row.total < Decimal(0)


def _of_revenue(row: Row) -> str:
    after = AFTER[row.key]
    return after if row.key == "net_revenue" or row.share is None else f"{percent(row.share)} of net revenue, {after}"
