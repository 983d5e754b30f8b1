"""What payments leave in the book: fees by precedence, and gift cards as a liability."""

import pytest

from ledger.kinds import PaymentKind, SaleType
from tests.builders import a_line, a_payment, a_refund, a_sale, a_store, an_order, write
from tests.ledger_text import assert_entries

pytestmark = pytest.mark.django_db


def test_gift_card_sold_is_memo_and_no_revenue():
    store = a_store()
    card = a_sale("card", "25.00", type=SaleType.GIFT_CARD, quantity=1)
    write(store, an_order(lines=0, sales=[card]))
    assert_entries(
        store,
        """
        account             amount
        memo:gift_card:sold  25.00
        fees:payment         -1.02
        stat:orders              1
        """,
    )


def test_gift_card_redeemed_pays_without_fee_and_lowers_the_liability():
    store = a_store()
    payments = [a_payment("20.00", gateway="gift_card"), a_payment("30.00", external_id="p2")]
    write(store, an_order(payments=payments))
    assert_entries(
        store,
        """
        account                 amount how
        memo:gift_card:redeemed -20.00 actual
        fees:payment             -1.17 estimated
        """,
        only=("memo", "fees"),
    )


def test_gift_card_given_back_restores_the_liability():
    store = a_store()
    back = a_payment("20.00", external_id="p2", kind=PaymentKind.REFUND, gateway="gift_card", when="2026-03-10 12:00")
    write(store, an_order(payments=[a_payment("50.00", gateway="gift_card"), back], then=[a_refund("20.00", line=None, type=SaleType.ADJUSTMENT)]))
    assert_entries(
        store,
        """
        day        account                 amount
        2026-03-03 memo:gift_card:redeemed -50.00
        2026-03-10 memo:gift_card:redeemed  20.00
        """,
        only=("memo", "fees"),
    )


def test_stated_fee_beats_the_rule():
    store = a_store()
    write(store, an_order(fee="1.11"))
    assert_entries(store, "account amount how\n fees:payment -1.11 actual", only=("fees",))


def test_default_fee_is_taken_from_each_charge():
    store = a_store()
    payments = [a_payment("30.00"), a_payment("20.00", external_id="p2", kind=PaymentKind.CAPTURE, when="2026-03-06 12:00")]
    write(store, an_order(payments=payments))
    assert_entries(
        store,
        """
        day        account      amount how
        2026-03-03 fees:payment  -1.17 estimated
        2026-03-06 fees:payment  -0.88 estimated
        """,
        only=("fees",),
    )


@pytest.mark.parametrize("gateway", ["cash", "Manual", "gift_card", "Cash on Delivery (COD)", "bank deposit"])
def test_money_that_passes_no_processor_costs_no_fee(gateway):
    store = a_store()
    write(store, an_order(gateway=gateway))
    assert_entries(store, "account amount", only=("fees",))


def test_payment_fee_stays_after_a_refund_unless_the_processor_credits_it():
    store = a_store()
    kept = a_payment("50.00", external_id="p2", kind=PaymentKind.REFUND, when="2026-03-10 12:00")
    credited = a_payment("50.00", external_id="p2", kind=PaymentKind.REFUND, fee="-1.75", when="2026-03-10 12:00")
    charge = a_payment("50.00", fee="1.75")
    write(store, an_order("1", payments=[charge, kept], then=[a_refund()]), an_order("2", payments=[charge, credited], then=[a_refund()]))
    assert_entries(
        store,
        """
        source day        account      amount
        1      2026-03-03 fees:payment  -1.75
        2      2026-03-03 fees:payment  -1.75
        2      2026-03-10 fees:payment   1.75
        """,
        only=("fees",),
    )


def test_default_fee_is_rounded_once():
    store = a_store()
    write(store, an_order(lines=[a_line("1", price="11.55")]))
    # 2.9 % of 11.55 plus 0.30 is 0.63495
    assert_entries(store, "account amount\n fees:payment -0.63", only=("fees",))
