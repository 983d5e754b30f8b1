"""What a hostile reading of the importer found, kept from coming back."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from connectors.files.orders.order_line_imports import import_order_lines
from connectors.models import FileImport
from connectors.platforms.files.faults import FileRefused
from connectors.platforms.files.template import load
from ledger.models import Book, Entry, Order, Sale, Store, StoreZone
from ledger.periods import Period
from ledger.statements import amount, profit
from ledger.stores import open_store
from tests.connectors.files import GENERIC, HEADER, own_template, undo_order_lines, write

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


@pytest.fixture
def store() -> Store:
    return open_store(slug="shop", name="Shop", currency="EUR", zone="Europe/Berlin")


def gross(store: Store, key: str = "gross_sales") -> str:
    return str(amount(profit(Book.objects.get(pk=store.pk), [Period(date(2026, 1, 1), date(2026, 12, 31))])[0], key))


def test_undo_keeps_to_its_own_platform(store: Store, tmp_path: Path) -> None:
    a = load(own_template(tmp_path, 'platform = "pa"\n' + GENERIC, "a"))
    b = load(own_template(tmp_path, 'platform = "pb"\n' + GENERIC, "b"))
    first = write(tmp_path, "1001,2026-01-05,A,Mug,1,100.00,,DE", name="a.csv")
    second = write(tmp_path, "1001,2026-01-05,A,Mug,1,7.00,,DE", name="b.csv")
    import_order_lines(store, first, a, now=NOW)
    import_order_lines(store, second, b, now=NOW)
    undo_order_lines(store, first, a, now=NOW)
    assert gross(store) == "7.0000"
    undo_order_lines(store, second, b, now=NOW)
    assert gross(store) == "0.0000"


def test_a_later_time_zone_moves_no_day_that_was_given(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path, "1,2026-03-31 20:00,A,Mug,1,10.00,,DE")
    import_order_lines(store, path, load("generic-order-lines"), now=NOW)
    StoreZone.objects.create(store=store, zone="America/New_York", from_day=date(2026, 11, 1))
    again = import_order_lines(store, path, load("generic-order-lines"), now=NOW)
    assert (again.changed, str(Order.objects.get().day)) == (0, "2026-03-31")


def test_an_import_that_was_cut_stands_for_its_orders_once_it_is_repeated(store: Store, tmp_path: Path) -> None:
    template = load("generic-order-lines")
    first = write(tmp_path, "K1,2026-01-05,A,Mug,1,100.00,,DE", name="a.csv")
    second = write(tmp_path, "K1,2026-01-05,A,Mug,1,100.00,,DE\nK2,2026-01-05,A,Mug,1,1.00,,DE", name="b.csv")

    def cut(step: str, done: int, whole: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_order_lines(store, first, template, now=NOW, progress=cut)
    FileImport.objects.get().payloads.all().delete()  # as if it had been cut before its first chunk
    Order.objects.all().delete()
    import_order_lines(store, second, template, now=NOW)
    import_order_lines(store, first, template, now=NOW)
    undo_order_lines(store, second, template, now=NOW)
    assert str(Order.objects.get(number="K1").revenue) == "100.0000"


def test_a_discount_row_lowers_sales_however_its_minus_is_written(store: Store, tmp_path: Path) -> None:
    template = load(
        own_template(tmp_path, "prices_include_tax = true\n" + GENERIC.replace('country = "country"', 'country = "country"\ntax = "tax"'))
    )
    for number, row in (("1", "1,-11.90"), ("2", "-1,11.90")):
        goods, less = f"{number},2026-01-05,A,Mug,1,119.00,,DE,19.00", f"{number},2026-01-05,discount,Code,{row},,DE,1.90"
        import_order_lines(store, write(tmp_path, f"{goods}\n{less}", header=f"{HEADER},tax", name=f"{number}.csv"), template, now=NOW)
        order = Order.objects.get(number=number)
        assert (str(order.revenue), str(order.tax)) == ("107.1000", "17.1000")
    assert (gross(store, "discounts"), gross(store, "net_revenue")) == ("-20.0000", "180.0000")


def test_units_that_come_back_are_worth_what_was_booked_for_them(store: Store, tmp_path: Path) -> None:
    template = load(own_template(tmp_path, GENERIC.replace("restocked = false", "restocked = true")))
    import_order_lines(store, write(tmp_path, "Q1,2026-01-05,M,Mug,1,100.00,,DE\nQ1,2026-01-09,M,Mug,-1,80.00,,DE"), template, now=NOW)
    assert (gross(store, "returns"), gross(store, "cogs")) == ("-80.0000", "0.0000")
    assert set(Sale.objects.values_list("line_part", flat=True)) == {1}


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("1,2026-01-05,M,Mug,1000000,1000000000,,DE", "is worth more than any row can be"),
        ("1,2026-01-05,M,Mug,1,-5.00,,DE", "a product has no negative price"),
        ("C1,2026-01-05,M,Mug,1,80.00,,DE", "C1 is a return by its number, so its quantity is negative"),
    ],
)
def test_rows_that_contradict_themselves_are_refused_before_anything_is_written(store: Store, tmp_path: Path, row: str, says: str) -> None:
    template = load(own_template(tmp_path, GENERIC.replace("restocked = false", 'restocked = true\norder_pattern = "C.*"')))
    good = "\n".join(f"{n},2026-01-05,M,Mug,1,1.00,,DE" for n in range(2, 1_100))
    with pytest.raises(FileRefused, match=says):
        import_order_lines(store, write(tmp_path, f"{good}\n{row}"), template, now=NOW)
    assert (Order.objects.count(), Entry.objects.count()) == (0, 0)


def test_zero_characters_are_refused_in_wide_text_too(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path, "1,2026-01-05,A,Mug\0,1,1.00,,DE", encoding="utf-16")
    with pytest.raises(FileRefused, match="Line 2 holds a zero character"):
        import_order_lines(store, path, load("generic-order-lines"), now=NOW)


def test_rows_in_other_currencies_have_sums_of_their_own(store: Store, tmp_path: Path) -> None:
    template = load(own_template(tmp_path, GENERIC.replace('country = "country"', 'country = "country"\ncurrency = "currency"')))
    rows = "1,2026-01-05,A,Mug,1,100,,JP,JPY\n2,2026-01-05,A,Mug,1,10.00,,DE,EUR"
    report = import_order_lines(store, write(tmp_path, rows, header=f"{HEADER},currency"), template, now=NOW)
    assert (report.file_total, report.foreign_totals, report.held) == (100_000, {"JPY": 1_000_000}, 1)
    undo_order_lines(store, tmp_path / "orders.csv", template, now=NOW)
    assert not store.book.findings.filter(resolved_at=None).exists()
