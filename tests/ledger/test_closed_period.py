"""A closed period never moves: corrections post on the first open day, in a batch with its own cause."""

import pytest

from ledger.kinds import Basis
from ledger.models import Batch
from tests.builders import a_refund, a_store, an_order, close_through, write
from tests.ledger_text import assert_entries, assert_statement

pytestmark = pytest.mark.django_db

SOLD = "gross_sales 50.00\n cogs -20.00\n fees -1.75\n net_profit 28.25\n orders 1\n units 1"


def _causes(store):
    return list(Batch.objects.filter(book_id=store.pk).order_by("seq").values_list("seq", "cause", "cause_ref", "entries"))


def test_order_of_a_closed_day_is_booked_on_the_first_open_day():
    store = a_store()
    close_through(store, "2026-03-31")
    write(store, an_order())
    assert_entries(store, "day event_day order_day account amount\n 2026-04-01 2026-03-03 2026-03-03 sales:gross 50.00", only=("sales",))
    assert_statement(store, "2026-03-03", "")
    assert_statement(store, "2026-04-01", SOLD)
    assert_statement(store, "2026-03-03", SOLD, basis=Basis.ORDER)
    assert _causes(store) == [(1, 6, "closed period; sync:1", 5)]


def test_correction_of_a_closed_day_leaves_it_and_books_the_difference_after_it():
    store = a_store()
    write(store, an_order(fee="1.75"))
    close_through(store, "2026-03-31")
    write(store, an_order(fee="1.25"))
    assert_entries(
        store,
        """
        seq day        event_day  revision reverses amount
        1   2026-03-03 2026-03-03 1        no        -1.75
        2   2026-04-01 2026-03-03 1        yes        1.75
        2   2026-04-01 2026-03-03 2        no        -1.25
        """,
        only=("fees",),
    )
    assert_statement(store, "2026-03-03", SOLD)
    assert_statement(store, "2026-04-01", "fees 0.50\n net_profit 0.50")
    assert_statement(store, "2026-03-03", SOLD.replace("-1.75", "-1.25").replace("28.25", "28.75"), basis=Basis.ORDER)


def test_what_is_late_and_what_is_not_are_two_batches():
    store = a_store()
    close_through(store, "2026-03-31")
    write(store, an_order(then=[a_refund(when="2026-04-10 12:00")]))
    assert_entries(
        store,
        """
        seq day        event_day  account       amount
        1   2026-04-10 2026-04-10 sales:returns -50.00
        2   2026-04-01 2026-03-03 sales:gross    50.00
        """,
        only=("sales",),
    )
    assert _causes(store) == [(1, 1, "sync:1", 2), (2, 6, "closed period; sync:1", 5)]


def test_a_correction_of_a_correction_stays_where_it_was_booked():
    store = a_store()
    close_through(store, "2026-03-31")
    write(store, an_order(fee="1.75"))
    write(store, an_order(fee="1.25"))
    assert_entries(
        store,
        """
        day        revision reverses amount
        2026-04-01 1        no        -1.75
        2026-04-01 1        yes        1.75
        2026-04-01 2        no        -1.25
        """,
        only=("fees",),
    )


def test_closing_further_moves_corrections_further():
    store = a_store()
    close_through(store, "2026-03-31")
    write(store, an_order(fee="1.75"))
    close_through(store, "2026-04-30")
    write(store, an_order(fee="1.25"))
    assert_statement(store, "2026-04-01", SOLD)
    assert_statement(store, "2026-05-01", "fees 0.50\n net_profit 0.50")


def test_replaying_into_a_closed_period_writes_nothing():
    store = a_store()
    write(store, an_order("1"))
    close_through(store, "2026-03-31")
    write(store, an_order("2"))
    assert (write(store, an_order("1"), an_order("2")).entries, len(_causes(store))) == (0, 2)


def test_the_last_closed_day_is_closed_and_the_next_is_open():
    store = a_store()
    close_through(store, "2026-03-03")
    write(store, an_order("1", when="2026-03-03 23:59"), an_order("2", when="2026-03-04 00:00"))
    assert_entries(
        store,
        """
        seq source day        amount
        1   2      2026-03-04  50.00
        2   1      2026-03-04  50.00
        """,
        only=("sales",),
    )
