"""Dated cost rules: which one holds on a day, how they change, and how a change is undone."""

from datetime import datetime

import pytest
from django.db import IntegrityError, transaction

from ledger.kinds import CostOrigin, CostSource
from ledger.models import CogsRule, CostChange, FeeRule, OrderLine, Product, ShippingRule, Store, Variant, VariantCost
from ledger.models.rules import Rule
from ledger.rules import rules
from ledger.rules.rules import RuleRefused, change
from ledger.rules.undoing import undo
from profitpeek.jobs.models import Job
from profitpeek.jobs.running import run
from tests.builders import a_line, a_refund, a_store, an_order, at, book_of, day, ecb, write
from tests.ledger_text import assert_entries, entry_rows

pytestmark = pytest.mark.django_db(transaction=True)

NOW = at("2026-03-20 09:00")


@pytest.fixture
def store() -> Store:
    """Return a store that has sold a mug on the third of March."""
    store = a_store(slug="shop")
    write(store, an_order("1", lines=[a_line("1", price="50.00", variant="mug")]))
    return store


def make(store: Store, *add: Rule, remove: tuple[Rule, ...] = (), now: datetime = NOW) -> CostChange:
    """Change rules, and restate the store as the worker would."""
    made = change(store, add=add, remove=remove, actor="ann@example.com", reason="because", now=now)
    restate()
    return made


def restate() -> None:
    """Run the jobs that wait."""
    for job in Job.objects.filter(state="waiting"):
        run(job.pk)


def cogs(percentage: str, first: str | None = None, last: str | None = None, *, product: Product | None = None) -> CogsRule:
    return CogsRule(percentage=percentage, product=product, effective_from=first and day(first), effective_to=last and day(last))


def cost(goods: str, first: str | None = None, *, currency: str = "EUR", origin: CostOrigin = CostOrigin.MANUAL, **parts: str) -> VariantCost:
    return VariantCost(variant=Variant.objects.get(), goods=goods, currency=currency, effective_from=first and day(first), origin=origin, **parts)


def line() -> tuple[str, str, CostSource]:
    """Return the only line's unit cost, its currency and its reason."""
    row = OrderLine.objects.get()
    return f"{row.unit_cost:.2f}", row.cost_currency, CostSource(row.cost_source)


def standing(kind: type[Rule]) -> list[tuple[str, str, str]]:
    """Return the standing rules: what, from, through."""
    rows = kind._default_manager.filter(removed_by=None).order_by("effective_from")
    return [(str(row).split(" for ")[0], str(row.effective_from or ""), str(row.effective_to or "")) for row in rows]


def test_a_rule_holds_from_its_first_day_through_its_last(store: Store) -> None:
    make(store, cogs("35", "2026-03-03", "2026-03-03"))
    assert line() == ("17.50", "", CostSource.STORE_PERCENTAGE)
    make(store, cogs("10", "2026-03-04"))
    assert line() == ("17.50", "", CostSource.STORE_PERCENTAGE)
    make(store, cogs("90", None, "2026-03-02"))
    assert line() == ("17.50", "", CostSource.STORE_PERCENTAGE)


def test_the_more_certain_source_wins(store: Store) -> None:
    product = Product.objects.get()
    assert line() == ("20.00", "", CostSource.DEFAULT_PERCENTAGE)
    steps = [
        (cogs("30"), ("15.00", CostSource.STORE_PERCENTAGE)),
        (cogs("20", product=product), ("10.00", CostSource.PRODUCT_PERCENTAGE)),
        (cost("9.00", "2026-03-04", origin=CostOrigin.PLATFORM), ("9.00", CostSource.VARIANT_FIRST)),
        (cost("8.00", "2026-03-01", origin=CostOrigin.PLATFORM), ("8.00", CostSource.VARIANT_PLATFORM)),
        (cost("7.00", "2026-03-05"), ("8.00", CostSource.VARIANT_PLATFORM)),
        (cost("6.00", "2026-03-03"), ("6.00", CostSource.VARIANT_MANUAL)),
    ]
    for rule, (amount, source) in steps:
        make(store, rule)
        assert line() == (amount, "", source)


