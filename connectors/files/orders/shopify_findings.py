"""Note for a person what Shopify's exports leave open: refunds without a day, and Totals that do not add up."""

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from django.db import connection

from connectors.platforms.files.shopify.facts import PLATFORM
from connectors.platforms.files.shopify.refunds import UNDATED
from ledger import findings
from ledger.models import Finding, Store
from ledger.money import in_minor_units

REFUND_UNDATED, TOTAL_UNEXPLAINED = "refund_undated", "order_total_unexplained"


class Doubt(NamedTuple):
    """Orders with a doubtful sale of one kind in one currency: how many, what it comes to, and the latest of them."""

    currency: str
    orders: int
    amount: Decimal
    latest: list[str]


_DOUBTS = """
    SELECT o.currency, count(DISTINCT o.id), sum(abs(s.net + s.tax)), (array_agg(DISTINCT o.number ORDER BY o.number DESC))[1:3]
    FROM ledger_sale s JOIN ledger_order o ON o.store_id = s.store_id AND o.id = s.order_id
    WHERE s.store_id = %s AND s.estimated AND s.external_id LIKE %s AND o.platform = %s AND NOT o.is_test
    GROUP BY o.currency ORDER BY o.currency
"""


def doubts(store: Store, beginning: str) -> list[Doubt]:
    """Return the orders of Shopify's exports with an estimated sale whose id begins so, by currency."""
    with connection.cursor() as cursor:
        cursor.execute(_DOUBTS, [store.pk, f"{beginning}%", PLATFORM])
        return [Doubt(*row) for row in cursor.fetchall()]


def note_doubts(store: Store, *, now: datetime) -> None:
    """Open, refresh or resolve the findings about what a store's exports leave open."""
    _note(
        store, REFUND_UNDATED, doubts(store, UNDATED),
        "Shopify's orders export does not say when or for what. They are put on the day they can have been at the earliest, spread over their "
        "order's lines and marked estimated. Import the orders' transaction histories, which tell the days.",
        "refunded", now=now,
    )  # fmt: skip
    _note(
        store, TOTAL_UNEXPLAINED, doubts(store, "rest"),
        "Their Total in Shopify's orders export is not the sum of its parts. The difference, perhaps a tip, is booked as other income and marked "
        "estimated. Look at these orders in Shopify.",
        "with a Total that does not add up", now=now,
    )  # fmt: skip


def _note(store: Store, kind: str, found: list[Doubt], explained: str, what: str, *, now: datetime) -> None:
    if not found:
        findings.resolve(store.pk, kind, PLATFORM, now=now)
        return
    orders = sum(doubt.orders for doubt in found)
    sums = " and ".join(f"{in_minor_units(doubt.amount, doubt.currency)} {doubt.currency}" for doubt in found)
    such = ", ".join(found[0].latest)
    findings.note(
        store.pk, kind, PLATFORM, f"{orders:,} order{'s' if orders > 1 else ''} {what} ({sums}; such as {such}). {explained}",
        severity=Finding.Severity.WARNING, now=now, money=found[0].amount if len(found) == 1 and found[0].currency == store.currency else None,
    )  # fmt: skip
