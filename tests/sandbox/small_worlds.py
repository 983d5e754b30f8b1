"""Build the small worlds that tests/sandbox/days tells of in words. Times are the clock's in the shop, unless they say UTC."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from msgspec import structs

from connectors.sandbox.business import Price, Product, Shop, ShopSetting, UnitCost, Variant
from connectors.sandbox.catalogue import Catalogue
from connectors.sandbox.story import (
    GIFT_CARD,
    TIP,
    Banked,
    Cancelled,
    Carriage,
    Deleted,
    Discount,
    Disputed,
    Duty,
    Edited,
    Expired,
    ExtraFee,
    FeeTold,
    GoodsBack,
    Happening,
    Item,
    Levy,
    Paid,
    Payment,
    ProcessorFee,
    Refunded,
    Returned,
    Settled,
    Shipped,
    Story,
)
from connectors.sandbox.world import World

LONG_AGO = datetime(2025, 1, 1, tzinfo=UTC)
CUSTOMER = 8_000_000_001
STATE = (Levy("State tax", 80_000),)


class Small:
    """A shop whose orders are written down one by one. Amounts are cents."""

    def __init__(
        self, zone: str = "America/New_York", currency: str = "USD", *, payout: str = "", included: bool = False, levies: tuple[Levy, ...] = ()
    ) -> None:
        self.zone, self.currency, self.levies = ZoneInfo(zone), currency, levies
        self.shop = Shop(
            1, "Small shop", "small-shop.myshopify.com", "US", (ShopSetting(LONG_AGO, zone, currency),), included, (currency,), payout or currency,
            LONG_AGO, ((1, "Shelf"),),
        )  # fmt: skip
        self.products: list[Product] = []
        self.variants: list[Variant] = []
        self.stories: list[Story] = []
        self._last = 0

    def id(self) -> int:
        self._last += 1
        return self._last

    def at(self, text: str) -> datetime:
        """Read a moment by the shop's clock, or one of UTC."""
        zone, text = (UTC, text.removesuffix(" UTC")) if text.endswith(" UTC") else (self.zone, text)
        return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=zone).astimezone(UTC)

    def product(self, title: str, price: int, *costs: tuple[str, int]) -> Variant:
        """Put a product on sale; each cost holds from a day on."""
        number = len(self.products) + 1
        dated = tuple(UnitCost(date.fromisoformat(day), self.at(f"{day[5:]} 08:00") if day > "2026" else LONG_AGO, cost) for day, cost in costs)
        self.products.append(Product(100 + number, title, title.lower(), "Maker", "Kitchen", (), LONG_AGO))
        self.variants.append(Variant(200 + number, 300 + number, 100 + number, "", title.upper(), (Price(LONG_AGO, price),), dated, LONG_AGO))
        return self.variants[-1]

    def item(self, variant: Variant, quantity: int = 1, off: int = 0) -> Item:
        allocations = ((0, off),) if off else ()
        return Item(
            self.id(), quantity, variant.prices[0].minor, variant.id, variant.product, variant.sku, variant.sku.title(), discount=off,
            allocations=allocations, levies=self.levies,
        )  # fmt: skip

    def carriage(self, price: int) -> Carriage:
        return Carriage(self.id(), "Standard", price, levies=self.levies)

    def order(
        self, at: str, *items: Item, carriages: tuple[Carriage, ...] = (), heard: str = "", customer: int | None = None, test: bool = False,
        duties: tuple[Duty, ...] = (), fees: tuple[ExtraFee, ...] = (), presentment: str = "", source: str = "web",
    ) -> int:  # fmt: skip
        """Place an order, and return its number among those of the shop."""
        number = len(self.stories) + 1001
        placed = self.at(at)
        discounts = (Discount("LESS", "Less"),) if any(item.discount for item in items) else ()
        self.stories.append(
            Story(
                number, f"#{number}", self.at(heard) if heard else placed, placed, items, (), self.currency, presentment or self.currency,
                920_000 if presentment else 1_000_000, self.shop.taxes_included, carriages, discounts, duties, fees, customer, "US", "NY", "10001",
                source, test=test,
            )
        )  # fmt: skip
        return number

    def then(self, number: int, *happenings: Happening) -> None:
        """Let things happen to an order, in the order of their time."""
        story = self.stories[number - 1001]
        found = sorted((*story.happenings, *happenings), key=lambda each: each.at)
        self.stories[number - 1001] = structs.replace(story, happenings=tuple(found))

    def money(
        self, at: str, amount: int, *, kind: str = "SALE", gateway: str = "shopify_payments", fee: int | None = None, status: str = "SUCCESS",
        rounding: int = 0, test: bool = False, parent: int | None = None,
    ) -> Payment:  # fmt: skip
        kept = ProcessorFee(fee, self.shop.payout_currency, 29_000, 30) if fee is not None else None
        return Payment(self.id(), self.at(at), kind, status, gateway, amount, parent, kept, rounding, test)

    def pay(self, number: int, at: str, amount: int, **how: object) -> Payment:
        """Have an order paid."""
        payment = self.money(at, amount, **how)  # type: ignore[arg-type]
        self.then(number, Paid(payment.at, payment))
        return payment

    def back(self, item: Item, quantity: int = 1, restock: str = "RETURN") -> GoodsBack:
        return GoodsBack(self.id(), item.id, quantity, restock, 1 if restock != "NO_RESTOCK" else None)

    def refund(
        self, number: int, at: str, paid: int, *goods: GoodsBack, gateway: str = "shopify_payments", shipping: tuple[tuple[int, int], ...] = (),
        **more: object,
    ) -> None:  # fmt: skip
        """Give goods, shipping or money back; `paid` is what moves."""
        payments = (self.money(at, paid, kind="REFUND", gateway=gateway),) if paid else ()
        happening = Refunded(self.at(at), self.id(), goods, shipping, payments=payments)
        self.then(number, structs.replace(happening, **more))

    def world(self) -> World:
        return World.of(self.shop, Catalogue(tuple(self.products), tuple(self.variants)), self.stories)


