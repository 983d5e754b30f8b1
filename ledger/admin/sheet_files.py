"""Read and write the two kinds of spreadsheet files, CSV and XLSX, within limits that no file can be made to exceed."""

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from xml.parsers.expat import ExpatError, ParserCreate

import openpyxl
import tablib
from import_export.formats import base_formats

MOST_BYTES = 2_000_000
"""Bytes of a file at most."""
MOST_UNPACKED = 30_000_000
"""Bytes of an XLSX file's parts once unpacked; a small file can be made to hold gigabytes."""
MOST_ELEMENTS, MOST_IN_A_ROW = 1_500_000, 20_000
"""XML elements of an XLSX file's parts, and of one row: each takes memory many times its own size until its row has been read."""
MOST_ROWS = 5_000
"""Rows of a file at most, the headings not counted."""
MOST_BLANK = 20_000
"""Rows looked at in an XLSX file, blank ones included."""
MOST_COLUMNS = 60
LONGEST_CELL = 1_000
LINE = "\0line"
"""The column that says where in the file a row stands; no heading can be called so."""
DELIMITERS = ("\t", ";", ",")
OLD_EXCEL, ZIP = b"\xd0\xcf\x11\xe0", b"PK\x03\x04"
LARGER = f"More than {MOST_ROWS:,} rows are not read here. Split the file, or import product costs with the command import_file."

Rows = Iterator[tuple[int, list[str]]]
"""Rows of cells with their line in the file; blank ones are left out."""


class FileRefused(ValueError):
    """Say why a file cannot be read as a whole, and what to do."""


def dataset_of(data: bytes) -> tablib.Dataset:
    """Read a file as it is uploaded into rows of text under their headings, each with its line; raise FileRefused."""
    if len(data) > MOST_BYTES:
        raise FileRefused(f"The file is larger than {MOST_BYTES // 1_000_000} MB. {LARGER}")
    if data.startswith(OLD_EXCEL):
        raise FileRefused("This is the old Excel format (.xls). Save it as an Excel workbook (.xlsx) or as CSV.")
    return under_headings(_xlsx_rows(data) if data.startswith(ZIP) else csv_rows(decoded(data)))


def under_headings(rows: Rows) -> tablib.Dataset:
    """Lay rows under the first of them; raise FileRefused where a value has no heading or a heading stands twice."""
    first = next(rows, None)
    if first is None:
        raise FileRefused("The file is empty.")
    headings = [cell.strip() for cell in first[1]]
    while headings and not headings[-1]:
        headings.pop()
    named = [heading.casefold() for heading in headings if heading]
    twice = next((heading for heading in headings if heading and named.count(heading.casefold()) > 1), None)
    if twice is not None:
        raise FileRefused(f"The heading “{twice}” stands there twice. Keep one of the columns.")
    places = [place for place, heading in enumerate(headings) if heading]
    laid = tablib.Dataset(headers=[LINE, *(headings[place] for place in places)])
    for line, cells in rows:
        if len(laid) == MOST_ROWS:
            raise FileRefused(LARGER)
        homeless = next((place for place, cell in enumerate(cells) if cell and (place >= len(headings) or not headings[place])), None)
        if homeless is not None:
            raise FileRefused(f"Row {line} has a value in column {homeless + 1}, which has no heading. Name the column or clear it.")
        laid.append([line, *(cells[place] if place < len(cells) else "" for place in places)])
    if not len(laid):
        raise FileRefused("The file has headings and no row beneath them.")
    return laid


def decoded(data: bytes) -> str:
    """Return a file's text: by its byte-order mark, as UTF-8, or as Windows-1252, which spreadsheets write."""
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if wide else ("utf-8-sig", "cp1252"):
        try:
            text = data.decode(encoding)
        except UnicodeError:
            continue
        if "\0" not in text:
            return text
    raise FileRefused("The file is neither a spreadsheet (.xlsx) nor text. Save it as one of the two.")


