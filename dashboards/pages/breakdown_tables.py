"""Lay out the tabs beside the statement as tables: revenue by channel, product and country; costs by kind, channel and platform."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from babel import Locale

from dashboards.account_words import platform_of
from dashboards.converted import conversion_of
from dashboards.delta import Delta, Good
from dashboards.forms.scope import Scope
from dashboards.pages.grid import Column, Grid, Line
from dashboards.pages.statement_table import share
from ledger import accounts
from ledger.book import breakdowns
from ledger.book.breakdowns import Place
from ledger.book.conversion import Conversion
from ledger.models import Store
from ledger.statements import ZERO, Span, Statement, profit_of

MOST_PRODUCTS = 50
REVENUE_LINES = ("gross_sales", "discounts", "returns", "shipping_charged", "other_income")
COST_LINES = ("cogs", "fulfilment", "fees", "marketing", "operating")
LABELS = {line.key: line.label for line in accounts.STATEMENT}


def revenue_grids(store: Store, scope: Scope) -> list[Grid]:
    """Return net revenue by channel, by product and by country; each adds up to the statement's."""
    spans, converted = _spans(scope), conversion_of(store, scope)
    channels = breakdowns.by_channel(store.book, spans, breakdowns.REVENUE, converted=converted)
    whole = [_summed([place.statements[number] for place in channels], span) for number, span in enumerate(spans)]
    countries = [_country(one) for one in breakdowns.by_country(store.book, spans, converted=converted)]
    return [
        Grid("channels", "Net revenue by channel", "Channel", *_revenue_by([_channel(one) for one in channels], whole, scope), store, scope),
        Grid("products", "Net revenue by product", "Product", *_by_product(store, spans, whole, scope, converted), store, scope),
        Grid("countries", "Net revenue by country", "Country", *_revenue_by(_rounded(countries, whole, converted), whole, scope), store, scope),
    ]


def cost_grids(store: Store, scope: Scope) -> list[Grid]:
    """Return costs by kind with what of them is actual, by channel, and by platform; each adds up to the statement's."""
    spans, converted = _spans(scope), conversion_of(store, scope)
    statements = profit_of(store.book, spans, converted=converted)
    channels = [_channel(one) for one in breakdowns.by_channel(store.book, spans, None, converted=converted)]
    return [
        Grid("kinds", "Costs by kind", "Cost", *_by_kind(statements, scope), store, scope),
        Grid("cost-channels", "Costs by channel", "Channel", *_costs_by_channel(channels, statements, scope), store, scope),
        Grid("platforms", "Marketing and fees by platform", "Platform", *_by_platform(statements, scope), store, scope),
    ]


def _spans(scope: Scope) -> list[Span]:
    return [Span(scope.period, scope.basis), *([Span(scope.compared, scope.basis)] if scope.compared else [])]


class _Named(NamedTuple):
    """One channel or country: what it is called, what narrows entries to it (None where nothing does), and its statements."""

    label: str
    opens: dict[str, str] | None
    statements: Sequence[Statement]


def _channel(place: Place) -> _Named:
    return _Named(place.label or "No channel: costs of days", {"channel": place.key} if place.key else None, place.statements)


def _country(place: Place) -> _Named:
    name = Locale("en").territories.get(place.key, place.key)
    return _Named(str(name) or "Country not known", {"country": place.key} if place.key else None, place.statements)


def _rounded(found: list[_Named], whole: Sequence[Statement], converted: Conversion | None) -> list[_Named]:
    """Add what rounding converted totals by country, instead of by channel, comes to: a row of its own, so that the table adds up."""
    if converted is None:
        return found
    rest = [
        Statement(one.period, {key: one.lines[key] - sum((each.statements[number].lines[key] for each in found), ZERO) for key in LABELS}, {})
        for number, one in enumerate(whole)
    ]  # fmt: skip
    return [*found, _Named("Rounding of the conversion", None, rest)] if any(any(one.lines.values()) for one in rest) else found


