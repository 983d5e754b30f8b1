"""What the engine promises of every platform, tried against each."""

import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from django.test import Client

from connectors import accounts, registry
from connectors.connections import Kept
from connectors.faults import BadPayload, NeedsReauth, RetryLater
from connectors.models import Connection, ParkedRecord, RawPayload, SyncCursor, SyncRun, WebhookDelivery
from connectors.reading.paged import Limits
from connectors.reading.sync import Outcome, read
from connectors.spec import Context, Stream, Window
from connectors.webhooks import doors
from connectors.webhooks.draining import drain
from ledger.audit import check_all
from ledger.kinds import CauseKind
from ledger.models import Batch, Order, Store
from ledger.sealing import seal, unseal
from profitpeek.jobs.models import Job
from tests.builders import a_store, book_of
from tests.connectors.bazaar import BAZAAR
from tests.contracts.stands import ORDERS, STANDS, Stand

pytestmark = pytest.mark.django_db
PAGES = 4


@pytest.fixture(params=sorted(STANDS))
def stand(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path) -> Iterator[Stand]:
    monkeypatch.setattr("connectors.http.PAUSES", (0.0, 0.0))
    settings.BULK_FOLDER = tmp_path / "bulk"
    with STANDS[request.param]() as stand:
        monkeypatch.setitem(registry.CONNECTORS, stand.connector.platform, stand.connector)
        yield stand


@pytest.fixture
def store(stand: Stand) -> Store:
    return a_store(currency=stand.currency)


@pytest.fixture
def connection(store: Store, stand: Stand) -> Connection:
    return connected(store, stand)


def connected(store: Store, stand: Stand) -> Connection:
    row = Connection.objects.create(
        store=store, platform=stand.connector.platform, account_ref=stand.account, label="North", base_url=stand.base_url, currency=stand.currency,
        zone="UTC", secrets=seal(msgspec.json.encode(Kept(secrets=stand.secrets))), connected_at=datetime.now(UTC),
    )  # fmt: skip
    doors.keep(row, stand.connector, stand.secrets, now=datetime.now(UTC))
    return row


def orders_of(stand: Stand) -> Stream:
    """Return the stream of orders, page by page."""
    return replace(stand.connector.stream("orders"), bulk=None)


def pull(connection: Connection, stream: Stream, *, limits: Limits | None = None) -> Outcome:
    connection.refresh_from_db()
    return read(connection, stream, now=datetime.now(UTC), limits=limits)


def pull_all(connection: Connection, stream: Stream) -> int:
    """Read until all is read, and return how many orders that changed."""
    changed = 0
    for _ in range(40):
        outcome = pull(connection, stream)
        changed += outcome.changed
        if outcome.done:
            return changed
    raise AssertionError("the stream never ends")


def digests() -> dict[str, bytes]:
    return dict(Order.objects.values_list("external_id", "facts_digest"))


def assert_sound(connection: Connection) -> None:
    assert Order.objects.count() == ORDERS
    assert not any(check_all(book_of(connection.store)).values())


def test_asking_who_we_are_works(stand: Stand, connection: Connection) -> None:
    info = accounts.check(connection, now=datetime.now(UTC))
    assert (info.ref, bool(info.name), len(info.currency)) == (stand.account, True, 3)
    assert ZoneInfo(info.zone)


def test_a_token_that_is_not_taken_any_more_asks_for_consent(stand: Stand, connection: Connection) -> None:
    stand.revoke()
    with pytest.raises(NeedsReauth):
        pull(connection, orders_of(stand))
    connection.refresh_from_db()
    assert connection.status == "needs_consent"


def test_every_page_is_read_once_and_a_second_reading_changes_nothing(stand: Stand, connection: Connection) -> None:
    stream = orders_of(stand)
    before = stand.pages()
    assert pull_all(connection, stream) == ORDERS
    assert stand.pages() - before == PAGES
    assert_sound(connection)
    batches, known = Batch.objects.count(), digests()
    assert pull_all(connection, stream) == 0
    assert (Batch.objects.count(), digests()) == (batches, known)


