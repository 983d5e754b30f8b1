"""Do what deliveries ask for: each says that something changed, and the platform is asked what it is now.

Deliveries are taken in batches under a lease. Those that tell of the same record are one question, so that late, repeated
and reordered deliveries end alike. What is recorded and the deliveries' being done are one transaction.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime

import msgspec
import structlog
from django.db import DatabaseError, transaction
from django.utils import timezone

from connectors import privacy
from connectors.connections import opened
from connectors.faults import BadPayload, Denied, Expired, Fault, RetryLater, TooBig
from connectors.files.kind import Guard, unguarded
from connectors.http import Client
from connectors.models import Connection
from connectors.reading.runs import RunLost
from connectors.reading.taking import place_of
from connectors.registry import find
from connectors.spec import BulkFinished, CheckAccount, Deleted, Ignore, Json, Privacy, ReadNew, Refetch, Route, Uninstalled
from connectors.webhooks import account_routes, deliveries, refetching
from connectors.webhooks.accepting import topics_by_law
from connectors.webhooks.deliveries import LeaseLost, Taken
from ledger import findings
from ledger.sealing import Unsealable, unseal
from profitpeek.jobs.faults import JobFault
from profitpeek.jobs.faults import LeaseLost as JobLost

log = structlog.get_logger(__name__)

BATCH = 200
ONE_JOB = 25.0
"""Seconds after which no further batch is begun; the next job goes on."""
GIVEN_UP = "webhooks_given_up"
"""The kind of finding that says that deliveries could not be followed."""
Status = Connection.Status


@dataclass(frozen=True)
class Rung:
    """One delivery with what was kept of its body, and what it asks for."""

    taken: Taken
    kept: Json
    route: Route | None
    """None for a topic that this version has never heard of."""


def drain(
    connection: Connection, *, now: Callable[[], datetime] = timezone.now, guard: Guard = unguarded, seconds: float | None = None, actor: str = ""
) -> bool:  # fmt: skip
    """Follow what waits for a connection, for one job's time; tell whether more is left.

    Of an account that is paused, or waits for consent, everything goes on waiting but what needs no platform.
    Raise the Fault, or what a job is to hear, after putting back what it kept from being followed.
    """
    with ExitStack() as stack:
        draining = _Draining(connection, stack, now, guard, actor)
        end = time.monotonic() + (ONE_JOB if seconds is None else seconds)
        while draining.batch():
            if time.monotonic() >= end:
                return True
    return False


class _Draining:
    """Drains one connection in one job."""

    def __init__(self, connection: Connection, stack: ExitStack, now: Callable[[], datetime], guard: Guard, actor: str) -> None:
        self._connection, self._stack, self._now, self._guard, self._actor = connection, stack, now, guard, actor
        webhooks = find(connection.platform).webhooks
        if webhooks is None:
            raise BadPayload(f"{connection.platform} does not ring.")
        self._webhooks = webhooks
        self._client: Client | None = None
        self._lease = now()
        self._left: dict[int, Rung] = {}

    def batch(self) -> bool:
        """Follow some deliveries; tell false when none waits that may be followed now."""
        connection = self._connection
        connection.refresh_from_db()
        began = self._now()
        taken = deliveries.take(connection, topics=self._topics(), most=BATCH, now=began)
        self._lease = began + deliveries.LEASE
        rung = [found for row in taken if (found := self._read(row)) is not None]
        self._left = {each.taken.pk: each for each in rung}
        try:
            for rows, follow in self._groups(rung):
                self._follow(rows, follow)
        finally:
            # Whatever was not reached waits on, as if it had not been taken.
            deliveries.put_back(list(self._left), lease=self._lease)
        return bool(taken)

    def _topics(self) -> list[str] | None:
        """Return the topics that may be followed as the connection stands; None: all."""
        return None if self._connection.status == Status.ACTIVE else topics_by_law(self._connection.platform)

    def _read(self, row: Taken) -> Rung | None:
        """Open a delivery; give it up when it cannot be opened, is about another account, or was taken so often without an end."""
        if row.attempts > deliveries.MOST_TRIES:
            self._give_up([row.pk], "It was taken five times, and what followed it ended each time without a word, perhaps for want of memory.")
            return None
        try:
            kept: Json = msgspec.json.decode(unseal(row.body or b""))
        except Unsealable:
            self._give_up([row.pk], "It is sealed with a key that is no longer in FIELD_KEYS.")
            return None
        about = self._webhooks.about(kept)
        if about and about != self._connection.account_ref:
            self._give_up([row.pk], "It is about another account than this one.")
            return None
        return Rung(row, kept, self._webhooks.routes.get(row.topic))

    def _groups(self, rung: Sequence[Rung]) -> Iterator[tuple[list[Rung], Callable[[Sequence[Rung]], None]]]:
        """Yield deliveries that are followed together, and how: first what the law asks for, then the account, last records."""
        connection, actor = self._connection, self._actor

        def of(kind: type[Route]) -> list[Rung]:
            return [each for each in rung if isinstance(each.route, kind)]

        yield [each for each in rung if each.route is None or isinstance(each.route, Ignore)], self._done
        yield from (([each], self._by_law) for each in of(Privacy))
        yield of(Uninstalled), self._uninstalled
        yield of(CheckAccount), self._then(lambda rows: account_routes.check(connection, actor=actor))
        yield of(BulkFinished), self._then(lambda rows: account_routes.wake_bulk(connection, _ended(rows)))
        yield of(ReadNew), self._then(lambda rows: account_routes.read_new(connection, _streams(rows), actor=actor))
        yield from ((rows, self._deleted) for rows in _by_stream(of(Deleted)))
        yield from ((rows, self._refetch) for rows in _by_stream(of(Refetch)))

    def _then(self, work: Callable[[Sequence[Rung]], None]) -> Callable[[Sequence[Rung]], None]:
        """Return what does some work and notes it as done, in one transaction where the work itself is one."""

        def follow(rows: Sequence[Rung]) -> None:
            with transaction.atomic():
                work(rows)
                self._done(rows)

        return follow

    def _follow(self, rows: Sequence[Rung], follow: Callable[[Sequence[Rung]], None], *, whole: bool = True) -> None:
        """Follow deliveries; where they fail together, each half by itself, so that one that is bad keeps back no other.

        With `whole`, a platform that does not answer may have no answer for one of them alone, which is looked for.
        """
        rows = self._those_left(rows)
        if not rows:
            return
        try:
            self._hold()
            follow(rows)
            return
        except Denied as fault:
            self._give_up([each.taken.pk for each in self._those_left(rows)], fault.reason)
            return
        except (LeaseLost, RunLost, JobLost, JobFault, DatabaseError):
            raise
        except (BadPayload, Expired, TooBig) as fault:
            reason = fault.reason
        except RetryLater as fault:
            if fault.after is not None or not whole:
                raise
            self._follow_apart(self._those_left(rows), follow, fault)
            return
        except Fault:
            raise
        except Exception as error:
            # Without its text, which may quote the record.
            log.error("webhooks.follow_failed", connection=self._connection.pk, error=place_of(error))
            reason = f"Something unexpected: {place_of(error)}."
        rows = self._those_left(rows)
        if len(rows) == 1:
            self._fail(rows[0], reason)
            return
        for part in _halves(rows):
            self._follow(part, follow, whole=whole)

    def _follow_apart(self, rows: Sequence[Rung], follow: Callable[[Sequence[Rung]], None], fault: RetryLater) -> None:
        """Find the delivery for which alone the platform has no answer, so that it does not keep back the others for ever.

        Raise the fault where it answers for neither half: it is away, and nothing is wrong with what waits.
        """
        answered = False
        while len(rows) > 1:
            failed = []
            for part in _halves(rows):
                try:
                    self._follow(part, follow, whole=False)
                except RetryLater as again:
                    failed.append(part)
                    fault = again
            if not failed:
                return
            if len(failed) == 2:
                break
            answered, rows = True, self._those_left(failed[0])
        if not answered:
            raise fault
        for each in self._those_left(rows):
            self._fail(each, fault.reason)

    def _those_left(self, rows: Sequence[Rung]) -> list[Rung]:
        return [each for each in rows if each.taken.pk in self._left]

    def _hold(self) -> None:
        """Keep the lease of what is left, where half of it has passed."""
        now = self._now()
        if self._lease - now < deliveries.LEASE / 2:
            self._lease = deliveries.hold(list(self._left), lease=self._lease, now=now)

    def _done(self, rows: Sequence[Rung]) -> None:
        """Note deliveries as done, last in the transaction that did what they asked for."""
        with transaction.atomic():
            deliveries.finish([each.taken for each in rows], self._connection, lease=self._lease)
            self._guard()
        self._forget(rows)

    def _forget(self, rows: Sequence[Rung]) -> None:
        for each in rows:
            self._left.pop(each.taken.pk, None)

    def _by_law(self, rows: Sequence[Rung]) -> None:
        """Take what somebody has a right to as a case of its own; its job does it."""
        with transaction.atomic():
            for each in rows:
                if isinstance(each.route, Privacy):
                    privacy.take(self._connection, each.route.request(each.kept), delivery_id=each.taken.delivery, now=self._now())
            self._done(rows)

    def _uninstalled(self, rows: Sequence[Rung]) -> None:
        """Ask whether the account has taken back its consent, since a delivery may be an old one; if so, let go of it and of all that waits."""
        gone = account_routes.is_gone(self._connection, now=self._now())
        with transaction.atomic():
            self._done(rows)
            if gone:
                account_routes.let_go(self._connection, now=self._now())
                self._left.clear()

    def _refetch(self, rows: Sequence[Rung]) -> None:
        refetching.refetch(self._connection, [self._asked(each) for each in rows], self._opened(), done=self._done_by_pk, now=self._now())

    def _deleted(self, rows: Sequence[Rung]) -> None:
        refetching.take_out(self._connection, [self._asked(each) for each in rows], self._opened(), done=self._done_by_pk, now=self._now())

    def _asked(self, rung: Rung) -> refetching.AskedFor:
        assert isinstance(rung.route, Refetch | Deleted)  # noqa: S101  the groups are made so
        return refetching.AskedFor(rung.taken.pk, rung.route, tuple(rung.route.ids(rung.kept)))

    def _done_by_pk(self, keys: Sequence[int]) -> None:
        self._done([self._left[key] for key in keys])

    def _opened(self) -> Client:
        if self._client is None:
            self._client = self._stack.enter_context(opened(self._connection, now=self._now()))
        return self._client

    def _fail(self, rung: Rung, reason: str) -> None:
        if deliveries.fail(rung.taken, reason, lease=self._lease, now=self._now()):
            tell_given_up(self._connection, now=self._now())
        self._forget([rung])

    def _give_up(self, keys: Sequence[int], reason: str) -> None:
        deliveries.give_up(keys, reason, lease=self._lease)
        for key in keys:
            self._left.pop(key, None)
        tell_given_up(self._connection, now=self._now())


def _halves(rows: Sequence[Rung]) -> tuple[Sequence[Rung], Sequence[Rung]]:
    return rows[: len(rows) // 2], rows[len(rows) // 2 :]


def _ended(rows: Sequence[Rung]) -> set[str]:
    """Return the bulk operations that deliveries tell the end of."""
    return {each.route.operation(each.kept) for each in rows if isinstance(each.route, BulkFinished)}


def _streams(rows: Sequence[Rung]) -> set[str]:
    """Return the streams that deliveries ask to be read."""
    return {name for each in rows if isinstance(each.route, ReadNew) for name in each.route.streams}


def _by_stream(rows: Sequence[Rung]) -> Iterator[list[Rung]]:
    """Yield deliveries about records, those of one stream together."""
    found: dict[str, list[Rung]] = {}
    for each in rows:
        if isinstance(each.route, Refetch | Deleted):
            found.setdefault(each.route.stream, []).append(each)
    yield from found.values()


def tell_given_up(connection: Connection, *, now: datetime) -> None:
    """Open, refresh or resolve the finding that deliveries were given up."""
    dead, subject = deliveries.dead(connection), str(connection.pk)
    count = dead.count()
    if not count:
        findings.resolve(connection.store_id, GIVEN_UP, subject, now=now)
        return
    latest = dead[0]
    words = f"{count:,} deliveries" if count > 1 else "A delivery"
    findings.note(
        connection.store_id, GIVEN_UP, subject,
        f"{words} of {connection.label or connection.account_ref} could not be followed. The latest, {latest.topic}: {latest.error} "
        "What they rang about is read by the next comparison; on the connection’s page they can be tried again.",
        now=now,
    )  # fmt: skip
