"""Cause each trouble exactly when it is wanted, and see it end."""

import http.client
import json
from datetime import timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import pytest
import requests

from connectors.sandbox.shopify_world import WorldRows
from connectors.sandbox.world import World
from tests.sandbox.conftest import NOW, Caller
from tests.sandbox.test_shopify_bulk import ORDERS, finished

SHOP = "query Shop { shop { name } }"
IDS = "query Ids($first: Int!, $after: String) { orders(first: $first, after: $after, sortKey: ID) { pageInfo { hasNextPage endCursor } nodes { id displayFinancialStatus } } }"  # noqa: E501


def statuses(caller: Caller, count: int, document: str = SHOP) -> list[int]:
    return [caller.post(document).status_code for _ in range(count)]


def test_a_trouble_strikes_the_requests_it_names_and_no_other(caller: Caller) -> None:
    caller.shop.troubles.add("server_error", first=2, count=3, status=502)
    assert statuses(caller, 6) == [200, 502, 502, 502, 200, 200]


def test_a_trouble_may_name_an_operation(caller: Caller) -> None:
    caller.shop.troubles.add("server_error", first=2, count=1, operation="Ids")
    assert [caller.post(text, first=1).status_code for text in (SHOP, IDS, SHOP, IDS, IDS)] == [200, 200, 200, 503, 200]


def test_a_token_is_taken_back_in_the_middle(caller: Caller) -> None:
    caller.shop.troubles.add("token_revoked", first=3, count=1)
    assert statuses(caller, 4) == [200, 200, 401, 401]
    assert caller.shop.tokens.installed is None


def test_too_many_requests_say_how_long_to_wait(caller: Caller) -> None:
    caller.shop.troubles.add("rate_limited", count=1, retry_after=7)
    answer = caller.post(SHOP)
    assert (answer.status_code, answer.headers["Retry-After"], answer.json()) == (429, "7.0", {"errors": "Too Many Requests"})


def test_throttling_lasts_as_long_as_it_is_told_to(caller: Caller) -> None:
    caller.shop.troubles.add("throttled", count=2)
    said = [caller.ask(SHOP) for _ in range(3)]
    assert [answer.get("errors", [{}])[0].get("message") for answer in said] == ["Throttled", "Throttled", None]
    assert said[0]["extensions"]["cost"]["throttleStatus"]["currentlyAvailable"] == 0


def test_a_trouble_may_last_for_a_time(caller: Caller) -> None:
    caller.shop.troubles.add("throttled", lasts=3600)
    seen = []
    for _ in range(4):
        seen.append("errors" in caller.ask(SHOP))
        caller.sandbox.clock.advance(1799)
    assert seen == [True, True, True, False]


def test_a_cut_body_ends_before_what_was_promised(caller: Caller) -> None:
    caller.shop.troubles.add("cut_body", count=1, keep=10)
    parts = urlsplit(caller.shop.base_url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=5)
    body = json.dumps({"query": SHOP})
    connection.request("POST", f"{parts.path}/admin/api/2026-10/graphql.json", body, {"X-Shopify-Access-Token": caller.token})
    with pytest.raises(http.client.IncompleteRead) as cut:
        connection.getresponse().read()
    assert cut.value.partial == b'{"data":{"'
    connection.close()
    assert caller.data(SHOP) == {"shop": {"name": "Maple & Finch"}}


def test_a_repeated_page_promises_another_for_ever(caller: Caller) -> None:
    caller.shop.troubles.add("repeated_page", first=2)
    pages = [caller.data(IDS, first=5)["orders"]]
    for _ in range(3):
        pages.append(caller.data(IDS, first=5, after=pages[-1]["pageInfo"]["endCursor"])["orders"])
    assert pages[1] == pages[2] == pages[3] == pages[0]
    assert pages[3]["pageInfo"]["hasNextPage"] is True
    caller.shop.troubles.clear("repeated_page")
    assert caller.data(IDS, first=5, after=pages[0]["pageInfo"]["endCursor"])["orders"]["nodes"] != pages[0]["nodes"]


def test_a_page_for_people_comes_instead_of_json(caller: Caller) -> None:
    caller.shop.troubles.add("html", count=1)
    answer = caller.post(SHOP)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")


def test_an_internal_error_hides_in_a_good_answer(caller: Caller) -> None:
    caller.shop.troubles.add("internal_error", count=1)
    said = caller.ask(SHOP)
    assert [error["extensions"]["code"] for error in said["errors"]] == ["INTERNAL_SERVER_ERROR"]
    assert "data" not in said


def test_a_value_no_schema_lists_is_answered_as_it_is(caller: Caller) -> None:
    caller.shop.troubles.add("unknown_value", count=1, field="Order.displayFinancialStatus", value="IN_ESCROW")
    strange, usual = (caller.data(IDS, first=3)["orders"]["nodes"] for _ in range(2))
    assert [row["displayFinancialStatus"] for row in strange] == ["IN_ESCROW"] * 3
    assert [row["id"] for row in strange] == [row["id"] for row in usual]
    assert "IN_ESCROW" not in {row["displayFinancialStatus"] for row in usual}


