"""Coverage: how much of what was sold rests on known costs, on rules, on defaults; and what to fix next."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from ledger.book.reposting import repost
from ledger.cause import Cause
from ledger.costs.coverage import Coverage, Covered, coverage, covered, last_days
from ledger.costs.fixes import fixes
from ledger.costs.seen import count_seen
from ledger.kinds import CauseKind, PaymentKind, PaymentStatus
from ledger.models import BundlePart, CogsRule, FeeRule, Seen, ShippingRule, Store, Variant, VariantCost
from ledger.models.rules import Rule
from ledger.periods import Period
from ledger.rules.rules import change
from tests.builders import a_cost, a_line, a_payment, a_refund, a_store, an_order, at, day, ecb, write

pytestmark = pytest.mark.django_db

NOW = at("2026-03-31 09:00")
MARCH = Period(day("2026-03-01"), day("2026-03-31"))


def told(part: Covered) -> dict[str, tuple[str, str]]:
    """Return what is not zero, by source: amount and share."""
    return {one.key: (f"{one.amount:.2f}", f"{one.share}") for one in part.parts if one.amount}


def goods(store: Store, first: str = "2026-03-01", last: str = "2026-03-31") -> dict[str, tuple[str, str]]:
    return told(coverage(store, Period(day(first), day(last))).goods)


def make(store: Store, *add: Rule) -> None:
    """Change rules, and restate."""
    change(store, add=add, actor="ann@example.com", now=NOW)
    repost(store, cause=Cause(CauseKind.RULE, "test"))


def variant(key: str) -> Variant:
    return Variant.objects.get(external_id=key)


def cost(key: str, goods: str, first: str | None = None) -> VariantCost:
    return VariantCost(variant=variant(key), goods=goods, currency="EUR", effective_from=first and day(first))


@pytest.fixture
def store() -> Store:
    """Return a store that sold three things on the third and the twentieth of March, 100.00 in all of each."""
    store = a_store()
    lines = [a_line(key, price="50.00") for key in ("mug", "cup", "pot")]
    write(store, an_order("1", lines=lines), an_order("2", lines=lines, when="2026-03-20 12:00"))
    return store


def test_nothing_known_is_covered_by_default(store: Store) -> None:
    assert goods(store) == {"default": ("300.00", "1")}


def test_a_known_cost_is_actual_from_its_day_and_an_estimate_before(store: Store) -> None:
    make(store, cost("vmug", "20.00", "2026-03-10"))
    assert goods(store) == {"actual": ("50.00", "0.167"), "rule": ("50.00", "0.167"), "default": ("200.00", "0.666")}


def test_percentages_of_product_and_store_are_rules_on_their_days(store: Store) -> None:
    make(store, CogsRule(product=variant("vcup").product, percentage=30, effective_to=day("2026-03-10")))
    assert goods(store) == {"rule": ("50.00", "0.167"), "default": ("250.00", "0.833")}
    make(store, CogsRule(percentage=35, effective_from=day("2026-03-20")))
    assert goods(store) == {"rule": ("200.00", "0.667"), "default": ("100.00", "0.333")}


def test_a_cost_stated_with_the_order_is_actual_whatever_the_rules_say(store: Store) -> None:
    write(store, an_order("3", lines=[a_line("mug", price="100.00", cost="12.00")], when="2026-03-04 12:00"))
    assert goods(store) == {"actual": ("100.00", "0.25"), "default": ("300.00", "0.75")}


def test_a_stated_cost_and_a_guess_on_one_day_part_that_day_by_their_cogs() -> None:
    store = a_store()
    write(store, an_order("1", lines=[a_line("mug", price="50.00", cost="30.00")]), an_order("2", lines=[a_line("mug", price="50.00")]))
    assert goods(store) == {"actual": ("60.00", "0.6"), "default": ("40.00", "0.4")}


def test_a_known_cost_of_nothing_is_actual_and_a_percentage_of_nothing_is_a_rule(store: Store) -> None:
    make(store, cost("vmug", "0.00"), CogsRule(product=variant("vcup").product, percentage=0))
    assert goods(store) == {"actual": ("100.00", "0.334"), "rule": ("100.00", "0.333"), "default": ("100.00", "0.333")}


def test_returns_count_on_the_day_of_the_order_they_come_from(store: Store) -> None:
    write(store, an_order("4", lines=[a_line("mug", price="50.00")], when="2026-02-27 12:00", then=[a_refund("20.00", line="mug", quantity=0)]))
    assert goods(store, "2026-02-01", "2026-02-28") == {"default": ("30.00", "1")}
    assert goods(store) == {"default": ("300.00", "1")}


def test_a_line_that_is_no_product_of_the_catalogue_is_covered_by_the_stores_percentage() -> None:
    store = a_store()
    write(store, an_order("1", lines=[a_line("mug", price="60.00"), a_line("engraving", price="40.00", variant=None)]))
    make(store, cost("vmug", "20.00"))
    assert goods(store) == {"actual": ("60.00", "0.6"), "default": ("40.00", "0.4")}
    make(store, CogsRule(percentage=5))
    assert goods(store) == {"actual": ("60.00", "0.6"), "rule": ("40.00", "0.4")}


def test_goodwill_rests_on_no_cost(store: Store) -> None:
    write(store, an_order("5", lines=[a_line("mug", price="50.00")], then=[a_refund("10.00", line=None)]))
    assert goods(store) == {"default": ("350.00", "1")}


def test_a_span_without_sales_has_no_shares(store: Store) -> None:
    found = coverage(store, Period(day("2026-01-01"), day("2026-01-31")))
    assert [part.share for part in (*found.goods.parts, *found.fees.parts, *found.shipping.parts)] == [None] * 11


@pytest.mark.parametrize(
    ("amounts", "shares"),
    [
        (("1", "1", "1"), ("0.334", "0.333", "0.333")), (("2", "1", "0"), ("0.667", "0.333", "0")), (("0.0001", "0", "9999"), ("0", "0", "1")),
        (("-5", "5", "15"), ("0", "0.25", "0.75")), (("0", "0", "0"), (None, None, None)),
    ],
)  # fmt: skip
def test_shares_add_up_to_exactly_one(amounts: tuple[str, ...], shares: tuple[str | None, ...]) -> None:
    found = covered({key: Decimal(text) for key, text in zip("abc", amounts, strict=True)})
    assert [part.share for part in found.parts] == [None if text is None else Decimal(text) for text in shares]
    assert sum(part.share or 0 for part in found.parts) == (0 if shares[0] is None else 1)


def fees(store: Store) -> dict[str, tuple[str, str]]:
    return told(coverage(store, MARCH).fees)


def test_fees_are_stated_by_the_processor_by_a_rule_or_by_default() -> None:
    store = a_store()
    write(store, an_order("1", fee="1.25"), an_order("2", gateway="paypal"))
    assert fees(store) == {"actual": ("1.25", "0.417"), "default": ("1.75", "0.583")}
    make(store, FeeRule(gateway="paypal", percentage="5"))
    assert fees(store) == {"actual": ("1.25", "0.333"), "either": ("2.50", "0.667")}
    make(store, FeeRule(percentage="1", effective_from=day("2026-03-03"), effective_to=day("2026-03-03")))
    assert fees(store) == {"actual": ("1.25", "0.333"), "rule": ("2.50", "0.667")}


def shipping(store: Store) -> dict[str, tuple[str, str]]:
    return told(coverage(store, MARCH).shipping)


def test_shipping_is_a_label_a_rule_or_the_default() -> None:
    store = a_store()
    write(store, an_order("1", shipping="5.00"), an_order("2", shipping="4.00", costs=[a_cost(20, "-3.00")]))
    assert shipping(store) == {"actual": ("3.00", "0.375"), "default": ("5.00", "0.625")}
    make(store, ShippingRule(position=1, name="abroad", countries="FR", amount=9))
    assert shipping(store) == {"actual": ("3.00", "0.375"), "either": ("5.00", "0.625")}
    make(store, ShippingRule(position=2, name="every parcel", amount=6))
    assert shipping(store) == {"actual": ("3.00", "0.333"), "rule": ("6.00", "0.667")}


def test_products_without_a_cost_are_listed_by_revenue_with_the_cogs_that_is_guessed(store: Store) -> None:
    write(store, an_order("3", lines=[a_line("pot", price="40.00")]))
    make(store, cost("vmug", "20.00", "2026-03-10"), CogsRule(product=variant("vcup").product, percentage=30))
    found = coverage(store, MARCH).uncosted
    assert [(one.title, list(one.skus.values()), f"{one.revenue:.2f}", f"{one.cogs:.2f}", one.by_default) for one in found] == [
        ("Thing pot", ["SKU-pot"], "140.00", "56.00", True), ("Thing cup", ["SKU-cup"], "100.00", "30.00", False),
    ]  # fmt: skip


def test_a_bundle_of_known_parts_is_no_product_to_fix(store: Store) -> None:
    make(store, cost("vmug", "20.00"), cost("vcup", "5.00"), BundlePart(bundle=variant("vpot"), component=variant("vmug")))
    assert goods(store) == {"actual": ("300.00", "1")}
    assert coverage(store, MARCH).uncosted == []


def test_variants_of_one_product_are_one_thing_to_fix(store: Store) -> None:
    Variant.objects.filter(external_id="vcup").update(product=variant("vmug").product)
    count_seen(store, today=day("2026-03-31"), now=NOW)
    fix = fixes(store, today=day("2026-03-31"))[0]
    assert (fix.what, f"{fix.at_stake:.2f}", fix.mend) == (
        "Thing mug: 2 variants", "80.00", f"variantcost/add/?store={store.pk}&variant={variant('vcup').pk}",
    )  # fmt: skip
    make(store, cost("vcup", "5.00"))
    assert "Thing mug (SKU-mug)" in {fix.what for fix in fixes(store, today=day("2026-03-31"))}


def test_what_to_fix_next_is_ordered_by_the_money_that_is_guessed(store: Store) -> None:
    ecb(("USD", "2026-03-03", "1.25"))
    write(
        store, an_order("3", lines=[a_line("cup", price="200.00")], gateway="PayPal"), an_order("4", currency="USD", gateway="paypal"),
        an_order("5", lines=[a_line("cup", price="50.00")], gateway="cash", shipping="7.00"), an_order("6", test=True, gateway="nowhere"),
    )  # fmt: skip
    count_seen(store, today=day("2026-03-31"), now=NOW)
    found = fixes(store, today=day("2026-03-31"))
    prefill = f"store={store.pk}"
    assert [(fix.what, fix.at_stake and f"{fix.at_stake:.2f}", fix.mend) for fix in found] == [
        ("Thing cup (SKU-cup)", "140.00", f"variantcost/add/?{prefill}&variant={variant('vcup').pk}"),
        ("Thing mug (SKU-mug)", "40.00", f"variantcost/add/?{prefill}&variant={variant('vmug').pk}"),
        ("Thing pot (SKU-pot)", "40.00", f"variantcost/add/?{prefill}&variant={variant('vpot').pk}"),
        ("Thing 1 (SKU-1)", "16.00", f"variantcost/add/?{prefill}&variant={variant('v1').pk}"),
        ("Fees of stripe", "9.30", f"feerule/add/?{prefill}&gateway=stripe"),
        ("5 orders shipped without a label's cost", "7.00", f"shippingrule/add/?{prefill}"),
        ("Fees of paypal", "6.10", f"feerule/add/?{prefill}&gateway=paypal"),
        ("Fees of paypal in USD", "1.46", f"feerule/add/?{prefill}&gateway=paypal"),
    ]
    make(store, FeeRule(gateway="paypal", percentage=3))
    assert [fix.what for fix in fixes(store, today=day("2026-03-31"), most=5)][4:] == ["Fees of stripe"]


def test_orders_shipped_for_nothing_are_not_known_to_cost_nothing() -> None:
    store = a_store()
    write(store, an_order("1", lines=[a_line("mug", cost="9.00")], fee="1.00"))
    count_seen(store, today=day("2026-03-31"), now=NOW)
    (fix,) = fixes(store, today=day("2026-03-31"))
    assert (fix.what, fix.why, fix.at_stake) == (
        "1 order shipped without a label's cost", "no label is known; they count as shipped for nothing", None,
    )  # fmt: skip


def seen(store: Store) -> list[tuple[str, str, str, int, str | None, str]]:
    rows = Seen.objects.filter(store=store).order_by("kind", "name", "currency")
    return [(row.kind, row.name, row.currency, row.count, None if row.amount is None else f"{row.amount:.2f}", str(row.last_day)) for row in rows]


def test_what_orders_name_is_counted_for_ninety_days_and_known_for_a_hundred_and_eighty() -> None:
    store = a_store()
    refund = a_payment("10.00", external_id="r", kind=PaymentKind.REFUND)
    failed = a_payment("10.00", external_id="f", gateway="failed", status=PaymentStatus.FAILURE)
    write(
        store, an_order("1", when="2026-03-31 12:00", payments=[a_payment("50.00", when="2026-03-31 12:00"), refund, failed]),
        an_order("2", when="2026-01-01 12:00", country="FR", costs=[a_cost(20, "-3.00")]), an_order("3", when="2025-12-31 12:00"),
        an_order("4", when="2025-10-03 12:00", gateway="paypal", fee="1.00", shipped=False), an_order("5", when="2025-10-02 12:00", gateway="old"),
        an_order("6", currency="USD", gateway="held"),
    )  # fmt: skip
    count_seen(store, today=day("2026-03-31"), now=NOW)
    assert seen(store) == [
        ("country", "DE", "", 2, None, "2026-03-31"),
        ("country", "FR", "", 1, None, "2026-01-01"),
        ("gateway", "paypal", "EUR", 0, "0.00", "2025-10-03"),
        ("gateway", "stripe", "EUR", 2, "100.00", "2026-03-31"),
        ("labelled", "", "", 1, None, "2026-01-01"),
        ("unlabelled", "", "", 1, "0.00", "2026-03-31"),
    ]
    count_seen(store, today=day("2026-09-26"), now=NOW)
    assert seen(store) == [
        ("country", "DE", "", 0, None, "2026-03-31"), ("gateway", "stripe", "EUR", 0, "0.00", "2026-03-31"),
        ("unlabelled", "", "", 0, None, "2026-03-31"),
    ]  # fmt: skip


def test_coverage_and_fixes_ask_few_questions_however_much_was_sold(store: Store, django_assert_num_queries: Callable[..., object]) -> None:
    count_seen(store, today=day("2026-03-31"), now=NOW)
    found: list[Coverage] = []
    for _ in range(2):
        with django_assert_num_queries(11):  # type: ignore[attr-defined]
            found.append(coverage(store, last_days(day("2026-03-31"), 90)))
        with django_assert_num_queries(3):  # type: ignore[attr-defined]
            fixes(store, today=day("2026-03-31"), products=found[-1].uncosted)
        write(store, *(an_order(f"more {number}", lines=[a_line(f"thing {number}")]) for number in range(20)))
        count_seen(store, today=day("2026-03-31"), now=NOW)
