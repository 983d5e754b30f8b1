"""Read a stream page by page, in windows of the platform's own time of change.

A window ends a while before the platform's present and begins an overlap before the latest change that was seen. Where
in a window a run is, is kept with the rows of each page, so that the next run goes on at that page.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

import msgspec
from msgspec import Struct, field

from connectors.faults import BadPayload, Denied, Expired, Fault, TooBig
from connectors.files.kind import Progress
from connectors.http import Client
from connectors.models import SyncCursor
from connectors.reading import runs
from connectors.reading.runs import Run
from connectors.reading.taking import Received, Taker
from connectors.spec import Cursor, Json, Request, Response, Stream, Window

ASKED_KEPT = 20
"""So many requests are remembered from run to run, so that a circle of pages is seen that takes longer than a run."""
CLOCKS_AGREE = timedelta(seconds=5)
GROW_AFTER = 5
"""Pages that came well before more is asked for at once again."""
SLICE_SECONDS = 10.0
"""Records that are completed one by one are committed so often, in the middle of a page too."""
PATIENCE = 2.0
"""Seconds that a record waits for others, to be written with them."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one run may take; then it ends as partial, and the next goes on."""

    seconds: float = 30.0
    pages: int = 5_000
    records: int = 100_000
    at_once: int = 1_000
    """Records that are written in one transaction where small pages come fast: most of what writing asks of the database is per transaction."""


class Position(Struct, kw_only=True):
    """Where in a window the next run goes on."""

    first: str
    """Digest of the window's first request: where that has changed with a new version, the window is read anew."""
    next: Request
    asked: list[str] = field(default_factory=list)
    newest: datetime | None = None
    size: int | None = None
    """Records to ask for at once, where the platform did not take as many as we would."""
    taken: list[str] = field(default_factory=list)
    """Ids of records of this page that are recorded."""


