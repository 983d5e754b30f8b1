"""Lay out the tabs beside the statement as tables: revenue by channel, product and country; costs by kind, channel and platform."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from babel import Locale

from dashboards.delta import Delta, Good
from dashboards.scope import Scope
from dashboards.statement_table import share
from ledger import accounts, breakdowns
from ledger.models import Store
from ledger.statements import ZERO, Span, Statement, profit_of

MOST_PRODUCTS = 50
REVENUE_LINES = ("gross_sales", "discounts", "returns", "shipping_charged", "other_income")
COST_LINES = ("cogs", "fulfilment", "fees", "marketing", "operating")
LABELS = {line.key: line.label for line in accounts.STATEMENT}
PLATFORMS = {
    "meta_ads": "Meta Ads", "google_ads": "Google Ads", "klaviyo": "Klaviyo", "postscript": "Postscript", "influencer": "Influencers",
    "affiliate": "Affiliates", "other": "Other", "payment": "Payment fees", "marketplace": "Marketplace fees", "dispute": "Dispute fees",
}  # fmt: skip


@dataclass(slots=True)
class Line:
    """One row: its name, its numbers in the order of the columns, and how it stands among the others."""

    label: str
    cells: list[Any]
    """Decimal, None where it is not known, or a Delta in a column of kind delta."""
    is_sum: bool = False
    is_part: bool = False
    """Whether it is a part of the row above it."""
    opens: dict[str, Any] = field(default_factory=dict)
    """What narrows the entries beneath its figures: an account or a channel."""


@dataclass(slots=True)
class Grid:
    """One table: columns with how each is written (money, count, percent, delta), and rows."""

    key: str
    title: str
    corner: str
    columns: list[tuple[str, str]]
    rows: list[Line]
    note: str = ""

    @property
    def cells(self) -> list[tuple[Line, list[tuple[str, Any]]]]:
        """Return every row with its numbers, each beside how it is written."""
        return [(row, [(kind, value) for (_, kind), value in zip(self.columns, row.cells, strict=True)]) for row in self.rows]


def revenue_grids(store: Store, scope: Scope) -> list[Grid]:
    """Return net revenue by channel, by product and by country; each adds up to the statement's."""
    spans = _spans(scope)
    channels = _channels(store, spans, breakdowns.REVENUE, unnamed="No channel")
    whole = [_summed([statements[place] for _, statements in channels], span) for place, span in enumerate(spans)]
    names = Locale("en").territories
    places = [
        (str(names.get(place.label, place.label)) or "Country not known", place.statements) for place in breakdowns.by_country(store.book, spans)
    ]  # fmt: skip
    return [
        _revenue_by("channels", "Net revenue by channel", "Channel", channels, whole, scope),
        _by_product(store, spans, whole, scope),
        _revenue_by("countries", "Net revenue by country", "Country", places, whole, scope),
    ]


def cost_grids(store: Store, scope: Scope) -> list[Grid]:
    """Return costs by kind with what of them is actual, by channel, and by platform; each adds up to the statement's."""
    spans = _spans(scope)
    statements = profit_of(store.book, spans)
    channels = _channels(store, spans, None, unnamed="No channel: costs of days")
    return [
        _by_kind(statements, scope),
        _costs_by_channel(channels, statements, scope),
        _by_platform(statements, scope),
    ]


def _spans(scope: Scope) -> list[Span]:
    return [Span(scope.period, scope.basis), *([Span(scope.compared, scope.basis)] if scope.compared else [])]


def _channels(store: Store, spans: Sequence[Span], some: Sequence[int] | None, *, unnamed: str) -> list[tuple[str, list[Statement]]]:
    return [(place.label or unnamed, place.statements) for place in breakdowns.by_channel(store.book, spans, some)]


def _summed(statements: Sequence[Statement], span: Span) -> Statement:
    lines = {key: sum((one.lines[key] for one in statements), ZERO) for key in LABELS}
    return Statement(span.period, lines, {}, accounts={"any": ZERO} if any(one.accounts for one in statements) else {})


