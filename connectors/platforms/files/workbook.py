"""Read the sheets of an Excel workbook into text, within limits that no file can be made to exceed, so that one way reads every file.

A person who opens an export in Excel and saves it gives a workbook. Numbers, dates and truth values become the text that the export had;
what Excel has spoilt (a long number, a formula that was never worked out) is refused or told, never guessed.
"""

import csv
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple
from xml.parsers.expat import ExpatError, ParserCreate

import openpyxl

from connectors.platforms.files.faults import FileRefused, RowFault
from connectors.platforms.files.reading import FEWEST_COLUMNS, LONGEST_FIELD, MOST_TITLES

ZIP = b"PK\x03\x04"
PARTS = "xl/workbook.xml"
"""What every Excel workbook of today holds."""
MOST_BYTES, MOST_UNPACKED, MOST_SHARED = 50_000_000, 400_000_000, 80_000_000
"""Bytes of a workbook, of its parts once unpacked, and of the texts that sheets share, which are held in memory."""
MOST_PARTS, MOST_SHEETS, MOST_COLUMNS = 1_000, 20, 500
MOST_CELLS = 2_000_000
MOST_IN_A_ROW = 20_000
"""XML elements of one row: they are held until it has been read."""
EXACT_BELOW = 10**15
"""Excel keeps fifteen digits of a number; what is longer has lost its last ones."""
NO_RESULT = "a formula that was never worked out; open the file in Excel, and save it"
AS_CSV = "Save the sheet as “CSV UTF-8” in Excel and give that; there is no such limit."
HELD = ("sst", "styleSheet")
"""Roots of the parts that are held in memory whole: shared texts, and formats."""
DAMAGED = "The workbook cannot be read. Open it in Excel and save it again as an Excel workbook (.xlsx), or save its sheet as CSV."


class Sheet(NamedTuple):
    """One sheet of a workbook as a text file. `caveats` says in sentences what a person should know of how it became text."""

    name: str
    path: Path
    caveats: tuple[str, ...]


def is_workbook(path: Path) -> bool:
    """Tell whether a file is an Excel workbook (.xlsx, .xlsm), whatever its name says; what cannot be opened is none."""
    try:
        with path.open("rb") as file:
            if not file.read(4).startswith(ZIP):
                return False
        with zipfile.ZipFile(path) as packed:
            return PARTS in packed.namelist()
    except (zipfile.BadZipFile, OSError, ValueError):
        return False


def sheets_of(path: Path, folder: Path) -> list[Sheet]:
    """Write every sheet with a table in it, hidden ones left out, as a CSV file (UTF-8) in a folder; raise FileRefused, with its cells.

    A line of the file is a row of the sheet. A formula counts as what it last came to.
    """
    try:
        formulas = _measure(path)
        return _read(path, folder, formulas)
    except FileRefused:
        raise
    except Exception as error:  # openpyxl fails on a damaged file in any way
        raise FileRefused(DAMAGED) from error


class _Measure:
    """Counts the elements of one part as they begin, and stops where there are more than any honest sheet has."""

    def __init__(self, cells: int) -> None:
        self.cells, self.formulas, self.root, self._row = cells, 0, "", 0

    def begin(self, name: str, attributes: object) -> None:
        """Count an element; a row of a sheet, or a text of those that sheets share, begins anew."""
        plain = name.rpartition(":")[2]
        self.root = self.root or plain
        self.cells += plain == "c"
        self.formulas += plain == "f"
        self._row = 0 if plain in ("row", "si") else self._row + 1
        if self.cells > MOST_CELLS:
            raise FileRefused(f"The workbook holds more than {MOST_CELLS:,} cells. {AS_CSV}")
        if self._row > MOST_IN_A_ROW:
            raise FileRefused(f"The workbook holds far more formats or cells in a row than a list has. {AS_CSV}")

    def refuse(self, *declared: object) -> None:
        """Refuse a part that declares a document type: no workbook does, and entities are how small files grow."""
        raise FileRefused(DAMAGED)


def _measure(path: Path) -> bool:
    """Go through a workbook's parts without keeping anything of them; tell whether it has formulas. Raise FileRefused beyond a limit."""
    if path.stat().st_size > MOST_BYTES:
        raise FileRefused(f"The workbook has more than {MOST_BYTES // 1_000_000} MB. {AS_CSV}")
    with zipfile.ZipFile(path) as packed:
        parts = packed.infolist()
        if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNPACKED:
            raise _too_large()
        cells = formulas = shared = 0
        # Every part, since nothing keeps a sheet from being called a picture.
        for part in parts:
            measure, parser = _Measure(cells), ParserCreate()
            parser.StartElementHandler, parser.StartDoctypeDeclHandler = measure.begin, measure.refuse
            with packed.open(part) as file:
                try:
                    parser.ParseFile(file)
                except ExpatError as error:
                    if part.filename.lower().endswith((".xml", ".rels")):
                        raise FileRefused(DAMAGED) from error
            shared += part.file_size if measure.root in HELD else 0
            if shared > MOST_SHARED:
                raise _too_large()
            cells, formulas = measure.cells, formulas + measure.formulas
    return formulas > 0


def _too_large() -> FileRefused:
    return FileRefused(f"The workbook is larger than {MOST_UNPACKED // 1_000_000} MB once unpacked. {AS_CSV}")