def test_fields_may_tell_nothing_in_pages_and_in_bulk_files(caller: Caller) -> None:
    text = "{ orders(first: 2, sortKey: ID) { nodes { agreements(first: 5) { nodes { id } } paymentGatewayNames } } inventoryItems(first: 1) { nodes { unitCost { amount } } } }"  # noqa: E501
    caller.shop.troubles.add("silent_field", field="Order.agreements,Order.paymentGatewayNames,InventoryItem.unitCost")
    assert caller.data(text) == {
        "orders": {"nodes": [{"agreements": {"nodes": []}, "paymentGatewayNames": []}] * 2}, "inventoryItems": {"nodes": [{"unitCost": None}]},
    }  # fmt: skip
    said = finished(caller, "{ orders { edges { node { id agreements { edges { node { id } } } } } } }")
    assert said["objectCount"] == said["rootObjectCount"] != "0"
    caller.shop.troubles.clear()
    assert caller.data(text)["orders"]["nodes"][0]["agreements"]["nodes"] != []


def test_one_record_lacks_a_field_it_must_have(caller: Caller) -> None:
    caller.shop.troubles.add("missing_field", count=1, field="displayFinancialStatus", record=2)
    rows = caller.data(IDS, first=4)["orders"]["nodes"]
    assert ["displayFinancialStatus" in row for row in rows] == [True, True, False, True]


def test_a_clock_that_is_off_is_off_everywhere(caller: Caller, business: World) -> None:
    order = next(order for order in business.orders(NOW) if order.created_at.day == 20)
    caller.sandbox.clock.set(order.created_at - timedelta(seconds=300))
    text = "query O($id: ID!) { order(id: $id) { createdAt } }"
    assert caller.data(text, id=f"gid://shopify/Order/{order.id}") == {"order": None}
    caller.shop.troubles.add("clock_off", seconds=600)
    answer = caller.post(text, id=f"gid://shopify/Order/{order.id}")
    assert answer.json()["data"] == {"order": {"createdAt": order.created_at.strftime("%Y-%m-%dT%H:%M:%SZ")}}
    assert parsedate_to_datetime(answer.headers["Date"]) == order.created_at + timedelta(seconds=300)


@pytest.mark.parametrize("status", [402, 403, 423])
def test_a_shop_may_be_closed(caller: Caller, status: int) -> None:
    caller.shop.troubles.add("locked", status=status)
    assert statuses(caller, 2) == [status, status]
    caller.shop.troubles.clear()
    assert statuses(caller, 1) == [200]


def test_a_slow_answer_is_slow(caller: Caller) -> None:
    caller.shop.troubles.add("slow", count=1, milliseconds=400)
    with pytest.raises(requests.ReadTimeout):
        requests.post(
            f"{caller.shop.base_url}/admin/api/2026-10/graphql.json",
            json={"query": SHOP},
            headers={"X-Shopify-Access-Token": caller.token},
            timeout=0.1,
        )


def test_searches_find_changes_late_and_all_of_them_in_the_end(caller: Caller, business: World) -> None:
    text = "query U($first: Int!) { orders(first: $first, sortKey: UPDATED_AT, reverse: true) { nodes { id updatedAt } } }"
    change = business.changes(NOW)[-1]
    caller.sandbox.clock.set(change.at)
    last = f"gid://shopify/Order/{change.order}"
    assert caller.data(text, first=1)["orders"]["nodes"][0]["id"] == last
    caller.shop.troubles.add("index_lag", seconds=10)
    waited = 0
    while caller.data(text, first=1)["orders"]["nodes"][0]["id"] != last:
        caller.sandbox.clock.advance(1)
        waited += 1
    assert waited == (change.order * 7919 + int(change.at.timestamp()) * 104_729) % 11
    assert waited > 0


def test_an_order_found_late_shows_what_it_is_now(business: World) -> None:
    change = next(change for change in business.changes(NOW)[::-1] if business.order(change.order, NOW).refunds)
    view = WorldRows(business).view(change.at, since=None, lag=10)
    row = view.row("Order", change.order)
    assert row is not None
    assert row["updatedAt"] == change.at.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_the_token_address_may_fail(caller: Caller) -> None:
    caller.shop.troubles.add("oauth_error", count=1, status=500)
    address = f"{caller.shop.base_url}/admin/oauth/access_token"
    asked = {"client_id": "the-client-id", "client_secret": "the-client-secret", "grant_type": "client_credentials"}
    assert [requests.post(address, json=asked, timeout=5).status_code for _ in range(2)] == [500, 200]


def test_a_bulk_file_may_end_too_early(caller: Caller) -> None:
    url = finished(caller, ORDERS)["url"]
    caller.shop.troubles.add("download_cut", count=1, keep=100)
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=5)
    connection.request("GET", parts.path)
    with pytest.raises(http.client.IncompleteRead) as cut:
        connection.getresponse().read()
    connection.close()
    assert requests.get(url, timeout=5).content[:100] == cut.value.partial


def test_an_unknown_trouble_is_refused(caller: Caller) -> None:
    with pytest.raises(ValueError, match=r"No such trouble: rain\. There are: token_revoked, "):
        caller.shop.troubles.add("rain")
