"""Die at bad moments: a killed writer or a killed database leaves a sound book, and a second run completes it."""

import json
import shutil
import signal
import time

import psutil
import pytest
from django.db import connection

from ledger.accounts import COGS_PRODUCT
from ledger.audit import audit
from ledger.book.reposting import is_restating, repost
from ledger.cause import Cause
from ledger.erasure import erasing
from ledger.kinds import CauseKind
from ledger.models import CogsRule, Entry, Erasure, Order
from ledger.rules.rules import change
from profitpeek import embedded_postgres
from tests.builders import a_store, an_order, at, book_of, write
from tests.ledger.whole_store import PARTS, a_whole_store, counted, counted_parts
from tests.races.processes import finish, start, url_of_the_test_database, wait_for
from tests.races.recorder import BATCHES, SLUG

UNDISTURBED = {
    "figures": {
        "cogs:product": "-3980.0000", "fees:payment": "-680.5500", "fulfilment:shipping": "-980.0000", "memo:tax": "634.0000",
        "sales:discounts": "-200.0000", "sales:gross": "19950.0000", "sales:returns": "-4000.0000", "sales:shipping": "980.0000",
        "stat:new_customers": "40.0000", "stat:orders": "200.0000", "stat:returned_units": "200.0000", "stat:units": "399.0000",
    },
    "problems": {},
    "entries": 3435,
}  # fmt: skip
"""What the recorder's load comes to when nobody disturbs it."""


def _finish(url: str, what: str) -> str:
    return finish(url, "recorder", what)


def _report(url: str) -> dict:
    return json.loads(_finish(url, "report"))


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_writer_killed_again_and_again_leaves_a_sound_book_that_a_later_run_completes():
    url = url_of_the_test_database()
    _finish(url, "record")
    assert _report(url) == UNDISTURBED
    with connection.cursor() as cursor:
        cursor.execute("UPDATE ledger_store SET slug = 'undisturbed' WHERE slug = %s", [SLUG])
    for batch, delay in ((0, 0.004), (6, 0.011), (10, 0.017)):
        process = start(url, "recorder", "record")
        wait_for(process, batch)
        time.sleep(delay)
        process.kill()
        process.wait()
        assert _report(url)["problems"] == {}
    assert _finish(url, "record").split()[-1] == str(BATCHES - 1)
    assert _report(url) == UNDISTURBED


@pytest.mark.slow
def test_a_database_killed_in_the_middle_leaves_a_sound_book_that_a_later_run_completes(tmp_path):
    folder = tmp_path / "postgres"
    membership = embedded_postgres.join(folder)
    try:
        url = membership.url()
        _finish(url, "migrate")
        for batch, delay in ((2, 0.005), (9, 0.012)):
            process = start(url, "recorder", "record")
            wait_for(process, batch)
            time.sleep(delay)
            _kill_server(membership)
            process.wait()
            assert process.returncode != 0
            membership.leave()
            membership = embedded_postgres.join(folder)
            assert _report(url)["problems"] == {}
        _finish(url, "record")
        assert _report(url) == UNDISTURBED
    finally:
        membership.leave()
        # root's clusters do not live in the folder asked for
        shutil.rmtree(membership.server.home.folder, ignore_errors=True)


def _kill_server(membership: embedded_postgres.Membership) -> None:
    """End the postmaster of this test's own cluster, and its children, without a word."""
    pid = int((membership.server.home.data / "postmaster.pid").read_text().split()[0])
    server = psutil.Process(pid)
    for process in [server, *server.children()]:
        process.send_signal(signal.SIGKILL)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_restating_over_two_lanes_that_is_killed_again_and_again_ends_right_and_writes_nothing_twice() -> None:
    store, url = a_store(slug="lanes"), url_of_the_test_database()
    for first in range(0, 400, 100):
        write(store, *(an_order(str(number)) for number in range(first, first + 100)))
    change(store, add=[CogsRule(percentage=30)], actor="ann", now=at("2026-03-20 09:00"))
    goods = Entry.objects.filter(book_id=store.pk, account=COGS_PRODUCT)
    for chunks, delay in ((1, 0.002), (4, 0.009), (6, 0.0)):
        process = start(url, "restater", store.slug)
        wait_for(process, chunks * 10)
        time.sleep(delay)
        process.kill()
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        assert is_restating(store)
        assert {name: problems for name, problems in audit(book_of(store)).items() if problems} == {}
    finish(url, "restater", store.slug)
    assert (is_restating(store), goods.count(), goods.filter(reverses=True).count()) == (False, 1_200, 400)
    assert set(Order.objects.values_list("cogs", flat=True)) == {15}
    assert {name: problems for name, problems in audit(book_of(store)).items() if problems} == {}
    assert repost(store, cause=Cause(CauseKind.RULE, "costs:1")) == 0


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_deletion_that_is_killed_again_and_again_ends_with_the_store_gone_every_row_counted_once_and_the_other_whole() -> None:
    now, url = at("2026-03-20 09:00"), url_of_the_test_database()
    kept, gone = a_whole_store("kept", now=now), a_whole_store("gone", now=now)
    for first in range(0, 200, 100):
        write(gone, *(an_order(str(number)) for number in range(1_000 + first, 1_100 + first)))
    of_kept, of_gone, parts = counted([kept.pk]), counted([gone.pk]), counted_parts()
    erasing.ask(gone, actor="ann", now=now)
    for rows, delay in ((1, 0.002), (500, 0.007), (1_500, 0.0)):
        process = start(url, "eraser", gone.slug)
        wait_for(process, rows)
        time.sleep(delay)
        process.kill()
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        assert Erasure.objects.get().finished_at is None
    finish(url, "eraser", gone.slug)
    assert (counted([kept.pk]), set(counted([gone.pk]).values())) == (of_kept, {0})
    note, belonging = Erasure.objects.get(), {table: parts[table] // 2 for table in PARTS}
    assert note.finished_at is not None
    assert note.rows == {**{table: count for table, count in of_gone.items() if count}, **belonging, "ledger_store": 1}