def _read(path: Path, folder: Path, has_formulas: bool) -> list[Sheet]:
    results = openpyxl.load_workbook(path, read_only=True, data_only=True)
    formulas = openpyxl.load_workbook(path, read_only=True) if has_formulas else None
    try:
        shown = [sheet for sheet in results.worksheets if sheet.sheet_state == "visible"]
        if len(shown) > MOST_SHEETS:
            raise FileRefused(f"The workbook has more than {MOST_SHEETS} sheets. Copy the list into a workbook of its own, or save it as CSV.")
        found = []
        for number, sheet in enumerate(shown, start=1):
            written = _write(sheet, formulas[sheet.title] if formulas else None, folder / f"{number}.csv")
            if written is not None:
                found.append(written)
        if not found:
            raise FileRefused("The workbook has no sheet with a table: nothing stands in two columns or more.")
        return found
    finally:
        results.close()
        if formulas is not None:
            formulas.close()


def _write(sheet: Any, formulas: Any, path: Path) -> Sheet | None:
    """Write one sheet as text; None where nothing on it is a table."""
    faults: list[RowFault] = []
    counted = lossy = errors = widest = width = rows = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        for line, (cells, sources) in enumerate(_side_by_side(sheet, formulas), start=1):
            written = [place for place, source in enumerate(sources) if source.data_type == "f"]
            faults += [RowFault(line, column_letter(place), NO_RESULT) for place in written if place >= len(cells) or cells[place].value is None]
            counted, lossy = counted + len(written), lossy + sum(map(_is_lossy, cells))
            errors += sum(cell.data_type == "e" for cell in cells)
            texts = [text_of(cell) for cell in cells]
            while texts and not texts[-1]:
                texts.pop()
            if len(texts) > MOST_COLUMNS:
                raise FileRefused(f"Row {line} of “{sheet.title}” has more than {MOST_COLUMNS} columns. {AS_CSV}")
            told = sum(1 for text in texts if text)
            if not rows or (rows <= MOST_TITLES and widest < FEWEST_COLUMNS <= told):
                width = len(texts)  # of the header, as far as is known: titles may stand before it
            rows, widest = rows + bool(told), max(widest, told)
            writer.writerow([*texts, *[""] * (width - len(texts))] if texts else [])
    if widest < 2:
        return None
    if faults:
        many = len(faults) > 1
        raise FileRefused(f"{len(faults):,} cell{'s hold formulas' if many else ' holds a formula'} without a result.", tuple(faults), len(faults))
    return Sheet(sheet.title, path, tuple(_caveats(counted, lossy, errors)))


def _caveats(formulas: int, lossy: int, errors: int) -> Iterator[str]:
    if formulas:
        yield f"{formulas:,} cell{'s hold formulas' if formulas > 1 else ' holds a formula'}; what Excel worked out last is taken."
    if errors:
        yield f"{errors:,} cell{'s hold' if errors > 1 else ' holds'} an error, such as #N/A, in place of a value."
    if lossy:
        cells = "numbers have" if lossy > 1 else "number has"
        yield (
            f"{lossy:,} {cells} more than fifteen digits, of which Excel has lost the last; rows that need them are refused. Take the export "
            "itself, without opening it in Excel."
        )


def _side_by_side(sheet: Any, formulas: Any) -> Iterator[tuple[Sequence[Any], Sequence[Any]]]:
    """Yield the rows of a sheet as they came out, each with its cells as they were written where the workbook has formulas."""
    sheet.reset_dimensions()  # what a file says about its size need not be true
    if formulas is None:
        yield from ((cells, ()) for cells in sheet.iter_rows())
        return
    formulas.reset_dimensions()
    yield from zip(sheet.iter_rows(), formulas.iter_rows(), strict=True)


def _is_lossy(cell: Any) -> bool:
    return isinstance(cell.value, int | float) and not isinstance(cell.value, bool) and abs(cell.value) >= EXACT_BELOW


def text_of(cell: Any) -> str:
    """Return a cell as an export would have written it: 12.5, 2026-03-03, true. A number Excel has cut is in powers of ten, which is refused."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, datetime):
        # Excel keeps a moment as a fraction of a day: 12:00:00 may come out as 11:59:59.999997
        moment = value if not value.microsecond else _rounded(value)
        return moment.date().isoformat() if moment.time() == time() else moment.isoformat(" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        return value.replace(microsecond=0).isoformat()
    return " ".join(str(value).replace("\0", "").split("\n")).replace("\r", " ")[:LONGEST_FIELD].strip()


def _rounded(moment: datetime) -> datetime:
    return (moment + timedelta(microseconds=500_000)).replace(microsecond=0)


def _number(value: Any) -> str:
    """Write a number with the fifteen digits that Excel shows and means; 4.9 is kept there as 4.9000000000000004."""
    if abs(value) >= EXACT_BELOW:
        return f"{value:.5E}"
    text = f"{Decimal(f'{value:.15g}'):f}"
    # three places could be read as thousands: 1.234
    return f"{text}0" if len(text.partition(".")[2]) == 3 else text


def column_letter(place: int) -> str:
    """Return how Excel calls a column, the first being 0: A, B … Z, AA."""
    name, left = "", place + 1
    while left:
        left, rest = divmod(left - 1, 26)
        name = chr(ord("A") + rest) + name
    return f"column {name}"
