"""Draw how net revenue becomes net profit, cost by cost."""

from decimal import Decimal

from dashboards.charts.chart import Chart, Series, drawn, hover
from dashboards.pages.statement_table import Table
from dashboards.templatetags.money import money

STEPS = {"cogs": "COGS", "fulfilment": "Fulfilment", "fees": "Fees", "marketing": "Marketing", "operating": "Operating costs"}


def waterfall_chart(table: Table) -> Chart:
    """Draw net revenue, what each kind of cost took of it, and the net profit that is left; kinds that took nothing are left out."""
    rows = {row.key: row for row in table.lines}
    revenue, profit = rows["net_revenue"].total or Decimal(0), rows["net_profit"].total or Decimal(0)
    steps = [(label, rows[key].total or Decimal(0)) for key, label in STEPS.items() if rows[key].total]
    headings = ["Net revenue", *(label for label, _ in steps), "Net profit"]
    values: list[Decimal | None] = [revenue, *(value for _, value in steps), profit] if any(table.booked) else [None] * len(headings)
    left, running = [revenue], revenue
    for _, value in steps:
        running += value
        left.append(running)
    trace = {
        "type": "waterfall", "orientation": "h", "y": headings, "x": drawn(values), "measure": ["absolute", *["relative"] * len(steps), "total"],
        "increasing": {"marker": {"color": "var(--pp-positive)"}}, "decreasing": {"marker": {"color": "var(--pp-negative)"}},
        "totals": {"marker": {"color": "var(--pp-line)"}}, "connector": {"line": {"color": "var(--pp-axis)", "width": 1}},
        **hover("", values, table.currency),
    }  # fmt: skip
    layout = {
        "xaxis": {"title": {"text": table.currency}, "tickformat": "~s", "showgrid": True, "nticks": 6},
        "yaxis": {"type": "category", "autorange": "reversed", "tickformat": "", "dtick": 1, "showgrid": False}, "showlegend": False,
    }  # fmt: skip
    series = [Series("Amount", "money", values), Series("Left after it", "money", [*left, profit] if any(table.booked) else values)]
    return Chart(
        "waterfall", "From net revenue to net profit", _finding(table, revenue, profit, steps), {"data": [trace], "layout": layout}, headings, series,
        table.currency, corner="Step",
    )  # fmt: skip


def _finding(table: Table, revenue: Decimal, profit: Decimal, steps: list[tuple[str, Decimal]]) -> str:
    if not any(table.booked):
        return "Nothing is booked in this range."
    if profit < 0:
        said = f"All costs together left a net loss of {money(-profit, table.currency)} on {money(revenue, table.currency)} net revenue."
    else:
        said = f"Of {money(revenue, table.currency)} net revenue, {money(profit, table.currency)} was left as net profit."
    if steps and (most := min(steps, key=lambda step: step[1]))[1] < 0:
        said += f" {most[0]} took most: {money(-most[1], table.currency)}."
    return said
