"""Read the figures of several stores at once: which a person chose, their calendar and currency, and their statements side by side."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Max, Min

from dashboards.forms.addresses import Reading, ScopeForm
from dashboards.forms.scope import Scope
from dashboards.pages.statement_table import Read, Table, lay_out, leave_out
from ledger import accounts
from ledger.book.conversion import Conversion, conversion
from ledger.kinds import Basis
from ledger.models import DayTotal, Store
from ledger.periods import Period
from ledger.statements import ZERO, Span, Statement, profit_of, share_of
from ledger.stores import today_of

MOST = 30
"""Stores shown side by side; beyond that nobody reads them."""
ZONE = "each store’s own"


def combinable(stores: Sequence[Store]) -> list[Store]:
    """Return the stores that may be read together: one's own; a demo store is never mixed with those."""
    own = [store for store in stores if not store.is_demo]
    return own or list(stores)


@dataclass(frozen=True, slots=True)
class Together:
    """The stores that are read together, of those a person could choose."""

    stores: Sequence[Store]
    offered: Sequence[Store]

    @property
    def is_all(self) -> bool:
        """Tell whether all that could be chosen are."""
        return len(self.stores) == len(self.offered)

    @property
    def label(self) -> str:
        """Return what they are called together."""
        return "All stores" if self.is_all else f"{len(self.stores)} of {len(self.offered)} stores"

    @property
    def chosen(self) -> str:
        """Return what the address says of them; empty for all."""
        return "" if self.is_all else ",".join(store.slug for store in self.stores)

    @property
    def slugs(self) -> set[str]:
        """Return the short names of those that are read."""
        return {store.slug for store in self.stores}

    def as_one(self) -> Store:
        """Return a store that is in no table, with the calendar, margin and currency that the stores have together.

        Where they differ: weeks from Monday, calendar years, margins of net revenue, and the currency that most of them keep.
        """
        first = self.stores[0]
        counted = Counter(store.currency for store in self.stores)
        merged = Store(name=self.label, currency=min(counted, key=lambda code: (-counted[code], code)))
        for name in ("week_starts_on_sunday", "fiscal_year_start_month", "margin_basis"):
            if all(getattr(store, name) == getattr(first, name) for store in self.stores):
                setattr(merged, name, getattr(first, name))
            elif name == "margin_basis":
                merged.margin_basis = Store.MarginBasis.NET_REVENUE
        return merged


def scope_of(data: object, together: Together, reading: Reading, *, now: datetime) -> ScopeForm:
    """Read the address of a page of several stores; today is the latest of theirs."""
    today = max(today_of(store, now) for store in together.stores)
    return ScopeForm(
        data, store=together.as_one(), today=today, zone=ZONE, reading=reading, booked=lambda basis: _booked_days(together.stores, basis, today=today)
    )  # fmt: skip


def _booked_days(stores: Sequence[Store], basis: Basis, *, today: date) -> Period | None:
    found = DayTotal.objects.filter(book_id__in=[store.pk for store in stores], basis=basis.value).aggregate(first=Min("day"), last=Max("day"))
    return None if found["first"] is None else Period(found["first"], max(found["first"], min(found["last"], today)))


@dataclass(frozen=True, slots=True)
class SideBySide:
    """The statements of several stores as one table, a column each, in one currency."""

    table: Table
    before: Sequence[Statement | None]
    """Of each store, the days compared with; None where nothing is booked in them."""
    converted: Sequence[Conversion | None]
    """Of each store, at which rates it is shown; None in its own currency."""


def side_by_side(together: Together, one: Store, scope: Scope) -> SideBySide:
    """Read the statements of the stores, with at most three queries a store, and lay them out beside their sum."""
    currency = scope.currency or one.currency
    spans = [Span(scope.period, scope.basis), *([Span(scope.compared, scope.basis)] if scope.compared else [])]
    converted = [conversion(store.book, currency, [span.period for span in spans]) for store in together.stores]
    read = [profit_of(store.book, spans, converted=rates) for store, rates in zip(together.stores, converted, strict=True)]
    now = [statements[0] for statements in read]
    before = [statements[1] if scope.compared and statements[1].accounts else None for statements in read]
    known = [statement for statement in before if statement is not None]
    table = lay_out(
        one, scope, Read(now, summed(now), summed(known) if known else None), headings=[store.name for store in together.stores], currency=currency
    )  # fmt: skip
    leave_out(table, [rates is not None and bool(rates.missing) and not rates.rates for rates in converted])
    return SideBySide(table, before, converted)


def summed(statements: Sequence[Statement]) -> Statement:
    """Add statements up, which are in one currency."""
    first = statements[0]
    named = sorted({name for one in statements for name in one.accounts})
    amounts = {name: sum((one.accounts.get(name, ZERO) for one in statements), ZERO) for name in named}
    guessed = {name: sum((one.estimated.get(name, ZERO) for one in statements), ZERO) for name in named}
    return Statement(
        first.period,
        {key: sum((one.lines[key] for one in statements), ZERO) for key in first.lines},
        {key: sum((one.memo[key] for one in statements), ZERO) for key in first.memo},
        estimated_share=share_of((amounts[name], guessed[name]) for name in named if _is_in_profit(name)),
        accounts=amounts, estimated=guessed,
        **{line.key: sum(getattr(one, line.key) for one in statements) for line in accounts.STATISTICS},
    )  # fmt: skip


def _is_in_profit(name: str) -> bool:
    return not name.startswith(("memo:", "stat:"))
