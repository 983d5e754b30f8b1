"""Excel workbooks are read as the files they came from: the same rows, and what Excel has spoilt is refused or told."""

import zipfile
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from openpyxl import Workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from connectors.files.given import files_in, sheet_of
from connectors.platforms.files import workbook
from connectors.platforms.files.faults import FileRefused
from connectors.platforms.files.reading import find_dialect, table
from ledger.models import OrderCharge
from tests.builders import a_store, an_order
from tests.builders import write as record

MOMENT = datetime(2026, 3, 5, 13, 30)  # noqa: DTZ001  Excel knows no time zones
LABELS = [["Order", "Cost", "Ship date"], ["#1001", 6.2, date(2026, 3, 4)], [1002, 4, MOMENT]]


def workbook_of(folder: Path, sheets: dict[str, list[list[Any]]], name: str = "book.xlsx", hidden: tuple[str, ...] = ()) -> Path:
    """Write a workbook as Excel does."""
    book = Workbook()
    book.remove(book["Sheet"])
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        sheet.sheet_state = "hidden" if title in hidden else "visible"
        for row in rows:
            sheet.append(row)
    path = folder / name
    book.save(path)
    return path


def read(path: Path) -> list[tuple[int, list[str]]]:
    """Read a file as every kind of file is read."""
    return list(table(path, find_dialect(path)))


def only(path: Path, folder: Path) -> list[tuple[int, list[str]]]:
    """Read the one sheet of a workbook."""
    folder = folder / "unpacked"
    folder.mkdir()
    [given] = files_in(path, folder)
    assert given.filename == path.name
    return read(given.path)


def repacked(path: Path, part: str, old: str, new: str) -> Path:
    """Change a part of a workbook as another program would write it."""
    with zipfile.ZipFile(path) as packed:
        parts = {name: packed.read(name) for name in packed.namelist()}
    assert old.encode() in parts[part]
    parts[part] = parts[part].replace(old.encode(), new.encode())
    changed = path.with_name("changed.xlsx")
    with zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in parts.items():
            packed.writestr(name, data)
    return changed


def test_numbers_days_and_truths_become_the_text_an_export_has(tmp_path: Path) -> None:
    numbers = [12.5, 19.989999999999998, 1.234, 5375180000000, -3, True]
    cells = [*numbers, date(2026, 3, 4), MOMENT, time(9, 5), "00123", None, "x\ny"]
    path = workbook_of(tmp_path, {"Orders": [[f"h{number}" for number in range(len(cells))], cells]})
    assert only(path, tmp_path)[1] == (2, [
        "12.5", "19.99", "1.2340", "5375180000000", "-3", "true", "2026-03-04", "2026-03-05 13:30:00", "09:05:00", "00123", "", "x y",
    ])  # fmt: skip


def test_a_line_is_a_row_of_the_sheet_and_short_rows_are_filled_up(tmp_path: Path) -> None:
    path = workbook_of(tmp_path, {"Orders": [["Labels of March"], ["Order", "Cost", "Note"], [], ["1001", 1], ["1002", 2, "x", "beyond"]]})
    assert only(path, tmp_path) == [
        (2, ["Order", "Cost", "Note"]), (4, ["1001", "1", ""]), (5, ["1002", "2", "x", "beyond"]),
    ]  # fmt: skip


def test_each_sheet_with_a_table_is_a_file_of_its_own(tmp_path: Path) -> None:
    path = workbook_of(tmp_path, {"March": LABELS, "Notes": [["only", None], ["one"]], "April": LABELS, "Secret": LABELS}, hidden=("Secret",))
    assert [given.filename for given in files_in(path, tmp_path)] == ["book (March).xlsx", "book (April).xlsx"]


@pytest.mark.parametrize(("name", "found"), [("", "March"), ("April", "April")])
def test_a_sheet_is_chosen_by_its_name_or_the_first_is_taken(tmp_path: Path, name: str, found: str) -> None:
    path = workbook_of(tmp_path, {title: [["sheet", "cost"], [title, 1]] for title in ("March", "April")})
    assert read(sheet_of(path, tmp_path, name=name).path)[1] == (2, [found, "1"])


