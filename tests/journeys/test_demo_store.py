"""Fill the demo store on a given day, and find its losses in the product's own figures, to the cent."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import Sum

from ledger.audit import check_all
from ledger.costs.fixes import fixes
from ledger.models import AdDay, Book, CostChange, Finding, Order, Store
from ledger.periods import By, Period, cut
from ledger.statements import Statement, profit
from profitpeek.demo.ads import WASTED
from profitpeek.demo.business import INFLUENCER, NEWSLETTER, calendar
from profitpeek.demo.fill import fill, is_filled, open_demo

NOW = datetime(2026, 4, 1, 9, tzinfo=UTC)
TODAY = NOW.date()
DAYS = calendar(TODAY)
WHOLE = Period(DAYS.first, DAYS.last)

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


def product(store: Store, sku: str, first: date) -> dict[str, str]:
    """Return what a product's totals say from a day on, on the days its orders were placed."""
    columns = ("gross_sales", "discounts", "returns", "cogs", "units", "returned_units")
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {', '.join(f'sum(t.{column})' for column in columns)} FROM ledger_productdaytotal t JOIN ledger_variant v ON v.id = t.variant"
            " WHERE t.book_id = %s AND t.basis = 2 AND v.sku = %s AND t.day BETWEEN %s AND %s",
            [store.pk, sku, first, DAYS.last],
        )
        return {column: str(value) for column, value in zip(columns, cursor.fetchone(), strict=True)}


def statement(store: Store, period: Period) -> Statement:
    return profit(Book.objects.get(pk=store.pk), [period])[0]


def with_code(store: Store, code: str) -> tuple[int, str]:
    """Return how many orders came with a code, and the profit they left after their own costs."""
    found = Order.objects.filter(store=store, discount_codes__contains=[code])
    return found.count(), str(found.aggregate(profit=Sum("profit"))["profit"])


def test_it_is_whole_and_a_second_filling_changes_nothing(demo: Store) -> None:
    book, changes = Book.objects.get(pk=demo.pk), CostChange.objects.count()
    assert (is_filled(demo), demo.is_demo, demo.slug, Order.objects.filter(store=demo).count()) == (True, True, "demo", 8_849)
    assert not any(check_all(book).values())
    fill(open_demo(), now=NOW)
    assert (Book.objects.get(pk=demo.pk).last_seq, CostChange.objects.count()) == (book.last_seq, changes)


def test_its_files_stand_in_the_history_with_what_fits_no_order(demo: Store) -> None:
    assert list(demo.file_imports.order_by("pk").values_list("filename", "state", "rows", "matched")) == [
        ("orders.csv", "done", 24_073, None), ("product-costs.csv", "done", 94, 94), ("parcels.csv", "done", 7_942, 7_939),
        ("commissions.csv", "done", 337, 337), ("ads.csv", "done", 2_976, 2_976),
    ]  # fmt: skip


def test_the_large_planter_costs_more_than_it_brings(demo: Store) -> None:
    assert product(demo, "PLANTER-L", DAYS.dearer_clay) == {
        "gross_sales": "8476.1300", "discounts": "-542.2900", "returns": "-1297.3200", "cogs": "-8552.7000", "units": "266.0000",
        "returned_units": "44.0000",
    }  # fmt: skip
    found = Finding.objects.get(book_id=demo.pk, kind="costs_above_price", resolved_at=None)
    assert found.message.startswith("A unit of PLANTER-L costs 33.15 EUR and sold for 31.80 EUR on average")


def test_postage_for_nothing_ate_the_margin_of_a_month(demo: Store) -> None:
    months = {month.period.first: month for month in profit(Book.objects.get(pk=demo.pk), cut(DAYS.first, DAYS.last, By.MONTH))}
    shares = {first: round(-month.lines["fulfilment"] / month.net_revenue, 4) for first, month in months.items()}
    worst = months[DAYS.free_postage]
    assert max(shares, key=shares.__getitem__) == DAYS.free_postage == date(2025, 10, 1)
    assert (str(shares[DAYS.free_postage]), str(shares[date(2024, 10, 1)])) == ("0.2842", "0.1836")
    assert (str(worst.net_revenue), str(worst.lines["shipping_charged"]), str(worst.lines["fulfilment"])) == ("28667.5500", "0", "-8146.1600")


def test_the_influencer_did_not_pay_and_the_newsletter_did(demo: Store) -> None:
    fee = Decimal(-2_400)
    orders, left = with_code(demo, INFLUENCER)
    assert (orders, left, str(Decimal(left) + fee)) == (42, "533.3900", "-1866.6100")
    assert with_code(demo, NEWSLETTER) == (344, "5064.6000")
    assert str(statement(demo, WHOLE).accounts["marketing:influencer"]) == "-2696.2900"  # the fee, and 12 % of what the code brought


def test_a_campaign_took_more_than_its_platform_claims_it_brought(demo: Store) -> None:
    days = AdDay.objects.filter(store=demo, removed_at=None).values("campaign__name").order_by("campaign__name")
    told = {
        row["campaign__name"]: (str(row["spent"]), str(row["claimed"])) for row in days.annotate(spent=Sum("spend"), claimed=Sum("conversion_value"))
    }
    assert told[WASTED] == ("1656.9300", "171.6000")
    accounts = statement(demo, WHOLE).accounts
    spent = -accounts["marketing:meta_ads"] - accounts["marketing:google_ads"]
    assert spent == sum(Decimal(each) for each, _ in told.values())


def test_what_nobody_entered_is_what_to_fix_next(demo: Store) -> None:
    assert [(fix.what, fix.why, str(fix.at_stake)) for fix in fixes(demo, today=TODAY)] == [
        ("Linen napkins, four (NAPKIN-4)", "no unit cost is known; the default COGS % stands in", "470.7000"),
        ("Fees of klarna", "170 charges; no fee rule; the default fee stands in", "407.1300"),
        ("Linen apron (APRON)", "no unit cost is known; the default COGS % stands in", "344.4700"),
        ("Table runner (RUNNER)", "no unit cost is known; the default COGS % stands in", "243.9900"),
    ]


def test_gift_cards_are_owed_and_vat_is_no_revenue(demo: Store) -> None:
    whole = statement(demo, WHOLE)
    assert (str(whole.accounts["memo:gift_card:sold"]), str(whole.accounts["memo:gift_card:redeemed"])) == ("4850.0000", "-4220.4500")
    assert (str(whole.accounts["memo:tax"]), str(whole.net_revenue)) == ("73719.9000", "516415.5600")
