"""Read rows of text from a file as it comes: plain or gzip, in the encodings and dialects that exports use."""

import codecs
import csv
import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import BinaryIO, NamedTuple

from connectors.platforms.files.faults import FileRefused

MOST_BYTES = 2_000_000_000
"""Bytes of text in one file at most; larger ones are to be split."""
MOST_ROWS = 20_000_000
LONGEST_FIELD = 100_000
LONGEST_LINE = 10_000_000
"""Bytes without an end of line: a small packed file can hold gigabytes of them, and a line is read whole."""
MOST_TITLES = 9
"""Rows with a title, a span of days and the like that may stand before the header."""
FEWEST_COLUMNS = 3
"""Columns of a header that titles stand before."""
GZIP_MAGIC = b"\x1f\x8b"
DELIMITERS = ",;\t|"
BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


OTHER_FORMS = (
    # how a file begins, what it is then, and what to do
    (
        b"PK\x03\x04",
        "a ZIP archive, or a spreadsheet that is no Excel workbook (.ods, .xlsb)",
        "Unpack it and give the file inside, or open it and save it as an Excel workbook (.xlsx) or as CSV.",
    ),
    (
        b"\xd0\xcf\x11\xe0",
        "an old Excel file (.xls), or a workbook with a password",
        "Open it in Excel, choose “Save as”, and take “Excel workbook (.xlsx)” without a password, or “CSV UTF-8”.",
    ),
    (b"%PDF", "a PDF document", "Export the same list as CSV."),
    (b"\xff\xd8\xff", "a JPEG picture", "Export the list as CSV."),
    (b"\x89PNG", "a PNG picture", "Export the list as CSV."),
    (b"<!doctype", "a web page", "The download has probably asked to sign in. Sign in and download the file again."),
    (b"<html", "a web page", "The download has probably asked to sign in. Sign in and download the file again."),
)


class Dialect(NamedTuple):
    """How a file is written: its encoding and its delimiter, found or given."""

    encoding: str
    delimiter: str


