"""Draw net profit day by day with the mean of seven days, which shows the course beneath the days of the week."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from dashboards.charts.chart import Chart, Series, drawn, hover
from dashboards.charts.profit import finding_of, profit_bars
from dashboards.pages.statement_table import Table
from dashboards.templatetags.money import money, rounded
from ledger.money import minor_digits

WEEK, LEAST = 7, 4
"""Days a mean is of, and how many of them must be known."""


def daily_chart(table: Table, before: Sequence[Decimal | None], *, today: date) -> Chart:
    """Draw a bar per day and a line of the mean of the seven days up to it.

    `before` is net profit of the six days before the first, None where nothing is booked. Days without anything booked are gaps, and
    today, which is not over, is hatched and in no mean.
    """
    profit = next(row for row in table.lines if row.key == "net_profit")
    known = table.known(profit)
    unfinished = [value is not None and day.last >= today for value, day in zip(known, table.scope.periods, strict=True)]
    over = [None if still else value for value, still in zip(known, unfinished, strict=True)]
    means = _means([*before, *over], len(over), minor_digits(table.currency))
    line = {
        "type": "scatter", "mode": "lines", "name": "Mean of 7 days", "x": table.headings, "y": drawn(means), "connectgaps": False,
        "line": {"color": "var(--pp-line)", "width": 2}, **hover("Mean of 7 days", means, table.currency),
    }  # fmt: skip
    layout = {"barmode": "relative", "xaxis": {"type": "category"}, "yaxis": {"title": {"text": table.currency}}, "hovermode": "x unified"}
    found = finding_of(table, known, profit.total, unfinished)
    latest = next((mean for mean in reversed(means) if mean is not None), None)
    if latest is not None:
        found += f" The last seven full days made {money(latest, table.currency)} a day."
    return Chart(
        "daily", "Net profit by day", found, {"data": [*profit_bars(table, known, unfinished), line], "layout": layout}, table.headings,
        [Series("Net profit", "money", known), Series("Mean of 7 days", "money", means)], table.currency, corner="Day",
    )  # fmt: skip


def _means(values: Sequence[Decimal | None], count: int, digits: int) -> list[Decimal | None]:
    """Return the mean of the seven values up to each of the last ones; unknown at one that is, and where too few are known."""
    found: list[Decimal | None] = []
    for end in range(len(values) - count + 1, len(values) + 1):
        week = [value for value in values[max(0, end - WEEK) : end] if value is not None]
        is_known = values[end - 1] is not None and len(week) >= LEAST
        found.append(rounded(sum(week, Decimal(0)) / len(week), digits) if is_known else None)
    return found
