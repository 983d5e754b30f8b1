"""Run bulk operations in the sandbox's Shopify: what it refuses, how it gets on, and what is in its files."""

import json
import time
from collections import Counter

import pytest
import requests

from connectors.sandbox.shopify_pages import number_of
from connectors.sandbox.world import World
from tests.sandbox.conftest import NOW, Caller
from tests.sandbox.shopify_documents import document

ORDERS = "{ orders { edges { node { __typename id name lineItems { edges { node { __typename id quantity } } } } } } }"


def start(caller: Caller, query: str, *, grouped: bool = False) -> dict:
    text = document("bulk_run").replace("groupObjects: false", f"groupObjects: {str(grouped).lower()}")
    return caller.data(text, asked=query)["bulkOperationRunQuery"]


def poll(caller: Caller, operation: str) -> dict:
    return caller.data(document("bulk_poll"), id=operation)["bulkOperation"]


def finished(caller: Caller, query: str, *, grouped: bool = False) -> dict:
    operation = start(caller, query, grouped=grouped)["bulkOperation"]["id"]
    while True:
        said = poll(caller, operation)
        if said["status"] not in ("CREATED", "RUNNING", "CANCELING"):
            return said


def rows(url: str) -> list[dict]:
    answer = requests.get(url, timeout=20)
    assert answer.status_code == 200
    return [json.loads(line) for line in answer.content.splitlines()]


@pytest.mark.parametrize(
    ("query", "messages"),
    [
        ("", ["Invalid bulk query: syntax error, unexpected end of file"]),
        ("{ shop { id } }", ["Bulk queries must contain at least one connection."]),
        (
            '{ node(id: "gid://shopify/Order/1") { id } }',
            ["Bulk queries cannot contain a top level `node` field.", "Bulk queries must contain at least one connection."],
        ),
        (
            "{ orders { nodes { id } } }",
            [
                "All connection fields in a bulk query must select their contents using 'edges' > 'node', e.g: 'orders { edges { node {'. "
                "Selecting via 'nodes' is not supported. Invalid connection fields: 'orders'."
            ],
        ),
        (
            "{ orders { edges { node { name lineItems { edges { node { id } } } } } } }",
            [
                "The parent 'node' field for a nested connection must select the 'id' field without an alias and must be of 'ID' return type. "
                "Connection fields without 'id': orders."
            ],
        ),
        (
            "{ orders { edges { node { id refunds { refundLineItems { edges { node { quantity } } } } } } } }",
            ["Queries that contain a connection field within a list field are not currently supported."],
        ),
        (
            "{ products { edges { node { id variants { edges { node { id inventoryItem { inventoryLevels { edges { node { id item { variants "
            "{ edges { node { id } } } } } } } } } } } } } } }",
            ["Bulk queries cannot contain connections with a nesting depth greater than 2."],
        ),
        (
            "{ orders { edges { node { id a: lineItems { edges { node { id } } } b: lineItems { edges { node { id } } } c: lineItems { edges "
            "{ node { id } } } d: lineItems { edges { node { id } } } e: lineItems { edges { node { id } } } } } } }",
            ["Bulk queries cannot contain more than 5 connections."],
        ),
        ("mutation { appUninstall { app { id } } }", ["Invalid operation type. Only `query` operations are supported."]),
        ("{ orders { edges { node { profit } } } }", ["Invalid bulk query: Field 'profit' doesn't exist on type 'Order'"]),
    ],
)  # fmt: skip
def test_a_bulk_query_is_refused_in_shopifys_words(caller: Caller, query: str, messages: list[str]) -> None:
    said = start(caller, query)
    assert said["bulkOperation"] is None
    assert said["userErrors"] == [{"field": ["query"], "message": message, "code": "INVALID"} for message in messages]