def test_only_the_time_before_the_first_known_cost_is_estimated(store: Store) -> None:
    make(store, cost("9.00", "2026-03-04"))
    assert_entries(store, "day account amount how\n 2026-03-03 cogs:product -9.00 estimated", only=["cogs"], live=True)
    make(store, cost("9.00", "2026-03-03"))
    assert_entries(store, "day account amount how\n 2026-03-03 cogs:product -9.00 actual", only=["cogs"], live=True)


def test_a_landed_cost_has_parts_and_a_currency_of_its_own(store: Store) -> None:
    ecb(("USD", "2026-03-03", "1.25"))
    make(store, cost("8.00", "2026-03-01", currency="USD", freight="1.50", duty="0.40", packaging="0.10"))
    assert line() == ("10.00", "USD", CostSource.VARIANT_MANUAL)
    assert_entries(store, "account amount original currency\n cogs:product -8.00 -10.00 USD", only=["cogs"], live=True)


def test_a_cost_in_a_currency_without_a_rate_holds_the_order(store: Store) -> None:
    make(store, cost("8.00", "2026-03-01", currency="USD"))
    assert_entries(store, "account amount", live=True)
    assert store.book.findings.get(resolved_at=None).subject == "USD"


def test_a_new_rule_ends_what_stands_in_its_days_and_leaves_the_rest(store: Store) -> None:
    make(store, cogs("30"))
    make(store, cogs("35", "2026-03-10", "2026-03-20"))
    assert standing(CogsRule) == [("35 %", "2026-03-10", "2026-03-20"), ("30 %", "2026-03-21", ""), ("30 %", "", "2026-03-09")]
    make(store, cogs("40", "2026-03-15"))
    assert standing(CogsRule) == [("35 %", "2026-03-10", "2026-03-14"), ("40 %", "2026-03-15", ""), ("30 %", "", "2026-03-09")]


def test_scopes_do_not_end_each_other(store: Store) -> None:
    make(store, cogs("30"), cogs("20", product=Product.objects.get()))
    make(store, FeeRule(percentage="3", gateway="paypal"), FeeRule(percentage="2"), FeeRule(percentage="4", gateway="paypal", currency="USD"))
    assert (len(standing(CogsRule)), len(standing(FeeRule))) == (2, 3)


def test_the_database_itself_refuses_two_rules_of_one_scope_on_a_day(store: Store) -> None:
    made = make(store, cogs("30", "2026-03-01", "2026-03-31"))
    with pytest.raises(IntegrityError, match="one_cogs_rule_per_product_and_day"), transaction.atomic():
        CogsRule.objects.create(store=store, percentage=20, effective_from=day("2026-03-31"), added_by=made)
    CogsRule.objects.create(store=store, percentage=20, effective_from=day("2026-04-01"), added_by=made)
    CogsRule.objects.create(store=a_store(), percentage=20, effective_from=day("2026-03-31"), added_by=made)


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        (lambda: cogs("101"), "less than or equal to 100"),
        (lambda: cogs("30", "2026-03-10", "2026-03-09"), "The last day lies before the first."),
        (lambda: cost("-1.00"), "greater than or equal to 0"),
        (lambda: cost("1.00", currency="XYZ"), "not an ISO 4217 currency"),
        (lambda: FeeRule(percentage="3", currency="EURO"), "not an ISO 4217 currency"),
    ],
)
def test_a_rule_that_is_wrong_in_itself_changes_nothing(store: Store, rule, told: str) -> None:
    make(store, cogs("30"))
    with pytest.raises(RuleRefused, match=told):
        make(store, cogs("20"), rule())
    assert standing(CogsRule) == [("30 %", "", "")]
    assert CostChange.objects.count() == 1
    assert book_of(store).costs_version == 1


def test_a_rule_about_what_another_store_sells_is_refused(store: Store) -> None:
    other = a_store(slug="other")
    with pytest.raises(RuleRefused, match="is not sold by Other"):
        make(other, cogs("20", product=Product.objects.get()))
    with pytest.raises(RuleRefused, match="is not sold by Other"):
        make(other, cost("1.00"))
    assert not CostChange.objects.exists()


