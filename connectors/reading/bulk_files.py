"""Put the lines of bulk files together to records, without holding them in memory: an index on disk says which lines are whose.

Files tell records in lines that name their parents; parents mostly come first, but need not. Several files tell of the
same records. Records are numbered in the order in which they first appear.
"""

import os
import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

import msgspec

from connectors.faults import BadPayload
from connectors.spec import Bulk, Json

NAMES_HELD = 20_000
"""Names of records and parents kept in memory; others are looked up on disk."""
LINES_AT_ONCE = 20_000
DEEPEST = 10
"""Levels of lines beneath lines whose parents come later."""

_TABLES = """
    PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -8000; PRAGMA temp_store = FILE;
    CREATE TABLE name (id TEXT PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE line (n INTEGER NOT NULL, file INTEGER NOT NULL, at INTEGER NOT NULL, size INTEGER NOT NULL);
    CREATE TABLE orphan (parent TEXT NOT NULL, id TEXT, file INTEGER NOT NULL, at INTEGER NOT NULL, size INTEGER NOT NULL);
    CREATE TABLE whole (file INTEGER NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (file, n)) WITHOUT ROWID;
    CREATE TABLE told (records INTEGER NOT NULL, lost INTEGER NOT NULL);
"""

_decode = msgspec.json.decode


class BulkFile(NamedTuple):
    """One downloaded file; a partial one is complete up to its last whole record."""

    path: Path
    partial: bool


def build(to: Path, files: Sequence[BulkFile], bulk: Bulk, told: Callable[[int], None]) -> None:
    """Make the index of some files, whole or not at all; `told` hears the lines so far. Raise BadPayload for a file that is not JSON by lines."""
    draft = to.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    with closing(sqlite3.connect(draft, isolation_level=None)) as database:
        database.executescript(_TABLES)
        database.execute("BEGIN")
        builder = _Builder(database, bulk, told)
        for number, file in enumerate(files):
            builder.read(number, file)
        builder.finish()
        database.execute("COMMIT")
    # Only a complete index ever has the name that is looked for.
    draft.rename(to)