def test_an_operation_is_created_runs_and_completes_as_it_is_polled(caller: Caller) -> None:
    said = start(caller, ORDERS)
    assert (said["userErrors"], said["bulkOperation"]["status"]) == ([], "CREATED")
    first, second = poll(caller, said["bulkOperation"]["id"]), poll(caller, said["bulkOperation"]["id"])
    assert (first["status"], first["url"], first["completedAt"]) == ("RUNNING", None, None)
    assert (second["status"], second["errorCode"], second["partialDataUrl"], second["type"]) == ("COMPLETED", None, None, "QUERY")
    assert int(second["fileSize"]) == len(requests.get(second["url"], timeout=20).content)


def test_an_operation_completes_by_time_when_nobody_polls(caller: Caller) -> None:
    operation = start(caller, ORDERS)["bulkOperation"]["id"]
    caller.sandbox.clock.advance(60)
    assert poll(caller, operation)["status"] == "COMPLETED"


def test_the_file_holds_every_order_and_line_with_the_parent_named(caller: Caller, business: World) -> None:
    said = finished(caller, ORDERS)
    found = rows(said["url"])
    orders = list(business.orders(NOW))
    assert Counter(row["__typename"] for row in found) == {"Order": len(orders), "LineItem": sum(len(order.lines) for order in orders)}
    assert (said["rootObjectCount"], said["objectCount"]) == (str(len(orders)), str(len(found)))
    by_parent = Counter(row["__parentId"] for row in found if "__parentId" in row)
    assert by_parent == {f"gid://shopify/Order/{order.id}": len(order.lines) for order in orders if order.lines}
    seen: set[str] = set()
    for row in found:
        assert row.get("__parentId", row["id"]) in seen or "__parentId" not in row
        seen.add(row["id"])


def test_children_follow_their_parent_only_when_objects_are_grouped(caller: Caller) -> None:
    loose, grouped = (rows(finished(caller, ORDERS, grouped=choice)["url"]) for choice in (False, True))
    key = json.dumps
    assert sorted(map(key, loose)) == sorted(map(key, grouped))
    parents = [index for index, row in enumerate(grouped) if "__parentId" not in row]
    for start_of, end_of in zip(parents, [*parents[1:], len(grouped)], strict=True):
        assert {row["__parentId"] for row in grouped[start_of + 1 : end_of]} <= {grouped[start_of]["id"]}
    assert "__parentId" not in loose[1]


def test_the_file_escapes_slashes(caller: Caller) -> None:
    assert requests.get(finished(caller, ORDERS)["url"], timeout=20).content.startswith(b'{"__typename":"Order","id":"gid:\\/\\/shopify\\/Order\\/')


@pytest.mark.parametrize("name", ["bulk_orders", "bulk_agreements"])
def test_the_two_shapes_of_a_backfill_run(caller: Caller, business: World, name: str) -> None:
    found = rows(finished(caller, document(name))["url"])
    sales = sum(len(agreement.sales) for order in business.orders(NOW) for agreement in order.agreements)
    kinds = Counter(row["__typename"] for row in found)
    if name == "bulk_agreements":
        assert sum(count for kind, count in kinds.items() if kind.endswith("Sale")) == sales
    else:
        assert kinds["ShippingLine"] == sum(len(order.shipping_lines) for order in business.orders(NOW))


def test_an_empty_result_has_no_address(caller: Caller) -> None:
    said = finished(caller, '{ orders(query: "name:nobody") { edges { node { id } } } }')
    assert (said["status"], said["url"], said["objectCount"], said["fileSize"]) == ("COMPLETED", None, "0", None)


def test_five_may_run_at_once_and_the_sixth_is_refused(caller: Caller) -> None:
    ids = [start(caller, ORDERS)["bulkOperation"]["id"] for _ in range(5)]
    assert start(caller, ORDERS)["userErrors"] == [
        {
            "field": None, "message": f"A bulk query operation for this app and shop is already in progress: {', '.join(ids)}.",
            "code": "OPERATION_IN_PROGRESS",
        }
    ]  # fmt: skip
    while poll(caller, ids[2])["status"] != "COMPLETED":
        pass
    assert start(caller, ORDERS)["userErrors"] == []