def goods_that_come_back() -> World:
    small = Small(levies=STATE)
    mug = small.product("Mug", 5000, ("2025-01-01", 1840))
    mugs, carriage = small.item(mug, 3, off=1000), small.carriage(500)
    first = small.order("03-03 10:00", mugs, carriages=(carriage,), customer=CUSTOMER)
    small.pay(first, "03-03 10:00", 15660, fee=484)
    small.then(first, Shipped(small.at("03-04 09:00")))
    small.refund(first, "03-10 10:00", 5040, small.back(mugs))
    small.refund(first, "03-12 10:00", 5040, small.back(mugs, restock="NO_RESTOCK"))
    small.refund(first, "03-14 10:00", 0, small.back(mugs))
    small.refund(first, "03-15 10:00", 500, goodwill=500)
    small.refund(first, "03-16 10:00", 270, shipping=((carriage.id, 250),))
    one = small.item(mug)
    second = small.order("03-04 11:00", one, customer=CUSTOMER)
    small.pay(second, "03-04 11:00", 5400, fee=187)
    small.refund(second, "03-11 10:00", 4860, small.back(one), withheld=540)
    return small.world()


def exchanges() -> World:
    small = Small(levies=STATE)
    mug = small.product("Mug", 5000, ("2025-01-01", 1840))
    tin = small.product("Tin", 2000, ("2025-01-01", 700), ("2026-03-10", 750))
    one = small.item(mug)
    first = small.order("03-05 09:00", one)
    small.pay(first, "03-05 09:00", 5400, fee=187)
    fee = ExtraFee(small.id(), "Return shipping", 495)
    at = small.at("03-12 10:00")
    paid = (small.money("03-12 10:00", 585, kind="REFUND"),)
    small.then(first, Returned(at, small.id(), small.id(), (small.back(one),), (small.item(tin, 2),), (fee,), paid))
    other = small.item(tin)
    second = small.order("03-05 12:00", other)
    small.pay(second, "03-05 12:00", 2160, fee=93)
    back = small.back(other, restock="NO_RESTOCK")
    small.then(second, Returned(small.at("03-13 10:00"), small.id(), small.id(), (back,), (small.item(mug),)))
    small.pay(second, "03-13 10:01", 3240, fee=124)
    return small.world()


