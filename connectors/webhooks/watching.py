"""Notice what is wrong with a connection's deliveries: who sends what is not signed, and a platform that has fallen silent."""

from datetime import datetime, timedelta

from connectors.models import Connection, SyncRun, WebhookDelivery, WebhookDoor
from connectors.registry import find
from ledger import findings

FORGED, SILENT = "webhooks_forged", "webhooks_silent"
"""Kinds of findings."""
PERSISTS, QUIET = timedelta(minutes=10), timedelta(days=1)
"""Refused deliveries are told of once they have gone on for so long, and until none has come for so long."""
RECENT, IN_TIME = timedelta(hours=6), timedelta(minutes=15)
"""How far back changes are looked for that nobody rang for, and how long before or after one a platform may ring."""
MEND_EVERY = timedelta(hours=1)


def look(connection: Connection, *, now: datetime) -> bool:
    """Tell the owner of what is wrong, and return whether the subscriptions ought to be looked at."""
    door = WebhookDoor.objects.filter(connection=connection).first()
    if door is None:
        return False
    _tell_forged(connection, door, now)
    if connection.status != Connection.Status.ACTIVE or not door.topics or door.checked_at is None:
        return False
    unannounced = _unannounced(connection, door, now)
    if unannounced is None:
        findings.resolve(connection.store_id, SILENT, str(connection.pk), now=now)
        return False
    if unannounced > door.checked_at:
        _tell_silent(connection, now)
    return door.checked_at < now - MEND_EVERY


def _tell_forged(connection: Connection, door: WebhookDoor, now: datetime) -> None:
    since, last = door.refused_since, door.refused_at
    if since is None or last is None:
        return
    if last < now - QUIET:
        findings.resolve(connection.store_id, FORGED, str(connection.pk), now=now)
    elif last - since >= PERSISTS:
        findings.note(
            connection.store_id, FORGED, str(connection.pk),
            f"{door.refused:,} deliveries at the address of {connection.label or connection.account_ref} were refused since "
            f"{since:%-d %b %Y, %H:%M} UTC: they were not signed with the secret known here, or were not for this account. Nothing of them was kept. "
            "If the client secret was changed on the platform, connect the account again with the new one.",
            now=now,
        )  # fmt: skip


def _unannounced(connection: Connection, door: WebhookDoor, now: datetime) -> datetime | None:
    """Return when changes were read lately that no delivery rang for; None where there is nothing of the kind."""
    connector = find(connection.platform)
    if connector.webhooks is None:
        return None
    compared = [stream.name for stream in connector.streams if stream.comparison is not None]
    read = SyncRun.objects.filter(
        connection=connection, stream__in=compared, mode=SyncRun.Mode.INCREMENT, changed__gt=0,
        started_at__gt=max(now - RECENT, door.made_at + MEND_EVERY), started_at__lt=now - IN_TIME,
    )  # fmt: skip
    latest = read.order_by("-started_at").values_list("started_at", flat=True).first()
    if latest is None or WebhookDelivery.objects.filter(connection=connection, received_at__gte=latest - IN_TIME).exists():
        return None
    return latest


def _tell_silent(connection: Connection, now: datetime) -> None:
    findings.note(
        connection.store_id, SILENT, str(connection.pk),
        f"{connection.label or connection.account_ref} changed orders and did not tell of it, though it is subscribed to: its deliveries "
        "do not arrive. Look whether this installation's address can be reached from the internet. Until then it is asked every few minutes.",
        now=now,
    )  # fmt: skip
