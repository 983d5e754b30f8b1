"""Invent the demo's business: two years of orders and what came back of them, the same for the same days and seed.

Pure, and no part of how figures are reckoned: amounts are cents as the customer paid them, days are the shop's.
"""

from bisect import bisect
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import accumulate
from random import Random
from typing import NamedTuple

from profitpeek.demo.catalogue import GIFT_CARDS, HOME, ITEMS, LOSER, PLACES, Item, Place

SEED = "harbour pottery"
DAYS = 730
"""Days of orders; the last is yesterday."""

WEEKDAYS = (105, 98, 96, 100, 104, 84, 113)
MONTHS = (74, 92, 90, 96, 101, 88, 80, 84, 98, 112, 158, 176)
"""How busy a day and a month are, against 100."""
FIRST_YEAR_ORDERS, LAST_YEAR_ORDERS = 8, 13
"""Online orders on an ordinary day at the beginning and at the end."""

INFLUENCER, NEWSLETTER = "GLAZED15", "KILN10"
"""Codes of the partner who does not pay, and of the one who does."""
WELCOME, WINTER = "WELCOME10", "WINTER20"
GATEWAYS = (("shopify_payments", 612), ("paypal", 222), ("klarna", 159), ("gift_card", 7))


class Line(NamedTuple):
    """So many units of one thing, at the price of one before discounts, with the discount and VAT of the row."""

    sku: str
    title: str
    quantity: int
    price: int
    discount: int = 0
    vat: int = 0

    @property
    def paid(self) -> int:
        """Return what the customer paid for the row."""
        return self.price * self.quantity - self.discount


class Refund(NamedTuple):
    """One row given back later; without a row, money alone."""

    at: datetime
    line: Line
    restocked: bool


class Sold(NamedTuple):
    """One order. Times are the shop's own, without a zone."""

    number: str
    at: datetime
    channel: str
    customer: str
    place: Place
    lines: tuple[Line, ...]
    postage: int
    postage_vat: int
    codes: tuple[str, ...]
    gateway: str
    refunds: tuple[Refund, ...]
    parcel: int | None
    """What sending it cost; None for one that was handed over."""
    grams: int

    @property
    def paid(self) -> int:
        """Return what the customer paid at first."""
        return sum(line.paid for line in self.lines) + self.postage


