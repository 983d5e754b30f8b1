"""Read an order whole that does not fit into its page, or whose page does not tell what its sales are."""

from collections.abc import Iterator
from typing import Any

from connectors.faults import BadPayload
from connectors.paging import at
from connectors.platforms.shopify import queries
from connectors.platforms.shopify.asking import ask
from connectors.platforms.shopify.mapping.derived import can_derive
from connectors.platforms.shopify.mapping.liability import is_shared
from connectors.platforms.shopify.mapping.stated import why_not_stated
from connectors.platforms.shopify.shape import Order, read
from connectors.spec import Json, Request, Send

MOST_PAGES = 1_000
"""Of one list of one order; one that goes on for longer turns in a circle."""


def whole_order(record: Json, send: Send) -> Json:
    """Return an order's record whole: as it is, or read again by itself."""
    order = read(record, Order)
    return _read_whole(order.id, send) if is_lacking(order) else record


def is_lacking(order: Order) -> bool:
    """Tell whether an order's record does not hold all that is needed for its facts."""
    refunds = order.refunds
    if order.line_items.is_cut or any(refund.refund_line_items is not None and refund.refund_line_items.is_cut for refund in refunds):
        return True
    if not order.is_whole and (len(order.transactions) >= queries.TRANSACTIONS or len(refunds) >= queries.REFUNDS):
        return True
    if is_shared(order) and any(line.tax_lines is None for line in order.line_items.nodes):
        return True
    if any(refund.refund_line_items is None and not refund.total_refunded_set.units for refund in refunds):
        # goods came back without money: no status tells that the order is to be asked for its refunds
        return True
    return bool(why_not_stated(order)) and not can_derive(order)


def _read_whole(order_id: str, send: Send) -> Json:
    order = _answer(send, ask(queries.ORDER, id=order_id, lines=None, shipping=None), "order")
    for name, cursor in (("lineItems", "lines"), ("shippingLines", "shipping")):
        first = _list(order, name)
        order[name] = {"nodes": [*first["nodes"], *_further(first, send, queries.ORDER, ("order", name), cursor, id=order_id)]}
    refunds = order.get("refunds")
    for refund in refunds if isinstance(refunds, list) else ():
        if _goes_on(_list(refund, "refundLineItems")):
            lines = _all(send, queries.REFUND_LINES_OF, ("refund", "refundLineItems"), "after", id=refund.get("id"))
            refund["refundLineItems"] = {"nodes": list(lines)}
    agreements = _list(order, "agreements")
    if _goes_on(agreements) or any(_goes_on(_list(each, "sales")) for each in agreements["nodes"]):
        order["agreements"] = {"nodes": list(_agreements(order_id, send))}
    return {**order, "isWhole": True}


def _answer(send: Send, request: Request, *path: str) -> Json:
    found = at(send(request).json(), ("data", *path))
    if not isinstance(found, dict):
        raise BadPayload(f"Shopify no longer has the {path[0]}.", record=str((request.body or {}).get("variables", {}).get("id", "")))
    return found


def _list(record: object, name: str) -> Json:
    """Return a list of a record as Shopify pages it; raise BadPayload where it is not one."""
    found = record.get(name) if isinstance(record, dict) else None
    info = found.get("pageInfo") if isinstance(found, dict) else None
    if not isinstance(found, dict) or not isinstance(found.get("nodes"), list) or not isinstance(info, dict):
        raise BadPayload(f"The answer has no list “{name}”.")
    return found


def _goes_on(page: Json) -> bool:
    return bool(page["pageInfo"].get("hasNextPage"))


def _cursor(page: Json) -> str:
    found = page["pageInfo"].get("endCursor")
    if not isinstance(found, str) or not found:
        raise BadPayload("A list has a next page and does not say where.")
    return found


def _all(send: Send, document: str, path: tuple[str, ...], cursor: str, **variables: Any) -> Iterator[Json]:
    first = _list({"list": _answer(send, ask(document, **variables), *path)}, "list")
    yield from first["nodes"]
    yield from _further(first, send, document, path, cursor, **variables)


def _further(page: Json, send: Send, document: str, path: tuple[str, ...], cursor: str, **variables: Any) -> Iterator[Json]:
    """Yield the records of a list's further pages."""
    for _ in range(MOST_PAGES):
        if not _goes_on(page):
            return
        further: dict[str, Any] = {**variables, cursor: _cursor(page)}
        page = _list({"list": _answer(send, ask(document, **further), *path)}, "list")
        yield from page["nodes"]
    raise BadPayload(f"The list “{path[-1]}” does not end.", record=variables.get("id", ""))


def _agreements(order_id: str, send: Send) -> Iterator[Json]:
    """Yield an order's agreements one by one, each with all of its sales."""
    after: str | None = None
    for _ in range(MOST_PAGES):
        page = _list(_answer(send, ask(queries.AGREEMENTS_OF, id=order_id, after=after, sales=None), "order"), "agreements")
        for agreement in page["nodes"]:
            variables = {"id": order_id, **({"after": after} if after else {})}
            sales = _list(agreement, "sales")
            yield {**agreement, "sales": {"nodes": [*sales["nodes"], *_sales(sales, send, variables)]}}
        if not _goes_on(page):
            return
        after = _cursor(page)
    raise BadPayload("The agreements of an order do not end.", record=order_id)


def _sales(page: Json, send: Send, variables: dict[str, Any]) -> Iterator[Json]:
    """Yield the further sales of the one agreement that a cursor stands before."""
    for _ in range(MOST_PAGES):
        if not _goes_on(page):
            return
        found = _list(_answer(send, ask(queries.AGREEMENTS_OF, **variables, sales=_cursor(page)), "order"), "agreements")
        page = _list(next(iter(found["nodes"]), None), "sales")
        yield from page["nodes"]
    raise BadPayload("The sales of an agreement do not end.", record=variables["id"])
