"""Let somebody buy: what goes into an order, how it is discounted, taxed, shipped and paid."""

import random
from datetime import datetime, timedelta

from msgspec import structs

from connectors.sandbox.business import Shop, Variant
from connectors.sandbox.catalogue import Catalogue
from connectors.sandbox.coming import visits_before
from connectors.sandbox.habits import Habits
from connectors.sandbox.money import digits, divide, exchange, split, tax
from connectors.sandbox.rates import millionths
from connectors.sandbox.story import (
    GIFT_CARD,
    GOODS,
    TIP,
    Carriage,
    Discount,
    Duty,
    Expired,
    ExtraFee,
    Happening,
    Item,
    Levy,
    Paid,
    Payment,
    ProcessorFee,
    Story,
)

CODES = ("WELCOME10", "SPRING15", "VIP20", "ANNA5")
IDS_EACH = 1000
"""Room for the ids of an order's lines, payments and so on."""
METHODS = (("Standard", 499), ("Express", 1299), ("Economy", 299))
OLD_SHOP = "Old shop"
"""The gateway of orders that were moved here: their money went through another shop."""
DAYS_AUTHORISED, DAYS_HELD = timedelta(days=2), timedelta(days=7)


class Basket:
    """An order while it is put together; it gives out the ids of its parts."""

    def __init__(self, order: int, habits: Habits, shop: Shop, r: random.Random) -> None:
        self.order, self.habits, self.shop, self.r = order, habits, shop, r
        self._last = order * IDS_EACH

    def id(self) -> int:
        """Return the next id."""
        self._last += 1
        return self._last

    def begin_after(self, count: int) -> None:
        """Give out ids from the one after so many on: those before belong to what happened earlier."""
        self._last = self.order * IDS_EACH + count

    def skip(self, count: int) -> None:
        """Leave ids free for parts that are numbered after the last one given out."""
        self._last += count

    def chance(self, share: int) -> bool:
        """Tell whether something happens that does so in so many of ten thousand cases."""
        return int(self.r.random() * 10_000) < share

    def payment(
        self, at: datetime, kind: str, amount: int, gateway: str, *, status: str = "SUCCESS", parent: int | None = None, currency: str,
        foreign: bool = False, rounding: int = 0, created_at: datetime | None = None, error: str | None = None, test: bool = False,
        till: bool = False,
    ) -> Payment:  # fmt: skip
        """Make a payment; one that charges through Shopify Payments bears its fee."""
        fee = None
        if gateway == "shopify_payments" and status == "SUCCESS" and kind in ("SALE", "CAPTURE") and not test:
            fee = self._fee(at, amount, currency, foreign=foreign, till=till)
        return Payment(self.id(), at, kind, status, gateway, amount, parent, fee, rounding, test, created_at, error)

    def _fee(self, at: datetime, amount: int, currency: str, *, foreign: bool, till: bool) -> ProcessorFee:
        rate, flat = (26_000, 10) if till else (29_000, 30)
        payout = self.shop.payout_currency
        if foreign:
            rate += 15_000
        paid = exchange(amount, millionths(currency, payout, self.shop.day(at)), currency, payout)
        return ProcessorFee(divide(paid * rate, 1_000_000) + flat, payout, rate, flat)


