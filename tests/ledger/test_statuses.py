"""Which orders count as revenue: one test per row of the table of financial statuses."""

import pytest

from ledger.kinds import AWAITS_PAYMENT, COUNTS_AS_REVENUE, FinancialStatus
from tests.builders import a_refund, a_store, an_order, write
from tests.ledger_text import assert_entries, assert_statement

pytestmark = pytest.mark.django_db

PAID_ROWS = "gross_sales 50.00\n cogs -20.00\n fees -1.75\n net_profit 28.25\n orders 1\n units 1"


def _statement_of(status: FinancialStatus, table: str, **order: object) -> None:
    store = a_store()
    write(store, an_order(status=status, **order))
    assert_statement(store, "2026-03-03", table)


def test_unknown_status_is_not_revenue_and_shown_as_unpaid():
    _statement_of(FinancialStatus.UNKNOWN, "unpaid 50.00")


def test_pending_order_is_not_revenue_and_shown_as_unpaid():
    _statement_of(FinancialStatus.PENDING, "unpaid 50.00")


def test_authorized_order_is_not_revenue_and_shown_as_unpaid():
    _statement_of(FinancialStatus.AUTHORIZED, "unpaid 50.00")


def test_expired_order_has_no_entries():
    _statement_of(FinancialStatus.EXPIRED, "")


def test_voided_order_has_no_entries():
    _statement_of(FinancialStatus.VOIDED, "")


def test_partially_paid_order_counts_with_the_fee_of_what_was_paid():
    store = a_store()
    paid = an_order(status=FinancialStatus.PARTIALLY_PAID, payments=an_order(lines=1, discount="30.00").payments)
    write(store, paid)
    assert_statement(store, "2026-03-03", PAID_ROWS.replace("-1.75", "-0.88").replace("28.25", "29.12"))


def test_paid_order_counts():
    _statement_of(FinancialStatus.PAID, PAID_ROWS)


def test_partially_refunded_order_counts_and_its_refund_tells_the_rest():
    store = a_store()
    write(store, an_order(status=FinancialStatus.PARTIALLY_REFUNDED, then=[a_refund("10.00", line=None)]))
    assert_statement(store, "2026-03-03", PAID_ROWS)
    assert_statement(store, "2026-03-10", "returns -10.00\n net_profit -10.00")


def test_refunded_order_still_counts_on_its_day():
    store = a_store()
    write(store, an_order(status=FinancialStatus.REFUNDED, then=[a_refund("50.00", restocked=True)]))
    assert_statement(store, "2026-03-03", PAID_ROWS)
    assert_statement(store, "2026-03-10", "returns -50.00\n cogs 20.00\n net_profit -30.00\n returned_units 1")


def test_every_status_has_its_row():
    assert set(COUNTS_AS_REVENUE) == set(FinancialStatus)
    assert not any(COUNTS_AS_REVENUE[status] for status in AWAITS_PAYMENT)


def test_test_order_has_no_entries():
    _statement_of(FinancialStatus.PAID, "", test=True)


def test_unpaid_order_that_was_cancelled_is_not_shown_as_unpaid():
    _statement_of(FinancialStatus.PENDING, "", cancelled="2026-03-04 12:00")


def test_paid_order_that_was_cancelled_stays_counted():
    store = a_store()
    write(store, an_order(cancelled="2026-03-04 12:00", shipped=False, status=FinancialStatus.REFUNDED, then=[a_refund("50.00", restocked=True)]))
    assert_statement(store, "2026-03-03", PAID_ROWS)


def test_pending_order_that_is_paid_moves_from_unpaid_to_revenue():
    store = a_store()
    write(store, an_order(status=FinancialStatus.PENDING, tax="9.50", updated="2026-03-03 12:00"))
    assert_statement(store, "2026-03-03", "unpaid 59.50")
    write(store, an_order(status=FinancialStatus.PAID, tax="9.50", updated="2026-03-05 12:00"))
    assert_entries(
        store,
        """
        seq account      reverses amount
        1   memo:unpaid  no        59.50
        2   memo:unpaid  yes      -59.50
        2   sales:gross  no        50.00
        2   memo:tax     no         9.50
        2   cogs:product no       -20.00
        2   fees:payment no        -2.03
        2   stat:orders  no            1
        2   stat:units   no            1
        """,
    )


def test_paid_order_that_is_voided_loses_its_entries():
    store = a_store()
    write(store, an_order())
    write(store, an_order(status=FinancialStatus.VOIDED))
    assert_entries(store, "account amount", live=True)
    assert_statement(store, "2026-03-03", "")
