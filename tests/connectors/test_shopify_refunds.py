"""What orders of Shopify's export gave back is estimated and listed; exports overlap, come again, and are undone."""

from pathlib import Path

import pytest

from connectors.files.orders.order_formats import UndatedRefund
from connectors.files.orders.shopify_orders import import_shopify_orders
from connectors.models import FileImport, RawPayload
from ledger.audit import check_all
from ledger.models import Book, Entry, Finding, Order, Store
from tests.builders import a_store
from tests.connectors.shopify_files import NOW, a_line, an_order, take, undo, warned, write_orders
from tests.ledger_text import assert_entries, assert_statement

pytestmark = pytest.mark.django_db
SALES = ("sales", "memo")


@pytest.fixture
def store() -> Store:
    return a_store(zone="Europe/Berlin")


def test_a_refund_without_a_day_is_estimated_and_listed(store: Store, tmp_path: Path) -> None:
    lines = [a_line("30.00", sku="A"), a_line("20.00", sku="B")]
    report = take(
        store, tmp_path,
        an_order(lines=lines, Shipping="5.00", Taxes="10.00", Total="65.00", Financial_Status="partially_refunded", Refunded_Amount="12.00"),
    )  # fmt: skip
    assert report.undated == [UndatedRefund("#1001", 120_000, "EUR", "2026-03-04")]
    assert (report.undated_count, report.undated_totals) == (1, {"EUR": 120_000})
    # on the day it was sent; 60.00 were charged for the goods, so a fifth of each, and of its tax
    assert_entries(
        store,
        """
        day         account        variant  amount  how
        2026-03-04  sales:returns  A        -6.00   estimated
        2026-03-04  sales:returns  B        -4.00   estimated
        2026-03-04  memo:tax       .        -1.20   estimated
        2026-03-04  memo:tax       .        -0.80   estimated
        2026-03-03  memo:tax       .        6.00    actual
        2026-03-03  memo:tax       .        4.00    actual
        """,
        only=["sales:returns", "memo:tax", "stat:returned_units"],
    )
    order = Order.objects.get()
    assert (str(order.stated_refunded), str(order.revenue)) == ("12.0000", "53.0000")
    finding = Finding.objects.get(kind="refund_undated", resolved_at=None)
    assert (finding.subject, str(finding.money)) == ("shopify", "12.0000")
    assert finding.message.startswith("1 order refunded (12.00 EUR; such as #1001). Shopify's orders export does not say when or for what.")


def test_a_refund_of_everything_takes_everything_back(store: Store, tmp_path: Path) -> None:
    lines = [a_line("30.00", quantity=3, sku="A", discount="9.00"), a_line("0.01", sku="B")]
    take(
        store, tmp_path,
        an_order(
            lines=lines, Discount_Amount="9.00", Subtotal="81.01", Shipping="4.99", Taxes="13.73", Total="86.00", Refunded_Amount="86.00",
            Financial_Status="refunded",
        ),
    )  # fmt: skip
    order = Order.objects.get()
    assert (str(order.revenue), str(order.tax)) == ("0.0000", "0.0000")
    assert_statement(
        store, "2026-03-03",
        """
        gross_sales       75.64
        discounts         -7.56
        returns           -68.08
        fulfilment        -4.19
        cogs              -30.25
        fees              -2.79
        net_profit        -37.23
        orders            1
        units             4
        returned_units    4
        new_customers     1
        """,
        last="2026-03-04",
    )  # fmt: skip


def test_goods_that_were_never_sent_are_back_on_the_shelf_when_all_is_refunded(store: Store, tmp_path: Path) -> None:
    take(
        store, tmp_path,
        an_order(
            Refunded_Amount="50.00", Financial_Status="refunded", Fulfillment_Status="", Fulfilled_at="",
            Cancelled_at="2026-03-09 12:00:00 +0100",
        ),
    )  # fmt: skip
    assert_entries(
        store, "day account amount how\n 2026-03-03 cogs:product -20.00 estimated\n 2026-03-09 cogs:product 20.00 estimated", only=["cogs"]
    )


def test_more_given_back_than_was_charged_is_named(store: Store, tmp_path: Path) -> None:
    report = take(store, tmp_path, an_order(Refunded_Amount="60.00", Financial_Status="refunded"))
    assert warned(report) == ["line 2, Refunded Amount: order #1001: 60.00 was given back, more than its Total of 50.00"]
    assert_entries(store, "account variant amount\n sales:returns MUG -50.00\n sales:returns . -10.00", only=["sales:returns"])


