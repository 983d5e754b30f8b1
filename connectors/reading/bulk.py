"""Read the past of a stream through files that the platform makes: start them, wait for them by jobs, fetch, put together, take.

Where the files end early, what is whole in them is taken and the rest asked for again. Where the platform makes none,
the stream is read page by page.
"""

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from django.conf import settings
from django.db import transaction
from msgspec import Struct, field

from connectors.faults import BadPayload, Denied, Expired, RetryLater, TooBig
from connectors.files.kind import Guard, Progress
from connectors.http import Client, ForeignHost
from connectors.models import SyncCursor
from connectors.reading import bulk_files, runs
from connectors.reading.bulk_files import BulkFile, BulkRecords
from connectors.reading.downloading import TooSlow, Unfinished
from connectors.reading.paged import Limits
from connectors.reading.runs import Run
from connectors.reading.taking import Received, Taker
from connectors.spec import Bulk, BulkState, Json, Stream, Window

CHUNK = 1_000
"""Records recorded at once."""
WORTH_WHILE = 250
"""Fewer records than that are there sooner page by page."""
FIRST_WAIT, LONGEST_WAIT, LONGER = 2.0, 60.0, 1.5
"""Seconds between two looks at the files under way, and by how much each is longer than the one before."""
MOST_TRIES = 3
"""Times that files are asked for, or fetched too slowly, before the stream is read page by page."""
FETCH_SECONDS = 1_200.0
"""For fetching files in one run; the next goes on with them."""


class Refused(Exception):
    """Say that the past cannot be read by files; page by page it can."""


class Progressed(NamedTuple):
    """How far a run came: everything is read, or the next can go on after `wait` seconds."""

    done: bool
    wait: float = 0.0
    idle: bool = False
    """Nothing happened but a look."""


class BulkPosition(Struct, kw_only=True):
    """How far the reading by files is."""

    first: str
    """Digest of the questions: where they have changed with a new version, the files are asked for anew."""
    operations: list[str] = field(default_factory=list)
    looks: int = 0
    tries: int = 1
    slow: int = 0
    """Times that a file came too slowly."""
    next: int = 1
    """Number of the next record."""
    newest: datetime | None = None


def is_for(stream: Stream, cursor: SyncCursor) -> bool:
    """Tell whether the next run of a stream reads by files."""
    return stream.bulk is not None and cursor.backfilled_at is None and (cursor.position is None or "bulk" in cursor.position)


