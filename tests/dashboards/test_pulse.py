"""The pulse of a page: it moves with whatever the page shows and with nothing else, costs four questions, writes nothing, tells no other store."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from connectors.models import Connection, FileImport, ParkedRecord, SyncCursor, SyncRun, WebhookDelivery, WebhookTopic
from dashboards import pulse
from ledger import findings
from ledger.charges.balance import record_balance, record_payouts
from ledger.facts import BalanceFact, PayoutFact
from ledger.kinds import BalanceMeaning, FinancialStatus
from ledger.models import FeeRule, Order, Store
from ledger.rules.rules import change
from ledger.tasks import REPOST, store_key
from profitpeek.jobs.models import Job
from tests.builders import a_refund, a_store, an_order, at, move_to, write
from tests.dashboards.people import a_person, browser_of, signed_in

pytestmark = pytest.mark.django_db

NOW = at("2026-03-10 12:00")


@pytest.fixture
def shop() -> Store:
    store = a_store(slug="shop")
    write(store, an_order("1001", when="2026-03-01 12:00"))
    store.refresh_from_db()
    return store


def tags(store: Store, *, now: datetime = NOW) -> tuple[str, str, str]:
    """Return the tags of the book, the connections and order 1001."""
    order = pulse.of_order(store, "1001", now=now)
    assert order is not None
    return pulse.of_book(store, now=now).tag, pulse.of_connections(store, now=now).tag, order.tag


BOOK, CONNECTIONS, ORDER = 0, 1, 2


def test_each_pulse_moves_with_what_its_page_shows_and_with_nothing_else(shop: Store) -> None:
    account = Connection.objects.create(store=shop, platform="tiny", account_ref="a", connected_at=NOW, last_ok_at=NOW)
    cursor = SyncCursor.objects.create(connection=account, stream="orders")

    def run() -> None:
        SyncRun.objects.create(connection=account, stream="orders", mode="increment", started_at=NOW, heartbeat_at=NOW)

    def park() -> None:
        ParkedRecord.objects.create(connection=account, stream="orders", external_id="1", body=b"", reason="?", first_at=NOW, last_at=NOW)

    def ring() -> None:
        WebhookDelivery.objects.create(connection=account, topic="orders/paid", delivery_id="1", received_at=NOW)

    def pay() -> None:
        row = BalanceFact("pay", "1", NOW, "charge", BalanceMeaning.CHARGE, 10_000, 300, "EUR", order="1001", payout="p")
        record_balance(shop, [row], cause_ref="connection:1", now=NOW)

    def count() -> None:
        WebhookTopic.objects.create(connection=account, topic="orders/paid", count=1, first_at=NOW, last_at=NOW)

    def answer(after: timedelta) -> Callable[[], object]:
        return lambda: Connection.objects.filter(pk=account.pk).update(last_ok_at=NOW + after)

    steps: list[tuple[str, Callable[[], object], set[int]]] = [
        ("an order that is paid", lambda: write(shop, an_order("1002", when="2026-03-02 12:00")), {BOOK}),
        ("one that waits for its money", lambda: write(shop, an_order("1003", status=FinancialStatus.PENDING, when="2026-03-03 12:00")), {BOOK}),
        ("one held for a rate", lambda: write(shop, an_order("1004", currency="USD", when="2026-02-03 12:00")), {BOOK}),
        ("a refund", lambda: write(shop, an_order("1001", then=[a_refund("5.00", when="2026-03-04 12:00")])), {BOOK, ORDER}),
        ("a rule of costs", lambda: change(shop, add=[FeeRule(gateway="stripe", percentage=2)], actor="ann", now=NOW), {BOOK, ORDER}),
        ("how far restating is", lambda: Job.objects.filter(kind=REPOST.name, key=store_key(shop)).update(done=7), {BOOK}),
        ("what its processor holds, and its fee", pay, {BOOK, ORDER}),
        ("that it was paid out", lambda: record_payouts(shop, [PayoutFact("pay", "p", NOW, "paid", 9_700, "EUR")], now=NOW), {ORDER}),
        ("a finding", lambda: findings.note(shop.pk, "rate", "USD", "No rate.", now=NOW), {BOOK}),
        ("a file", lambda: FileImport.objects.create(store=shop, kind="x", template={}, filename="x", started_at=NOW), {BOOK}),
        ("a run", run, {CONNECTIONS}),
        ("its progress", lambda: SyncRun.objects.update(records=7), {CONNECTIONS}),
        ("its heart", lambda: SyncRun.objects.update(heartbeat_at=NOW + timedelta(seconds=5)), set()),
        ("the cursor", lambda: SyncCursor.objects.filter(pk=cursor.pk).update(done=7), {CONNECTIONS}),
        ("the end of the past", lambda: SyncCursor.objects.filter(pk=cursor.pk).update(backfilled_at=NOW), {BOOK, CONNECTIONS}),
        ("a record not understood", park, {BOOK, CONNECTIONS}),
        ("a delivery", ring, {CONNECTIONS}),
        ("its topic", count, {CONNECTIONS}),
        ("a delivery followed", lambda: WebhookDelivery.objects.update(state="done"), {CONNECTIONS}),
        ("an answer in the same minute", answer(timedelta(seconds=59)), set()),
        ("an answer in the next", answer(timedelta(seconds=60)), {BOOK, CONNECTIONS}),
        ("a problem", lambda: Connection.objects.update(problem="It does not answer."), {CONNECTIONS}),
        ("nothing", lambda: None, set()),
    ]  # fmt: skip
    moved = {}
    for name, step, _ in steps:
        before = tags(shop)
        step()
        moved[name] = {place for place, (was, now) in enumerate(zip(before, tags(shop), strict=True)) if was != now}
    assert moved == {name: expected for name, _, expected in steps}


def test_the_book_s_pulse_moves_at_the_store_s_own_midnight(shop: Store) -> None:
    move_to(shop, "Asia/Tokyo", from_day="2026-03-01")
    moments = ("2026-03-10 14:59", "2026-03-10 15:00", "2026-03-11 00:00")
    before, midnight, after = (pulse.of_book(shop, now=at(moment)).tag for moment in moments)
    assert (before == midnight, midnight == after) == (False, True)


def test_no_store_s_pulse_tells_of_another_s(shop: Store) -> None:
    other = a_store(slug="other")
    write(other, an_order("1001"))
    Connection.objects.create(store=other, platform="tiny", account_ref="b", connected_at=NOW)
    before = tags(shop)
    write(other, an_order("1002"), an_order("1001", then=[a_refund("5.00")]))
    Connection.objects.filter(store=other).update(problem="It does not answer.")
    newest = pulse.of_book(shop, now=NOW).newest
    assert (tags(shop), pulse.newer_than(shop, newest)) == (before, 0)


def test_equal_pulses_are_answered_by_304_without_a_body_and_others_say_how_many_orders_are_newer(shop: Store) -> None:
    browser = signed_in(shop)
    first = browser.get("/shop/pulse")
    tag, newest = first.json()["tag"], first.json()["newest"]
    assert (first["ETag"], first["Cache-Control"], first.json()["newer"]) == (f'"{tag}"', "private, no-cache", 0)
    assert newest == f"2026-03-01.{Order.objects.get().pk}"
    unmoved = browser.get("/shop/pulse", {"newest": newest}, headers={"If-None-Match": f'"{tag}"'})
    assert (unmoved.status_code, unmoved.content, unmoved["ETag"]) == (304, b"", f'"{tag}"')
    # A later day, the same day, and an earlier one, which is not newer.
    write(shop, *(an_order(number, when=f"{day} 12:00") for number, day in (("2", "2026-03-02"), ("3", "2026-03-01"), ("4", "2026-02-27"))))
    moved = browser.get("/shop/pulse", {"newest": newest}, headers={"If-None-Match": f'"{tag}"'})
    assert (moved.status_code, moved.json()["newer"], moved.json()["tag"] == tag) == (200, 2, False)
    for nonsense in ("x", "2026-03-01", "2026-03-01.x", "2026-13-01.1", f"2026-03-01.{2**63}", "2026-03-01.-1"):
        assert browser.get("/shop/pulse", {"newest": nonsense}).json()["newer"] == 0


@pytest.mark.parametrize(
    "address", ["/shop/pulse", "/shop/connections/pulse", "/shop/pulse/orders/1001", "/stores/pulse", "/shop/pulse?newest=2026-01-01.1"]
)
def test_a_pulse_asks_as_many_questions_of_a_hundred_orders_as_of_one_and_writes_nothing(shop: Store, address: str) -> None:
    browser = signed_in(shop)

    def asked() -> list[str]:
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(address).status_code == 200
        return [query["sql"].split()[0] for query in queries]

    few = asked()
    write(shop, *(an_order(str(number)) for number in range(2000, 2100)))
    # The session, the person, the stores, the pulse; and the count where it is asked for.
    assert asked() == few == ["SELECT"] * (5 if "newest" in address else 4)


def test_the_page_that_was_made_with_a_pulse_is_the_page_of_that_pulse(shop: Store) -> None:
    browser = signed_in(shop)
    pages = {
        "today": "pulse", "orders": "pulse", "orders?show=margins": "pulse", "orders/1001": "pulse/orders/1001", "connections": "connections/pulse",
    }  # fmt: skip
    for page, address in pages.items():
        asked = browser.get(f"/shop/{page}").context["live"]
        assert asked.address == f"/shop/{address}"
        assert browser.get(asked.address, headers={"If-None-Match": asked.etag}).status_code == 304, page
    together = browser.get("/stores/today").context["live"]
    assert (together.address, browser.get(together.address, headers={"If-None-Match": together.etag}).status_code) == ("/stores/pulse", 304)


def test_several_stores_have_one_pulse_of_those_that_are_read(shop: Store) -> None:
    plates, mine = a_store(slug="plates"), a_person(shop)
    write(plates, an_order("1"))
    browser = browser_of(mine)
    assert browser.get("/stores/pulse?stores=shop,plates").status_code == 404
    before = browser.get("/stores/pulse")["ETag"]
    write(plates, an_order("2"))
    assert browser.get("/stores/pulse")["ETag"] == before
    both = browser_of(a_person(shop, plates, email="both@example.com"))
    assert both.get("/stores/today?stores=plates").context["live"].address == "/stores/pulse?stores=plates"
    told = [both.get(f"/stores/pulse{query}")["ETag"] for query in ("", "?stores=plates", "?stores=shop")]
    write(plates, an_order("3"))
    again = [both.get(f"/stores/pulse{query}")["ETag"] for query in ("", "?stores=plates", "?stores=shop")]
    assert [was == now for was, now in zip(told, again, strict=True)] == [False, False, True]


def test_a_page_that_looks_again_leaves_messages_to_the_page_they_are_for(shop: Store) -> None:
    account = Connection.objects.create(store=shop, platform="gone", account_ref="a", connected_at=timezone.now())
    browser = signed_in(shop)
    browser.post(f"/shop/connections/{account.pk}/pause")
    looked = browser.get("/shop/connections", headers={"X-Requested-With": "live"}).content.decode()
    shown = browser.get("/shop/connections").content.decode()
    assert ["Nothing is read until you resume it." in page for page in (looked, shown)] == [False, True]


def test_a_page_deep_in_the_list_says_so_and_where_the_newest_are(shop: Store) -> None:
    write(shop, *(an_order(str(number), when="2026-02-01 12:00") for number in range(2000, 2120)))
    browser = signed_in(shop)
    first = browser.get("/shop/orders?sort=profit&wide=1")
    older = first.context["listing"].older
    deep = browser.get(f"/shop/orders?{older}").content.decode()
    assert ("data-still" in first.content.decode(), "data-still" in deep) == (False, True)
    assert 'data-first="?wide=1"' in deep


def test_without_a_person_a_pulse_leads_to_signing_in(client: Client, shop: Store) -> None:
    assert client.get("/shop/pulse")["Location"] == "/accounts/login/?next=/shop/pulse"
