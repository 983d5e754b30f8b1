"""Map Shopify's catalogue: variants with their prices, stock and cost, and what was deleted."""

from collections.abc import Iterator

from msgspec import Struct

from connectors.faults import BadPayload
from connectors.platforms.shopify.mapping.orders import PLATFORM
from connectors.platforms.shopify.shape import Money, Nodes, Ref, Time, read, tail
from connectors.spec import Context, Json
from ledger.facts import GoneFact, LocationFact, VariantFact
from ledger.money import Tenk

NO_OPTIONS = "Default Title"
"""How Shopify titles the one variant of a product without options."""
ON_HAND = "on_hand"


class Product(Struct, rename="camel"):
    """A product of the catalogue."""

    id: str
    title: str = ""


class Cost(Struct, rename="camel"):
    """What a unit costs; None where it was not entered, or this app may not see it: nobody can tell which."""

    id: str
    unit_cost: Money | None = None


class Variant(Struct, rename="camel"):
    """A variant of a product."""

    id: str
    title: str
    price: str
    product: Product
    sku: str | None = None
    compare_at_price: str | None = None
    inventory_quantity: int | None = None
    inventory_item: Cost | None = None


class Quantity(Struct):
    """Units of one kind at one place."""

    name: str
    quantity: int


class Level(Struct):
    """The stock at one place."""

    quantities: list[Quantity]


class Stock(Struct, rename="camel"):
    """An inventory item: what its variant costs, and how many there are."""

    id: str
    variants: Nodes[Ref] | None = None
    unit_cost: Money | None = None
    tracked: bool = True
    inventory_levels: Nodes[Level] | None = None


class Location(Struct, rename="camel"):
    """A place of the shop."""

    id: str
    name: str
    is_active: bool = True


class Deletion(Struct, rename="camel"):
    """An event that tells that something was deleted."""

    id: str
    action: str
    created_at: Time
    subject_id: str = ""
    subject_type: str = ""


def variant_facts(record: Json, context: Context) -> Iterator[VariantFact]:
    """Map a variant; raise BadPayload when it is not what Shopify documents."""
    variant = read(record, Variant)
    cost, cost_currency = _cost(variant.inventory_item.unit_cost if variant.inventory_item is not None else None)
    yield VariantFact(
        PLATFORM, tail(variant.id), (variant.sku or "").strip()[:120], "" if variant.title == NO_OPTIONS else variant.title[:255],
        tail(variant.product.id), variant.product.title[:255], Money(variant.price).units,
        None if variant.compare_at_price is None else Money(variant.compare_at_price).units, context.currency, cost, cost_currency,
    )  # fmt: skip


def stock_facts(record: Json, context: Context) -> Iterator[VariantFact]:
    """Map an inventory item to what it tells of its variants: cost and units on hand. Where stock is not tracked, there is none to tell."""
    item = read(record, Stock)
    cost, cost_currency = _cost(item.unit_cost)
    levels = item.inventory_levels
    stock = None
    if item.tracked and levels is not None and not levels.is_cut:
        stock = sum(quantity.quantity for level in levels.nodes for quantity in level.quantities if quantity.name == ON_HAND)
    for variant in item.variants.nodes if item.variants is not None else ():
        yield VariantFact(PLATFORM, tail(variant.id), unit_cost=cost, cost_currency=cost_currency, stock=stock)


def location_facts(record: Json, context: Context) -> Iterator[LocationFact]:
    """Map a place of the shop; raise BadPayload when it is not what Shopify documents."""
    place = read(record, Location)
    yield LocationFact(PLATFORM, tail(place.id)[:60], place.name[:255], place.is_active)


def gone_facts(record: Json, context: Context) -> Iterator[GoneFact]:
    """Map the event of a deletion; what else was deleted than products and variants is nothing of the catalogue."""
    event = read(record, Deletion)
    if event.action == "destroy" and event.subject_type in ("PRODUCT", "PRODUCT_VARIANT"):
        yield GoneFact(PLATFORM, tail(event.subject_id), event.created_at, event.subject_type == "PRODUCT")


def _cost(told: Money | None) -> tuple[Tenk | None, str]:
    if told is None:
        return None, ""
    if told.units < 0:
        raise BadPayload(f"A unit cost of {told.amount} is less than nothing.")
    return told.units, told.currency_code
