"""Keep deliveries from their coming in to their being done: the one writer of them and of the counts of their topics."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection as database
from django.db.models import F, Max, Q, QuerySet

from connectors.models import Connection, WebhookDelivery, WebhookTopic
from connectors.webhooks.accepting import REMEMBERED, Row

MOST_TRIES = 5
SUSPECT = 2
"""Tries after which a delivery is taken alone."""
LEASE = timedelta(minutes=3)
REST = timedelta(seconds=30)
"""After a first failure; each further rest is twice as long."""
WAITS_AT_MOST, DEAD_KEPT = timedelta(days=7), timedelta(days=30)
CHUNK = 5_000
"""Rows deleted at once."""
MOST_COUNTED = 10_000

INSERT = """
    INSERT INTO connectors_webhookdelivery
        (connection_id, topic, delivery_id, event_id, version, triggered_at, received_at, state, error, body, attempts)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 0)
    ON CONFLICT (connection_id, delivery_id) DO NOTHING
"""
"""Writes a `Row`; a repetition changes nothing."""

State = WebhookDelivery.State


class LeaseLost(Exception):
    """Say that another drain has taken the deliveries over. Whatever is not committed must not be."""


class Taken(NamedTuple):
    """One delivery that was given to us."""

    pk: int
    delivery: str
    topic: str
    version: str
    received_at: datetime
    attempts: int
    body: bytes | None


def write(row: Row) -> None:
    """Write a delivery down through Django's own connection."""
    with database.cursor() as cursor:
        cursor.execute(INSERT, row)


_TAKE = """
    UPDATE connectors_webhookdelivery d SET lease_until = %(until)s, attempts = attempts + 1
    FROM (SELECT id FROM connectors_webhookdelivery
          WHERE connection_id = %(connection)s AND state = 'waiting' AND (lease_until IS NULL OR lease_until <= %(now)s)
            AND (%(topics)s::text[] IS NULL OR topic = ANY(%(topics)s::text[])) AND attempts >= %(least)s AND attempts < %(below)s
          ORDER BY id LIMIT %(most)s FOR UPDATE SKIP LOCKED) waiting
    WHERE d.id = waiting.id
    RETURNING d.id, d.delivery_id, d.topic, d.version, d.received_at, d.attempts, d.body
"""


def take(owner: Connection, *, topics: Collection[str] | None, most: int, now: datetime) -> list[Taken]:
    """Take waiting deliveries, of some topics or all, the oldest first, under a lease from `now`; the try is counted before the work.

    One that was taken several times and never put back may be what killed those who followed it: it is taken alone.
    """
    values: dict[str, Any] = {
        "connection": owner.pk,
        "until": now + LEASE,
        "now": now,
        "topics": None if topics is None else list(topics),
        "most": most,
    }
    with database.cursor() as cursor:
        cursor.execute(_TAKE, {**values, "least": SUSPECT, "below": 2**15 - 1, "most": 1})
        rows = cursor.fetchall()
        if not rows:
            cursor.execute(_TAKE, {**values, "least": 0, "below": SUSPECT})
            rows = sorted(cursor.fetchall())
    return [taken._replace(body=None if taken.body is None else bytes(taken.body)) for taken in map(Taken._make, rows)]


def _held(taken: Collection[int], lease: datetime) -> QuerySet[WebhookDelivery]:
    return WebhookDelivery.objects.filter(pk__in=taken, state=State.WAITING, lease_until=lease)


def finish(taken: Sequence[Taken], owner: Connection, *, lease: datetime) -> None:
    """Note deliveries as done and count them, in the transaction that did what they asked for; raise LeaseLost when one is no longer ours."""
    if _held([row.pk for row in taken], lease).update(state=State.DONE, body=None, lease_until=None, error="") != len(taken):
        raise LeaseLost("other work has taken deliveries over")
    _count(taken, owner)


_COUNT = """
    INSERT INTO connectors_webhooktopic AS t (connection_id, topic, count, first_at, last_at, version)
    VALUES (%s, %s, %s, %s, %s, %s)
    ON CONFLICT (connection_id, topic) DO UPDATE SET
        count = t.count + excluded.count, last_at = greatest(t.last_at, excluded.last_at), version = excluded.version
"""


