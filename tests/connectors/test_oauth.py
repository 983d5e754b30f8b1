"""Test how accounts are connected: who may answer a question, how often, where we then ask, and what is kept."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
import responses
from django.contrib.auth.models import User

from connectors import accounts, connections
from connectors.connections import Kept, check_account, fresh, kept, missing_scopes
from connectors.faults import Denied, NeedsReauth, RetryLater
from connectors.http import Client, ForeignHost
from connectors.models import Connection, ConsentRequest
from connectors.oauth import VALID, answered, ask, challenge_of, connect_with_key, forget_questions
from connectors.spec import Request
from ledger.models import Store
from tests.builders import a_store
from tests.connectors.tiny import BASE, TINY, tiny_answers
from tests.dashboards.people import a_person

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 3, 12, tzinfo=UTC)
REDIRECT = "http://localhost:8000/connections/tiny/return"
TOLD = {"client_id": "shop-app", "client_secret": "hush"}


@pytest.fixture(autouse=True)
def answers() -> Iterator[responses.RequestsMock]:
    """Know the platform Tiny, and answer in its name."""
    with tiny_answers() as mock:
        yield mock


@pytest.fixture
def store() -> Store:
    return a_store()


@pytest.fixture
def owner() -> User:
    return a_person()


def asked(store: Store, owner: User, *, session: str = "session") -> dict[str, str]:
    """Ask for consent and return what the platform's page is told."""
    address = ask(store, TINY, account="north", foreign="", told=TOLD, user=owner, session=session, redirect=REDIRECT, now=NOW)
    assert address.startswith(f"{BASE}/ask?")
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def answer(owner: User, state: str, *, session: str = "session", now: datetime = NOW, platform: str = "tiny", **query: str) -> Connection:
    return answered(
        {"state": state, "code": "yes", **query}, platform=platform, user=owner, session=session, redirect=REDIRECT, actor="o@example.com", now=now
    )  # fmt: skip


def test_an_account_is_connected_by_its_owners_consent(store: Store, owner: User, answers: responses.RequestsMock) -> None:
    told = asked(store, owner)
    connection = answer(owner, told["state"])
    sent = dict(parse_qsl(str(answers.calls[0].request.body)))
    assert told["challenge"] == challenge_of(sent["verifier"])
    assert (sent["code"], sent["redirect"], sent["secret"], told["scope"]) == ("yes", REDIRECT, "hush", "read_things,read_more")
    assert answers.calls[1].request.headers["X-Token"] == "first"
    row = Connection.objects.get()
    assert (row, row.store, row.platform, row.account_ref, row.label, row.status) == (connection, store, "tiny", "north", "North & Co", "active")
    assert (row.currency, row.zone, row.scopes, row.connected_by, row.connected_at) == ("EUR", "Europe/Berlin", ["read_things"], "o@example.com", NOW)
    assert kept(row) == Kept(secrets={**TOLD, "way": "consent", "token": "first", "again": "next"}, expires_at=NOW + timedelta(hours=1))
    assert b"hush" not in bytes(row.secrets or b"")
    assert missing_scopes(row) == ("read_more",)


def test_pkce_challenge_is_that_of_the_standards_example() -> None:
    # RFC 7636, appendix B
    assert challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_a_question_is_answered_once_in_time_and_by_whom_it_was_asked(store: Store, owner: User) -> None:
    state = asked(store, owner)["state"]
    other = a_person(email="other@example.com")
    for attempt in (
        lambda: answer(other, state), lambda: answer(owner, state, session="another"), lambda: answer(owner, "guessed"),
        lambda: answer(owner, state, platform="other"), lambda: answer(owner, state, now=NOW + VALID),
    ):  # fmt: skip
        with pytest.raises(Denied, match="Press “Connect” again"):
            attempt()
    assert Connection.objects.count() == 0
    answer(owner, state)
    with pytest.raises(Denied, match="answered already"):
        answer(owner, state)
    assert Connection.objects.count() == 1


