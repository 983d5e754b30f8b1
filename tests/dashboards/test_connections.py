"""Test the pages of connections: what each says of an account, and the ways in as a person walks them."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import responses
from django.test import Client
from django.utils import timezone

from connectors import registry
from connectors.connections import kept
from connectors.models import Connection, ParkedRecord, SyncCursor, SyncRun
from connectors.paging import OnePage
from connectors.spec import Request, Stream
from ledger import findings
from ledger.models import Finding, Store
from ledger.people import Role
from profitpeek.jobs.models import Job
from tests.builders import a_store, an_order, write
from tests.connectors.tiny import BASE, TINY, tiny_answers
from tests.dashboards.people import signed_in, text_of

pytestmark = pytest.mark.django_db

LATE = datetime(2026, 3, 3, 12, tzinfo=UTC)
CONSENT = {"way": "consent", "account": "north", "client_id": "app", "client_secret": "hush"}


@pytest.fixture(autouse=True)
def answers() -> Iterator[responses.RequestsMock]:
    """Know the platform Tiny, and answer in its name."""
    with tiny_answers() as mock:
        yield mock


@pytest.fixture
def store() -> Store:
    return a_store(slug="shop")


@pytest.fixture
def owner(store: Store) -> Client:
    return signed_in(store)


@pytest.fixture
def things(monkeypatch: pytest.MonkeyPatch) -> Stream:
    """Give Tiny something to read."""
    stream = Stream(
        name="things", label="Things", request=lambda window: Request(path="/things"), pages=OnePage(), items=lambda answer: answer["things"],
        identity=lambda record: str(record["id"]), map=lambda record, context: (), every=timedelta(minutes=5), scopes=("read_things",),
    )  # fmt: skip
    monkeypatch.setitem(registry.CONNECTORS, "tiny", replace(TINY, streams=(stream,)))
    return stream


def a_connection(store: Store, **fields: Any) -> Connection:
    return Connection.objects.create(store=store, platform="tiny", account_ref="north", label="North & Co", connected_at=LATE, **fields)


def asked_on(answer: Any) -> dict[str, str]:
    """Return what the platform's page is told by the page that leads there."""
    address = re.search(r'<a class="btn btn-primary" href="([^"]+)"', answer.content.decode())
    assert address
    assert unescape(address[1]).startswith(f"{BASE}/ask?")
    return {name: values[0] for name, values in parse_qs(urlsplit(unescape(address[1])).query).items()}


def test_an_owner_connects_by_the_platforms_own_page(owner: Client) -> None:
    told = asked_on(owner.post("/shop/connections/new/tiny", CONSENT))
    assert told["redirect"] == "http://testserver/connections/tiny/return"
    answer = owner.get("/connections/tiny/return", {"state": told["state"], "code": "yes"}, follow=True)
    assert answer.redirect_chain[-1][0] == "/shop/connections"
    assert "North &amp; Co is connected. Its past is read now, then whatever is new." in answer.content.decode()
    assert kept(Connection.objects.get()).secrets["token"] == "first"
    again = owner.get("/connections/tiny/return", {"state": told["state"], "code": "yes"}, follow=True)
    assert "Tiny was not connected. This question has been answered already" in text_of(again)


def test_an_answer_in_another_session_connects_nothing(store: Store, owner: Client) -> None:
    told = asked_on(owner.post("/shop/connections/new/tiny", CONSENT))
    other = signed_in(store, email="other@example.com")
    answer = other.get("/connections/tiny/return", {"state": told["state"], "code": "yes"}, follow=True)
    assert "was asked from another browser" in text_of(answer)
    assert Connection.objects.count() == 0


def test_who_is_an_owner_no_more_does_not_finish_what_they_began(store: Store, owner: Client) -> None:
    told = asked_on(owner.post("/shop/connections/new/tiny", CONSENT))
    store.memberships.update(role=Role.ANALYST)
    assert owner.get("/connections/tiny/return", {"state": told["state"], "code": "yes"}).status_code == 403
    assert Connection.objects.count() == 0


def test_a_key_is_pasted_and_never_shown_again(owner: Client, answers: responses.RequestsMock) -> None:
    answer = owner.post("/shop/connections/new/tiny", {"way": "token", "account": "North", "token": "pasted-secret"}, follow=True)
    assert "North &amp; Co is connected. Its past is read now, then whatever is new." in answer.content.decode()
    for address in ("/shop/connections", f"/shop/connections/{Connection.objects.get().pk}", "/shop/connections/new/tiny"):
        assert "pasted-secret" not in owner.get(address).content.decode()


