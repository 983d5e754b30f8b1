"""Transaction histories date what orders gave back and tell what each gateway took, whichever file comes first."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import permutations
from pathlib import Path

import pytest

from connectors.files.imports import ImportUndone
from connectors.files.orders.shopify_orders import import_shopify_orders
from connectors.files.orders.shopify_transactions import TransactionReport, import_shopify_transactions
from connectors.models import FileImport, OrderTransaction
from connectors.platforms.files.faults import FileRefused
from ledger.audit import check_all
from ledger.models import Book, Entry, Finding, Order, Payment, Sale, Store
from tests.builders import a_store
from tests.builders import an_order as an_order_of_the_platform
from tests.builders import write as tell
from tests.connectors.shopify_files import (
    NOW,
    TRANSACTIONS_2026,
    Rows,
    a_line,
    a_refund,
    a_transaction,
    an_order,
    undo,
    write_orders,
    write_transactions,
)
from tests.ledger_text import assert_entries, entry_rows

pytestmark = pytest.mark.django_db
HALF = {"Refunded_Amount": "25.00", "Financial_Status": "partially_refunded"}
WHOLE = {"Refunded_Amount": "50.00", "Financial_Status": "refunded"}


@pytest.fixture
def store() -> Store:
    return a_store(zone="Europe/Berlin")


def orders(store: Store, folder: Path, *rows: Rows, name: str = "orders.csv") -> None:
    import_shopify_orders(store, write_orders(folder, *rows, name=name), now=NOW)


def history(store: Store, folder: Path, *rows: dict[str, str], name: str = "transactions.csv", **more: object) -> TransactionReport:
    report = import_shopify_transactions(store, write_transactions(folder, *rows, name=name, **more), now=NOW)  # type: ignore[arg-type]
    assert not any(check_all(Book.objects.get(pk=store.pk)).values())
    return report


def live(store: Store) -> list[tuple[str, ...]]:
    """Return the entries that stand, without what tells how they came to be."""
    names = ("source", "day", "event_day", "order_day", "account", "channel", "country", "variant", "amount", "how")
    rows = entry_rows(store, live=True)
    return sorted(tuple("." if name == "source" and "customers" in row["account"] else row[name] for name in names) for row in rows)


def test_a_refund_moves_to_its_own_day_and_ceases_to_be_estimated(store: Store, tmp_path: Path) -> None:
    orders(store, tmp_path, an_order(**WHOLE))
    assert_entries(store, "day amount how\n 2026-03-04 -50.00 estimated", only=["sales:returns"])
    report = history(store, tmp_path, a_transaction(), a_refund())
    assert (report.rows, report.orders, report.matched, report.loose, report.changed) == (2, 1, 2, [], 1)
    assert (report.charged, report.refunded, report.not_counted) == ({"EUR": 500_000}, {"EUR": 500_000}, {})
    assert_entries(store, "day amount how\n 2026-03-20 -50.00 actual", only=["sales:returns"], live=True)
    assert not Finding.objects.filter(kind="refund_undated", resolved_at=None).exists()
    order = Order.objects.get()
    exported = FileImport.objects.get(kind="shopify-orders")
    assert (order.cause_ref, str(order.stated_refunded)) == (exported.cause_ref, "50.0000")


def test_a_part_given_back_keeps_its_day_and_is_an_estimate_by_line(store: Store, tmp_path: Path) -> None:
    orders(store, tmp_path, an_order(lines=[a_line("30.00", sku="A"), a_line("20.00", sku="B")], **HALF))
    history(store, tmp_path, a_transaction(), a_refund(amount="10.00"), a_refund(amount="15.00", when="2026-04-01 00:10:00 +0200"))
    assert_entries(
        store,
        """
        day         variant  amount  how
        2026-03-20  A        -6.00   estimated
        2026-03-20  B        -4.00   estimated
        2026-04-01  A        -9.00   estimated
        2026-04-01  B        -6.00   estimated
        """,
        only=["sales:returns"],
        live=True,
    )
    assert not Finding.objects.filter(kind="refund_undated", resolved_at=None).exists()


def test_what_transactions_do_not_tell_of_a_refund_stays_estimated(store: Store, tmp_path: Path) -> None:
    orders(store, tmp_path, an_order(**HALF))
    history(store, tmp_path, a_transaction(), a_refund(amount="10.00"))
    assert_entries(store, "day amount\n 2026-03-04 -15.00\n 2026-03-20 -10.00", only=["sales:returns"], live=True)
    assert Finding.objects.get(kind="refund_undated", resolved_at=None).message.startswith("1 order refunded (15.00 EUR; such as #1001).")


def test_a_refund_after_the_export_counts_too(store: Store, tmp_path: Path) -> None:
    orders(store, tmp_path, an_order())
    history(store, tmp_path, a_transaction(), a_refund(amount="20.00"))
    assert str(Order.objects.get().revenue) == "30.0000"


def test_only_what_succeeded_counts_and_a_void_moves_nothing(store: Store, tmp_path: Path) -> None:
    orders(store, tmp_path, an_order(Payment_Method="Cash on Delivery (COD)"))
    report = history(
        store, tmp_path,
        a_transaction(Kind="authorization", Gateway="Cash on Delivery (COD)"), a_transaction(Kind="capture", Status="failure"),
        a_transaction(Kind="capture", Gateway="Cash on Delivery (COD)", Status="pending"), a_transaction(Kind="void", amount="0.00"),
        a_transaction(Kind="capture", Gateway="Cash on Delivery (COD)"), a_refund(Status="failure"), a_transaction(Kind="change", amount="5.00"),
    )  # fmt: skip
    assert report.charged == {"EUR": 500_000}
    assert report.refunded == {}
    assert report.not_counted == {"failure": 2, "pending": 1, "change": 1}
    assert str(Order.objects.get().revenue) == "50.0000"
    assert_entries(store, "account amount", only=["fees"], live=True)
    payments = Payment.objects.order_by("part").values_list("kind", "status", "gateway")
    assert len(payments) == 6
    assert {gateway for kind, status, gateway in payments if kind == 2 and status == 1} == {"cash on delivery (cod)"}


def test_each_tender_is_told_with_its_own_amount(store: Store, tmp_path: Path) -> None:
    orders(store, tmp_path, an_order(Payment_Method="Shopify Payments + Gift Card"))
    history(store, tmp_path, a_transaction(amount="35.00"), a_transaction(amount="15.00", Gateway="gift_card"))
    assert_entries(
        store,
        """
        account                   amount
        fees:payment              -1.32
        memo:gift_card:redeemed   -15.00
        """,
        only=["fees", "memo"],
        live=True,
    )


def test_rows_whose_order_is_not_known_are_listed_and_wait_for_it(store: Store, tmp_path: Path) -> None:
    report = history(store, tmp_path, a_transaction(), a_refund(), a_transaction(1002))
    assert (report.rows, report.matched, report.loose_count) == (3, 0, 3)
    assert [(loose.line, loose.name, loose.reference) for loose in report.loose] == [
        (2, "#1001", "sale"),
        (3, "#1001", "refund"),
        (4, "#1002", "sale"),
    ]
    assert (FileImport.objects.get().state, OrderTransaction.objects.count(), Entry.objects.count()) == ("done", 3, 0)
    orders(store, tmp_path, an_order(**WHOLE))
    assert_entries(store, "day amount how\n 2026-03-20 -50.00 actual", only=["sales:returns"])
    assert not Finding.objects.filter(kind="refund_undated").exists()


@pytest.mark.parametrize("lost", [{"Order": ""}, {"Order": "5.37518E+12"}, {"Name": ""}, {"Name": "", "Order": "#1001"}])
def test_an_order_is_found_by_what_is_left_of_its_names(store: Store, tmp_path: Path, lost: dict[str, str]) -> None:
    orders(store, tmp_path, an_order(**WHOLE), an_order(1002))
    history(store, tmp_path, a_transaction(**lost), a_refund(**lost))
    assert_entries(store, "source day amount\n 5370000001001 2026-03-20 -50.00", only=["sales:returns"], live=True)


def test_a_row_that_names_no_order_refuses_the_file(store: Store, tmp_path: Path) -> None:
    with pytest.raises(FileRefused) as refusal:
        history(store, tmp_path, a_transaction(Name="", Order="5.37518E+12"), a_transaction(Status=""), a_transaction(amount="fifty"))
    assert [str(fault) for fault in refusal.value.faults] == [
        "line 2, Name: the order's id was changed by a spreadsheet, and it has no name of an order",
        "line 3, Status: is empty; export the file again",
        "line 4, row: “fifty” is no amount; write it as 1234.50",
    ]
    assert (FileImport.objects.count(), OrderTransaction.objects.count()) == (0, 0)


def test_another_file_is_not_taken_for_transactions(store: Store, tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="has no column “Kind”, “Gateway”, “Status”, “Amount”, so it is no transaction history"):
        import_shopify_transactions(store, write_orders(tmp_path, an_order()), now=NOW)


def test_the_columns_of_2026_are_read_as_well(store: Store, tmp_path: Path) -> None:
    orders(store, tmp_path, an_order(**WHOLE))
    report = history(store, tmp_path, a_refund(Payment_Method="visa"), header=TRANSACTIONS_2026)
    assert report.dropped_columns == ["Payment Method", "Card Type"]
    assert_entries(store, "day amount\n 2026-03-20 -50.00", only=["sales:returns"], live=True)
    # The file does not tell the charge, so that is assumed as before.
    assert [payment.external_id for payment in Payment.objects.filter(kind=1)] == ["derived"]


def test_importing_twice_and_overlapping_changes_nothing(store: Store, tmp_path: Path) -> None:
    orders(store, tmp_path, an_order(**HALF), an_order(1002))
    twins = [a_refund(amount="12.50"), a_refund(amount="12.50")]
    history(store, tmp_path, a_transaction(), *twins)
    before = live(store)
    again = history(store, tmp_path, a_transaction(), *twins)
    assert (again.changed, again.entries, FileImport.objects.get(pk=again.import_id).state) == (0, 0, "unchanged")
    wider = history(store, tmp_path, a_transaction(), *twins, a_transaction(1002), name="wider.csv")
    assert (wider.matched, wider.changed) == (4, 1)
    assert [row for row in live(store) if row[4].startswith("sales")] == [row for row in before if row[4].startswith("sales")]
    assert Sale.objects.filter(kind=4).count() == 2


def test_undo_of_transactions_makes_the_refund_an_estimate_again(store: Store, tmp_path: Path) -> None:
    orders(store, tmp_path, an_order(**WHOLE))
    before = live(store)
    history(store, tmp_path, a_transaction(), a_refund())
    undo(store, tmp_path / "transactions.csv", "shopify-transactions")
    assert live(store) == before
    assert Finding.objects.filter(kind="refund_undated", resolved_at=None).count() == 1
    assert (OrderTransaction.objects.count(), FileImport.objects.get(kind="shopify-transactions").state) == (0, "undone")
    assert undo(store, tmp_path / "transactions.csv", "shopify-transactions") is None


def test_what_another_file_of_transactions_tells_stays_after_undo(store: Store, tmp_path: Path) -> None:
    orders(store, tmp_path, an_order(**WHOLE))
    history(store, tmp_path, a_refund(amount="20.00"), name="first.csv")
    history(store, tmp_path, a_refund(amount="20.00"), a_refund(amount="30.00", when="2026-04-05 10:00:00 +0200"), name="second.csv")
    assert_entries(store, "day amount\n 2026-03-20 -20.00\n 2026-04-05 -30.00", only=["sales:returns"], live=True)
    undo(store, tmp_path / "second.csv", "shopify-transactions")
    assert_entries(store, "day amount\n 2026-03-20 -20.00\n 2026-03-04 -30.00", only=["sales:returns"], live=True)


def test_undo_of_the_orders_leaves_their_transactions_waiting(store: Store, tmp_path: Path) -> None:
    orders(store, tmp_path, an_order(**WHOLE))
    history(store, tmp_path, a_transaction(), a_refund())
    before = live(store)
    undo(store, tmp_path / "orders.csv", "shopify-orders")
    assert live(store) == []
    orders(store, tmp_path, an_order(**WHOLE))
    assert live(store) == before


def test_an_order_that_the_platform_tells_is_left_to_it(store: Store, tmp_path: Path) -> None:
    orders(store, tmp_path, an_order(**WHOLE))
    told = an_order_of_the_platform("5370000001001", platform="shopify", updated="2026-05-01 12:00", country="AT")
    assert tell(store, told).changed == 1
    report = history(store, tmp_path, a_refund())
    assert (report.matched, report.changed, report.by_connection) == (1, 0, 1)
    orders(store, tmp_path, an_order(**WHOLE, Note="once more"), name="again.csv")
    order = Order.objects.get()
    assert (str(order.revenue), order.country, order.number) == ("50.0000", "AT", "#5370000001001")


def test_a_cut_import_goes_on_and_an_undone_one_stops(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.files.spool.CHUNK_ORDERS", 1)
    orders(store, tmp_path, an_order(**WHOLE), an_order(1002, **WHOLE), an_order(1003, **WHOLE))
    path = write_transactions(tmp_path, a_refund(), a_refund(1002), a_refund(1003))
    calls = iter(range(100))

    def cut() -> None:
        if next(calls) == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_shopify_transactions(store, path, now=NOW, guard=cut)
    row = FileImport.objects.get(kind="shopify-transactions")
    assert (row.state, row.chunks_done, OrderTransaction.objects.count()) == ("running", 3, 3)
    import_shopify_transactions(store, path, now=NOW, row=row)
    row.refresh_from_db()
    assert (row.state, row.changed_orders, row.matched, OrderTransaction.objects.count()) == ("done", 3, 3, 3)
    assert {day for day, *_ in Sale.objects.filter(kind=4).values_list("day")} == {datetime(2026, 3, 20, tzinfo=UTC).date()}
    FileImport.objects.filter(pk=row.pk).update(state=FileImport.State.UNDONE)
    with pytest.raises(ImportUndone):
        import_shopify_transactions(store, path, now=NOW, row=row)


def test_the_order_in_which_files_arrive_does_not_matter(tmp_path: Path) -> None:
    early = write_orders(tmp_path, an_order(1002, Payment_Method="Shopify Payments + Gift Card"), an_order(1001), name="early.csv")
    late = write_orders(tmp_path, an_order(1003, **HALF), an_order(1002, **HALF, Id="5.37E+12"), an_order(1001, **WHOLE), name="late.csv")
    first = write_transactions(
        tmp_path, a_transaction(1002, "35.00"), a_transaction(1002, "15.00", Gateway="gift_card"), a_refund(1001, "50.00"), name="first.csv"
    )  # fmt: skip
    second = write_transactions(tmp_path, a_refund(1001, "50.00"), a_refund(1002, "10.00"), a_refund(1009), name="second.csv")
    takers = {path: import_shopify_transactions if path in (first, second) else import_shopify_orders for path in (early, late, first, second)}
    seen = [live(imported(takers, files)) for files in permutations((early, late, first, second))]
    assert len(seen[0]) > 10
    assert [each for each in seen if each != seen[0]] == []


def test_undoing_a_file_leaves_what_the_others_would_have_told_alone(tmp_path: Path) -> None:
    early = write_orders(tmp_path, an_order(1002), an_order(1001), name="early.csv")
    late = write_orders(tmp_path, an_order(1003, **HALF), an_order(1002, **HALF), an_order(1001, **WHOLE), name="late.csv")
    told = write_transactions(tmp_path, a_transaction(1002), a_refund(1001, "50.00"), a_refund(1003, "20.00"), name="told.csv")
    takers = {early: import_shopify_orders, late: import_shopify_orders, told: import_shopify_transactions}
    for files in permutations((early, late, told)):
        for gone in files:
            store = imported(takers, files)
            undo(store, gone, "shopify-transactions" if gone == told else "shopify-orders")
            assert not any(check_all(Book.objects.get(pk=store.pk)).values())
            assert live(store) == live(imported(takers, [path for path in files if path != gone])), (files, gone)


def imported(takers: Mapping[Path, Callable[..., object]], files: Sequence[Path]) -> Store:
    """Import files into an empty book."""
    store = a_store(zone="Europe/Berlin")
    for path in files:
        takers[path](store, path, now=NOW)
    assert not any(check_all(Book.objects.get(pk=store.pk)).values())
    return store
