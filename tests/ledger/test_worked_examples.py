"""The formulas of an order and of a store, each worked by hand (docs/metrics.md, "The order"): exact to the cent."""

from decimal import Decimal

import pytest

from ledger.book.reposting import repost
from ledger.kinds import PaymentKind, SaleType
from ledger.models import CogsRule, FeeRule, ManualCost, Order, Product, ShippingRule, Store, Variant, VariantCost
from ledger.models.rules import Rule
from ledger.rules.rules import change
from tests.builders import SYNC, a_line, a_payment, a_refund, a_sale, a_store, an_order, at, day, ecb, write
from tests.ledger_text import assert_entries, assert_statement

pytestmark = pytest.mark.django_db

NOW = at("2026-03-20 09:00")


def set_rules(store: Store, *add: Rule) -> None:
    """Set rules, and draft the orders again as the worker would."""
    change(store, add=add, actor="ann@example.com", now=NOW)
    repost(store, cause=SYNC)


def columns(store: Store) -> dict[str, str]:
    """Return the columns of the store's only order."""
    order = Order.objects.get(store=store)
    names = ("revenue", "cogs", "shipping", "tax", "payment_fees", "other_fees", "fees", "marketing_costs", "profit")
    return {name: f"{getattr(order, name):.2f}" for name in names} | {"margin": "-" if order.margin is None else f"{order.margin:.2f}"}


def test_an_order_of_which_nothing_is_known_but_its_price() -> None:
    store = a_store()
    write(store, an_order(lines=[a_line(quantity=2)], discount="10.00", tax="17.10", shipping="5.00", shipping_tax="0.95"))
    # cogs: 40 % of 2 × 50.00; shipping: what was paid; fee: 2.9 % × 113.05 + 0.30 = 3.57845
    assert columns(store) == {
        "revenue": "113.05", "cogs": "40.00", "shipping": "5.00", "tax": "18.05", "payment_fees": "3.58", "other_fees": "0.00", "fees": "21.63",
        "marketing_costs": "0.00", "profit": "46.42", "margin": "41.06",
    }  # fmt: skip


def test_the_same_order_under_rules_of_its_own() -> None:
    store = a_store()
    write(store, an_order(lines=[a_line(quantity=2)], discount="10.00", tax="17.10", shipping="5.00", shipping_tax="0.95", gateway="PayPal"))
    set_rules(
        store, CogsRule(product=Product.objects.get(), percentage=35, effective_from=day("2026-03-01")),
        FeeRule(gateway="paypal", percentage="3.49", fixed="0.49"), ShippingRule(position=1, name="parcel", amount="4.20"),
    )  # fmt: skip
    # cogs: 35 % of 100.00; fee: 3.49 % × 113.05 + 0.49 = 4.435445; profit: 113.05 − (35.00 + 4.20 + 18.05 + 4.44)
    assert columns(store) == {
        "revenue": "113.05", "cogs": "35.00", "shipping": "4.20", "tax": "18.05", "payment_fees": "4.44", "other_fees": "0.00", "fees": "22.49",
        "marketing_costs": "0.00", "profit": "51.36", "margin": "45.43",
    }  # fmt: skip


@pytest.fixture
def abroad() -> Store:
    """Return a store in euros with one order in dollars.

    Prices hold 20 % tax: two units at 120.00 list, 10 % off, so 216.00; shipping 12.00; 228.00 in all. 50.00 of it is
    paid by gift card. A unit costs 30.00 EUR landed. A dollar is 0.80 EUR on the day of the order and 1.00 when one unit
    comes back a week later.
    """
    store = a_store()
    ecb(("USD", "2026-03-03", "1.25"), ("USD", "2026-03-10", "1"))
    sales = [
        a_sale("goods", "180.00", line="1", quantity=2, discount="20.00", tax="36.00"),
        a_sale("shipping", "10.00", type=SaleType.SHIPPING, tax="2.00"),
    ]
    paid = [a_payment("50.00", external_id="p1", gateway="gift_card"), a_payment("178.00", external_id="p2", gateway="stripe")]
    back = a_payment("108.00", external_id="p3", kind=PaymentKind.REFUND, when="2026-03-10 12:00")
    refund = a_refund("90.00", discount="10.00", tax="18.00", restocked=True)
    goods = a_line(price="100.00", quantity=2, variant="mug")
    write(store, an_order(lines=[goods], sales=sales, payments=[*paid, back], then=[refund], currency="USD"))
    cost = VariantCost(variant=Variant.objects.get(), goods="25.00", freight="3.00", duty="1.50", packaging="0.50", currency="EUR")
    set_rules(store, cost)
    return store


