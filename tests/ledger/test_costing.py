"""Which cost a unit has: what a person set for the line, bundles, currencies, and the percentages that lists show."""

from datetime import date

import pytest

from ledger.daily import SHOW_PERCENTAGES
from ledger.kinds import CostOrigin, CostSource
from ledger.models import BundlePart, CogsRule, CostOverride, Order, OrderLine, Product, Store, Variant, VariantCost
from ledger.models.rules import Rule
from ledger.rules.rules import RuleRefused, change, refresh_shown, rules_of
from ledger.rules.undoing import undo
from profitpeek.jobs import queue
from profitpeek.jobs.models import Job
from profitpeek.jobs.running import run
from tests.builders import a_line, a_store, an_order, at, day, ecb, write
from tests.ledger_text import assert_entries

pytestmark = pytest.mark.django_db(transaction=True)

NOW = at("2026-03-20 09:00")


@pytest.fixture
def store() -> Store:
    """Return a store that has sold a gift set, and elsewhere its parts, on the third of March."""
    store = a_store(slug="shop")
    parts = [a_line("1", price="20.00", variant="mug"), a_line("2", price="9.00", variant="cap")]
    write(store, an_order("set", lines=[a_line("1", price="50.00", variant="set")]), an_order("parts", lines=parts))
    return store


def make(store: Store, *add: Rule) -> None:
    """Change rules, and restate the store as the worker would."""
    change(store, add=add, actor="ann@example.com", now=NOW)
    restate()


def restate() -> None:
    """Run the jobs that wait."""
    for job in Job.objects.filter(state="waiting"):
        run(job.pk)


def named(name: str) -> Variant:
    return Variant.objects.get(external_id=name)


def cost(name: str, goods: str, first: str | None = None, *, currency: str = "EUR", origin: CostOrigin = CostOrigin.MANUAL) -> VariantCost:
    return VariantCost(variant=named(name), goods=goods, currency=currency, effective_from=first and day(first), origin=origin)


def part(bundle: str, component: str, quantity: int = 1, first: str | None = None, last: str | None = None) -> BundlePart:
    return BundlePart(
        bundle=named(bundle), component=named(component), quantity=quantity, effective_from=first and day(first), effective_to=last and day(last)
    )


def override(unit_cost: str, *, currency: str = "EUR", order: str = "set") -> CostOverride:
    return CostOverride(order_id=Order.objects.get(external_id=order).pk, line="1", unit_cost=unit_cost, currency=currency)


def line(order: str = "set") -> tuple[str, str, CostSource]:
    """Return the unit cost of an order's first line, its currency and its reason."""
    row = OrderLine.objects.get(order_id=Order.objects.get(external_id=order).pk, external_id="1")
    return "none" if row.unit_cost is None else f"{row.unit_cost:.2f}", row.cost_currency, CostSource(row.cost_source)


def test_a_bundle_costs_what_its_parts_cost_that_day(store: Store) -> None:
    make(store, part("set", "mug", 2), part("set", "cap"), cost("mug", "3.00", "2026-03-01"), cost("cap", "1.50", "2026-03-01"))
    assert line() == ("7.50", "", CostSource.BUNDLE)
    make(store, cost("cap", "2.00", "2026-03-03"), cost("mug", "9.00", "2026-03-04"))
    assert line() == ("8.00", "", CostSource.BUNDLE)
    assert_entries(
        store, "source account amount how\n set cogs:product -8.00 actual\n parts cogs:product -3.00 actual\n parts cogs:product -2.00 actual",
        only=["cogs"], live=True,
    )  # fmt: skip


def test_a_bundle_is_one_only_on_the_days_of_its_parts(store: Store) -> None:
    make(store, cost("mug", "3.00", "2026-03-01"), part("set", "mug", 2, "2026-03-04"))
    assert line() == ("20.00", "", CostSource.DEFAULT_PERCENTAGE)
    make(store, part("set", "mug", 4, None, "2026-03-03"))
    assert line() == ("12.00", "", CostSource.BUNDLE)


def test_a_bundle_goes_after_a_cost_by_hand_and_before_the_platforms(store: Store) -> None:
    make(store, cost("set", "5.00", origin=CostOrigin.PLATFORM), cost("mug", "3.00"), part("set", "mug"))
    assert line() == ("3.00", "", CostSource.BUNDLE)
    make(store, cost("set", "6.00", "2026-03-03"))
    assert line() == ("6.00", "", CostSource.VARIANT_MANUAL)


def test_a_bundle_with_a_part_of_unknown_cost_has_none(store: Store) -> None:
    make(store, cost("mug", "3.00"), part("set", "mug"), part("set", "cap"), CogsRule(percentage=10))
    assert line() == ("5.00", "", CostSource.STORE_PERCENTAGE)
    make(store, cost("cap", "1.00"))
    assert line() == ("4.00", "", CostSource.BUNDLE)


def test_a_bundle_is_estimated_where_the_cost_of_a_part_is_from_later(store: Store) -> None:
    make(store, cost("mug", "3.00"), cost("cap", "1.00", "2026-03-04"), part("set", "mug"), part("set", "cap"))
    assert line() == ("4.00", "", CostSource.BUNDLE_ESTIMATED)
    table = "source amount how\n set -4.00 estimated\n parts -3.00 actual\n parts -1.00 estimated"
    assert_entries(store, table, only=["cogs"], live=True)


