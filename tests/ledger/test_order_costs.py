"""Costs that rules put on orders: per order, per unit, a share of net revenue, for a channel, a product or a partner."""

import json
from collections.abc import Sequence

import msgspec
import pytest
from django.core.management import call_command

from ledger.audit import check_all
from ledger.book.reposting import repost
from ledger.drafts.sales import draft
from ledger.facts import OrderFact, SaleFact
from ledger.kinds import ChargeKind, ChargeStatus, FinancialStatus, Hold, SaleKind, SaleType
from ledger.models import ManualCost, Order, Partner, PartnerCode, Product, Store
from ledger.models.rules import Rule
from ledger.orders import mirror
from ledger.orders.drafting import load_terms
from ledger.orders.order_reasons import reasons
from ledger.orders.rows import ChargeRow
from ledger.rules.rules import change
from ledger.rules.undoing import undo
from tests.builders import SYNC, a_line, a_refund, a_sale, a_store, an_edit, an_order, at, book_of, day, ecb, money, write
from tests.dashboards.people import signed_in, text_of
from tests.ledger_text import assert_entries, assert_statement

pytestmark = pytest.mark.django_db

NOW = at("2026-03-20 09:00")


@pytest.fixture
def store() -> Store:
    return a_store(slug="shop")


@pytest.fixture
def ann(store: Store) -> Partner:
    return Partner.objects.create(store=store, name="Ann", kind="influencer")


def per(basis: str, value: str, *, category: str = "fulfilment", label: str = "packing", **more: object) -> ManualCost:
    """Make a cost of orders in euros that is not set yet."""
    measure = {"percentage" if basis == "revenue" else "amount": value}
    return ManualCost(**{"category": category, "label": label, "basis": basis, "currency": "EUR", **measure, **more})


def commission(partner: Partner, percentage: str = "10", **more: object) -> ManualCost:
    """Make a partner's commission."""
    return per("revenue", percentage, partner=partner, **{"category": "marketing", "label": "affiliate", **more})


def set_rules(store: Store, *add: Rule):
    """Set rules, and draft the orders again as the worker would."""
    made = change(store, add=add, actor="ann@example.com", now=NOW)
    repost(store, cause=SYNC)
    return made


def with_code(fact: OrderFact, *codes: str) -> OrderFact:
    """Return an order whose buyer used discount codes."""
    return msgspec.structs.replace(fact, discount_codes=codes)


def assert_costs(store: Store, table: str, *accounts: str) -> None:
    """Compare the live entries of the accounts that rules about orders use here."""
    assert_entries(
        store, f"source event_day account amount how\n{table}", only=accounts or ["fulfilment:packing", "fees:royalty", "marketing"], live=True
    )
    assert not any(check_all(book_of(store)).values())


def column(name: str, number: str = "1") -> str:
    return f"{getattr(Order.objects.get(external_id=number), name):.2f}"


# per order


def test_1_50_per_order_is_booked_with_each_order_that_sold_something(store: Store) -> None:
    set_rules(store, per("order", "1.50"))
    write(
        store, an_order("1", lines=3), an_order("2", when="2026-03-04 12:00", then=[a_refund(restocked=True)]),
        an_order("3", status=FinancialStatus.PENDING), an_order("4", test=True), an_order("5", cancelled=("2026-03-03 13:00"), shipped=False),
        an_order("6", cancelled="2026-03-03 13:00", shipped=True), an_order("7", lines=[], sales=[a_sale("gift", "50.00", type=SaleType.GIFT_CARD)]),
    )  # fmt: skip
    assert_costs(
        store,
        """
        1 2026-03-03 fulfilment:packing -1.50 estimated
        2 2026-03-04 fulfilment:packing -1.50 estimated
        6 2026-03-03 fulfilment:packing -1.50 estimated
        """,
    )
    assert (column("shipping"), column("shipping", "5")) == ("1.50", "0.00")


def test_a_cost_holds_by_the_orders_day_and_in_its_channel(store: Store) -> None:
    set_rules(store, per("order", "1.00", channel="pos", effective_from=day("2026-03-04"), effective_to=day("2026-03-05")))
    write(
        store, an_order("1", channel="pos"), an_order("2", channel="pos", when="2026-03-04 12:00"), an_order("3", when="2026-03-04 12:00"),
        an_order("4", channel="pos", when="2026-03-06 12:00"),
    )  # fmt: skip
    # the channel was not known when the cost was set; it is told by its name
    assert_costs(store, "2 2026-03-04 fulfilment:packing -1.00 estimated")


