"""Hold what a check of cost rules is given, and what it returns."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection
from msgspec import Struct

from ledger.advertising.ad_rows import spans
from ledger.costs.seen import RECENT
from ledger.kinds import Basis
from ledger.models import BundlePart, Channel, CogsRule, FeeRule, Finding, ManualCost, PartnerCode, Seen, ShippingRule, Store
from ledger.money import minor_digits

MOST = 50
"""Findings of one check; more are told by one that sums them up."""

WARNING, INFO = Finding.Severity.WARNING.value, Finding.Severity.INFO.value


class Found(NamedTuple):
    """One thing that is likely wrong: about what, in words, how grave, the money at stake in the store's currency, where to mend it."""

    subject: str
    message: str
    severity: str = WARNING
    money: Decimal | None = None
    mend: str = ""


class Sold(NamedTuple):
    """What one variant sold in the last 90 days, by the day of the order; money in the store's currency, tax removed."""

    variant: int
    product: int
    sku: str
    title: str
    units: Decimal
    returned: Decimal
    gross: Decimal
    """At list price."""
    net: Decimal
    """After discounts and returns."""
    cogs: Decimal
    """Positive is a cost."""

    @property
    def name(self) -> str:
        """Return the variant in words."""
        return self.sku or self.title


class Case(Struct):
    """A store's rules and what its recent orders name. Variant costs are not here: there may be very many."""

    store: Store
    today: date
    percentages: list[CogsRule]
    fees: list[FeeRule]
    shipping: list[ShippingRule]
    manual: list[ManualCost]
    parts: list[BundlePart]
    codes: list[PartnerCode]
    channels: frozenset[str]
    seen: dict[tuple[str, str], list[Seen]]
    """By kind and name."""
    sold: list[Sold]
    advertised: list[tuple[str, date, date]]
    """Platforms that tell what was spent on advertising, with the first and the last such day."""

    def of_kind(self, kind: Seen.Kind) -> dict[str, list[Seen]]:
        """Return what was seen of a kind, by name."""
        return {name: rows for (of, name), rows in self.seen.items() if of == kind}

    def money(self, amount: Decimal) -> str:
        """Write an amount of the store's currency."""
        return f"{amount:,.{minor_digits(self.store.currency)}f} {self.store.currency}"

    @property
    def recent(self) -> date:
        """Return the first of the last 90 days."""
        return self.today - timedelta(days=RECENT - 1)


_SOLD = """
    SELECT t.variant, v.product_id, v.sku, coalesce(nullif(p.title, ''), v.title, v.external_id), sum(t.units), sum(t.returned_units),
        sum(t.gross_sales), sum(t.gross_sales + t.discounts + t.returns), -sum(t.cogs)
    FROM ledger_productdaytotal t JOIN ledger_variant v ON v.id = t.variant JOIN ledger_product p ON p.id = v.product_id
    WHERE t.book_id = %s AND t.basis = %s AND t.day BETWEEN %s AND %s GROUP BY 1, 2, 3, 4 ORDER BY 1
"""


def load_case(store: Store, *, today: date) -> Case:
    """Read a store's standing rules, what was counted of its orders, its variants' totals of the last 90 days, and its ad spend: ten queries."""
    seen: dict[tuple[str, str], list[Seen]] = {}
    for row in Seen.objects.filter(store=store).order_by("pk"):
        seen.setdefault((row.kind, row.name), []).append(row)
    return Case(
        store=store,
        today=today,
        percentages=_standing(CogsRule, store, "product"),
        fees=_standing(FeeRule, store),
        shipping=_standing(ShippingRule, store),
        manual=_standing(ManualCost, store, "partner"),
        parts=_standing(BundlePart, store, "bundle", "component"),
        codes=_standing(PartnerCode, store, "partner", "added_by"),
        channels=frozenset(Channel.objects.filter(store=store).values_list("key", flat=True)),
        seen=seen,
        advertised=spans(store.pk),
        sold=[Sold(*row) for row in rows(_SOLD, [store.pk, Basis.ORDER.value, today - timedelta(days=RECENT - 1), today])],
    )


def _standing(kind: Any, store: Store, *related: str) -> list[Any]:
    return list(kind._default_manager.filter(store=store, removed_by=None).select_related(*related).order_by("pk"))


def rows(sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Return what a query of a check finds."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


def span(first: date, last: date) -> str:
    """Write a span of days."""
    return f"{first:%-d %b %Y}" if first == last else f"{first:%-d %b %Y} to {last:%-d %b %Y}"
