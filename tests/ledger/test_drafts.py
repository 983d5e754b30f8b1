"""Which entries an order has: a table of facts in, a table of entries out."""

import pytest

from ledger import accounts
from ledger.kinds import SaleKind, SaleType
from tests.builders import a_cost, a_line, a_refund, a_sale, a_store, an_edit, an_order, write
from tests.ledger_text import assert_entries, assert_statement

pytestmark = pytest.mark.django_db


def test_order_with_discount_shipping_and_tax_becomes_one_entry_per_amount():
    store = a_store()
    write(store, an_order(lines=2, discount="5.00", shipping="4.90", tax="18.05", shipping_tax="0.93"))
    assert_entries(
        store,
        """
        day        account             variant amount how
        2026-03-03 sales:gross         v1       50.00 actual
        2026-03-03 sales:gross         v2       50.00 actual
        2026-03-03 sales:discounts     v1       -2.50 actual
        2026-03-03 sales:discounts     v2       -2.50 actual
        2026-03-03 sales:shipping      .         4.90 actual
        2026-03-03 memo:tax            .         9.02 actual
        2026-03-03 memo:tax            .         9.03 actual
        2026-03-03 memo:tax            .         0.93 actual
        2026-03-03 cogs:product        v1      -20.00 estimated
        2026-03-03 cogs:product        v2      -20.00 estimated
        2026-03-03 fulfilment:shipping .        -4.90 estimated
        2026-03-03 fees:payment        .        -3.75 estimated
        2026-03-03 stat:orders         .            1 actual
        2026-03-03 stat:units          v1           1 actual
        2026-03-03 stat:units          v2           1 actual
        """,
    )
    assert_statement(
        store,
        "2026-03-03",
        """
        gross_sales       100.00
        discounts          -5.00
        shipping_charged    4.90
        cogs              -40.00
        fulfilment         -4.90
        fees               -3.75
        net_profit         51.25
        tax                18.98
        orders 1
        units 2
        """,
    )


def test_partial_refund_without_restock_keeps_the_cost_of_goods():
    store = a_store()
    write(store, an_order(lines=2, then=[a_refund("50.00", line="1", tax="9.50")]))
    assert_entries(
        store,
        """
        day        account             amount
        2026-03-10 sales:returns       -50.00
        2026-03-03 cogs:product        -20.00
        2026-03-03 cogs:product        -20.00
        2026-03-10 memo:tax             -9.50
        2026-03-10 stat:returned_units      1
        """,
        only=("sales:returns", "cogs", "memo", "stat:returned_units"),
    )


def test_partial_refund_with_restock_gives_back_the_booked_cost():
    store = a_store()
    goods = [a_line("1", price="30.00", quantity=3, cost="11.11")]
    write(store, an_order(lines=goods, then=[a_refund("30.00", restocked=True)]))
    assert_entries(
        store,
        """
        day        account      amount how
        2026-03-03 cogs:product -33.33 actual
        2026-03-10 cogs:product  11.11 actual
        """,
        only=("cogs",),
    )


def test_partial_returns_of_a_line_add_up_to_exactly_what_was_booked():
    store = a_store()
    goods = [a_line("1", price="10.00", quantity=3, cost="3.335")]
    backs = [a_refund("10.00", restocked=True, external_id=f"r{n}", when=f"2026-03-1{n} 12:00") for n in (1, 2, 3)]
    write(store, an_order(lines=goods, then=backs))
    # 3 × 3.335 = 10.005, booked 10.00 (half-even); what remains is worth 6.67, 3.33 and nothing
    assert_entries(
        store,
        """
        day        account      amount
        2026-03-03 cogs:product -10.00
        2026-03-11 cogs:product   3.33
        2026-03-12 cogs:product   3.34
        2026-03-13 cogs:product   3.33
        """,
        only=("cogs",),
    )