class _Measured(io.RawIOBase):
    """Counts the bytes of text as they are read and stops at the limit."""

    def __init__(self, source: BinaryIO, *, zeros: bool) -> None:
        self._source, self._zeros, self.read_so_far, self._in_line = source, zeros, 0, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        data = self._source.read(len(buffer))
        self.read_so_far += len(data)
        if self.read_so_far > MOST_BYTES:
            raise FileRefused(f"The file holds more than {MOST_BYTES // 1_000_000_000} GB of text. Export it in smaller spans, such as a month each.")
        if not self._zeros and b"\0" in data:
            raise FileRefused("The file holds zero bytes, so it is no text. Export it as CSV, or save it as an Excel workbook (.xlsx).")
        self._in_line = len(data) - ends - 1 if (ends := max(data.rfind(b"\n"), data.rfind(b"\r"))) >= 0 else self._in_line + len(data)
        if self._in_line > LONGEST_LINE:
            raise FileRefused(f"The file has a line of more than {LONGEST_LINE // 1_000_000} MB, which no table has. Export it as CSV again.")
        buffer[: len(data)] = data
        return len(data)


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes; refuse one that is too large or cannot be read."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise FileRefused(f"{path.name} is larger than {MOST_BYTES // 1_000_000_000} GB. Export it in smaller spans, such as a month each.")
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise FileRefused(f"{path} cannot be read: {error.strerror}. Check the path and who may read it.") from error


def find_dialect(path: Path, *, encoding: str = "auto", delimiter: str = "auto") -> Dialect:
    """Find how a file is written where that is not given.

    A byte-order mark decides; else the file is UTF-8 if all of it is, else Windows-1252, as spreadsheets write.
    """
    _refuse_other_forms(path)
    with _faults_in_words(_Place(), encoding):
        found = _find_encoding(path) if encoding == "auto" else encoding
        with _text(path, found) as text:
            header = _header_line(text)
    if delimiter == "auto":
        delimiter = max(DELIMITERS, key=header.count)
    return Dialect(found, delimiter)


def _refuse_other_forms(path: Path) -> None:
    """Refuse a file that is no text whatever its name ends with."""
    with path.open("rb") as file:
        start = file.read(16).lstrip()
    for mark, what, advice in OTHER_FORMS:
        if start.startswith(mark) or start.lower().startswith(mark):
            raise FileRefused(f"{path.name} is {what}, not a CSV file, whatever its name says. {advice}")


def _find_encoding(path: Path) -> str:
    with _bytes(path, zeros=True) as file:
        start = file.read(4)
    for mark, name in BOMS:
        if start.startswith(mark):
            return name
    with _bytes(path) as file:
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while block := file.read(1 << 20):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1252"
    return "utf-8"


def _bytes(path: Path, *, zeros: bool = False) -> io.BufferedReader:
    """Open a file for reading its text's bytes, unpacked; zero bytes belong to UTF-16 only."""
    raw = path.open("rb")
    magic = raw.read(2)
    raw.seek(0)
    source: BinaryIO = gzip.GzipFile(fileobj=raw) if magic == GZIP_MAGIC else raw  # type: ignore[assignment]
    return io.BufferedReader(_Measured(source, zeros=zeros), 1 << 20)


def _text(path: Path, encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(_bytes(path, zeros=encoding.lower().startswith("utf-16")), encoding=encoding, newline="")


class _Place:
    """The last line that was read well."""

    line = 0


@contextmanager
def _faults_in_words(place: _Place, encoding: str = "") -> Iterator[None]:
    """Turn what the decoders raise into what happened, after which line, and what to do."""
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise FileRefused(f"The gzip file is cut or damaged after line {place.line}. Download or pack it again.") from error
    except UnicodeError as error:
        raise FileRefused(
            f"After line {place.line} come bytes that are not {encoding}. Save the file as UTF-8, or name its encoding in the template."
        ) from error
    except LookupError as error:
        raise FileRefused(f"“{encoding}” is no encoding that is known here. Use utf-8, cp1252 or utf-16.") from error
    except csv.Error as error:
        if "unexpected end" in str(error):
            raise FileRefused(
                f"The file ends inside a quoted field that begins after line {place.line}: it was cut off, or a quote is missing. Download it again."
            ) from error
        raise FileRefused(f"The row after line {place.line} is not valid CSV ({error}). Check its quotes and delimiter.") from error


def _header_line(text: io.TextIOWrapper) -> str:
    """Return the line that names the columns, as far as can be told before the delimiter is known: titles may come before it."""
    first = text.readline()
    if any(mark in first for mark in DELIMITERS):
        return first
    return next((line for line in islice(text, MOST_TITLES) if max(map(line.count, DELIMITERS)) >= FEWEST_COLUMNS), first)


def table(path: Path, dialect: Dialect) -> Iterator[tuple[int, list[str]]]:
    """Yield (line number, fields) from the header on: titles that stand alone in the rows before it, as reports have, are left out."""
    titles: list[tuple[int, list[str]]] = []
    stream = rows(path, dialect)
    for line, fields in stream:
        told = sum(1 for text in fields if text.strip())
        if told == 1 and len(titles) < MOST_TITLES:
            titles.append((line, fields))
            continue
        if told < FEWEST_COLUMNS:
            yield from titles
        yield line, fields
        yield from stream
        return
    yield from titles


def is_long(path: Path, most: int) -> bool:
    """Tell whether a file has more rows than that below its header; no more than those are looked at."""
    return sum(1 for _ in islice(rows(path, find_dialect(path)), most + 2)) > most + 1


def rows(path: Path, dialect: Dialect) -> Iterator[tuple[int, list[str]]]:
    """Yield (line number, fields) of every row that is not blank, the header first.

    Raises FileRefused for a cut gzip, bytes that are not in the encoding, and rows that are no CSV.
    """
    place, wide = _Place(), dialect.encoding.lower().startswith("utf-16")
    csv.field_size_limit(LONGEST_FIELD)
    with _faults_in_words(place, dialect.encoding), _text(path, dialect.encoding) as text:
        reader = csv.reader(text, delimiter=dialect.delimiter, strict=True)
        for fields in reader:
            if fields:
                place.line = line = reader.line_num
                if wide and any("\0" in field for field in fields):
                    raise FileRefused(f"Line {line} holds a zero character, which no text has. Take it out, or export the file again.")
                yield line, fields
                if line > MOST_ROWS:
                    raise FileRefused(f"The file holds more than {MOST_ROWS:,} lines. Export it in smaller spans.")
