"""Say what each of Shopify's refusals means, and keep within its budget of points."""

import json
from typing import Any

import pytest

from connectors.faults import BadPayload, Denied, NeedsReauth, QuotaUsedUp, RetryLater, TooBig
from connectors.platforms.shopify import queries
from connectors.platforms.shopify.asking import ask
from connectors.platforms.shopify.pace import PointsPace
from connectors.platforms.shopify.refusals import classify
from connectors.spec import Budget, Response


def answer(body: Any, status: int = 200, **headers: str) -> Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status=status, headers={name.replace("_", "-"): value for name, value in headers.items()}, content=content)


def refused(code: str, *, data: Any = None, path: list[Any] | None = None, **extensions: Any) -> Response:
    error = {"message": "No.", "extensions": {"code": code, **extensions}} | ({"path": path} if path else {})
    return answer({"errors": [error], "data": data})


def cost(asked: float, left: float, restored: float = 100.0, most: float = 2000.0) -> dict[str, Any]:
    status = {"maximumAvailable": most, "currentlyAvailable": left, "restoreRate": restored}
    return {"cost": {"requestedQueryCost": asked, "actualQueryCost": None, "throttleStatus": status}}


def test_a_good_answer_is_no_fault() -> None:
    assert classify(answer({"data": {"shop": {"name": "Demo"}}, "extensions": cost(4, 1996)})) is None


def test_throttled_in_a_200_waits_for_the_points_that_are_missing() -> None:
    body = {"errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}], "extensions": cost(779, 279)}
    fault = classify(answer(body))
    assert type(fault) is QuotaUsedUp
    assert fault.after == 5.5


def test_throttled_without_a_budget_waits_a_while() -> None:
    fault = classify(answer({"errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}]}))
    assert type(fault) is QuotaUsedUp
    assert fault.after == 2.0


@pytest.mark.parametrize(("told", "after"), [("7", 7), ("2.5", 3), ("", 2.0), ("soon", 2.0), ("0", 2.0), ("NaN", 2.0), ("Infinity", 2.0)])
def test_429_waits_as_long_as_shopify_says(told: str, after: float) -> None:
    fault = classify(answer(b"", 429, retry_after=told))
    assert type(fault) is RetryLater
    assert fault.after == after


def test_a_revoked_token_needs_the_owner() -> None:
    fault = classify(answer({"errors": "[API] Invalid API key or access token"}, 401))
    assert type(fault) is NeedsReauth
    assert "Connect the shop again" in fault.reason


@pytest.mark.parametrize(("status", "words"), [(402, "frozen"), (423, "locked"), (404, "no such shop")])
def test_a_shop_that_is_closed_is_asked_again_in_an_hour(status: int, words: str) -> None:
    fault = classify(answer(b"<!DOCTYPE html><html></html>", status))
    assert type(fault) is RetryLater
    assert (fault.after, words in fault.reason) == (3600, True)


def test_403_is_a_denial() -> None:
    assert type(classify(answer(b"<html></html>", 403))) is Denied


@pytest.mark.parametrize("status", [500, 502, 503, 504, 520])
def test_shopifys_own_troubles_pass(status: int) -> None:
    fault = classify(answer(b"<html></html>", status))
    assert type(fault) is RetryLater
    assert fault.after is None


@pytest.mark.parametrize("body", [b'{"data": {"orders": {"nod', b"", b"<html>Maintenance</html>"])
def test_a_cut_body_is_asked_for_again(body: bytes) -> None:
    assert type(classify(answer(body))) is RetryLater


def test_an_internal_error_in_a_200_passes() -> None:
    assert type(classify(refused("INTERNAL_SERVER_ERROR"))) is RetryLater


def test_a_query_over_the_highest_cost_is_too_big() -> None:
    assert type(classify(refused("MAX_COST_EXCEEDED", cost=1223, maxCost=1000))) is TooBig


def test_a_denied_stream_names_what_has_to_be_granted() -> None:
    required = "`read_orders` access scope, `read_marketplace_orders` access scope or `read_quick_sale` access scope."
    fault = classify(refused("ACCESS_DENIED", path=["orders"], requiredAccess=required))
    assert type(fault) is Denied
    assert fault.scopes == ("read_orders", "read_marketplace_orders", "read_quick_sale")
    assert fault.reason.startswith("Shopify does not let this app see “orders”.")


def test_a_denied_customer_leaves_the_order_readable() -> None:
    data = {"orders": {"nodes": [{"id": "gid://shopify/Order/1", "customer": None}]}}
    assert classify(refused("ACCESS_DENIED", data=data, path=["orders", "nodes", 0, "customer"])) is None


def test_a_denied_field_that_money_needs_is_a_denial_though_there_is_data() -> None:
    data = {"orders": {"nodes": [{"id": "gid://shopify/Order/1", "lineItems": {"nodes": [{"variant": None}]}}]}}
    path = ["orders", "nodes", 0, "lineItems", "nodes", 0, "variant"]
    fault = classify(refused("ACCESS_DENIED", data=data, path=path, requiredAccess="`read_products` access scope."))
    assert type(fault) is Denied
    assert fault.scopes == ("read_products",)


def test_a_denied_customer_without_any_data_is_a_denial() -> None:
    assert type(classify(refused("ACCESS_DENIED", path=["customer"]))) is Denied


def test_a_refused_query_says_what_shopify_said() -> None:
    fault = classify(answer({"errors": [{"message": "Field 'totl' doesn't exist on type 'Order'", "extensions": {"code": "undefinedField"}}]}))
    assert type(fault) is BadPayload
    assert "totl" in fault.reason


def test_errors_of_another_shape_are_no_crash() -> None:
    assert type(classify(answer({"errors": "something"}))) is BadPayload


def test_a_lost_grant_needs_the_owner() -> None:
    fault = classify(answer({"error": "invalid_grant", "error_description": "The refresh token was already used"}, 400))
    assert type(fault) is NeedsReauth


def test_any_other_status_is_not_understood() -> None:
    assert type(classify(answer(b"", 301))) is BadPayload


def test_the_pace_reads_what_is_left() -> None:
    told = PointsPace().budget(answer({"data": {}, "extensions": cost(779, 1221)}))
    assert told == Budget(left=1221, restored_per_second=100, most=2000)
    assert PointsPace().budget(answer({"data": {}})) is None
    assert PointsPace().budget(answer(b"<html>")) is None


@pytest.mark.parametrize(("left", "seconds"), [(821, 0.0), (2000, 0.0), (571, 2.5), (0, 8.21)])
def test_the_pace_waits_for_the_points_a_page_is_short_of(left: float, seconds: float) -> None:
    request = ask(queries.ORDERS, size=50, query="")
    assert PointsPace().wait(request, Budget(left=left, restored_per_second=100, most=2000)) == seconds


def test_the_pace_does_not_wait_before_it_knows_or_for_what_is_no_query() -> None:
    assert PointsPace().wait(ask(queries.ORDERS, size=50, query=""), None) == 0.0
    assert PointsPace().wait(ask(queries.SHOP), Budget(left=0, restored_per_second=0, most=0)) == 0.0
