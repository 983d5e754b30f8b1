"""Hold a simulated business to itself: the same seed, the same business; sums that add up; a past that only grows."""

from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from connectors.sandbox.knowledge import Knowledge
from connectors.sandbox.scenarios import SCENARIOS, habits_of
from connectors.sandbox.story import ProcessorFee
from connectors.sandbox.told import Order
from connectors.sandbox.world import World
from tests.sandbox.small_worlds import WORLDS

START = date(2026, 1, 1)
LATER = datetime(2026, 9, 1, tzinfo=UTC)


def world(scenario: str = "quiet", *, seed: int = 1, days: int = 30, orders_per_day: int = 5) -> World:
    return World.live(seed=seed, start=START, days=days, orders_per_day=orders_per_day, scenario=scenario)


def written(made: World) -> bytes:
    return msgspec.json.encode([list(made.stories()), list(made.catalogue.variants.values()), made.shop])


@pytest.mark.parametrize("scenario", sorted(SCENARIOS))
def test_the_same_seed_makes_the_same_business_to_the_last_byte(scenario: str) -> None:
    assert written(world(scenario)) == written(world(scenario))


def test_another_seed_makes_another_business() -> None:
    assert written(world(seed=1)) != written(world(seed=2))


def test_an_order_made_alone_is_the_one_made_in_its_turn() -> None:
    made = world()
    assert [made.story(story.id) for story in made.stories()] == list(world().stories())


@given(seed=st.integers(0, 10**9), scenario=st.sampled_from(sorted(SCENARIOS)))
@settings(max_examples=40, deadline=None)
def test_the_sales_of_an_order_add_up_to_what_it_states(seed: int, scenario: str) -> None:
    for order in world(scenario, seed=seed, days=6).orders(LATER):
        sales = [sale for agreement in order.agreements for sale in agreement.sales]
        totals = order.totals
        assert sum(sale.total for sale in order.agreements[0].sales) == totals.original_total
        assert sum(sale.total for sale in sales) == totals.current_total + totals.refund_discrepancy == totals.outstanding + totals.net_payment
        assert sum(sale.tax for sale in sales) == totals.current_tax
        assert all(sum(line.amount for line in sale.taxes) == sale.tax for sale in sales)


@given(seed=st.integers(0, 10**9), scenario=st.sampled_from(sorted(SCENARIOS)))
@settings(max_examples=40, deadline=None)
def test_what_is_earned_less_fees_is_what_is_paid_out(seed: int, scenario: str) -> None:
    made = world(scenario, seed=seed, days=6)
    moves = made.balance(LATER, transfers=False)
    assert all(move.net == move.amount - move.fee for move in moves)
    assert sum(payout.net for payout in made.payouts(LATER)) == sum(move.net for move in moves)
    assert all(payout.net == sum(value if key.endswith("gross") else -value for key, value in payout.parts.items()) for payout in made.payouts(LATER))


def without_fees(order: Order | None) -> Order | None:
    """Leave out fees, which may be told late while the order counts as unchanged."""
    return order and structs.replace(order, transactions=tuple(structs.replace(each, fee=None) for each in order.transactions))


@given(seed=st.integers(0, 10**9), scenario=st.sampled_from(sorted(SCENARIOS)))
@settings(max_examples=40, deadline=None)
def test_what_was_told_once_stays_told(seed: int, scenario: str) -> None:
    made = world(scenario, seed=seed, days=3)
    for story in made.stories():
        before = None
        for days in range(0, 90, 6):
            order = without_fees(made.order(story.id, story.created_at + timedelta(days=days)))
            if before is not None and order is not None:
                assert order.agreements[: len(before.agreements)] == before.agreements
                assert order.transactions[: len(before.transactions)] == before.transactions
                assert order.updated_at >= before.updated_at
                if order.updated_at == before.updated_at:
                    assert structs.replace(order, disputes=(), journey=None) == structs.replace(before, disputes=(), journey=None)
            before = order