def test_operations_end_though_nobody_asks(caller: Caller) -> None:
    numbers = [number_of(start(caller, ORDERS)["bulkOperation"]["id"]) for _ in range(5)]
    for number in numbers:
        assert caller.shop.bulk.operations[number].written.wait(20)
    caller.sandbox.clock.advance(2)
    assert start(caller, ORDERS)["userErrors"] == []
    listed = caller.data("{ bulkOperations(first: 10) { nodes { status } } }")["bulkOperations"]["nodes"]
    assert [row["status"] for row in listed] == ["COMPLETED"] * 5 + ["CREATED"]


def test_an_address_dies_after_a_week(caller: Caller) -> None:
    url = finished(caller, ORDERS)["url"]
    caller.sandbox.clock.advance(7 * 86_400)
    assert requests.get(url, timeout=5).status_code == 200
    caller.sandbox.clock.advance(1)
    assert (requests.get(url, timeout=5).status_code, b"ExpiredToken" in requests.get(url, timeout=5).content) == (400, True)


def test_a_failed_operation_leaves_what_it_had_written_its_last_order_in_part(caller: Caller, business: World) -> None:
    orders = list(business.orders(NOW))
    whole = next(place for place in range(3, 50) if len(orders[place].lines) > 1)
    caller.shop.troubles.add("bulk_failed", keep=whole)
    said = finished(caller, ORDERS)
    assert (said["status"], said["errorCode"], said["url"], said["rootObjectCount"]) == ("FAILED", "INTERNAL_SERVER_ERROR", None, str(whole + 1))
    found = rows(said["partialDataUrl"])
    assert [row["name"] for row in found if row["__typename"] == "Order"] == [order.name for order in orders[: whole + 1]]
    lines = Counter(row["__parentId"] for row in found if row["__typename"] == "LineItem")
    expected = {f"gid://shopify/Order/{order.id}": len(order.lines) for order in orders[:whole]}
    assert lines == {**expected, f"gid://shopify/Order/{orders[whole].id}": len(orders[whole].lines) // 2}


def test_what_is_not_granted_fails_the_operation(caller: Caller) -> None:
    caller.token = caller.shop.tokens.permanent(frozenset({"read_products"}))
    said = finished(caller, ORDERS)
    assert (said["status"], said["errorCode"], said["partialDataUrl"]) == ("FAILED", "ACCESS_DENIED", None)


def test_an_operation_can_be_canceled_until_it_has_ended(caller: Caller) -> None:
    text = "mutation C($id: ID!) { bulkOperationCancel(id: $id) { bulkOperation { status } userErrors { field message } } }"
    operation = start(caller, ORDERS)["bulkOperation"]["id"]
    assert caller.data(text, id=operation)["bulkOperationCancel"]["userErrors"] == []
    while (said := poll(caller, operation)["status"]) == "CANCELING":
        time.sleep(0.01)
    assert said == "CANCELED"
    assert caller.data(text, id=operation)["bulkOperationCancel"]["userErrors"] == [
        {"field": None, "message": "A bulk operation cannot be canceled when it is canceled"}
    ]
    assert caller.data(text, id="gid://shopify/BulkOperation/1")["bulkOperationCancel"] == {
        "bulkOperation": None, "userErrors": [{"field": ["id"], "message": "Bulk operation does not exist"}],
    }  # fmt: skip


def test_the_file_is_of_the_moment_the_operation_was_asked_for(caller: Caller, business: World) -> None:
    early = list(business.orders(NOW))[9].created_at
    caller.sandbox.clock.set(early)
    operation = start(caller, ORDERS)["bulkOperation"]["id"]
    caller.sandbox.clock.set(NOW)
    assert int(poll(caller, operation)["rootObjectCount"]) == len(list(business.orders(early)))
