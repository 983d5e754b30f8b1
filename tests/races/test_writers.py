"""Real writers on real connections: whoever comes first, the book ends the same."""

from collections.abc import Callable
from decimal import Decimal
from threading import Barrier, Thread
from time import sleep

import pytest
from django.db import connection, transaction

from ledger.audit import audit
from ledger.book import reposting
from ledger.book.reposting import costs_changed, is_restating, repost, restate
from ledger.book.totals import recompute
from ledger.cause import Cause
from ledger.charges.charges import ChargeFact, record_charges
from ledger.costs.accruing import accrue
from ledger.costs.labels import account_number
from ledger.kinds import CauseKind, ChargeKind
from ledger.models import Batch, CogsRule, CostDefaults, ManualCost, Order, OrderCharge, Store
from ledger.periods import Period
from ledger.posting import hold_book
from ledger.record import Recorded, record
from ledger.rules.rules import change
from ledger.statements import profit
from tests.builders import SYNC, a_refund, a_store, an_order, at, book_of, day
from tests.ledger_text import assert_statement, statement

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]

RULE = Cause(CauseKind.RULE, "costs:1")


def _at_once(*works: Callable[[], object]) -> list[object]:
    """Run works in threads that start together, and return their results; raise what one of them raised."""
    barrier = Barrier(len(works))
    results: list[object] = [None] * len(works)
    errors: list[BaseException] = []

    def run(index: int, work: Callable[[], object]) -> None:
        try:
            barrier.wait(30)
            results[index] = work()
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [Thread(target=run, args=pair) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(100)
    if errors:
        raise errors[0]
    return results


def _assert_sound(store: Store) -> None:
    assert {name: problems for name, problems in audit(book_of(store)).items() if problems} == {}


def _orders(count: int, *, refunded: bool = False) -> list:
    then = [a_refund("50.00", restocked=True)] if refunded else []
    return [an_order(str(n), customer=f"c{n % 3}", then=then, updated=f"2026-03-{10 + refunded} 12:00") for n in range(count)]


SOLD = "gross_sales 1000.00\n cogs -400.00\n fees -35.00\n net_profit 565.00\n orders 20\n units 20\n new_customers 3"


@pytest.mark.parametrize("attempt", range(5))
def test_two_writers_of_the_same_facts_record_them_once(attempt):
    store = a_store()
    facts = _orders(20)
    one, two = _at_once(lambda: record(store, facts, cause=SYNC), lambda: record(store, facts, cause=SYNC))
    assert isinstance(one, Recorded)
    assert isinstance(two, Recorded)
    assert sorted([(one.new, one.unchanged), (two.new, two.unchanged)]) == [(0, 20), (20, 0)]
    assert_statement(store, "2026-03-03", SOLD)
    assert Batch.objects.filter(book_id=store.pk).count() == 1
    _assert_sound(store)


@pytest.mark.parametrize("attempt", range(5))
def test_overlapping_orders_in_opposite_order_are_each_recorded_once(attempt):
    store = a_store()
    facts = _orders(20)
    upwards, downwards = facts[:14], facts[:5:-1]
    record(store, facts[8:10], cause=SYNC)
    _at_once(lambda: record(store, upwards, cause=SYNC), lambda: record(store, downwards, cause=SYNC))
    assert_statement(store, "2026-03-03", SOLD)
    _assert_sound(store)


@pytest.mark.parametrize("attempt", range(3))
def test_two_writers_who_change_the_same_orders_one_by_one_end_with_the_newest(attempt):
    store = a_store()
    old, new = _orders(20), _orders(20, refunded=True)
    _at_once(
        lambda: [record(store, [fact], cause=SYNC) for fact in old],
        lambda: [record(store, [fact], cause=SYNC) for fact in reversed(new)],
        lambda: [record(store, [fact], cause=SYNC) for fact in new],
    )
    assert_statement(store, "2026-03-03", SOLD)
    assert_statement(store, "2026-03-10", "returns -1000.00\n cogs 400.00\n net_profit -600.00\n returned_units 20")
    _assert_sound(store)


def test_totals_rebuilt_while_others_write_stay_equal_to_the_entries():
    store = a_store()

    def rebuild() -> None:
        for _ in range(15):
            with transaction.atomic():
                hold_book(store.pk)
                recompute(store.pk)

    old, new = _orders(20), _orders(20, refunded=True)
    _at_once(
        rebuild,
        lambda: [record(store, [fact], cause=SYNC) for fact in old],
        lambda: [record(store, [fact], cause=SYNC) for fact in reversed(new)],
    )
    assert_statement(store, "2026-03-03", SOLD)
    _assert_sound(store)


@pytest.mark.parametrize("attempt", range(3))
def test_costs_that_change_while_orders_arrive_reach_every_order(attempt):
    store = a_store()
    CostDefaults.objects.update(cogs_percentage=Decimal(40))
    facts = _orders(40)

    def change() -> None:
        with transaction.atomic():
            CostDefaults.objects.update(cogs_percentage=Decimal(50))
            costs_changed(store)
        repost(store, cause=RULE)

    _at_once(change, *(lambda share=share: [record(store, [fact], cause=SYNC) for fact in facts[share::2]] for share in (0, 1)))
    assert set(Order.objects.filter(store=store).values_list("cogs", flat=True)) == {Decimal(25)}
    assert not is_restating(store)
    _assert_sound(store)


@pytest.mark.parametrize("attempt", range(5))
def test_reposting_while_the_same_orders_change_ends_with_both(attempt):
    store = a_store()
    record(store, _orders(30), cause=SYNC)
    newer = _orders(30, refunded=True)

    def change() -> None:
        for percentage in (50, 60, 70, 80):
            with transaction.atomic():
                CostDefaults.objects.update(cogs_percentage=Decimal(percentage))
                costs_changed(store)
            repost(store, cause=RULE)

    _at_once(change, lambda: [record(store, newer[at : at + 3], cause=SYNC) for at in range(0, 30, 3)])
    assert_statement(store, "2026-03-10", "returns -1500.00\n cogs 1200.00\n net_profit -300.00\n returned_units 30")
    sold = "gross_sales 1500.00\n cogs -1200.00\n fees -52.50\n net_profit 247.50\n orders 30\n units 30\n new_customers 3"
    assert_statement(store, "2026-03-03", sold)
    _assert_sound(store)


def test_a_view_as_of_a_batch_stays_while_others_write():
    store = a_store()
    for fact in _orders(12):
        record(store, [fact], cause=SYNC)
    believed = statement(store, "2026-03-03", as_of=11).accounts
    stale = book_of(store)
    march = [Period(day("2026-03-01"), day("2026-03-31"))]
    later = [an_order(f"later {n}") for n in range(100)]

    def read() -> set[bool]:
        return {profit(book_of(store), march, as_of=11)[0].accounts == believed for _ in range(300)}

    def write() -> None:
        for start in range(0, 100, 10):
            record(store, later[start : start + 10], cause=SYNC)

    assert _at_once(read, read, write)[:2] == [{True}, {True}]
    assert profit(stale, march, as_of=12)[0].orders == 12


def test_two_stores_are_written_at_once_without_waiting_for_each_other():
    stores = [a_store(), a_store()]
    with transaction.atomic():
        hold_book(stores[0].pk)
        _at_once(lambda: record(stores[1], _orders(20), cause=SYNC))
    assert_statement(stores[1], "2026-03-03", SOLD)


@pytest.mark.parametrize("attempt", range(5))
def test_orders_and_what_a_file_charges_them_with_find_each_other_whoever_comes_first(attempt):
    store = a_store()
    facts = _orders(20)
    labels = [ChargeFact(ChargeKind.LABEL, str(n), "T", 10_000, "EUR") for n in range(20)]
    _at_once(
        lambda: [record(store, [fact], cause=SYNC) for fact in facts],
        lambda: [record_charges(store, labels[n : n + 4], cause_ref="import:7", actor="", now=at("2026-04-01 09:00")) for n in range(0, 20, 4)],
        lambda: [record(store, [fact], cause=SYNC) for fact in _orders(20, refunded=True)],
    )
    assert OrderCharge.objects.filter(store=store, order_id=None).count() == 0
    assert str(statement(store, "2026-03-03").lines["fulfilment"]) == "-20.0000"
    _assert_sound(store)


@pytest.mark.parametrize("attempt", range(5))
def test_two_stores_that_use_a_new_label_at_once_book_on_one_account(attempt):
    stores = [a_store() for _ in range(2)]

    def rent(store: Store) -> int:
        cost = ManualCost(
            category="operating", label="new-rent", basis="once", amount=31, currency="EUR", effective_from=day("2026-03-01"),
            effective_to=day("2026-03-31"),
        )  # fmt: skip
        change(store, add=[cost], actor="ann", now=at("2026-04-01 12:00"))
        return account_number("operating:new-rent")

    one, two = _at_once(lambda: rent(stores[0]), lambda: rent(stores[1]))
    assert one == two
    assert [statement(store, "2026-03-01", "2026-03-31").accounts for store in stores] == [{"operating:new-rent": Decimal(-31)}] * 2


def test_days_that_come_are_booked_once_while_the_cost_is_taken_back():
    store = a_store()
    cost = ManualCost(category="operating", label="rent", basis="day", amount=1, currency="EUR", effective_from=day("2026-03-01"))
    change(store, add=[cost], actor="ann", now=at("2026-03-02 12:00"))
    now = at("2026-03-20 12:00")
    _at_once(
        lambda: accrue(store, today=day("2026-03-20"), now=now), lambda: accrue(store, today=day("2026-03-20"), now=now),
        lambda: change(store, remove=[cost], actor="ann", now=now),
    )  # fmt: skip
    assert statement(store, "2026-03-01", "2026-03-31").net_profit == 0
    _assert_sound(store)


@pytest.mark.parametrize("attempt", range(3))
def test_restating_by_sets_while_single_orders_arrive_and_change_reaches_every_order(attempt, monkeypatch):
    monkeypatch.setattr(reposting, "SET_CHUNK", 7)
    monkeypatch.setattr(reposting, "IN_ONE_LANE", 50)  # one connection at first, two when all orders are there
    store = a_store()
    record(store, _orders(40), cause=SYNC)
    newer = _orders(60, refunded=True)

    def changes() -> None:
        for percentage in (50, 60, 70, 80):
            change(store, add=[CogsRule(percentage=percentage)], actor="ann", now=at("2026-03-20 09:00"))
            restate(store, cause=RULE)

    def single(share: int) -> None:
        for fact in newer[share::2]:
            record(store, [fact], cause=SYNC)

    _at_once(changes, lambda: single(0), lambda: single(1))
    assert not is_restating(store)
    assert set(Order.objects.filter(store=store).values_list("cogs", flat=True)) == {Decimal(0)}
    assert_statement(store, "2026-03-10", "returns -3000.00\n cogs 2400.00\n net_profit -600.00\n returned_units 60")
    _assert_sound(store)
    assert repost(store, cause=RULE) == 0


def test_two_restatings_of_one_store_at_once_write_once(monkeypatch):
    monkeypatch.setattr(reposting, "SET_CHUNK", 7)
    store = a_store()
    record(store, _orders(40), cause=SYNC)
    change(store, add=[CogsRule(percentage=50)], actor="ann", now=at("2026-03-20 09:00"))
    written = _at_once(lambda: restate(store, cause=RULE), lambda: restate(store, cause=RULE))
    assert sum(written) == 80
    _assert_sound(store)


def test_orders_keep_posting_while_a_change_of_rules_is_written():
    store = a_store()
    record(store, _orders(1), cause=SYNC)
    now = at("2026-04-01 12:00")
    change(store, add=[CogsRule(percentage=30)], actor="ann", now=now)
    recorded: list[object] = []

    def change_again() -> None:
        change(store, add=[CogsRule(percentage=35)], actor="bob", now=now)
        connection.close()

    def post() -> None:
        recorded.append(record(store, [an_order("next")], cause=SYNC))
        connection.close()

    changing, posting = Thread(target=change_again), Thread(target=post)
    with transaction.atomic():
        CogsRule.objects.select_for_update().get()  # the change is stopped in the middle of its writing
        changing.start()
        _until_somebody_waits()
        posting.start()
        posting.join(20)
        assert recorded == [Recorded(new=1, entries=5, batches=(2,))]
    changing.join(20)
    restate(store, cause=RULE)
    assert str(statement(store, "2026-03-03").lines["cogs"]) == "-35.0000"
    _assert_sound(store)


def test_orders_through_new_channels_arrive_while_rules_change():
    store = a_store()
    facts = [an_order(str(n), channel=f"channel-{n}") for n in range(30)]
    _at_once(
        lambda: [record(store, [fact], cause=SYNC) for fact in facts],
        lambda: [change(store, add=[CogsRule(percentage=n)], actor="ann", now=at("2026-04-01 12:00")) for n in range(11, 31)],
    )
    restate(store, cause=RULE)
    assert str(statement(store, "2026-03-03").lines["cogs"]) == "-450.0000"
    _assert_sound(store)


def _until_somebody_waits() -> None:
    """Wait until another connection waits for a lock."""
    for _ in range(200):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_clear_snapshot()")  # else a transaction keeps seeing what it saw first
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
            if cursor.fetchone()[0]:
                return
        sleep(0.05)
    raise AssertionError("nobody waits")