def _summed(statements: Sequence[Statement], span: Span) -> Statement:
    lines = {key: sum((one.lines[key] for one in statements), ZERO) for key in LABELS}
    return Statement(span.period, lines, {}, accounts={"any": ZERO} if any(one.accounts for one in statements) else {})


def _compared(now: Decimal, before: Decimal | None, good: Good = Good.MORE) -> list[Any]:
    return [before, Delta(now, before, good)]


def _compared_columns(scope: Scope, opens: str | None) -> list[Column]:
    return [Column("Compared days", "money", opens, is_compared=True), Column("Change", "delta", opens)] if scope.compared else []


def _before(statements: Sequence[Statement], whole: Sequence[Statement]) -> Statement | None:
    """Return the compared statement; None when nothing is compared, or nothing at all is booked in those days."""
    return statements[1] if len(whole) > 1 and whole[1].accounts else None


Laid = tuple[list[Column], list[Line]]
"""The columns and the rows of a table."""


def _revenue_by(found: Sequence[_Named], whole: Sequence[Statement], scope: Scope) -> Laid:
    columns = [
        *(Column(LABELS[line], "money", line) for line in REVENUE_LINES), Column("Net revenue", "money", "net_revenue"),
        Column("Share", "percent", "net_revenue"), *_compared_columns(scope, "net_revenue"),
    ]  # fmt: skip

    def line(one: _Named, *, is_sum: bool = False) -> Line:
        now, before = one.statements[0], _before(one.statements, whole)
        cells: list[Any] = [*(now.lines[key] for key in REVENUE_LINES), now.net_revenue, share(now.net_revenue, whole[0].net_revenue)]
        if scope.compared:
            cells += _compared(now.net_revenue, before.net_revenue if before else None)
        return Line(one.label, cells, is_sum, opens=one.opens)

    rows = [line(one) for one in sorted(found, key=lambda one: (-one.statements[0].net_revenue, one.label))]
    return columns, [*rows, line(_Named("All", {}, whole), is_sum=True)] if rows else []


def _by_product(store: Store, spans: Sequence[Span], whole: Sequence[Statement], scope: Scope, converted: Conversion | None) -> Laid:
    found = breakdowns.by_product(store.book, spans, most=MOST_PRODUCTS, converted=converted)
    now, before = whole[0], _before(whole, whole)
    columns = [
        Column("Units sold", "count", "units"), Column("Gross sales", "money", "gross_sales"), Column("Discounts", "money", "discounts"),
        Column("Returns", "money", "returns"), Column("Net revenue", "money", "net_revenue"), Column("Share", "percent"),
        *_compared_columns(scope, "net_revenue"),
    ]  # fmt: skip

    def line(label: str, units: int | None, parts: Sequence[Decimal | None], net: Decimal, was: Decimal, *, is_sum: bool = False) -> Line:
        cells: list[Any] = [None if units is None else Decimal(units), *parts, net, share(net, now.net_revenue)]
        return Line(label, cells + (_compared(net, was if before else None) if scope.compared else []), is_sum, opens={} if is_sum else None)

    sold = [*found.shown, *([found.others] if found.others else [])]
    rows = [line(one.title, one.units, [one.gross, one.discounts, one.returns], one.net, one.before) for one in found.shown]
    if found.others:
        one = found.others
        rows.append(line(f"{found.number_of_others} other products", one.units, [one.gross, one.discounts, one.returns], one.net, one.before))
    parts = [now.lines[key] - sum((getattr(one, name) for one in sold), ZERO) for key, name in _GOODS.items()]
    was = sum((before.lines[key] for key in _GOODS), ZERO) - sum((one.before for one in sold), ZERO) if before else ZERO
    if any(parts) or was:
        rows.append(line(f"No product of the catalogue{', and rounding of the conversion' if converted else ''}", None, parts, sum(parts, ZERO), was))
    beside, beside_before = (one.lines["shipping_charged"] + one.lines["other_income"] if one else ZERO for one in (now, before))
    if beside or beside_before:
        rows.append(line("Shipping charged and other income", None, [None] * 3, beside, beside_before))
    if rows:
        rows.append(line("All", None, [now.lines[key] for key in _GOODS], now.net_revenue, before.net_revenue if before else ZERO, is_sum=True))
    return columns, rows


