"""Compare what we know of a platform's orders with what it lists: find what was missed, fetch what differs, take out what it deleted.

Orders are compared by spans of the day they were placed on. What the platform changed since the stream was last read is
left to the stream. An order that is not in the list is only taken for deleted where this very account told it, where the
list reaches further back than it, where the platform does not find it by its id either, and where such orders are few.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec
from django.db import transaction
from msgspec import Struct

from connectors.faults import BadPayload, Fault
from connectors.files.kind import Guard, Progress, unguarded, untold
from connectors.http import Client
from connectors.models import Connection, SyncCursor, SyncRun
from connectors.reading import runs
from connectors.reading.fetching import fetch
from connectors.reading.paged import Limits
from connectors.reading.runs import Run
from connectors.reading.sync import ONE_JOB, Outcome, subject_of, tell_fault
from connectors.reading.taking import Taker
from connectors.spec import Again, Comparison, Request, Stream, Told, Window
from connectors.succession import elsewhere, share_of
from ledger import findings
from ledger.book.reposting import withdraw
from ledger.cause import Cause
from ledger.kinds import CauseKind
from ledger.models import Order

DIFFERENT = "orders_compared"
"""The kind of finding that says what a comparison found and mended."""
RECENT = timedelta(days=90)
SPAN = timedelta(days=7)
"""Days of orders whose list is held in memory at once."""
MOST_PAGES = 2_000
"""Pages of the list of one span."""
A_FEW, GONE_SHARE = 10, 20
"""So many orders, or one in so many of a span, may be deleted at once; more are believed only by a person."""


class Ours(NamedTuple):
    """What we know of an order."""

    pk: int
    placed_at: datetime
    changed_at: datetime | None
    total: Decimal | None
    cause_ref: str
    """Who told it last."""


class Tally(Struct, kw_only=True):
    """How far a comparison is, and what it found so far, in orders."""

    since: datetime | None
    until: datetime
    next: datetime | None
    """Begin of the next span; None: the begin of all."""
    oldest: datetime | None = None
    """When the oldest order was placed that the platform listed."""
    listed: int = 0
    missing: int = 0
    outdated: int = 0
    deleted: int = 0
    doubted: int = 0
    """Orders that the platform does not list, too many to be believed."""
    differing: int = 0
    """Orders whose total still differs after they were fetched."""
    expected: Decimal = Decimal(0)
    actual: Decimal = Decimal(0)
    """Sums of what was charged at first, the platform's and ours, of orders of which both tell it."""


def cursor_name(stream: Stream) -> str:
    """Return under which name the cursor of a stream's comparison is kept."""
    return f"{stream.name}:compare"


def compare(
    connection: Connection, stream: Stream, client: Client, *, now: datetime, whole: bool = False, limits: Limits | None = None,
    progress: Progress = untold, guard: Guard = unguarded,
) -> Outcome:  # fmt: skip
    """Compare the orders of the last 90 days, or all of them, or go on with what was begun, within limits.

    Raise Busy while the stream is read, and the Fault that ended the run, after noting it.
    """
    if stream.comparison is None or stream.again is None:
        raise ValueError(f"{stream.name} cannot be compared")
    cursor = runs.cursor_of(connection, cursor_name(stream))
    with runs.claim(connection, stream.name, SyncRun.Mode.COMPARE, now=now) as run:
        cursor.refresh_from_db()
        comparing = _Comparing(run, stream, stream.comparison, stream.again, cursor, client, limits or ONE_JOB, progress, guard, now)
        try:
            done = comparing.run(whole=whole)
        except Fault as fault:
            run.end_by(fault)
            tell_fault(run, stream, fault, now=now)
            raise
        run.end(SyncRun.Status.DONE if done else SyncRun.Status.PARTIAL)
    return Outcome(done, run.records, run.changed, run.parked)


