"""Say which of Shopify's webhook topics are rung by what happens in a business, and when."""

from collections.abc import Iterator
from datetime import datetime

from msgspec import Struct

from connectors.sandbox.business import Shop
from connectors.sandbox.catalogue import Catalogue
from connectors.sandbox.index import seconds
from connectors.sandbox.story import Cancelled, Deleted, Disputed, Edited, Happening, Paid, Payment, Refunded, Returned, Settled, Story
from connectors.sandbox.telling import SILENT

TOPICS = {
    "ORDERS_CREATE": "orders/create", "ORDERS_UPDATED": "orders/updated", "ORDERS_EDITED": "orders/edited", "ORDERS_CANCELLED": "orders/cancelled",
    "ORDERS_DELETE": "orders/delete", "REFUNDS_CREATE": "refunds/create", "ORDER_TRANSACTIONS_CREATE": "order_transactions/create",
    "RETURNS_UPDATE": "returns/update", "PRODUCTS_UPDATE": "products/update", "PRODUCTS_DELETE": "products/delete",
    "INVENTORY_ITEMS_UPDATE": "inventory_items/update", "DISPUTES_CREATE": "disputes/create", "DISPUTES_UPDATE": "disputes/update",
    "BULK_OPERATIONS_FINISH": "bulk_operations/finish", "SHOP_UPDATE": "shop/update", "APP_SCOPES_UPDATE": "app/scopes_update",
    "APP_UNINSTALLED": "app/uninstalled",
}  # fmt: skip
"""Topic of the schema → as it stands in a delivery: those that something rings."""
COMPLIANCE = ("customers/data_request", "customers/redact", "shop/redact")
"""Topics that no subscription names: an app sets one address for them."""
HEARD = ("SUCCESS", "FAILURE", "ERROR")
"""In which states a transaction is told of."""


class Ring(Struct, frozen=True, order=True):
    """That something happened which one topic tells of."""

    at: datetime
    place: int
    """Which of those at one moment."""
    topic: str
    kind: str
    """What it is about: Order, Refund, OrderTransaction…"""
    id: int
    order: int = 0
    """The order it belongs to; 0 for none."""


def of_story(story: Story, since: int, until: int) -> list[Ring]:
    """Return what rings for an order after one second and until another, in order of time."""
    created = seconds(story.created_at)
    found: list[tuple[datetime, str, str, int]] = []
    if since < created <= until:
        found.append((story.created_at, "orders/create", "Order", story.id))
    changed: dict[int, datetime] = {}
    for each in story.happenings:
        at = max(each.at, story.created_at)
        if not since < seconds(at) <= until:
            continue
        found += [(at, *what) for what in _of_happening(story, each)]
        if not isinstance(each, (*SILENT, Deleted)) and seconds(at) > created:
            changed[seconds(at)] = at
    found += [(at, "orders/updated", "Order", story.id) for at in changed.values()]
    found.sort(key=lambda each: each[0])  # what happens at one moment stays as it was thought of
    return [Ring(at, place, topic, kind, number, story.id) for place, (at, topic, kind, number) in enumerate(found)]


def _of_happening(story: Story, happening: Happening) -> Iterator[tuple[str, str, int]]:
    match happening:
        case Paid():
            yield from _of_payments((happening.payment,))
        case Edited():
            yield "orders/edited", "OrderEdit", happening.id
        case Refunded():
            yield "refunds/create", "Refund", happening.id
            yield from _of_payments(happening.payments)
        case Returned():
            yield "returns/update", "Return", happening.id
            yield "refunds/create", "Refund", happening.refund_id
            yield from _of_payments(happening.payments)
        case Cancelled():
            yield "orders/cancelled", "Order", story.id
        case Deleted():
            yield "orders/delete", "Order", story.id
        case Disputed():
            yield "disputes/create", "Dispute", happening.id
        case Settled():
            yield "disputes/update", "Dispute", happening.dispute


def _of_payments(payments: tuple[Payment, ...]) -> Iterator[tuple[str, str, int]]:
    for payment in payments:
        if payment.status in HEARD:
            yield "order_transactions/create", "OrderTransaction", payment.id


def of_goods(catalogue: Catalogue, shop: Shop) -> list[Ring]:
    """Return what ever rings for the catalogue and for the shop's settings, in order of time."""
    found: list[tuple[datetime, str, str, int]] = []
    for variant in catalogue.variants.values():
        found += [(price.since, "products/update", "Product", variant.product) for price in variant.prices[1:]]
        found += [(cost.changed_at, "inventory_items/update", "InventoryItem", variant.inventory_item) for cost in variant.costs]
    gone = {product.id: product.deleted_at for product in catalogue.products.values() if product.deleted_at is not None}
    found = [each for each in found if each[2] != "Product" or each[3] not in gone or each[0] < gone[each[3]]]
    found += [(at, "products/delete", "Product", product) for product, at in gone.items()]
    found += [(setting.since, "shop/update", "Shop", shop.id) for setting in shop.settings[1:]]
    return sorted(Ring(at, place, topic, kind, number) for place, (at, topic, kind, number) in enumerate(found))