def test_changes_of_a_span_are_those_of_all_time_that_lie_in_it() -> None:
    made = world("ties_in_updated_at")
    now, since, until = datetime(2026, 2, 20, tzinfo=UTC), datetime(2026, 1, 20, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    everything = made.changes(now)
    assert [(change.at, change.order) for change in everything] == sorted((order.updated_at, order.id) for order in made.orders(now))
    assert made.changes(now, since=since, until=until) == [change for change in everything if since <= change.at < until]


def test_orders_tagged_together_change_within_one_second() -> None:
    changes = world("ties_in_updated_at").changes(datetime(2026, 1, 8, 16, tzinfo=UTC))
    times = [change.at for change in changes]
    assert times.count(datetime(2026, 1, 8, 15, tzinfo=UTC)) == 29


def test_deleted_orders_are_told_no_more() -> None:
    made = world("deleted_orders", days=60)
    gone = made.deleted(LATER)
    assert gone
    assert all(made.order(change.order, LATER) is None for change in gone)
    assert all(made.order(change.order, change.at - timedelta(seconds=1)) is not None for change in gone)


def test_a_scenario_nobody_wrote_is_named_with_those_there_are() -> None:
    with pytest.raises(KeyError, match="no scenario 'storm'; there are black_friday, cancellations"):
        habits_of("storm")


def test_fees_told_late_leave_the_order_as_unchanged_as_it_was() -> None:
    made = WORLDS["marketplaces_and_banks"]()
    untold, told = (made.order(1003, datetime(2026, 3, day, 20, tzinfo=UTC)) for day in (6, 7))
    assert untold is not None and told is not None
    assert untold.updated_at == told.updated_at == datetime(2026, 3, 5, 15, tzinfo=UTC)
    assert untold.transactions[0].fee is None
    assert told.transactions[0].fee == ProcessorFee(187, "USD", 29_000, 30)
    moves = [(move.type, move.amount, move.fee) for move in made.balance(datetime(2026, 3, 6, tzinfo=UTC)) if move.order == 1003]
    assert moves == [("CHARGE", 5400, 187), ("RESERVED_FUNDS", -540, 0)]


def test_a_card_held_and_never_charged_expires() -> None:
    made = WORLDS["marketplaces_and_banks"]()
    states = [made.order(1002, datetime(2026, 3, day, 20, tzinfo=UTC)) for day in (10, 11)]
    assert [order and order.financial_status for order in states] == ["AUTHORIZED", "EXPIRED"]


def test_deleted_products_are_sold_no_more_and_their_cost_is_lost_to_who_comes_late() -> None:
    made = world("deleted_products", days=60)
    gone = {product.id: product.deleted_at for product in made.catalogue.products.values() if product.deleted_at}
    assert len(gone) == 15
    assert {product.id for product in made.products(LATER)} == set(made.catalogue.products) - set(gone)
    placed = [(story.created_at, item.product) for story in made.stories() for item in story.items if item.product in gone]
    assert all(at < gone[product] for at, product in placed)
    variant = next(each for each in made.catalogue.variants.values() if each.product in gone and each.costs)
    day = date(2026, 1, 2)
    assert Knowledge(made.shop, made.catalogue, at=LATER).cost(variant.id, day)[0] is not None
    assert Knowledge(made.shop, made.catalogue, at=LATER, watched_since=LATER).cost(variant.id, day) == (None, False)


def test_a_busy_day_sells_six_times_as_much() -> None:
    sold = {name: [0] * 30 for name in ("quiet", "black_friday")}
    for name, days in sold.items():
        made = world(name, orders_per_day=50)
        for story in made.stories():
            days[(made.shop.day(story.processed_at) - START).days] += 1
    usual, busy = sold["quiet"][11], sold["black_friday"][11]
    assert (usual, busy) == (42, 252)
    assert [days for place, days in enumerate(sold["quiet"]) if place != 11] == [
        days for place, days in enumerate(sold["black_friday"]) if place != 11
    ]
