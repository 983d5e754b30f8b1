"""The checks of cost rules: each fires on what is likely wrong, says where to mend it, and is silent about healthy rules."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest

from ledger.cost_checks.found import Found, load_case
from ledger.cost_checks.run import CHECKS, check_costs, foremost
from ledger.costs.seen import count_seen
from ledger.kinds import ChargeKind
from ledger.models import (
    BundlePart,
    CogsRule,
    FeeRule,
    Finding,
    ManualCost,
    Order,
    OrderCharge,
    Partner,
    PartnerCode,
    ShippingRule,
    Store,
)  # fmt: skip
from ledger.rules.rules import change
from ledger.tasks import CHECK_COSTS_NIGHTLY
from profitpeek.jobs import queue
from profitpeek.jobs.models import Job
from profitpeek.jobs.running import run
from tests.builders import a_cost, a_line, a_refund, a_store, an_order, day, ecb, write
from tests.ledger.cost_rules import NOW, TODAY, a_shop, check, cogs, cost, enter, make, manual, variant
from tests.ledger.test_spending import spent, tell

pytestmark = pytest.mark.django_db


@pytest.fixture
def store() -> Store:
    return a_shop()


def test_ad_spend_that_is_entered_by_hand_and_told_as_well_is_found() -> None:
    store = a_store()
    enter(store, manual("google-ads", "500", "2026-01-01", category="marketing"), manual("meta-ads", "500", "2026-01-01", category="marketing"))
    tell(store, spent("12.00", platform="google_ads"), spent("1.00", platform="google_ads", when="2026-03-05"))
    cost = ManualCost.objects.get(label="google-ads")
    assert check(store, "twice") == [(f"manual cost {cost.pk} as ad spend", "500.00", f"manualcost/{cost.pk}/change/")]
    finding = Finding.objects.get(kind="costs_twice", resolved_at=None)
    assert "of 3 Mar 2026 to 5 Mar 2026 google ads tells itself what was spent" in finding.message


def test_a_store_without_rules_has_nothing_to_mend(store: Store) -> None:
    found = check_costs(store, today=TODAY, now=NOW)
    assert found == {name: [] for name in CHECKS}
    assert not Finding.objects.exists()
    empty = a_store()
    assert check_costs(empty, today=TODAY, now=NOW) == {name: [] for name in CHECKS}


def test_days_with_sales_between_two_rules_are_a_gap(store: Store) -> None:
    mug = variant("mug").product
    make(store, cogs("30", None, "2026-03-02"), cogs("35", "2026-03-04"), cogs("20", None, "2026-03-19", mug), cogs("25", "2026-03-21", None, mug))
    make(store, FeeRule(gateway="stripe", percentage=2, effective_to=day("2026-03-02")))
    make(store, FeeRule(gateway="stripe", percentage=2, effective_from=day("2026-03-31")))
    query = f"store={store.pk}"
    assert check(store, "gaps") == [
        (
            "Fees of stripe, 3 Mar 2026 to 30 Mar 2026",
            "200.00",
            f"feerule/add/?{query}&gateway=stripe&currency=&effective_from=2026-03-03&effective_to=2026-03-30",
        ),
        ("COGS % of the store, 3 Mar 2026", "100.00", f"cogsrule/add/?{query}&effective_from=2026-03-03&effective_to=2026-03-03"),
        ("COGS % of Thing mug, 20 Mar 2026", "50.00", f"cogsrule/add/?{query}&product={mug.pk}&effective_from=2026-03-20&effective_to=2026-03-20"),
    ]  # fmt: skip
    make(store, cogs("33", "2026-03-03", "2026-03-03"))
    assert [subject for subject, *_ in check(store, "gaps")][1:] == ["COGS % of Thing mug, 20 Mar 2026"]


def test_shipping_and_bundles_have_gaps_too(store: Store) -> None:
    ends, begins = {"effective_to": day("2026-03-02")}, {"effective_from": day("2026-03-04")}
    make(store, ShippingRule(position=1, name="post", amount=4, **ends), ShippingRule(position=1, name="post", amount=5, **begins))
    make(
        store,
        BundlePart(bundle=variant("mug"), component=variant("cup"), **ends),
        BundlePart(bundle=variant("mug"), component=variant("cup"), **begins),
    )
    assert [(subject, money) for subject, money, _ in check(store, "gaps")] == [
        ("Shipping at position 1, 3 Mar 2026", "100.00"), ("Thing cup in Thing mug, 3 Mar 2026", "50.00"),
    ]  # fmt: skip


def test_days_without_sales_between_two_rules_are_no_gap_nor_is_the_end_of_the_last_rule(store: Store) -> None:
    make(store, cogs("30", None, "2026-03-09"), cogs("35", "2026-03-15", "2026-03-19"))
    assert check(store, "gaps") == []


def test_a_flat_rate_beside_labels_counts_shipping_twice(store: Store) -> None:
    enter(store, manual("packing", "1", category="fulfilment", basis="order"))
    assert check(store, "twice") == []
    write(store, an_order("3", costs=[a_cost(20, "-3.00")]))
    row = ManualCost.objects.get()
    assert check(store, "twice") == [(f"manual cost {row.pk}", None, f"manualcost/{row.pk}/change/")]


def test_a_label_from_the_platform_and_from_a_file_counts_twice(store: Store) -> None:
    write(store, an_order("3", costs=[a_cost(20, "-3.00")]), an_order("4"))
    for number in ("3", "4"):
        OrderCharge.objects.create(
            store=store, kind=ChargeKind.LABEL, order_ref=number, order_id=Order.objects.get(external_id=number).pk, reference="t", amount=3,
            currency="EUR", cause_ref="file:1", added_at=NOW, removed_at=None if number == "3" else NOW,
        )  # fmt: skip
    assert check(store, "twice") == [("labels", None, "ordercharge/")]
    OrderCharge.objects.update(removed_at=NOW)
    assert check(store, "twice") == []


def test_a_plan_entered_twice_and_a_subscription_entered_twice_are_found(store: Store) -> None:
    enter(store, manual("shopify-plan", "39"), manual("shopify-plan", "105"), manual("apps", "20"), manual("apps", "20", last="2026-02-28"))
    enter(store, manual("apps", "30"), manual("apps", "20", "2025-01-01", "2025-12-31"), manual("rent", "20"))
    rows = list(ManualCost.objects.filter(removed_by=None).order_by("pk"))
    assert check(store, "twice") == [
        (f"manual costs {rows[0].pk} and {rows[1].pk}", "105.00", f"manualcost/{rows[1].pk}/change/"),
        (f"manual costs {rows[2].pk} and {rows[3].pk}", "20.00", f"manualcost/{rows[3].pk}/change/"),
    ]


def test_an_invoice_beside_the_subscription_it_is_of_is_found(store: Store) -> None:
    once = {"basis": "once"}
    enter(
        store,
        manual("apps", "99", "2026-02-15"),
        manual("apps", "99", "2026-02-03", "2026-02-03", **once),
        manual("apps", "98", "2026-02-20", **once),
    )
    enter(store, manual("apps", "99", "2026-01-20", "2026-01-20", **once))
    rows = list(ManualCost.objects.filter(removed_by=None).order_by("pk"))
    assert check(store, "twice") == [(f"manual costs {rows[0].pk} and {rows[1].pk}", "99.00", f"manualcost/{rows[1].pk}/change/")]


def test_a_unit_cost_at_or_above_the_list_price_is_found(store: Store) -> None:
    ecb(*(("USD", on, "1.25") for on in ("2026-03-03", "2026-03-20", "2026-03-31")))
    make(store, cost("mug", "50.00"), cost("cup", "62.00", currency="USD"))
    mug = variant("mug").pk
    page = f"variantcost/add/?store={store.pk}&variant={mug}"
    assert check(store, "above_price") == [(f"SKU-mug (variant {mug})", "0.00", page)]
    make(store, cost("mug", "60.00", "2026-03-10"), cost("cup", "62.50", currency="USD"))
    cup = variant("cup").pk
    assert check(store, "above_price") == [
        (f"SKU-mug (variant {mug})", "20.00", page),
        (f"SKU-cup (variant {cup})", "0.00", f"variantcost/add/?store={store.pk}&variant={cup}"),
    ]
    make(store, cost("mug", "70.00", "2026-04-01"), cost("mug", "49.99", "2026-03-31"))
    assert [subject for subject, *_ in check(store, "above_price")] == [f"SKU-cup (variant {cup})"]


def test_a_bundle_whose_parts_cost_more_than_it_sells_for_is_found(store: Store) -> None:
    make(store, BundlePart(bundle=variant("mug"), component=variant("cup"), quantity=3), cost("cup", "20.00"))
    mug = variant("mug").pk
    assert check(store, "above_price") == [(f"SKU-mug (variant {mug})", "20.00", f"variantcost/add/?store={store.pk}&variant={mug}")]
    make(store, CogsRule(percentage=100), cost("cup", "16.00"))
    assert check(store, "above_price") == []


def test_a_unit_cost_that_jumps_by_more_than_thirty_per_cent_is_found(store: Store) -> None:
    ecb(("USD", "2026-03-03", "1.25"), ("USD", "2026-03-20", "1.25"))
    make(store, cost("mug", "10.00"), cost("mug", "13.00", "2026-03-01"), cost("mug", "17.00", "2026-03-10"), cost("mug", "1.70", "2026-04-10"))
    make(store, cost("cup", "10.00"), cost("cup", "99.00", "2025-12-31"), cost("cup", "1.00", "2026-03-01", currency="USD"))
    mug = variant("mug").pk
    page = f"variantcost/add/?store={store.pk}&variant={mug}&effective_from="
    assert check(store, "jumps") == [
        (f"SKU-mug (variant {mug}), 2026-04-10", "30.60", f"{page}2026-04-10"), (f"SKU-mug (variant {mug}), 2026-03-10", "8.00", f"{page}2026-03-10"),
    ]  # fmt: skip
    assert "from 13 to 17 EUR on 10 Mar 2026, by +31 %" in Finding.objects.get(subject__endswith="2026-03-10").message


def test_what_sold_at_no_cost_is_found_and_a_sale_that_came_back_whole_is_not(store: Store) -> None:
    write(store, an_order("3", lines=[a_line("pot", price="50.00")], then=[a_refund(line="pot", restocked=True)]))
    make(store, cost("mug", "0.00"), cogs("0", product=variant("cup").product))
    page = f"variantcost/add/?store={store.pk}&variant="
    mug, cup = variant("mug").pk, variant("cup").pk
    assert check(store, "zero") == [
        (f"SKU-cup (variant {cup})", "100.00", f"{page}{cup}"), (f"SKU-mug (variant {mug})", "100.00", f"{page}{mug}"),
    ]  # fmt: skip
    make(store, cost("mug", "0.01"), cogs("1", product=variant("cup").product))
    assert check(store, "zero") == []


def test_costs_that_end_within_thirty_days_are_told_unless_another_follows(store: Store) -> None:
    enter(
        store, manual("rent", last="2026-04-30"), manual("late", last="2026-05-01"), manual("over", last="2026-03-30"), manual("open"),
        manual("insurance", "900", "2025-05-01", "2026-04-15", basis="once"), manual("party", "900", "2026-04-01", "2026-04-15", basis="once"),
        manual("apps", last="2026-04-10"), manual("apps", "120", "2026-04-11"),
    )  # fmt: skip
    rows = {row.label: row.pk for row in ManualCost.objects.filter(label__in=["rent", "insurance"], removed_by=None)}
    query = f"manualcost/add/?store={store.pk}&category=operating"
    assert check(store, "ends_soon") == [
        (f"operating:insurance {rows['insurance']}", None, f"{query}&label=insurance&basis=once&amount=900&currency=EUR&effective_from=2026-04-16"),
        (f"operating:rent {rows['rent']}", None, f"{query}&label=rent&basis=month&amount=100&currency=EUR&effective_from=2026-05-01"),
    ]
    assert {finding.severity for finding in Finding.objects.filter(kind="costs_ends_soon")} == {"info"}


def test_a_bundle_needs_a_cost_of_each_part_in_one_currency(store: Store) -> None:
    write(store, an_order("3", lines=[a_line("set", price="80.00")]))
    parts = [BundlePart(bundle=variant("set"), component=variant(key)) for key in ("mug", "cup")]
    make(store, *parts, cost("mug", "9.00"))
    bundle, mug, cup = (variant(key).pk for key in ("set", "mug", "cup"))
    subject = f"Thing set (variant {bundle})"
    assert check(store, "bundles") == [(subject, "80.00", f"variantcost/add/?store={store.pk}&variant={cup}")]
    ecb(("USD", "2026-03-03", "1.25"), ("USD", "2026-03-20", "1.25"))
    make(store, cost("cup", "9.00", currency="USD"))
    assert check(store, "bundles") == [(subject, None, f"variantcost/?variant__id__exact={mug}")]
    assert Finding.objects.get(kind="costs_bundles", resolved_at=None).severity == "info"
    make(store, cost("cup", "9.00"))
    assert check(store, "bundles") == []


def test_a_commission_needs_a_code_of_its_partner(store: Store) -> None:
    partner = Partner.objects.create(store=store, name="Ann", kind="influencer")
    enter(store, manual("ann", None, None, category="marketing", basis="revenue", percentage=10, partner=partner))
    row = ManualCost.objects.get()
    assert check(store, "commissions") == [(f"Ann, manual cost {row.pk}", None, f"partnercode/add/?store={store.pk}&partner={partner.pk}")]
    make(store, PartnerCode(partner=partner, code="ANN10", effective_from=day("2026-06-01")))
    assert check(store, "commissions") == []


def test_at_most_fifty_are_listed_and_the_last_says_how_many_more() -> None:
    found = [Found(f"thing {number}", "wrong", money=Decimal(number)) for number in range(60)]
    listed = foremost(found)
    assert [one.subject for one in listed[:2]] == ["thing 59", "thing 58"]
    assert (len(listed), listed[-2].subject, listed[-1].subject) == (50, "thing 11", "and more")
    assert listed[-1].message.startswith("11 more like these")
    assert len(foremost(found[:50])) == 50
    assert foremost(found[:50])[-1].subject == "thing 0"


def test_checks_ask_the_same_questions_however_much_there_is(store: Store, django_assert_num_queries: Callable[..., object]) -> None:
    for count in (1, 15):
        lines = [a_line(f"{count}-{number}", price="1.00") for number in range(count)]
        write(store, an_order(f"more {count}", lines=lines))
        bundles = [BundlePart(bundle=variant(f"{count}-{number}"), component=variant("cup")) for number in range(count)]
        costs = [cost(f"{count}-{number}", "9.00", "2026-03-04") for number in range(count)]
        ends, begins = [{"effective_to": day("2026-03-02")}, {"effective_from": day("2026-03-04")}]
        gaps = [FeeRule(gateway=f"{count}-{number}", percentage=1, **span) for number in range(count) for span in (ends, begins)]
        make(store, *bundles, *costs, *gaps, *(cogs("5", product=variant(f"{count}-{number}").product) for number in range(count)))
        count_seen(store, today=TODAY, now=NOW)
        with django_assert_num_queries(18):  # type: ignore[attr-defined]
            case = load_case(store, today=TODAY)
            found = {name: len(check(case)) for name, check in CHECKS.items()}
    assert (found["gaps"], found["overlaps"], found["dead"], found["above_price"]) == (16, 16, 32, 16)


def test_a_finding_is_resolved_when_its_cause_is_gone_and_keeps_its_first_day_until_then(store: Store) -> None:
    make(store, cost("mug", "0.00"))
    check_costs(store, today=TODAY, now=NOW)
    later = NOW + timedelta(days=1)
    check_costs(store, today=TODAY, now=later)
    finding = Finding.objects.get(kind="costs_zero")
    assert (finding.first_seen_at, finding.last_seen_at, finding.resolved_at) == (NOW, later, None)
    make(store, cost("mug", "5.00"))
    check_costs(store, today=TODAY, now=later)
    finding.refresh_from_db()
    assert finding.resolved_at == later


@pytest.mark.django_db(transaction=True)
def test_costs_are_checked_by_night_and_after_restating() -> None:
    store = a_store()
    a_store()
    run(queue.submit(CHECK_COSTS_NIGHTLY))
    assert Job.objects.filter(kind="check-costs", state="waiting").count() == 2
    for job in Job.objects.filter(kind="check-costs"):
        run(job.pk)
    assert set(Job.objects.filter(kind="check-costs").values_list("state", flat=True)) == {"done"}
    change(store, add=[cogs("30")], actor="ann@example.com", now=NOW)
    run(Job.objects.get(kind="repost").pk)
    assert Job.objects.filter(kind="check-costs", state="waiting", parameters={"store": store.pk}).count() == 1


def test_a_cost_of_days_is_checked_once_it_is_set(store: Store) -> None:
    change(store, add=[manual("app", "99"), manual("app", "99", "2026-02-01")], actor="ann@example.com", now=NOW)
    run(Job.objects.get(state="waiting").pk)
    assert list(Finding.objects.filter(kind="costs_twice", resolved_at=None).values_list("message", flat=True)) == [
        "“operating:app: 99 EUR every month” and “operating:app: 99 EUR every month” hold on the same days. Was it entered twice?"
    ]
