"""What was missed, changed without a word, or deleted is found by comparing with the platform's list, and mended; what is doubtful stays."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from connectors import registry
from connectors.connections import opened
from connectors.models import Connection, SyncRun
from connectors.reading.comparing import compare
from connectors.reading.paged import Limits
from connectors.reading.sync import Outcome
from connectors.reading.sync_tasks import COMPARE_ALL
from ledger.audit import check_all
from ledger.models import Finding, Order, Store
from profitpeek.jobs import queue
from profitpeek.jobs.models import Job
from profitpeek.jobs.running import run
from tests.builders import a_store, an_order, book_of, write
from tests.connectors.bazaar import COMPARED, NOW, Bazaar, a_record, connector, open_bazaar
from tests.connectors.connecting import connected, cursor_of, pull

pytestmark = pytest.mark.django_db


@pytest.fixture
def bazaar(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bazaar]:
    monkeypatch.setitem(registry.CONNECTORS, "bazaar", connector(COMPARED))
    monkeypatch.setattr("connectors.http.PAUSES", (0.0, 0.0))
    with open_bazaar() as bazaar:
        # A day apart: forty days of orders, the last of them placed twenty days ago.
        bazaar.add(*(placed(number) for number in range(40)))
        yield bazaar


@pytest.fixture
def store() -> Store:
    return a_store()


@pytest.fixture
def connection(store: Store, bazaar: Bazaar) -> Connection:
    connection = connected(store, bazaar)
    pull(connection)
    bazaar.asked.clear()
    return connection


def placed(number: int, **more: str) -> dict:
    at = (NOW - timedelta(days=60 - number)).isoformat()
    return {**a_record(number), "placed": at, "changed": at, **more}


def compared(connection: Connection, *, whole: bool = False, limits: Limits | None = None) -> Outcome:
    connection.refresh_from_db()
    with opened(connection, now=NOW) as client:
        outcome = compare(connection, COMPARED, client, now=NOW, whole=whole, limits=limits)
    assert not any(check_all(book_of(connection.store)).values())
    return outcome


def told() -> str:
    """Return what the open finding says, without its head."""
    found = Finding.objects.filter(kind="orders_compared", resolved_at=None).values_list("message", flat=True)
    return found[0].partition(" were compared with the platform's list: ")[2] if found else ""


def asked_for(bazaar: Bazaar) -> list[str]:
    return [asked.partition("ids=")[2].replace("%2C", ",") for asked in bazaar.asked if asked.startswith("/some")]


def standing() -> set[str]:
    return set(Order.objects.filter(withdrawn_at=None).values_list("external_id", flat=True))


def test_what_is_the_same_is_left_alone(bazaar: Bazaar, connection: Connection) -> None:
    assert compared(connection)[:3] == (True, 0, 0)
    assert (told(), asked_for(bazaar)) == ("", [])
    assert (cursor_of(connection).compared_at, cursor_of(connection, "orders:compare").backfilled_at) == (NOW, None)
    assert (SyncRun.objects.latest("pk").mode, SyncRun.objects.latest("pk").since) == ("compare", NOW - timedelta(days=90))
    compared(connection, whole=True)
    assert cursor_of(connection, "orders:compare").backfilled_at == NOW


def test_what_is_missing_or_out_of_date_is_fetched_and_told(bazaar: Bazaar, connection: Connection) -> None:
    # Written without its time of change ever being shown to the stream.
    bazaar.add(placed(100, placed=placed(5)["placed"], changed=placed(5)["changed"]))
    bazaar.add(placed(7, total="99.00", lines=[], changed=(NOW - timedelta(days=52, hours=1)).isoformat()))
    bazaar.orders["7"]["lines"] = [{"id": "1", "sku": "MUG", "title": "Mug", "quantity": 1, "price": "99.00"}]
    outcome = compared(connection)
    assert (outcome.records, outcome.changed) == (2, 2)
    assert asked_for(bazaar) == ["100,7"]
    assert told() == "1 is missing here and fetched; 1 is out of date and fetched again."
    assert (str(Order.objects.get(external_id="7").revenue), Order.objects.filter(external_id="100").exists()) == ("99.0000", True)
    compared(connection)
    assert told() == ""


def test_what_the_stream_has_yet_to_bring_is_left_to_it(bazaar: Bazaar, connection: Connection) -> None:
    bazaar.add(placed(7, total="99.00", changed=(NOW - timedelta(minutes=1)).isoformat()))
    assert compared(connection)[:3] == (True, 0, 0)
    assert told() == ""


def test_a_total_that_differs_though_nothing_else_does_is_fetched_and_told_while_it_does(bazaar: Bazaar, connection: Connection) -> None:
    Order.objects.filter(external_id="9").update(stated_total="1.00")
    compared(connection)
    assert asked_for(bazaar) == ["9"]
    assert told() == "1 is out of date and fetched again; 1 is still told with another total than ours."
    finding = Finding.objects.get(kind="orders_compared")
    assert (finding.expected, finding.actual) == ("780.00", "761.0000")


def test_what_is_deleted_there_is_taken_out_of_all_figures(bazaar: Bazaar, connection: Connection) -> None:
    del bazaar.orders["20"]
    compared(connection)
    assert told() == "1 is deleted there and taken out of all figures."
    assert (standing() == {str(number) for number in range(40)} - {"20"}, asked_for(bazaar)) == (True, ["20"])
    assert str(Order.objects.get(external_id="20").revenue) == "0.0000"
    # It comes back, and stands again.
    bazaar.add(placed(20, changed=(NOW - timedelta(days=1)).isoformat()))
    pull(connection)
    assert "20" in standing()


def test_what_is_only_left_out_of_the_list_stays(bazaar: Bazaar, connection: Connection) -> None:
    real = bazaar.list
    bazaar.routes["/list"] = lambda query: {**real(query), "orders": [order for order in real(query)["orders"] if order["id"] != "20"]}
    compared(connection)
    assert (told(), asked_for(bazaar), len(standing())) == ("", ["20"], 40)


def test_orders_from_before_the_list_begins_are_not_taken_for_deleted(bazaar: Bazaar, connection: Connection) -> None:
    for number in range(25):
        del bazaar.orders[str(number)]
    compared(connection)
    assert (told(), len(standing())) == ("", 40)


def test_many_that_are_gone_at_once_are_not_believed(bazaar: Bazaar, connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.reading.comparing.A_FEW", 2)
    for number in (21, 22, 23, 24):
        del bazaar.orders[str(number)]
    compared(connection)
    assert told() == ("4 are no longer listed there, too many to be believed, so they stay: look whether the account lost a permission.")
    assert len(standing()) == 40


def test_an_order_that_only_a_file_told_is_fetched_and_one_the_platform_does_not_know_stays(
    bazaar: Bazaar, connection: Connection, store: Store
) -> None:
    write(store, an_order("200", platform="bazaar", when="2026-10-20 12:00"), an_order("8", platform="bazaar", when="2026-10-04 12:00"))
    Order.objects.filter(external_id="8").update(platform_updated_at=None)
    compared(connection)
    assert asked_for(bazaar) == ["8"]
    assert "200" in standing()


def test_orders_of_another_account_of_the_store_are_not_this_ones_to_deny(bazaar: Bazaar, connection: Connection, store: Store) -> None:
    other = Connection.objects.create(store=store, platform="bazaar", account_ref="south", connected_at=NOW)
    Order.objects.filter(external_id__in=["20", "21"]).update(cause_ref=other.cause_ref)
    del bazaar.orders["20"], bazaar.orders["22"]
    compared(connection)
    assert told() == "1 is deleted there and taken out of all figures."
    assert {"20", "21"} < standing()


def test_orders_of_another_account_of_the_same_platform_are_not_taken_for_deleted(bazaar: Bazaar, connection: Connection, store: Store) -> None:
    with open_bazaar() as south:
        south.add(*({**placed(number), "id": str(500 + number), "name": f"#{500 + number}"} for number in (5, 10, 15, 20, 25)))
        other = connected(store, south, account="south")
        pull(other)
        south.asked.clear()
        compared(connection)
        assert (told(), asked_for(bazaar), len(standing())) == ("", [], 45)
        compared(other)
        assert (told(), asked_for(south), len(standing())) == ("", [], 45)
        # Each is still told what it deletes itself.
        del south.orders["510"]
        compared(other)
        assert (len(standing()), "510" in standing()) == (44, False)


def test_a_comparison_at_its_limit_goes_on_where_it_was(bazaar: Bazaar, connection: Connection) -> None:
    bazaar.add(
        placed(100, placed=placed(5)["placed"], changed=placed(5)["changed"]), placed(101, placed=placed(30)["placed"], changed=placed(30)["changed"])
    )
    first = compared(connection, limits=Limits(records=1))
    assert (first.done, first.records) == (False, 1)
    assert cursor_of(connection, "orders:compare").position["missing"] == 1
    assert compared(connection).records == 1
    assert told() == "2 are missing here and fetched."


@pytest.mark.django_db(transaction=True)
def test_every_day_the_last_ninety_days_are_compared_and_all_of_it_every_month(bazaar: Bazaar, connection: Connection) -> None:
    def night() -> list[bool]:
        run(queue.submit(COMPARE_ALL, key="night"))
        jobs = list(Job.objects.filter(state="waiting", kind="compare-stream"))
        for job in jobs:
            run(job.pk)
            assert Job.objects.get(pk=job.pk).state == "done"
        return [job.parameters["whole"] for job in jobs]

    assert [night(), night()] == [[True], [False]]
