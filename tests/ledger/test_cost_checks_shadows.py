"""The checks for rules that never count: hidden behind others, or about what no order names."""

import pytest

from ledger.models import (
    BundlePart,
    CogsRule,
    FeeRule,
    Finding,
    ManualCost,
    Partner,
    PartnerCode,
    ShippingRule,
    Store,
    Variant,
)  # fmt: skip
from tests.builders import a_store, an_order, day, write
from tests.ledger.cost_rules import a_shop, check, cogs, cost, enter, make, manual, variant

pytestmark = pytest.mark.django_db


@pytest.fixture
def store() -> Store:
    return a_shop()


def test_a_percentage_behind_costs_of_every_variant_never_counts(store: Store) -> None:
    mug, cup = variant("mug").product, variant("cup").product
    make(store, cogs("30", product=mug), cogs("20", product=cup))
    assert check(store, "overlaps") == []
    make(store, cost("mug", "9.00"), cost("cup", "9.00"))
    of_mug, of_cup = CogsRule.objects.get(product=mug), CogsRule.objects.get(product=cup)
    assert check(store, "overlaps") == [
        (f"Thing cup (product {cup.pk})", None, f"cogsrule/{of_cup.pk}/change/"),
        (f"Thing mug (product {mug.pk})", None, f"cogsrule/{of_mug.pk}/change/"),
    ]
    Variant.objects.create(store=store, product=mug, platform="shop", external_id="mug-2")
    assert [subject for subject, *_ in check(store, "overlaps")] == [f"Thing cup (product {cup.pk})"]


def test_parts_of_a_bundle_with_a_cost_by_hand_never_count(store: Store) -> None:
    make(store, BundlePart(bundle=variant("mug"), component=variant("cup"), effective_from=day("2026-03-10")), cost("cup", "9.00"))
    make(store, cost("mug", "8.00", "2026-03-11"))
    assert check(store, "overlaps") == []
    make(store, cost("mug", "8.00", "2026-03-10"))
    mug, part = variant("mug").pk, BundlePart.objects.get()
    assert check(store, "overlaps") == [(f"Thing mug (variant {mug})", None, f"bundlepart/{part.pk}/change/")]
    make(store, cost("mug", "8.00"))
    assert check(store, "overlaps") == [(f"Thing mug (variant {mug})", None, f"bundlepart/{part.pk}/change/")]


def test_a_fee_rule_that_fits_no_charge_is_dead(store: Store) -> None:
    make(
        store, FeeRule(gateway="stripe", percentage=2), FeeRule(gateway="strippe", percentage=2),
        FeeRule(gateway="stripe", currency="USD", percentage=2), FeeRule(gateway="cash", percentage=2),
        FeeRule(currency="EUR", percentage=2), FeeRule(percentage=2), FeeRule(currency="GBP", percentage=2),
        FeeRule(gateway="gone", percentage=2, effective_to=day("2025-10-02")),
    )  # fmt: skip
    named = {rule.pk: f"{rule.gateway} {rule.currency}" for rule in FeeRule.objects.all()}
    found = check(store, "dead")
    assert sorted(named[int(subject.split()[-1])] for subject, *_ in found) == [" GBP", "cash ", "stripe USD", "strippe "]
    assert {mend for *_, mend in found} <= {f"feerule/{pk}/change/" for pk in named}


@pytest.mark.parametrize(
    ("gateways", "told"), [(["stripe", "klarna"], "Seen were the gateways klarna, stripe."), ([""], "The charges seen name no gateway.")]
)  # fmt: skip
def test_a_dead_fee_rule_tells_which_gateways_were_seen(gateways: list[str], told: str) -> None:
    store = a_store()
    write(store, *(an_order(f"9{number}", gateway=name, when="2026-03-15 12:00") for number, name in enumerate(gateways)))
    make(store, FeeRule(gateway="paypal", percentage=2))
    check(store, "dead")
    assert told in Finding.objects.get(kind="costs_dead", resolved_at=None).message


def parcel(position: int, name: str, **more: object) -> ShippingRule:
    return ShippingRule(position=position, name=name, amount=5, **more)


def dead_parcels(store: Store) -> list[str]:
    check(store, "dead")
    found = Finding.objects.filter(kind="costs_dead", resolved_at=None).order_by("pk").values_list("message", flat=True)
    return [message.removeprefix("The shipping rule ") for message in found]


def test_a_shipping_rule_that_fits_no_order_is_dead(store: Store) -> None:
    make(
        store, parcel(1, "home", countries="DE", most_units=3), parcel(2, "home again", countries="de", most_units=2),
        parcel(3, "heavy", least_units=4), parcel(4, "abroad", countries="FR"),
        parcel(5, "till", channel="pos"), parcel(6, "else"), parcel(7, "last", least_value=100),
        parcel(8, "old", countries="AT", effective_from=day("2020-01-01"), effective_to=day("2020-12-31")),
    )  # fmt: skip
    assert sorted(dead_parcels(store)) == [
        "“abroad” fitted no order of the last 180 days: none went to FR.",
        "“home again” never counts: “home” at position 1 comes first and fits every order that it fits.",
        "“last” never counts: “else” at position 6 comes first and fits every order that it fits.",
        "“old” never counts: “else” at position 6 comes first and fits every order that it fits.",
        "“till” fits no order: the store has no sales channel “pos”.",
    ]


def test_rules_that_differ_in_anything_do_not_hide_each_other(store: Store) -> None:
    make(
        store, parcel(1, "a", effective_from=day("2026-01-01")), parcel(2, "b", channel="online"), parcel(3, "c", method="express"),
        parcel(4, "d", least_grams=1), parcel(5, "e", most_grams=500), parcel(6, "f", most_value=50), parcel(7, "g", most_units=1),
        parcel(8, "h", effective_to=day("2026-12-31")), parcel(9, "i"),
    )  # fmt: skip
    assert dead_parcels(store) == []


def test_a_cost_of_a_channel_that_is_not_there_is_dead(store: Store) -> None:
    enter(store, manual("packing", "1", category="fulfilment", basis="order", channel="pos"))
    row = ManualCost.objects.get()
    assert check(store, "dead") == [(f"manual cost {row.pk}", None, f"manualcost/{row.pk}/change/")]
    write(store, an_order("3", channel="pos"))
    assert check(store, "dead") == []


def test_a_partners_code_that_nobody_used_for_half_a_year_is_dead(store: Store) -> None:
    partner = Partner.objects.create(store=store, name="Ann", kind="influencer")
    make(store, PartnerCode(partner=partner, code="ann10"), now="2025-10-02 09:00")
    make(store, PartnerCode(partner=partner, code="new10"), PartnerCode(partner=partner, code="over", effective_to=day("2026-03-30")))
    row = PartnerCode.objects.get(code="ANN10")
    assert check(store, "dead") == [("code ANN10", None, f"partnercode/{row.pk}/change/")]
    assert check(store, "dead", day("2026-03-29")) == []
