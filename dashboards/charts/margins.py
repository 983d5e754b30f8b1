"""Draw how the margins of orders are spread: bars by margin, losses apart from profits."""

from collections.abc import Sequence
from decimal import Decimal

from dashboards.charts.chart import Chart, Figure, Series
from dashboards.templatetags.money import count, money, percent
from ledger.orders.order_list import Bin, Margins


def margins_chart(margins: Margins, currency: str) -> Chart:
    """Chart a spread of margins; empty ends are left out, and what has no margin is in the table alone."""
    filled = [place for place, one in enumerate(margins.bins) if one.orders]
    bins = margins.bins[filled[0] : filled[-1] + 1] if filled else []
    rows = [(_words(one), one.orders, one.profit) for one in bins]
    if margins.without:
        rows.append(("No margin: nothing is left of their sales", margins.without, margins.without_profit))
    rows += [("All", margins.orders, margins.profit)] if rows else []
    series = [
        Series("Orders", "count", [Decimal(orders) for _, orders, _ in rows]),
        Series("Share", "percent", [_share(orders, margins.orders) for _, orders, _ in rows]),
        Series("Profit", "money", [profit for _, _, profit in rows]),
    ]
    finding = _finding(margins, currency)
    return Chart("margins", "Orders by margin", finding, _figure(bins, margins.orders), [words for words, _, _ in rows], series, currency, "Margin")


def _figure(bins: Sequence[Bin], whole: int) -> Figure:
    def bars(name: str, token: str, *, loss: bool) -> Figure:
        own = [one.orders if _is_loss(one) == loss else 0 for one in bins]
        return {
            "type": "bar", "name": name, "x": [_short(one) for one in bins], "y": [orders or None for orders in own],
            "text": [count(orders) if orders else "" for orders in own], "textposition": "outside", "cliponaxis": False,
            "marker": {"color": f"var(--pp-{token})"},
            "customdata": [f"{_words(one)}: {count(one.orders)} orders, {percent(_share(one.orders, whole))}" for one in bins],
            "hovertemplate": "%{customdata}<extra></extra>",
        }  # fmt: skip

    drawn = [bars("Lost money", "negative", loss=True)] if any(_is_loss(one) for one in bins) else []
    drawn += [bars("Made money", "positive", loss=False)] if any(not _is_loss(one) for one in bins) else []
    layout = {
        "barmode": "relative", "bargap": 0.08, "xaxis": {"type": "category", "title": {"text": "Margin, from"}},
        "yaxis": {"title": {"text": "Orders"}},
    }  # fmt: skip
    return {"data": drawn, "layout": layout}


def _is_loss(one: Bin) -> bool:
    return one.below is not None and one.below <= 0


def _words(one: Bin) -> str:
    if one.least is None:
        return f"below {_whole(one.below)}"
    return f"{_whole(one.least)} and more" if one.below is None else f"{_whole(one.least)} to {_whole(one.below)}"


def _short(one: Bin) -> str:
    """Name a bin by its lower end, which is all that fits beneath a bar."""
    return f"below {_whole(one.below)}" if one.least is None else _whole(one.least)


def _whole(share: Decimal | None) -> str:
    return "" if share is None else f"{count(share * 100)} %"


def _share(part: int, whole: int) -> Decimal | None:
    return Decimal(part) / whole if whole else None


def _finding(margins: Margins, currency: str) -> str:
    """State what the spread shows."""
    if not margins.orders:
        return "No order here has a profit yet."
    many = "order" if margins.orders == 1 else "orders"
    share = percent(_share(margins.losing, margins.orders))
    said = [f"Of {count(margins.orders)} {many}, {count(margins.losing)} ({share}) lost money"]
    said[0] += f": together {money(margins.lost, currency)}." if margins.losing else "."
    best = max(margins.bins, key=lambda one: one.orders)
    if best.orders:
        said.append(f"The most common margin is {_words(best)}, of {count(best.orders)} orders.")
    if margins.without:
        one = margins.without == 1
        said.append(f"{count(margins.without)} {'has' if one else 'have'} no margin: nothing is left of {'its' if one else 'their'} sales.")
    return " ".join(said)
