"""Ask Shopify for whole records by their ids."""

from collections.abc import Sequence

from connectors.faults import BadPayload
from connectors.paging import at
from connectors.platforms.shopify import queries
from connectors.platforms.shopify.asking import ask, gid
from connectors.spec import Again, Json

ORDERS_AT_ONCE, VARIANTS_AT_ONCE, ITEMS_AT_ONCE = 8, 100, 40
"""Each costs as much as a page's record, and a query may cost no more than 1,000 points."""


def found(answer: Json) -> Sequence[Json]:
    """Return the records among those asked for by id; null stands for one that is gone."""
    nodes = at(answer, ("data", "nodes"))
    if not isinstance(nodes, list):
        raise BadPayload("The answer has no list of records.")
    return [node for node in nodes if isinstance(node, dict) and "id" in node]


def _again(document: str, kind: str, at_once: int) -> Again:
    return Again(request=lambda ids: ask(document, ids=[gid(kind, number) for number in ids]), found=found, at_once=at_once)


ORDERS = _again(queries.ORDERS_AGAIN, "Order", ORDERS_AT_ONCE)
VARIANTS = _again(queries.VARIANTS_AGAIN, "ProductVariant", VARIANTS_AT_ONCE)
INVENTORY = _again(queries.INVENTORY_AGAIN, "InventoryItem", ITEMS_AT_ONCE)