def edits() -> World:
    small = Small(levies=STATE)
    mug = small.product("Mug", 5000, ("2025-01-01", 1840))
    tin = small.product("Tin", 2000, ("2025-01-01", 700))
    mugs = small.item(mug, 2, off=2000)
    order = small.order("03-06 09:00", mugs, carriages=(small.carriage(500),))
    small.pay(order, "03-06 09:00", 9180, fee=296)
    small.then(order, Edited(small.at("03-06 10:00"), small.id(), removed=((mugs.id, 1),)))
    small.refund(order, "03-06 10:02", 4320)
    edit = Edited(small.at("03-07 09:00"), small.id(), (small.item(tin),), (), ((mugs.id, 400),), small.carriage(900))
    small.then(order, edit)
    small.pay(order, "03-07 09:10", 2700, gateway="paypal")
    return small.world()


def disputes() -> World:
    small = Small()
    mug = small.product("Mug", 5000, ("2025-01-01", 1840))
    tin = small.product("Tin", 2000, ("2025-01-01", 700))
    for variant, quantity, amount, fee in ((mug, 1, 5000, 175), (mug, 2, 10000, 320), (tin, 1, 2000, 88)):
        small.pay(small.order("03-09 10:00", small.item(variant, quantity)), "03-09 10:00", amount, fee=fee)
    lost, won, asked = small.id(), small.id(), small.id()
    small.then(1001, Disputed(small.at("03-20 09:00"), lost, "CHARGEBACK", "FRAUDULENT", 5000, 1500, 0))
    small.then(1001, Settled(small.at("04-10 09:00"), lost, "LOST"))
    small.then(1002, Disputed(small.at("03-21 09:00"), won, "CHARGEBACK", "PRODUCT_NOT_RECEIVED", 10000, 1500, 0))
    small.then(1002, Settled(small.at("04-15 09:00"), won, "WON"))
    small.then(1003, Disputed(small.at("03-22 09:00"), asked, "INQUIRY", "GENERAL", 2000, 0, 0))
    return small.world()


def gift_cards() -> World:
    small = Small()
    mug = small.product("Mug", 5000, ("2025-01-01", 1840))
    card = Item(small.id(), 1, 2500, title="Gift card", kind=GIFT_CARD, requires_shipping=False)
    small.pay(small.order("03-02 10:00", small.item(mug), card), "03-02 10:00", 7500, fee=248)
    one = small.item(mug)
    used = small.order("03-05 10:00", one)
    small.pay(used, "03-05 10:00", 2500, gateway="gift_card")
    small.pay(used, "03-05 10:00", 2500, fee=103)
    to_card = small.money("03-09 10:00", 2500, kind="REFUND", gateway="gift_card")
    to_bank = small.money("03-09 10:00", 2500, kind="REFUND")
    small.then(used, Refunded(small.at("03-09 10:00"), small.id(), (small.back(one),), payments=(to_card, to_bank)))
    alone = Item(small.id(), 1, 5000, title="Gift card", kind=GIFT_CARD, requires_shipping=False)
    small.pay(small.order("03-06 10:00", alone), "03-06 10:00", 5000, fee=175)
    return small.world()


def tips_duties_and_extras() -> World:
    levies = (Levy("VAT", 200_000),)
    small = Small(levies=levies)
    one = small.item(small.product("Mug", 5000, ("2025-01-01", 1840)))
    tip = Item(small.id(), 1, 400, title="Tip", kind=TIP, requires_shipping=False)
    carriage, duty = small.carriage(1200), Duty(small.id(), one.id, 300)
    packing = ExtraFee(small.id(), "Packing", 100, levies)
    order = small.order("03-03 10:00", one, tip, carriages=(carriage,), duties=(duty,), fees=(packing,))
    small.pay(order, "03-03 10:00", 8260, fee=270)
    small.then(order, Shipped(small.at("03-04 09:00")))
    small.refund(order, "03-09 10:00", 7740, small.back(one), shipping=((carriage.id, 1200),), duties=(duty.id,))
    return small.world()


