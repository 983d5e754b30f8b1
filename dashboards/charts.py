"""Draw figures as plain plotly dicts: what is shown comes from here, how it looks from static/js/charts.js and the tokens.

Colours are names of tokens (`var(--pp-positive)`), so that one figure serves both themes. This is the edge where amounts
become floats, to be drawn and for nothing else: every figure a person reads is written from the Decimal.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import orjson
from django.utils.safestring import SafeString

from dashboards.statement_table import Row, Table
from dashboards.templatetags.money import money
from ledger.periods import By

Figure = dict[str, Any]

UNITS = {By.DAY: "day", By.WEEK: "week", By.MONTH: "month", By.QUARTER: "quarter", By.YEAR: "year"}
_ESCAPES = {ord("<"): "\\u003C", ord(">"): "\\u003E", ord("&"): "\\u0026"}
SPARK_WIDTH, SPARK_HEIGHT = 100, 30


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart: what it shows, what it finds, and the same numbers as a table."""

    key: str
    """Names its elements on the page."""
    title: str
    finding: str
    figure: Figure
    table: Table
    rows: list[Row]

    @property
    def by_period(self) -> list[tuple[str, list[Decimal | None]]]:
        """Return the numbers for the table: a line per period, unknown where the drawing has a gap."""
        table = self.table
        return [
            (heading, [row.cells[place] if table.booked[place] else None for row in self.rows])
            for place, heading in enumerate(table.headings)
        ]  # fmt: skip

    @property
    def has_figures(self) -> bool:
        """Tell whether there is anything to draw; without it, axes would show a range of their own making."""
        return any(self.table.booked)

    @property
    def json(self) -> SafeString:
        """Return the figure for a data block, written so that no text in it can end the block."""
        return SafeString(orjson.dumps(self.figure).decode().translate(_ESCAPES))


@dataclass(frozen=True, slots=True)
class Sparkline:
    """A line without axes in a box of 100 by 30: its path and, when it crosses zero, the height of zero."""

    path: str
    zero: float | None


def profit_chart(table: Table, *, today: date) -> Chart:
    """Draw net profit as bars and net revenue as a line, one point per period; nothing booked is a gap, never a zero."""
    profit, revenue = (next(row for row in table.lines if row.key == key) for key in ("net_profit", "net_revenue"))
    known = [value if booked else None for value, booked in zip(profit.cells, table.booked, strict=True)]
    ends = [*(period.last for period in table.view.periods[:-1]), table.closes]
    unfinished = [value is not None and end >= today for value, end in zip(known, ends, strict=True)]
    above = [value if value is not None and value >= 0 else None for value in known]
    below = [value if value is not None and value < 0 else None for value in known]
    bars = [_bars("Net profit", above, "positive", table, unfinished)] if any(value is not None for value in above) else []
    if any(value is not None for value in below):
        bars.append(_bars("Net loss", below, "negative", table, unfinished))
    line = {
        "type": "scatter", "mode": "lines+markers", "name": "Net revenue", "x": table.headings, "y": _drawn(revenue.cells, table.booked),
        "line": {"color": "var(--pp-line)", "width": 2}, "marker": {"color": "var(--pp-line)", "size": 6}, "connectgaps": False,
        **_hover("Net revenue", revenue.cells, table.currency),
    }  # fmt: skip
    layout = {"barmode": "relative", "xaxis": {"type": "category"}, "yaxis": {"title": {"text": table.currency}}, "hovermode": "x unified"}
    return Chart(
        "profit", f"Net profit and net revenue by {UNITS[table.view.by]}", _finding(table, known, profit.total, unfinished),
        {"data": [*bars, line], "layout": layout}, table, [revenue, profit],
    )  # fmt: skip


def sparkline(values: Sequence[Decimal | None]) -> Sparkline | None:
    """Draw values as a path, broken where one is missing; None for fewer than two, which make no line."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return None
    top, bottom = max(known), min(known)
    height = float(top - bottom) or 1.0

    def y(value: Decimal) -> float:
        return round(SPARK_HEIGHT * (1 - float(value - bottom) / height), 1)

    steps, pen = [], "M"
    for place, value in enumerate(values):
        if value is not None:
            steps.append(f"{pen}{round(SPARK_WIDTH * place / (len(values) - 1), 1)} {y(value)}")
        pen = "M" if value is None else "L"
    return Sparkline("".join(steps), y(Decimal(0)) if bottom < 0 < top else None)


def _bars(name: str, values: Sequence[Decimal | None], token: str, table: Table, unfinished: Sequence[bool]) -> Figure:
    colour = f"var(--pp-{token})"
    pattern = {"shape": ["/" if still else "" for still in unfinished], "fgcolor": colour, "bgcolor": "rgba(0,0,0,0)", "size": 7, "solidity": 0.35}
    return {
        "type": "bar", "name": name, "x": table.headings, "y": _drawn(values, table.booked),
        "marker": {"color": colour, "line": {"color": colour, "width": 1}, "pattern": pattern}, **_hover(name, values, table.currency),
    }  # fmt: skip


def _drawn(values: Sequence[Decimal | None], booked: Sequence[bool]) -> list[float | None]:
    return [float(value) if there and value is not None else None for value, there in zip(values, booked, strict=True)]


def _hover(name: str, values: Sequence[Decimal | None], currency: str) -> Figure:
    texts = ["" if value is None else money(value, currency) for value in values]
    return {"customdata": texts, "hovertemplate": f"{name} %{{customdata}}<extra></extra>"}


def _finding(table: Table, known: Sequence[Decimal | None], total: Decimal | None, unfinished: Sequence[bool]) -> str:
    """Say in a sentence or two what the chart shows."""
    named = [(value, heading) for value, heading in zip(known, table.headings, strict=True) if value is not None]
    if not named or total is None:
        return "Nothing is booked in this range."
    unit, currency = UNITS[table.view.by], table.currency
    # A month that has just begun is no worse than the others: only those that are over are compared.
    over = [(value, heading) for value, heading, still in zip(known, table.headings, unfinished, strict=True) if value is not None and not still]
    if len(named) == 1:
        said = [f"Net profit came to {money(named[0][0], currency)}, all of it in one {unit}: {named[0][1]}."]
    else:
        said = [f"Net profit came to {money(total, currency)}."]
    if len(over) > 1:
        best, worst = max(over, key=_value), min(over, key=_value)
        losses = sum(value < 0 for value, _ in over)
        whole = f"{unit} that is over" if any(unfinished) else unit
        said.append(f"The best {whole} was {best[1]} ({money(best[0], currency)}), the worst {worst[1]} ({money(worst[0], currency)}).")
        if losses:
            said.append(f"{losses} of {len(over)} {unit}s made a loss.")
    if any(unfinished):
        said.append(f"The hatched {unit} is not over yet.")
    return " ".join(said)


def _value(named: tuple[Decimal, str]) -> Decimal:
    return named[0]
