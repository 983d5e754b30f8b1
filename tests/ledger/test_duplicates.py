"""A cost that is likely entered already is noticed before it is saved."""

from decimal import Decimal

import pytest

from ledger.costs.duplicates import likely_duplicates
from ledger.models import CogsRule, ManualCost, Partner, Store
from ledger.rules import proposals
from ledger.rules.preview import effect_of
from ledger.rules.rules import change
from tests.builders import a_store, at, day

pytestmark = pytest.mark.django_db


@pytest.fixture
def store() -> Store:
    return a_store(slug="shop")


def a_cost(amount: str | None, first: str, last: str | None = None, **more: object) -> ManualCost:
    usual = {"category": "operating", "label": "app", "basis": "once", "currency": "EUR"}
    return ManualCost(
        amount=amount and Decimal(amount), effective_from=day(first), effective_to=day(last or first) if last != "" else None, **{**usual, **more}
    )


def monthly(amount: str, first: str, **more: object) -> ManualCost:
    return a_cost(amount, first, "", basis="month", **more)


@pytest.mark.parametrize(
    ("new", "why"),
    [
        (lambda: monthly("99", "2026-05-01"), "have the same label and amount, and hold on the same days"),
        (lambda: a_cost("99", "2026-05-07"), "have the same label and amount, and hold on the same days"),
        (
            lambda: monthly("117.81", "2026-05-01", includes_vat=True, vat_percentage=Decimal(19)),
            "have the same label and amount, and hold on the same days",
        ),
        (lambda: a_cost("12", "2026-05-07", label="x", invoice_number="R-1"), "have the invoice number R-1"),
        (lambda: a_cost("12", "2025-05-07", invoice_number="R-1"), "have the invoice number R-1"),
        (lambda: a_cost("99", "2026-05-07", invoice_number="R-2"), None),
        (lambda: a_cost("99", "2026-01-07"), None),
        (lambda: a_cost("98", "2026-05-07"), None),
        (lambda: a_cost("99", "2026-05-07", currency="USD"), None),
        (lambda: a_cost("99", "2026-05-07", channel="pos"), None),
        (lambda: a_cost("12", "2025-05-07", label="x", invoice_number="R-1"), None),
    ],
)
def test_a_monthly_cost_with_an_invoice(store: Store, new, why: str | None) -> None:
    standing = monthly("99", "2026-03-01", invoice_number="R-1")
    change(store, add=[standing], actor="ann", now=at("2026-03-20 09:00"))
    expected = (
        [f"“{new()}” and “operating:app: 99 EUR every month” from 1 Mar 2026, which ann set on 20 Mar 2026, {why}. Is it entered already?"]
        if why
        else []
    )
    assert likely_duplicates(store, [new(), CogsRule(percentage=1)]) == expected
    assert likely_duplicates(store, [new()], [standing]) == []


@pytest.mark.parametrize(("first", "found"), [("2026-03-01", 1), ("2026-03-06", 1), ("2026-03-07", 0), ("2026-02-28", 1), ("2026-02-27", 0)])
def test_one_amount_paid_twice_within_three_days(store: Store, first: str, found: int) -> None:
    change(store, add=[a_cost("500", "2026-03-03", category="marketing", label="influencer")], actor="ann", now=at("2026-03-20 09:00"))
    told = likely_duplicates(store, [a_cost("500", first, label="photos")])
    assert ["have the same amount, within three days" in one for one in told] == [True] * found


def test_partners_of_different_names_may_have_one_commission(store: Store) -> None:
    ann, bob = (Partner.objects.create(store=store, name=name, kind="affiliate") for name in ("Ann", "Bob"))
    share = {"category": "marketing", "label": "affiliate", "basis": "revenue", "percentage": Decimal(10)}
    change(store, add=[a_cost(None, "2026-03-01", "", partner=ann, **share)], actor="ann", now=at("2026-03-20 09:00"))
    assert likely_duplicates(store, [a_cost(None, "2026-03-01", "", partner=bob, **share)]) == []
    assert len(likely_duplicates(store, [a_cost(None, "2026-04-01", "", partner=ann, **share)])) == 1


def test_costs_that_are_added_together_are_compared_too_and_other_stores_are_not(store: Store) -> None:
    change(a_store(slug="other"), add=[a_cost("9", "2026-03-03")], actor="ann", now=at("2026-03-20 09:00"))
    told = likely_duplicates(store, [a_cost("9", "2026-03-03"), a_cost("9", "2026-03-03"), a_cost("8", "2026-03-03")])
    assert told == [
        "“operating:app: 9 EUR once, spread over its days” and “operating:app: 9 EUR once, spread over its days” "
        "have the same label and amount, and hold on the same days. Is one of them too many?"
    ]


def test_the_review_of_a_change_tells_of_them(store: Store) -> None:
    now = at("2026-03-20 09:00")
    standing = monthly("99", "2026-03-01")
    change(store, add=[standing], actor="ann", now=now)
    again = proposals.propose(store, add=[monthly("99", "2026-05-01")], actor="bob", origin="/admin/", now=now)
    told = effect_of(again, now=now)["warnings"]
    assert [warning.endswith("Is it entered already?") for warning in told] == [True]
    instead = proposals.propose(store, add=[monthly("99", "2026-05-01")], remove=[standing], actor="bob", origin="/admin/", now=now)
    assert effect_of(instead, now=now)["warnings"] == []