def test_a_fee_rule_names_its_surcharge_and_currency(store: Store) -> None:
    made = make(store, FeeRule(gateway="klarna", currency="EUR", percentage="3", fixed="0.25", surcharge="0.5"))
    assert made.summary == "3.5 % (0.5 % of it the surcharge) + 0.25 on klarna in EUR"


def test_undoing_a_change_puts_the_rules_and_the_entries_back(store: Store) -> None:
    make(store, cogs("30"))
    before = (standing(CogsRule), line())
    made = make(store, cogs("35", "2026-03-03", "2026-03-20"))
    assert line()[0] == "17.50"
    undone = undo(made, actor="bob@example.com", now=NOW)
    restate()
    assert (standing(CogsRule), line()) == before
    assert (undone.summary, undone.undoes) == (f"Undone: {made.summary}", made)
    with pytest.raises(RuleRefused, match="undone already"):
        undo(made, actor="bob@example.com", now=NOW)
    # An undo can be undone as well: it is a change like any other.
    undo(undone, actor="bob@example.com", now=NOW)
    restate()
    assert line()[0] == "17.50"


def test_a_change_others_rest_on_is_undone_after_them(store: Store) -> None:
    first = make(store, cogs("30"))
    second = make(store, cogs("35", "2026-03-10"))
    with pytest.raises(RuleRefused, match="Later changes rest on this one"):
        undo(first, actor="bob@example.com", now=NOW)
    undo(second, actor="bob@example.com", now=NOW)
    assert standing(CogsRule) == [("30 %", "", "")]


def test_a_rule_removed_by_somebody_else_meanwhile_is_not_removed_again(store: Store) -> None:
    made = make(store, cogs("30"))
    (rule,), _ = rules.rules_of(made)
    make(store, remove=(rule,))
    with pytest.raises(RuleRefused, match="not there any more"):
        make(store, remove=(rule,))


def test_who_changed_what_when_and_why_is_kept(store: Store) -> None:
    made = make(store, cogs("35", "2026-03-01"))
    assert (made.actor, made.at, made.reason, made.summary) == ("ann@example.com", NOW, "because", "35 % for every product from 1 Mar 2026")


def test_one_day_is_told_as_one(store: Store) -> None:
    assert make(store, cogs("35", "2026-03-03", "2026-03-03")).summary == "35 % for every product on 3 Mar 2026"


def test_the_most_particular_fee_rule_counts(store: Store) -> None:
    ecb(("USD", "2026-03-03", "1.25"))
    paid = lambda gateway, currency="EUR": an_order(gateway + currency, lines=2, gateway=gateway, currency=currency)  # noqa: E731
    make(
        store, FeeRule(gateway=" PayPal ", percentage="3.49", fixed="0.49"), FeeRule(percentage="2"),
        FeeRule(gateway="paypal", currency="USD", percentage="5", fixed="0.50", surcharge="1"),
    )  # fmt: skip
    write(store, paid("PayPal"), paid("klarna"), paid("cash"), paid("paypal", "USD"))
    assert_entries(
        store,
        """
        day        account      amount how
        2026-03-03 fees:payment -1.00  estimated
        2026-03-03 fees:payment -3.98  estimated
        2026-03-03 fees:payment -2.00  estimated
        2026-03-03 fees:payment -5.20  estimated
        """,
        only=["fees"], live=True,
    )  # fmt: skip


def test_a_fee_the_processor_states_beats_every_rule(store: Store) -> None:
    make(store, FeeRule(percentage="50"))
    write(store, an_order("2", fee="0.10"))
    assert_entries(
        store, "account amount how\n fees:payment -25.00 estimated\n fees:payment -0.10 actual", only=["fees"], live=True
    )  # fmt: skip


def shipping(name: str, position: int, amount: str, **more: object) -> ShippingRule:
    return ShippingRule(name=name, position=position, amount=amount, **more)


