"""A deleted store leaves nothing but a note, and no row of another store is touched."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import InternalError, connection, transaction
from django.db.utils import IntegrityError

from ledger.audit import audit
from ledger.erasure import erasing
from ledger.erasure.erasing import NotErasable, StillBusy, ask, erase
from ledger.erasure.store_rows import places
from ledger.models import Entry, Erasure, Order, Store
from ledger.people import stores_of
from ledger.tasks import AUDIT_BOOKS, submit_erasure
from profitpeek.jobs import queue
from profitpeek.jobs.housekeeping import HEARTBEAT
from profitpeek.jobs.models import Job
from profitpeek.jobs.running import run
from tests.builders import a_store, an_order, book_of, write
from tests.ledger.whole_store import PARTS, a_whole_store, counted, counted_parts, some_orders, tables_that_name_stores

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 3, 20, 9, tzinfo=UTC)


class Cut(Exception):
    """Stands for a kill."""


def untold(step: str, done: int, whole: int) -> None:
    """Take progress and do nothing."""


def unguarded() -> None:
    """Guard nothing."""


def cut_at_the_third() -> Callable[[], None]:
    """Return a guard that lets two transactions commit and cuts the third."""
    calls = iter(range(2))

    def cut() -> None:
        if next(calls, None) is None:
            raise Cut

    return cut


def test_the_eraser_knows_every_table_that_the_database_says_has_rows_of_stores() -> None:
    assert {place.table for place in places()} == {"ledger_store"} | set(tables_that_name_stores()) | _belonging()


def _belonging() -> set[str]:
    """Return the tables whose rows belong to rows of a store by a foreign key alone."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT DISTINCT t.table_name FROM information_schema.table_constraints t
                 JOIN information_schema.constraint_column_usage u USING (constraint_schema, constraint_name)
                WHERE t.constraint_type = 'FOREIGN KEY' AND u.table_name = ANY(%s)""",
            [list(tables_that_name_stores())],
        )
        found = {row[0] for row in cursor.fetchall()} - set(tables_that_name_stores())
    assert found >= PARTS
    return found


def test_every_job_about_a_store_names_it_by_a_parameter_that_the_eraser_knows() -> None:
    asked = re.compile(r'queue\.submit\(\s*\w+,\s*(\{"[^}]*\})')
    files = [path for folder in ("profitpeek", "dashboards", "alerts", "connectors", "ledger") for path in (ROOT / folder).rglob("*.py")]
    found = [set(re.findall(r'"(\w+)":', parameters)) for path in files for parameters in asked.findall(path.read_text())]
    assert len(found) >= 10
    assert [names for names in found if not names & {*erasing.JOB_PARAMETERS, "erasure"}] == []


def test_a_deleted_store_leaves_no_row_and_every_row_of_another_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasing, "CHUNK", 3)
    kept, gone = a_whole_store("kept", now=NOW), a_whole_store("gone", now=NOW)
    audited, _ = audit(book_of(kept)), audit(book_of(gone))
    of_kept, of_gone, parts = counted([kept.pk]), counted([gone.pk]), counted_parts()
    assert {table for table in FILLED if not of_kept[table]} == set()
    assert of_gone == of_kept
    job = submit_erasure(gone, actor="ann", now=NOW).job
    assert job is not None
    run(job)
    assert Job.objects.get(pk=job).state == "done"
    assert counted([kept.pk]) == of_kept
    assert set(counted([gone.pk]).values()) == {0}
    halves = {table: count // 2 for table, count in parts.items() if table in PARTS or table in ("django_admin_log", "jobs_job", "ledger_store")}
    assert counted_parts() == {**parts, **halves, "jobs_job": halves["jobs_job"] + 1}
    assert audit(book_of(kept)) == audited
    note = Erasure.objects.get()
    assert (note.number, note.name, note.slug, note.actor, note.asked_at) == (gone.pk, "Gone", "gone", "ann", NOW)
    assert note.finished_at is not None
    of_parts = {table: halves[table] for table in PARTS}
    assert note.rows == {**{table: count for table, count in of_gone.items() if count}, **of_parts, "ledger_store": 1}


FILLED = {
    "connectors_fileimport", "connectors_ordertransaction", "dashboards_invitation", "dashboards_startend", "ledger_adday", "ledger_batch",
    "ledger_book",
    "ledger_bundlepart", "ledger_campaign", "ledger_channel", "ledger_cogsrule", "ledger_costchange", "ledger_countrydaytotal", "ledger_customer",
    "ledger_daytotal", "ledger_entry", "ledger_feerule", "ledger_finding", "ledger_manualcost", "ledger_membership", "ledger_order",
    "ledger_ordercharge", "ledger_orderline", "ledger_partner", "ledger_partnercode", "ledger_payment", "ledger_product", "ledger_productdaytotal",
    "ledger_proposedchange", "ledger_sale", "ledger_storezone", "ledger_variant", "ledger_variantcost",
}  # fmt: skip
"""Tables of which the stores of these tests have rows; the catalogue names all the others to the eraser as well."""


def test_whoever_was_let_into_the_admin_by_a_deleted_store_alone_is_let_in_no_more() -> None:
    store = a_whole_store("gone", now=NOW)
    assert User.objects.get(email="owner@gone.example.com").is_staff
    erase(ask(store, actor="ann", now=NOW), progress=untold, guard=unguarded)
    assert not User.objects.get(email="owner@gone.example.com").is_staff


def test_from_the_moment_it_is_asked_for_the_store_is_there_for_nobody_and_no_work_is_asked_for_it() -> None:
    kept, gone = a_whole_store("kept", now=NOW), a_whole_store("gone", now=NOW)
    root = User.objects.create_superuser(username="root", email="root@example.com")
    ask(gone, actor="ann", now=NOW)
    assert [list(stores_of(who)) for who in (root, User.objects.get(email="owner@gone.example.com"))] == [[kept], []]
    assert Job.objects.filter(parameters={"store": gone.pk}).count() == 0
    run(queue.submit(AUDIT_BOOKS))
    assert list(Job.objects.filter(kind="audit-book").values_list("parameters", flat=True)) == [{"store": kept.pk}]


def test_an_erasing_that_is_cut_after_any_transaction_goes_on_and_counts_every_row_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasing, "CHUNK", 20)
    store = a_whole_store("gone", now=NOW)
    before, parts = counted([store.pk]), counted_parts()
    ask(store, actor="ann", now=NOW)
    cuts = 0
    while Erasure.objects.get().finished_at is None:
        try:
            erase(Erasure.objects.get(), progress=untold, guard=cut_at_the_third() if cuts < 60 else unguarded)
        except Cut:
            cuts += 1
    assert cuts >= 5
    assert set(counted([store.pk]).values()) == {0}
    assert Erasure.objects.get().rows == {
        **{table: count for table, count in before.items() if count}, **{table: parts[table] for table in PARTS}, "ledger_store": 1,
    }  # fmt: skip


def test_it_waits_for_work_that_runs_on_the_store_and_tells_it_to_end() -> None:
    store = a_store(slug="gone")
    running = queue.submit(HEARTBEAT, {"store": store.pk}, key="x")
    Job.objects.filter(pk=running).update(state="running", lease_until=NOW)
    erasure = submit_erasure(store, actor="ann", now=NOW)
    assert Job.objects.get(pk=running).cancel_requested
    with pytest.raises(StillBusy):
        erase(erasure, progress=untold, guard=unguarded)
    assert erasure.job is not None
    run(erasure.job)
    job = Job.objects.get(pk=erasure.job)
    assert (job.state, job.attempts, job.error) == ("waiting", 0, "Waiting for other work on the store to end.")
    Job.objects.filter(pk=running).update(state="cancelled", finished_at=NOW)
    Job.objects.filter(pk=erasure.job).update(not_before=NOW)
    run(erasure.job)
    assert not Store.objects.filter(pk=store.pk).exists()
    assert list(Job.objects.values_list("pk", flat=True)) == [erasure.job]


def test_what_is_written_after_the_chunks_goes_with_the_store(monkeypatch: pytest.MonkeyPatch) -> None:
    store = a_store(slug="gone")
    write(store, *some_orders())
    erasure = ask(store, actor="ann", now=NOW)
    last = erasing._delete_the_rest

    def after_a_late_order(*arguments: object) -> None:
        write(store, an_order("late"))
        last(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(erasing, "_delete_the_rest", after_a_late_order)
    erase(erasure, progress=untold, guard=unguarded)
    assert set(counted([store.pk]).values()) == {0}
    assert Erasure.objects.get().rows["ledger_order"] == 8
    with pytest.raises(ValueError, match="a store has at least one time zone"):
        write(store, an_order("later still"))
    assert (Order.objects.count(), Entry.objects.count()) == (0, 0)


def test_a_store_that_another_succeeds_is_kept() -> None:
    first, second = a_store(slug="first"), a_store(slug="second")
    Store.objects.filter(pk=second.pk).update(succeeds=first)
    with pytest.raises(NotErasable, match="Second succeeds First, so its history would lose its beginning"):
        ask(first, actor="ann", now=NOW)
    assert Store.objects.get(pk=first.pk).erasing_since is None
    erase(ask(second, actor="ann", now=NOW), progress=untold, guard=unguarded)
    ask(first, actor="ann", now=NOW)


def test_the_ledger_gives_up_the_rows_of_the_named_book_alone_and_only_for_one_transaction() -> None:
    kept, gone = a_store(slug="kept"), a_store(slug="gone")
    write(kept, an_order())
    erase(ask(gone, actor="ann", now=NOW), progress=untold, guard=unguarded)
    with pytest.raises((InternalError, IntegrityError), match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM ledger_entry WHERE book_id = %s", [kept.pk])