def test_neither_state_nor_secrets_lie_open_in_a_question(store: Store, owner: User) -> None:
    state = asked(store, owner)["state"]
    row = ConsentRequest.objects.get()
    assert state not in (row.state_hash, row.session_hash)
    assert b"hush" not in bytes(row.secrets)
    assert forget_questions(now=NOW) == 0
    assert forget_questions(now=NOW + VALID + timedelta(seconds=1)) == 1


def test_a_person_who_says_no_connects_nothing(store: Store, owner: User) -> None:
    with pytest.raises(Denied, match="You pressed “Cancel”"):
        answer(owner, asked(store, owner)["state"], error="denied")
    assert Connection.objects.count() == 0


def test_keys_connect_as_pasted_or_after_asking_for_a_token(store: Store, answers: responses.RequestsMock) -> None:
    token, client = TINY.keys
    given = {"account": "north", "foreign": "", "actor": "o@example.com", "now": NOW}
    first = connect_with_key(store, TINY, token, told={"token": "pasted"}, **given)  # type: ignore[arg-type]  # one mapping of mixed values
    assert (kept(first).secrets, kept(first).expires_at) == ({"token": "pasted", "way": "token"}, None)
    second = connect_with_key(store, TINY, client, told=TOLD, **given)  # type: ignore[arg-type]
    assert second.pk == first.pk
    assert kept(second).secrets == {**TOLD, "way": "client", "token": "first", "again": "next"}
    assert Connection.objects.count() == 1


def test_secrets_of_another_account_are_refused(store: Store, answers: responses.RequestsMock) -> None:
    answers.replace(responses.GET, f"{BASE}/me", json={"ref": "south", "name": "South", "scopes": []})
    with pytest.raises(Denied, match="opens south, not north"):
        connect_with_key(store, TINY, TINY.keys[0], account="north", foreign="", told={"token": "x"}, actor="", now=NOW)
    assert Connection.objects.count() == 0


def test_a_token_is_renewed_before_its_end_and_both_are_kept(store: Store, owner: User, answers: responses.RequestsMock) -> None:
    connection = answer(owner, asked(store, owner)["state"])
    assert fresh(connection, now=NOW + timedelta(minutes=51)).secrets["token"] == "first"
    answers.replace(responses.POST, f"{BASE}/token", json={"token": "second", "again": "third", "seconds": 3600})
    later = NOW + timedelta(minutes=52)
    assert fresh(connection, now=later).secrets["token"] == "second"
    assert str(answers.calls[-1].request.body) == "again=next"
    held = kept(Connection.objects.get())
    assert (held.secrets["token"], held.secrets["again"], held.secrets["client_secret"]) == ("second", "third", "hush")
    assert held.expires_at == later + timedelta(hours=1)


def test_another_workers_renewal_is_read_and_not_repeated(store: Store, owner: User, answers: responses.RequestsMock) -> None:
    stale = answer(owner, asked(store, owner)["state"])
    later = NOW + timedelta(minutes=55)
    fresh(Connection.objects.get(), now=later)
    asked_so_far = len(answers.calls)
    assert fresh(stale, now=later).expires_at == later + timedelta(hours=1)
    assert len(answers.calls) == asked_so_far


def test_what_cannot_be_renewed_asks_for_consent(store: Store, answers: responses.RequestsMock) -> None:
    answers.replace(responses.POST, f"{BASE}/token", json={"token": "first", "seconds": 60})
    connection = connect_with_key(store, TINY, TINY.keys[1], account="north", foreign="", told=TOLD, actor="", now=NOW)
    with pytest.raises(NeedsReauth, match="The access to north has ended and cannot be renewed"):
        accounts.check(connection, now=NOW)
    row = Connection.objects.get()
    assert (row.status, row.problem_at) == ("needs_consent", NOW)
    assert row.problem == "The access to north has ended and cannot be renewed. Connect it again."


def test_a_refused_token_is_said_in_words_and_over_once_it_is_taken(store: Store, answers: responses.RequestsMock) -> None:
    connection = connect_with_key(store, TINY, TINY.keys[0], account="north", foreign="", told={"token": "x"}, actor="", now=NOW)
    answers.replace(responses.GET, f"{BASE}/me", status=401)
    with pytest.raises(NeedsReauth):
        accounts.check(connection, now=NOW)
    assert Connection.objects.get().status == "needs_consent"
    answers.replace(responses.GET, f"{BASE}/me", json={"ref": "north", "name": "North", "scopes": ["read_things", "read_more"]})
    accounts.check(connection, now=NOW)
    row = Connection.objects.get()
    assert (row.status, row.problem, row.label, missing_scopes(row)) == ("active", "", "North", ())