def test_what_a_platform_refuses_is_said_above_the_form_and_nothing_typed_is_shown_that_is_secret(
    owner: Client, answers: responses.RequestsMock
) -> None:
    answers.replace(responses.GET, f"{BASE}/me", status=401)
    answer = owner.post("/shop/connections/new/tiny", {"way": "token", "account": "north", "token": "pasted-secret"})
    assert "Tiny no longer takes this token. Connect the account again." in text_of(answer)
    assert "pasted-secret" not in answer.content.decode()
    assert 'value="north"' in answer.content.decode()
    assert Connection.objects.count() == 0


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"account": "no account!"}, "type its name, such as north"),
        ({"account": ""}, "Give the account."),
        ({"client_secret": ""}, "Give the client secret."),
        ({"sandbox": "http://10.0.0.1/"}, "10.0.0.1 is not among SANDBOX_HOSTS"),
        ({"sandbox": "http://[::1"}, "http://[::1 is not the address of a sandbox"),
        ({"way": "token", "token": "tok“en"}, "The token holds a character that no token has: ““”. Copy it again, by itself."),
        ({"way": "token", "token": "tok\r\nX-Evil: 1"}, "a character that no token has: a space, a line break or the like. Copy it again"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_said(owner: Client, changed: dict[str, str], said: str) -> None:
    assert said in text_of(owner.post("/shop/connections/new/tiny", CONSENT | changed))


def test_an_unknown_platform_is_not_found(owner: Client) -> None:
    assert owner.get("/shop/connections/new/myspace").status_code == 404


def test_a_store_without_connections_says_what_to_do(store: Store, owner: Client) -> None:
    assert "Nothing is connected yet" in text_of(owner.get("/shop/connections"))
    viewer = signed_in(store, email="viewer@example.com", role=Role.VIEWER)
    text = text_of(viewer.get("/shop/connections"))
    assert "An owner of the store can connect accounts." in text
    assert "Connect an account" not in text


def test_trouble_is_said_with_what_to_do(store: Store, owner: Client) -> None:
    a_connection(store, status="needs_consent", problem="Tiny no longer takes this token.", problem_at=LATE, scopes=["read_things"])
    page = owner.get("/shop/connections")
    assert "needs your consent again" in text_of(page)
    assert "Tiny no longer takes this token." in text_of(page)
    assert 'href="/shop/connections/new/tiny?account=north">Connect it again</a>' in page.content.decode()
    assert "Not granted: read_more." in text_of(page)


def test_progress_and_what_was_not_understood_are_told_for_each_stream(
    store: Store, owner: Client, things: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = a_connection(store, scopes=["read_things", "read_more"])
    SyncCursor.objects.create(connection=row, stream="things", done=1_200, whole=5_000)
    SyncRun.objects.create(connection=row, stream="things", mode="backfill", started_at=LATE, heartbeat_at=timezone.now(), records=1_200, changed=900)
    ParkedRecord.objects.create(connection=row, stream="things", external_id="77", body=b"", reason="It has no price.", first_at=LATE, last_at=LATE)
    page = owner.get("/shop/connections")
    assert '<progress max="5000" value="1200"' in page.content.decode()
    assert "Reading the past 1200 1,200 of 5,000" in text_of(page)
    one = text_of(owner.get(f"/shop/connections/{row.pk}"))
    assert "77 Things It has no price." in one
    meanwhile = "Until these are read, things are guessed."
    monkeypatch.setitem(registry.CONNECTORS, "tiny", replace(TINY, streams=(replace(things, meanwhile=meanwhile),)))
    SyncRun.objects.update(status="partial")
    shown = text_of(owner.get("/shop/connections"))
    assert "reads the past, goes on soon 1,200 of 5,000" in shown
    assert meanwhile in shown
    SyncCursor.objects.update(backfilled_at=LATE)
    shown = text_of(owner.get("/shop/connections"))
    assert meanwhile not in shown
    assert "reads its past again" not in shown
    SyncCursor.objects.create(connection=row, stream="things:past", done=3_000, whole=9_000)
    SyncRun.objects.create(connection=row, stream="things:past", mode="backfill", status="partial", started_at=LATE, heartbeat_at=LATE)
    shown = text_of(owner.get(f"/shop/connections/{row.pk}"))
    assert "reads its past again 3,000 of 9,000" in shown
    assert "Things, reading the past" in shown


def test_a_connection_is_steered_by_its_owner(store: Store, owner: Client) -> None:
    owner.post("/shop/connections/new/tiny", {"way": "token", "account": "north", "token": "x"})
    row = Connection.objects.get()
    said = []
    for action in ("test", "pause", "resume", "disconnect"):
        said.append(text_of(owner.post(f"/shop/connections/{row.pk}/{action}", follow=True)))
        row.refresh_from_db()
        said.append(row.status)
    assert said[1::2] == ["active", "paused", "active", "disconnected"]
    assert "It works: the platform answers as North &amp; Co, in EUR, Europe/Berlin." in said[0]
    assert row.secrets is None
    assert owner.post(f"/shop/connections/{row.pk}/explode").status_code == 404


RESTS = {
    "needs_consent": "Nothing is read until it has your consent again: connect it once more.",
    "paused": "It is paused, so nothing is read of it. Resume it first.",
    "disconnected": "It is disconnected, so nothing is read of it. Connect it again first.",
}
IT_WORKS = "It works: the platform answers as North &amp; Co, in EUR, Europe/Berlin."
STEERED = {
    "test": ("active", IT_WORKS, "active", IT_WORKS, "paused", IT_WORKS, "disconnected", RESTS["disconnected"]),
    "sync": ("active", "What is new is asked for now.", *(each for pair in RESTS.items() for each in pair)),
    "backfill": ("active", "All of the past is read again.", *(each for pair in RESTS.items() for each in pair)),
    "replay": tuple(each for status in ("active", *RESTS) for each in (status, "What was not understood is tried again.")),
    "pause": (
        "paused", "Paused. Nothing is read until you resume it.", "needs_consent", RESTS["needs_consent"], "paused", "It is paused already.",
        "disconnected", RESTS["disconnected"],
    ),
    "resume": (
        "active", "It is not paused: it is read already.", "needs_consent", RESTS["needs_consent"], "active", "Resumed.",
        "disconnected", RESTS["disconnected"],
    ),
    "disconnect": (*("disconnected", "Disconnected: its secrets are forgotten.") * 3, "disconnected", "It is disconnected already."),
}  # fmt: skip
STEERED["go-on"] = ("active", "sells in a currency that has its store already", *(each for pair in RESTS.items() for each in pair))
"""For each action: how a connection stands afterwards and what is said, where it was active, without consent, paused, disconnected."""


@pytest.mark.parametrize("action", STEERED)
def test_what_cannot_be_done_with_a_connection_as_it_stands_is_refused_in_words(store: Store, owner: Client, things: Stream, action: str) -> None:
    owner.post("/shop/connections/new/tiny", {"way": "token", "account": "north", "token": "x"})
    row, held = Connection.objects.get(), Connection.objects.values_list("secrets", flat=True).get()
    told: list[str] = []
    for status, said in zip(("active", *RESTS), STEERED[action][1::2], strict=True):
        Job.objects.all().delete()
        Connection.objects.update(status=status, secrets=None if status == "disconnected" else held)
        shown = text_of(owner.post(f"/shop/connections/{row.pk}/{action}", follow=True))
        row.refresh_from_db()
        assert said in shown
        told += [row.status, said]
        asked = said in {"What is new is asked for now.", "All of the past is read again.", "Resumed.", "What was not understood is tried again."}
        assert (Job.objects.exists(), row.problem) == (asked, "")
    assert tuple(told) == STEERED[action]


def test_an_account_that_sells_in_another_currency_goes_on_in_another_store(store: Store, owner: Client, things: Stream) -> None:
    owner.post("/shop/connections/new/tiny", {"way": "token", "account": "north", "token": "x"})
    row = Connection.objects.get()
    assert "Go on in" not in text_of(owner.get(f"/shop/connections/{row.pk}"))
    Connection.objects.update(currency="USD")
    told = f"The book of {store.name} is kept in EUR, so orders in USD are converted at each day’s rate."
    shown = text_of(owner.get(f"/shop/connections/{row.pk}"))
    assert told in shown
    assert "Go on in USD" in shown
    viewer = text_of(signed_in(store, email="viewer@example.com", role=Role.VIEWER).get(f"/shop/connections/{row.pk}"))
    assert told in viewer
    assert "Go on in USD" not in viewer
    Job.objects.all().delete()
    shown = text_of(owner.post(f"/shop/connections/{row.pk}/go-on", follow=True))
    assert (
        f"{store.name} (USD) is open and reads North &amp; Co, too: orders in USD are booked there from now on, and those in EUR stay here." in shown
    )
    assert told not in shown
    later = Connection.objects.get(store__slug="shop-usd")
    asked = Job.objects.order_by("kind", "key").values_list("kind", "key")
    assert list(asked) == [
        ("backfill", f"connection:{row.pk}:things"), ("backfill", f"connection:{later.pk}:things"), ("check-account", f"connection:{later.pk}"),
    ]  # fmt: skip
    assert owner.get(f"/shop-usd/connections/{later.pk}").status_code == 200


def test_a_connection_of_another_store_is_not_there(store: Store, owner: Client) -> None:
    row = a_connection(a_store(slug="other"))
    assert owner.get(f"/shop/connections/{row.pk}").status_code == 404
    assert owner.post(f"/shop/connections/{row.pk}/disconnect").status_code == 404
    assert Connection.objects.get().status == "active"


def test_reading_is_asked_for_by_a_job_for_each_stream(store: Store, owner: Client, things: Stream) -> None:
    row = a_connection(store, secrets=None)
    ParkedRecord.objects.create(connection=row, stream="things", external_id="77", body=b"", reason="It has no price.", first_at=LATE, last_at=LATE)
    for action in ("sync", "sync", "backfill", "replay"):
        assert owner.post(f"/shop/connections/{row.pk}/{action}").status_code == 302
    asked = sorted(Job.objects.values_list("kind", "key", "actor"))
    assert asked == [
        ("backfill", f"connection:{row.pk}:things", "owner@example.com"), ("replay-parked", f"connection:{row.pk}", "owner@example.com"),
    ]  # fmt: skip


def test_nothing_is_asked_of_a_platform_that_this_version_does_not_know(store: Store, owner: Client) -> None:
    row = a_connection(store)
    Connection.objects.update(platform="myspace")
    for action in ("test", "sync", "backfill", "resume", "replay"):
        answer = owner.post(f"/shop/connections/{row.pk}/{action}", follow=True)
        assert "does not connect to “myspace”" in text_of(answer)


def freshness_on(client: Client) -> str:
    """Return what the pages of figures say of how complete they are."""
    shown = client.get("/shop/pnl?from=2026-03-01&to=2026-03-31")
    return text_of(shown).partition("Profit &amp; loss")[2] or text_of(shown)


def test_pages_of_figures_say_what_of_an_account_is_not_in_them(store: Store, owner: Client) -> None:
    write(store, an_order("1001"))
    assert "Everything received is counted" in freshness_on(owner)
    row = a_connection(store, last_ok_at=LATE)
    orders = SyncCursor.objects.create(connection=row, stream="orders")
    SyncCursor.objects.create(connection=row, stream="orders:compare")
    assert "The past of an account is being read" in freshness_on(owner)
    # A part that the account does not grant has no past to wait for.
    findings.note(store.pk, "sync_failed", f"{row.pk}:orders", "Not granted.", severity=Finding.Severity.WARNING, now=LATE)
    assert "Everything received is counted" in freshness_on(owner)
    assert "connected accounts answered" in freshness_on(owner)
    findings.note(store.pk, "sync_failed", f"{row.pk}:orders", "Not understood.", severity=Finding.Severity.ERROR, now=LATE)
    assert "An account is not read" in freshness_on(owner)
    findings.resolve(store.pk, "sync_failed", f"{row.pk}:orders", now=LATE)
    orders.backfilled_at = LATE
    orders.save()
    ParkedRecord.objects.create(connection=row, stream="orders", external_id="7", body=b"", reason="why", first_at=LATE, last_at=LATE)
    said = freshness_on(owner)
    assert "Some records are not understood, and in no figure" in said
    assert "1 record received and not understood" in said
    Connection.objects.update(status="needs_consent")
    assert "An account is not read" in freshness_on(owner)
    other = a_store(slug="other")
    write(other, an_order("1001"))
    assert "Everything received is counted" in text_of(signed_in(other, email="o@example.com").get("/other/pnl?from=2026-03-01&to=2026-03-31"))
