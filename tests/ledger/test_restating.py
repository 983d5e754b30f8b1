"""Restating after changes of costs: what they reach is drafted again, once, and nothing else is looked at."""

from decimal import Decimal

import pytest

from ledger.cause import Cause
from ledger.kinds import CauseKind
from ledger.models import CogsRule, CostDefaults, FeeRule, Order, OrderLine, ProfitGoal, Store, Variant, VariantCost
from ledger.models.rules import Rule
from ledger.reposting import costs_changed, is_restating, repost, restate
from ledger.rules import change
from profitpeek.jobs.models import Job
from profitpeek.jobs.running import run
from tests.builders import a_line, a_store, an_order, at, book_of, day, write

pytestmark = pytest.mark.django_db

NOW = at("2026-03-20 09:00")
RULE = Cause(CauseKind.RULE, "costs")


@pytest.fixture
def store() -> Store:
    """Return a store that sold a mug on the third of March, a cap on the fourth, both on the fifth."""
    store = a_store(slug="shop")
    mug, cap = a_line("1", variant="mug"), a_line("2", variant="cap")
    for number, lines in (("3", [mug]), ("4", [cap]), ("5", [mug, cap])):
        write(store, an_order(number, lines=lines, when=f"2026-03-0{number} 12:00"))
    return store


def make(store: Store, *add: Rule) -> None:
    change(store, add=add, actor="ann@example.com", now=NOW)


def looked_at(store: Store) -> tuple[int, list[tuple[int, int]]]:
    """Restate, and return the entries that wrote with the progress that was told."""
    told: list[tuple[int, int]] = []
    return restate(store, cause=RULE, progress=lambda done, whole: told.append((done, whole))), told


def mug_cost(goods: str) -> VariantCost:
    return VariantCost(variant=Variant.objects.get(external_id="mug"), goods=goods, currency="EUR")


def test_only_what_a_change_reaches_is_looked_at(store: Store) -> None:
    make(store, mug_cost("7.00"))
    assert looked_at(store) == (4, [(2, 2)])
    make(store, CogsRule(percentage=30, effective_from=day("2026-03-05")))
    assert looked_at(store) == (2, [(1, 1)])
    make(store, FeeRule(gateway="paypal", percentage=5))
    assert looked_at(store) == (0, [])
    assert not is_restating(store)


def test_a_change_that_reaches_orders_and_moves_nothing_writes_nothing(store: Store) -> None:
    make(store, CogsRule(percentage=40, effective_to=day("2026-03-04")))
    assert looked_at(store) == (0, [(2, 2)])
    assert set(OrderLine.objects.filter(order_id=Order.objects.get(number="#3").pk).values_list("cost_source", flat=True)) == {5}


def test_changes_in_quick_succession_are_one_run(store: Store) -> None:
    make(store, mug_cost("7.00"))
    make(store, mug_cost("8.00"))
    make(store, CogsRule(percentage=30, effective_to=day("2026-03-03")))
    assert book_of(store).costs_version == 3
    assert looked_at(store) == (4, [(2, 2)])
    assert book_of(store).restated_version == 3
    assert looked_at(store) == (0, [])


def test_what_is_no_kept_change_reaches_every_order(store: Store) -> None:
    CostDefaults.objects.update(cogs_percentage=Decimal(50))
    costs_changed(store)
    make(store, mug_cost("7.00"))
    assert looked_at(store) == (8, [(3, 3)])


def test_orders_drafted_by_an_older_version_are_all_drafted_again(store: Store) -> None:
    Order.objects.filter(number="#4").update(draft_version=0)
    make(store, mug_cost("7.00"))
    assert looked_at(store) == (4, [(3, 3)])
    assert set(Order.objects.values_list("draft_version", flat=True)) == {1}


def test_a_profit_goal_moves_no_order(store: Store) -> None:
    make(store, ProfitGoal(amount=100))
    assert not Job.objects.exists()
    assert not is_restating(store)


def test_a_change_made_while_another_is_restated_is_left_to_the_next_run(store: Store) -> None:
    make(store, mug_cost("7.00"))
    restate(store, cause=RULE, progress=lambda done, whole: make(store, CogsRule(percentage=30, effective_to=day("2026-03-04"))))
    assert (book_of(store).restated_version, is_restating(store)) == (1, True)
    assert looked_at(store) == (2, [(2, 2)])
    assert repost(store, cause=RULE) == 0


@pytest.mark.django_db(transaction=True)
def test_the_background_job_restates(store: Store) -> None:
    make(store, mug_cost("7.00"))
    make(store, mug_cost("9.00"))
    job = Job.objects.get(state="waiting")
    run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.done, job.whole, is_restating(store)) == ("done", 2, 2, False)
    assert repost(store, cause=RULE) == 0
