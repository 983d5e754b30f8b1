"""Statements: sums, bases, periods, and what was believed before."""

from decimal import Decimal

import pytest

from ledger.kinds import Basis
from ledger.models import Batch
from ledger.periods import By, cut
from ledger.statements import STATEMENT_KEYS, amount, profit, seq_at, state
from tests.builders import a_line, a_refund, a_sale, a_store, an_order, book_of, day, write
from tests.ledger_text import assert_statement, statement

pytestmark = pytest.mark.django_db


def test_every_sum_of_the_statement():
    store = a_store()
    write(
        store,
        an_order(lines=2, discount="5.00", shipping="4.90", tip="1.00", tax="18.05", shipping_tax="0.93", then=[a_refund("47.50", discount="2.50")]),
    )
    read = statement(store, "2026-03-01", "2026-03-31")
    assert {key: str(amount(read, key)) for key in STATEMENT_KEYS} == {
        "gross_sales": "100.0000", "discounts": "-5.0000", "returns": "-47.5000", "shipping_charged": "4.9000", "other_income": "1.0000",
        "net_revenue": "53.4000", "cogs": "-40.0000", "gross_profit": "13.4000", "fulfilment": "-4.9000", "fees": "-3.7800", "cm2": "4.7200",
        "marketing": "0", "cm3": "4.7200", "operating": "0", "net_profit": "4.7200",
    }  # fmt: skip


def test_refund_counts_on_its_day_or_on_its_orders_day():
    store = a_store()
    write(store, an_order(then=[a_refund("20.00")]))
    sold = "gross_sales 50.00\n cogs -20.00\n fees -1.75\n orders 1\n units 1\n"
    assert_statement(store, "2026-03-03", sold + "net_profit 28.25")
    assert_statement(store, "2026-03-10", "returns -20.00\n net_profit -20.00\n returned_units 1")
    assert_statement(store, "2026-03-03", sold + "returns -20.00\n net_profit 8.25\n returned_units 1", basis=Basis.ORDER)
    assert_statement(store, "2026-03-10", "", basis=Basis.ORDER)


def test_return_without_its_sale_counts_on_its_own_day_on_both_bases():
    store = a_store()
    lonely = a_refund("50.00", restocked=True, when="2026-03-10 12:00")
    write(store, an_order(when="2026-03-10 12:00", sales=[lonely], payments=[]))
    table = "returns -50.00\n cogs 20.00\n net_profit -30.00\n returned_units 1"
    assert_statement(store, "2026-03-10", table)
    assert_statement(store, "2026-03-10", table, basis=Basis.ORDER)


def test_more_units_back_than_were_sold_cost_what_a_unit_costs_now():
    store = a_store()
    write(store, an_order(lines=[a_line("1", cost="7.00")], then=[a_refund("100.00", quantity=2, restocked=True)]))
    assert_statement(store, "2026-03-10", "returns -100.00\n cogs 14.00\n net_profit -86.00\n returned_units 2")


def test_statement_as_of_a_batch_shows_what_was_believed_then():
    store = a_store()
    write(store, an_order("1", updated="2026-03-03 12:00"))
    write(store, an_order("2"))
    write(store, an_order("1", updated="2026-03-10 12:00", then=[a_refund("50.00")]))
    one = "gross_sales 50.00\n cogs -20.00\n fees -1.75\n net_profit 28.25\n orders 1\n units 1"
    two = "gross_sales 100.00\n cogs -40.00\n fees -3.50\n net_profit 56.50\n orders 2\n units 2"
    for seq, table in ((0, ""), (1, one), (2, two), (3, two + "\n returns -50.00\n returned_units 1")):
        assert_statement(store, "2026-03-03", table.replace("56.50", "6.50") if seq == 3 else table, basis=Basis.ORDER, as_of=seq)
    assert_statement(store, "2026-03-10", "", as_of=2)


def test_batch_in_force_at_a_moment_is_the_last_one_recorded_by_then():
    store = a_store()
    write(store, an_order("1"))
    write(store, an_order("2"))
    first, second = Batch.objects.filter(book_id=store.pk).order_by("seq").values_list("recorded_at", flat=True)
    book = book_of(store)
    assert [seq_at(book, moment) for moment in (first.replace(year=2020), first, second, second.replace(year=2099))] == [0, 1, 2, 2]


def test_periods_share_the_days_between_them():
    store = a_store()
    write(store, *(an_order(str(n), when=f"2026-0{n}-15 12:00") for n in (1, 2, 3)))
    months = profit(book_of(store), cut(day("2026-01-10"), day("2026-03-15"), By.MONTH))
    assert [(str(s.period.first), str(s.period.last), str(s.net_profit)) for s in months] == [
        ("2026-01-10", "2026-01-31", "28.2500"), ("2026-02-01", "2026-02-28", "28.2500"), ("2026-03-01", "2026-03-15", "28.2500"),
    ]  # fmt: skip


def test_day_begins_at_midnight_in_the_stores_zone():
    store = a_store(zone="America/New_York")
    write(store, an_order("1", when="2026-03-04 04:59"), an_order("2", when="2026-03-04 05:00"))
    assert [statement(store, f"2026-03-0{n}").orders for n in (3, 4)] == [1, 1]


def test_day_follows_summer_time():
    store = a_store(zone="Europe/Berlin")
    write(store, an_order("1", when="2026-03-29 22:30"), an_order("2", when="2026-03-28 23:30"))
    assert [statement(store, f"2026-03-{n}").orders for n in (28, 29, 30)] == [0, 1, 1]


def test_estimated_share_counts_revenue_and_cost():
    store = a_store()
    write(store, an_order(fee="1.00"))
    assert statement(store, "2026-03-03").estimated_share == Decimal("0.2817")  # 20 of 50 + 20 + 1
    assert statement(store, "2026-03-04").estimated_share is None


def test_accounts_open_a_line():
    store = a_store()
    write(store, an_order(sales=[a_sale("s1", "50.00", line="1", quantity=1), a_sale("duty", "4.00", type=4)], tax="0"))
    read = statement(store, "2026-03-03")
    assert {name: str(value) for name, value in read.accounts.items() if name.startswith("memo")} == {"memo:duty": "4.0000"}
    assert str(read.memo["tax"]) == "4.0000"


def test_state_tells_how_far_the_book_has_got_and_what_is_held():
    store = a_store()
    write(store, an_order("1"), an_order("2", currency="USD"))
    read = state(book_of(store))
    assert (read.seq, read.held_orders, read.restating) == (1, 1, False)