def test_a_sheet_that_is_not_there_is_named_beside_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="has no sheet “May” with a table"):
        sheet_of(workbook_of(tmp_path, {"March": LABELS}), tmp_path, name="May")


def test_a_formula_counts_as_what_it_came_to_and_is_told(tmp_path: Path) -> None:
    path = workbook_of(tmp_path, {"Costs": [["SKU", "Cost"], ["A", "=1+2"], ["B", 4]]})
    worked_out = repacked(path, "xl/worksheets/sheet1.xml", "<f>1+2</f><v />", "<f>1+2</f><v>3</v>")
    [given] = files_in(worked_out, tmp_path)
    assert read(given.path)[1:] == [(2, ["A", "3"]), (3, ["B", "4"])]
    assert given.caveats == ("1 cell holds a formula; what Excel worked out last is taken.",)


def test_a_formula_that_was_never_worked_out_is_refused_with_its_cell(tmp_path: Path) -> None:
    path = workbook_of(tmp_path, {"Costs": [["SKU", "Cost"], ["A", "=1+2"]]})
    with pytest.raises(FileRefused) as refused:
        files_in(path, tmp_path)
    assert str(refused.value) == (
        "1 cell holds a formula without a result.\n  line 2, column B: a formula that was never worked out; open the file in Excel, and save it"
    )


def test_numbers_that_excel_has_cut_are_told_and_look_cut(tmp_path: Path) -> None:
    [given] = files_in(workbook_of(tmp_path, {"Ads": [["Campaign ID", "Cost"], [120210000000000001, 3]]}), tmp_path)
    assert read(given.path)[1] == (2, ["1.20210E+17", "3"])
    assert given.caveats == (
        "1 number has more than fifteen digits, of which Excel has lost the last; rows that need them are refused. Take the export itself, without "
        "opening it in Excel.",
    )


@pytest.mark.parametrize(
    ("limit", "value", "told"),
    [
        ("MOST_BYTES", 1_000, "The workbook has more than 0 MB."),
        ("MOST_UNPACKED", 1_000, "The workbook is larger than 0 MB once unpacked."),
        ("MOST_SHARED", 100, "once unpacked"),
        ("MOST_CELLS", 8, "The workbook holds more than 8 cells."),
        ("MOST_IN_A_ROW", 4, "far more formats or cells in a row"),
        ("MOST_COLUMNS", 2, "Row 1 of “March” has more than 2 columns."),
        ("MOST_SHEETS", 0, "The workbook has more than 0 sheets."),
    ],
)
def test_no_workbook_goes_beyond_the_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: int, told: str) -> None:
    monkeypatch.setattr(workbook, limit, value)
    with pytest.raises(FileRefused) as refused:
        files_in(workbook_of(tmp_path, {"March": LABELS}), tmp_path)
    assert told in str(refused.value)


@pytest.mark.parametrize("called", ["sheet1.dat", "sheet1.png", "sheet1"])
def test_no_sheet_hides_from_the_limits_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, called: str) -> None:
    with zipfile.ZipFile(workbook_of(tmp_path, {"Labels": LABELS})) as packed:
        parts = {name: packed.read(name) for name in packed.namelist()}
    parts[f"xl/worksheets/{called}"] = parts.pop("xl/worksheets/sheet1.xml")
    with zipfile.ZipFile(tmp_path / "hidden.xlsx", "w") as packed:
        for name, body in parts.items():
            packed.writestr(name, body.replace(b"worksheets/sheet1.xml", f"worksheets/{called}".encode()))
    assert only(tmp_path / "hidden.xlsx", tmp_path)[1] == (2, ["#1001", "6.2", "2026-03-04"])
    monkeypatch.setattr(workbook, "MOST_CELLS", 8)
    with pytest.raises(FileRefused, match="The workbook holds more than 8 cells"):
        files_in(tmp_path / "hidden.xlsx", tmp_path)