_GOODS = {"gross_sales": "gross", "discounts": "discounts", "returns": "returns"}


def _by_kind(statements: Sequence[Statement], scope: Scope) -> Laid:
    now, before = statements[0], _before(statements, statements)
    columns = [
        Column("Actual", "money"), Column("Estimated", "money"), Column("All", "money", ""), Column("Of net revenue", "percent", ""),
        Column("Estimated share", "percent"), *_compared_columns(scope, ""),
    ]  # fmt: skip

    def line(label: str, names: Sequence[str], opens: dict[str, str] | None) -> Line:
        whole, guessed = (sum((amounts.get(name, ZERO) for name in names), ZERO) for amounts in (now.accounts, now.estimated))
        cells: list[Any] = [whole - guessed, guessed, whole, share(-whole, now.net_revenue), guessed / whole if whole else None]
        if scope.compared:
            cells += _compared(whole, sum((before.accounts.get(name, ZERO) for name in names), ZERO) if before else None)
        return Line(label, cells, opens is None, opens is not None and "account" in opens, opens)

    rows, every = [], []
    for key in COST_LINES:
        names = _names(key, statements)
        every += names
        if names:
            rows += [line(LABELS[key], names, {"line": key}), *(line(name, [name], {"account": name}) for name in names)]
    return columns, [*rows, line("All costs", every, None)] if rows else []


def _names(key: str, statements: Sequence[Statement]) -> list[str]:
    """Return the accounts of a statement's line that anything is booked on."""
    prefixes = next(line.prefixes for line in accounts.STATEMENT if line.key == key)
    booked = {name for statement in statements for name in statement.accounts}
    return sorted(name for name in booked if any(accounts.under(name, prefix) for prefix in prefixes))


def _costs_by_channel(found: Sequence[_Named], whole: Sequence[Statement], scope: Scope) -> Laid:
    columns = [
        *(Column(LABELS[key], "money", key) for key in COST_LINES), Column("All costs", "money"), Column("Of its net revenue", "percent"),
        *_compared_columns(scope, None),
    ]  # fmt: skip

    def line(one: _Named, *, is_sum: bool = False) -> Line:
        now, before = one.statements[0], _before(one.statements, whole)
        all_costs = now.net_profit - now.net_revenue
        cells: list[Any] = [*(now.lines[key] for key in COST_LINES), all_costs, share(-all_costs, now.net_revenue)]
        if scope.compared:
            cells += _compared(all_costs, before.net_profit - before.net_revenue if before else None)
        return Line(one.label, cells, is_sum, opens=one.opens)

    rows = [line(one) for one in sorted(found, key=lambda one: (one.statements[0].net_profit - one.statements[0].net_revenue, one.label))]
    return columns, [*rows, line(_Named("All", {}, whole), is_sum=True)] if rows else []


def _by_platform(statements: Sequence[Statement], scope: Scope) -> Laid:
    now, before = statements[0], _before(statements, statements)
    columns = [
        Column("Cost", "money", ""),
        Column("Of these costs", "percent"),
        Column("Of net revenue", "percent", ""),
        *_compared_columns(scope, ""),
    ]
    names = [*_names("marketing", statements), *_names("fees", statements)]
    whole = sum((now.accounts.get(name, ZERO) for name in names), ZERO)

    def line(label: str, some: Sequence[str], *, is_sum: bool = False) -> Line:
        cost = sum((now.accounts.get(name, ZERO) for name in some), ZERO)
        cells: list[Any] = [cost, cost / whole if whole else None, share(-cost, now.net_revenue)]
        if scope.compared:
            cells += _compared(cost, sum((before.accounts.get(name, ZERO) for name in some), ZERO) if before else None)
        return Line(label, cells, is_sum, opens=None if is_sum else {"account": some[0]})

    rows = [line(platform_of(name), [name]) for name in sorted(names, key=lambda name: (now.accounts.get(name, ZERO), name))]
    return columns, [*rows, line("All of these", names, is_sum=True)] if rows else []
