"""Draw what a store made by period: net profit as bars, net revenue as a line."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from dashboards.charts.chart import UNITS, Chart, Figure, Series, drawn, hover
from dashboards.pages.statement_table import Table
from dashboards.templatetags.money import money


def profit_chart(table: Table, *, today: date) -> Chart:
    """Draw net profit as bars and net revenue as a line, one point per period; nothing booked is a gap, never a zero."""
    profit, revenue = (next(row for row in table.lines if row.key == key) for key in ("net_profit", "net_revenue"))
    known, revenues = table.known(profit), table.known(revenue)
    ends = [*(period.last for period in table.scope.periods[:-1]), table.closes]
    unfinished = [value is not None and end >= today for value, end in zip(known, ends, strict=True)]
    bars = profit_bars(table, known, unfinished)
    line = {
        "type": "scatter", "mode": "lines+markers", "name": "Net revenue", "x": table.headings, "y": drawn(revenues),
        "line": {"color": "var(--pp-line)", "width": 2}, "marker": {"color": "var(--pp-line)", "size": 6}, "connectgaps": False,
        **hover("Net revenue", revenues, table.currency),
    }  # fmt: skip
    layout = {"barmode": "relative", "xaxis": {"type": "category"}, "yaxis": {"title": {"text": table.currency}}, "hovermode": "x unified"}
    return Chart(
        "profit", f"Net profit and net revenue by {UNITS[table.scope.by]}", finding_of(table, known, profit.total, unfinished),
        {"data": [*bars, line], "layout": layout}, table.headings,
        [Series("Net revenue", "money", revenues), Series("Net profit", "money", known)], table.currency,
    )  # fmt: skip


def profit_bars(table: Table, known: Sequence[Decimal | None], unfinished: Sequence[bool]) -> list[Figure]:
    """Return bars of net profit, those of a loss in a colour and with a name of their own."""
    above = [value if value is not None and value >= 0 else None for value in known]
    below = [value if value is not None and value < 0 else None for value in known]
    bars = [bars_of("Net profit", above, "positive", table, unfinished)] if any(value is not None for value in above) else []
    if any(value is not None for value in below):
        bars.append(bars_of("Net loss", below, "negative", table, unfinished))
    return bars


def bars_of(name: str, values: Sequence[Decimal | None], token: str, table: Table, unfinished: Sequence[bool]) -> Figure:
    """Return bars in the colour of a token, those of unfinished periods hatched."""
    colour = f"var(--pp-{token})"
    pattern = {"shape": ["/" if still else "" for still in unfinished], "fgcolor": colour, "bgcolor": "rgba(0,0,0,0)", "size": 7, "solidity": 0.35}
    return {
        "type": "bar", "name": name, "x": table.headings, "y": drawn(values),
        "marker": {"color": colour, "line": {"color": colour, "width": 1}, "pattern": pattern}, **hover(name, values, table.currency),
    }  # fmt: skip


def finding_of(table: Table, known: Sequence[Decimal | None], total: Decimal | None, unfinished: Sequence[bool]) -> str:
    """Say in a sentence or two what became of net profit, period by period."""
    named = [(value, heading) for value, heading in zip(known, table.headings, strict=True) if value is not None]
    if not named or total is None:
        return "Nothing is booked in this range."
    unit, currency = UNITS[table.scope.by], table.currency
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
