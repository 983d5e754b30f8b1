"""An order-line file becomes a statement: whole, once, and back."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from connectors.files.orders.order_line_imports import import_order_lines
from connectors.files.spool import unpack
from connectors.models import FileImport, RawPayload
from connectors.platforms.files.template import FOLDER, load
from ledger.audit import check_all
from ledger.kinds import Basis
from ledger.models import Book, Customer, Entry, Order, OrderLine, Store
from ledger.periods import Period
from ledger.sealing import unseal
from ledger.statements import Statement, amount, profit
from ledger.stores import open_store
from tests.connectors.files import HEADER, RETAILER, RETAILER_HEADER, undo_order_lines, write

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


@pytest.fixture
def store() -> Store:
    return open_store(slug="giftware", name="Giftware", currency="GBP", zone="Europe/London")


def statement(store: Store, basis: Basis = Basis.EVENT) -> Statement:
    return profit(Book.objects.get(pk=store.pk), [Period(date(2010, 1, 1), date(2012, 12, 31))], basis=basis)[0]


def figures(store: Store) -> dict[str, str]:
    shown = statement(store)
    return {key: str(amount(shown, key)) for key in RETAILER_FIGURES}


def retailer(folder: Path) -> Path:
    return write(folder, RETAILER, header=RETAILER_HEADER, name="retailer.csv")


RETAILER_FIGURES = {
    "gross_sales": "43.9100",  # 15.30 + 6.78 + 6.78 + 10.05 + 5.00
    "discounts": "-27.5000",
    "returns": "-2.5500",
    "shipping_charged": "18.0000",
    "other_income": "2.5500",
    # 40 % of list: 6.12 + 2.71 + 2.71 + 4.02 + 2.00, less 1.02 back on the shelf
    "cogs": "-16.5400",
    "fulfilment": "-18.0000",
    # AMAZONFEE, then 2.9 % + 0.30 of 46.86, 15.05, 2.55, 8.33
    "fees": "-138.7200",
}


def test_the_retailers_troubles_end_on_the_right_lines(store: Store, tmp_path: Path) -> None:
    report = import_order_lines(store, retailer(tmp_path), load("uci-online-retail"), now=NOW)
    assert (report.rows, report.orders, report.sale_orders, report.zero_orders, report.return_orders) == (12, 8, 5, 1, 3)
    assert (report.file_total, report.rounding) == (-926_700, 0)
    assert figures(store) == RETAILER_FIGURES
    shown = statement(store)
    assert shown.memo == {"tax": 0, "gift_cards": shown.memo["gift_cards"], "unpaid": 0}
    assert str(shown.memo["gift_cards"]) == "8.3300"
    assert (shown.orders, shown.units, shown.returned_units, shown.new_customers) == (4, 30, 1, 1)


def test_an_exact_repeat_of_a_row_is_a_second_row(store: Store, tmp_path: Path) -> None:
    import_order_lines(store, retailer(tmp_path), load("uci-online-retail"), now=NOW)
    order = Order.objects.get(store=store, number="536001")
    assert OrderLine.objects.filter(store_id=store.pk, order_id=order.pk, sku="71001").count() == 2


def test_rows_that_come_later_in_the_file_join_their_order(store: Store, tmp_path: Path) -> None:
    import_order_lines(store, retailer(tmp_path), load("uci-online-retail"), now=NOW)
    order = Order.objects.get(store=store, number="536002")
    assert list(OrderLine.objects.filter(store_id=store.pk, order_id=order.pk).order_by("part").values_list("sku", flat=True)) == ["22001", "22002"]


def test_a_cancellation_has_its_own_day_on_both_bases(store: Store, tmp_path: Path) -> None:
    import_order_lines(store, retailer(tmp_path), load("uci-online-retail"), now=NOW)
    book, january = Book.objects.get(pk=store.pk), [Period(date(2011, 1, 5), date(2011, 1, 5))]
    assert [str(profit(book, january, basis=basis)[0].lines["returns"]) for basis in Basis] == ["-2.5500", "-2.5500"]


def test_importing_twice_changes_nothing(store: Store, tmp_path: Path) -> None:
    path = retailer(tmp_path)
    import_order_lines(store, path, load("uci-online-retail"), now=NOW)
    before = Entry.objects.count(), RawPayload.objects.count(), Book.objects.get(pk=store.pk).last_seq
    again = import_order_lines(store, path, load("uci-online-retail"), now=NOW)
    assert (again.new, again.changed, again.unchanged, again.entries) == (0, 0, 8, 0)
    assert before == (Entry.objects.count(), RawPayload.objects.count(), Book.objects.get(pk=store.pk).last_seq)
    assert FileImport.objects.get(pk=again.import_id).state == FileImport.State.UNCHANGED


def test_a_dry_run_counts_and_writes_nothing(store: Store, tmp_path: Path) -> None:
    report = import_order_lines(store, retailer(tmp_path), load("uci-online-retail"), now=NOW, dry_run=True)
    assert (report.rows, report.orders, report.file_total) == (12, 8, -926_700)
    assert (Order.objects.count(), Entry.objects.count(), FileImport.objects.count()) == (0, 0, 0)


def test_undo_leaves_nothing_in_the_figures_and_everything_in_the_history(store: Store, tmp_path: Path) -> None:
    path = retailer(tmp_path)
    import_order_lines(store, path, load("uci-online-retail"), now=NOW)
    entries = Entry.objects.count()
    undo_order_lines(store, path, load("uci-online-retail"), now=NOW)
    assert set(figures(store).values()) <= {"0", "0.0000"}
    assert statement(store).orders == statement(store).new_customers == 0
    assert Entry.objects.count() == 2 * entries
    assert not any(check_all(Book.objects.get(pk=store.pk)).values())


def test_import_after_undo_gives_the_same_figures(store: Store, tmp_path: Path) -> None:
    path = retailer(tmp_path)
    for _ in range(2):
        import_order_lines(store, path, load("uci-online-retail"), now=NOW)
        undo_order_lines(store, path, load("uci-online-retail"), now=NOW)
    import_order_lines(store, path, load("uci-online-retail"), now=NOW)
    assert figures(store) == RETAILER_FIGURES
    assert not any(check_all(Book.objects.get(pk=store.pk)).values())


def test_undo_of_a_correction_brings_the_earlier_file_back(store: Store, tmp_path: Path) -> None:
    first = write(tmp_path, "1,2026-01-05,A,Mug,2,10.00,ann,IE\n2,2026-01-06,B,Bowl,1,20.00,ben,IE", name="first.csv")
    second = write(tmp_path, "1,2026-01-05,A,Mug,3,10.00,ann,IE", name="second.csv")
    template = load("generic-order-lines")
    import_order_lines(store, first, template, now=NOW)
    import_order_lines(store, second, template, now=NOW)
    assert str(Order.objects.get(number="1").revenue) == "30.0000"
    undo_order_lines(store, second, template, now=NOW)
    assert str(Order.objects.get(number="1").revenue) == "20.0000"
    undo_order_lines(store, first, template, now=NOW)
    assert [str(value) for value in Order.objects.values_list("revenue", flat=True)] == ["0.0000", "0.0000"]
    assert not any(check_all(Book.objects.get(pk=store.pk)).values())


def test_no_personal_column_passes_the_door(store: Store, tmp_path: Path) -> None:
    header = "order,date,sku,title,quantity,unit_price,customer,country,email,Shipping Name,phone"
    path = write(tmp_path, "1,2026-01-05,A,Mug,1,10.00,ann@example.com,IE,ann@example.com,Ann Example,+353 1 555", header=header)
    report = import_order_lines(store, path, load("generic-order-lines"), now=NOW)
    assert report.dropped_columns == ["email", "Shipping Name", "phone"]
    archived = str(unpack(unseal(bytes(RawPayload.objects.get().body))))
    assert "Ann Example" not in archived and "+353" not in archived and "ann@example.com" not in archived
    assert Customer.objects.count() == 1


def test_undo_leaves_what_another_file_says_too(store: Store, tmp_path: Path) -> None:
    first = write(tmp_path, "1,2026-01-05,A,Mug,2,10.00,ann,IE\n2,2026-01-06,B,Bowl,1,20.00,ben,IE", name="first.csv")
    second = write(tmp_path, "1,2026-01-05,A,Mug,2,10.00,ann,IE", name="second.csv")
    template = load("generic-order-lines")
    import_order_lines(store, first, template, now=NOW)
    import_order_lines(store, second, template, now=NOW)
    undo_order_lines(store, first, template, now=NOW)
    assert dict(Order.objects.values_list("number", "revenue")) == {"1": 20, "2": 0}
    undo_order_lines(store, second, template, now=NOW)
    assert set(Order.objects.values_list("revenue", flat=True)) == {0}


def test_tax_inside_prices_is_taken_out_of_price_and_discount(store: Store, tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    shipped = (FOLDER / "generic-order-lines.toml").read_text()
    own.write_text("prices_include_tax = true\n" + shipped.replace('country = "country"', 'country = "country"\ndiscount = "discount"\ntax = "tax"'))
    path = write(tmp_path, "1,2026-01-05,A,Mug,1,119.00,ann,DE,11.90,17.10", header=f"{HEADER},discount,tax")
    import_order_lines(store, path, load(str(own)), now=NOW)
    shown = profit(Book.objects.get(pk=store.pk), [Period(date(2026, 1, 1), date(2026, 1, 31))])[0]
    assert [str(amount(shown, key)) for key in ("gross_sales", "discounts", "net_revenue", "cogs")] == ["100.0000", "-10.0000", "90.0000", "-40.0000"]
    assert (str(shown.memo["tax"]), str(Order.objects.get(number="1").revenue)) == ("17.1000", "107.1000")
