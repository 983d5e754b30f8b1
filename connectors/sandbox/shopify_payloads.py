"""Write down what a webhook carries: the shape Shopify's older REST interface had, as of the moment it tells of."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from connectors.sandbox import bank
from connectors.sandbox.business import Variant
from connectors.sandbox.money import amount
from connectors.sandbox.shopify_pages import gid
from connectors.sandbox.shopify_rest_orders import OrderBody
from connectors.sandbox.shopify_topics import Ring
from connectors.sandbox.story import Edited, Item, Story
from connectors.sandbox.telling import order_at
from connectors.sandbox.world import World

Body = dict[str, Any]


class Payloads:
    """Write the bodies of one business's deliveries."""

    def __init__(self, world: World, domain: str) -> None:
        self.world, self.domain = world, domain
        self._of: dict[str, Callable[[Ring], Body | None]] = {
            "Order": self._order, "OrderEdit": self._edit, "Refund": self._refund, "OrderTransaction": self._transaction, "Return": self._return,
            "Dispute": self._dispute, "Product": self._product, "InventoryItem": self._inventory_item, "Shop": lambda ring: self.shop(ring.at),
        }  # fmt: skip

    def of(self, ring: Ring) -> Body | None:
        """Return what a delivery carries; None where there is nothing left to tell of."""
        if ring.topic.endswith("/delete"):
            return {"id": ring.id}
        return self._of[ring.kind](ring)

    def stamp(self, moment: datetime | None, now: datetime) -> str | None:
        """Return a moment as the clock in the shop shows it."""
        zone = ZoneInfo(self.world.shop.at(now).zone)
        return moment.astimezone(zone).replace(microsecond=0).isoformat() if moment is not None else None

    # Orders and what belongs to them

    def _told(self, ring: Ring) -> OrderBody | None:
        story = self.world.story(ring.order)
        order = order_at(story, ring.at) if story is not None else None
        if order is None:
            return None
        customer = self.world.source.customer(order.customer, order.created_at) if order.customer is not None else None
        return OrderBody(order, customer, lambda moment: self.stamp(moment, ring.at))

    def _order(self, ring: Ring) -> Body | None:
        told = self._told(ring)
        return told.body() if told is not None else None

    def _refund(self, ring: Ring) -> Body | None:
        told = self._told(ring)
        return next((told.refund(each) for each in told.order.refunds if each.id == ring.id), None) if told is not None else None

    def _transaction(self, ring: Ring) -> Body | None:
        told = self._told(ring)
        return next((told.transaction(each) for each in told.order.transactions if each.id == ring.id), None) if told is not None else None

    def _return(self, ring: Ring) -> Body | None:
        told = self._told(ring)
        return next((told.returned(each) for each in told.order.returns if each.id == ring.id), None) if told is not None else None

    def _edit(self, ring: Ring) -> Body | None:
        story = self.world.story(ring.order)
        edits = (each for each in story.happenings if isinstance(each, Edited) and each.id == ring.id) if story is not None else iter(())
        edit = next(edits, None)
        if edit is None:
            return None
        shipping = [{"id": edit.carriage.id, "delta": 1}] if edit.carriage is not None else []
        edited = {
            "id": edit.id, "app_id": None, "created_at": self.stamp(edit.at, ring.at), "notify_customer": False, "order_id": ring.order,
            "staff_note": "", "user_id": None, "committed_at": self.stamp(edit.at, ring.at),
            "line_items": {"additions": _added(edit.added), "removals": [{"id": item, "delta": units} for item, units in edit.removed]},
            "discounts": {"line_item": {"additions": [{"id": item} for item, _ in edit.discounts], "removals": []}},
            "shipping_lines": {"additions": shipping, "removals": []},
        }  # fmt: skip
        return {"order_edit": edited}

    def _dispute(self, ring: Ring) -> Body | None:
        story: Story | None = self.world.story(ring.order)
        found = bank.disputes(story, self.world.shop, ring.at) if story is not None else []
        dispute = next((each for each in found if each.id == ring.id), None)
        if dispute is None:
            return None
        return {
            "id": dispute.id, "order_id": dispute.order, "type": dispute.type.lower(), "amount": str(amount(dispute.amount, dispute.currency)),
            "currency": dispute.currency, "reason": dispute.reason.lower(), "network_reason_code": None, "status": dispute.status.lower(),
            "evidence_due_by": None, "evidence_sent_on": None, "finalized_on": dispute.finalized_on.isoformat() if dispute.finalized_on else None,
            "initiated_at": self.stamp(dispute.initiated_at, ring.at),
        }  # fmt: skip

    # Goods

    def _product(self, ring: Ring) -> Body:
        product = self.world.catalogue.products[ring.id]
        variants = [each for each in self.world.catalogue.variants.values() if each.product == product.id and each.created_at <= ring.at]
        changed = max((each.changed_at(ring.at) for each in variants), default=product.created_at)
        return {
            "id": product.id, "admin_graphql_api_id": gid("Product", product.id), "title": product.title, "body_html": None, "vendor": product.vendor,
            "product_type": product.type, "handle": product.handle, "status": "active", "tags": ", ".join(product.tags), "template_suffix": None,
            "published_scope": "global", "created_at": self.stamp(product.created_at, ring.at), "updated_at": self.stamp(changed, ring.at),
            "published_at": self.stamp(product.created_at, ring.at),
            "variants": [self._variant(each, place, ring.at) for place, each in enumerate(variants, 1)], "options": [], "images": [], "image": None,
        }  # fmt: skip

    def _variant(self, variant: Variant, place: int, now: datetime) -> Body:
        held, currency = variant.price_at(now), self.world.shop.at(now).currency
        return {
            "id": variant.id, "admin_graphql_api_id": gid("ProductVariant", variant.id), "product_id": variant.product, "title": variant.title,
            "price": str(amount(held.minor, currency)), "compare_at_price": str(amount(held.compare_at, currency)) if held.compare_at else None,
            "sku": variant.sku, "position": place, "inventory_item_id": variant.inventory_item, "taxable": variant.taxable,
            "requires_shipping": variant.requires_shipping, "grams": variant.grams, "created_at": self.stamp(variant.created_at, now),
            "updated_at": self.stamp(variant.changed_at(now), now),
        }  # fmt: skip

    def _inventory_item(self, ring: Ring) -> Body:
        variant = next(each for each in self.world.catalogue.variants.values() if each.inventory_item == ring.id)
        cost = variant.cost_at(ring.at)
        return {
            "id": ring.id, "admin_graphql_api_id": gid("InventoryItem", ring.id), "sku": variant.sku, "tracked": variant.tracked,
            "cost": str(amount(cost, self.world.shop.at(ring.at).currency)) if cost is not None else None,
            "requires_shipping": variant.requires_shipping, "country_code_of_origin": None, "province_code_of_origin": None,
            "harmonized_system_code": None, "created_at": self.stamp(variant.created_at, ring.at), "updated_at": self.stamp(ring.at, ring.at),
        }  # fmt: skip

    # The shop itself, and its people

    def shop(self, now: datetime) -> Body:
        """Return the shop as `shop/update` and `app/uninstalled` tell it."""
        shop, setting = self.world.shop, self.world.shop.at(now)
        return {
            "id": shop.id, "admin_graphql_api_id": gid("Shop", shop.id), "name": shop.name, "domain": self.domain,
            "myshopify_domain": self.domain, "country_code": shop.country, "currency": setting.currency, "iana_timezone": setting.zone,
            "enabled_presentment_currencies": list(dict.fromkeys((setting.currency, *shop.presentment_currencies))),
            "taxes_included": shop.taxes_included, "plan_name": "basic", "plan_display_name": "Basic",
            "created_at": self.stamp(shop.created_at, now), "updated_at": self.stamp(now, now),
        }  # fmt: skip

    def redact_shop(self) -> Body:
        """Return what `shop/redact` carries."""
        return {"shop_id": self.world.shop.id, "shop_domain": self.domain}

    def of_customer(self, topic: str, customer: int, orders: Iterable[int], number: int, now: datetime) -> Body:
        """Return what `customers/data_request` (then `number` is the request's) or `customers/redact` carries."""
        person = self.world.source.customer(customer, now)
        who = {"id": customer, "email": person.email, "phone": None}
        named = list(orders)
        if topic == "customers/data_request":
            return {**self.redact_shop(), "orders_requested": named, "customer": who, "data_request": {"id": number}}
        return {**self.redact_shop(), "customer": who, "orders_to_redact": named}


def _added(items: tuple[Item, ...]) -> list[Body]:
    return [{"id": item.id, "delta": item.quantity} for item in items]