def two_currencies() -> World:
    small = Small(payout="CAD")
    mug = small.product("Mug", 5000, ("2025-01-01", 1840))
    tin = small.product("Tin", 2000, ("2025-01-01", 700))
    first = small.order("03-07 10:00", small.item(mug), presentment="EUR")
    small.pay(first, "03-07 10:00", 5000, fee=220)
    second = small.order("03-07 11:00", small.item(tin), presentment="EUR")
    paid = small.pay(second, "03-07 11:00", 2000, fee=105)
    small.refund(first, "03-16 10:00", 2500, goodwill=2500)
    small.then(second, Disputed(small.at("03-16 11:00"), small.id(), "CHARGEBACK", "FRAUDULENT", 2800, 2000, paid.id))
    return small.world()


def tax_included() -> World:
    small = Small("Europe/Berlin", "EUR", included=True, levies=(Levy("MwSt", 190_000),))
    mugs = small.item(small.product("Mug", 5950), 2, off=1190)
    first = small.order("03-03 10:00", mugs, carriages=(small.carriage(595),))
    small.pay(first, "03-03 10:00", 11305, gateway="paypal")
    small.then(first, Shipped(small.at("03-04 09:00")))
    small.refund(first, "03-10 10:00", 5355, small.back(mugs), gateway="paypal")
    tins = small.item(small.product("Tin", 999, ("2025-01-01", 310)), 3, off=250)
    second = small.order("03-04 10:00", tins)
    small.pay(second, "03-04 10:00", 2747, fee=110)
    small.refund(second, "03-11 10:00", 916, small.back(tins, restock="NO_RESTOCK"))
    return small.world()


def at_the_till() -> World:
    small = Small("Europe/Zurich", "CHF", included=True, levies=(Levy("MwSt", 81_000),))
    bowl = small.product("Bowl", 1298, ("2025-01-01", 400))
    tin = small.product("Tin", 751, ("2025-01-01", 250))
    small.pay(small.order("03-04 10:00", small.item(bowl), source="pos"), "03-04 10:00", 1298, gateway="cash", rounding=2)
    small.pay(small.order("03-04 11:00", small.item(tin, 2), source="pos"), "03-04 11:00", 1502, gateway="cash", rounding=-2)
    small.pay(small.order("03-04 23:30", small.item(bowl), heard="03-05 03:00", source="pos"), "03-04 23:30", 1298, fee=44)
    tip = Item(small.id(), 1, 2, title="Tip", kind=TIP, requires_shipping=False)
    small.pay(small.order("03-05 10:00", small.item(bowl), tip, source="pos"), "03-05 10:00", 1300, gateway="cash")
    return small.world()


def days_of_23_and_25_hours() -> World:
    small = Small()
    tin = small.product("Tin", 2000, ("2025-01-01", 700), ("2026-03-10", 750))
    moments = (
        "03-08 04:59:59", "03-08 05:00:00", "03-09 03:59:59", "03-09 04:00:00",
        "11-01 03:59:59", "11-01 04:00:00", "11-02 04:59:59", "11-02 05:00:00",
    )  # fmt: skip
    for moment in moments:
        small.pay(small.order(f"{moment} UTC", small.item(tin)), f"{moment} UTC", 2000, gateway="cash")
    small.refund(1002, "03-09 03:59:59 UTC", 2000, small.back(small.stories[1].items[0]), gateway="cash")
    return small.world()