def _count(taken: Sequence[Taken], owner: Connection) -> None:
    by_topic: dict[str, list[Taken]] = {}
    for row in taken:
        by_topic.setdefault(row.topic, []).append(row)
    with database.cursor() as cursor:
        for topic, rows in sorted(by_topic.items()):
            times = [row.received_at for row in rows]
            cursor.execute(_COUNT, [owner.pk, topic, len(rows), min(times), max(times), rows[-1].version])


def hold(taken: Collection[int], *, lease: datetime, now: datetime) -> datetime:
    """Extend the lease of deliveries and return its new end; raise LeaseLost when one is no longer ours."""
    until = now + LEASE
    if _held(taken, lease).update(lease_until=until) != len(taken):
        raise LeaseLost("other work has taken deliveries over")
    return until


def put_back(taken: Collection[int], *, lease: datetime) -> None:
    """Let deliveries wait as if they had not been taken: nothing was wrong with them."""
    _held(taken, lease).update(lease_until=None, attempts=F("attempts") - 1)


def fail(row: Taken, reason: str, *, lease: datetime, now: datetime) -> bool:
    """Let a delivery rest before its next try, or give it up after the last; tell whether it was given up."""
    dead = row.attempts >= MOST_TRIES
    if dead:
        give_up([row.pk], reason, lease=lease)
    else:
        _held([row.pk], lease).update(error=reason[:500], lease_until=now + REST * 2 ** (row.attempts - 1))
    return dead


def give_up(taken: Collection[int], reason: str, *, lease: datetime) -> None:
    """Give deliveries up: another try would fail the same way."""
    _held(taken, lease).update(state=State.DEAD, error=reason[:500], lease_until=None)


def replay(owner: Connection) -> int:
    """Let the deliveries that were given up wait again, with all their tries; return how many. Of those that could not be read, nothing is there."""
    dead = WebhookDelivery.objects.filter(connection=owner, state=State.DEAD).exclude(body=None)
    return dead.update(state=State.WAITING, attempts=0, lease_until=None, error="")


def drop_waiting(owner: Connection, *, but: Collection[str]) -> int:
    """Note as done what waits, but for some topics: the account is connected no more, and nothing is asked of it."""
    waiting = WebhookDelivery.objects.filter(connection=owner, state=State.WAITING).exclude(topic__in=list(but))
    return waiting.update(state=State.DONE, body=None, lease_until=None, error="The account is disconnected.")


def has_due(owner: Any, *, now: datetime) -> QuerySet[WebhookDelivery]:
    """Return the deliveries of a connection, or of that of an outer query, that may be taken now."""
    return WebhookDelivery.objects.filter(Q(lease_until=None) | Q(lease_until__lte=now), connection=owner, state=State.WAITING)


def count_waiting(owner: Connection) -> int:
    """Return how many deliveries wait, at most so many as are worth counting."""
    return len(WebhookDelivery.objects.filter(connection=owner, state=State.WAITING).values_list("pk")[:MOST_COUNTED])


def dead(owner: Connection) -> QuerySet[WebhookDelivery]:
    """Return the deliveries that were given up, the latest first."""
    return WebhookDelivery.objects.filter(connection=owner, state=State.DEAD).order_by("-pk")


def last_received(owner: Connection) -> datetime | None:
    """Return when the latest delivery came in that has been looked at."""
    found: datetime | None = WebhookTopic.objects.filter(connection=owner).aggregate(last=Max("last_at"))["last"]
    return found


def forget_of(owner: Connection) -> int:
    """Delete a connection's deliveries but for those that wait, whether done or given up, and return how many."""
    return WebhookDelivery.objects.filter(connection=owner).exclude(state=State.WAITING).delete()[0]


def forget(*, lasting: Collection[str], now: datetime) -> int:
    """Delete deliveries that nobody needs any more, some at a time, and return how many.

    Those that are done, once no repetition of them can come; those that wait, after a week: by then what they rang about
    was read otherwise, but for what the law asks for (`lasting` topics); those given up, after a month.
    """
    old = (
        Q(state=State.DONE, received_at__lt=now - REMEMBERED)
        | (Q(state=State.WAITING, received_at__lt=now - WAITS_AT_MOST) & ~Q(topic__in=list(lasting)))
        | (Q(state=State.DEAD, received_at__lt=now - DEAD_KEPT) & ~Q(topic__in=list(lasting)))
    )
    gone = 0
    while keys := list(WebhookDelivery.objects.filter(old, received_at__lt=now - REMEMBERED).values_list("pk", flat=True)[:CHUNK]):
        gone += WebhookDelivery.objects.filter(pk__in=keys).delete()[0]
    return gone