def _compared(now: Decimal, before: Decimal | None, good: Good = Good.MORE) -> list[Any]:
    return [before, Delta(now, before, good)]


COMPARED = [("Compared days", "money"), ("Change", "delta")]


def _compared_columns(scope: Scope) -> list[tuple[str, str]]:
    return COMPARED if scope.compared else []


def _before(statements: Sequence[Statement], whole: Sequence[Statement]) -> Statement | None:
    """Return the compared statement; None when nothing is compared, or nothing at all is booked in those days."""
    return statements[1] if len(whole) > 1 and whole[1].accounts else None


def _revenue_by(
    key: str, title: str, corner: str, found: Sequence[tuple[str, list[Statement]]], whole: Sequence[Statement], scope: Scope
) -> Grid:  # fmt: skip
    columns = [*((LABELS[line], "money") for line in REVENUE_LINES), ("Net revenue", "money"), ("Share", "percent"), *_compared_columns(scope)]

    def line(label: str, statements: Sequence[Statement], *, is_sum: bool = False) -> Line:
        now, before = statements[0], _before(statements, whole)
        cells: list[Any] = [*(now.lines[one] for one in REVENUE_LINES), now.net_revenue, share(now.net_revenue, whole[0].net_revenue)]
        if scope.compared:
            cells += _compared(now.net_revenue, before.net_revenue if before else None)
        return Line(label, cells, is_sum)

    rows = [line(label, statements) for label, statements in sorted(found, key=lambda one: (-one[1][0].net_revenue, one[0]))]
    return Grid(key, title, corner, columns, [*rows, line("All", whole, is_sum=True)] if rows else [])


def _by_product(store: Store, spans: Sequence[Span], whole: Sequence[Statement], scope: Scope) -> Grid:
    found = breakdowns.by_product(store.book, spans, most=MOST_PRODUCTS)
    now, before = whole[0], _before(whole, whole)
    columns = [
        ("Units sold", "count"), ("Gross sales", "money"), ("Discounts", "money"), ("Returns", "money"), ("Net revenue", "money"),
        ("Share", "percent"), *_compared_columns(scope),
    ]  # fmt: skip

    def line(label: str, units: int | None, parts: Sequence[Decimal | None], net: Decimal, was: Decimal, *, is_sum: bool = False) -> Line:
        cells: list[Any] = [None if units is None else Decimal(units), *parts, net, share(net, now.net_revenue)]
        return Line(label, cells + (_compared(net, was if before else None) if scope.compared else []), is_sum)

    sold = [*found.shown, *([found.others] if found.others else [])]
    rows = [line(one.title, one.units, [one.gross, one.discounts, one.returns], one.net, one.before) for one in found.shown]
    if found.others:
        one = found.others
        rows.append(line(f"{found.number_of_others} other products", one.units, [one.gross, one.discounts, one.returns], one.net, one.before))
    parts = [now.lines[key] - sum((getattr(one, name) for one in sold), ZERO) for key, name in _GOODS.items()]
    was = sum((before.lines[key] for key in _GOODS), ZERO) - sum((one.before for one in sold), ZERO) if before else ZERO
    if any(parts) or was:
        rows.append(line("No product of the catalogue", None, parts, sum(parts, ZERO), was))
    beside, beside_before = (one.lines["shipping_charged"] + one.lines["other_income"] if one else ZERO for one in (now, before))
    if beside or beside_before:
        rows.append(line("Shipping charged and other income", None, [None] * 3, beside, beside_before))
    if rows:
        rows.append(line("All", None, [now.lines[key] for key in _GOODS], now.net_revenue, before.net_revenue if before else ZERO, is_sum=True))
    return Grid("products", "Net revenue by product", "Product", columns, rows)


_GOODS = {"gross_sales": "gross", "discounts": "discounts", "returns": "returns"}


