"""Profit goals: which holds in a month, and how far the month has got."""

from decimal import Decimal

import pytest

from ledger.costs.goals import Progress, goal_of, progress
from ledger.models import ManualCost, ProfitGoal, Store
from ledger.rules.rules import change
from profitpeek.jobs.models import Job
from tests.builders import a_line, a_store, an_order, at, day, write

pytestmark = pytest.mark.django_db

NOW = at("2026-03-20 09:00")


@pytest.fixture
def store() -> Store:
    store = a_store(slug="shop")
    write(store, an_order("1", lines=[a_line(price="1000.00", cost="400.00")], fee="0.00"))
    cost = ManualCost(
        category="operating",
        label="rent",
        basis="month",
        amount=310,
        currency="EUR",
        effective_from=day("2026-03-01"),
        effective_to=day("2026-03-31"),
    )
    change(store, add=[cost], actor="ann", now=NOW)
    return store


def goal(amount: int, first: str | None = None, last: str | None = None) -> ProfitGoal:
    return ProfitGoal(amount=amount, effective_from=first and day(first), effective_to=last and day(last))


def test_a_later_goal_takes_over_from_its_month(store: Store) -> None:
    Job.objects.all().delete()  # the check of the rent
    change(store, add=[goal(1000)], actor="ann", now=NOW)
    made = change(store, add=[goal(2000, "2026-04-01", "2026-05-31")], actor="ann", now=NOW)
    found = {month: goal_of(store, day(f"2026-{month}-15")) for month in ("03", "04", "05", "06")}
    assert found == {"03": 1000, "04": 2000, "05": 2000, "06": 1000}
    assert (made.costs_version, Job.objects.exists()) == (None, False)


def test_progress_is_the_net_profit_so_far_and_its_share_of_the_goal(store: Store) -> None:
    assert progress(store, day("2026-03-15"), today=day("2026-03-20")) == Progress(None, Decimal(400), None)
    change(store, add=[goal(1600, "2026-03-01")], actor="ann", now=NOW)
    # 1000 − 400 of goods − 20 days of 10
    assert progress(store, day("2026-03-15"), today=day("2026-03-20")) == Progress(Decimal(1600), Decimal(400), Decimal("0.25"))
    assert progress(store, day("2026-03-15"), today=day("2026-03-04")).reached == 560
    assert progress(store, day("2026-03-15"), today=day("2026-06-04")).reached == 400
    assert progress(store, day("2026-04-01"), today=day("2026-03-31")) == Progress(Decimal(1600), None, None)
    assert goal_of(a_store(slug="other"), day("2026-03-15")) is None