class Calendar(NamedTuple):
    """The days on which something happens to the business, laid out from its last day."""

    first: date
    last: date
    free_postage: date
    """First day of the month in which the whole world was sent parcels for nothing."""
    influencer: date
    """The day the influencer's post went live."""
    dearer_clay: date
    """The day from which goods cost more, the large planter far more."""
    dearer_freight: date

    @property
    def free_postage_ends(self) -> date:
        """Return the last day of free postage."""
        return (self.free_postage + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def calendar(today: date) -> Calendar:
    """Lay the business out so that it ends yesterday; what goes wrong lies within its last year."""
    last = today - timedelta(days=1)
    return Calendar(
        first=last - timedelta(days=DAYS - 1),
        last=last,
        free_postage=_months_before(last, 5),
        influencer=_months_before(last, 2) + timedelta(days=8),
        dearer_clay=_months_before(last, 11),
        dearer_freight=_months_before(last, 16),
    )


def _months_before(day: date, months: int) -> date:
    """Return the first day of the month that lies so many months before that of a day."""
    month = day.year * 12 + day.month - 1 - months
    return date(month // 12, month % 12 + 1, 1)


def orders(today: date, *, seed: str = SEED) -> Iterator[Sold]:
    """Yield the business's orders in the order of their time."""
    shop = _Shop(calendar(today), Random(seed))  # noqa: S311  an invented business, no secret
    for number in range(DAYS):
        yield from shop.day(shop.days.first + timedelta(days=number), number)


def vat_in(amount: int, rate: int) -> int:
    """Return the VAT in an amount that includes it, to the nearest cent."""
    return (2 * amount * rate + 100 + rate) // (2 * (100 + rate))


class _Shop:
    """What has to be remembered from one order to the next: numbers given, and customers who may come again."""

    def __init__(self, days: Calendar, dice: Random) -> None:
        self.days, self._dice = days, dice
        self._customers: list[tuple[str, Place]] = []
        self._online, self._stall = 1_000, 0
        self._items = list(accumulate(item.chosen for item in ITEMS))
        self._near = list(accumulate(place.share for place in PLACES))
        self._far = list(accumulate(place.share * (5 if place.is_far else 1) for place in PLACES))
        self._gateways = list(accumulate(share for _, share in GATEWAYS))

    def day(self, day: date, number: int) -> Iterator[Sold]:
        """Invent the orders of one day: online, and on Saturdays at the market stall as well."""
        usual = FIRST_YEAR_ORDERS * (DAYS - number) + LAST_YEAR_ORDERS * number
        busy = usual * WEEKDAYS[day.weekday()] * MONTHS[day.month - 1]
        if day.month == 12 and day.day > 19:  # too late for Christmas
            busy = busy * 45 // 100
        if _is_sale(day):
            busy = busy * 160 // 100
        if self.days.free_postage <= day <= self.days.free_postage_ends:
            busy = busy * 125 // 100
        count = self._about(busy, DAYS * 10_000)
        moments = sorted(self._dice.randrange(7 * 3_600, 23 * 3_600) for _ in range(count))
        stall = self._dice.randrange(4, 10) if day.weekday() == 5 else 0
        for moment in moments:
            yield self._sold_online(datetime.combine(day, time()) + timedelta(seconds=moment))
        for position in range(stall):
            yield self._sold_at_stall(datetime.combine(day, time(10)) + timedelta(minutes=38 * position + self._dice.randrange(30)))

    def _about(self, part: int, whole: int) -> int:
        """Return part ÷ whole, give or take a third, as a whole number."""
        share = part * self._dice.randrange(67, 134)
        return (share + self._dice.randrange(whole * 100)) // (whole * 100)

    def _pick(self, bounds: list[int]) -> int:
        return bisect(bounds, self._dice.randrange(bounds[-1]))

    def _chance(self, per_thousand: int) -> bool:
        return self._dice.randrange(1_000) < per_thousand

    def _sold_online(self, at: datetime) -> Sold:
        self._online += 1
        day, free = at.date(), self.days.free_postage <= at.date() <= self.days.free_postage_ends
        customer, place, is_new = self._customer(free)
        code, percent = self._code(day, is_new)
        lines = self._lines(place, percent, with_cards=True)
        goods = sum(line.paid for line in lines if not line.sku.startswith("GIFT"))
        postage = 0 if free or not goods or (place.free_from and goods >= place.free_from) else place.postage
        grams = sum(_BY_SKU[line.sku].grams * line.quantity for line in lines if line.sku in _BY_SKU)
        parcel = None if not goods else place.parcel + place.per_kilo * grams // 1_000 + self._dice.randrange(-40, 60)
        return Sold(
            f"#{self._online}", at, "online", customer, place, lines, postage, vat_in(postage, place.vat), (code,) if code else (),
            GATEWAYS[self._pick(self._gateways)][0], self._refunds(at, lines, place), parcel, grams,
        )  # fmt: skip

    def _sold_at_stall(self, at: datetime) -> Sold:
        self._stall += 1
        lines = self._lines(HOME, 0, with_cards=False)
        return Sold(f"S-{self._stall:04}", at, "market stall", "", HOME, lines, 0, 0, (), "cash", (), None, 0)

    def _customer(self, far: bool) -> tuple[str, Place, bool]:
        if self._customers and self._chance(270):
            # those who came lately come again more often
            known = self._customers[-1 - min(self._dice.randrange(len(self._customers)), self._dice.randrange(len(self._customers)))]
            return *known, False
        customer = (f"C{len(self._customers) + 1:05}", PLACES[self._pick(self._far if far else self._near)])
        self._customers.append(customer)
        return *customer, True

    def _code(self, day: date, is_new: bool) -> tuple[str, int]:
        """Return the discount code of an order and what it takes off, in per cent."""
        if _is_sale(day):
            return (WINTER, 20) if self._chance(700) else ("", 0)
        weeks = (day - self.days.influencer).days // 7
        if 0 <= weeks < 8 and self._chance((210, 120, 70, 50, 40, 30, 20, 20)[weeks]):
            return INFLUENCER, 15
        if self._chance(45):
            return NEWSLETTER, 10
        if is_new and self._chance(150):
            return WELCOME, 10
        return "", 0

    def _lines(self, place: Place, percent: int, *, with_cards: bool) -> tuple[Line, ...]:
        if with_cards and self._chance(18):
            worth = GIFT_CARDS[self._dice.randrange(len(GIFT_CARDS))]
            return (Line(f"GIFT-{worth // 100}", f"Gift card, {worth // 100}", 1, worth),)
        chosen: dict[str, Item] = {}
        for _ in range((1, 1, 1, 2, 2, 2, 3, 3, 4)[self._dice.randrange(9)]):
            item = ITEMS[self._pick(self._items)]
            chosen[item.sku] = item
        return tuple(self._line(item, place, percent) for item in chosen.values())

    def _line(self, item: Item, place: Place, percent: int) -> Line:
        price = item.price if place.vat else item.price - vat_in(item.price, HOME.vat)
        few = item.price < 2_500
        quantity = (1, 1, 1, 2, 2, 3)[self._dice.randrange(6)] if few else 1
        if item.sku == LOSER and not percent:
            percent = 10 if self._chance(400) else 0  # marked down now and then, since it does not sell
        discount = price * quantity * percent // 100
        return Line(item.sku, item.title, quantity, price, discount, vat_in(price * quantity - discount, place.vat))

    def _refunds(self, at: datetime, lines: tuple[Line, ...], place: Place) -> tuple[Refund, ...]:
        found = []
        for line in lines:
            item = _BY_SKU.get(line.sku)
            if item is None:
                continue
            broken = self._chance(130 if item.sku == LOSER else 14)
            unwanted = not broken and self._chance(75 if item.line == "Linen" else 28)
            back = at + timedelta(days=self._dice.randrange(3, 26), minutes=self._dice.randrange(1, 240))
            if (broken or unwanted) and back.date() <= self.days.last:
                units = line.quantity if unwanted else 1
                found.append(Refund(back, _part(line, units, place.vat), restocked=unwanted))
        if not found and lines[0].sku in _BY_SKU and self._chance(6):
            back = at + timedelta(days=9)
            if back.date() <= self.days.last:
                sorry = 500 if lines[0].paid > 1_000 else 300
                found.append(Refund(back, Line("goodwill", "Given back for the trouble", 1, sorry, 0, vat_in(sorry, place.vat)), restocked=False))
        return tuple(found)


def _part(line: Line, units: int, vat: int) -> Line:
    """Return so many units of a row, with their share of its discount."""
    discount = line.discount * units // line.quantity
    return line._replace(quantity=units, discount=discount, vat=vat_in(line.price * units - discount, vat))


def _is_sale(day: date) -> bool:
    """Tell whether a day lies in the winter sale: the last week of November, and the first ten days of January."""
    return (day.month == 11 and day.day >= 23) or (day.month == 1 and day.day <= 10)


_BY_SKU = {item.sku: item for item in ITEMS}
