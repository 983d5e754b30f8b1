"""Changes of cost rules are proposed, looked at, and made exactly as they were looked at."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from ledger.models import (  # fmt: skip
    Account,
    BundlePart,
    CogsRule,
    CostChange,
    CostOverride,
    FeeRule,
    ManualCost,
    Order,
    Partner,
    PartnerCode,
    Product,
    ProfitGoal,
    ProposedChange,
    ShippingRule,
    Store,
    Variant,
    VariantCost,
)
from ledger.models.rules import Rule
from ledger.rules import preview, proposals, rules
from ledger.rules.proposal_tasks import FORGET_PROPOSALS
from ledger.rules.rules import RuleRefused, change
from profitpeek.jobs import queue
from profitpeek.jobs.models import Job
from profitpeek.jobs.running import run
from profitpeek.schedule import RECURRING
from tests.builders import a_line, a_store, an_order, at, book_of, day, write

pytestmark = pytest.mark.django_db

NOW = at("2026-03-20 09:00")
PAGE = "/admin/ledger/cogsrule/add/"


@pytest.fixture
def store() -> Store:
    """Return a store that has sold two mugs."""
    store = a_store(slug="shop")
    write(store, an_order("1", lines=[a_line("1", variant="mug"), a_line("2", variant="cap")]))
    return store


def propose(store: Store, *add: Rule, **more: object) -> ProposedChange:
    """Propose rules, from the page of COGS percentages."""
    return proposals.propose(store, add=add, **{"actor": "ann@example.com", "reason": "because", "origin": PAGE, "now": NOW, **more})


def apply(proposed: ProposedChange, **more: object) -> CostChange:
    """Apply a proposal as somebody else."""
    return proposals.apply(proposed, actor="bob@example.com", now=NOW, **more)


def standing() -> list[str]:
    """Return the standing COGS percentages with their days."""
    return [f"{rule}{rules.span_of(rule)}" for rule in CogsRule.objects.filter(removed_by=None).order_by("effective_from")]


def test_nothing_holds_until_a_proposal_is_applied(store: Store) -> None:
    proposed = propose(store, CogsRule(percentage="35", effective_from=day("2026-03-10")))
    assert (CogsRule.objects.count(), CostChange.objects.count(), Job.objects.count(), book_of(store).costs_version) == (0, 0, 0, 0)
    assert (proposed.summary, proposed.reason, proposed.state) == ("35 % for every product from 10 Mar 2026", "because", "open")
    made = apply(proposed)
    assert standing() == ["35 % for every product from 10 Mar 2026"]
    assert (made.actor, made.reason, made.summary) == ("bob@example.com", "because", proposed.summary)
    proposed.refresh_from_db()
    assert (proposed.state, proposed.made) == ("applied", made)
    assert Job.objects.get().kind == "repost"


def every_kind(store: Store) -> list[Rule]:
    """Return one rule of each kind, every value of its own."""
    mug, cap = Variant.objects.order_by("external_id").reverse()
    partner = Partner.objects.create(store=store, name="Uma", kind="influencer")
    span = {"effective_from": day("2026-03-02"), "effective_to": day("2026-03-09")}
    return [
        CogsRule(product=mug.product, percentage=Decimal("12.5"), **span),
        VariantCost(variant=mug, goods=Decimal("3.2001"), freight=Decimal("0.3"), currency="USD", effective_from=day("2026-03-02"), origin=2),
        BundlePart(bundle=mug, component=cap, quantity=3, **span),
        CostOverride(order_id=Order.objects.get().pk, line="1", unit_cost=Decimal("4"), currency="EUR", told="#1 Thing"),
        FeeRule(gateway=" PayPal ", currency="USD", percentage=Decimal("3.49"), fixed=Decimal("0.49"), surcharge=Decimal(1), **span),
        ShippingRule(position=7, name="far", countries="FR AT", most_units=3, least_value=Decimal("1.5"), amount=Decimal(9), **span),
        PartnerCode(partner=partner, code="uma10", **span),
        ProfitGoal(amount=Decimal("1000.5"), effective_from=day("2026-03-01"), effective_to=day("2026-03-31")),
        ManualCost(category="operating", label="rent", amount=Decimal("99.99"), currency="EUR", includes_vat=True, vat_percentage=19, **span),
    ]  # fmt: skip


def kept_of(made: CostChange) -> list[dict[str, object]]:
    """Return the values of the rules a change added, as the database holds them."""
    return [{field.attname: getattr(rule, field.attname) for field in rules.value_fields(type(rule))} for rule in rules.rules_of(made)[0]]


def test_every_kind_of_rule_is_made_exactly_as_it_was_kept(store: Store) -> None:
    wanted = every_kind(store)
    assert {type(rule) for rule in wanted} == set(rules.SCOPES)
    direct = change(store, add=[rules.copy_of(rule) for rule in wanted], actor="ann", now=NOW)
    change(store, remove=rules.rules_of(direct)[0], actor="ann", now=NOW)
    assert kept_of(apply(propose(store, *wanted))) == kept_of(direct)


def test_what_makes_room_is_told_with_its_new_days(store: Store) -> None:
    change(store, add=[CogsRule(percentage=30)], actor="ann", now=NOW)
    proposed = propose(store, CogsRule(percentage=35, effective_from=day("2026-03-10"), effective_to=day("2026-03-20")))
    assert proposed.effect == {"ends": [{"rule": "30 % for every product", "was": "always", "now": ["through 9 Mar 2026", "from 21 Mar 2026"]}]}
    proposed = propose(store, CogsRule(percentage=35))
    assert proposed.effect == {"ends": [{"rule": "30 % for every product", "was": "always", "now": []}]}


def test_rules_are_taken_back(store: Store) -> None:
    change(store, add=[CogsRule(percentage=30)], actor="ann", now=NOW)
    proposed = propose(store, remove=[CogsRule.objects.get()])
    assert standing() == ["30 % for every product"]
    assert (proposed.summary, proposed.effect) == ("no more: 30 % for every product", {"ends": []})
    apply(proposed)
    assert standing() == []


def test_a_change_is_undone_by_a_proposal(store: Store) -> None:
    change(store, add=[CogsRule(percentage=30)], actor="ann", now=NOW)
    made = change(store, add=[CogsRule(percentage=35, effective_from=day("2026-03-10"))], actor="ann", now=NOW)
    first = proposals.propose_undo(made, actor="ann", origin="/admin/", now=NOW)
    second = proposals.propose_undo(made, actor="bob", origin="/admin/", now=NOW)
    undone = apply(first)
    assert (undone.undoes, standing()) == (made, ["30 % for every product"])
    with pytest.raises(RuleRefused, match="undone already"):
        apply(second)
    with pytest.raises(RuleRefused, match="undone already"):
        proposals.propose_undo(made, actor="ann", origin="/admin/", now=NOW)


def test_the_reason_may_be_put_better_when_it_is_applied(store: Store) -> None:
    assert apply(propose(store, CogsRule(percentage=35)), reason="new supplier").reason == "new supplier"


def test_a_proposal_is_decided_once(store: Store) -> None:
    proposed = propose(store, CogsRule(percentage=35))
    apply(proposed)
    with pytest.raises(RuleRefused, match=r"saved already, by bob@example\.com"):
        apply(proposed)
    with pytest.raises(RuleRefused, match="saved already"):
        proposals.dismiss(proposed)
    put_away = propose(store, CogsRule(percentage=20))
    proposals.dismiss(put_away)
    with pytest.raises(RuleRefused, match="dismissed"):
        apply(put_away)
    assert standing() == ["35 % for every product"]


def test_what_a_proposal_takes_back_must_still_be_there(store: Store) -> None:
    change(store, add=[CogsRule(percentage=30)], actor="ann", now=NOW)
    rule = CogsRule.objects.get()
    proposed = propose(store, remove=[rule])
    change(store, remove=[rule], actor="ann", now=NOW)
    with pytest.raises(RuleRefused, match="not there any more"):
        apply(proposed)
    proposed.refresh_from_db()
    assert proposed.state == "open"


def test_a_standing_rule_that_changed_meanwhile_makes_room_as_well(store: Store) -> None:
    proposed = propose(store, CogsRule(percentage=35, effective_from=day("2026-03-10")))
    change(store, add=[CogsRule(percentage=30)], actor="ann", now=NOW)
    apply(proposed)
    assert standing() == ["35 % for every product from 10 Mar 2026", "30 % for every product through 9 Mar 2026"]


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        (lambda: CogsRule(percentage=101), "less than or equal to 100"),
        (lambda: ManualCost(category="operating", label="rent", amount=9, currency="USD", effective_from=day("2026-03-01")), "no exchange rate"),
        (lambda: VariantCost(variant=Variant.objects.first(), goods=1, currency="XYZ"), "not an ISO 4217 currency"),
    ],
)
def test_what_could_not_be_made_is_not_proposed(store: Store, rule, told: str) -> None:
    with pytest.raises(RuleRefused, match=told):
        propose(store, rule())
    assert told in proposals.refusal(store, add=[rule()], now=NOW)
    assert (ProposedChange.objects.count(), CostChange.objects.count(), book_of(store).last_seq) == (0, 0, 1)
    with pytest.raises(RuleRefused, match="Nothing would change"):
        propose(store)


def test_what_another_store_sells_is_not_proposed(store: Store) -> None:
    with pytest.raises(RuleRefused, match="is not sold by Other"):
        propose(a_store(slug="other"), CogsRule(percentage=20, product=Product.objects.first()))


@pytest.mark.parametrize(("basis", "difference"), [("once", "-18.0000"), ("order", "-27.0000")])  # saved rent is still to be restated
def test_a_label_takes_a_number_when_it_is_saved_and_none_when_it_is_looked_at(store: Store, basis: str, difference: str) -> None:
    cost = {"category": "marketing", "amount": 9, "currency": "EUR", "effective_from": day("2026-03-01"), "basis": basis}
    apply(propose(store, ManualCost(label="rent", **cost)))
    first = Account.objects.get().number
    for label in ("apps", "salaries", "apps"):
        looked = propose(store, ManualCost(label=label, **cost), ManualCost(label=f"{label}-too", **cost))
        assert preview.effect_of(looked, now=NOW)["months"][-1]["difference"] == difference
    assert [account.number for account in Account.objects.all()] == [first]
    apply(propose(store, ManualCost(label="insurance", **cost)))
    assert dict(Account.objects.values_list("name", "number")) == {"marketing:rent": first, "marketing:insurance": first + 1}


def test_what_nobody_applies_within_a_week_is_forgotten(store: Store) -> None:
    applied, kept, dismissed = (propose(store, CogsRule(percentage=number)) for number in (10, 20, 30))
    apply(applied)
    proposals.dismiss(dismissed)
    assert proposals.forget(NOW + timedelta(days=7)) == 0
    assert proposals.forget(NOW + timedelta(days=7, seconds=1)) == 2
    assert list(ProposedChange.objects.all()) == [applied]
    assert kept.pk


@pytest.mark.django_db(transaction=True)
def test_forgetting_is_a_job_of_the_night(store: Store) -> None:
    old, young = propose(store, CogsRule(percentage=10)), propose(store, CogsRule(percentage=20), now=timezone.now())
    run(queue.submit(FORGET_PROPOSALS))
    assert list(ProposedChange.objects.all()) == [young]
    assert old.at == NOW
    assert [each.name for each in RECURRING if each.kind is FORGET_PROPOSALS] == ["forget-proposals"]


def test_of_many_rules_that_make_room_each_is_told_with_its_own_rest(store: Store) -> None:
    products = list(Product.objects.order_by("pk"))
    change(store, add=[CogsRule(product=product, percentage=30) for product in products], actor="ann", now=NOW)
    proposed = propose(store, *(CogsRule(product=product, percentage=20, effective_from=day("2026-03-10")) for product in products))
    assert proposed.effect == {
        "ends": [{"rule": f"30 % for {product}", "was": "always", "now": ["through 9 Mar 2026"]} for product in products]
    }  # fmt: skip


def test_a_change_of_very_many_labels_is_refused_before_they_take_numbers(store: Store) -> None:
    costs = [
        ManualCost(category="operating", label=f"row-{number}", amount=1, currency="EUR", effective_from=day("2026-03-01"))
        for number in range(proposals.MOST_NEW_LABELS + 1)
    ]
    with pytest.raises(RuleRefused, match="more than 200 new labels"):
        proposals.propose(store, add=costs, actor="ann@example.com", origin="/", now=NOW)
    assert not Account.objects.exists()