def test_the_first_shipping_rule_that_fits_counts(store: Store) -> None:
    make(
        store, shipping("heavy", 1, "9.00", least_units=3, each_further_unit="0.50"), shipping("abroad", 2, "7.00", countries="FR at"),
        shipping("shop", 3, "0.00", channel="pos"), shipping("worth much", 4, "4.00", least_value="200"),
        shipping("else", 5, "3.00", most_value="80"),
    )  # fmt: skip
    write(
        store, an_order("2", lines=3), an_order("3", country="FR", shipping="5.00"), an_order("4", channel="pos", lines=2, shipping="5.00"),
        an_order("5", lines=[a_line("1", price="250.00")]), an_order("6", lines=2, shipping="5.00"),
    )  # fmt: skip
    assert_entries(
        store,
        """
        account             amount how
        fulfilment:shipping -3.00  estimated
        fulfilment:shipping -10.00 estimated
        fulfilment:shipping -7.00  estimated
        fulfilment:shipping -4.00  estimated
        fulfilment:shipping -5.00  estimated
        """,
        only=["fulfilment"], live=True,
    )  # fmt: skip


def test_units_are_those_ordered_not_those_left_after_returns(store: Store) -> None:
    make(store, shipping("each", 1, "2.00", each_further_unit="1.00"))
    back = a_refund()
    write(store, an_order("2", lines=2, then=[back]))
    assert [row["amount"] for row in entry_rows(store, only=["fulfilment"], live=True)] == ["-2.00", "-3.00"]


def test_costs_of_one_change_replace_those_of_their_days_and_do_not_collide(store: Store) -> None:
    write(store, an_order("9", lines=[a_line("1", variant="one"), a_line("2", variant="two")]))
    one, two = (Variant.objects.get(external_id=name) for name in ("one", "two"))

    def cost(variant: Variant, goods: int, first: str | None) -> VariantCost:
        return VariantCost(variant=variant, goods=goods, currency="EUR", effective_from=None if first is None else day(first))

    change(store, add=[cost(one, 10, None), cost(one, 11, "2026-03-01"), cost(two, 20, "2026-03-01")], actor="ann", now=NOW)
    change(store, add=[cost(one, 12, "2026-03-01"), cost(two, 21, "2026-04-01")], actor="ann", now=NOW)
    held = VariantCost.objects.filter(removed_by=None).order_by("goods").values_list("goods", "effective_from")
    assert [(int(goods), first and str(first)) for goods, first in held] == [
        (10, None), (12, "2026-03-01"), (20, "2026-03-01"), (21, "2026-04-01"),
    ]  # fmt: skip
    with pytest.raises(RuleRefused, match="Two of these costs are of the same variant from the same day"):
        change(store, add=[cost(one, 1, "2026-05-01"), cost(one, 2, "2026-05-01")], actor="ann", now=NOW)
    with pytest.raises(RuleRefused, match="is not sold by"):
        change(a_store(), add=[cost(one, 1, "2026-05-01")], actor="ann", now=NOW)
    assert VariantCost.objects.filter(removed_by=None).count() == 4


def test_undoing_what_was_taken_back_altogether_ends_no_later_rule(store: Store) -> None:
    first = make(store, cogs("30"))
    taken_back = make(store, remove=tuple(rules.rules_of(first)[0]))
    make(store, cogs("20", "2026-01-01", "2026-01-31"))
    later = make(store, cogs("35", "2026-03-10"))
    told = "“20 % for every product” from 1 Jan 2026 through 31 Jan 2026 was set after this change, for days on which “30 % for every product” would"
    with pytest.raises(RuleRefused, match=told):
        undo(taken_back, actor="bob@example.com", now=NOW)
    assert standing(CogsRule) == [("20 %", "2026-01-01", "2026-01-31"), ("35 %", "2026-03-10", "")]
    make(store, remove=tuple(rule for rule in rules.live(CogsRule, store) if rule.effective_to))
    undo(later, actor="bob@example.com", now=NOW)
    undo(taken_back, actor="bob@example.com", now=NOW)
    assert standing(CogsRule) == [("30 %", "", "")]
