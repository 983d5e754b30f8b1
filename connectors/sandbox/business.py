"""Define what a business has: its shop, what it sells, and who buys. Times are aware UTC, days are the shop's own."""

from bisect import bisect_right
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from msgspec import Struct


class ShopSetting(Struct, frozen=True):
    """What holds for a shop from a moment on."""

    since: datetime
    zone: str
    """IANA name."""
    currency: str


class Shop(Struct, frozen=True):
    """One shop. Its settings may change; the first holds for all time before it, too."""

    id: int
    name: str
    domain: str
    """`….myshopify.com`."""
    country: str
    settings: tuple[ShopSetting, ...]
    taxes_included: bool
    """Prices include tax."""
    presentment_currencies: tuple[str, ...]
    """Every currency customers may pay in, the shop's own first."""
    payout_currency: str
    """In which Shopify Payments keeps its balance and states its fees."""
    created_at: datetime
    locations: tuple[tuple[int, str], ...] = ()
    """Id and name: the warehouse first, then shops with a till."""

    def at(self, moment: datetime) -> ShopSetting:
        """Return what held at a moment."""
        return self.settings[max(bisect_right(self.settings, moment, key=lambda each: each.since) - 1, 0)]

    def day(self, moment: datetime) -> date:
        """Return the day a moment fell on, by the clock that hung in the shop then."""
        return moment.astimezone(ZoneInfo(self.at(moment).zone)).date()


class UnitCost(Struct, frozen=True):
    """What one unit costs from a day on; None while nobody has entered it."""

    since: date
    changed_at: datetime
    """When it was entered, on that day."""
    minor: int | None


class Price(Struct, frozen=True):
    """What one unit sells for from a moment on, as shown: with tax where the shop's prices include it."""

    since: datetime
    minor: int
    compare_at: int | None = None


class Product(Struct, frozen=True):
    """One product."""

    id: int
    title: str
    handle: str
    vendor: str
    type: str
    tags: tuple[str, ...]
    created_at: datetime
    is_gift_card: bool = False
    deleted_at: datetime | None = None


class Variant(Struct, frozen=True):
    """One variant of a product, with all it has ever cost and sold for."""

    id: int
    inventory_item: int
    product: int
    title: str
    sku: str
    prices: tuple[Price, ...]
    costs: tuple[UnitCost, ...]
    created_at: datetime
    tracked: bool = True
    requires_shipping: bool = True
    taxable: bool = True
    stock: int = 0
    """On hand at the beginning."""
    grams: int = 0

    def price_at(self, moment: datetime) -> Price:
        """Return the price that held at a moment; the first one also before it."""
        return self.prices[max(bisect_right(self.prices, moment, key=lambda each: each.since) - 1, 0)]

    def cost_at(self, moment: datetime) -> int | None:
        """Return the unit cost that a reader of the catalogue sees at a moment, in minor units of the shop's currency."""
        place = bisect_right(self.costs, moment, key=lambda each: each.changed_at)
        return self.costs[place - 1].minor if place else None

    def cost_on(self, day: date) -> int | None:
        """Return the unit cost that holds on a day; the first one ever entered also before it."""
        known = [each for each in self.costs if each.minor is not None]
        return known[max(bisect_right(known, day, key=lambda each: each.since) - 1, 0)].minor if known else None

    def changed_at(self, moment: datetime) -> datetime:
        """Return when the variant's price or cost last changed, by a moment."""
        changes = [each.since for each in self.prices] + [each.changed_at for each in self.costs]
        return max((each for each in changes if each <= moment), default=self.created_at)


class Customer(Struct, frozen=True):
    """One invented customer. The address has no person behind it and its domain receives no mail."""

    id: int
    created_at: datetime
    email: str
    country: str
    province: str
    zip: str
    state: str = "DISABLED"


class Visit(Struct, frozen=True):
    """One visit to the online shop before an order."""

    occurred_at: datetime
    landing_page: str
    referrer: str | None = None
    source: str = "direct"
    source_type: str | None = None
    """`SEO`, `PAID`…; None where Shopify names none."""
    utm: tuple[str | None, str | None, str | None, str | None, str | None] | None = None
    """Source, medium, campaign, term, content."""
    path: str = "/"
    """Of the landing page."""
    click: tuple[str, str] | None = None
    """Name and value of the parameter that an advertiser put behind the link."""
    came_from: str = ""
    """The host they came from."""


BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