def test_vat_that_an_amount_includes_is_no_cost(store: Store) -> None:
    set_rules(store, per("order", "1.79", includes_vat=True, vat_percentage="19"), per("unit", "0.10", includes_vat=True, vat_percentage="19"))
    write(store, an_order("1", lines=[a_line(quantity=7)]))
    # 1.79 ÷ 1.19 = 1.504…, 0.70 ÷ 1.19 = 0.588…
    assert_costs(store, "1 2026-03-03 fulfilment:packing -2.09 estimated")


# per unit


def test_units_cost_when_they_are_sold_and_less_when_an_edit_takes_them_out(store: Store) -> None:
    set_rules(store, per("unit", "0.333"))
    write(store, an_order("1", lines=[a_line(quantity=2)], then=[an_edit("-50.00", quantity=-1), a_refund(when="2026-03-06 12:00", restocked=True)]))
    # 0.666 and then 0.333 in all; a return was packed all the same
    assert_costs(
        store,
        """
        1 2026-03-03 fulfilment:packing -0.67 estimated
        1 2026-03-05 fulfilment:packing 0.34  estimated
        """,
    )


def test_only_the_units_of_a_product_where_the_cost_is_about_one(store: Store) -> None:
    lines = [a_line("1", variant="mug", quantity=2), a_line("2", variant="cap", quantity=3)]
    write(store, an_order("1", lines=lines), an_order("2", lines=[a_line("1", variant="cap")]))
    mug = Product.objects.get(external_id="mug")
    set_rules(
        store,
        per("unit", "0.50", product=mug),
        per("order", "2.00", product=mug),
        per("revenue", "10", product=mug, category="fees", label="royalty"),
    )
    assert_costs(
        store,
        """
        1 2026-03-03 fulfilment:packing -3.00  estimated
        1 2026-03-03 fees:royalty       -10.00 estimated
        """,
    )


# a share of net revenue


def test_two_per_cent_royalty_is_of_net_revenue_and_given_back_with_refunds(store: Store) -> None:
    set_rules(store, per("revenue", "2", category="fees", label="royalty"))
    write(store, an_order("1", lines=2, discount="10.00", tax="17.10", shipping="5.00", then=[a_refund("45.00", tax="8.55")]))
    # 2 % of 95.00 without tax; of 45.00 back
    assert_costs(
        store,
        """
        1 2026-03-03 fees:royalty -1.90 estimated
        1 2026-03-10 fees:royalty 0.90  estimated
        """,
    )
    assert (column("other_fees"), column("fees")) == ("1.00", "13.10")
    assert_statement(store, "2026-03-10", "returns -45.00\n fees 0.90\n tax -8.55\n net_profit -44.10\n returned_units 1")


def test_an_order_that_is_given_back_in_parts_costs_nothing_in_the_end(store: Store) -> None:
    set_rules(store, per("revenue", "2.5", category="fees", label="royalty"))
    parts = [a_refund("3.33", external_id=f"r{number}", when=f"2026-03-{number + 4:02} 12:00", restocked=True) for number in range(3)]
    write(store, an_order("1", lines=[a_line(price="3.33", quantity=3)], then=parts))
    assert [column("other_fees"), Order.objects.get().margin] == ["0.00", None]
    assert_costs(
        store,
        """
        1 2026-03-03 fees:royalty -0.25 estimated
        1 2026-03-04 fees:royalty 0.08  estimated
        1 2026-03-05 fees:royalty 0.09  estimated
        1 2026-03-06 fees:royalty 0.08  estimated
        """,
    )


# partners