def test_edit_that_removes_a_unit_lowers_gross_sales_and_cost_not_returns():
    store = a_store()
    goods = [a_line("1", price="50.00", quantity=2)]
    write(store, an_order(lines=goods, then=[an_edit("-50.00", quantity=-1)]))
    assert_entries(
        store,
        """
        day        account       amount
        2026-03-03 sales:gross   100.00
        2026-03-05 sales:gross   -50.00
        2026-03-03 cogs:product  -40.00
        2026-03-05 cogs:product   20.00
        2026-03-03 fees:payment   -3.20
        2026-03-03 stat:orders        1
        2026-03-03 stat:units         2
        2026-03-05 stat:units        -1
        """,
    )


def test_edit_that_adds_a_line_costs_on_its_own_day():
    store = a_store()
    write(
        store,
        an_order(
            lines=[a_line("1"), a_line("2", price="7.00")], sales=[a_sale("s1", "50.00", line="1", quantity=1)], then=[an_edit("7.00", line="2")]
        ),
    )
    assert_entries(
        store,
        """
        day        account       variant amount
        2026-03-03 sales:gross   v1       50.00
        2026-03-05 sales:gross   v2        7.00
        2026-03-03 cogs:product  v1      -20.00
        2026-03-05 cogs:product  v2       -2.80
        """,
        only=("sales", "cogs"),
    )


def test_goodwill_refund_without_lines_is_a_return_on_the_refunds_day():
    store = a_store()
    write(store, an_order(then=[a_refund("8.00", line=None, type=SaleType.ADJUSTMENT)]))
    assert_statement(store, "2026-03-10", "returns -8.00\n net_profit -8.00")


def test_shipping_refund_leaves_the_label_paid():
    store = a_store()
    write(store, an_order(shipping="6.00", then=[a_refund("6.00", line=None, type=SaleType.SHIPPING)]))
    assert_entries(
        store,
        """
        day        account              amount
        2026-03-03 sales:shipping         6.00
        2026-03-10 sales:shipping        -6.00
        2026-03-03 fulfilment:shipping   -6.00
        """,
        only=("sales:shipping", "sales:returns", "fulfilment"),
    )


def test_stated_label_cost_replaces_the_default_shipping_cost():
    store = a_store()
    label = a_cost(accounts.FULFILMENT_SHIPPING, "-3.87", when="2026-03-04 09:00")
    write(store, an_order(shipping="6.00", costs=[label]))
    assert_entries(store, "day account amount how\n 2026-03-04 fulfilment:shipping -3.87 actual", only=("fulfilment",))


def test_tip_is_other_income():
    store = a_store()
    write(store, an_order(tip="3.00"))
    assert_entries(store, "account amount\n sales:gross 50.00\n sales:other 3.00", only=("sales",))


def test_order_cancelled_before_shipping_costs_no_shipping():
    store = a_store()
    write(store, an_order(shipping="6.00", cancelled="2026-03-04 10:00", shipped=False))
    assert_entries(store, "account amount", only=("fulfilment",))


def test_order_cancelled_after_shipping_keeps_its_shipping_cost():
    store = a_store()
    write(store, an_order(shipping="6.00", cancelled="2026-03-04 10:00", shipped=True))
    assert_entries(store, "account amount\n fulfilment:shipping -6.00", only=("fulfilment",))


def test_order_worth_nothing_is_not_counted_but_its_goods_cost():
    store = a_store()
    write(store, an_order(discount="50.00"))
    assert_entries(
        store,
        """
        account         amount
        sales:gross      50.00
        sales:discounts -50.00
        cogs:product    -20.00
        stat:units           1
        """,
    )


def test_write_off_of_a_line_reverses_no_cost_of_goods():
    store = a_store()
    off = a_sale("off", "0", kind=SaleKind.ADJUSTMENT, line="1", quantity=-5, when="2026-03-09 12:00")
    write(store, an_order(lines=[a_line("1", price="10.00", quantity=5)], then=[off]))
    assert_entries(store, "day account amount\n 2026-03-03 cogs:product -20.00", only=("cogs", "sales:returns", "stat:returned_units"))


def test_marketplace_fee_counts_on_its_own_day():
    store = a_store()
    write(store, an_order(costs=[a_cost(accounts.FEES_MARKETPLACE, "-7.50", when="2026-03-20 12:00")], payments=[]))
    assert_statement(store, "2026-03-20", "fees -7.50\n net_profit -7.50")