@pytest.mark.parametrize("page", range(1, PAGES + 1))
def test_a_cut_at_any_page_resumes_with_no_loss_and_no_double(stand: Stand, connection: Connection, page: int) -> None:
    stream = orders_of(stand)
    stand.cut(page)
    with pytest.raises((RetryLater, BadPayload)):
        pull_all(connection, stream)
    assert Order.objects.count() == (page - 1) * 5
    stand.heal()
    pull_all(connection, stream)
    assert_sound(connection)
    assert sum(SyncRun.objects.values_list("changed", flat=True)) == ORDERS


def test_a_wait_that_is_asked_for_is_granted(stand: Stand, connection: Connection) -> None:
    stand.limit(600)
    with pytest.raises(RetryLater) as raised:
        pull(connection, orders_of(stand))
    connection.refresh_from_db()
    assert raised.value.after == 600
    assert connection.paused_until is not None
    assert connection.paused_until - datetime.now(UTC) > timedelta(minutes=9)


def test_what_changed_is_seen(stand: Stand, connection: Connection) -> None:
    stream = orders_of(stand)
    pull_all(connection, stream)
    known = digests()
    stand.change()
    assert pull_all(connection, stream) == 1
    now = digests()
    assert sum(now[key] != known[key] for key in known) == 1
    assert_sound(connection)


def test_a_record_without_what_it_must_have_is_parked_and_read_once_it_has_it(stand: Stand, connection: Connection) -> None:
    stream = orders_of(stand)
    stand.spoil()
    outcome = pull(connection, stream, limits=Limits(pages=1))
    assert (outcome.parked, ParkedRecord.objects.count(), Order.objects.count()) == (1, 1, 4)
    stand.heal()
    SyncCursor.objects.update(position=None, until=None)
    pull_all(connection, stream)
    assert ParkedRecord.objects.count() == 0
    assert_sound(connection)


def test_what_no_version_has_heard_of_does_no_harm(stand: Stand, connection: Connection) -> None:
    stand.add_strangeness()
    pull_all(connection, orders_of(stand))
    assert ParkedRecord.objects.count() == 0
    assert_sound(connection)


def test_secrets_stand_in_no_log_and_no_archive(stand: Stand, connection: Connection, caplog: pytest.LogCaptureFixture) -> None:
    pull_all(connection, orders_of(stand))
    stand.limit(600)
    with pytest.raises(RetryLater):
        pull(connection, orders_of(stand))
    everywhere = [caplog.text, repr(connection), *(str(row.__dict__) for row in (*SyncRun.objects.all(), *SyncCursor.objects.all()))]
    everywhere += [zlib.decompress(unseal(bytes(row.body))).decode() for row in RawPayload.objects.all()]
    assert RawPayload.objects.count() > 0
    assert [text for text in everywhere if stand.token in text] == []


