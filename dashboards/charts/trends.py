"""Draw shares of net revenue by period: what the costs took, and what was left at each step down to net profit."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from dashboards.charts.chart import UNITS, Chart, Figure, Series, drawn, hover
from dashboards.pages.statement_table import Row, Table, share
from dashboards.templatetags.money import percent

COSTS = ("cogs", "fulfilment", "fees", "marketing", "operating")
MARGINS = {"gross_profit": "CM1", "cm2": "CM2", "cm3": "CM3", "net_profit": "Net profit"}
AXIS = {"tickformat": ",.0%", "title": {"text": "of net revenue"}}
NO_REVENUE = "There is no net revenue in this range, so nothing can be a share of it."


def cost_share_chart(table: Table, *, today: date) -> Chart:
    """Draw what each kind of cost took of net revenue, stacked, a bar per period; no bar where there was no net revenue."""
    rows = [row for row in table.lines if row.key in COSTS and (row.total or any(row.cells))]
    series = [Series(row.label, "percent", _shares(table, row, -1)) for row in rows]
    pattern = {"shape": ["/" if still else "" for still in _unfinished(table, today)], "solidity": 0.35, "size": 7, "bgcolor": "rgba(0,0,0,0)"}
    bars: list[Figure] = []
    for one, row in zip(series, rows, strict=True):
        colour = f"var(--pp-series-{COSTS.index(row.key) + 1})"
        bars.append({
            "type": "bar", "name": one.label, "x": table.headings, "y": drawn(one.cells),
            "marker": {"color": colour, "line": {"color": colour, "width": 1}, "pattern": {**pattern, "fgcolor": colour}},
            **hover(one.label, one.cells, table.currency, kind="percent"),
        })  # fmt: skip
    layout = {"barmode": "relative", "xaxis": {"type": "category"}, "yaxis": AXIS, "hovermode": "x unified"}
    return Chart(
        "cost-share", f"Costs as a share of net revenue by {UNITS[table.scope.by]}", _costs_found(table, rows),
        {"data": bars, "layout": layout}, table.headings, series, table.currency,
    )  # fmt: skip


def margin_chart(table: Table, *, today: date) -> Chart:
    """Draw what was left of net revenue after each kind of cost, a line per step; CM3 only where there is marketing to take off."""
    by_key = {row.key: row for row in table.lines}
    has_marketing = any(by_key["marketing"].cells) or bool(by_key["marketing"].total)
    rows = [by_key[key] for key in MARGINS if key != "cm3" or has_marketing]
    series = [Series(MARGINS[row.key], "percent", _shares(table, row, +1)) for row in rows]
    lines = []
    for number, one in enumerate(series, start=1):
        is_last = number == len(series)
        colour = "var(--pp-positive)" if is_last else f"var(--pp-series-{number})"
        lines.append({
            "type": "scatter", "mode": "lines+markers", "name": one.label, "x": table.headings, "y": drawn(one.cells), "connectgaps": False,
            "line": {"color": colour, "width": 3 if is_last else 1.5, "dash": "solid" if is_last else "dot"},
            "marker": {"color": colour, "size": 6}, **hover(one.label, one.cells, table.currency, kind="percent"),
        })  # fmt: skip
    layout = {"xaxis": {"type": "category"}, "yaxis": AXIS, "hovermode": "x unified"}
    return Chart(
        "margin", f"What is left of net revenue by {UNITS[table.scope.by]}", _margin_found(table, by_key["net_profit"], series[-1], today),
        {"data": lines, "layout": layout}, table.headings, series, table.currency,
    )  # fmt: skip


def _shares(table: Table, row: Row, sign: int) -> list[Decimal | None]:
    revenue = next(line for line in table.lines if line.key == "net_revenue")
    pairs = zip(table.known(row), table.known(revenue), strict=True)
    return [None if part is None or whole is None else share(sign * part, whole) for part, whole in pairs]


def _unfinished(table: Table, today: date) -> list[bool]:
    return [end >= today for end in (*(period.last for period in table.scope.periods[:-1]), table.closes)]


def _costs_found(table: Table, rows: Sequence[Row]) -> str:
    named = [(-row.share, row.label) for row in rows if row.share is not None]
    if not named:
        return NO_REVENUE if any(table.booked) else "Nothing is booked in this range."
    parts = ", ".join(f"{label} {percent(value)}" for value, label in sorted(named, key=lambda one: -one[0]))
    return f"Costs took {percent(sum((value for value, _ in named), Decimal(0)))} of net revenue: {parts}."


def _margin_found(table: Table, profit: Row, margin: Series, today: date) -> str:
    if profit.share is None:
        return NO_REVENUE if any(table.booked) else "Nothing is booked in this range."
    said = [f"Net profit was {percent(profit.share)} of net revenue."]
    unfinished = _unfinished(table, today)
    over = [
        (value, heading)
        for value, heading, still in zip(margin.cells, table.headings, unfinished, strict=True) if value is not None and not still
    ]  # fmt: skip
    if len(over) > 1:
        best, worst = max(over, key=lambda one: one[0]), min(over, key=lambda one: one[0])
        said.append(f"It was highest in {best[1]} ({percent(best[0])}) and lowest in {worst[1]} ({percent(worst[0])}).")
    return " ".join(said)