def _by_kind(statements: Sequence[Statement], scope: Scope) -> Grid:
    now, before = statements[0], _before(statements, statements)
    columns = [
        ("Actual", "money"), ("Estimated", "money"), ("All", "money"), ("Of net revenue", "percent"), ("Estimated share", "percent"),
        *_compared_columns(scope),
    ]  # fmt: skip

    def line(label: str, names: Sequence[str], *, is_sum: bool = False, is_part: bool = False) -> Line:
        whole, guessed = (sum((amounts.get(name, ZERO) for name in names), ZERO) for amounts in (now.accounts, now.estimated))
        cells: list[Any] = [whole - guessed, guessed, whole, share(-whole, now.net_revenue), guessed / whole if whole else None]
        if scope.compared:
            cells += _compared(whole, sum((before.accounts.get(name, ZERO) for name in names), ZERO) if before else None)
        return Line(label, cells, is_sum, is_part, {"account": names[0]} if is_part else {})

    rows, every = [], []
    for key in COST_LINES:
        names = _names(key, statements)
        every += names
        if names:
            rows += [line(LABELS[key], names), *(line(name, [name], is_part=True) for name in names)]
    return Grid("kinds", "Costs by kind", "Cost", columns, [*rows, line("All costs", every, is_sum=True)] if rows else [])


def _names(key: str, statements: Sequence[Statement]) -> list[str]:
    """Return the accounts of a statement's line that anything is booked on."""
    prefixes = next(line.prefixes for line in accounts.STATEMENT if line.key == key)
    booked = {name for statement in statements for name in statement.accounts}
    return sorted(name for name in booked if any(accounts.under(name, prefix) for prefix in prefixes))


def _costs_by_channel(found: Sequence[tuple[str, list[Statement]]], whole: Sequence[Statement], scope: Scope) -> Grid:
    columns = [*((LABELS[key], "money") for key in COST_LINES), ("All costs", "money"), ("Of its net revenue", "percent"), *_compared_columns(scope)]

    def line(label: str, statements: Sequence[Statement], *, is_sum: bool = False) -> Line:
        now, before = statements[0], _before(statements, whole)
        all_costs = now.net_profit - now.net_revenue
        cells: list[Any] = [*(now.lines[key] for key in COST_LINES), all_costs, share(-all_costs, now.net_revenue)]
        if scope.compared:
            cells += _compared(all_costs, before.net_profit - before.net_revenue if before else None)
        return Line(label, cells, is_sum)

    rows = [line(label, statements) for label, statements in sorted(found, key=lambda one: (one[1][0].net_profit - one[1][0].net_revenue, one[0]))]
    return Grid("cost-channels", "Costs by channel", "Channel", columns, [*rows, line("All", whole, is_sum=True)] if rows else [])


def _by_platform(statements: Sequence[Statement], scope: Scope) -> Grid:
    now, before = statements[0], _before(statements, statements)
    columns = [("Cost", "money"), ("Of these costs", "percent"), ("Of net revenue", "percent"), *_compared_columns(scope)]
    names = [*_names("marketing", statements), *_names("fees", statements)]
    whole = sum((now.accounts.get(name, ZERO) for name in names), ZERO)

    def line(label: str, some: Sequence[str], *, is_sum: bool = False) -> Line:
        cost = sum((now.accounts.get(name, ZERO) for name in some), ZERO)
        cells: list[Any] = [cost, cost / whole if whole else None, share(-cost, now.net_revenue)]
        if scope.compared:
            cells += _compared(cost, sum((before.accounts.get(name, ZERO) for name in some), ZERO) if before else None)
        return Line(label, cells, is_sum, False, {} if is_sum else {"account": some[0]})

    rows = [line(_platform(name), [name]) for name in sorted(names, key=lambda name: (now.accounts.get(name, ZERO), name))]
    return Grid(
        "platforms", "Marketing and fees by platform", "Platform", columns, [*rows, line("All of these", names, is_sum=True)] if rows else []
    )  # fmt: skip


def _platform(name: str) -> str:
    """Name the platform an account is for, as people write it; a label of one's own stays as it is."""
    last = name.split(":", 1)[1]
    return PLATFORMS.get(last.replace("-", "_"), last)
