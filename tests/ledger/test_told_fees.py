"""Fees that a processor's file tells go before estimated ones, payment by payment."""

import pytest
from msgspec import structs

from ledger.audit import check_all
from ledger.cause import Cause
from ledger.charges.charge_rows import of_cause
from ledger.charges.charges import Charged, ChargeFact, record_charges, remove
from ledger.facts import PaymentFact
from ledger.kinds import CauseKind, ChargeKind, FinancialStatus
from ledger.models import Store
from ledger.orders.orders_view import order_profit
from tests.builders import NOON, a_payment, a_store, an_order, at, book_of, day, ecb, money, write
from tests.ledger_text import assert_entries, assert_statement

pytestmark = pytest.mark.django_db

UNDO = Cause(CauseKind.UNDO, "undo of import:1")


def a_fee(
    amount: str, *, covers: str = "50", order: str = "1001", reference: str = "charge 1", kind: ChargeKind = ChargeKind.PAYMENT_FEE,
    processor: str = "stripe", currency: str = "EUR", when: str = "2026-03-03",
) -> ChargeFact:  # fmt: skip
    """Tell one fee, of a payment of 50.00 unless the test says otherwise."""
    return ChargeFact(kind, order, reference, money(amount), currency, day(when), covers=money(covers), processor=processor)


def tell(store: Store, *facts: ChargeFact, cause_ref: str = "import:1") -> Charged:
    """Charge orders with what a file tells."""
    return record_charges(store, facts, cause_ref=cause_ref, actor="ann", now=at(NOON))


def paid(*payments: PaymentFact, lines: int = 2) -> Store:
    """Return a store with an order of 50.00 a line that was paid so."""
    store = a_store()
    write(store, an_order(lines=lines, payments=payments))
    return store


def the_fees(store: Store, table: str) -> None:
    """Compare the live fees of a store with a table."""
    assert_entries(store, table, only=["fees"], live=True)


def test_an_actual_fee_replaces_the_estimated_one_of_its_payment() -> None:
    store = a_store()
    write(store, an_order())
    the_fees(store, """
        account       event_day   amount  how
        fees:payment  2026-03-03  -1.75   estimated
    """)  # fmt: skip
    assert tell(store, a_fee("1.60")) == Charged(matched=1, added=1, entries=2)
    the_fees(store, """
        account       event_day   amount  how
        fees:payment  2026-03-03  -1.60   actual
    """)  # fmt: skip


def test_a_fee_of_nothing_is_known_and_not_estimated() -> None:
    store = a_store()
    write(store, an_order())
    tell(store, a_fee("0"))
    the_fees(store, "account event_day amount how")


def test_only_the_payment_that_the_file_tells_loses_its_estimate() -> None:
    store = paid(a_payment("60.00", gateway="stripe"), a_payment("40.00", external_id="p2", gateway="paypal"))
    tell(store, a_fee("2.04", covers="60"))
    the_fees(store, """
        account       event_day   amount  how
        fees:payment  2026-03-03  -2.04   actual
        fees:payment  2026-03-03  -1.46   estimated
    """)  # fmt: skip


def test_what_the_file_does_not_cover_of_one_payment_is_still_estimated() -> None:
    store = paid(a_payment("100.00", gateway="Stripe + PayPal"))
    tell(store, a_fee("2.04", covers="60"))
    the_fees(store, """
        account       event_day   amount  how
        fees:payment  2026-03-03  -2.04   actual
        fees:payment  2026-03-03  -1.46   estimated
    """)  # fmt: skip
    tell(store, a_fee("1.89", covers="40", processor="paypal", reference="7AB"))
    the_fees(store, """
        account       event_day   amount  how
        fees:payment  2026-03-03  -2.04   actual
        fees:payment  2026-03-03  -1.89   actual
    """)  # fmt: skip


def test_a_fee_is_not_taken_for_that_of_another_processor() -> None:
    store = paid(a_payment("50.00", gateway="paypal"), lines=1)
    tell(store, a_fee("1.60"))
    the_fees(store, """
        account       event_day   amount  how
        fees:payment  2026-03-03  -1.60   actual
        fees:payment  2026-03-03  -1.75   estimated
    """)  # fmt: skip


def test_payments_that_their_source_told_as_one_are_covered_by_each_processors_fees() -> None:
    store = paid(a_payment("100.00", gateway="stripe"))
    tell(store, a_fee("2.04", covers="60"), a_fee("1.89", covers="40", processor="paypal", reference="7AB"))
    the_fees(store, """
        account       event_day   amount  how
        fees:payment  2026-03-03  -2.04   actual
        fees:payment  2026-03-03  -1.89   actual
    """)  # fmt: skip


