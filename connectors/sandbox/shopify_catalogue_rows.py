"""Write down what a shop is and sells: itself, its places and markets, products, variants, stock and unit costs."""

from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from connectors.sandbox.business import Customer, Product, Shop, Variant
from connectors.sandbox.shopify_money import Row, money, price, stamp
from connectors.sandbox.shopify_pages import gid

QUANTITIES = ("available", "on_hand", "committed", "incoming")


def shop_row(shop: Shop, domain: str, now: datetime) -> Row:
    """Return the shop as it is set at a moment."""
    setting = shop.at(now)
    offset = now.astimezone(ZoneInfo(setting.zone)).utcoffset() or timedelta()
    return {
        "id": gid("Shop", shop.id), "name": shop.name, "myshopifyDomain": domain, "currencyCode": setting.currency, "ianaTimezone": setting.zone,
        "timezoneOffsetMinutes": int(offset.total_seconds()) // 60, "taxesIncluded": shop.taxes_included, "taxShipping": not shop.taxes_included,
        "createdAt": stamp(shop.created_at), "url": f"https://{domain}",
        "plan": {"publicDisplayName": "Basic", "shopifyPlus": False, "partnerDevelopment": False},
        "enabledPresentmentCurrencies": list(dict.fromkeys((setting.currency, *shop.presentment_currencies))),
        "shopAddress": {"id": gid("ShopAddress", shop.id), "countryCodeV2": shop.country},
    }  # fmt: skip


def location_row(number: int, name: str) -> Row:
    """Return a location."""
    return {"id": gid("Location", number), "legacyResourceId": str(number), "name": name, "isActive": True}


def market_rows(shop: Shop, now: datetime) -> dict[int, Row]:
    """Return the shop's markets: its own country's, and one for each other currency its customers may pay in."""
    currencies = list(dict.fromkeys((shop.at(now).currency, *shop.presentment_currencies)))
    return {number: _market(number, currency, shop.country if number == 1 else "") for number, currency in enumerate(currencies, 1)}


def _market(number: int, currency: str, country: str) -> Row:
    name = country or f"Customers paying in {currency}"
    base = {"currencyCode": currency, "currencyName": currency, "enabled": True}
    return {
        "id": gid("Market", number), "name": name, "handle": name.lower().replace(" ", "-"), "status": "ACTIVE", "type": "REGION",
        "currencySettings": {"baseCurrency": base, "localCurrencies": False},
    }  # fmt: skip


class CatalogueRows:
    """Make rows of the catalogue as of one moment. `sold` tells how many units of a variant had been sold by then."""

    def __init__(self, shop: Shop, now: datetime, sold: Callable[[int], int]) -> None:
        self.shop, self.now, self.currency, self._sold = shop, now, shop.at(now).currency, sold

    def product(self, product: Product, variants: list[Variant]) -> Row:
        """Return a product with its variants."""
        changed = max((variant.changed_at(self.now) for variant in variants), default=product.created_at)
        row: Row = {
            "id": gid("Product", product.id), "legacyResourceId": str(product.id), "title": product.title, "handle": product.handle,
            "vendor": product.vendor, "productType": product.type, "status": "ACTIVE", "isGiftCard": product.is_gift_card,
            "tags": list(product.tags), "createdAt": stamp(product.created_at), "updatedAt": stamp(max(changed, product.created_at)),
            "variantsCount": {"count": len(variants), "precision": "EXACT"},
        }  # fmt: skip
        row["variants"] = lambda: [self.variant(variant, row) for variant in variants]
        return row

    def variant(self, variant: Variant, product: Row) -> Row:
        """Return a variant, with its inventory item."""
        held = variant.price_at(self.now)
        single = variant.title in ("", "Default Title")
        row: Row = {
            "id": gid("ProductVariant", variant.id), "legacyResourceId": str(variant.id), "sku": variant.sku or None, "title": variant.title,
            "displayName": product["title"] if single else f"{product['title']} - {variant.title}", "price": price(held.minor, self.currency),
            "compareAtPrice": price(held.compare_at, self.currency) if held.compare_at is not None else None, "taxable": variant.taxable,
            "createdAt": stamp(variant.created_at), "updatedAt": stamp(variant.changed_at(self.now)), "inventoryQuantity": self.stock(variant),
            "product": product,
        }  # fmt: skip
        row["inventoryItem"] = self._item(variant, row)
        return row

    def stock(self, variant: Variant) -> int:
        """Return the units at hand: what is sold out is bought again, in lots of what there was at the beginning."""
        return variant.stock - self._sold(variant.id) % variant.stock if variant.stock else 0

    def cost_changed_at(self, variant: Variant) -> datetime:
        """Return when a variant's unit cost was last entered by now."""
        return max((each.changed_at for each in variant.costs if each.changed_at <= self.now), default=variant.created_at)

    def _item(self, variant: Variant, row: Row) -> Row:
        cost = variant.cost_at(self.now)
        changed = stamp(self.cost_changed_at(variant))
        item: Row = {
            "id": gid("InventoryItem", variant.inventory_item), "legacyResourceId": str(variant.inventory_item), "sku": variant.sku or None,
            "tracked": variant.tracked, "requiresShipping": variant.requires_shipping, "createdAt": stamp(variant.created_at),
            "updatedAt": changed, "unitCost": money(cost, self.currency) if cost is not None else None, "variants": [row],
        }  # fmt: skip
        item["inventoryLevels"] = lambda: self._levels(variant, item, changed)
        return item

    def _levels(self, variant: Variant, item: Row, changed: str) -> list[Row]:
        """Return the stock of each location: all of it is in the first."""
        rows = []
        for place, (number, name) in enumerate(self.shop.locations):
            held = self.stock(variant) if place == 0 else 0
            identity = f"{number}?inventory_item_id={variant.inventory_item}"
            rows.append(
                {
                    "id": f"gid://shopify/InventoryLevel/{identity}", "location": location_row(number, name), "updatedAt": changed, "item": item,
                    "isActive": True,
                    "quantities": [
                        {
                            "id": f"gid://shopify/InventoryQuantity/{identity}&name={kind}", "name": kind,
                            "quantity": held if kind in ("available", "on_hand") else 0, "updatedAt": changed,
                        }
                        for kind in QUANTITIES
                    ],
                }
            )  # fmt: skip
        return rows


def customer_row(customer: Customer, updated_at: datetime, orders: list[int]) -> Row:
    """Return a customer without what hangs on their orders."""
    address = {"id": gid("MailingAddress", customer.id), "countryCodeV2": customer.country, "provinceCode": customer.province or None}
    return {
        "id": gid("Customer", customer.id), "legacyResourceId": str(customer.id), "createdAt": stamp(customer.created_at),
        "updatedAt": stamp(updated_at), "numberOfOrders": str(len(orders)), "state": customer.state, "tags": [],
        "defaultAddress": {**address, "zip": customer.zip or None} if customer.country else None,
        "defaultEmailAddress": {"emailAddress": customer.email, "marketingState": "NOT_SUBSCRIBED"},
    }  # fmt: skip