def test_errors_of_excel_are_told(tmp_path: Path) -> None:
    path = workbook_of(tmp_path, {"Labels": [["Order", "Cost", "Note"], ["#1001", 6.2, "#N/A"], ["#REF!", 4, "#VALUE!"]]})
    [given] = files_in(path, tmp_path)
    assert given.caveats == ("3 cells hold an error, such as #N/A, in place of a value.",)


def test_days_that_are_counted_from_1904_are_the_days_that_excel_shows(tmp_path: Path) -> None:
    book = Workbook()
    book.epoch = CALENDAR_MAC_1904
    for row in LABELS:
        book.active.append(row)
    book.save(tmp_path / "mac.xlsx")
    assert only(tmp_path / "mac.xlsx", tmp_path)[1:] == [(2, ["#1001", "6.2", "2026-03-04"]), (3, ["1002", "4", "2026-03-05 13:30:00"])]


def test_a_bomb_of_entities_or_of_zeros_is_refused_before_it_opens(tmp_path: Path) -> None:
    path = workbook_of(tmp_path, {"March": LABELS})
    entities = repacked(path, "xl/workbook.xml", "<workbook", '<!DOCTYPE b [<!ENTITY a "aaaaaaaa"><!ENTITY c "&a;&a;&a;">]><workbook')
    with pytest.raises(FileRefused, match="cannot be read"):
        files_in(entities, tmp_path)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as packed, packed.open("xl/media/zeros.bin", "w", force_zip64=True) as part:
        for _ in range(401):
            part.write(bytes(1_000_000))
    assert path.stat().st_size < 1_000_000
    with pytest.raises(FileRefused, match="larger than 400 MB once unpacked"):
        files_in(path, tmp_path)


def test_a_damaged_workbook_and_one_without_a_table_are_told_apart(tmp_path: Path) -> None:
    path = workbook_of(tmp_path, {"March": LABELS})
    with pytest.raises(FileRefused, match="The workbook cannot be read"):
        files_in(repacked(path, "xl/worksheets/sheet1.xml", "</sheetData>", "</sheet"), tmp_path)
    with pytest.raises(FileRefused, match="The workbook has no sheet with a table"):
        files_in(workbook_of(tmp_path, {"March": [["alone"]]}), tmp_path)


@pytest.mark.parametrize(
    ("start", "told"),
    [
        (b"\xd0\xcf\x11\xe0", "is an old Excel file (.xls), or a workbook with a password, not a CSV file"),
        (b"PK\x03\x04", "is a ZIP archive, or a spreadsheet that is no Excel workbook (.ods, .xlsb), not a CSV file"),
    ],
)
def test_other_spreadsheets_are_named_with_how_to_save_them(tmp_path: Path, start: bytes, told: str) -> None:
    path = tmp_path / "book.xls"
    path.write_bytes(start + bytes(100))
    with pytest.raises(FileRefused) as refused:
        find_dialect(files_in(path, tmp_path)[0].path)
    assert told in str(refused.value)
    assert "Excel workbook (.xlsx)" in str(refused.value)


@pytest.mark.django_db
def test_the_command_takes_a_sheet_and_undoes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = a_store(slug="mugs")
    record(store, an_order("1001"), an_order("1002"))
    path = workbook_of(tmp_path, {"Read me": [["by", "Ann"]], "March": LABELS})
    arguments = ("mugs", str(path), "--kind", "shipping-costs")
    call_command("import_file", *arguments, "--sheet", "March")
    assert "book.xlsx: 2 rows, 2 rows whose order is known" in capsys.readouterr().out
    assert sorted(OrderCharge.objects.values_list("order_ref", "amount")) == [("1001", Decimal("6.2")), ("1002", Decimal(4))]
    with pytest.raises(CommandError, match="has not been imported"):
        call_command("import_file", *arguments, "--undo")
    call_command("import_file", *arguments, "--sheet", "March", "--undo")
    assert OrderCharge.objects.filter(removed_at=None).count() == 0