def test_a_fee_in_another_currency_is_that_of_a_whole_payment() -> None:
    store = a_store()
    ecb(("USD", "2026-03-03", "1.25"))
    write(store, an_order())
    tell(store, a_fee("2.00", covers="62.50", currency="USD"))
    assert_entries(store, """
        account       amount  original  currency  how
        fees:payment  -1.60   -2.00     USD       actual
    """, only=["fees"], live=True)  # fmt: skip


def test_a_credit_of_a_refund_covers_no_payment() -> None:
    store = a_store()
    write(store, an_order())
    tell(store, a_fee("-0.50", covers="0", reference="refund 1", when="2026-03-09"))
    the_fees(store, """
        account       event_day   amount  how
        fees:payment  2026-03-03  -1.75   estimated
        fees:payment  2026-03-09  0.50    actual
    """)  # fmt: skip


def test_a_fee_that_the_platform_states_stands_and_the_files_is_kept_unbooked() -> None:
    store = a_store()
    write(store, an_order(fee="1.55"))
    assert tell(store, a_fee("1.60")).left_out == 1
    the_fees(store, """
        account       event_day   amount  how
        fees:payment  2026-03-03  -1.55   actual
    """)  # fmt: skip


def test_a_fee_that_is_taken_back_gives_way_to_the_estimate() -> None:
    store = a_store()
    write(store, an_order())
    tell(store, a_fee("1.60"))
    remove(store, ids=of_cause(store.pk, "import:1"), cause=UNDO, now=at(NOON))
    the_fees(store, """
        account       event_day   amount  how
        fees:payment  2026-03-03  -1.75   estimated
    """)  # fmt: skip


def test_a_fee_waits_for_its_order() -> None:
    store = a_store()
    assert tell(store, a_fee("1.60")).unmatched == (0,)
    write(store, an_order())
    the_fees(store, """
        account       event_day   amount  how
        fees:payment  2026-03-03  -1.60   actual
    """)  # fmt: skip


def test_a_chargeback_takes_its_amount_from_the_returns_and_its_fee_from_the_fees() -> None:
    store = a_store()
    write(store, an_order(stated_total="50.00", stated_refunded="0"))
    tell(
        store, a_fee("50.00", covers="0", kind=ChargeKind.CHARGEBACK, reference="d1", when="2026-03-20"),
        a_fee("15.00", covers="0", kind=ChargeKind.DISPUTE_FEE, reference="d1", when="2026-03-20"),
    )  # fmt: skip
    assert_statement(store, "2026-03-20", """
        returns     -50.00
        fees        -15.00
        net_profit  -65.00
    """)  # fmt: skip
    assert [problems for problems in check_all(book_of(store)).values() if problems] == []


def test_a_chargeback_that_is_won_comes_back_on_its_own_day() -> None:
    store = a_store()
    write(store, an_order())
    tell(store, a_fee("50.00", covers="0", kind=ChargeKind.CHARGEBACK, reference="d1", when="2026-03-20"))
    tell(store, a_fee("-50.00", covers="0", kind=ChargeKind.CHARGEBACK, reference="d2", when="2026-04-20"))
    assert_entries(store, """
        account                    event_day   amount
        sales:returns:chargebacks  2026-03-20  -50.00
        sales:returns:chargebacks  2026-04-20  50.00
    """, only=["sales:returns"])  # fmt: skip


def test_an_unpaid_order_bears_the_fee_that_was_kept() -> None:
    store = a_store()
    write(store, an_order(status=FinancialStatus.VOIDED))
    tell(store, a_fee("1.60"))
    the_fees(store, """
        account       event_day   amount  how
        fees:payment  2026-03-03  -1.60   actual
    """)  # fmt: skip


def test_the_order_shows_each_payments_own_fee_and_who_told_it() -> None:
    store = paid(a_payment("60.00", gateway="stripe"), a_payment("40.00", external_id="p2", gateway="paypal"))
    tell(store, a_fee("2.04", covers="60"))
    (order,) = order_profit(store, "1001")
    assert [(payment.gateway, str(payment.fee), payment.why, payment.estimated) for payment in order.payments] == [
        ("stripe", "-2.0400", "told by the processor's file", False),
        ("paypal", "-1.4600", "default fee: percentage of the charge plus a fixed part", True),
    ]


def test_a_transaction_that_two_files_tell_under_two_names_of_its_order_is_booked_once() -> None:
    store = a_store()
    write(store, structs.replace(an_order(), external_id="gid-77"))
    tell(store, a_fee("1.60", order="gid-77"))
    tell(store, a_fee("1.60"), cause_ref="import:2")
    once = """
        account       event_day   amount  how
        fees:payment  2026-03-03  -1.60   actual
    """
    the_fees(store, once)
    remove(store, cause_ref="import:2", cause=UNDO, now=at(NOON))
    the_fees(store, once)
    assert [problems for problems in check_all(book_of(store)).values() if problems] == []
