"""Currencies: converted once at a frozen rate, held when there is none, rounded to the book's minor unit."""

from decimal import Decimal

import pytest

from ledger import accounts
from ledger.book.reposting import repost
from ledger.cause import Cause
from ledger.kinds import CauseKind, Hold
from ledger.models import Finding, Order
from ledger.rates import set_manual_rate
from tests.builders import a_cost, a_line, a_payment, a_refund, a_store, an_order, day, ecb, write
from tests.ledger_text import assert_entries, assert_statement

pytestmark = pytest.mark.django_db

REPOST = Cause(CauseKind.CORRECTION, "rates")


def test_foreign_order_is_converted_once_and_keeps_rate_day_and_source():
    store = a_store()
    ecb(("USD", "2026-03-03", "1.25"))
    write(store, an_order(currency="USD", shipping="4.99"))
    assert_entries(
        store,
        """
        account             amount original currency rate rate_day   rate_source how
        sales:gross          40.00 50.00    USD      0.8  2026-03-03 ECB         actual
        sales:shipping        3.99 4.99     USD      0.8  2026-03-03 ECB         actual
        cogs:product        -16.00 -20.00   USD      0.8  2026-03-03 ECB         estimated
        fulfilment:shipping  -3.99 -4.99    USD      0.8  2026-03-03 ECB         estimated
        fees:payment         -1.58 .        USD      0.8  2026-03-03 ECB         estimated
        stat:orders              1 .        .        .    .          .           actual
        stat:units               1 .        .        .    .          .           actual
        """,
    )


def test_each_event_takes_the_rate_of_its_own_day_but_goods_come_back_as_booked():
    store = a_store()
    ecb(("USD", "2026-03-03", "1.25"), ("USD", "2026-03-10", "1"))
    write(store, an_order(currency="USD", then=[a_refund("50.00", restocked=True)]))
    assert_entries(
        store,
        """
        day        account       amount rate original
        2026-03-03 sales:gross    40.00 0.8   50.00
        2026-03-10 sales:returns -50.00 1    -50.00
        2026-03-03 cogs:product  -16.00 0.8  -20.00
        2026-03-10 cogs:product   16.00 0.8   20.00
        """,
        only=("sales", "cogs"),
    )


def test_weekend_takes_fridays_rate_and_is_not_estimated():
    store = a_store()
    ecb(("USD", "2026-03-06", "1.25"), ("USD", "2026-03-09", "2"))
    write(store, an_order(currency="USD", when="2026-03-08 12:00", fee="1.00"))
    assert_entries(
        store,
        """
        day        account      amount rate_day   how
        2026-03-08 sales:gross   40.00 2026-03-06 actual
        2026-03-08 fees:payment  -0.80 2026-03-06 actual
        """,
        only=("sales", "fees"),
    )


def test_stand_in_rate_is_marked_estimated():
    store = a_store()
    ecb(("USD", "2026-03-02", "1.25"))
    write(store, an_order(currency="USD", when="2026-03-05 12:00"))
    assert_entries(store, "account amount rate_day how\n sales:gross 40.00 2026-03-02 estimated", only=("sales",))


def test_goods_that_come_back_are_as_estimated_as_they_were_booked():
    store = a_store()
    ecb(("USD", "2026-03-02", "1.25"))
    goods = [a_line("1", price="10.00", cost="4.00")]
    back = a_refund("10.00", restocked=True, when="2026-03-06 12:00")
    write(store, an_order(lines=goods, currency="USD", when="2026-03-05 12:00", then=[back]))
    assert_entries(
        store,
        """
        day        amount how
        2026-03-05  -3.20 estimated
        2026-03-06   3.20 estimated
        """,
        only=("cogs",),
    )


def test_missing_rate_holds_the_order_with_a_finding_until_it_is_known():
    store = a_store()
    ecb(("USD", "2026-02-23", "1.25"))
    done = write(store, an_order("1", currency="USD", customer="ann"), an_order("2"))
    assert (done.new, done.held) == (2, 1)
    assert Order.objects.get(store=store, external_id="1").hold == Hold.RATE_MISSING
    finding = Finding.objects.get(book_id=store.pk)
    assert (finding.kind, finding.subject, finding.severity, finding.resolved_at) == ("rate_missing", "USD", "error", None)
    assert_entries(store, "source amount\n 2 50.00", only=("sales",))

    ecb(("USD", "2026-03-03", "2"))
    assert repost(store, cause=REPOST) == 6
    assert_entries(store, "seq source amount\n 1 2 50.00\n 2 1 25.00", only=("sales",))
    assert_entries(store, "source amount\n ann 1", only=("stat:new_customers",))
    finding.refresh_from_db()
    assert finding.resolved_at is not None
    assert Order.objects.get(store=store, external_id="1").hold == Hold.NONE