def buy(
    basket: Basket, catalogue: Catalogue, *, name: str, at: datetime, customer: int | None, home: tuple[str, str, str, int],
) -> tuple[Story, bool]:  # fmt: skip
    """Put an order together and pay for it; return it and whether it was paid."""
    habits, r, shop = basket.habits, basket.r, basket.shop
    setting = shop.at(at)
    way, app, location, created = _way(basket, at)
    till, online = way == "pos", way == "web"
    country, province, code, rate = home
    levies = levies_of(home, rate)
    if habits.marketplace_tax and way.isdigit():
        levies = tuple(structs.replace(levy, channel_liable=True) for levy in levies)
    foreign = online and bool(habits.presentment_currencies) and basket.chance(habits.foreign_currency)
    paid_in = r.choice(habits.presentment_currencies) if foreign else setting.currency
    discounts: list[Discount] = []
    items = _goods(basket, catalogue, at, levies)
    items = _discount(basket, items, discounts)
    if basket.chance(habits.gift_card_sold):
        items.append(_gift_card(basket, catalogue, at))
    carriages = () if till else _carriage(basket, items, levies, discounts)
    duties: tuple[Duty, ...] = ()
    if not till and country != habits.country and basket.chance(habits.duty):
        duties = tuple(Duty(basket.id(), item.id, _charged(item) * 6 // 100 or 1) for item in items if item.variant and item.kind == GOODS)
    if (till or online) and basket.chance(habits.tip):
        items.append(Item(basket.id(), 1, r.randrange(100, 1000, 50), title="Tip", kind=TIP, requires_shipping=False))
    fees = (ExtraFee(basket.id(), "Packaging fee", 25),) if basket.chance(habits.extra_fee) else ()
    test = online and basket.chance(habits.test)
    visits = visits_before(basket.order, created, basket.r) if online and basket.chance(habits.visits) else ()
    first, last = (visits[0], visits[-1]) if visits else (None, None)
    story = Story(
        basket.order, name, created, at, tuple(items), (), setting.currency, paid_in, millionths(setting.currency, paid_in, shop.day(at)),
        shop.taxes_included, carriages, tuple(discounts), duties, fees, None if till and basket.chance(5000) else customer,
        None if till else country, None if till else province or None, None if till else code, way, app, location, test, first, last, visits[1:-1],
    )  # fmt: skip
    happenings, paid = pay(basket, story, total_of(story), foreign=foreign)
    return structs.replace(story, happenings=happenings), paid


def _way(basket: Basket, at: datetime) -> tuple[str, tuple[int, str], int | None, datetime]:
    """Draw where an order comes from: source name, app, location, and when Shopify came to know of it."""
    habits, drawn = basket.habits, int(basket.r.random() * 10_000)
    if drawn < habits.pos:
        late = timedelta(seconds=basket.r.randrange(1800, 30_000)) if basket.chance(habits.offline_pos) else timedelta()
        return "pos", (129785, "Point of Sale"), basket.shop.locations[-1][0], at + late
    if drawn < habits.pos + habits.draft:
        return "shopify_draft_order", (1354745, "Draft Orders"), None, at
    if drawn < habits.pos + habits.draft + habits.other_app:
        return "24986320897", (24986320897, "Sold elsewhere"), None, at
    if drawn < habits.pos + habits.draft + habits.other_app + habits.imported:
        return "import", (99, "Order mover"), None, at + timedelta(days=basket.r.randrange(200, 900))
    return "web", (580111, "Online Store"), None, at


def levies_of(home: tuple[str, str, str, int], rate: int) -> tuple[Levy, ...]:
    """Return the taxes of a home, at its rate."""
    if not rate:
        return ()
    if home[1] == "NY":
        return (Levy("New York State Tax", 40_000), Levy("New York City Tax", rate - 40_000))
    return (Levy(f"{home[1] or home[0]} tax", rate),)


def _charged(item: Item) -> int:
    return item.price * item.quantity - item.discount


def _goods(basket: Basket, catalogue: Catalogue, at: datetime, levies: tuple[Levy, ...]) -> list[Item]:
    r, items = basket.r, []
    count = (1, 1, 1, 2, 2, 3, 3, 4)[int(r.random() * 8)]
    if basket.habits.long_order and basket.chance(basket.habits.long_order):
        count += 60 + int(r.random() * 60)
    for _ in range(count):
        quantity = 1 if r.random() < 0.8 else 2 + int(r.random() * 3)
        if basket.chance(basket.habits.custom_line):
            items.append(Item(basket.id(), 1, 295, title="Package protection", vendor="Protect app", levies=levies, requires_shipping=False))
            continue
        # a few sell much, most sell little
        variant = catalogue.pick(int(r.random() ** 2 * len(catalogue.goods)), at)
        items.append(item_of(basket.id(), variant, catalogue, at, quantity, levies))
    return items


def item_of(number: int, variant: Variant, catalogue: Catalogue, at: datetime, quantity: int, levies: tuple[Levy, ...]) -> Item:
    """Make a line of a variant at the price of a moment."""
    product = catalogue.products[variant.product]
    return Item(
        number, quantity, variant.price_at(at).minor, variant.id, product.id, variant.sku, product.title, variant.title, product.vendor,
        levies=levies if variant.taxable else (), requires_shipping=variant.requires_shipping,
    )  # fmt: skip


def _gift_card(basket: Basket, catalogue: Catalogue, at: datetime) -> Item:
    variant = basket.r.choice(catalogue.gift_cards)
    product = catalogue.products[variant.product]
    return Item(
        basket.id(), 1, variant.price_at(at).minor, variant.id, product.id, variant.sku, product.title, variant.title, product.vendor,
        kind=GIFT_CARD, requires_shipping=False,
    )  # fmt: skip


def _discount(basket: Basket, items: list[Item], discounts: list[Discount]) -> list[Item]:
    """Take a code's share off all lines, and a sale's off one."""
    habits, r = basket.habits, basket.r
    offs: list[list[tuple[int, int]]] = [[] for _ in items]
    if basket.chance(habits.discounted):
        place = int(r.random() * len(CODES))
        percent = (10, 15, 20, None)[place]
        worths = [item.price * item.quantity for item in items]
        whole = sum(worths) * percent // 100 if percent else min(500, sum(worths))
        discounts.append(Discount(CODES[place], CODES[place], percent))
        for off, part in zip(offs, split(whole, worths), strict=True):
            off.append((len(discounts) - 1, part))
    if basket.chance(habits.line_discounted):
        discounts.append(Discount(None, "Weekend sale", 10))
        left = items[0].price * items[0].quantity - sum(part for _, part in offs[0])
        offs[0].append((len(discounts) - 1, left // 10))
    if not discounts:
        return items
    return [_less(item, tuple(each for each in off if each[1])) for item, off in zip(items, offs, strict=True)]


def _less(item: Item, allocations: tuple[tuple[int, int], ...]) -> Item:
    return structs.replace(item, discount=sum(amount for _, amount in allocations), allocations=allocations)


def _carriage(basket: Basket, items: list[Item], levies: tuple[Levy, ...], discounts: list[Discount]) -> tuple[Carriage, ...]:
    if not any(item.requires_shipping for item in items):
        return ()
    title, price = METHODS[int(basket.r.random() * len(METHODS))]
    if sum(_charged(item) for item in items) < basket.habits.free_shipping_from or title == "Express":
        return (Carriage(basket.id(), title, price, levies=levies),)
    if basket.chance(5000):
        return (Carriage(basket.id(), "Free", 0),)
    discounts.append(Discount(None, "Free shipping", 100, on_shipping=True))
    return (Carriage(basket.id(), title, price, price, ((len(discounts) - 1, price),), levies),)


def total_of(story: Story) -> int:
    """Return what an order comes to as placed, tax, shipping, tips, duties and fees included."""
    total = sum(duty.amount for duty in story.duties)
    lines: list[Item | Carriage] = [*story.items, *story.carriages]
    for line in lines:
        shown = line.price * line.quantity - line.discount
        total += shown
        if not story.taxes_included:
            total += sum(tax(shown, [levy.rate for levy in line.levies], included=False))
    return total + sum(fee.amount + sum(tax(fee.amount, [levy.rate for levy in fee.levies], included=False)) for fee in story.fees)


def pay(basket: Basket, story: Story, total: int, *, foreign: bool) -> tuple[tuple[Happening, ...], bool]:
    """Draw how an order is paid; return its payments and whether they paid it."""
    habits, at, currency = basket.habits, story.processed_at, story.currency
    if not total:
        return (), True
    if story.test:
        return (Paid(at, basket.payment(at, "SALE", total, "bogus", currency=currency, test=True)),), True
    if story.source_name == "import":
        return (Paid(at, basket.payment(at, "SALE", total, OLD_SHOP, currency=currency)),), True
    found: list[Happening] = []
    if basket.chance(habits.gift_card_redeemed):
        part = min(total, 2500)
        found.append(Paid(at, basket.payment(at, "SALE", part, "gift_card", currency=currency)))
        total -= part
        if not total:
            return tuple(found), True
    if story.source_name == "pos" and basket.chance(4000):
        rounding = (-total % 5 if -total % 5 < 3 else -total % 5 - 5) if digits(currency) == 2 else 0
        return (*found, Paid(at, basket.payment(at, "SALE", total, "cash", currency=currency, rounding=rounding))), True
    till = story.source_name == "pos"
    drawn = 10_000 if till else int(basket.r.random() * 10_000)
    if basket.chance(habits.failed_first):
        found.append(Paid(at, basket.payment(at, "SALE", total, "shopify_payments", status="FAILURE", currency=currency, error="CARD_DECLINED")))
    for gateway, share in (("paypal", habits.paypal), ("Klarna", habits.klarna)):
        if drawn < share:
            return (*found, Paid(at, basket.payment(at, "SALE", total, gateway, currency=currency))), True
        drawn -= share
    if drawn < habits.bank_deposit:
        waits = basket.payment(at, "SALE", total, "Bank Deposit", status="PENDING", currency=currency)
        found.append(Paid(at, waits))
        if basket.chance(habits.never_paid):
            return tuple(found), False
        later = at + timedelta(days=1 + int(basket.r.random() * 6), seconds=int(basket.r.random() * 40_000))
        found.append(Paid(later, basket.payment(later, "SALE", total, "Bank Deposit", parent=waits.id, currency=currency)))
        return tuple(found), True
    if not till and drawn - habits.bank_deposit < habits.authorised:
        hold = basket.payment(at, "AUTHORIZATION", total, "shopify_payments", currency=currency)
        later = at + DAYS_AUTHORISED
        voided = basket.chance(habits.voided)
        if habits.expired and basket.chance(habits.expired):
            return (*found, Paid(at, hold), Expired(at + DAYS_HELD)), False
        kind = "VOID" if voided else "CAPTURE"
        done = basket.payment(later, kind, total, "shopify_payments", parent=hold.id, currency=currency, foreign=foreign)
        return (*found, Paid(at, hold), Paid(later, done)), not voided
    return (*found, Paid(at, basket.payment(at, "SALE", total, "shopify_payments", currency=currency, foreign=foreign, till=till))), True