def what_counts() -> World:
    small = Small()
    mug = small.product("Mug", 5000, ("2025-01-01", 1840))
    for number in range(1001, 1010):
        carriages = (small.carriage(500),) if number in (1006, 1009) else ()
        small.order("03-04 10:00", small.item(mug, off=5000 if number == 1008 else 0), carriages=carriages, test=number == 1005)
    for number in (1001, 1002, 1007):
        small.pay(number, "03-04 10:00", 5000, gateway="Bank Deposit", status="PENDING")
    small.pay(1002, "03-06 10:00", 5000, gateway="Bank Deposit")
    for number, kind, fee in ((1003, "CAPTURE", 175), (1004, "VOID", None)):
        held = small.pay(number, "03-04 10:00", 5000, kind="AUTHORIZATION")
        small.pay(number, "03-06 10:00", 5000, kind=kind, fee=fee, parent=held.id)
    small.pay(1005, "03-04 10:00", 5000, gateway="bogus", test=True)
    for number in (1006, 1009):
        small.pay(number, "03-04 10:00", 5500, fee=190)
    for number in (1006, 1007, 1009):
        small.then(number, Cancelled(small.at("03-05 10:00")))
    story = small.stories[5]
    shipping = ((story.carriages[0].id, 500),)
    small.refund(1006, "03-05 10:00", 5500, small.back(story.items[0], restock="CANCEL"), shipping=shipping)
    for number in (1002, 1003, 1008):
        small.then(number, Shipped(small.at("03-07 09:00")))
    return small.world()


def costs_that_change() -> World:
    small = Small()
    tin = small.product("Tin", 2000, ("2025-01-01", 700), ("2026-03-10", 750))
    cup = small.product("Cup", 3000, ("2026-03-20", 1100))
    protection = Item(small.id(), 1, 295, title="Package protection", requires_shipping=False)
    for at, items, amount in (
        ("03-09 10:00", (small.item(tin), small.item(cup)), 5000),
        ("03-10 10:00", (small.item(tin), protection), 2295),
        ("03-21 10:00", (small.item(cup),), 3000),
    ):
        small.pay(small.order(at, *items), at, amount, gateway="cash")
    return small.world()


def marketplaces_and_banks() -> World:
    small = Small(levies=STATE)
    mug = small.product("Mug", 5000, ("2025-01-01", 1840))
    theirs = structs.replace(small.item(mug), levies=(structs.replace(STATE[0], channel_liable=True),))
    first = small.order("03-03 10:00", theirs, source="24986320897")
    small.pay(first, "03-03 10:00", 5400, fee=187)
    small.refund(first, "03-10 10:00", 5400, small.back(theirs))
    held = small.order("03-04 10:00", small.item(mug))
    small.pay(held, "03-04 10:00", 5400, kind="AUTHORIZATION")
    small.then(held, Expired(small.at("03-11 10:00")))
    third = small.order("03-05 10:00", small.item(mug))
    paid = small.pay(third, "03-05 10:00", 5400, fee=187)
    small.then(third, FeeTold(small.at("03-07 10:00"), paid.id), Banked(small.at("03-05 10:00"), small.id(), "RESERVED_FUNDS", -540))
    small.then(third, Banked(small.at("03-20 10:00"), small.id(), "RESERVED_FUNDS_REVERSAL", 540))
    small.then(third, Banked(small.at("03-07 10:00"), small.id(), "LENDING_CAPITAL_REMITTANCE", -300))
    return small.world()


def late_deleted_and_labelled() -> World:
    small = Small()
    mug = small.product("Mug", 5000, ("2025-01-01", 1840))
    first = small.order("03-03 10:00", small.item(mug), carriages=(small.carriage(500),))
    small.pay(first, "03-03 10:00", 5500, fee=190)
    small.then(first, Shipped(small.at("03-05 10:00"), label=420, label_id=small.id()))
    second = small.order("02-20 10:00", small.item(mug), heard="03-10 10:00", source="import")
    small.pay(second, "02-20 10:00", 5000, gateway="Old shop")
    third = small.order("03-04 10:00", small.item(mug))
    small.pay(third, "03-04 10:00", 5000, gateway="cash")
    small.then(third, Deleted(small.at("03-12 10:00")))
    return small.world()


WORLDS: dict[str, Callable[[], World]] = {
    each.__name__: each
    for each in (
        goods_that_come_back, exchanges, edits, disputes, gift_cards, tips_duties_and_extras, two_currencies, tax_included, at_the_till,
        days_of_23_and_25_hours, what_counts, costs_that_change, marketplaces_and_banks, late_deleted_and_labelled,
    )
}  # fmt: skip
"""Each world by the name of its text, without the number."""
