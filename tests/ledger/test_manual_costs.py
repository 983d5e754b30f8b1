"""Costs entered by hand: spread over real days, reversed, never edited away."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.test import Client

from ledger.audit import check_all
from ledger.cause import Cause
from ledger.drafts.manual import spread
from ledger.kinds import CauseKind
from ledger.manual_costs import CostRefused, remove_cost, save_cost
from ledger.models import Book, Entry, FeeRule, ManualCost, Membership, Store
from ledger.periods import By, cut
from ledger.statements import amount, profit
from tests.builders import a_store, day
from tests.dashboards.people import signed_in

pytestmark = pytest.mark.django_db
BY_HAND = Cause(CauseKind.MANUAL, "cost", "ann@example.com")


def a_cost(store: Store, **fields: object) -> ManualCost:
    """Make a month's rent that is not saved yet."""
    usual = {
        "category": "operating",
        "label": "rent",
        "amount": Decimal(1000),
        "currency": "EUR",
        "from_day": day("2026-03-01"),
        "to_day": day("2026-03-31"),
    }
    return ManualCost(store=store, **(usual | fields))


def by_month(store: Store, key: str) -> list[str]:
    months = cut(day("2026-02-01"), day("2026-04-30"), By.MONTH)
    return [str(amount(statement, key)) for statement in profit(Book.objects.get(pk=store.pk), months)]


def test_a_month_of_rent_ties_exactly_with_the_rounding_on_the_last_day() -> None:
    assert [str(Decimal(part).scaleb(-4)) for part in spread(10_000_000, 31, 100)] == ["32.2600"] * 30 + ["32.2000"]


def test_rent_lands_under_operating_on_each_of_its_days() -> None:
    store = a_store()
    save_cost(a_cost(store), cause=BY_HAND)
    assert by_month(store, "operating") == ["0", "-1000.0000", "0"]
    assert by_month(store, "net_profit") == ["0", "-1000.0000", "0"]
    assert Entry.objects.filter(book_id=store.pk, estimated=False).count() == 31


def test_an_influencers_fee_lands_under_marketing() -> None:
    store = a_store()
    save_cost(a_cost(store, category="marketing", label="influencer", to_day=day("2026-03-01")), cause=BY_HAND)
    assert by_month(store, "marketing") == ["0", "-1000.0000", "0"]


def test_a_changed_cost_posts_the_difference_and_a_removed_one_leaves_nothing() -> None:
    store = a_store()
    cost = a_cost(store)
    save_cost(cost, cause=BY_HAND)
    cost.amount = Decimal(1100)
    save_cost(cost, cause=BY_HAND)
    assert by_month(store, "operating") == ["0", "-1100.0000", "0"]
    assert save_cost(cost, cause=BY_HAND).added == 0
    remove_cost(cost, cause=BY_HAND, now=datetime(2026, 4, 1, tzinfo=UTC))
    assert by_month(store, "operating") == ["0", "0.0000", "0"]
    assert not any(check_all(Book.objects.get(pk=store.pk)).values())


def test_a_cost_without_its_rate_is_refused_whole() -> None:
    store = a_store()
    with pytest.raises(CostRefused, match="There is no exchange rate from USD to EUR on 2026-03-01"):
        save_cost(a_cost(store, currency="USD"), cause=BY_HAND)
    assert (ManualCost.objects.count(), Entry.objects.count()) == (0, 0)


def test_a_cost_of_more_than_three_years_is_refused() -> None:
    with pytest.raises(ValidationError, match="at most 1100 days"):
        save_cost(a_cost(a_store(), to_day=day("2030-01-01")), cause=BY_HAND)


def test_a_label_and_a_currency_are_taken_as_people_type_them() -> None:
    store = a_store()
    client = signed_in(store, role=Membership.Role.COST_EDITOR)
    form = {
        "store": store.pk, "category": "operating", "label": "Studio rent", "amount": "31", "currency": "eur", "from_day": "2026-03-01",
        "to_day": "2026-03-31", "note": "",
    }  # fmt: skip
    assert client.post("/admin/ledger/manualcost/add/", form).status_code == 302
    cost = ManualCost.objects.get()
    assert (cost.account_name, cost.currency) == ("operating:studio-rent", "EUR")
    assert "Give a label with letters a to z or figures" in client.post("/admin/ledger/manualcost/add/", form | {"label": "房租"}).content.decode()
    assert "manage.py load_rates" in client.post("/admin/ledger/manualcost/add/", form | {"currency": "usd"}).content.decode()
    rule = {"store": store.pk, "gateway": "cardworks", "currency": "eur", "percentage": "2", "fixed": "0", "surcharge": "0"}
    assert client.post("/admin/ledger/feerule/add/", rule).status_code == 302
    assert FeeRule.objects.get().currency == "EUR"


def test_a_cost_editor_books_in_their_own_store_only() -> None:
    mine, other = a_store(), a_store()
    user = get_user_model().objects.create_user("ed", "ed@example.com", "a long password", is_staff=True)
    Membership.objects.create(store=mine, user=user, role=Membership.Role.COST_EDITOR)
    client = Client()
    client.force_login(user)
    form = {
        "category": "operating", "label": "rent", "amount": "310", "currency": "EUR", "from_day": "2026-03-01", "to_day": "2026-03-31", "note": "",
    }  # fmt: skip
    assert client.post("/admin/ledger/manualcost/add/", form | {"store": mine.pk}).status_code == 302
    refused = client.post("/admin/ledger/manualcost/add/", form | {"store": other.pk})
    assert refused.status_code == 200 and "Select a valid choice" in refused.content.decode()
    backwards = client.post("/admin/ledger/manualcost/add/", form | {"store": mine.pk, "to_day": "2026-02-28"}).content.decode()
    assert "The last day is before the first. Give the same day twice for a cost of one day." in backwards
    assert "Constraint" not in backwards
    missing = client.post("/admin/ledger/manualcost/add/", form | {"store": mine.pk, "currency": "USD"})
    assert missing.status_code == 200 and "no exchange rate from USD" in missing.content.decode()
    assert [by_month(store, "operating")[1] for store in (mine, other)] == ["-310.0000", "0"]
    theirs = a_cost(other)
    save_cost(theirs, cause=BY_HAND)
    assert client.get(f"/admin/ledger/manualcost/{theirs.pk}/change/").status_code == 302
    kept = ManualCost.objects.get(store=mine)
    assert client.post(f"/admin/ledger/manualcost/{kept.pk}/delete/", {"post": "yes"}).status_code == 302
    assert by_month(mine, "operating") == ["0", "0.0000", "0"]