def test_a_discounted_taxed_order_in_another_currency_with_a_gift_card_and_a_partial_refund(abroad: Store) -> None:
    assert_entries(
        abroad,
        """
        day        account                amount original how
        2026-03-03 sales:gross            160.00   200.00 actual
        2026-03-03 sales:discounts        -16.00   -20.00 actual
        2026-03-03 sales:shipping           8.00    10.00 actual
        2026-03-03 memo:tax                28.80    36.00 actual
        2026-03-03 memo:tax                 1.60     2.00 actual
        2026-03-03 cogs:product           -60.00        . actual
        2026-03-03 fulfilment:shipping     -8.00   -10.00 estimated
        2026-03-03 fees:payment            -4.43        . estimated
        2026-03-03 memo:gift_card:redeemed -40.00  -50.00 actual
        2026-03-03 stat:orders                 1        . actual
        2026-03-03 stat:units                  2        . actual
        2026-03-10 sales:returns          -90.00   -90.00 actual
        2026-03-10 memo:tax               -18.00   -18.00 actual
        2026-03-10 cogs:product            30.00        . actual
        2026-03-10 stat:returned_units         1        . actual
        """,
        live=True,
    )
    # fee: 2.9 % × 178.00 × 0.80 + 0.30 = 4.4296; the gift card costs none, and the refund gives none back
    assert columns(abroad) == {
        "revenue": "74.40", "cogs": "30.00", "shipping": "8.00", "tax": "12.40", "payment_fees": "4.43", "other_fees": "0.00", "fees": "16.83",
        "marketing_costs": "0.00", "profit": "19.57", "margin": "26.30",
    }  # fmt: skip


def test_profit_is_the_same_with_tax_inside_revenue_and_fees_or_outside_both(abroad: Store) -> None:
    assert_statement(
        abroad,
        "2026-03-01",
        """
        gross_sales      160.00
        discounts        -16.00
        returns          -90.00
        shipping_charged   8.00
        cogs             -30.00
        fulfilment        -8.00
        fees              -4.43
        net_profit        19.57
        tax               12.40
        gift_cards       -40.00
        orders            1
        units             2
        returned_units    1
        """,
        last="2026-03-31",
    )
    assert Order.objects.get(store=abroad).profit == Decimal("19.57")


def test_a_stores_profit_is_its_orders_less_what_belongs_to_no_order() -> None:
    store = a_store()
    write(store, an_order("1", lines=2, channel="online"), an_order("2", channel="amazon", fee="7.50"))
    set_rules(
        store,
        ManualCost(
            category="marketing", label="influencer", basis="once", amount=20, currency="EUR", effective_from=day("2026-03-03"),
            effective_to=day("2026-03-03"),
        ),
        ManualCost(
            category="operating", label="app", basis="once", amount=31, currency="EUR", effective_from=day("2026-03-01"),
            effective_to=day("2026-03-31"),
        ),
    )  # fmt: skip
    # orders: 100.00 − 40.00 − 3.20 and 50.00 − 20.00 − 7.50; of the month's app 20 days are over on the 20th
    assert_statement(
        store,
        "2026-03-01",
        """
        gross_sales 150.00
        cogs        -60.00
        fees        -10.70
        marketing   -20.00
        operating   -20.00
        net_profit   39.30
        orders       2
        units        3
        """,
        last="2026-03-31",
    )