def test_a_rate_missing_for_a_later_event_holds_the_whole_order_again():
    store = a_store()
    ecb(("USD", "2026-03-03", "1.25"))
    write(store, an_order(currency="USD", updated="2026-03-03 12:00"))
    write(store, an_order(currency="USD", updated="2026-03-20 12:00", then=[a_refund(when="2026-03-20 12:00")]))
    assert_entries(store, "account amount", live=True)
    assert_statement(store, "2026-03-03", "")


def test_posted_entries_keep_their_rate_when_a_nearer_one_arrives_until_a_repost():
    store = a_store()
    ecb(("USD", "2026-03-02", "1.25"))
    fact = an_order(currency="USD", fee="1.00")
    write(store, fact)
    ecb(("USD", "2026-03-03", "2"))
    assert write(store, fact).entries == 0
    assert_entries(store, "amount how\n 40.00 estimated", only=("sales",))
    repost(store, cause=REPOST)
    assert_entries(store, "amount how\n 25.00 actual", only=("sales",), live=True)


def test_manual_rate_is_named_as_the_source():
    store = a_store()
    set_manual_rate("USD", day("2026-03-03"), Decimal(2))
    write(store, an_order(currency="USD"))
    assert_entries(store, "amount rate rate_source\n 25.00 0.5 MANUAL", only=("sales",))


def test_cross_rate_goes_through_the_euro():
    store = a_store(currency="GBP")
    ecb(("USD", "2026-03-03", "1.25"), ("GBP", "2026-03-03", "0.85"))
    write(store, an_order(currency="USD"))
    assert_entries(store, "amount original rate\n 34.00 50.00 0.68", only=("sales",))


def test_fee_stated_in_the_books_currency_needs_no_rate():
    store = a_store()
    ecb(("USD", "2026-03-03", "1.25"))
    payment = a_payment("50.00", fee="1.23", fee_currency="EUR")
    write(store, an_order(currency="USD", payments=[payment]))
    assert_entries(store, "account amount original currency how\n fees:payment -1.23 . . actual", only=("fees",))


def test_fee_stated_in_a_third_currency_is_converted_from_it():
    store = a_store()
    ecb(("USD", "2026-03-03", "1.25"), ("GBP", "2026-03-03", "0.5"))
    payment = a_payment("50.00", fee="1.00", fee_currency="GBP")
    write(store, an_order(currency="USD", payments=[payment]))
    assert_entries(store, "account amount original currency rate\n fees:payment -2.00 -1.00 GBP 2", only=("fees",))


def test_stated_cost_is_converted_on_its_own_day():
    store = a_store()
    ecb(("USD", "2026-03-03", "1.25"), ("USD", "2026-03-04", "2"))
    write(store, an_order(currency="USD", costs=[a_cost(accounts.FULFILMENT_SHIPPING, "-4.00", when="2026-03-04 12:00")]))
    assert_entries(store, "day amount original\n 2026-03-04 -2.00 -4.00", only=("fulfilment",))


def test_book_without_minor_unit_rounds_to_whole_yen():
    store = a_store(currency="JPY")
    write(store, an_order(lines=[a_line("1", price="1235")], currency="JPY"))
    assert_entries(
        store,
        """
        account      amount
        sales:gross    1235
        cogs:product   -494
        fees:payment    -36
        stat:orders       1
        stat:units        1
        """,
    )


def test_yen_book_converts_to_whole_yen():
    store = a_store(currency="JPY")
    ecb(("JPY", "2026-03-03", "161.25"))
    write(store, an_order(lines=[a_line("1", price="10.00")], currency="EUR"))
    # 1612.5 lies half-way and goes to the even 1612
    assert_entries(store, "account amount original\n sales:gross 1612 10.00\n cogs:product -645 -4.00", only=("sales", "cogs"))


def test_book_with_three_decimals_keeps_them():
    store = a_store(currency="KWD")
    write(store, an_order(lines=[a_line("1", price="10.125")], currency="KWD"))
    assert_entries(
        store,
        """
        account      amount
        sales:gross  10.125
        cogs:product -4.050
        fees:payment -0.594
        stat:orders       1
        stat:units        1
        """,
    )


def test_order_that_turns_out_to_be_in_another_currency_is_posted_anew():
    store = a_store()
    ecb(("USD", "2026-03-03", "1.25"))
    write(store, an_order())
    write(store, an_order(currency="USD"))
    assert_entries(
        store,
        """
        seq reverses amount original
        1   no        50.00 .
        2   yes      -50.00 .
        2   no        40.00 50.00
        """,
        only=("sales",),
    )
