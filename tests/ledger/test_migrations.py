"""What was set before changes of costs were kept survives the way to dated rules."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

BEFORE = [("ledger", "0004_dated_cost_rules")]
AFTER = [("ledger", "0009_manual_costs_are_dated_rules")]


def migrate(to: list[tuple[str, str]]) -> Any:
    """Bring the database to a state and return its models."""
    MigrationExecutor(connection).migrate(to)
    return MigrationExecutor(connection).loader.project_state(to).apps


@pytest.fixture
def old() -> Iterator[Any]:
    """Return the models as they were, and bring every app back to its latest ones afterwards: others lean on the ledger's."""
    yield migrate(BEFORE)
    migrate(MigrationExecutor(connection).loader.graph.leaf_nodes())


def test_costs_by_hand_and_undated_percentages_become_rules_with_a_change(old: Any) -> None:
    model = lambda name: old.get_model("ledger", name)  # noqa: E731
    store = model("Store").objects.create(name="Shop", slug="shop", currency="EUR", cogs_percentage=Decimal("37.5"))
    other = model("Store").objects.create(name="Other", slug="other", currency="EUR")
    product = model("Product").objects.create(store=store, platform="shop", external_id="mug", cogs_percentage=30)
    spans = {"from_day": date(2026, 3, 1), "to_day": date(2026, 3, 31)}
    costs = model("ManualCost").objects
    kept = costs.create(store=store, category="operating", label="rent", amount=310, currency="EUR", note="studio", **spans)
    gone = costs.create(
        store=store, category="marketing", label="influencer", amount=5, currency="EUR", removed_at=datetime(2026, 4, 1, tzinfo=UTC), **spans
    )  # fmt: skip
    set_by_hand = model("CostChange").objects.create(store=store, at=datetime(2026, 2, 1, tzinfo=UTC), summary="20 % for a week")
    dated = {"effective_from": date(2026, 3, 10), "effective_to": date(2026, 3, 16)}
    model("CogsRule").objects.create(store=store, product=product, percentage=20, added_by=set_by_hand, **dated)

    new = migrate(AFTER)
    rows = new.get_model("ledger", "ManualCost").objects
    rent, influencer = rows.get(pk=kept.pk), rows.get(pk=gone.pk)
    assert (rent.basis, rent.amount, rent.effective_from, rent.effective_to, rent.removed_by) == (
        "once", 310, date(2026, 3, 1), date(2026, 3, 31), None,
    )  # fmt: skip
    assert (rent.added_by.summary, rent.added_by.reason) == ("Costs entered by hand", "before changes were kept")
    assert (influencer.removed_by.summary, influencer.removed_by.at) == ("Costs taken back", datetime(2026, 4, 1, tzinfo=UTC))
    standing = new.get_model("ledger", "CogsRule").objects.filter(removed_by=None).order_by("product", "effective_from")
    told = [(rule.product_id, rule.percentage, str(rule.effective_from or ""), str(rule.effective_to or "")) for rule in standing]
    assert sorted(told, key=str) == sorted(
        [
            (None, Decimal("37.5"), "", ""), (product.pk, Decimal(30), "", "2026-03-09"), (product.pk, Decimal(20), "2026-03-10", "2026-03-16"),
            (product.pk, Decimal(30), "2026-03-17", ""),
        ],
        key=str,
    )  # fmt: skip
    assert not new.get_model("ledger", "CostChange").objects.filter(store_id=other.pk).exists()


def test_labels_that_were_told_without_tracking_numbers_are_named_by_their_days(old: Any) -> None:
    before = migrate([("ledger", "0023_find_entries_beneath_a_figure")])
    store = before.get_model("ledger", "Store").objects.create(name="Shop", slug="shop", currency="EUR")
    told = [
        (1, "UPS row 1", date(2026, 3, 4)), (1, "UPS row 2", date(2026, 3, 9)), (1, "row 1", date(2026, 3, 9)), (1, "row 3", date(2026, 3, 9)),
        (1, "row 2", None), (1, "1Z9", date(2026, 3, 4)), (3, "row 7", date(2026, 3, 4)),
    ]  # fmt: skip
    for kind, reference, day in told:
        before.get_model("ledger", "OrderCharge").objects.create(
            store=store, kind=kind, order_ref="1", reference=reference, amount=1, currency="EUR", day=day, added_at=datetime(2026, 4, 1, tzinfo=UTC)
        )
    after = migrate([("ledger", "0024_labels_without_tracking_are_named_by_their_day")])
    assert list(after.get_model("ledger", "OrderCharge").objects.order_by("pk").values_list("reference", flat=True)) == [
        "UPS 2026-03-04 row 1", "UPS 2026-03-09 row 1", "2026-03-09 row 1", "2026-03-09 row 2", "row 2", "1Z9", "row 7",
    ]  # fmt: skip