class _Comparing:
    """Compares in one run."""

    def __init__(
        self, run: Run, stream: Stream, how: Comparison, again: Again, cursor: SyncCursor, client: Client, limits: Limits, progress: Progress,
        guard: Guard, now: datetime, clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._run, self._stream, self._how, self._again, self._cursor, self._client = run, stream, how, again, cursor, client
        self._limits, self._progress, self._guard, self._now, self._clock = limits, progress, guard, now, clock
        self._started, sent = clock(), client.sent
        self._read_through = runs.cursor_of(run.connection, stream.name).seen_through
        self._taker = Taker(run, stream, cursor, guard, now=now)
        run.requests = lambda: client.sent - sent

    def run(self, *, whole: bool) -> bool:
        """Compare span after span, and tell whether all is compared."""
        if self._read_through is None:
            return True
        tally = self._tally(whole)
        runs.window_of(self._run, since=tally.since, until=tally.until)
        while tally.next is None or tally.next < tally.until:
            if self._clock() - self._started >= self._limits.seconds or self._run.records >= self._limits.records:
                return False
            window = Window(since=tally.next, until=min(tally.until, self._end_of(tally.next)))
            self._span(window, tally)
            self._progress(f"{self._stream.label}: comparing", tally.listed, 0)
        self._finish(tally)
        return True

    def _tally(self, whole: bool) -> Tally:
        try:
            return msgspec.convert(self._cursor.position or {}, Tally)
        except msgspec.ValidationError:
            since = None if whole else self._now - RECENT
            return Tally(since=since, until=self._now, next=since)

    def _end_of(self, begin: datetime | None) -> datetime:
        """Return where a span ends; the first of all ends with the first days of orders that we know."""
        if begin is not None:
            return begin + SPAN
        first = self._orders().order_by("placed_at").values_list("placed_at", flat=True).first()
        return (first or self._now) + SPAN

    def _orders(self) -> Any:
        return Order.objects.filter(store=self._run.connection.store_id, platform=self._run.connection.platform, withdrawn_at=None)

    def _span(self, window: Window, tally: Tally) -> None:
        """Compare the orders that were placed in a span, and mend what differs."""
        told = {each.id: each for each in self._listed(window)}
        ours = self._known(window, told)
        self._mark_oldest(tally, ours, told)
        missing = [key for key, each in told.items() if key not in ours and self._is_read(each)]
        outdated = [key for key, each in told.items() if key in ours and self._is_read(each) and _differs(ours[key], each)]
        if missing and (share := share_of(self._run.connection)) is not None:
            booked = elsewhere(share, self._run.connection.platform, missing)
            missing = [key for key in missing if key not in booked]
        gone = [key for key, own in ours.items() if key not in told and self._ought_to_be_listed(own, tally)]
        self._fetch([*missing, *outdated])
        absent = self._fetch(gone)
        whole = sum(own.cause_ref == self._run.connection.cause_ref for own in ours.values())
        if len(absent) > A_FEW and len(absent) * GONE_SHARE > whole:
            tally.doubted, absent = tally.doubted + len(absent), []
        self._sum_up(tally, told, self._known(window, told))
        tally.listed, tally.missing, tally.outdated = tally.listed + len(told), tally.missing + len(missing), tally.outdated + len(outdated)
        tally.deleted, tally.next = tally.deleted + len(absent), window.until
        with transaction.atomic():
            if absent:
                cause = Cause(CauseKind.SYNC, self._run.connection.cause_ref)
                withdraw(self._run.connection.store, [ours[key].pk for key in absent], cause=cause, now=self._now)
            runs.move(self._cursor, since=tally.since, until=tally.until, position=msgspec.to_builtins(tally), done=tally.listed)
            self._run.fence()
            self._guard()

    def _listed(self, window: Window) -> Iterable[Told]:
        """Ask for the list of a span, page by page."""
        request: Request | None = self._how.request(window)
        asked = 0
        while request is not None:
            if asked >= MOST_PAGES:
                raise BadPayload(f"The list of “{self._stream.label}” of {SPAN.days} days has more than {MOST_PAGES:,} pages.")
            answer = self._client.send(request).json()
            asked += 1
            for record in self._how.items(answer):
                yield self._how.told(record)
            following = self._how.pages.next(request, answer)
            if following == request:
                raise BadPayload(f"The list of “{self._stream.label}” leads in a circle.")
            request = following

    def _known(self, window: Window, told: dict[str, Told]) -> dict[str, Ours]:
        """Return what we know of the orders of a span, and of those that the platform lists in it."""
        columns = ("external_id", "pk", "placed_at", "platform_updated_at", "stated_total", "cause_ref")
        since = {} if window.since is None else {"placed_at__gte": window.since}
        placed = self._orders().filter(placed_at__lt=window.until, **since).values_list(*columns)
        known = {key: Ours(*rest) for key, *rest in placed}
        if others := told.keys() - known.keys():
            known |= {key: Ours(*rest) for key, *rest in self._orders().filter(external_id__in=list(others)).values_list(*columns)}
        return known

    def _mark_oldest(self, tally: Tally, ours: dict[str, Ours], told: dict[str, Told]) -> None:
        placed = [ours[key].placed_at for key in told if key in ours]
        if placed and tally.oldest is None:
            tally.oldest = min(placed)

    def _is_read(self, told: Told) -> bool:
        """Tell whether the stream has passed an order's last change: what comes later, it brings by itself."""
        return self._read_through is not None and told.changed_at < self._read_through

    def _ought_to_be_listed(self, own: Ours, tally: Tally) -> bool:
        """Tell whether this very account told an order last, and lists orders as old as it: others of the store are not its to deny."""
        return own.cause_ref == self._run.connection.cause_ref and tally.oldest is not None and own.placed_at > tally.oldest

    def _fetch(self, ids: Sequence[str]) -> list[str]:
        """Fetch whole orders by their ids and record them; return the ids that the platform does not find."""
        absent: list[str] = []
        for start in range(0, len(ids), self._again.at_once):
            wanted = ids[start : start + self._again.at_once]
            found = self._taker.gather(fetch(self._stream, self._again, wanted, self._client))
            self._taker.write(moves={"done": self._cursor.done})
            names = {name for name, _ in found.named}
            absent += [key for key in wanted if key not in names]
        return absent

    def _sum_up(self, tally: Tally, told: dict[str, Told], ours: dict[str, Ours]) -> None:
        for key, each in told.items():
            own = ours.get(key)
            if each.total is not None and own is not None and own.total is not None and self._is_read(each):
                tally.expected, tally.actual = tally.expected + each.total, tally.actual + own.total
                tally.differing += each.total != own.total

    def _finish(self, tally: Tally) -> None:
        """Say what was found, and that it is compared."""
        connection, subject = self._run.connection, subject_of(self._run.connection, self._stream)
        if parts := _parts(tally):
            findings.note(
                connection.store_id, DIFFERENT, subject,
                f"{tally.listed:,} orders of {connection.label or connection.account_ref} were compared with the platform's list: "
                f"{'; '.join(parts)}.",
                expected=str(tally.expected), actual=str(tally.actual), now=self._now,
            )  # fmt: skip
        else:
            findings.resolve(connection.store_id, DIFFERENT, subject, now=self._now)
        with transaction.atomic():
            runs.move(self._cursor, since=None, until=None, position=None, compared_at=self._now)
            if tally.since is None:
                runs.move(self._cursor, backfilled_at=self._now)
            runs.compared(connection, self._stream.name, at=self._now)
            self._run.fence()
            self._guard()


def _differs(own: Ours, told: Told) -> bool:
    """Tell whether an order is not known as the platform lists it; an order that only a file told is always fetched."""
    if own.changed_at is None or own.changed_at < told.changed_at:
        return True
    return own.total is not None and told.total is not None and own.total != told.total


def _parts(tally: Tally) -> list[str]:
    """Say what a comparison found, if anything."""
    said = (
        (tally.missing, "missing here and fetched"), (tally.outdated, "out of date and fetched again"),
        (tally.deleted, "deleted there and taken out of all figures"),
        (tally.doubted, "no longer listed there, too many to be believed, so they stay: look whether the account lost a permission"),
        (tally.differing, "still told with another total than ours"),
    )  # fmt: skip
    return [f"{count:,} {'are' if count > 1 else 'is'} {words}" for count, words in said if count]
