"""Lay out what a page of several stores shows: cards of their sum, a row for each of them, and where each figure opens."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import urlencode

from django.urls import reverse

from dashboards.converted import rates_in_words
from dashboards.delta import Delta
from dashboards.forms.scope import Scope
from dashboards.metrics import METRICS
from dashboards.opening import entries_url
from dashboards.pages.freshness import Freshness, freshness
from dashboards.pages.notices import restating
from dashboards.pages.statement_table import Row, Table
from dashboards.pages.today_page import KPIS, SHORT, Kpi, estimated_of
from dashboards.pages.together import SideBySide, Together
from ledger.models import Store
from ledger.periods import Period

SHOWN = ("net_revenue", "cm2", "marketing", "cm3", "net_profit", "margin")
"""The figures of a store's row."""


@dataclass(frozen=True, slots=True)
class StoreRow:
    """One store: where it leads, its figures with where they open, how its profit changed, and how fresh it is."""

    store: Store
    address: str
    figures: list[tuple[str, Decimal | None, str]]
    """How each is written, what it comes to, and where it opens."""
    delta: Delta | None
    freshness: Freshness


def query_of(together: Together, scope: Scope | None) -> str:
    """Write the query of a page of several stores: the scope, and the stores where they are not all."""
    chosen = urlencode({"stores": together.chosen}) if together.chosen else ""
    return "&".join(part for part in (scope.query() if scope else "", chosen) if part)


def open_columns(together: Together, table: Table) -> Table:
    """Give every figure of a store its meaning and the address of the entries beneath it; a sum opens to its parts, which stand beside it."""
    for _, rows in table.sections():
        for row in (*rows, *(account for line in rows for account in line.accounts)):
            row.meaning = "" if row.is_account else METRICS[row.key].title
            row.addresses = [_opened(store, table, row, table.scope.period) for store in together.stores]
    return table


def _opened(store: Store, table: Table, row: Row, days: Period) -> str:
    line, account = (None, row.key) if row.is_account else (row.key, None)
    shown = table.currency if table.currency != store.currency else ""
    return entries_url(store, line=line, account=account, first=days.first, last=days.last, basis=table.scope.basis, currency=shown)


def kpis(together: Together, one: Store, table: Table) -> list[Kpi]:
    """Return the cards of the sum of the stores; each opens to the statement in which the stores stand side by side."""
    rows = {row.key: row for row in (*table.lines, *table.statistics)}
    address = f"{reverse('stores_pnl')}?{query_of(together, table.scope)}"
    return [
        Kpi(
            key, SHORT.get(key) or METRICS[key].term, rows[key].kind, rows[key].total, address, rows[key].delta, rows[key].compared, address, None,
            estimated_of(table.whole, key), one.get_margin_basis_display() if key == "margin" else "",
        )
        for key in KPIS
    ]  # fmt: skip


def store_rows(together: Together, found: SideBySide) -> list[StoreRow]:
    """Return a row for each store, those with the most profit first."""
    table = found.table
    rows = {row.key: row for row in (*table.lines, *table.statistics)}
    profit = rows["net_profit"]

    def row(place: int, store: Store) -> StoreRow:
        before = found.before[place]
        figures = [(rows[key].kind, rows[key].cells[place], _opened(store, table, rows[key], table.scope.period)) for key in SHOWN]
        delta = Delta(profit.cells[place], before.net_profit if before else None) if table.scope.compared else None
        told = freshness(store, estimated_share=None, restating=restating(store))
        return StoreRow(store, f"{reverse('today', args=[store.slug])}?{table.scope.query()}", figures, delta, told)

    laid = [(profit.cells[place], row(place, store)) for place, store in enumerate(together.stores)]
    return [one for _, one in sorted(laid, key=lambda pair: (pair[0] is None, -(pair[0] or Decimal(0)), pair[1].store.name))]


def rates_of(together: Together, found: SideBySide) -> list[tuple[str, str, bool]]:
    """Say of each store that is converted at which rates; and whether anything is left out for want of one."""
    pairs = zip(together.stores, found.converted, strict=True)
    return [(store.name, rates_in_words(rates), bool(rates.missing)) for store, rates in pairs if rates is not None]


def facts(together: Together, scope: Scope, found: SideBySide) -> Sequence[tuple[str, str]]:
    """Return what a sheet says about itself."""
    first, last = scope.period
    return [
        ("Stores", ", ".join(store.name for store in together.stores)),
        ("Days", f"{first} to {last}, each store's own time"),
        ("Counted on", "the day the order was placed" if scope.basis_key == "order" else "the day it happened"),
        ("Compared with", f"{scope.compared.first} to {scope.compared.last}" if scope.compared else "nothing"),
        ("Currency", found.table.currency),
        *((f"Rates, {name}", words) for name, words, _ in rates_of(together, found)),
        ("Through batch", "; ".join(f"{store.name} {store.book.last_seq}" for store in together.stores)),
    ]
