"""Hold the sandbox's prices to those that were recorded, and its bucket to Shopify's rules."""

import pytest

from connectors.sandbox.shopify_cost import Reckoning, operation_of, size_asked
from connectors.sandbox.shopify_schema import check, pruned_schema
from tests.sandbox.conftest import Caller
from tests.sandbox.shopify_documents import document


def cost(text: str, **variables) -> int:
    parsed = check(text).document
    assert parsed is not None
    operation = operation_of(parsed, None)
    assert operation is not None
    return Reckoning(pruned_schema(), parsed, size_asked(variables)).cost(operation)


@pytest.mark.parametrize(
    ("first", "lines", "points"), [(25, 20, 398), (50, 20, 464), (100, 20, 596), (250, 20, 728), (250, 50, 904), (250, 100, 1080)]
)
def test_a_page_of_orders_costs_what_was_recorded(first: int, lines: int, points: int) -> None:
    assert cost(document("orders"), first=first, lines=lines) == points


@pytest.mark.parametrize(
    ("name", "points"), [("balance", 47), ("payouts", 48), ("variants", 35), ("customers", 24), ("inventory", 244), ("order_money", 468)]
)
def test_other_pages_cost_what_was_recorded(name: str, points: int) -> None:
    assert cost(document(name), first=250) == points


def test_mutations_and_counts_cost_ten() -> None:
    assert cost(document("bulk_run")) == 10
    assert cost("{ ordersCount { count } productsCount { count } shop { name } }") == 21


def test_a_query_over_a_thousand_points_is_refused_without_charge(caller: Caller) -> None:
    said = caller.ask(document("orders"), first=250, lines=100)
    assert said["errors"][0]["extensions"] == {
        "code": "MAX_COST_EXCEEDED", "cost": 1080, "maxCost": 1000, "documentation": "https://shopify.dev/api/usage/rate-limits",
    }  # fmt: skip
    assert said["errors"][0]["message"].startswith("Query cost is 1080, which exceeds the single query max cost limit (1000).")
    assert "data" not in said
    assert caller.ask("{ shop { name } }")["extensions"]["cost"]["throttleStatus"]["currentlyAvailable"] == 1999


def test_what_was_asked_for_and_not_found_is_given_back(caller: Caller) -> None:
    cost = caller.ask("{ orders(first: 250, query: \"name:'#1001'\") { nodes { id customer { id } } } }")["extensions"]["cost"]
    assert cost == {
        "requestedQueryCost": 24, "actualQueryCost": 4,
        "throttleStatus": {"maximumAvailable": 2000, "currentlyAvailable": 1996, "restoreRate": 100},
    }  # fmt: skip


def test_an_empty_bucket_throttles_until_it_is_restored(caller: Caller) -> None:
    asked = {"first": 250, "lines": 20}
    for _ in range(3):
        spent = caller.ask(document("orders"), **asked)["extensions"]["cost"]
    left = spent["throttleStatus"]["currentlyAvailable"]
    assert left == 2000 - 3 * spent["actualQueryCost"]
    assert left < 728
    refused = caller.ask(document("orders"), **asked)
    assert refused == {
        "errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED", "documentation": "https://shopify.dev/api/usage/rate-limits"}}],
        "extensions": {
            "cost": {
                "requestedQueryCost": 728, "actualQueryCost": None,
                "throttleStatus": {"maximumAvailable": 2000, "currentlyAvailable": left, "restoreRate": 100},
            }
        },
    }  # fmt: skip
    seconds = -(-(728 - left) // 100)
    caller.sandbox.clock.advance(seconds)
    assert caller.ask(document("orders"), **asked)["extensions"]["cost"]["throttleStatus"]["currentlyAvailable"] == (
        left + 100 * seconds - spent["actualQueryCost"]
    )


def test_the_bucket_never_holds_more_than_its_size(caller: Caller) -> None:
    caller.ask("{ shop { name } }")
    caller.sandbox.clock.advance(86_400)
    assert caller.ask("{ shop { name } }")["extensions"]["cost"]["throttleStatus"]["currentlyAvailable"] == 1999
