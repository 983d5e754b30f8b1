"""Delete a store with everything of it: the one audited path that the append-only ledger lets through.

From the moment it is asked for nobody sees the store any more, so that nothing half deleted is ever shown. Its rows then go by chunks,
each a transaction; the last one, under the store's and the book's locks, takes what is left and the store itself.
"""

from collections.abc import Callable
from datetime import datetime

from django.apps import apps
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models.functions import Now

from ledger.erasure.store_rows import Place, places
from ledger.models import Book, Erasure, Store
from ledger.people import forget_members
from profitpeek.jobs import queue

CHUNK = 5_000
"""Rows that go in one transaction."""
LAST = frozenset({"ledger_store", "ledger_storezone", "ledger_book", "ledger_membership"})
"""Tables whose rows stay to the end: they say that there is a store, which whoever writes to it reads, and to whom its end is shown."""
JOB_PARAMETERS = {
    "store": "ledger_store",
    "import": "connectors_fileimport",
    "connection": "connectors_connection",
    "proposed": "ledger_proposedchange",
    "case": "connectors_privacycase",
}
"""The parameters by which jobs name rows of a store, and the rows' tables."""

Progress = Callable[[str, int, int], None]
Guard = Callable[[], None]


class NotErasable(Exception):
    """Say why a store cannot be deleted, in words for the person who asked."""


class StillBusy(Exception):
    """Say that work on the store has yet to end; it was told to."""


def ask(store: Store, *, actor: str, now: datetime) -> Erasure:
    """Put a store out of sight at once and note who wants it deleted; asked for twice, it is noted once.

    Raises NotErasable while another store succeeds it: that one's history would lose its beginning.
    """
    with transaction.atomic():
        locked = Store.objects.select_for_update(no_key=True).get(pk=store.pk)
        successor = Store.objects.filter(succeeds=locked).first()
        if successor is not None:
            raise NotErasable(f"{successor.name} succeeds {locked.name}, so its history would lose its beginning. Delete {successor.name} first.")
        erasure, _ = Erasure.objects.get_or_create(
            number=locked.pk,
            defaults={
                "name": locked.name, "slug": locked.slug, "currency": locked.currency, "is_demo": locked.is_demo, "actor": actor, "asked_at": now,
            },
        )  # fmt: skip
        if locked.erasing_since is None:
            locked.erasing_since = now
            locked.save(update_fields=["erasing_since"])
        forget_jobs(locked.pk)
    return erasure


def erase(erasure: Erasure, *, progress: Progress, guard: Guard) -> None:
    """Delete all rows of a store, or go on where that was cut; `guard` is called last in each transaction.

    Raises StillBusy while jobs of the store run that were told to end.
    """
    if erasure.finished_at is not None:
        return
    if forget_jobs(erasure.number):
        raise StillBusy
    found = places()
    left = _count(found, erasure.number)
    whole = erasure.deleted_rows + left
    progress("deleting rows", erasure.deleted_rows, whole)
    _forget_changes_in_the_admin(found, erasure.number)
    for place in found:
        if place.table in LAST or place.names_itself:
            continue
        while _delete_chunk(place, erasure, guard):
            progress("deleting rows", erasure.deleted_rows, whole)
    _delete_the_rest(found, erasure, guard)
    progress("deleting rows", erasure.deleted_rows, whole)


def forget_jobs(store: int) -> int:
    """Delete the jobs of a store, and have those that run end; return how many run."""
    conditions = {place.table: place.condition for place in places() if place.table in JOB_PARAMETERS.values()}
    running = 0
    for parameter, table in JOB_PARAMETERS.items():
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT id FROM {table} WHERE {conditions[table]}", {"store": store})
            numbers = [row[0] for row in cursor]
        running += queue.forget(parameter, numbers)
    return running


def _count(found: list[Place], store: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT " + " + ".join(f"(SELECT count(*) FROM {place.table} WHERE {place.condition})" for place in found), {"store": store})
        return int(cursor.fetchone()[0])


def _delete_chunk(place: Place, erasure: Erasure, guard: Guard) -> bool:
    """Delete some rows of a table and note how many; answer whether there may be more."""
    with transaction.atomic():
        deleted = _delete(place, erasure.number, most=CHUNK)
        if deleted:
            _note(erasure, {place.table: deleted})
        guard()
    return deleted == CHUNK


def _delete_the_rest(found: list[Place], erasure: Erasure, guard: Guard) -> None:
    """Delete what came since, and the store itself, while nobody can write to it."""
    with transaction.atomic():
        # Rows that point to the store wait for its end and then fail; whoever posts holds the book.
        Store.objects.select_for_update().get(pk=erasure.number)
        Book.objects.select_for_update().filter(pk=erasure.number).first()
        counts = {"ledger_membership": forget_members(erasure.number)}
        for place in found:
            counts[place.table] = counts.get(place.table, 0) + _delete(place, erasure.number)
        _note(erasure, {table: count for table, count in counts.items() if count})
        Erasure.objects.filter(pk=erasure.pk).update(finished_at=Now())
        queue.forget("store", [erasure.number])
        guard()
    erasure.refresh_from_db()


def _delete(place: Place, store: int, *, most: int | None = None) -> int:
    values = {"store": store, "most": most, "name": str(store)}
    condition = place.condition if most is None else f"ctid = ANY(ARRAY(SELECT ctid FROM {place.table} WHERE {place.condition} LIMIT %(most)s))"
    with connection.cursor() as cursor:
        # The trigger of the append-only tables lets the rows of this book alone go, and only within this transaction.
        cursor.execute("SELECT set_config('profitpeek.erasing_book', %(name)s, true)", values)
        cursor.execute(f"DELETE FROM {place.table} WHERE {condition}", values)
        return int(cursor.rowcount)


def _note(erasure: Erasure, counts: dict[str, int]) -> None:
    for table, count in counts.items():
        erasure.rows[table] = erasure.rows.get(table, 0) + count
    erasure.save(update_fields=["rows"])


def _forget_changes_in_the_admin(found: list[Place], store: int) -> None:
    """Delete what the admin's log says of the store's rows: it repeats their names."""
    conditions = {place.table: place.condition for place in found}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT id, app_label, model FROM django_content_type WHERE id IN (SELECT content_type_id FROM django_admin_log)")
        for number, label, model in cursor.fetchall():
            _forget_log_of(cursor, number, _table(label, model), conditions, store)


def _table(label: str, model: str) -> str:
    try:
        return str(apps.get_model(label, model)._meta.db_table)
    except LookupError:  # a model of an earlier version
        return ""


def _forget_log_of(cursor: CursorWrapper, kind: int, table: str, conditions: dict[str, str], store: int) -> None:
    if table not in conditions:
        return
    key = "store_id" if table == "ledger_book" else "id"
    rows = f"SELECT {key}::text FROM {table} WHERE {conditions[table]}"
    cursor.execute(
        f"DELETE FROM django_admin_log WHERE content_type_id = %(kind)s AND object_id IN ({rows})",
        {"kind": kind, "store": store},
    )
