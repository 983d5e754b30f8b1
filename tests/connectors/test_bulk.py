"""The past is read by files: asked for, waited for without anybody sleeping, fetched, put together, taken; whatever breaks is gone on with."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from connectors import registry
from connectors.faults import BadPayload, RetryLater
from connectors.models import Connection, ParkedRecord, RawPayload, SyncRun
from connectors.reading import runs
from connectors.reading.bulk_files import BulkFile, BulkRecords, build
from connectors.reading.paged import Limits
from connectors.reading.sync import Outcome
from ledger.audit import check_all
from ledger.book.reposting import withdraw
from ledger.cause import Cause
from ledger.kinds import CauseKind
from ledger.models import Order, Store
from tests.builders import a_store, book_of
from tests.connectors.bazaar import NOW, ORDERS, OVERLAP, Bazaar, a_record, connector, open_bazaar
from tests.connectors.bazaar_files import BULK, FILED, Files, lines_of
from tests.connectors.connecting import connected, cursor_of, pull

pytestmark = pytest.mark.django_db


@pytest.fixture
def bazaar(monkeypatch: pytest.MonkeyPatch, settings: object, tmp_path: Path) -> Iterator[Bazaar]:
    monkeypatch.setitem(registry.CONNECTORS, "bazaar", connector(FILED))
    monkeypatch.setattr("connectors.http.PAUSES", (0.0, 0.0))
    monkeypatch.setattr("connectors.reading.bulk.WORTH_WHILE", 5)
    settings.BULK_FOLDER = tmp_path / "bulk"  # type: ignore[attr-defined]
    with open_bazaar() as bazaar:
        yield bazaar


@pytest.fixture
def files(bazaar: Bazaar) -> Files:
    bazaar.add(*(a_record(number, total=f"{10 + number}.00") for number in range(30)))
    bazaar.orders["3"]["refunds"] = [{"id": "r1", "at": NOW.isoformat(), "amount": "4.00"}]
    return Files(bazaar)


@pytest.fixture
def store() -> Store:
    return a_store()


@pytest.fixture
def connection(store: Store, bazaar: Bazaar) -> Connection:
    return connected(store, bazaar)


def pull_bulk(connection: Connection, *, most: int = 20, limits: Limits | None = None) -> list[Outcome]:
    """Read run after run until all is read."""
    done: list[Outcome] = []
    while not done or not done[-1].done:
        assert len(done) < most, done
        done.append(pull(connection, FILED, limits=limits))
    return done


def assert_whole(connection: Connection, count: int = 30) -> None:
    """Find every order booked as its pages would book it."""
    assert sorted(map(int, Order.objects.values_list("external_id", flat=True))) == list(range(count))
    assert {int(order.external_id): str(order.revenue) for order in Order.objects.all()} == {
        number: f"{10 + number - (4 if number == 3 else 0)}.0000" for number in range(count)
    }
    assert not any(check_all(book_of(connection.store)).values())
    cursor = cursor_of(connection)
    assert (cursor.position, cursor.until, cursor.backfilled_at) == (None, None, NOW)
    assert cursor.seen_through == NOW - timedelta(days=20) + timedelta(minutes=count - 1) - OVERLAP


def pages_asked(bazaar: Bazaar) -> int:
    return sum(asked.startswith("/orders?") for asked in bazaar.asked)


def test_files_are_asked_for_waited_for_and_taken(bazaar: Bazaar, files: Files, connection: Connection, settings: object) -> None:
    files.looks = 3
    outcomes = pull_bulk(connection)
    # Asked for; two looks at two files; a third run that takes.
    assert [(outcome.done, outcome.wait, outcome.records) for outcome in outcomes] == [
        (False, 2.0, 0), (False, 2.0, 0), (False, 3.0, 0), (True, 0.0, 30)
    ]  # fmt: skip
    assert_whole(connection)
    assert (pages_asked(bazaar), len(files.asked), RawPayload.objects.count()) == (0, 2, 1)
    assert files.tokens == [None, None]
    # A run that did nothing but look leaves no trace.
    assert list(SyncRun.objects.order_by("pk").values_list("status", "records")) == [("partial", 0), ("done", 30)]
    assert not (settings.BULK_FOLDER / f"{connection.pk}-orders").exists()  # type: ignore[attr-defined]
    assert pull(connection, FILED)[:3] == (True, 11, 0)
    assert pages_asked(bazaar) == 2


def test_files_and_pages_give_equal_facts(bazaar: Bazaar, files: Files, connection: Connection) -> None:
    pull_bulk(connection)
    known = dict(Order.objects.values_list("external_id", "facts_digest"))
    paged = replace(FILED, bulk=None, complete=lambda record, send: {"refunds": [], **record})
    assert pull(connection, replace(paged, cursor=None))[:3] == (True, 30, 0)
    assert dict(Order.objects.values_list("external_id", "facts_digest")) == known


def test_an_order_that_was_deleted_since_the_files_were_asked_for_stays_deleted(bazaar: Bazaar, files: Files, connection: Connection) -> None:
    pull_bulk(connection)
    runs.read_again(connection, "orders")
    pull(connection, FILED, past=True)
    one, other = Order.objects.filter(external_id__in=("4", "5")).order_by("external_id")
    for order, ref in ((one, connection.cause_ref), (other, "undo of import:1")):
        withdraw(connection.store, [order.pk], cause=Cause(CauseKind.SYNC, ref), now=NOW + timedelta(minutes=1))
    for _ in range(20):
        if pull(connection, FILED, now=NOW + timedelta(minutes=2), past=True).done:
            break
    assert list(Order.objects.exclude(withdrawn_at=None).values_list("external_id", flat=True)) == ["4"]
    assert not any(check_all(book_of(connection.store)).values())
    # Found there by whoever asks later, it counts again.
    runs.read_again(connection, "orders")
    pull(connection, ORDERS, now=NOW + timedelta(minutes=3), past=True)
    assert not Order.objects.exclude(withdrawn_at=None).exists()


@pytest.mark.parametrize("chunk", [1, 7, 30])
def test_a_run_at_its_limit_goes_on_at_its_record_without_fetching_again(
    bazaar: Bazaar, files: Files, connection: Connection, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.reading.bulk.CHUNK", chunk)
    outcomes = pull_bulk(connection, limits=Limits(records=10), most=40)
    assert sum(outcome.records for outcome in outcomes) == 30
    assert len(files.tokens) == 2
    assert_whole(connection)


def test_files_packed_and_turned_around_are_read_alike(files: Files, connection: Connection) -> None:
    files.packed = files.turned = True
    pull_bulk(connection)
    assert sorted(map(int, Order.objects.values_list("external_id", flat=True))) == list(range(30))
    assert str(Order.objects.get(external_id="3").revenue) == "9.0000"


def test_nothing_in_the_files_is_the_end(bazaar: Bazaar, files: Files, connection: Connection) -> None:
    bazaar.routes["/count"] = lambda query: {"count": 30}
    bazaar.orders.clear()
    pull_bulk(connection)
    assert (Order.objects.count(), cursor_of(connection).backfilled_at, files.tokens) == (0, NOW, [])


def test_so_few_records_are_read_by_pages(bazaar: Bazaar, files: Files, connection: Connection) -> None:
    for number in range(4, 30):
        del bazaar.orders[str(number)]
    assert pull(connection, FILED)[:2] == (True, 4)
    assert files.asked == []


@pytest.mark.parametrize(("status", "headers"), [(400, {}), (403, {}), (404, {}), (413, {})])
def test_where_the_platform_makes_no_files_pages_are_read(
    bazaar: Bazaar, files: Files, connection: Connection, status: int, headers: dict[str, str]
) -> None:
    files.refuses = status, headers
    assert pull(connection, FILED, limits=Limits(pages=1))[:2] == (False, 10)
    assert [outcome.records for outcome in pull_bulk(connection)] == [20]
    assert (Order.objects.count(), files.asked) == (30, [])


def test_a_platform_that_is_busy_making_others_is_asked_again_later(bazaar: Bazaar, files: Files, connection: Connection) -> None:
    files.refuses = 503, {"Retry-After": "60"}
    with pytest.raises(RetryLater):
        pull(connection, FILED)
    files.refuses = None
    pull_bulk(connection)
    assert_whole(connection)


def test_a_file_whose_number_was_cut_off_is_asked_for_again_and_the_other_is_not(bazaar: Bazaar, files: Files, connection: Connection) -> None:
    def cut(path: str) -> None:
        if path == "/bulk" and len(files.asked) == 1:
            bazaar.switches.cuts_at = 3

    bazaar.switches.before = cut
    pull(connection, FILED)
    assert cursor_of(connection).position["bulk"]["operations"] == ["0", "2"]
    pull_bulk(connection)
    # The cut answer's file is made and nobody knows its number; nothing else is asked for twice.
    assert [asked["part"] for asked in files.asked] == ["orders", "lines", "lines"]
    assert_whole(connection)


def test_an_address_that_has_expired_is_asked_for_again(files: Files, connection: Connection) -> None:
    files.expires = 1
    pull_bulk(connection)
    assert len(files.asked) == 2
    assert_whole(connection)


def test_files_that_are_gone_are_made_again(files: Files, connection: Connection) -> None:
    files.expires = 2
    pull_bulk(connection)
    assert len(files.asked) == 4
    assert_whole(connection)


def test_files_that_fail_again_and_again_are_given_up_for_pages(bazaar: Bazaar, files: Files, connection: Connection) -> None:
    files.fails = {"lines": "INTERNAL_SERVER_ERROR"}
    pull_bulk(connection)
    assert (len(files.asked), pages_asked(bazaar), Order.objects.count()) == (6, 3, 30)


def test_files_that_end_early_are_taken_to_their_last_whole_record_and_gone_on_with(
    bazaar: Bazaar, files: Files, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = files.body({"part": "lines", "until": "9"})
    files.ends_after = {"lines": body.index(b'"order/20/1"') + 3}
    first = pull(connection, FILED)
    second = pull(connection, FILED)
    assert (first.records, second.records) == (0, 20)
    assert sorted(map(int, Order.objects.values_list("external_id", flat=True))) == list(range(20))
    files.ends_after = {}
    outcomes = pull_bulk(connection)
    # From the last whole record's time of change on, less the overlap.
    assert files.asked[2]["since"] == (NOW - timedelta(days=20) + timedelta(minutes=19) - OVERLAP).isoformat()
    assert sum(outcome.records for outcome in outcomes) == 21
    assert_whole(connection)


def test_files_in_no_order_that_end_early_are_asked_for_whole(files: Files, connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    unordered = replace(FILED, bulk=replace(BULK, in_order=False))
    files.ends_after = {"orders": 900}
    pull(connection, unordered)
    pull(connection, unordered)
    files.ends_after = {}
    while not pull(connection, unordered).done:
        pass
    assert "since" not in files.asked[2]
    assert_whole(connection)


def test_a_record_that_is_in_one_file_only_is_parked_until_it_comes_by_a_page(bazaar: Bazaar, files: Files, connection: Connection) -> None:
    real = bazaar.within
    bazaar.within = lambda query: [  # type: ignore[method-assign]
        order for order in real(query) if query.get("part") != "orders" or order["id"] != "29"
    ]
    pull_bulk(connection)
    row = ParkedRecord.objects.get()
    assert (row.external_id, row.reason) == ("29", "The files hold this order's lines, and not itself.")
    bazaar.add(a_record(29, total="39.00", changed=NOW - timedelta(minutes=1)))
    pull(connection, FILED)
    assert (ParkedRecord.objects.count(), Order.objects.count()) == (0, 30)


def test_lines_of_records_that_are_in_no_file_make_the_files_be_asked_for_again(bazaar: Bazaar, files: Files, connection: Connection) -> None:
    real, asked = files.body, []

    def stray(query: dict) -> bytes:
        asked.append(query)
        return real(query) + (b'{"parent": "order/999", "sku": "X"}\n' if len(asked) <= 2 else b"")

    files.body = stray  # type: ignore[method-assign]
    pull_bulk(connection)
    assert len(files.asked) == 4
    assert_whole(connection)


def test_a_file_on_a_host_that_is_not_the_platforms_is_not_fetched(bazaar: Bazaar, files: Files, connection: Connection) -> None:
    files.elsewhere = "https://files.evil.example"
    pull_bulk(connection)
    assert (files.tokens, pages_asked(bazaar), Order.objects.count()) == ([], 3, 30)


def test_a_download_that_breaks_off_is_fetched_again(bazaar: Bazaar, files: Files, connection: Connection) -> None:
    pull(connection, FILED)

    def cut(path: str) -> None:
        if path.startswith("/files/1"):
            bazaar.switches.cuts_at = 200
            bazaar.switches.before = lambda path: None

    bazaar.switches.before = cut
    with pytest.raises(RetryLater, match="broke under a file"):
        pull(connection, FILED)
    pull_bulk(connection)
    # The first file was whole and is not fetched again.
    assert len(files.tokens) == 3
    assert_whole(connection)


def test_files_that_take_longer_than_a_run_are_fetched_by_several(files: Files, connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    files.tag = '"one"'
    pull(connection, FILED)
    with monkeypatch.context() as hurried:
        hurried.setattr("connectors.reading.bulk.FETCH_SECONDS", 0.0)
        assert [pull(connection, FILED)[:2] for _ in range(2)] == [(False, 0), (False, 0)]
    assert pull(connection, FILED)[:2] == (True, 30)
    assert len(files.asked) == 2
    assert_whole(connection)


def test_a_stream_whose_files_come_too_slowly_each_time_is_read_page_by_page(
    bazaar: Bazaar, files: Files, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.reading.downloading.SLOW_SECONDS", 0.0)
    monkeypatch.setattr("connectors.reading.downloading.SLOWEST", 10**9)
    pull(connection, FILED)
    for _ in range(2):
        with pytest.raises(RetryLater, match=r"Of a file only [\d,]+ bytes came in 0 s."):
            pull(connection, FILED)
        connection.refresh_from_db()
        assert connection.problem.startswith("Of a file only ")
    assert pull(connection, FILED)[:2] == (True, 30)
    connection.refresh_from_db()
    assert (pages_asked(bazaar), Order.objects.count(), connection.problem) == (3, 30, "")


def test_files_that_are_not_to_be_read_are_made_again(files: Files, connection: Connection) -> None:
    real = files.body
    files.body = lambda query: b"<html>Sorry</html>"  # type: ignore[method-assign]
    pull(connection, FILED)
    pull(connection, FILED)
    files.body = real  # type: ignore[method-assign]
    pull_bulk(connection)
    assert len(files.asked) == 4
    assert_whole(connection)


def test_a_new_version_that_asks_otherwise_has_the_files_made_anew(files: Files, connection: Connection) -> None:
    pull(connection, FILED)
    other = replace(FILED, bulk=replace(BULK, start=lambda window: [replace_body(request) for request in BULK.start(window)]))
    while not pull(connection, other).done:
        pass
    assert len(files.asked) == 4
    assert_whole(connection)


def replace_body(request: object) -> object:
    return msgspec.structs.replace(request, body={**request.body, "fields": "more"})  # type: ignore[attr-defined,type-var]


def test_an_index_holds_few_names_in_memory_and_finds_them_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.reading.bulk_files.NAMES_HELD", 3)
    monkeypatch.setattr("connectors.reading.bulk_files.LINES_AT_ONCE", 4)
    orders = [a_record(number) for number in range(40)]
    lines = [line for part in ("orders", "lines") for order in orders for line in lines_of(part, order)]
    path = tmp_path / "all.jsonl"
    path.write_bytes(b"\n".join(json.dumps(line).encode() for line in (*lines[::2], *lines[1::2])) + b"\n\n")
    told: list[int] = []
    file = BulkFile(path, partial=False)
    build(tmp_path / "all.sqlite", [file], BULK, told.append)
    with BulkRecords(tmp_path / "all.sqlite", [file]) as records:
        assert (records.count, records.lost, told[-1]) == (40, 0, 160)
        found = {record["id"]: record for record in map(BULK.assemble, records.lines(1, 41))}
        assert found == {order["id"]: {**order, "refunds": [], "key": f"order/{order['id']}"} for order in orders}
        assert [len(each) for each in records.lines(5, 7)] == [4, 4]


def test_a_file_that_is_not_lines_of_json_is_refused_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_bytes(b'{"key": "order/1"}\n<html>\n')
    with pytest.raises(BadPayload, match="not JSON, at byte 19"):
        build(tmp_path / "bad.sqlite", [BulkFile(path, partial=False)], BULK, lambda lines: None)
    assert not (tmp_path / "bad.sqlite").exists()
