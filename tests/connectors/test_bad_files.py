"""A file that is wrong is refused whole, with the row and what to do."""

import gzip
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from connectors.files.orders.order_line_imports import import_order_lines
from connectors.models import FileImport
from connectors.platforms.files.faults import FileRefused
from connectors.platforms.files.template import FOLDER, load
from ledger.models import Entry, Order, OrderLine, Store
from ledger.stores import open_store
from tests.connectors.files import HEADER, write

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
GOOD = "1,2026-01-05,A,Mug,2,10.00,ann,IE"


@pytest.fixture
def store() -> Store:
    return open_store(slug="shop", name="Shop", currency="EUR", zone="Europe/Dublin")


def refusal(store: Store, path: Path, template: str = "generic-order-lines") -> str:
    """Import a file that must be refused, check that nothing was written, and return what was said."""
    with pytest.raises(FileRefused) as refused:
        import_order_lines(store, path, load(template), now=NOW)
    assert (Order.objects.count(), Entry.objects.count(), FileImport.objects.count()) == (0, 0, 0)
    return str(refused.value)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("2,2026-01-05,A,Mug,0,10.00,ann,IE", "line 3, quantity: the quantity is 0; take the row out"),
        ("2,2026-01-05,A,Mug,1.5,10.00,ann,IE", "line 3, quantity: “1.5” is no whole number of units"),
        ("2,2026-01-05,A,Mug,1,NaN,ann,IE", "line 3, unit_price: “NaN” is no amount"),
        ("2,2026-01-05,A,Mug,1,1e400,ann,IE", "line 3, unit_price: “1e400” is a number in powers of ten"),
        ("2,2026-01-05,A,Mug,1,99999999999999999999,ann,IE", "line 3, unit_price: “99999999999999999999” is larger than any price"),
        ('2,2026-01-05,A,Mug,1,"12,50",ann,IE', "line 3, unit_price: “12,50” is no amount; write it as 1234.50"),
        ("2,05/01/2026,A,Mug,1,10.00,ann,IE", "line 3, date: “05/01/2026” is no date of the form iso"),
        ("2,2126-01-05,A,Mug,1,10.00,ann,IE", "line 3, date: “2126-01-05” lies before 1990 or in the future"),
        (",2026-01-05,A,Mug,1,10.00,ann,IE", "line 3, order: the order number is missing"),
        ("2,2026-01-05,A,Mug,1,10.00", "line 3, row: has 6 fields where the header has 8"),
    ],
)
def test_a_bad_row_is_named_with_what_to_do(store: Store, tmp_path: Path, row: str, says: str) -> None:
    assert says in refusal(store, write(tmp_path, f"{GOOD}\n{row}"))


def test_every_bad_row_is_counted(store: Store, tmp_path: Path) -> None:
    said = refusal(store, write(tmp_path, "\n".join([GOOD, *["2,2026-01-05,A,Mug,0,1.00,ann,IE"] * 30])))
    assert said.startswith("30 rows are wrong; nothing was imported.") and "… and 10 more" in said


def test_dates_in_three_forms_are_read_only_when_the_template_names_them(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path, "1,2026-01-05,A,Mug,1,1.00,,IE\n2,06.01.2026,A,Mug,1,1.00,,IE\n3,01/07/2026,A,Mug,1,1.00,,IE")
    assert "line 4, date: “01/07/2026” is no date of the form iso or %d.%m.%Y %H:%M or %d.%m.%Y" in refusal(store, path)


def test_a_missing_column_is_named_beside_those_there_are(store: Store, tmp_path: Path) -> None:
    said = refusal(store, write(tmp_path, "1,2026-01-05,A", header="order,date,sku"))
    assert "no column “quantity”, “unit_price”, “title”, “customer”, “country”" in said and "It has: order, date, sku" in said