def test_ten_per_cent_commission_by_code_with_a_partial_refund(store: Store, ann: Partner) -> None:
    set_rules(store, commission(ann), PartnerCode(partner=ann, code="ann10"))
    order = an_order("1", lines=2, discount="10.00", tax="17.10", then=[a_refund("45.00", tax="8.55")])
    write(store, with_code(order, "OTHER", "ANN10"), an_order("2"), with_code(an_order("3"), "ANN"))
    assert_costs(
        store,
        """
        1 2026-03-03 marketing:affiliate -9.00 estimated
        1 2026-03-10 marketing:affiliate 4.50  estimated
        """,
    )
    assert (column("marketing_costs"), column("marketing_costs", "2")) == ("4.50", "0.00")
    assert_statement(store, "2026-03-10", "returns -45.00\n tax -8.55\n marketing 4.50\n net_profit -40.50\n returned_units 1")


def test_a_code_counts_on_the_days_it_was_the_partners(store: Store, ann: Partner) -> None:
    bob = Partner.objects.create(store=store, name="Bob", kind="affiliate")
    set_rules(store, commission(ann), commission(bob, "20"), PartnerCode(partner=ann, code="TEN"))
    moved = set_rules(store, PartnerCode(partner=bob, code="TEN", effective_from=day("2026-03-05")))
    write(store, with_code(an_order("1", when="2026-03-04 12:00"), "TEN"), with_code(an_order("2", when="2026-03-05 12:00"), "TEN"))
    ten, twenty = "1 2026-03-04 marketing:affiliate -5.00 estimated", "2 2026-03-05 marketing:affiliate -10.00 estimated"
    assert_costs(store, f"{ten}\n{twenty}")
    undo(moved, actor="ann@example.com", now=NOW)
    repost(store, cause=SYNC)
    assert_costs(store, f"{ten}\n2 2026-03-05 marketing:affiliate -5.00 estimated")


def charged(store: Store, *charges: ChargeRow) -> list[tuple[str, str]]:
    """Draft the store's only order with charges of its own, and return what rules about orders cost it."""
    (order,) = mirror.load(store.pk, [Order.objects.get().pk])
    order.charges = list(charges)
    terms = load_terms(store, [order])
    entries = draft(order, terms=terms.book, find_rate=lambda currency, on: None)
    return [(f"{entry.amount / 10_000:.2f}", str(entry.estimated)) for entry in entries if entry.part <= -2_000_000]


def test_a_decided_commission_goes_before_the_partners_rule(store: Store, ann: Partner) -> None:
    bob = Partner.objects.create(store=store, name="Bob", kind="affiliate")
    set_rules(store, commission(ann), per("order", "2.00", partner=ann), PartnerCode(partner=ann, code="ANN10"))
    write(store, with_code(an_order("1"), "ANN10"))
    both, packing = [("-2.00", "True"), ("-5.00", "True")], [("-2.00", "True")]

    def told(status: ChargeStatus, *, kind: ChargeKind = ChargeKind.COMMISSION, partner: Partner = ann) -> Sequence[tuple[str, str]]:
        return sorted(charged(store, ChargeRow(1, kind, status, partner.pk, True, money("4.00"), "EUR", None)))

    for decided in (ChargeStatus.APPROVED, ChargeStatus.PAID, ChargeStatus.DENIED):
        assert told(decided) == packing
    assert told(ChargeStatus.PENDING) == both
    assert told(ChargeStatus.APPROVED, kind=ChargeKind.GIFT) == both
    assert told(ChargeStatus.APPROVED, partner=bob) == both


# currencies and entries


def test_a_cost_in_another_currency_takes_the_event_days_rate_and_holds_the_order_without_one(store: Store) -> None:
    ecb(("USD", "2026-03-03", "1.25"), ("USD", "2026-03-05", "1.60"))
    set_rules(store, per("unit", "1.00", currency="USD"))
    write(store, an_order("1", then=[an_edit()]), an_order("2", when="2026-03-30 12:00"))
    assert_entries(
        store,
        """
        event_day  amount original currency rate
        2026-03-03 -0.80  -1.00    USD      0.8
        2026-03-05 -0.62  -1.00    USD      0.625
        """,
        only=["fulfilment:packing"],
    )
    held = Order.objects.get(external_id="2")
    assert (held.hold, held.hold_currency) == (Hold.RATE_MISSING, "USD")