def test_parts_in_several_currencies_are_added_up_at_the_rates_of_the_orders_day(store: Store) -> None:
    make(store, cost("mug", "3.00", currency="USD"), cost("cap", "1.00"), part("set", "mug", 2), part("set", "cap"))
    assert line() == ("none", "USD", CostSource.BUNDLE)
    assert_entries(store, "source account\n", only=["cogs"], live=True)
    assert store.book.findings.get(resolved_at=None).subject == "USD"
    ecb(("USD", "2026-03-03", "1.25"))
    make(store, cost("mug", "4.00", "2026-03-04", currency="USD"))
    assert line() == ("5.80", "", CostSource.BUNDLE)
    assert_entries(
        store, "source amount original currency\n set -5.80 . .\n parts -2.40 -3.00 USD\n parts -1.00 . .", only=["cogs"], live=True
    )  # fmt: skip


def test_parts_in_one_currency_are_converted_once(store: Store) -> None:
    ecb(("USD", "2026-03-03", "1.25"))
    make(store, cost("mug", "3.01", currency="USD"), cost("cap", "1.01", currency="USD"), part("set", "mug"), part("set", "cap"))
    assert line() == ("4.02", "USD", CostSource.BUNDLE)
    table = "source amount original currency\n set -3.22 -4.02 USD\n parts -2.41 -3.01 USD\n parts -0.81 -1.01 USD"
    assert_entries(store, table, only=["cogs"], live=True)


def test_a_bundle_within_a_bundle_is_refused(store: Store) -> None:
    make(store, part("set", "mug", 2, None, "2026-03-31"))
    with pytest.raises(RuleRefused, match="“Thing 1” is a bundle itself on some of these days"):
        make(store, part("cap", "set"))
    with pytest.raises(RuleRefused, match="“Thing 1” is part of another bundle on some of these days"):
        make(store, part("mug", "cap"))
    with pytest.raises(RuleRefused, match="“Thing 2” is a bundle itself"):
        make(store, part("cap", "mug", 1, "2026-05-01"), part("set", "cap", 1, "2026-05-01"))
    make(store, part("cap", "set", 1, "2026-04-01"))
    assert BundlePart.objects.filter(removed_by=None).count() == 2


def test_what_is_set_for_a_line_holds_for_it_alone(store: Store) -> None:
    ecb(("USD", "2026-03-03", "1.25"))
    write(store, an_order("other", lines=[a_line("1", price="50.00", variant="set")]))
    make(store, cost("set", "6.00"), override("5.00", currency="USD"))
    assert (line(), line("other")) == (("5.00", "USD", CostSource.OVERRIDE), ("6.00", "", CostSource.VARIANT_MANUAL))
    assert_entries(
        store, "source amount original how\n set -4.00 -5.00 actual\n other -6.00 . actual\n parts -8.00 . estimated\n parts -3.60 . estimated",
        only=["cogs"], live=True,
    )  # fmt: skip


def test_a_stated_cost_is_back_when_the_override_is_undone(store: Store) -> None:
    write(store, an_order("stated", lines=[a_line("1", cost="7.00")]))
    made = change(store, add=[override("5.00", order="stated")], actor="ann@example.com", now=NOW)
    restate()
    assert line("stated") == ("5.00", "", CostSource.OVERRIDE)
    undo(made, actor="ann@example.com", now=NOW)
    restate()
    assert line("stated") == ("7.00", "", CostSource.STATED)


def shown(store: Store) -> tuple[str, ...]:
    """Return the percentages lists show: the store's, then its products' by name."""
    store.refresh_from_db()
    products = Product.objects.filter(store=store).order_by("external_id").values_list("cogs_percentage", flat=True)
    return tuple("." if share is None else f"{share.normalize():f}" for share in (store.cogs_percentage, *products))


def test_lists_show_the_percentages_that_hold_today(store: Store) -> None:
    product = named("mug").product
    write(a_store(slug="other"), an_order("1", lines=[a_line("1", variant="mug")]))
    make(store, CogsRule(percentage=30), CogsRule(percentage=20, product=product, effective_from=date(2026, 3, 21)))
    assert shown(store) == ("30", ".", ".", ".")
    refresh_shown(store, date(2026, 3, 21))
    assert shown(store) == ("30", ".", "20", ".")
    make(store, CogsRule(percentage="12.5", product=product, effective_from=date(2026, 3, 20), effective_to=date(2026, 3, 20)))
    assert shown(store) == ("30", ".", "12.5", ".")
    assert shown(Store.objects.get(slug="other")) == (".", ".")
    (rule,) = [rule for rule in rules_of(store.cost_changes.earliest("pk"))[0] if rule.product_id is None]
    change(store, remove=[rule], actor="ann@example.com", now=NOW)
    assert shown(store) == (".", ".", "12.5", ".")


def test_lists_follow_the_turn_of_the_day(store: Store) -> None:
    make(store, CogsRule(percentage=30), CogsRule(percentage=20, product=named("mug").product))
    Store.objects.update(cogs_percentage=40)
    Product.objects.update(cogs_percentage=40)
    run(queue.submit(SHOW_PERCENTAGES))
    assert shown(store) == ("30", ".", "20", ".")
