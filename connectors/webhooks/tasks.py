"""Follow deliveries, keep subscriptions and forget what is old, in the background."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.utils import timezone

from connectors.connections import note_fault
from connectors.faults import NeedsReauth, RetryLater
from connectors.http import LONGEST_WAIT
from connectors.models import Connection
from connectors.reading.sync_tasks import connection_of, job_faults, wait_out
from connectors.registry import CONNECTORS
from connectors.webhooks import deliveries, draining, subscribing, watching
from connectors.webhooks.accepting import topics_by_law
from connectors.webhooks.deliveries import LeaseLost
from ledger.people import kept_stores
from profitpeek.jobs import queue
from profitpeek.jobs.faults import Retryable
from profitpeek.jobs.kinds import Kind
from profitpeek.jobs.work import Work

Status = Connection.Status


def ring(connection: int) -> None:
    """Have what waits for a connection followed, unless that is asked for already: what is looked at begins after this.

    Call it once the delivery is committed, or in its transaction.
    """
    if not queue.is_waiting(FOLLOW_DELIVERIES, _key(connection)):
        queue.submit(FOLLOW_DELIVERIES, {"connection": connection}, key=_key(connection), subject="what platforms rang about")


def _key(connection: int) -> str:
    return f"connection:{connection}"


def submit_subscriptions(connection: Connection, *, actor: str) -> None:
    """Have a platform's subscriptions compared with what we want, and mended; of one that never rings, nothing."""
    connector = CONNECTORS.get(connection.platform)
    if connector is None or connector.webhooks is None:
        return
    subject = connection.label or connection.account_ref
    queue.submit(KEEP_SUBSCRIPTIONS, {"connection": connection.pk}, key=_key(connection.pk), subject=subject, actor=actor)


def follow(work: Work) -> None:
    """Follow what waits for one connection, and hand over to the next job while there is more."""
    connection = connection_of(work)
    if connection.status == Status.ACTIVE:
        wait_out(connection, timezone.now())
    try:
        with job_faults(connection, ""), _noted(connection):
            more = draining.drain(connection, guard=work.fence, actor=work.actor)
    except LeaseLost as lost:
        raise Retryable("Other work has taken the deliveries over.") from lost
    if more:
        ring(connection.pk)


def keep_subscriptions(work: Work) -> None:
    """Compare one platform's subscriptions with what we want, and mend them."""
    connection = connection_of(work)
    if connection.status != Status.ACTIVE:
        return
    wait_out(connection, timezone.now())
    with job_faults(connection, ""), _noted(connection):
        subscribing.keep(connection, now=timezone.now())


@contextmanager
def _noted(connection: Connection) -> Iterator[None]:
    """Tell the connection's owner of a fault of the account, as reading does."""
    try:
        yield
    except NeedsReauth as fault:
        note_fault(connection, fault, now=timezone.now())
        raise
    except RetryLater as fault:
        if fault.after is not None and fault.after > LONGEST_WAIT:
            now = timezone.now()
            note_fault(connection, fault, now=now, until=now + timedelta(seconds=fault.after))
        raise


def keep_all_subscriptions(work: Work) -> None:
    """Have every platform's subscriptions looked at."""
    for connection in Connection.objects.filter(status=Status.ACTIVE, store__in=kept_stores(), platform__in=list(CONNECTORS)).order_by("pk"):
        submit_subscriptions(connection, actor=work.actor)


def watch(work: Work) -> None:
    """Ring for deliveries that nobody was rung for, or that have rested; notice who sends what is not signed, and who has fallen silent."""
    now = timezone.now()
    waiting = Connection.objects.filter(store__in=kept_stores(), platform__in=list(CONNECTORS))
    for connection in waiting.order_by("pk"):
        topics = {} if connection.status == Status.ACTIVE else {"topic__in": topics_by_law(connection.platform)}
        if deliveries.has_due(connection, now=now).filter(**topics).exists():
            ring(connection.pk)
        if watching.look(connection, now=now):
            submit_subscriptions(connection, actor=work.actor)


def forget(work: Work) -> None:
    """Delete deliveries that nobody needs any more."""
    lasting = sorted({topic for platform in CONNECTORS for topic in topics_by_law(platform)})
    deliveries.forget(lasting=lasting, now=timezone.now())


FOLLOW_DELIVERIES = Kind(name="follow-deliveries", label="What platforms rang about", handler=follow)
KEEP_SUBSCRIPTIONS = Kind(name="keep-subscriptions", label="Subscriptions to a platform's webhooks", handler=keep_subscriptions)
KEEP_ALL_SUBSCRIPTIONS = Kind(name="keep-all-subscriptions", label="All subscriptions to webhooks", handler=keep_all_subscriptions, atomic=True)
WATCH_DELIVERIES = Kind(name="watch-deliveries", label="Deliveries that wait, are forged or stay away", handler=watch)
FORGET_DELIVERIES = Kind(name="forget-deliveries", label="Deletion of old deliveries", handler=forget)