def test_rules_on_one_account_and_day_are_one_entry_and_the_reasons_tell_them_apart(store: Store, ann: Partner) -> None:
    ecb(("USD", "2026-03-03", "1.25"))
    set_rules(
        store, per("order", "1.50"), per("unit", "0.25", currency="USD", channel="online"), commission(ann), PartnerCode(partner=ann, code="ANN10")
    )  # fmt: skip
    write(store, with_code(an_order("1", lines=2, then=[a_refund("20.00")]), "ANN10"))
    assert_entries(
        store,
        """
        account             part     event_day  order_day  amount original
        fulfilment:packing  -2000000 2026-03-03 2026-03-03 -1.90  .
        marketing:affiliate -2000000 2026-03-03 2026-03-03 -10.00 .
        marketing:affiliate -2000007 2026-03-10 2026-03-03 2.00   .
        """,
        only=["fulfilment:packing", "marketing"],
    )
    (order,) = mirror.load(store.pk, [Order.objects.get().pk])
    assert [(why.rule, why.account, f"{why.amount:.2f}") for why in reasons(store, [order])[order.id].rule_costs] == [
        ("fulfilment:packing: 1.5 EUR per order", "fulfilment:packing", "-1.50"),
        ("fulfilment:packing: 0.25 USD per unit sold in online", "fulfilment:packing", "-0.40"),
        ("marketing:affiliate: 10 % of net revenue of Ann", "marketing:affiliate", "-8.00"),
    ]


def test_setting_and_taking_back_moves_the_orders_that_are_there(store: Store) -> None:
    write(store, an_order("1"))
    made = set_rules(store, per("order", "1.50"))
    assert (book_of(store).costs_version, column("shipping")) == (1, "1.50")
    undo(made, actor="ann@example.com", now=NOW)
    repost(store, cause=SYNC)
    assert column("shipping") == "0.00"
    assert_costs(store, "")


def test_the_audit_compares_columns_with_entries_on_accounts_made_from_labels(store: Store, ann: Partner) -> None:
    set_rules(
        store, per("order", "1.50"), per("order", "0.10", category="fees", label="royalty"), commission(ann, label="network"),
        PartnerCode(partner=ann, code="ANN10"),
    )  # fmt: skip
    write(store, with_code(an_order("1"), "ANN10"))
    assert not any(check_all(book_of(store)).values())
    for name in ("shipping", "other_fees", "marketing_costs"):
        kept = Order.objects.values_list(name, flat=True).get()
        Order.objects.update(**{name: kept + 1})
        assert [problem.subject for problem in check_all(book_of(store))["order_columns_equal_entries"]] == ["order #1"]
        Order.objects.update(**{name: kept})


def test_an_event_before_the_orders_day_has_an_entry_of_its_own(store: Store) -> None:
    early = SaleFact("early", at("2026-03-01 12:00"), SaleKind.EDIT, SaleType.PRODUCT, money("10.00"), "1", 1)
    set_rules(store, per("unit", "1.00"))
    write(store, an_order("1", then=[early]))
    assert_costs(store, "1 2026-03-01 fulfilment:packing -1.00 estimated\n1 2026-03-03 fulfilment:packing -1.00 estimated")


def test_the_order_page_and_the_command_tell_linked_costs_apart_from_advertising(
    store: Store, ann: Partner, capsys: pytest.CaptureFixture[str]
) -> None:
    set_rules(store, commission(ann), PartnerCode(partner=ann, code="ANN10"))
    write(store, with_code(an_order("1"), "ANN10"), an_order("2"))
    client = signed_in(store)
    page = text_of(client.get("/shop/orders/%231"))
    assert "Marketing linked to this order −5.00 Share of advertising not attributed yet Profit" in page
    assert "marketing:affiliate: 10 % of net revenue of Ann −5.00" in page
    assert "Costs by rules about orders" not in text_of(client.get("/shop/orders/%232"))
    call_command("order", "shop", "1")
    told = " ".join(capsys.readouterr().out.split())
    assert "Marketing linked to the order -5.00" in told
    assert "Share of advertising: not attributed yet" in told
    assert "marketing:affiliate: 10 % of net revenue of Ann marketing:affiliate -5.00" in told
    call_command("order", "shop", "1", "--json")
    answer = json.loads(capsys.readouterr().out)["orders"][0]
    assert (answer["advertising"], answer["rule_costs"]) == (
        "not attributed yet", [{"rule": "marketing:affiliate: 10 % of net revenue of Ann", "account": "marketing:affiliate", "amount": "-5.00"}]
    )  # fmt: skip
