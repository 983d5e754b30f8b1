"""Read an order whole where its page does not hold it, or does not tell its sales."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from connectors.faults import BadPayload
from connectors.platforms.shopify import queries
from connectors.platforms.shopify.whole import whole_order
from connectors.spec import Request, Response
from tests.connectors.shopify.records import (
    LATER,
    a_line,
    a_refund,
    a_transaction,
    agreement,
    an_order,
    back,
    bag,
    fact_of,
    nodes,
    sales_text,
    sold,
    whole,
)


class Shop:
    """Answers questions about one order in the pages that a test gives it."""

    def __init__(self, answer: Callable[[str, dict[str, Any]], Any]) -> None:
        self.answer, self.asked = answer, list[tuple[str, dict[str, Any]]]()

    def __call__(self, request: Request) -> Response:
        assert request.body is not None
        document, variables = request.body["query"], request.body["variables"]
        name = next(name for name in ("ORDER", "REFUND_LINES_OF", "AGREEMENTS_OF") if getattr(queries, name) == document)
        self.asked.append((name, variables))
        return Response(status=200, headers={}, content=msgspec.json.encode({"data": self.answer(name, variables)}))


def test_an_order_that_its_page_holds_is_not_asked_for_again() -> None:
    order, shop = an_order(agreement(sold("100.0"))), Shop(lambda *_: None)
    assert whole_order(order, shop) is order
    assert shop.asked == []


def complete(*agreements: dict[str, Any], **told: Any) -> dict[str, Any]:
    return an_order(*agreements, **{"shippingLines": nodes(), "lineItems": nodes(whole(a_line())), **told})


@pytest.mark.parametrize(
    "told",
    [
        {"lineItems": nodes(a_line(), more=True)},
        {"transactions": [a_transaction("1.0", "AUTHORIZATION", number=number) for number in range(queries.TRANSACTIONS)]},
        {"taxLines": [{"channelLiable": True}, {"channelLiable": False}]},
        {"agreements": nodes()},
        {"agreements": nodes(agreement(sold("100.0"), more=True))},
        {"agreements": nodes(agreement(sold("100.0")), more=True)},
        {"agreements": nodes(agreement(sold("99.0")))},
        {"refunds": [{"id": "gid://shopify/Refund/1", "createdAt": LATER, "totalRefundedSet": bag("0.0")}]},
        {"refunds": [a_refund("0.0", back()) | {"refundLineItems": nodes(back(), more=True)}]},
    ],
)
def test_an_order_that_its_page_does_not_hold_is_read_by_itself(told: dict[str, Any]) -> None:
    shop = Shop(lambda *_: {"order": complete(agreement(sold("100.0")))})
    found = whole_order(an_order(agreement(sold("100.0")), **told) | told, shop)
    assert [name for name, _ in shop.asked] == ["ORDER"]
    assert sales_text(fact_of(found)) == ["11-02 order product 1 +1 100.00 0.00 0.00"]


def test_further_pages_of_every_list_are_read_to_their_end() -> None:
    first = agreement(sold("150.0"), sold("50.0", line=2), at="2026-11-02T09:00:00Z")
    second = agreement(sold("-50.0", "RETURN", line=2), kind="Refund", at=LATER, refund=1)

    def answer(name: str, variables: dict[str, Any]) -> Any:
        if name == "ORDER":
            page = nodes(whole(a_line(2, price="50.0"))) if variables["lines"] == "c1" else nodes(whole(a_line(price="150.0")), more=True)
            return {
                "order": complete(
                    agreement(sold("1.0"), more=True), lineItems=page, total="200.0", current="150.0", totalRefundedSet=bag("50.0"),
                    refunds=[a_refund("50.0") | {"refundLineItems": nodes(more=True)}],
                )
            }  # fmt: skip
        if name == "REFUND_LINES_OF":
            return {"refund": {"refundLineItems": nodes(back(2, subtotal="50.0"))}}
        if "after" in variables and variables["after"] == "c1":
            return {"order": {"agreements": nodes(second)}}
        if variables["sales"] == "c1":
            return {"order": {"agreements": nodes({**first, "sales": nodes(first["sales"]["nodes"][1])}, more=True)}}
        return {"order": {"agreements": nodes({**first, "sales": nodes(first["sales"]["nodes"][0], more=True)}, more=True)}}

    found = fact_of(whole_order(an_order(lineItems=nodes(a_line(), more=True)), Shop(answer)))
    assert sales_text(found) == [
        "11-02 order product 1 +1 150.00 0.00 0.00", "11-02 order product 2 +1 50.00 0.00 0.00",
        "11-05 return product 2 -1 -50.00 0.00 0.00 restocked",
    ]  # fmt: skip


def test_a_list_that_never_ends_is_refused() -> None:
    endless = complete(agreement(sold("100.0")), lineItems=nodes(whole(a_line()), more=True))
    with pytest.raises(BadPayload, match="does not end"):
        whole_order(an_order(), Shop(lambda *_: {"order": endless}))


def test_an_order_that_is_gone_meanwhile_is_refused_with_its_id() -> None:
    with pytest.raises(BadPayload, match="no longer has the order") as refused:
        whole_order(an_order(), Shop(lambda *_: {"order": None}))
    assert refused.value.record == "gid://shopify/Order/5001"
