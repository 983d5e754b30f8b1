"""One run at a time reads a stream; whoever was taken over, stopped or refused writes nothing more."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from connectors.connections import disconnect, note_fault, pause
from connectors.faults import NeedsReauth
from connectors.files.kind import Progress
from connectors.models import Connection, RawPayload, SyncRun
from connectors.reading import runs
from connectors.reading.paged import Limits
from connectors.reading.runs import Busy, RunLost
from ledger.models import Order
from tests.connectors.bazaar import NOW, ORDERS, PAGE, Bazaar, a_record
from tests.connectors.connecting import cursor_of, last_run, pull, pull_all

pytestmark = pytest.mark.django_db
PAGE_BY_PAGE = Limits(at_once=1)


def numbers() -> list[int]:
    return sorted(int(number) for number in Order.objects.values_list("external_id", flat=True))


def test_only_one_run_reads_a_stream_and_a_dead_one_is_taken_over(bazaar: Bazaar, connection: Connection) -> None:
    bazaar.add(*(a_record(number) for number in range(25)))
    first = runs.claim(connection, "orders", SyncRun.Mode.BACKFILL, now=NOW)
    with pytest.raises(Busy):
        pull(connection)
    assert bazaar.asked == []
    other = replace(ORDERS, name="others")
    assert pull(connection, other).done
    SyncRun.objects.filter(pk=first.pk).update(heartbeat_at=NOW - timedelta(days=999))
    assert pull(connection).done
    dead = SyncRun.objects.get(pk=first.pk)
    assert (dead.status, dead.fault) == ("failed", "Lost")
    with pytest.raises(RunLost):
        first.fence()
    assert not first.end("done")


def test_a_run_that_was_taken_over_commits_nothing_more(bazaar: Bazaar, connection: Connection) -> None:
    bazaar.add(*(a_record(number) for number in range(25)))
    asked = []

    def taken_over(path: str) -> None:
        asked.append(path)

    def steal(step: str, done: int, whole: int) -> None:
        SyncRun.objects.filter(status="running").update(status="failed", fault="Lost")

    bazaar.switches.before = taken_over
    with pytest.raises(RunLost):
        pull(connection, progress=steal, limits=PAGE_BY_PAGE)
    assert (numbers(), cursor_of(connection).done) == (list(range(10)), 10)
    pull_all(connection)
    assert numbers() == list(range(25))


def test_a_guard_that_says_no_takes_the_page_back(bazaar: Bazaar, connection: Connection) -> None:
    bazaar.add(*(a_record(number) for number in range(5)))

    def no() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pull(connection, guard=no)
    run = last_run(connection)
    assert (numbers(), run.status, run.fault, run.records) == ([], "failed", "KeyboardInterrupt", 0)
    # What arrived is kept all the same.
    assert RawPayload.objects.count() == 1


def once(do: Callable[[], object]) -> Progress:
    """Do something in the middle of a run, once."""
    left = [do]
    return lambda step, done, whole: left.pop()() if left else None  # type: ignore[func-returns-value]


@pytest.mark.parametrize(("status", "how"), [("paused", pause), ("disconnected", lambda row: disconnect(row, now=NOW))], ids=["pause", "disconnect"])
def test_a_run_under_way_reads_no_further_once_its_account_is_paused_or_disconnected(
    bazaar: Bazaar, connection: Connection, status: str, how: Callable[[Connection], None]
) -> None:
    bazaar.add(*(a_record(number) for number in range(3 * PAGE)))
    with pytest.raises(RunLost):
        pull(connection, progress=once(lambda: how(Connection.objects.get(pk=connection.pk))), limits=PAGE_BY_PAGE)
    connection.refresh_from_db()
    assert (connection.status, Order.objects.count()) == (status, PAGE)
    run = last_run(connection)
    assert (run.status, run.problem, run.records) == ("partial", f"Stopped: the account was {status}.", PAGE)


def test_a_past_that_is_asked_for_anew_while_it_is_first_read_begins_anew(bazaar: Bazaar, connection: Connection) -> None:
    bazaar.add(*(a_record(number) for number in range(3 * PAGE)))
    with pytest.raises(RunLost):
        pull(connection, progress=once(lambda: runs.read_again(connection, "orders")), limits=PAGE_BY_PAGE)
    assert (cursor_of(connection).position, cursor_of(connection).backfilled_at, runs.rereads(connection, "orders")) == (None, None, False)
    assert sum(outcome.records for outcome in pull_all(connection)) == 3 * PAGE
    assert cursor_of(connection).backfilled_at == NOW


def test_while_the_past_is_read_again_what_is_new_is_read_at_once(bazaar: Bazaar, connection: Connection) -> None:
    bazaar.add(*(a_record(number) for number in range(3 * PAGE)))
    pull_all(connection)
    before = cursor_of(connection).seen_through
    runs.read_again(connection, "orders")
    one_page = Limits(records=1)
    assert pull(connection, limits=one_page, past=True)[:2] == (False, PAGE)
    bazaar.add(a_record(100, changed=NOW - timedelta(minutes=5)))
    assert pull(connection)[:3] == (True, 12, 1)
    assert (100 in numbers(), cursor_of(connection).backfilled_at) == (True, NOW)
    # A run that reads what is new is alive, and the past goes on beside it.
    live = runs.claim(connection, "orders", SyncRun.Mode.INCREMENT, now=NOW)
    assert pull(connection, limits=one_page, past=True)[:2] == (False, PAGE)
    live.end("done")
    # Asked for again meanwhile, it begins anew.
    with pytest.raises(RunLost):
        pull(connection, progress=once(lambda: runs.read_again(connection, "orders")), limits=PAGE_BY_PAGE, past=True)
    done = pull(connection, past=True)
    assert (done[:3], runs.rereads(connection, "orders")) == ((True, 3 * PAGE + 1, 0), False)
    assert pull(connection, past=True)[:3] == (True, 0, 0)
    after = cursor_of(connection).seen_through
    assert before is not None
    assert after is not None
    assert after > before


def test_a_past_that_is_asked_for_again_as_its_reading_ends_is_read_again(bazaar: Bazaar, connection: Connection) -> None:
    bazaar.add(*(a_record(number) for number in range(25)))
    pull(connection)
    runs.read_again(connection, "orders")
    # After the last page was written, and before the run notes that it is done.
    pull(connection, progress=once(lambda: runs.read_again(connection, "orders")), past=True)
    assert runs.rereads(connection, "orders")
    assert pull(connection, past=True)[:2] == (True, 25)
    assert not runs.rereads(connection, "orders")


def test_why_an_account_was_left_stays_said_though_a_run_ends_well_or_badly_just_then(bazaar: Bazaar, connection: Connection) -> None:
    bazaar.add(a_record(1))
    left = once(lambda: disconnect(connection, now=NOW, why="It was uninstalled."))
    pull(connection, progress=left)
    note_fault(connection, NeedsReauth("The token is not taken."), now=NOW)
    connection.refresh_from_db()
    assert (connection.status, connection.problem) == ("disconnected", "It was uninstalled.")
