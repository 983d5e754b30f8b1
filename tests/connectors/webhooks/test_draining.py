"""What deliveries ask for is done, once, whatever goes wrong on the way."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.db.models import F
from django.test import Client

from connectors import registry
from connectors.connections import Kept, pause, resume
from connectors.faults import NeedsReauth, RetryLater
from connectors.models import Connection, ParkedRecord, PrivacyCase, SyncCursor, SyncRun, WebhookDelivery, WebhookTopic
from connectors.reading import runs
from connectors.reading.fetching import fetch
from connectors.reading.parking import UNREADABLE
from connectors.reading.sync_tasks import BACKFILL, submit_reread
from connectors.webhooks import deliveries, doors
from connectors.webhooks.deliveries import LeaseLost
from connectors.webhooks.draining import drain
from connectors.webhooks.tasks import FOLLOW_DELIVERIES
from ledger.models import Batch, Finding, Order, Store
from ledger.sealing import seal
from profitpeek.jobs import queue
from profitpeek.jobs.models import Job
from profitpeek.jobs.running import run
from tests.builders import a_store
from tests.connectors.bazaar import NOW, TOKEN, Bazaar, a_record, open_bazaar
from tests.connectors.bazaar_bells import KEY, Bells, delivery, path_of, ringing
from tests.connectors.connecting import pull_all

pytestmark = pytest.mark.django_db


@pytest.fixture
def bazaar(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path) -> Iterator[Bazaar]:
    monkeypatch.setattr("connectors.http.PAUSES", (0.0, 0.0))
    monkeypatch.setitem(registry.CONNECTORS, "bazaar", ringing())
    settings.BULK_FOLDER = tmp_path
    with open_bazaar() as bazaar:
        bazaar.add(*(a_record(number) for number in range(1, 6)))
        yield bazaar


@pytest.fixture
def bells(bazaar: Bazaar) -> Bells:
    return Bells(bazaar)


@pytest.fixture
def connection(bazaar: Bazaar, bells: Bells) -> Connection:
    return connected(a_store(), bazaar)


def connected(store: Store, bazaar: Bazaar) -> Connection:
    secrets = {"token": TOKEN, "bell": KEY}
    row = Connection.objects.create(
        store=store, platform="bazaar", account_ref="north", label="North", base_url=bazaar.url, currency="EUR", zone="UTC", scopes=["read_orders"],
        secrets=seal(msgspec.json.encode(Kept(secrets=secrets))), connected_at=NOW,
    )  # fmt: skip
    doors.keep(row, registry.find("bazaar"), secrets, now=NOW)
    return row


def rung(connection: Connection, topic: str, number: str, **told: str) -> int:
    body, headers = delivery(topic, number, **told)
    return Client().post(path_of(connection), body, content_type="application/json", headers=headers).status_code


def states() -> dict[str, str]:
    return dict(WebhookDelivery.objects.values_list("delivery_id", "state"))


def known() -> dict[str, Any]:
    return dict(Order.objects.filter(withdrawn_at=None).values_list("external_id", "stated_total"))


def some_asked_for(bazaar: Bazaar) -> list[str]:
    return [each for each in bazaar.asked if each.startswith("/some")]


def test_what_is_rung_about_is_asked_for_once_and_recorded_as_told_by_a_webhook(bazaar: Bazaar, connection: Connection) -> None:
    for number, order in enumerate(["1", "2", "1", "3", "4", "1"]):
        assert rung(connection, "order", f"d-{number}", order=order) == 200
    assert drain(connection) is False
    assert sorted(known()) == ["1", "2", "3", "4"]
    # At most three at once, each once.
    assert some_asked_for(bazaar) == ["/some?ids=1%2C2%2C3", "/some?ids=4"]
    assert list(Batch.objects.order_by("pk").values_list("cause", "cause_ref")) == [(2, f"connection:{connection.pk}")] * 2
    assert set(states().values()) == {"done"}
    assert not WebhookDelivery.objects.exclude(body=None).exists()
    assert list(WebhookTopic.objects.values_list("topic", "count")) == [("order", 6)]
    assert SyncRun.objects.count() == 0
    assert SyncCursor.objects.get(stream="orders").seen_through is None


def test_records_are_found_by_their_parts(bazaar: Bazaar, bells: Bells, connection: Connection) -> None:
    bells.parcels = {"p1": "1", "p2": "2"}
    for number in ("p1", "p2", "lost"):
        rung(connection, "parcel", number, parcel=number)
    drain(connection)
    assert (sorted(known()), states()) == (["1", "2"], {"p1": "done", "p2": "done", "lost": "done"})


def test_what_is_said_to_be_deleted_is_taken_out_only_where_the_platform_has_it_no_more(bazaar: Bazaar, connection: Connection) -> None:
    pull_all(connection, registry.find("bazaar").stream("orders"))
    Order.objects.filter(external_id="5").update(cause_ref="import:1")
    del bazaar.orders["2"], bazaar.orders["5"]
    for number in ("1", "2", "5", "99"):
        rung(connection, "gone", f"d-{number}", order=number)
    drain(connection)
    # The first is there still; the fifth was told by a file last, which is not for this account to deny.
    assert sorted(known()) == ["1", "3", "4", "5"]
    assert Batch.objects.latest("pk").cause == 2
    assert set(states().values()) == {"done"}


def test_deliveries_in_any_order_and_as_often_as_they_come_end_alike(bazaar: Bazaar, connection: Connection) -> None:
    rung(connection, "order", "first", order="1")
    drain(connection)
    bazaar.add(a_record(1, total="25.00", changed=NOW))
    for number in ("third", "second", "second", "first"):
        assert rung(connection, "order", number, order="1") == 200
    drain(connection)
    batches, now = Batch.objects.count(), known()
    for number in ("second", "fourth"):
        rung(connection, "order", number, order="1")
    drain(connection)
    assert (str(now["1"]), known(), Batch.objects.count(), len(states())) == ("25.0000", now, batches, 4)


def test_account_files_and_streams_are_looked_at_by_jobs_of_their_own(bazaar: Bazaar, connection: Connection) -> None:
    stream = registry.find("bazaar").stream("orders")
    runs.move(runs.cursor_of(connection, "orders"), position={"bulk": {"operations": ["f1", "f2"]}})
    waits = queue.submit(
        BACKFILL, {"connection": connection.pk, "stream": "orders"}, key=f"connection:{connection.pk}:{stream.name}",
        not_before=datetime.now(UTC) + timedelta(hours=1),
    )  # fmt: skip
    rung(connection, "file", "d-0", file="f9")
    drain(connection)
    assert Job.objects.get(pk=waits).rung_at is None
    for number, (topic, told) in enumerate([("file", {"file": "f2"}), ("account", {}), ("account", {}), ("weather", {}), ("earthquake", {})], 1):
        rung(connection, topic, f"d-{number}", **told)
    drain(connection)
    assert Job.objects.get(pk=waits).not_before <= datetime.now(UTC)
    assert sorted(Job.objects.values_list("kind", flat=True)) == ["backfill", "check-account", "follow-deliveries"]
    assert dict(WebhookTopic.objects.values_list("topic", "count")) == {"account": 2, "earthquake": 1, "file": 2, "weather": 1}
    assert set(states().values()) == {"done"}
    rung(connection, "many", "d-9")
    drain(connection)
    assert Job.objects.filter(key=f"connection:{connection.pk}:orders").count() == 1


def test_a_file_of_a_past_that_is_read_again_is_looked_at_at_once(connection: Connection) -> None:
    stream = registry.find("bazaar").stream("orders")
    runs.move(runs.cursor_of(connection, stream.name), backfilled_at=NOW)
    runs.read_again(connection, stream.name)
    runs.move(runs.cursor_of(connection, runs.past_name(stream.name)), position={"bulk": {"operations": ["f1"]}})
    waits = submit_reread(connection, stream, actor="ann")
    Job.objects.filter(pk=waits).update(not_before=datetime.now(UTC) + timedelta(hours=1))
    rung(connection, "file", "d-1", file="f1")
    drain(connection)
    job = Job.objects.get(pk=waits)
    assert job.rung_at is not None
    assert job.not_before <= datetime.now(UTC)


def test_what_the_law_asks_for_becomes_a_case_even_of_an_account_that_is_paused(connection: Connection) -> None:
    pause(connection)
    rung(connection, "forget", "d-1", person="77")
    rung(connection, "order", "d-2", order="1")
    assert drain(connection) is False
    case = PrivacyCase.objects.get()
    assert (case.kind, case.connection, case.reference) == ("erase_person", connection, "d-1")
    assert states() == {"d-1": "done", "d-2": "waiting"}
    resume(connection)
    drain(connection)
    assert (states()["d-2"], sorted(known())) == ("done", ["1"])


def test_an_account_that_took_back_its_consent_is_let_go_of(bazaar: Bazaar, connection: Connection) -> None:
    rung(connection, "left", "early")
    drain(connection)
    connection.refresh_from_db()
    # It let us in: the delivery was an old one.
    assert (connection.status, states()) == ("active", {"early": "done"})
    bazaar.switches.refuse = {"": (401, {})}
    rung(connection, "left", "d-1")
    rung(connection, "order", "d-2", order="1")
    drain(connection)
    connection.refresh_from_db()
    assert (connection.status, connection.secrets) == ("disconnected", None)
    assert connection.problem.startswith("ProfitPeek was uninstalled in Bazaar")
    assert Finding.objects.get(kind="account_uninstalled").resolved_at is None
    assert states() == {"early": "done", "d-1": "done", "d-2": "done"}
    assert rung(connection, "order", "d-3", order="1") == 401


def test_a_platform_that_is_away_costs_no_try(bazaar: Bazaar, connection: Connection) -> None:
    bazaar.switches.refuse = {"/some": (503, {})}
    rung(connection, "order", "d-1", order="1")
    for _ in range(8):
        with pytest.raises(RetryLater):
            drain(connection)
    assert list(WebhookDelivery.objects.values_list("state", "attempts", "lease_until")) == [("waiting", 0, None)]
    bazaar.switches.refuse = {}
    drain(connection)
    assert sorted(known()) == ["1"]


def test_a_record_that_alone_gets_no_answer_does_not_keep_back_the_others(bazaar: Bazaar, connection: Connection) -> None:
    for number in ("1", "2", "3", "4", "5"):
        rung(connection, "order", f"d-{number}", order=number)
    some = bazaar.some
    bazaar.routes["/some"] = lambda query: (503, {}, {}) if "4" in query["ids"].split(",") else some(query)
    drain(connection)
    assert sorted(known()) == ["1", "2", "3", "5"]
    assert WebhookDelivery.objects.values_list("delivery_id", "attempts").get(state="waiting") == ("d-4", 1)


def test_without_consent_deliveries_wait_for_it(bazaar: Bazaar, connection: Connection) -> None:
    rung(connection, "order", "d-1", order="1")
    bazaar.switches.refuse = {"": (401, {})}
    with pytest.raises(NeedsReauth):
        drain(connection)
    job = Job.objects.get(kind="follow-deliveries")
    run(job.pk)
    job.refresh_from_db()
    connection.refresh_from_db()
    assert (job.state, job.fault, connection.status, states()) == ("dead", "attention", "needs_consent", {"d-1": "waiting"})


def test_one_that_cannot_be_followed_keeps_back_no_other_and_is_given_up_after_five_tries(
    bazaar: Bazaar, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in ("1", "2", "3", "4"):
        rung(connection, "order", f"d-{number}", order=number)
    rung(connection, "order", "nameless", parcel="1")
    some, at = bazaar.some, datetime.now(UTC)

    def broken(query: dict[str, str]) -> Any:
        return {"nothing": []} if "3" in query["ids"].split(",") else some(query)

    monkeypatch.setitem(bazaar.routes, "/some", broken)
    for attempt in range(1, 7):
        drain(connection, now=lambda at=at, attempt=attempt: at + timedelta(hours=attempt))
        bad = WebhookDelivery.objects.filter(delivery_id__in=["d-3", "nameless"])
        assert set(bad.values_list("state", "attempts")) == {("waiting", attempt) if attempt < 5 else ("dead", 5)}
        assert (sorted(known()), states()["d-1"]) == (["1", "2", "4"], "done")
    assert sorted(bad.values_list("error", flat=True)) == ["The answer holds no orders.", "The payload names no order."]
    finding = Finding.objects.get(kind="webhooks_given_up")
    assert finding.message.startswith("2 deliveries of North could not be followed.")
    monkeypatch.setitem(bazaar.routes, "/some", some)
    assert deliveries.replay(connection) == 2
    drain(connection, now=lambda: at + timedelta(hours=9))
    assert (sorted(known()), states()["d-3"], states()["nameless"]) == (["1", "2", "3", "4"], "done", "waiting")


def test_a_record_that_is_not_understood_is_parked_as_when_it_is_read(bazaar: Bazaar, connection: Connection) -> None:
    del bazaar.orders["2"]["currency"]
    for number in ("1", "2"):
        rung(connection, "order", f"d-{number}", order=number)
    drain(connection)
    assert (sorted(known()), set(states().values())) == (["1"], {"done"})
    assert ParkedRecord.objects.get().external_id == "2"
    assert Finding.objects.filter(kind=UNREADABLE, resolved_at=None).count() == 1


def test_a_delivery_about_another_account_is_given_up(connection: Connection) -> None:
    rung(connection, "order", "d-1", order="1")
    WebhookDelivery.objects.filter(delivery_id="d-1").update(body=seal(b'{"order": "1", "account": "south"}'))
    drain(connection)
    row = WebhookDelivery.objects.get(delivery_id="d-1")
    assert (row.state, row.error, known()) == ("dead", "It is about another account than this one.", {})


def test_two_drains_at_once_follow_each_delivery_once(bazaar: Bazaar, connection: Connection) -> None:
    for number in ("1", "2"):
        rung(connection, "order", f"d-{number}", order=number)
    now = datetime.now(UTC)
    first = deliveries.take(connection, topics=None, most=10, now=now)
    assert ([row.delivery for row in first], deliveries.take(connection, topics=None, most=10, now=now)) == (["d-1", "d-2"], [])
    # The first hangs until its lease is over: the second takes it all, and what the first has done counts no more.
    late = now + deliveries.LEASE
    second = deliveries.take(connection, topics=None, most=10, now=late)
    assert [row.attempts for row in second] == [2, 2]
    with pytest.raises(LeaseLost):
        deliveries.finish(first, connection, lease=now + deliveries.LEASE)
    deliveries.put_back([row.pk for row in first], lease=now + deliveries.LEASE)
    deliveries.finish(second, connection, lease=late + deliveries.LEASE)
    assert set(states().values()) == {"done"}
    assert WebhookTopic.objects.get().count == 2


def test_one_that_kills_whoever_follows_it_is_taken_alone_and_given_up_at_last(bazaar: Bazaar, connection: Connection) -> None:
    for number in ("1", "2", "3"):
        rung(connection, "order", f"d-{number}", order=number)
    taken, now = [], datetime.now(UTC)
    for step in range(4):
        # Each is killed before it can put anything back.
        taken.append([row.delivery for row in deliveries.take(connection, topics=None, most=10, now=now + step * deliveries.LEASE)])
    assert taken == [["d-1", "d-2", "d-3"], ["d-1", "d-2", "d-3"], ["d-1"], ["d-1"]]
    WebhookDelivery.objects.filter(delivery_id="d-1").update(attempts=deliveries.MOST_TRIES)
    WebhookDelivery.objects.update(lease_until=None)
    assert not drain(connection)
    assert states() == {"d-1": "dead", "d-2": "done", "d-3": "done"}
    assert "ended each time without a word" in WebhookDelivery.objects.get(delivery_id="d-1").error


def test_a_drain_that_was_overtaken_while_the_platform_answered_writes_nothing(
    bazaar: Bazaar, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung(connection, "order", "d-1", order="1")

    def overtaken(*asked: Any) -> Any:
        WebhookDelivery.objects.update(lease_until=F("lease_until") + timedelta(minutes=3))
        return fetch(*asked)

    monkeypatch.setattr("connectors.webhooks.refetching.fetch", overtaken)
    with pytest.raises(LeaseLost):
        drain(connection)
    assert (known(), states(), WebhookTopic.objects.count()) == ({}, {"d-1": "waiting"}, 0)


def test_a_job_follows_what_waits_and_hands_over(bazaar: Bazaar, connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.webhooks.draining.BATCH", 1)
    monkeypatch.setattr("connectors.webhooks.draining.ONE_JOB", 0.0)
    for number in ("1", "2"):
        rung(connection, "order", f"d-{number}", order=number)
    run(Job.objects.get(kind=FOLLOW_DELIVERIES.name).pk)
    assert sorted(Job.objects.filter(kind=FOLLOW_DELIVERIES.name).values_list("state", flat=True)) == ["done", "waiting"]


def test_a_mapper_that_breaks_tells_its_place_and_not_the_record(
    bazaar: Bazaar, connection: Connection, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*args: Any, **more: Any) -> None:
        raise RuntimeError("secret-of-a-person")

    monkeypatch.setattr("connectors.webhooks.refetching.fetch", broken)
    rung(connection, "order", "d-1", order="1")
    drain(connection)
    error = WebhookDelivery.objects.get().error
    assert error.startswith("Something unexpected: RuntimeError at test_draining.py:")
    assert "secret-of-a-person" not in error + caplog.text
