"""Make up what a business sells: products, variants, and what they cost and sell for from day to day."""

import random
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from msgspec import structs

from connectors.sandbox.business import Price, Product, UnitCost, Variant
from connectors.sandbox.habits import Habits

SUBJECTS = ("Linen", "Wool", "Oak", "Clay", "Brass", "Cotton", "Cork", "Slate", "Bamboo", "Copper", "Canvas", "Glass")
THINGS = (
    ("Shirt", "Apparel"), ("Scarf", "Apparel"), ("Mug", "Kitchen"), ("Bowl", "Kitchen"), ("Lamp", "Home"), ("Tray", "Kitchen"),
    ("Blanket", "Home"), ("Notebook", "Paper"), ("Candle", "Home"), ("Bag", "Accessories"),
)  # fmt: skip
SIZES = (("Small",), ("Small", "Large"), ("Small", "Medium", "Large"))
VENDORS = ("Northlight", "Harbour & Hill", "Maple Works")
PRODUCT_IDS, VARIANT_IDS, INVENTORY_IDS = 7_000_000_000, 41_000_000_000, 43_000_000_000


class Catalogue:
    """Products and variants of a business, by id and in order."""

    def __init__(self, products: tuple[Product, ...], variants: tuple[Variant, ...]) -> None:
        self.products = {product.id: product for product in products}
        self.variants = {variant.id: variant for variant in variants}
        self.goods = [variant for variant in variants if not self.products[variant.product].is_gift_card]
        self._deletes = any(product.deleted_at for product in products)
        self.gift_cards = [variant for variant in variants if self.products[variant.product].is_gift_card]

    def pick(self, place: int, at: datetime) -> Variant:
        """Return the goods at a place among them, or the next that are still sold at a moment."""
        if not self._deletes:
            return self.goods[place]
        turned = self.goods[place:] + self.goods[:place]
        return next(variant for variant in turned if not self.is_gone(variant, at))

    def is_gone(self, variant: Variant, at: datetime) -> bool:
        """Tell whether a variant's product was deleted by a moment."""
        deleted = self.products[variant.product].deleted_at
        return deleted is not None and deleted <= at


def make(seed: int, habits: Habits, start: date, days: int) -> Catalogue:
    """Make up the catalogue of a business, with every cost and price of its days."""
    zone = ZoneInfo(habits.zone)
    opened = _moment(start - timedelta(days=30), zone, 9 * 3600)
    products, variants = [_gift_cards(opened)], [_gift_card_variant(opened, worth) for worth in (2500, 5000, 10000)]
    for number in range(1, habits.products + 1):
        r = random.Random(f"{seed}:product:{number}")  # noqa: S311  a simulation
        subject, (thing, kind) = SUBJECTS[(number * 5) % len(SUBJECTS)], THINGS[number % len(THINGS)]
        title = f"{subject} {thing}" if number <= len(SUBJECTS) * len(THINGS) // 2 else f"{subject} {thing} {number}"
        product = Product(PRODUCT_IDS + number, title, title.lower().replace(" ", "-"), r.choice(VENDORS), kind, (kind.lower(),), opened)
        if habits.deleted_products and r.randrange(10_000) < habits.deleted_products:
            product = structs.replace(product, deleted_at=_moment(start + timedelta(days=r.randrange(days + 30)), zone, 15 * 3600))
        products.append(product)
        base = r.randrange(900, 12_000, 50)
        unknown = r.randrange(10_000) < habits.unknown_cost
        late = r.randrange(10_000) < habits.late_cost
        for place, size in enumerate(r.choice(SIZES)):
            number_of = number * 10 + place
            prices = _prices(r, base + 300 * place, habits, start, days, zone, opened)
            costs = () if unknown else _costs(r, base + 300 * place, habits, start + timedelta(days=60 if late else -30), start, days, zone)
            sku = f"{subject[:2].upper()}{thing[:2].upper()}-{number:03d}-{size[0]}"
            variants.append(
                Variant(
                    VARIANT_IDS + number_of, INVENTORY_IDS + number_of, product.id, size, sku, prices, costs, opened, stock=r.randrange(50, 2000),
                    grams=r.randrange(100, 2000, 50), tracked=r.randrange(20) > 0,
                )
            )  # fmt: skip
    return Catalogue(tuple(products), tuple(variants))


def _moment(day: date, zone: ZoneInfo, seconds: int) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC) + timedelta(seconds=seconds)


def _gift_cards(opened: datetime) -> Product:
    return Product(PRODUCT_IDS, "Gift card", "gift-card", VENDORS[0], "Gift cards", (), opened, is_gift_card=True)


def _gift_card_variant(opened: datetime, worth: int) -> Variant:
    number = worth // 2500
    title = f"{worth // 100}.00"
    return Variant(
        VARIANT_IDS + number, INVENTORY_IDS + number, PRODUCT_IDS, title, f"GIFT-{worth // 100}", (Price(opened, worth),), (), opened,
        tracked=False, requires_shipping=False, taxable=False,
    )  # fmt: skip


def _steps(r: random.Random, every: int, start: date, days: int) -> list[date]:
    """Draw the days on which something changes, on average once in `every`."""
    found, day = [], r.randrange(1, 2 * every)
    while day < days:
        found.append(start + timedelta(days=day))
        day += r.randrange(every // 2 + 1, every * 3 // 2 + 2)
    return found


def _prices(r: random.Random, base: int, habits: Habits, start: date, days: int, zone: ZoneInfo, opened: datetime) -> tuple[Price, ...]:
    prices = [Price(opened, base, base * 5 // 4 if r.randrange(5) == 0 else None)]
    for day in _steps(r, habits.price_change_days, start, days):
        prices.append(Price(_moment(day, zone, r.randrange(6 * 3600, 20 * 3600)), max(prices[-1].minor + r.randrange(-300, 500, 50), 500)))
    return tuple(prices)


def _costs(r: random.Random, base: int, habits: Habits, first: date, start: date, days: int, zone: ZoneInfo) -> tuple[UnitCost, ...]:
    costs = [UnitCost(first, _moment(first, zone, 9 * 3600), base * r.randrange(25, 45) // 100)]
    for day in _steps(r, habits.cost_change_days, start, days):
        if day > first:
            minor = (costs[-1].minor or 0) * r.randrange(92, 115) // 100
            costs.append(UnitCost(day, _moment(day, zone, r.randrange(6 * 3600, 20 * 3600)), minor))
    return tuple(costs)