def test_pausing_resuming_and_disconnecting_follow_each_other(store: Store) -> None:
    connection = connect_with_key(store, TINY, TINY.keys[0], account="north", foreign="", told={"token": "x"}, actor="", now=NOW)
    states = []
    for step in (connections.pause, connections.resume):
        step(connection)
        states.append(Connection.objects.get().status)
    connections.disconnect(connection, now=NOW)
    connections.resume(connection)
    row = Connection.objects.get()
    assert ([*states, row.status], row.secrets, row.disconnected_at) == (["paused", "active", "disconnected"], None, NOW)
    with pytest.raises(NeedsReauth, match="The account is disconnected"):
        kept(row)


def test_secrets_whose_key_is_lost_ask_for_the_key(store: Store, settings: object) -> None:
    connection = connect_with_key(store, TINY, TINY.keys[0], account="north", foreign="", told={"token": "x"}, actor="", now=NOW)
    settings.FIELD_KEYS = ["A" * 43 + "="]  # type: ignore[attr-defined]  # pytest-django's fixture
    with pytest.raises(NeedsReauth, match="Put them back, or connect the account again"):
        kept(connection)


@pytest.mark.parametrize(
    "foreign",
    [
        "https://evil.example/shops/x", "http://169.254.169.254/latest", "http://127.0.0.1@evil.example/", "ftp://localhost/x", "http://localhost/?x=1",
        "http://localhost.evil.example/", "//localhost/x", "localhost:8100",
    ],
)  # fmt: skip
def test_no_address_is_asked_but_the_platforms_and_a_named_sandbox(store: Store, owner: User, foreign: str) -> None:
    with pytest.raises(Denied, match=r"not among SANDBOX_HOSTS|not the address of a sandbox"):
        ask(store, TINY, account="north", foreign=foreign, told=TOLD, user=owner, session="s", redirect=REDIRECT, now=NOW)


def test_a_sandbox_is_asked_where_the_setting_names_it(store: Store, answers: responses.RequestsMock) -> None:
    answers.get("http://127.0.0.1:8100/shops/north/me", json={"ref": "north", "name": "Invented", "scopes": []})
    connection = connect_with_key(
        store, TINY, TINY.keys[0], account="north", foreign="http://127.0.0.1:8100/shops/north/", told={"token": "x"}, actor="", now=NOW
    )  # fmt: skip
    assert (connection.label, connection.base_url) == ("Invented", "http://127.0.0.1:8100/shops/north/")


def test_credentials_go_to_no_other_host(answers: responses.RequestsMock) -> None:
    answers.get("https://files.tiny.example/part", body=b"{}")
    with Client(TINY, BASE, {"token": "secret"}) as client:
        client.send(Request(path="https://files.tiny.example/part"))
        assert "X-Token" not in answers.calls[0].request.headers
        for address in ("https://evil.example/part", "http://files.tiny.example/part", "https://north.tiny.example.evil.example/"):
            with pytest.raises(ForeignHost):
                client.send(Request(path=address))
    assert len(answers.calls) == 1


def test_what_may_pass_is_tried_three_times(answers: responses.RequestsMock) -> None:
    answers.get(f"{BASE}/busy", status=503)
    waits: list[float] = []
    with Client(TINY, BASE, {"token": "x"}, sleep=waits.append) as client, pytest.raises(RetryLater, match="Tiny answered 503"):
        client.send(Request(path="/busy"))
    assert (waits, client.sent) == ([2.0, 5.0], 3)


def test_a_typed_account_is_tidied_or_refused_with_what_to_type() -> None:
    assert check_account(TINY, " North ") == "north"
    with pytest.raises(Denied, match="such as north"):
        check_account(TINY, "north.tiny.example/../x")
    with pytest.raises(Denied, match="Enter the account"):
        check_account(TINY, "  ")
