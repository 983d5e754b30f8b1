"""Read a stream page by page, in windows of the platform's own time of change.

A window ends a while before the platform's present and begins an overlap before the latest change that was seen. Where
in a window a run is, is kept with the rows of each page, so that the next run goes on at that page.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

import msgspec
from msgspec import Struct, field

from connectors import runs
from connectors.faults import BadPayload, Denied, Expired, TooBig
from connectors.files.kind import Progress
from connectors.http import Client
from connectors.models import SyncCursor
from connectors.runs import Run
from connectors.spec import Cursor, Json, Request, Response, Stream, Window
from connectors.taking import Received, Taker

ASKED_KEPT = 20
"""So many requests are remembered from run to run, so that a circle of pages is seen that takes longer than a run."""
CLOCKS_AGREE = timedelta(seconds=5)
GROW_AFTER = 5
"""Pages that came well before more is asked for at once again."""
SLICE_SECONDS = 10.0
"""Records that are completed one by one are committed so often, in the middle of a page too."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one run may take; then it ends as partial, and the next goes on."""

    seconds: float = 30.0
    pages: int = 5_000
    records: int = 100_000


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
        self._size: int | None = None
        self._came_well = 0
        self._may_begin_anew = self._resumed
        self._whole = cursor.whole if self._resumed else 0
        self._has_corrected = False

    def read(self) -> bool:
        """Read on until everything is read, and tell whether it is: not when a limit was reached, nor when the window is old."""
        window = self._window()
        position = self._position(window)
        self._size = position.size
        runs.window_of(self._run, since=window.since, until=window.until)
        if window.since is not None and window.since >= window.until:
            return True
        request: Request | None = position.next
        while request is not None:
            if self._is_over():
                return False
            try:
                answer = self._ask(request, position)
            except (BadPayload, Expired):
                if not self._may_begin_anew:
                    raise
                # The page's token is too old, or led in a circle: the window is read from its begin, once.
                self._may_begin_anew = False
                position = self._begin(window)
                request = position.next
                continue
            corrected = self._corrected(window) if not position.asked else None
            if corrected is not None:
                window, request = corrected, self._stream.request(corrected)
                position = self._begin(window)
                runs.window_of(self._run, since=window.since, until=window.until)
                continue
            self._may_begin_anew = False
            position.asked = [*position.asked, _digest(request)][-ASKED_KEPT:]
            records = self._stream.items(answer)
            following = self._stream.pages.next(request, answer)
            if not self._take(records, request, following, window, position):
                return False
            request = following
        # One that was begun long ago is behind the present by now.
        return self._stream.cursor is None or self._until(self._stream.cursor) - window.until <= self._stream.every

    def _window(self) -> Window:
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

    def _position(self, window: Window) -> Position:
        """Return where the window goes on; at its begin where it was not begun, or is asked for otherwise than it was."""
        if self._cursor.position is None:
            return self._begin(window)
        try:
            kept = msgspec.convert(self._cursor.position, Position)
        except msgspec.ValidationError:
            return self._begin(window)
        return kept if kept.first == _digest(self._stream.request(window)) else self._begin(window)

    def _begin(self, window: Window) -> Position:
        first = self._stream.request(window)
        self._cursor.done = 0
        return Position(first=_digest(first), next=first, size=self._size)

    def _corrected(self, window: Window) -> Window | None:
        """Return the window as the platform's clock would have it, when the first answer shows that ours is another."""
        how = self._stream.cursor
        if how is None or self._resumed or self._has_corrected or abs(self._until(how) - window.until) <= CLOCKS_AGREE:
            return None
        self._has_corrected = True
        until = self._until(how)
        return Window(since=_since(self._cursor, self._stream, until), until=until)

    def _is_over(self) -> bool:
        limits = self._limits
        return (
            self._clock() - self._started >= limits.seconds or self._run.pages >= limits.pages or self._run.records >= limits.records
        )  # fmt: skip

    def _ask(self, request: Request, position: Position) -> Json:
        """Send a request and return its answer; raise BadPayload where the pages lead in a circle."""
        if _digest(request) in position.asked:
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

    def _take(self, records: Sequence[Json], request: Request, following: Request | None, window: Window, position: Position) -> bool:
        """Take the records of a page and move on; tell false when time was up in its middle."""
        complete = self._stream.complete
        if complete is None:
            self._write([Received(record) for record in records], following, window, position)
            return True
        taken = set(position.taken)
        left = [record for record in records if self._name(record) not in taken]
        batch: list[Received] = []
        since = self._clock()
        for record in left:
            batch.append(self._completed(record))
            if self._clock() - since >= SLICE_SECONDS and len(batch) < len(left):
                self._write_part(batch, request, window, position)
                batch, since = [], self._clock()
                if self._is_over():
                    return False
        position.taken = []
        self._write(batch, following, window, position)
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

    def _write(self, received: Sequence[Received], following: Request | None, window: Window, position: Position) -> None:
        """Write a page with where to go on, or at the window's end that it is read."""
        found = self._taker.read(received)
        position.newest = _later(position.newest, found.newest)
        done = self._cursor.done + len(received)
        if following is None:
            moves: dict[str, Any] = {"seen_through": self._seen_through(window, position), "since": None, "until": None, "position": None}
            if window.since is None or self._stream.cursor is None:
                moves["backfilled_at"] = self._cursor.backfilled_at or self._now
        else:
            position.next, position.size = following, self._size
            moves = self._amid(window, position)
        self._taker.write(found, moves={**moves, "done": done, "whole": self._whole})
        self._progress(self._stream.label, done, max(done, self._whole) if self._whole else 0)

    def _write_part(self, received: Sequence[Received], request: Request, window: Window, position: Position) -> None:
        """Write a part of a page; the next run asks for the page again and leaves out what is written."""
        found = self._taker.read(received)
        position.newest, position.next, position.size = _later(position.newest, found.newest), request, self._size
        position.taken = [*position.taken, *(name for name, _ in found.named)]
        # This page is to be asked for once more, and that is no circle.
        kept = msgspec.structs.replace(position, asked=position.asked[:-1])
        moves = {**self._amid(window, kept), "done": self._cursor.done + len(received), "whole": self._whole}
        self._taker.write(found, moves=moves, pages=0)

    def _amid(self, window: Window, position: Position) -> dict[str, Any]:
        return {"since": window.since, "until": window.until, "position": msgspec.to_builtins(position)}

    def _seen_through(self, window: Window, position: Position) -> datetime | None:
        """Return how far all changes are seen: never less than before, and never past the window's end, whatever times records tell."""
        known, how = self._cursor.seen_through or window.since, self._stream.cursor
        if how is None or position.newest is None:
            return known
        seen = min(position.newest, window.until) - how.overlap
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
