"""Damage records of Shopify's API at random: each is mapped or refused in words, and nothing crashes."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from connectors.faults import Fault
from connectors.platforms.shopify import again, bulk, comparing
from connectors.platforms.shopify.connector import SHOPIFY
from connectors.platforms.shopify.mapping.balance import balance_facts, dispute_facts, payout_facts
from connectors.platforms.shopify.mapping.catalogue import gone_facts, stock_facts, variant_facts
from connectors.platforms.shopify.mapping.orders import order_facts
from connectors.platforms.shopify.whole import whole_order
from connectors.spec import Request, Response
from tests.connectors.shopify.records import CONTEXT, LATER, a_line, a_refund, agreement, an_order, back, bag, nodes, sold, whole
from tests.connectors.shopify.test_balance_and_catalogue import a_row, a_variant, money
from tests.connectors.shopify.test_bulk import lines_of
from tests.connectors.shopify.test_derived import shipping

JUNK = st.sampled_from([None, "", "x", "1e999", "-5", "NaN", 0, -1, 10**30, 1.5, True, [], {}, [None], [{}], {"nodes": None}, {"id": 5}])


def rich_order() -> dict[str, Any]:
    """Return an order with every part that is read."""
    return an_order(
        agreement(sold("107.1", tax="17.1", discount="10.0", quantity=2)),
        agreement(sold("-53.55", "RETURN", tax="-8.55"), kind="Refund", at=LATER, refund=1),
        total="113.05", current="59.5", lineItems=nodes(whole(a_line(quantity=2, price="50.0"), taxes=(("17.1", False),))),
        shippingLines=nodes(shipping("5.0", tax="0.95")), totalRefundedSet=bag("53.55"), taxLines=[{"channelLiable": False}],
        refunds=[a_refund("53.55", back(subtotal="45.0", tax="8.55"), duties=[], refundShippingLines={"nodes": []})],
        originalTotalDutiesSet=bag("0.0"), originalTotalAdditionalFeesSet=bag("0.0"),
    )  # fmt: skip


RECORDS: list[tuple[dict[str, Any], Callable[[Any, Any], Iterator[Any]]]] = [
    (rich_order(), order_facts),
    ({**rich_order(), "agreements": nodes()}, order_facts),
    (a_row(), balance_facts),
    ({"id": "gid://shopify/ShopifyPaymentsPayout/7", "issuedAt": LATER, "status": "PAID", "net": money("1.0")}, payout_facts),
    ({"id": "gid://shopify/ShopifyPaymentsDispute/7", "status": "LOST", "amount": money("1.0"), "order": {"name": "#1"}}, dispute_facts),
    (a_variant(), variant_facts),
    ({"id": "x/1", "unitCost": money("1.0"), "variants": nodes({"id": "x/2"}), "inventoryLevels": nodes({"quantities": []})}, stock_facts),
    ({"id": "x/1", "action": "destroy", "createdAt": LATER, "subjectId": "x/2", "subjectType": "PRODUCT"}, gone_facts),
]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every part of a record."""
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from places(inner, (*path, key))


@st.composite
def damaged(draw: st.DrawFn, record: Any) -> Any:
    """Return a record with some of its parts gone or turned into something else."""
    record = copy.deepcopy(record)
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(list(places(record))))
        home = record
        for step in path[:-1]:
            home = home[step]
        if draw(st.booleans()):
            del home[path[-1]]
        else:
            home[path[-1]] = copy.deepcopy(draw(JUNK))
        if not list(places(record)):
            break
    return record


@given(st.data())
def test_a_damaged_record_is_mapped_or_refused(data: st.DataObject) -> None:
    record, to_facts = data.draw(st.sampled_from(RECORDS))
    try:
        list(to_facts(data.draw(damaged(record)), CONTEXT))
    except Fault as fault:
        assert fault.reason


@given(st.data())
def test_a_damaged_order_is_read_whole_or_refused(data: st.DataObject) -> None:
    answer = data.draw(damaged({"data": {"order": rich_order()}}))

    def send(request: Request) -> Response:
        return Response(status=200, headers={}, content=msgspec.json.encode(answer))

    try:
        list(order_facts(whole_order(data.draw(damaged(rich_order())), send), CONTEXT))
    except Fault as fault:
        assert fault.reason


@given(st.data())
def test_damaged_lines_of_bulk_files_are_put_together_or_refused(data: st.DataObject) -> None:
    lines = data.draw(damaged(lines_of(rich_order())))
    try:
        list(order_facts(bulk.assemble([line for line in lines if isinstance(line, dict)]), CONTEXT))
    except Fault as fault:
        assert fault.reason


@given(st.data())
def test_damaged_answers_are_read_or_refused(data: st.DataObject) -> None:
    answers: list[tuple[Any, Callable[[Any], Any]]] = [
        ({"data": {"bulkOperation": {"status": "COMPLETED", "objectCount": "5", "url": "https://x"}}}, bulk.state),
        ({"data": {"bulkOperationRunQuery": {"bulkOperation": {"id": "x/1"}, "userErrors": [{"code": "X", "message": "m"}]}}}, bulk.started),
        ({"data": {"nodes": [{"id": "x/1"}]}}, again.found),
        ({"data": {"orders": nodes({"id": "x/1"})}}, SHOPIFY.stream("orders").items),
        ({"data": {"inventoryItems": nodes({"id": "x/1"})}}, SHOPIFY.stream("inventory").items),
        ({"data": {"shopifyPaymentsAccount": {"payouts": nodes({"id": "x/1"})}}}, SHOPIFY.stream("payouts").items),
        ({"data": {"ordersCount": {"count": 5}}}, SHOPIFY.stream("orders").counted),
        ({"id": "x/1", "updatedAt": LATER, "currentTotalPriceSet": bag("1.0"), "totalRefundedSet": bag("0.0")}, comparing.told),
    ]
    answer, reader = data.draw(st.sampled_from(answers))
    try:
        reader(data.draw(damaged(answer)))
    except Fault as fault:
        assert fault.reason