def test_files_and_pages_give_equal_facts(stand: Stand, connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.reading.bulk.WORTH_WHILE", 0)
    filed = stand.connector.stream("orders")
    assert filed.bulk is not None
    before = stand.pages()
    assert pull_all(connection, filed) == ORDERS
    assert stand.pages() == before
    assert_sound(connection)
    known = digests()
    other = a_store(currency=stand.currency)
    Connection.objects.filter(pk=connection.pk).update(store=other)
    connection = Connection.objects.get(pk=connection.pk)
    SyncCursor.objects.all().delete()
    assert pull_all(connection, orders_of(stand)) == ORDERS
    assert dict(Order.objects.filter(store=other).values_list("external_id", "facts_digest")) == known


def ring(stand: Stand, connection: Connection, order: str, number: str, *, forged: bool = False) -> int:
    """Ring at a connection's door that an order changed, and return the answer's status."""
    body, headers = stand.delivery(order, number, forged=forged)
    path = f"/webhooks/{connection.platform}/{doors.token_of(connection.door)}"
    return Client().post(path, body, content_type="application/json", headers=headers).status_code


def digests_in(store: Store) -> dict[str, bytes]:
    return dict(Order.objects.filter(store=store).values_list("external_id", "facts_digest"))


def test_what_is_not_signed_is_refused_and_nothing_of_it_is_kept(stand: Stand, connection: Connection) -> None:
    assert ring(stand, connection, "3", "d-1", forged=True) == 401
    assert (WebhookDelivery.objects.count(), Job.objects.count()) == (0, 0)


def test_push_and_pull_give_equal_facts_in_any_order_and_once(stand: Stand, connection: Connection) -> None:
    stream, other = orders_of(stand), a_store(slug="other", currency=stand.currency)
    pulled = connected(other, stand)
    pull_all(connection, stream)
    pull_all(pulled, stream)
    before = digests_in(other)
    stand.change()
    pull_all(pulled, stream)
    after = digests_in(other)
    (changed,) = [key for key in after if after[key] != before[key]]
    batches = Batch.objects.filter(book_id=connection.store_id).count()
    # The later one first, once more, and an early one that was long on its way; then what was not rung about by name.
    for number in ("late", "late", "early"):
        assert ring(stand, connection, changed, number) == 200
        drain(connection)
    assert digests_in(connection.store) == after
    assert Batch.objects.filter(book_id=connection.store_id).count() == batches + 1
    assert Batch.objects.filter(book_id=connection.store_id).latest("pk").cause == CauseKind.WEBHOOK
    assert pull_all(connection, stream) == 0
    assert set(WebhookDelivery.objects.values_list("delivery_id", "state")) == {("late", "done"), ("early", "done")}
    for store in (connection.store, other):
        assert not any(check_all(book_of(store)).values())


DESCRIBED = [*registry.CONNECTORS.values(), BAZAAR]
STREAMS = [pytest.param(stream, id=f"{each.platform}-{stream.name}") for each in DESCRIBED for stream in each.streams]
CONTEXT = Context(account="north", currency="EUR", zone=ZoneInfo("UTC"), now=datetime(2026, 3, 3, tzinfo=UTC), identify=str.encode)
WINDOW = Window(since=datetime(2026, 1, 1, tzinfo=UTC), until=datetime(2026, 2, 1, tzinfo=UTC))
GARBAGE: list[Any] = [
    {}, {"id": None}, {"id": 1}, {"id": "gid://shopify/Order/1"}, {"id": "gid://shopify/Order/1", "updatedAt": 5, "lineItems": [], "lines": {}},
    {"id": "1", "lines": None, "total": [], "changed": "never"},
]  # fmt: skip


@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("record", GARBAGE)
def test_a_mapper_refuses_what_it_cannot_read_and_never_breaks(stream: Stream, record: dict) -> None:
    for take in (lambda: list(stream.map(record, CONTEXT)), lambda: stream.identity(record)):
        try:
            take()
        except BadPayload as fault:
            assert fault.reason
    if stream.cursor is not None:
        with pytest.raises(BadPayload):
            stream.cursor.changed_at({})


@pytest.mark.parametrize("stream", STREAMS)
def test_a_request_is_made_of_its_window_alone_and_may_be_kept_and_resized(stream: Stream) -> None:
    request = stream.request(WINDOW)
    assert request == stream.request(WINDOW)
    assert request != stream.request(Window(since=None, until=WINDOW.until)) or stream.cursor is None
    assert msgspec.convert(msgspec.json.decode(msgspec.json.encode(request)), type(request)) == request
    if request.size is not None:
        smaller = stream.pages.resized(request, 1)
        assert (smaller.size, smaller != request, stream.pages.resized(smaller, request.size)) == (1, True, request)
    for answer in ({}, {"data": None}, {"orders": 7}):
        with pytest.raises(BadPayload):
            stream.items(answer)


@pytest.mark.parametrize("each", DESCRIBED, ids=lambda each: each.platform)
def test_a_connector_names_each_stream_once_and_has_a_way_in(each: Any) -> None:
    names = [stream.name for stream in each.streams]
    assert len(set(names)) == len(names)
    assert all(len(name) <= 31 for name in names)
    assert each.consent or each.keys
