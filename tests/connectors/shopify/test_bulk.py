"""Read the past from bulk files: what is asked, how far it is, and that it tells what pages tell."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.faults import BadPayload, RetryLater
from connectors.platforms.shopify import bulk, queries
from connectors.spec import BulkState, Window
from tests.connectors.shopify.records import LATER, a_line, a_refund, agreement, an_order, back, bag, fact_of, nodes, sold, whole

WINDOW = Window(since=None, until=datetime(2026, 11, 20, 12, tzinfo=UTC))


def lines_of(order: dict[str, Any]) -> list[dict[str, Any]]:
    """Tell an order as both bulk files do: the file of orders, then that of agreements; children name their parents."""
    lists = {"lineItems": "LineItem", "shippingLines": "ShippingLine"}
    refunds = [{name: value for name, value in refund.items() if name != "refundLineItems"} for refund in order["refunds"]]
    own = {name: value for name, value in order.items() if name not in (*lists, "agreements")}
    told: list[dict[str, Any]] = [{**own, "refunds": refunds, "__typename": "Order"}]
    for name, kind in lists.items():
        told += [{**child, "__typename": kind, "__parentId": order["id"]} for child in order[name]["nodes"]]
    told.append({"__typename": "Order", "id": order["id"]})
    for each in order["agreements"]["nodes"]:
        told.append({**{name: value for name, value in each.items() if name != "sales"}, "__parentId": order["id"]})
        told += [{**sale, "__parentId": each["id"]} for sale in each["sales"]["nodes"]]
    return [json.loads(json.dumps(line)) for line in told]


def an_order_with_everything() -> dict[str, Any]:
    return an_order(
        agreement(sold("107.1", tax="17.1", discount="10.0", quantity=2), sold("5.95", kind="SHIPPING", tax="0.95")),
        agreement(sold("60.0", line=2), kind="OrderEdit", at=LATER),
        total="173.05", edited=True, lineItems=nodes(whole(a_line(quantity=2, price="50.0")), whole(a_line(2, price="60.0"))),
        shippingLines={"nodes": [{"id": None, "title": "Parcel", "isRemoved": False}]},
    )  # fmt: skip


def test_both_files_of_the_window_are_asked_for_ungrouped_and_in_order_of_change() -> None:
    requests = bulk.start(WINDOW)
    told = [request.body["variables"]["query"] for request in requests if request.body]
    assert [request.body["query"] for request in requests if request.body] == [queries.BULK_RUN] * 2
    assert "groupObjects: false" in queries.BULK_RUN
    for text in told:
        assert "orders(query: \"updated_at:<'2026-11-20T12:00:00Z'\", sortKey: UPDATED_AT)" in text
        assert "..." not in text.replace("... on", "")


def test_an_order_from_bulk_files_is_the_same_fact_as_from_a_page() -> None:
    order = an_order_with_everything()
    assert fact_of(bulk.assemble(lines_of(order))) == fact_of(order)


def test_lines_may_come_in_any_order_within_an_order() -> None:
    order = an_order_with_everything()
    mixed = bulk.assemble(list(reversed(lines_of(order))))
    assert {sale.external_id for sale in fact_of(mixed).sales} == {sale.external_id for sale in fact_of(order).sales}
    assert sum(sale.net for sale in fact_of(mixed).sales) == sum(sale.net for sale in fact_of(order).sales)


def test_an_order_with_a_refund_is_told_coarsely_until_its_refunds_are_read() -> None:
    order = an_order(
        agreement(sold("100.0")), agreement(sold("-100.0", "RETURN"), kind="Refund", at=LATER, refund=1), current="0.0",
        totalRefundedSet=bag("100.0"), lineItems=nodes(whole(a_line(current=0))), refunds=[a_refund("100.0", back(restocked=True))],
    )  # fmt: skip
    by_page, by_file = fact_of(order), fact_of(bulk.assemble(lines_of(order)))
    assert (by_page.coarse, by_file.coarse) == (False, True)
    assert [(sale.restocked, sale.estimated) for sale in by_page.sales] == [(False, False), (True, False)]
    assert [(sale.restocked, sale.estimated) for sale in by_file.sales] == [(False, False), (False, True)]
    assert [sale.net for sale in by_file.sales] == [sale.net for sale in by_page.sales]


def test_an_order_without_agreements_in_the_second_file_is_worked_out_from_its_lines() -> None:
    order = an_order(lineItems=nodes(whole(a_line())))
    assert [sale.net for sale in fact_of(bulk.assemble(lines_of(order))).sales] == [100_0000]


def test_an_order_that_only_the_second_file_knows_is_refused() -> None:
    with pytest.raises(BadPayload, match="alone"):
        bulk.assemble([{"__typename": "Order", "id": "gid://shopify/Order/1"}])


def test_lines_say_whose_they_are() -> None:
    first, *_, sale = lines_of(an_order_with_everything())
    assert (bulk.ORDERS.root(first), bulk.ORDERS.parent(first)) == ("gid://shopify/Order/5001", None)
    assert bulk.ORDERS.root(sale) is None
    assert str(bulk.ORDERS.parent(sale)).startswith("gid://shopify/OrderEditAgreement/")


def test_an_operation_is_started_unless_others_run_or_the_query_is_refused() -> None:
    run = {"bulkOperation": {"id": "gid://shopify/BulkOperation/9", "status": "CREATED"}, "userErrors": []}
    assert bulk.started({"data": {"bulkOperationRunQuery": run}}) == "gid://shopify/BulkOperation/9"
    busy = {"bulkOperation": None, "userErrors": [{"field": None, "message": "A bulk query operation is running", "code": "OPERATION_IN_PROGRESS"}]}
    with pytest.raises(RetryLater) as later:
        bulk.started({"data": {"bulkOperationRunQuery": busy}})
    assert later.value.after == 60.0
    wrong = {"bulkOperation": None, "userErrors": [{"field": ["query"], "message": "Bulk queries cannot …", "code": "INVALID"}]}
    with pytest.raises(BadPayload, match="Bulk queries cannot"):
        bulk.started({"data": {"bulkOperationRunQuery": wrong}})


@pytest.mark.parametrize(
    ("told", "state"),
    [
        ({"status": "CREATED", "objectCount": "0"}, BulkState(done=False)),
        ({"status": "RUNNING", "objectCount": "1200"}, BulkState(done=False, count=1200)),
        ({"status": "SOMETHING_NEW", "objectCount": "3"}, BulkState(done=False, count=3)),
        ({"status": "COMPLETED", "objectCount": "5", "url": "https://x/y"}, BulkState(done=True, count=5, url="https://x/y")),
        ({"status": "COMPLETED", "objectCount": "0", "url": None}, BulkState(done=True)),
        (
            {"status": "FAILED", "errorCode": "TIMEOUT", "objectCount": "7", "partialDataUrl": "https://x/p"},
            BulkState(done=True, count=7, url="https://x/p", failure="Shopify ended the operation: TIMEOUT", partial=True),
        ),
        (
            {"status": "FAILED", "errorCode": "ACCESS_DENIED", "objectCount": "0", "partialDataUrl": None},
            BulkState(done=True, failure="Shopify ended the operation: ACCESS_DENIED"),
        ),
        ({"status": "EXPIRED", "objectCount": "0"}, BulkState(done=True, failure="Shopify ended the operation: EXPIRED")),
    ],
)
def test_how_far_an_operation_is(told: dict[str, Any], state: BulkState) -> None:
    assert bulk.state({"data": {"bulkOperation": told}}) == state


def test_an_operation_that_shopify_has_forgotten_is_over() -> None:
    assert bulk.state({"data": {"bulkOperation": None}}) == BulkState(done=True, failure="Shopify no longer knows the operation")