def test_importing_twice_changes_nothing(store: Store, tmp_path: Path) -> None:
    rows = an_order(Refunded_Amount="10.00", Financial_Status="partially_refunded")
    take(store, tmp_path, rows, an_order(1002))
    before = Entry.objects.count(), RawPayload.objects.count(), Finding.objects.count()
    again = take(store, tmp_path, rows, an_order(1002))
    assert (again.new, again.changed, again.unchanged, again.entries, again.undated_count) == (0, 0, 2, 0, 1)
    assert before == (Entry.objects.count(), RawPayload.objects.count(), Finding.objects.count())
    assert FileImport.objects.get(pk=again.import_id).state == FileImport.State.UNCHANGED


def test_a_later_export_changes_only_what_differs(store: Store, tmp_path: Path) -> None:
    take(store, tmp_path, an_order(1002), an_order(1001))
    later = take(
        store, tmp_path, an_order(1003), an_order(1002, Refunded_Amount="50.00", Financial_Status="refunded"), an_order(1001), name="later.csv"
    )
    assert (later.new, later.changed, later.unchanged) == (1, 1, 1)
    assert [str(order.revenue) for order in Order.objects.order_by("number")] == ["50.0000", "0.0000", "50.0000"]


def test_an_earlier_export_that_is_imported_later_takes_nothing_back(store: Store, tmp_path: Path) -> None:
    take(store, tmp_path, an_order(1001, Refunded_Amount="50.00", Financial_Status="refunded"), name="later.csv")
    earlier = take(store, tmp_path, an_order(1001), an_order(1000), name="earlier.csv")
    assert (earlier.new, earlier.changed, earlier.told_better) == (1, 0, 1)
    assert str(Order.objects.get(number="#1001").revenue) == "0.0000"


def test_undo_takes_back_and_brings_back_what_another_export_tells(store: Store, tmp_path: Path) -> None:
    take(store, tmp_path, an_order(1001), name="first.csv")
    take(store, tmp_path, an_order(1001, Refunded_Amount="50.00", Financial_Status="refunded"), an_order(1002), name="second.csv")
    undone = undo(store, tmp_path / "second.csv", "shopify-orders")
    assert undone is not None
    assert undone.orders == 2
    assert {order.number: (str(order.revenue), order.withdrawn_at is None) for order in Order.objects.all()} == {
        "#1001": ("50.0000", True), "#1002": ("0.0000", False),
    }  # fmt: skip
    assert not Finding.objects.filter(kind="refund_undated", resolved_at=None).exists()
    undo(store, tmp_path / "first.csv", "shopify-orders")
    assert not any(check_all(Book.objects.get(pk=store.pk)).values())
    assert {str(order.revenue) for order in Order.objects.all()} == {"0.0000"}
    assert undo(store, tmp_path / "first.csv", "shopify-orders") is None


def test_undo_brings_back_the_export_that_tells_the_order_furthest_on(store: Store, tmp_path: Path) -> None:
    half = {"Refunded_Amount": "25.00", "Financial_Status": "partially_refunded"}
    take(store, tmp_path, an_order(1001, **half), name="second.csv")
    take(store, tmp_path, an_order(1001), name="first.csv")
    take(store, tmp_path, an_order(1001, Refunded_Amount="50.00", Financial_Status="refunded"), name="third.csv")
    undo(store, tmp_path / "third.csv", "shopify-orders")
    assert str(Order.objects.get().revenue) == "25.0000"
    assert not any(check_all(Book.objects.get(pk=store.pk)).values())


def test_a_dry_run_tells_and_writes_nothing(store: Store, tmp_path: Path) -> None:
    path = write_orders(tmp_path, an_order(Refunded_Amount="10.00", Financial_Status="partially_refunded"))
    report = import_shopify_orders(store, path, now=NOW, dry_run=True)
    assert (report.orders, report.undated_count, report.file_total) == (1, 1, 400_000)
    assert (Order.objects.count(), FileImport.objects.count(), Finding.objects.count()) == (0, 0, 0)


def test_an_import_that_was_cut_goes_on_after_its_last_chunk(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.files.spool.CHUNK_ORDERS", 1)
    path = write_orders(tmp_path, *(an_order(1001 + number, Taxes="7.98") for number in range(3)), an_order(1004, Taxes="7.98", Total="53.00"))
    calls = iter(range(100))

    def cut() -> None:
        if next(calls) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_shopify_orders(store, path, now=NOW, guard=cut)
    row = FileImport.objects.get()
    assert (row.state, row.chunks_done, row.changed_orders, Order.objects.count()) == ("running", 2, 2, 2)
    assert row.template == {"platform": "shopify", "options": {"taxes": "included"}}
    report = import_shopify_orders(store, path, now=NOW, row=row)
    row.refresh_from_db()
    assert (row.state, row.chunks_done, row.changed_orders, row.payloads.count()) == ("done", 4, 4, 4)
    assert (report.orders, report.new) == (4, 2)
    assert not any(check_all(Book.objects.get(pk=store.pk)).values())
