"""Test how a store goes on in another currency: whose an order is, how both stores are let in, and what is refused."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
import responses
from msgspec import structs

from connectors.accounts import check
from connectors.connections import Kept, disconnect, fresh, kept, note_fault
from connectors.faults import Denied, NeedsReauth
from connectors.models import Connection
from connectors.oauth import connect_with_key
from connectors.succession import Part, Share, give_up, go_on, next_currency, share_of
from ledger.cause import Cause
from ledger.facts import BalanceFact
from ledger.kinds import BalanceMeaning, CauseKind
from ledger.models import Order, Store
from ledger.people import Role
from ledger.sealing import seal
from tests.builders import a_store, an_order, write
from tests.connectors.tiny import BASE, TINY, tiny_answers
from tests.dashboards.people import a_person

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 3, 12, tzinfo=UTC)


@pytest.fixture
def answers() -> Iterator[responses.RequestsMock]:
    with tiny_answers() as mock:
        yield mock


def tells(answers: responses.RequestsMock, currency: str) -> None:
    told = {"ref": "north", "name": "North", "scopes": ["read_things", "read_more"], "currency": currency}
    answers.replace(responses.GET, f"{BASE}/me", json=told)


@pytest.fixture
def euros(answers: responses.RequestsMock) -> Connection:
    """Connect a store in euros to an account that sells in dollars by now."""
    row = connect_with_key(a_store(slug="shop"), TINY, TINY.keys[0], account="north", foreign="", told={"token": "x"}, actor="", now=NOW)
    assert next_currency(row) == ""
    tells(answers, "USD")
    check(row, now=NOW)
    return row


EARLY, LATE = NOW - timedelta(days=9), NOW + timedelta(days=9)
THERE_AND_BACK = [Part(1, "EUR", datetime.min.replace(tzinfo=UTC)), Part(2, "USD", NOW), Part(3, "EUR", NOW + timedelta(days=5))]


@pytest.mark.parametrize(
    ("currency", "at", "owner"),
    [("EUR", EARLY, 1), ("EUR", NOW, 1), ("EUR", LATE, 3), ("USD", EARLY, 2), ("USD", LATE, 2), ("GBP", EARLY, 1), ("GBP", NOW, 2), ("GBP", LATE, 3)],
)
def test_every_order_is_one_stores_and_only_ones(currency: str, at: datetime, owner: int) -> None:
    assert [number for number in (1, 2, 3) if Share(number, THERE_AND_BACK).has_order(currency, at)] == [owner]


def test_what_an_account_spends_on_advertising_is_booked_once() -> None:
    spent = BalanceFact("shopify_payments", "7", LATE, "SHOP_CASH_CAMPAIGN_BILLING_DEBIT", BalanceMeaning.ADVERTISING, -10, 0, "USD")
    early, fee = structs.replace(spent, at=EARLY), structs.replace(spent, meaning=BalanceMeaning.CHARGE)
    told = [[Share(number, THERE_AND_BACK).has(fact) for number in (1, 2, 3)] for fact in (spent, early, fee)]
    assert told == [[False, False, True], [True, False, False], [True, True, True]]


def test_a_store_goes_on_in_another_currency_for_the_same_people_and_with_the_same_settings(euros: Connection) -> None:
    before = euros.store
    a_person(before, email="ann@example.com")
    a_person(before, email="ben@example.com", role=Role.ANALYST)
    Store.objects.filter(pk=before.pk).update(fiscal_year_start_month=4, week_starts_on_sunday=True, margin_basis="net_revenue")
    Store.objects.create(slug="shop-usd", name="Another", currency="USD")
    euros.refresh_from_db()
    assert (next_currency(euros), share_of(euros)) == ("USD", None)
    later = go_on(euros, actor="ann", now=NOW)
    after = Store.objects.get(pk=later.store_id)
    assert (after.slug, after.name, after.currency, after.succeeds_id) == ("shop-usd-2", f"{before.name} (USD)", "USD", before.pk)
    assert (after.fiscal_year_start_month, after.week_starts_on_sunday, after.margin_basis) == (4, True, "net_revenue")
    assert dict(after.memberships.values_list("user__email", "role")) == {"ann@example.com": "owner", "ben@example.com": "analyst"}
    assert (after.zones.get().zone, after.book.currency, kept(later)) == ("Europe/Berlin", "USD", kept(euros))
    share = share_of(euros)
    assert share is not None
    assert (next_currency(euros), next_currency(later), share.currencies, share.others) == ("", "", {"EUR", "USD"}, [after.pk])
    for row in (euros, later):
        with pytest.raises(Denied, match="North sells in a currency that has its store already"):
            go_on(row, actor="ann", now=NOW)
    assert Store.objects.count() == 3


def test_an_account_that_was_disconnected_goes_on_nowhere(euros: Connection) -> None:
    disconnect(euros, now=NOW)
    euros.refresh_from_db()
    with pytest.raises(NeedsReauth, match="The account is disconnected"):
        go_on(euros, actor="ann", now=NOW)
    assert Store.objects.count() == 1


def test_one_renewal_is_for_both_stores_and_for_no_stranger(euros: Connection, answers: responses.RequestsMock) -> None:
    ending = Kept(secrets={"token": "old", "again": "1"}, expires_at=NOW + timedelta(minutes=3))
    Connection.objects.update(secrets=seal(msgspec.json.encode(ending)))
    euros.refresh_from_db()
    later = go_on(euros, actor="ann", now=NOW)
    other = Kept(secrets={"token": "mine", "again": "9"}, expires_at=NOW + timedelta(minutes=3))
    stranger = Connection.objects.create(
        store=a_store(slug="other"), platform="tiny", account_ref="north", connected_at=NOW, secrets=seal(msgspec.json.encode(other))
    )
    answers.replace(responses.POST, f"{BASE}/token", json={"token": "new", "again": "2", "seconds": 3600})
    renewed = fresh(later, now=NOW)
    assert renewed.secrets == {"token": "new", "again": "2"}
    assert fresh(euros, now=NOW) == renewed
    assert kept(Connection.objects.get(pk=stranger.pk)) == other
    assert [call.request.url for call in answers.calls].count(f"{BASE}/token") == 1


def test_consent_that_is_given_again_lets_both_in(euros: Connection, answers: responses.RequestsMock) -> None:
    later = go_on(euros, actor="ann", now=NOW)
    for row in (euros, later):
        note_fault(row, NeedsReauth("Tiny no longer takes this token."), now=NOW)
    connect_with_key(euros.store, TINY, TINY.keys[0], account="north", foreign="", told={"token": "y"}, actor="", now=NOW)
    later.refresh_from_db()
    assert (later.status, later.problem, kept(later).secrets["token"]) == ("active", "", "y")
    disconnect(later, now=NOW)
    connect_with_key(euros.store, TINY, TINY.keys[0], account="north", foreign="", told={"token": "z"}, actor="", now=NOW)
    later.refresh_from_db()
    assert (later.status, later.secrets) == ("disconnected", None)


def test_orders_that_were_converted_are_given_up_and_others_stay(euros: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.succession.AT_ONCE", 2)
    facts = [an_order(str(number), currency="USD" if number > 2 else "EUR", platform="tiny") for number in range(1, 7)]
    write(euros.store, *facts[:5], cause=Cause(CauseKind.SYNC, euros.cause_ref))
    write(euros.store, facts[5])
    later = go_on(euros, actor="ann", now=NOW)
    share = share_of(euros)
    assert share is not None
    assert (give_up(euros, share, now=NOW), give_up(euros, share, now=NOW)) == (3, 0)
    left = Order.objects.filter(store=euros.store, withdrawn_at=None).values_list("number", "currency").order_by("number")
    # The last one was told by somebody else, such as a file.
    assert list(left) == [("#1", "EUR"), ("#2", "EUR"), ("#6", "USD")]
    ours = share_of(later)
    assert ours is not None
    assert give_up(later, ours, now=NOW) == 0