def csv_rows(text: str) -> Rows:
    """Yield the rows of a CSV text, whose first line tells the delimiter: a tab, a semicolon or a comma."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    try:
        yield from _filled((reader.line_num, fields) for fields in reader)
    except csv.Error as error:
        raise FileRefused(f"Row {reader.line_num} is not valid CSV ({error}). Check its quotes.") from error


def has_semicolons(data: bytes) -> bool:
    """Tell whether a file is text with semicolons between its cells, as spreadsheets write it where the comma is the decimal sign."""
    return not data.startswith(ZIP) and _delimiter(decoded(data)) == ";"


def _delimiter(text: str) -> str:
    first = next((line for line in text.splitlines() if line.strip()), "")
    return max(DELIMITERS, key=first.count)


def _xlsx_rows(data: bytes) -> Rows:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            if sum(part.file_size for part in packed.infolist()) > MOST_UNPACKED:
                raise FileRefused(f"The workbook is larger than {MOST_UNPACKED // 1_000_000} MB once unpacked. Keep one plain sheet in it.")
            _refuse_crowded(packed)
        workbook = openpyxl.load_workbook(io.BytesIO(data), read_only=True)
        sheet = workbook.worksheets[0]
        sheet.reset_dimensions()  # what a file says about its size need not be true
        rows = ((line, [_text(cell) for cell in cells]) for line, cells in enumerate(sheet.iter_rows(max_col=MOST_COLUMNS + 1), 1))
        yield from _filled(_looked_at(rows))
    except FileRefused:
        raise
    except Exception as error:  # openpyxl fails on a damaged file in any way
        raise FileRefused("The workbook cannot be read. Open it, save it again as an Excel workbook (.xlsx), or save it as CSV.") from error


class _Crowd:
    """Counts the elements of a workbook as they begin, and stops where there are more than any honest sheet has."""

    def __init__(self) -> None:
        self.whole = self.row = 0

    def begin(self, name: str, attributes: object) -> None:
        """Count an element; a row of a sheet, or a text of those that sheets share, begins anew."""
        self.whole += 1
        self.row = 0 if name.rpartition(":")[2] in ("row", "si") else self.row + 1
        if self.whole > MOST_ELEMENTS or self.row > MOST_IN_A_ROW:
            raise FileRefused(
                "The workbook holds far more cells or formats than a list of costs needs. Copy the list into a new one, or save it as CSV."
            )


def _refuse_crowded(packed: zipfile.ZipFile) -> None:
    """Go through a workbook's parts without keeping anything of them; raise FileRefused."""
    crowd = _Crowd()
    for part in packed.infolist():
        parser = ParserCreate()
        parser.StartElementHandler = crowd.begin
        with packed.open(part) as file, suppress(ExpatError):  # a picture is no XML, and damage is told when the sheet is read
            parser.ParseFile(file)


def _looked_at(rows: Iterable[tuple[int, list[str]]]) -> Rows:
    for line, cells in rows:
        if line > MOST_BLANK:
            raise FileRefused(f"The sheet goes on beyond row {MOST_BLANK:,}. Delete the blank rows in between. {LARGER}")
        yield line, cells


def _filled(rows: Iterable[tuple[int, list[str]]]) -> Rows:
    for line, fields in rows:
        cells = [cell.strip() for cell in fields]
        if len(cells) > MOST_COLUMNS and any(cells[MOST_COLUMNS:]):
            raise FileRefused(f"Row {line} has more than {MOST_COLUMNS} columns.")
        if any(len(cell) > LONGEST_CELL for cell in cells):
            raise FileRefused(f"Row {line} has a cell of more than {LONGEST_CELL:,} letters.")
        if any(cells):
            yield line, cells


def _text(cell: Any) -> str:
    """Write a cell of a workbook the way a person reads it there."""
    value = cell.value
    if value is None:
        return ""
    if cell.data_type == "f":
        return "=formula"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        # Fifteen digits are what Excel shows and means; 4.9 is kept as 4.9000000000000004.
        text = f"{value:.15g}"
        return f"{Decimal(text).scaleb(2).normalize():f} %" if "%" in str(cell.number_format) else text
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ")
    return value.isoformat() if isinstance(value, date) else str(value)


class CsvSheet(base_formats.CSV):  # type: ignore[misc]  # the library has no types
    """CSV as text under headings."""

    def create_dataset(self, in_stream: bytes, **kwargs: Any) -> tablib.Dataset:
        """Read a file within the limits."""
        return dataset_of(in_stream)


class XlsxSheet(base_formats.XLSX):  # type: ignore[misc]  # the library has no types
    """An Excel workbook as text under headings."""

    def create_dataset(self, in_stream: bytes) -> tablib.Dataset:
        """Read a file within the limits."""
        return dataset_of(in_stream)