class Paging:
    """Reads one stream in one run."""

    def __init__(
        self, run: Run, stream: Stream, cursor: SyncCursor, client: Client, taker: Taker, *, limits: Limits, progress: Progress, now: datetime,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._run, self._stream, self._cursor, self._client, self._taker = run, stream, cursor, client, taker
        self._limits, self._progress, self._now, self._clock = limits, progress, now, clock
        self._started, sent = clock(), client.sent
        run.requests = lambda: client.sent - sent
        self._resumed = cursor.is_amid
        self._window: Window
        self._position: Position
        self._size: int | None = None
        self._came_well = 0
        self._gathering_since = 0.0
        self._may_begin_anew = self._resumed
        self._whole = cursor.whole if self._resumed else 0
        self._has_corrected = False

    def read(self) -> bool:
        """Read on until everything is read, and tell whether it is: not when a limit was reached, nor when the window is old."""
        self._window = self._begun_window()
        self._position = self._begun_position()
        self._size = self._position.size
        self._note_window()
        if self._window.since is not None and self._window.since >= self._window.until:
            return True
        try:
            is_read = self._read_pages()
        except Fault:
            # What came before it need not be read again.
            self._flush()
            raise
        # A window that was begun long ago is behind the present by now.
        how = self._stream.cursor
        return is_read and (how is None or self._until(how) - self._window.until <= self._stream.every)

    def _read_pages(self) -> bool:
        """Read the window's pages from where it stands, and tell whether they are read."""
        request: Request | None = self._position.next
        while request is not None:
            if self._is_over():
                self._flush()
                return False
            try:
                answer = self._ask(request)
            except (BadPayload, Expired):
                if not self._may_begin_anew:
                    raise
                # The page's token is too old, or led in a circle: the window is read from its begin, once.
                self._may_begin_anew = False
                self._position = self._begin()
                request = self._position.next
                continue
            corrected = self._corrected() if not self._position.asked else None
            if corrected is not None:
                self._window = corrected
                self._position = self._begin()
                self._note_window()
                request = self._position.next
                continue
            self._may_begin_anew = False
            following = self._stream.pages.next(request, answer)
            if not self._take(self._stream.items(answer), request, following):
                return False
            request = following
        return True

    def _begun_window(self) -> Window:
        """Return the window that is being read, else begin one."""
        cursor, how = self._cursor, self._stream.cursor
        if cursor.until is not None:
            return Window(since=cursor.since, until=cursor.until)
        if cursor.backfilled_at is None and self._stream.count is not None:
            self._whole = self._count(self._stream.count, Window(since=None, until=self._now))
        return Window(since=_since(cursor, self._stream, self._until(how)), until=self._until(how))

    def _until(self, how: Cursor | None) -> datetime:
        """Return the end of a window: a while before the platform's present, by its own clock where it has told it."""
        return self._now + (self._client.ahead or timedelta(0)) - (how.settle if how else timedelta(0))

    def _count(self, ask: Callable[[Window], Request], window: Window) -> int:
        """Ask how many records there are, for progress alone."""
        try:
            return self._stream.counted(self._client.send(ask(window)).json())
        except (BadPayload, Denied, TooBig):
            return 0

    def _note_window(self) -> None:
        runs.window_of(self._run, since=self._window.since, until=self._window.until)

    def _begun_position(self) -> Position:
        """Return where the window goes on; at its begin where it was not begun, or is asked for otherwise than it was."""
        if self._cursor.position is None:
            return self._begin()
        try:
            kept = msgspec.convert(self._cursor.position, Position)
        except msgspec.ValidationError:
            return self._begin()
        return kept if kept.first == _digest(self._stream.request(self._window)) else self._begin()

    def _begin(self) -> Position:
        first = self._stream.request(self._window)
        self._cursor.done = 0
        return Position(first=_digest(first), next=first, size=self._size)

    def _corrected(self) -> Window | None:
        """Return the window as the platform's clock would have it, when the first answer shows that ours is another."""
        how = self._stream.cursor
        if how is None or self._resumed or self._has_corrected or abs(self._until(how) - self._window.until) <= CLOCKS_AGREE:
            return None
        self._has_corrected = True
        until = self._until(how)
        return Window(since=_since(self._cursor, self._stream, until), until=until)

    def _is_over(self) -> bool:
        limits, run, taker = self._limits, self._run, self._taker
        is_late = self._clock() - self._started >= limits.seconds
        return is_late or run.pages + taker.pages >= limits.pages or run.records + taker.records >= limits.records

    def _ask(self, request: Request) -> Json:
        """Send a request and return its answer; raise BadPayload where the pages lead in a circle."""
        if _digest(request) in self._position.asked:
            raise BadPayload(f"The pages of “{self._stream.label}” lead in a circle: the same one was to be read twice.")
        return self._send(request).json()

    def _send(self, request: Request) -> Response:
        """Send a request for as many records as the platform takes at once."""
        while True:
            size = request.size if self._size is None or request.size is None else min(self._size, request.size)
            sized = request if size is None or size == request.size else self._stream.pages.resized(request, size)
            try:
                answer = self._client.send(sized)
            except TooBig:
                if size is None or size <= 1:
                    raise
                self._size, self._came_well = size // 2, 0
                continue
            self._came_well += 1
            if self._size is not None and request.size is not None and self._came_well % GROW_AFTER == 0:
                self._size = min(request.size, self._size + max(1, self._size // 2))
            return answer

    def _take(self, records: Sequence[Json], request: Request, following: Request | None) -> bool:
        """Take the records of a page and move on; tell false when time was up in its middle."""
        complete, position = self._stream.complete, self._position
        if complete is None:
            self._pass([Received(record) for record in records], request, following)
            return True
        taken = set(position.taken)
        left = [record for record in records if self._name(record) not in taken]
        batch: list[Received] = []
        since = self._clock()
        for record in left:
            batch.append(self._completed(record))
            if self._clock() - since >= SLICE_SECONDS and len(batch) < len(left):
                self._write_part(batch, request)
                batch, since = [], self._clock()
                if self._is_over():
                    return False
        position.taken = []
        self._pass(batch, request, following)
        return True

    def _name(self, record: Json) -> str:
        try:
            return self._stream.identity(record)
        except BadPayload:
            return ""

    def _completed(self, record: Json) -> Received:
        """Fetch what does not fit into a record's page; where what comes is not to be understood, the record is parked."""
        if self._stream.complete is None:
            return Received(record)
        try:
            return Received(self._stream.complete(record, self._client.send))
        except BadPayload as fault:
            return Received(record, fault.reason)

    def _pass(self, received: Sequence[Received], request: Request, following: Request | None) -> None:
        """Gather a page and go on to the next one; write what is gathered when it is enough, or at the window's end that it is read."""
        position, since = self._position, self._gathering_since if self._taker.pages else self._clock()
        found = self._taker.gather(received)
        self._gathering_since = since
        position.newest = _later(position.newest, found.newest)
        position.asked = [*position.asked, _digest(request)][-ASKED_KEPT:]
        if following is None:
            moves: dict[str, Any] = {"seen_through": self._seen_through(), "since": None, "until": None, "position": None}
            if self._window.since is None or self._stream.cursor is None:
                moves["backfilled_at"] = self._cursor.backfilled_at or self._now
            self._write(moves)
            return
        position.next, position.size = following, self._size
        if self._taker.records >= self._limits.at_once or self._clock() - since >= PATIENCE:
            self._write(self._amid())

    def _write_part(self, received: Sequence[Received], request: Request) -> None:
        """Write a part of a page; the next run asks for the page again and leaves out what is written."""
        found = self._taker.gather(received)
        position = self._position
        position.newest, position.next, position.size = _later(position.newest, found.newest), request, self._size
        position.taken = [*position.taken, *(name for name, _ in found.named)]
        self._write(self._amid(), pages=self._taker.pages - 1)

    def _flush(self) -> None:
        """Write what is gathered."""
        if self._taker.pages:
            self._write(self._amid())

    def _write(self, moves: Mapping[str, Any], *, pages: int | None = None) -> None:
        """Write what is gathered, with where to go on."""
        done = self._cursor.done + self._taker.records
        self._taker.write(moves={**moves, "done": done, "whole": self._whole}, pages=pages)
        self._progress(self._stream.label, done, max(done, self._whole) if self._whole else 0)

    def _amid(self) -> dict[str, Any]:
        return {"since": self._window.since, "until": self._window.until, "position": msgspec.to_builtins(self._position)}

    def _seen_through(self) -> datetime | None:
        """Return how far all changes are seen: never less than before, and never past the window's end, whatever times records tell."""
        known, how, newest = self._cursor.seen_through or self._window.since, self._stream.cursor, self._position.newest
        if how is None or newest is None:
            return known
        seen = min(newest, self._window.until) - how.overlap
        return seen if known is None else max(known, seen)


def _since(cursor: SyncCursor, stream: Stream, until: datetime) -> datetime | None:
    """Return where a window begins: where all changes are seen, or earlier where the platform rewrites its last days."""
    if stream.cursor is None or cursor.seen_through is None:
        return None
    return min(cursor.seen_through, until - stream.restates) if stream.restates else cursor.seen_through


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return other if one is None else one if other is None else max(one, other)


def _digest(request: Request) -> str:
    """Return what tells requests apart, whatever the number of records they ask for."""
    plain = msgspec.structs.replace(request, size=None)
    return blake2b(msgspec.json.encode(plain, order="deterministic"), digest_size=8).hexdigest()
