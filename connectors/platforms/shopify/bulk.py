"""Read the past by bulk operations: two files of lines, one of orders with what is on them, one of their sale agreements.

Bulk files cannot tell which lines a refund gave back; the stream of refunded orders does, newest first.
"""

from collections.abc import Sequence

from connectors.faults import BadPayload, RetryLater
from connectors.paging import at
from connectors.platforms.shopify import queries
from connectors.platforms.shopify.asking import ask, changed_within
from connectors.spec import Bulk, BulkState, Json, Request, Window

BUSY = frozenset({"OPERATION_IN_PROGRESS", "LIMIT_REACHED"})
BUSY_SECONDS = 60.0
"""Until another operation of this app may have ended."""
OVER = frozenset({"COMPLETED", "FAILED", "CANCELED", "EXPIRED"})
PARENT, TYPE = "__parentId", "__typename"
LISTS = {"LineItem": "lineItems", "ShippingLine": "shippingLines"}


def start(window: Window) -> Sequence[Request]:
    """Return the requests of both files of a window."""
    told = changed_within(window)
    return [ask(queries.BULK_RUN, query=document.replace(queries.FILTER, told)) for document in (queries.BULK_ORDERS, queries.BULK_AGREEMENTS)]


def started(answer: Json) -> str:
    """Return the id of an operation that was started; raise RetryLater while others run, BadPayload when it is refused."""
    told = at(answer, ("data", "bulkOperationRunQuery"))
    errors = told.get("userErrors") or [] if isinstance(told, dict) else []
    if any(error.get("code") in BUSY for error in errors):
        raise RetryLater("Shopify makes other files for this app; these follow when those are done.", after=BUSY_SECONDS)
    if errors:
        raise BadPayload(f"Shopify does not make the files: {errors[0].get('message', '')[:300]}")
    found = at(answer, ("data", "bulkOperationRunQuery", "bulkOperation", "id"))
    if not isinstance(found, str):
        raise BadPayload("Shopify did not say which operation it started.")
    return found


def state(answer: Json) -> BulkState:
    """Return how far an operation is; a failed one may leave a file that is complete up to its last whole order."""
    told = at(answer, ("data", "bulkOperation"))
    if not isinstance(told, dict):
        return BulkState(done=True, failure="Shopify no longer knows the operation")
    status, count = told.get("status"), int(told.get("objectCount") or 0)
    if status not in OVER:
        return BulkState(done=False, count=count)
    if status == "COMPLETED":
        return BulkState(done=True, count=count, url=told.get("url"))
    failure = f"Shopify ended the operation: {told.get('errorCode') or status}"
    part = told.get("partialDataUrl")
    return BulkState(done=True, count=count, url=part, failure=failure, partial=part is not None)


def root(line: Json) -> str | None:
    """Return the id of the order that a line is itself."""
    return line.get("id") if PARENT not in line else None


def agreement(line: Json) -> str | None:
    """Return the id of an agreement: of all lines within an order, only they have lines of their own."""
    return line.get("id") if str(line.get(TYPE, "")).endswith("Agreement") else None


def assemble(lines: Sequence[Json]) -> Json:
    """Put an order together of its lines in both files, as a page shows it."""
    order: Json = {}
    lists: dict[str, list[Json]] = {"lineItems": [], "shippingLines": []}
    agreements: dict[str, Json] = {}
    sales: dict[str, list[Json]] = {}
    for line in lines:
        kind = line.get(TYPE, "")
        if PARENT not in line:
            order |= line
        elif kind in LISTS:
            lists[LISTS[kind]].append(line)
        elif kind.endswith("Agreement"):
            agreements[line["id"]] = line
        else:
            sales.setdefault(line[PARENT], []).append(line)
    if "processedAt" not in order:
        raise BadPayload("The order is in the file of agreements alone.", record=str(order.get("id", "")))
    order |= {name: {"nodes": nodes} for name, nodes in lists.items()}
    order["agreements"] = {"nodes": [{**each, "sales": {"nodes": sales.get(name, [])}} for name, each in agreements.items()]}
    return {**order, "isWhole": True}


ORDERS = Bulk(
    start=start, started=started, poll=lambda operation: ask(queries.BULK_STATE, id=operation), state=state, root=root,
    parent=lambda line: line.get(PARENT), identity=agreement, assemble=assemble, in_order=True,
)  # fmt: skip
