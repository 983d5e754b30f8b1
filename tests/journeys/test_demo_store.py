"""Fill the demo store on a given day, and find its losses in the product's own figures, to the cent."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction

from ledger.audit import check_all
from ledger.fixes import fixes
from ledger.models import Book, Finding, Order, OrderCharge, Partner, Store
from ledger.periods import By, Period, cut
from ledger.statements import profit
from profitpeek.demo.business import calendar
from profitpeek.demo.fill import fill, is_filled, open_demo

NOW = datetime(2026, 4, 1, 9, tzinfo=UTC)
TODAY = NOW.date()
DAYS = calendar(TODAY)

pytestmark = [pytest.mark.slow, pytest.mark.django_db]


@pytest.fixture(scope="module")
def demo(django_db_setup: None, django_db_blocker: Any) -> Iterator[Store]:
    """Fill the demo store once for all tests of this file, in a transaction that is taken back."""
    with django_db_blocker.unblock(), transaction.atomic():
        store = open_demo()
        Store.objects.filter(pk=store.pk).update(created_at=NOW)
        store.refresh_from_db()
        fill(store, now=NOW)
        yield store
        transaction.set_rollback(True)


def product(store: Store, sku: str, first: date, last: date) -> dict[str, Decimal]:
    """Return what a product's totals say of a span, on the days its orders were placed."""
    columns = ("gross_sales", "discounts", "returns", "cogs", "units", "returned_units")
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {', '.join(f'sum(t.{column})' for column in columns)} FROM ledger_productdaytotal t JOIN ledger_variant v ON v.id = t.variant"
            " WHERE t.book_id = %s AND t.basis = 2 AND v.sku = %s AND t.day BETWEEN %s AND %s",
            [store.pk, sku, first, last],
        )
        return dict(zip(columns, cursor.fetchone(), strict=True))


def test_print(demo: Store) -> None:
    print(Order.objects.filter(store=demo).count(), is_filled(demo))
    print(product(demo, "PLANTER-L", DAYS.dearer_clay, DAYS.last))
    print(product(demo, "PLANTER-M", DAYS.dearer_clay, DAYS.last))
    for one in profit(Book.objects.get(pk=demo.pk), cut(DAYS.first, DAYS.last, By.MONTH)):
        print(one.period.first, one.orders, one.net_revenue, one.lines["shipping_charged"], one.lines["fulfilment"], round(one.lines["fulfilment"] / one.net_revenue, 4), one.net_profit, one.estimated_share)
    whole = profit(Book.objects.get(pk=demo.pk), [Period(DAYS.first, DAYS.last)])[0]
    print(whole.accounts, whole.net_profit, whole.net_revenue, whole.estimated_share)
    for f in fixes(demo, today=TODAY): print(f)
    for f in Finding.objects.filter(book_id=demo.pk, resolved_at=None): print(f.kind, f.severity, f.message, f.money)
    for code in ("GLAZED15", "KILN10"):
        found = Order.objects.filter(store=demo, discount_codes__contains=[code])
        from django.db.models import Sum
        print(code, found.count(), found.aggregate(Sum("revenue"), Sum("profit"), Sum("marketing_costs"), Sum("cogs"), Sum("shipping"), Sum("tax")))
    print(OrderCharge.objects.filter(store=demo, order=None).count() if hasattr(OrderCharge, "order") else "")
    print({k: v for k, v in check_all(Book.objects.get(pk=demo.pk)).items() if v})
    print(list(demo.file_imports.values_list("filename", "state", "rows", "orders", "matched")))