class _Builder:
    """Reads files line by line and notes which record each line belongs to."""

    def __init__(self, database: sqlite3.Connection, bulk: Bulk, told: Callable[[int], None]) -> None:
        self._database, self._bulk, self._told = database, bulk, told
        self._names: dict[str, int] = {}
        self._new_names: list[tuple[str, int]] = []
        self._lines: list[tuple[int, int, int, int]] = []
        self._records = self._read = 0

    def read(self, number: int, file: BulkFile) -> None:
        """Read one file."""
        at, last = 0, None
        with file.path.open("rb") as lines:
            for raw in lines:
                if raw.strip():
                    last = self._line(number, at, raw, is_last=not raw.endswith(b"\n"), partial=file.partial) or last
                at += len(raw)
        self._flush()
        if file.partial and last is not None:
            self._database.execute("DELETE FROM whole WHERE file = ? AND n = ?", (number, last))

    def _line(self, number: int, at: int, raw: bytes, *, is_last: bool, partial: bool) -> int | None:
        """Note a line; return its record's number when it begins one."""
        try:
            line = _decode(raw)
        except (msgspec.DecodeError, RecursionError) as error:
            if partial and is_last:
                return None
            raise BadPayload(f"The bulk file holds a line that is not JSON, at byte {at:,}.") from error
        if not isinstance(line, dict):
            raise BadPayload(f"The bulk file holds a line that is no JSON object, at byte {at:,}.")
        self._read += 1
        root = self._bulk.root(line)
        if root is not None:
            found = self._find(root)
            if found is None:
                self._records += 1
                found = self._records
                self._name(root, found)
            if partial:
                self._database.execute("INSERT OR IGNORE INTO whole VALUES (?, ?)", (number, found))
        else:
            parent, own = self._bulk.parent(line), self._bulk.identity(line)
            found = self._find(parent) if parent is not None else None
            if found is None:
                self._database.execute("INSERT INTO orphan VALUES (?, ?, ?, ?, ?)", (parent or "", own, number, at, len(raw)))
                return None
            if own is not None:
                self._name(own, found)
        self._lines.append((found, number, at, len(raw)))
        if len(self._lines) >= LINES_AT_ONCE:
            self._flush()
        return found if root is not None else None

    def _find(self, name: str) -> int | None:
        found = self._names.get(name)
        if found is None:
            if len(self._names) > NAMES_HELD:
                self._flush()
                self._names.clear()
            row = self._database.execute("SELECT n FROM name WHERE id = ?", (name,)).fetchone()
            if row is None:
                return None
            found = self._names[name] = row[0]
        return found

    def _name(self, name: str, number: int) -> None:
        self._names[name] = number
        self._new_names.append((name, number))

    def _flush(self) -> None:
        self._database.executemany("INSERT OR IGNORE INTO name VALUES (?, ?)", self._new_names)
        self._database.executemany("INSERT INTO line VALUES (?, ?, ?, ?)", self._lines)
        self._new_names, self._lines = [], []
        self._told(self._read)

    def finish(self) -> None:
        """Find the records of lines whose parents came after them, and sort."""
        for _ in range(DEEPEST):
            self._database.execute("CREATE TEMP TABLE found AS SELECT o.rowid AS own, o.*, n FROM orphan o JOIN name ON name.id = o.parent")
            self._database.execute("INSERT INTO line SELECT n, file, at, size FROM found")
            self._database.execute("INSERT OR IGNORE INTO name SELECT id, n FROM found WHERE id IS NOT NULL")
            adopted = self._database.execute("DELETE FROM orphan WHERE rowid IN (SELECT own FROM found)").rowcount
            self._database.execute("DROP TABLE found")
            if not adopted:
                break
        self._database.execute("CREATE INDEX line_by_record ON line (n, file, at, size)")
        self._database.execute("INSERT INTO told SELECT ?, (SELECT count(*) FROM orphan)", (self._records,))


class BulkRecords:
    """Reads the records of indexed files."""

    def __init__(self, index: Path, files: Sequence[BulkFile]) -> None:
        self._stack = ExitStack()
        self._database = self._stack.enter_context(closing(sqlite3.connect(f"file:{index}?mode=ro", uri=True)))
        self._files = [self._stack.enter_context(file.path.open("rb")).fileno() for file in files]
        self._partial = [number for number, file in enumerate(files) if file.partial]
        self.count, self.lost = self._database.execute("SELECT records, lost FROM told").fetchone()
        """How many records there are, and how many lines name a parent that is in no file."""

    def __enter__(self) -> "BulkRecords":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.close()

    def lines(self, first: int, beyond: int) -> Iterator[list[Json]]:
        """Yield the lines of each whole record whose number is at least `first` and below `beyond`."""
        wanted = "".join(f" AND EXISTS (SELECT 1 FROM whole WHERE file = {number} AND whole.n = line.n)" for number in self._partial)
        rows = self._database.execute(f"SELECT n, file, at, size FROM line WHERE n >= ? AND n < ?{wanted} ORDER BY n, file, at", (first, beyond))
        number: int | None = None
        own: list[Json] = []
        for n, file, at, size in rows:
            if n != number and own:
                yield own
                own = []
            number = n
            own.append(_decode(os.pread(self._files[file], size, at)))
        if own:
            yield own


def forget(every: Path, *, connections: Collection[int], before: datetime) -> None:
    """Delete what was left lying: of connections that are not among those that read, or since before a moment, when another machine went on."""
    read = {str(connection) for connection in connections}
    for folder in every.iterdir() if every.is_dir() else ():
        if folder.name.partition("-")[0] not in read or folder.stat().st_mtime < before.timestamp():
            remove(folder)


def remove(folder: Path) -> None:
    """Delete the files of one stream."""
    if folder.is_dir():
        for path in folder.iterdir():
            path.unlink(missing_ok=True)
        with suppress(OSError):
            folder.rmdir()
