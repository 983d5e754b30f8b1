"""Entries and batches are only ever added; a book is erased only while it is named."""

import pytest
from django.db import DatabaseError, connection, transaction

from ledger.models import Batch, Entry
from tests.builders import a_store, an_order, write

pytestmark = pytest.mark.django_db

TABLES = ("ledger_entry", "ledger_batch")


def _refused(sql: str, match: str) -> None:
    with pytest.raises(DatabaseError, match=match), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


@pytest.mark.parametrize("table", TABLES)
def test_update_is_refused(table):
    store = a_store()
    write(store, an_order())
    _refused(f"UPDATE {table} SET seq = seq + 1 WHERE book_id = {store.pk}", f"{table} is append-only: UPDATE refused")


@pytest.mark.parametrize("table", TABLES)
def test_delete_is_refused(table):
    store = a_store()
    write(store, an_order())
    _refused(f"DELETE FROM {table} WHERE book_id = {store.pk}", f"{table} is append-only: DELETE refused")


@pytest.mark.parametrize(("table", "trigger"), [("ledger_entry", "entry_refuses_truncate"), ("ledger_batch", "batch_refuses_truncate")])
def test_truncate_is_refused(table, trigger):
    # the test database may switch this trigger off, because tests clean up by TRUNCATE
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER {trigger}")
    _refused(f"TRUNCATE {table}", f"{table} is append-only: TRUNCATE refused")


def test_the_one_book_that_is_being_erased_may_be_deleted():
    erased, kept = a_store(), a_store()
    write(erased, an_order())
    write(kept, an_order())
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('profitpeek.erasing_book', %s, true)", [str(erased.pk)])
        for table in TABLES:
            cursor.execute(f"DELETE FROM {table} WHERE book_id = %s", [erased.pk])
            _refused(f"DELETE FROM {table} WHERE book_id = {kept.pk}", "DELETE refused")
            _refused(f"UPDATE {table} SET seq = 9 WHERE book_id = {kept.pk}", "UPDATE refused")
    assert (Entry.objects.filter(book_id=erased.pk).count(), Batch.objects.filter(book_id=erased.pk).count()) == (0, 0)
    assert (Entry.objects.filter(book_id=kept.pk).count(), Batch.objects.filter(book_id=kept.pk).count()) == (5, 1)


def test_erasing_a_book_does_not_allow_changing_it():
    store = a_store()
    write(store, an_order())
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('profitpeek.erasing_book', %s, true)", [str(store.pk)])
    _refused(f"UPDATE ledger_entry SET amount = 0 WHERE book_id = {store.pk}", "UPDATE refused")