class Backfill:
    """Reads the past of one stream in one run."""

    def __init__(
        self, run: Run, stream: Stream, bulk: Bulk, cursor: SyncCursor, client: Client, taker: Taker, *, limits: Limits, progress: Progress,
        guard: Guard, now: datetime, clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._run, self._stream, self._bulk, self._cursor, self._client, self._taker = run, stream, bulk, cursor, client, taker
        self._limits, self._progress, self._guard, self._now, self._clock = limits, progress, guard, now, clock
        self._started, sent = clock(), client.sent
        self._folder = folder_of(stream, cursor)
        run.requests = lambda: client.sent - sent

    def read(self) -> Progressed:
        """Read on; raise Refused when the platform makes no files."""
        window = self._window()
        runs.window_of(self._run, since=window.since, until=window.until)
        questions = self._bulk.start(window)
        position = self._position(questions)
        if len(position.operations) < len(questions):
            self._start(window, position)
            return Progressed(False, FIRST_WAIT)
        states = [self._state(operation) for operation in position.operations]
        if not all(state.done for state in states):
            return self._wait(window, position, states)
        if any(state.failure and not state.partial for state in states):
            return self._again(window, position, "; ".join(state.failure for state in states if state.failure))
        try:
            files = self._files(position, states)
        except (Expired, BadPayload) as fault:
            return self._again(window, position, fault.reason)
        except Unfinished:
            return Progressed(False, FIRST_WAIT)
        except TooSlow as fault:
            position.slow += 1
            self._note(window, position)
            if position.slow >= MOST_TRIES:
                raise Refused(fault.reason) from fault
            raise
        return self._take(window, position, files)

    def _window(self) -> Window:
        cursor = self._cursor
        if cursor.until is not None:
            return Window(since=cursor.since, until=cursor.until)
        settle = self._stream.cursor.settle if self._stream.cursor else timedelta(0)
        window = Window(since=None, until=self._now - settle)
        if self._stream.count is not None and self._counted(window) < WORTH_WHILE:
            raise Refused("so few records are there sooner page by page")
        return Window(since=None, until=self._there() - settle)

    def _there(self) -> datetime:
        """Return the platform's present, by its own clock where it has told it."""
        return self._now + (self._client.ahead or timedelta(0))

    def _counted(self, window: Window) -> int:
        assert self._stream.count is not None  # noqa: S101  the caller looks
        try:
            return self._stream.counted(self._client.send(self._stream.count(window)).json())
        except (BadPayload, Denied, TooBig):
            return WORTH_WHILE

    def _position(self, questions: Sequence[Any]) -> BulkPosition:
        first = blake2b(msgspec.json.encode(questions, order="deterministic"), digest_size=8).hexdigest()
        try:
            kept = msgspec.convert((self._cursor.position or {})["bulk"], BulkPosition)
        except (KeyError, msgspec.ValidationError):
            return BulkPosition(first=first)
        return kept if kept.first == first else BulkPosition(first=first)

    def _start(self, window: Window, position: BulkPosition) -> None:
        """Ask for the files that are not asked for yet, each noted at once; raise Refused when the platform makes none."""
        for question in self._bulk.start(window)[len(position.operations) :]:
            try:
                started = self._bulk.started(self._client.send(question).json())
            except (Denied, BadPayload, TooBig, Expired) as fault:
                raise Refused(fault.reason) from fault
            position.operations = [*position.operations, started]
            self._note(window, position)
        self._progress(f"{self._stream.label}: files asked for", 0, 0)

    def _state(self, operation: str) -> BulkState:
        return self._bulk.state(self._client.send(self._bulk.poll(operation)).json())

    def _wait(self, window: Window, position: BulkPosition, states: Sequence[BulkState]) -> Progressed:
        """Come back later, after a longer while each time."""
        wait = min(LONGEST_WAIT, FIRST_WAIT * LONGER**position.looks)
        position.looks = min(position.looks + 1, 20)
        self._note(window, position)
        self._progress(f"{self._stream.label}: the platform makes files", sum(state.count for state in states), 0)
        return Progressed(False, wait, idle=True)

    def _again(self, window: Window, position: BulkPosition, why: str, *, since: datetime | None = None) -> Progressed:
        """Ask for the files anew, for what comes after `since`; raise Refused when that was tried often enough."""
        bulk_files.remove(self._folder)
        window = Window(since=since or window.since, until=window.until)
        if position.tries >= MOST_TRIES:
            self._note(window, position)
            raise Refused(why)
        anew = self._position(self._bulk.start(window))
        self._note(window, BulkPosition(first=anew.first, tries=position.tries + 1, newest=position.newest))
        return Progressed(False, FIRST_WAIT)

    def _files(self, position: BulkPosition, states: Sequence[BulkState]) -> list[BulkFile]:
        """Return the files on this machine's disk, fetched where they are not there yet; raise Expired when they are there no more."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        named = blake2b("\n".join(position.operations).encode(), digest_size=8).hexdigest()
        files = []
        for number, (operation, state) in enumerate(zip(position.operations, states, strict=True)):
            path = self._folder / f"{named}-{number}.jsonl"
            if not path.exists():
                self._fetch(operation, state, path)
            files.append(BulkFile(path, state.partial))
        index = self._index(position)
        if not index.exists():
            label = f"{self._stream.label}: putting lines together"
            bulk_files.build(index, files, self._bulk, lambda lines: self._progress(label, lines, 0))
        return files

    def _index(self, position: BulkPosition) -> Path:
        named = blake2b("\n".join(position.operations).encode(), digest_size=8).hexdigest()
        path: Path = self._folder / f"{named}.sqlite"
        return path

    def _fetch(self, operation: str, state: BulkState, path: Path) -> None:
        """Fetch one file, whole or not at all; nothing is in it where it has no address. An address that has expired is asked for once more."""
        label = f"{self._stream.label}: fetching files"
        for url in (state.url, None):
            address = url if url is not None or state.url is None else self._state(operation).url
            if address is None:
                path.touch()
                return
            seconds = max(0.0, FETCH_SECONDS - (self._clock() - self._started))
            try:
                self._client.download(address, path, told=lambda size: self._progress(label, size, 0), seconds=seconds)
            except Expired:
                if url is None:
                    raise
                continue
            except ForeignHost as error:
                raise Refused(str(error)) from error
            except OSError as error:
                raise RetryLater(f"A file of “{self._stream.label}” could not be kept on this server: {error.strerror}.") from error
            return

    def _take(self, window: Window, position: BulkPosition, files: Sequence[BulkFile]) -> Progressed:
        """Take the records, some at a time."""
        self._taker.asked_at = window.until
        with BulkRecords(self._index(position), files) as records:
            while position.next <= records.count:
                if self._is_over():
                    return Progressed(False)
                beyond = position.next + CHUNK
                found = self._taker.gather([self._assembled(lines) for lines in records.lines(position.next, beyond)])
                position.next = beyond
                position.newest = max((each for each in (position.newest, found.newest) if each is not None), default=None)
                done = min(beyond - 1, records.count)
                self._taker.write(moves={**self._amid(window, position), "done": done, "whole": records.count})
                self._progress(self._stream.label, done, records.count)
            lost = records.lost
        if any(file.partial for file in files):
            return self._rest(window, position)
        if lost:
            return self._again(window, position, f"{lost:,} lines of the files name a record that is in none of them")
        self._finish(window, position)
        return Progressed(self._stream.cursor is None or self._there() - window.until <= self._stream.every)

    def _assembled(self, lines: list[Json]) -> Received:
        """Put a record together, and fetch what no file tells of it."""
        try:
            record = self._bulk.assemble(lines)
        except BadPayload as fault:
            return Received({**lines[0], "lines": lines[1:]}, fault.reason)
        if self._stream.complete is None:
            return Received(record)
        try:
            return Received(self._stream.complete(record, self._client.send))
        except BadPayload as fault:
            return Received(record, fault.reason)

    def _rest(self, window: Window, position: BulkPosition) -> Progressed:
        """Ask for what comes after the last whole record; for everything again where the files are in no order."""
        how = self._stream.cursor
        since = min(position.newest, window.until) - how.overlap if self._bulk.in_order and how and position.newest else None
        return self._again(window, position, "the files ended early each time", since=since)

    def _finish(self, window: Window, position: BulkPosition) -> None:
        """Note that the past is read."""
        how, seen = self._stream.cursor, None
        if how is not None and position.newest is not None:
            seen = min(position.newest, window.until) - how.overlap
        with transaction.atomic():
            runs.move(self._cursor, seen_through=seen, since=None, until=None, position=None, backfilled_at=self._now)
            self._run.fence()
            self._guard()
        bulk_files.remove(self._folder)

    def _is_over(self) -> bool:
        return self._clock() - self._started >= self._limits.seconds or self._run.records >= self._limits.records

    def _note(self, window: Window, position: BulkPosition) -> None:
        with transaction.atomic():
            runs.move(self._cursor, **self._amid(window, position))
            self._run.fence()
            self._guard()

    def _amid(self, window: Window, position: BulkPosition) -> dict[str, Any]:
        return {"since": window.since, "until": window.until, "position": {"bulk": msgspec.to_builtins(position)}}


def give_up(stream: Stream, cursor: SyncCursor) -> None:
    """Let the past be read page by page, in the window that was begun."""
    bulk_files.remove(folder_of(stream, cursor))
    runs.move(cursor, position=None)


def folder_of(stream: Stream, cursor: SyncCursor) -> Path:
    """Return where the files of a stream are while they are read."""
    folder: Path = settings.BULK_FOLDER / f"{cursor.connection_id}-{stream.name}"
    return folder