def test_a_cut_gzip_is_refused(store: Store, tmp_path: Path) -> None:
    whole = gzip.compress("\n".join([HEADER, *[f"{n},2026-01-05,A{n * 7919},Mug,1,1.00,,IE" for n in range(5_000)]]).encode())
    path = tmp_path / "cut.csv.gz"
    path.write_bytes(whole[: len(whole) // 2])
    assert "cut or damaged" in refusal(store, path)


def test_the_wrong_encoding_is_named(store: Store, tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    shipped = (FOLDER / "generic-order-lines.toml").read_text()
    own.write_text(shipped.replace("date_formats", 'encoding = "utf-8"\ndate_formats'))
    path = write(tmp_path, "1,2026-01-05,A,Tasse façon,1,1.00,,FR", encoding="cp1252")
    assert "bytes that are not utf-8" in refusal(store, path, str(own))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("pack", [False, True])
def test_encodings_and_delimiters_are_recognised(store: Store, tmp_path: Path, encoding: str, delimiter: str, pack: bool) -> None:
    row = "1,2026-01-05,A,Tasse façon,2,10.00,ann,France".replace(",", delimiter)
    path = write(tmp_path, row, header=HEADER.replace(",", delimiter), encoding=encoding, pack=pack)
    report = import_order_lines(store, path, load("generic-order-lines"), now=NOW)
    assert (report.new, report.file_total) == (1, 200_000)


def test_an_unknown_currency_is_refused(store: Store, tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    shipped = (FOLDER / "generic-order-lines.toml").read_text()
    own.write_text(shipped.replace('country = "country"', 'country = "country"\ncurrency = "currency"'))
    path = write(tmp_path, "1,2026-01-05,A,Mug,1,1.00,,IE,ZZZ", header=f"{HEADER},currency")
    assert "line 2, currency: “ZZZ” is no ISO 4217 currency code" in refusal(store, path, str(own))


def test_a_file_of_two_gigabytes_is_refused_before_it_is_read(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "huge.csv"
    with path.open("wb") as file:
        file.truncate(2_100_000_000)
    assert "larger than 2 GB. Export it in smaller spans" in refusal(store, path)


def test_an_empty_file_and_a_bare_header_are_refused(store: Store, tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_bytes(b"")
    assert "is empty" in refusal(store, tmp_path / "empty.csv")
    (tmp_path / "bare.csv").write_text(HEADER + "\n")
    assert "has a header and no rows" in refusal(store, tmp_path / "bare.csv")


def test_the_command_fails_with_the_same_words(store: Store, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read: No such file"):
        call_command("import_file", "shop", tmp_path / "none.csv", kind="order-lines", template="generic-order-lines")
    with pytest.raises(CommandError, match="There is no template “nothing”"):
        call_command("import_file", "shop", write(tmp_path, GOOD), kind="order-lines", template="nothing")
    with pytest.raises(CommandError, match="there is nothing to undo"):
        call_command("import_file", "shop", write(tmp_path, GOOD), kind="order-lines", template="generic-order-lines", undo=True)
    with pytest.raises(CommandError, match="There is no store “mall”"):
        call_command("import_file", "mall", write(tmp_path, GOOD), kind="order-lines", template="generic-order-lines")


def test_an_order_in_two_currencies_is_refused(store: Store, tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    shipped = (FOLDER / "generic-order-lines.toml").read_text()
    own.write_text(shipped.replace('country = "country"', 'country = "country"\ncurrency = "currency"'))
    path = write(tmp_path, "1,2026-01-05,A,Mug,1,1.00,,IE,EUR\n1,2026-01-05,B,Bowl,1,1.00,,IE,USD", header=f"{HEADER},currency")
    assert "line 3, currency: order 1 is in EUR before; an order has one currency" in refusal(store, path, str(own))


def test_a_file_with_zero_bytes_is_no_text(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "sheet.csv"
    path.write_bytes(f"{HEADER}\n1,2026-01-05,A,Mug\0,1,1.00,,IE\n".encode())
    assert "holds zero bytes, so it is no text" in refusal(store, path)


@pytest.mark.parametrize(
    ("start", "what"),
    [
        (
            b"PK\x03\x04\x14\x00",
            "a ZIP archive, or a spreadsheet that is no Excel workbook (.ods, .xlsb), not a CSV file, whatever its name says. Unpack it",
        ),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "an old Excel file (.xls), or a workbook with a password, not a CSV file"),
        (b"%PDF-1.7\n", "a PDF document, not a CSV file"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "a JPEG picture, not a CSV file"),
        (b"<!DOCTYPE html>\n<html>", "a web page, not a CSV file, whatever its name says. The download has probably asked to sign in."),
    ],
)
def test_what_is_no_csv_file_is_called_by_its_name(store: Store, tmp_path: Path, start: bytes, what: str) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(start + b" and more")
    assert f"orders.csv is {what}" in refusal(store, path)


def test_a_file_that_ends_in_a_quote_was_cut_off(store: Store, tmp_path: Path) -> None:
    said = refusal(store, write(tmp_path, f'{GOOD}\n2,2026-01-05,A,"Mug, bl'))
    assert said == "The file ends inside a quoted field that begins after line 2: it was cut off, or a quote is missing. Download it again."


@pytest.mark.parametrize("row", ["5.37518E+12,2026-01-05,A,Mug,1,1.00,,", "2,2026-01-05,5.37518E+12,Mug,1,1.00,,"])
def test_numbers_that_a_spreadsheet_has_damaged_are_refused(store: Store, tmp_path: Path, row: str) -> None:
    said = refusal(store, write(tmp_path, f"{GOOD}\n{row}"))
    assert "a spreadsheet has turned it into 5.37518E+12, and its last digits are lost; export the file again" in said


def test_a_currencys_sign_beside_an_amount_is_read_or_refused(store: Store, tmp_path: Path) -> None:
    report = import_order_lines(store, write(tmp_path, '1,2026-01-05,A,Mug,2,"€1,000.50",ann,IE'), load("generic-order-lines"), now=NOW, dry_run=True)
    assert report.file_total == 20_010_000
    said = refusal(store, write(tmp_path, "1,2026-01-05,A,Mug,2,$10.00,ann,IE"))
    assert "line 2, unit_price: the sign beside the amount means " in said
    assert "and the order's currency is EUR; correct one of them" in said


def test_cells_that_look_like_formulas_are_text(store: Store, tmp_path: Path) -> None:
    import_order_lines(store, write(tmp_path, '1,2026-01-05,=A1,"=HYPERLINK(""x"")",1,10.00,@ann,IE'), load("generic-order-lines"), now=NOW)
    assert OrderLine.objects.values_list("sku", "title").get() == ("=A1", '=HYPERLINK("x")')


def test_rows_of_one_order_that_disagree_are_told(store: Store, tmp_path: Path) -> None:
    rows = "\n".join([GOOD, "1,2026-01-05,B,Bowl,1,5.00,ann,FR", "2,2026-01-05,A,Mug,1,1.00,,DE", "2,2026-01-05,A,Mug,1,1.00,,"])
    report = import_order_lines(store, write(tmp_path, rows), load("generic-order-lines"), now=NOW)
    assert (report.disagreeing_count, report.disagreeing) == (1, ["1"])


@pytest.mark.parametrize("begins", ["", f"{HEADER}\n"])
def test_a_small_packed_file_that_holds_an_endless_line_is_refused_before_the_line_is_read(store: Store, tmp_path: Path, begins: str) -> None:
    path = tmp_path / "orders.csv.gz"
    path.write_bytes(gzip.compress(begins.encode() + b"x" * 20_000_000))
    assert path.stat().st_size < 30_000
    assert refusal(store, path) == "The file has a line of more than 10 MB, which no table has. Export it as CSV again."
