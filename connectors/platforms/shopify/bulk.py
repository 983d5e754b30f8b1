"""Read the past by bulk operations: two files of lines, one of orders with what is on them, one of their sale agreements.

Bulk files cannot tell which lines a refund gave back; the stream of refunded orders does, newest first.
"""

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from connectors.faults import BadPayload, RetryLater
from connectors.paging import at
from connectors.platforms.shopify import queries
from connectors.platforms.shopify.asking import ask, changed_within
from connectors.platforms.shopify.shape import Ref, read
from connectors.spec import Bulk, BulkState, Json, Request, Window

BUSY = frozenset({"OPERATION_IN_PROGRESS", "LIMIT_REACHED"})
BUSY_SECONDS = 60.0
"""Until another operation of this app may have ended."""
OVER = frozenset({"COMPLETED", "FAILED", "CANCELED", "EXPIRED"})
PARENT, TYPE = "__parentId", "__typename"
LISTS = {"LineItem": "lineItems", "ShippingLine": "shippingLines"}


class _UserError(Struct):
    message: str = ""
    code: str | None = None


class _Started(Struct, rename="camel"):
    bulk_operation: Ref | None = None
    user_errors: list[_UserError] = []


class _Operation(Struct, rename="camel"):
    status: str
    object_count: str | int | None = 0
    error_code: str | None = None
    url: str | None = None
    partial_data_url: str | None = None

    @property
    def count(self) -> int:
        text = str(self.object_count or 0)
        return int(text) if text.isdecimal() else 0


class _Line(Struct, rename="camel"):
    id: str | None = None
    parent: str | None = msgspec.field(default=None, name="__parentId")
    type: str = msgspec.field(default="", name="__typename")


def start(window: Window) -> Sequence[Request]:
    """Return the requests of both files of a window."""
    told = changed_within(window)
    return [ask(queries.BULK_RUN, query=document.replace(queries.FILTER, told)) for document in (queries.BULK_ORDERS, queries.BULK_AGREEMENTS)]


def started(answer: Json) -> str:
    """Return the id of an operation that was started; raise RetryLater while others run, BadPayload when it is refused."""
    told = read(_dict(at(answer, ("data", "bulkOperationRunQuery"))), _Started)
    if any(error.code in BUSY for error in told.user_errors):
        raise RetryLater("Shopify makes other files for this app; these follow when those are done.", after=BUSY_SECONDS)
    if told.user_errors:
        raise BadPayload(f"Shopify does not make the files: {told.user_errors[0].message[:300]}")
    if told.bulk_operation is None:
        raise BadPayload("Shopify did not say which operation it started.")
    return told.bulk_operation.id


def state(answer: Json) -> BulkState:
    """Return how far an operation is; a failed one may leave a file that is complete up to its last whole order."""
    found = at(answer, ("data", "bulkOperation"))
    if found is None:
        return BulkState(done=True, failure="Shopify no longer knows the operation")
    told = read(_dict(found), _Operation)
    if told.status not in OVER:
        return BulkState(done=False, count=told.count)
    if told.status == "COMPLETED":
        return BulkState(done=True, count=told.count, url=told.url)
    failure, part = f"Shopify ended the operation: {told.error_code or told.status}", told.partial_data_url
    return BulkState(done=True, count=told.count, url=part, failure=failure, partial=part is not None)


def _dict(found: object) -> Json:
    if not isinstance(found, dict):
        raise BadPayload("Shopify's answer tells nothing of the operation.")
    return found


def root(line: Json) -> str | None:
    """Return the id of the order that a line is itself."""
    return _text(line, "id") if PARENT not in line else None


def _text(line: Json, name: str) -> str | None:
    found = line.get(name)
    return found if isinstance(found, str) else None


def agreement(line: Json) -> str | None:
    """Return the id of an agreement: of all lines within an order, only they have lines of their own."""
    return _text(line, "id") if str(line.get(TYPE, "")).endswith("Agreement") else None


def assemble(lines: Sequence[Json]) -> Json:
    """Put an order together of its lines in both files, as a page shows it."""
    order: Json = {}
    lists: dict[str, list[Json]] = {"lineItems": [], "shippingLines": []}
    agreements: dict[str, Json] = {}
    sales: dict[str, list[Json]] = {}
    for line in lines:
        told = read(line, _Line)
        if PARENT not in line:
            order |= line
        elif told.type in LISTS:
            lists[LISTS[told.type]].append(line)
        elif told.type.endswith("Agreement") and told.id is not None:
            agreements[told.id] = line
        else:
            sales.setdefault(told.parent or "", []).append(line)
    if "processedAt" not in order:
        raise BadPayload("The order is in the file of agreements alone.", record=str(order.get("id", "")))
    order |= {name: {"nodes": nodes} for name, nodes in lists.items()}
    order["agreements"] = {"nodes": [{**each, "sales": {"nodes": sales.get(name, [])}} for name, each in agreements.items()]}
    return {**order, "isWhole": True}


ORDERS = Bulk(
    start=start, started=started, poll=lambda operation: ask(queries.BULK_STATE, id=operation), state=state, root=root,
    parent=lambda line: _text(line, PARENT), identity=agreement, assemble=assemble, in_order=True,
)  # fmt: skip
