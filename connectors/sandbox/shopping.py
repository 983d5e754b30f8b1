"""Let a person buy in a simulated business, and give back, cancel or dispute what they bought: all of it happens at once."""

import random
from datetime import datetime, timedelta

from msgspec import structs

from connectors.sandbox.afterwards import DISPUTE_FEE
from connectors.sandbox.business import Variant, Visit
from connectors.sandbox.buying import Basket, item_of, levies_of, total_of
from connectors.sandbox.coming import CAMPAIGNS, PATHS, SHOP
from connectors.sandbox.habits import Habits
from connectors.sandbox.living import Living
from connectors.sandbox.money import exchange
from connectors.sandbox.people import CUSTOMER_IDS
from connectors.sandbox.rates import millionths
from connectors.sandbox.story import (
    Cancelled,
    Carriage,
    Discount,
    Disputed,
    GoodsBack,
    Happening,
    Paid,
    Payment,
    Refunded,
    Settled,
    Story,
)
from connectors.sandbox.telling import Telling
from connectors.sandbox.world import World

PLACED_IDS, PLACED_NUMBERS, PLACED_PEOPLE = 5_900_000_000, 900_000, 500_000_000
"""What ids, numbers and customers of placed orders are counted from: beyond any that a business makes itself."""
METHODS = {"none": ("", 0), "standard": ("Standard", 499), "express": ("Express", 1299)}
CARD, DEPOSIT = "shopify_payments", "Bank Deposit"
GATEWAYS = {"card": CARD, "paypal": "paypal", "deposit": DEPOSIT}
CODE = "COUNTER"
MOST_UNITS = 100
IDS_A_STEP, IDS_AT_FIRST = 20, 100
HOME = ("US", "NY", "10001", 88_750)


class NotPossible(Exception):
    """What was asked for cannot be done; its text says why."""


class Standing:
    """What is left of a placed order, and so what may still be done with it."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.telling = Telling(story)
        self.paid: dict[int, Payment] = {}
        self.left: dict[int, int] = {}
        self.dispute: Disputed | None = None
        """One that is open."""
        self.lost = self.cancelled = False
        for each in story.happenings:
            self.telling.hear(each)
            self._hear(each)
        self.waits = next((each.payment for each in story.happenings if isinstance(each, Paid) and each.payment.status == "PENDING"), None)
        """A payment somebody still has to make."""
        if self.paid or self.cancelled:
            self.waits = None

    def _hear(self, happening: Happening) -> None:
        match happening:
            case Paid(payment=payment) if payment.status == "SUCCESS":
                self.paid[payment.id], self.left[payment.id] = payment, payment.amount
            case Refunded():
                for payment in happening.payments:
                    self.left[payment.parent or 0] -= payment.amount
            case Cancelled():
                self.cancelled = True
            case Disputed():
                self.dispute = happening
            case Settled():
                self.lost, self.dispute = happening.status != "WON", None

    @property
    def units(self) -> int:
        """Return how many units nobody gave back."""
        return sum(line.units for line in self.telling.lines.values())

    @property
    def may_refund(self) -> bool:
        """Tell whether something was paid for and is still there to give back."""
        return bool(self.units and sum(self.left.values()) and not self.cancelled and not self.dispute and not self.lost)

    @property
    def may_cancel(self) -> bool:
        """Tell whether the order may be cancelled."""
        return bool(self.units and not self.cancelled and not self.dispute and not self.lost)

    @property
    def disputable(self) -> Payment | None:
        """Return the charge of a card that its owner may still dispute."""
        charged = [payment for payment in self.paid.values() if payment.gateway == CARD and self.left[payment.id]]
        return charged[0] if charged and not self.dispute and not self.lost else None


class Counter:
    """Buy in one business. Every method returns a story that is to be put into it; none puts it there."""

    def __init__(self, world: World) -> None:
        self.world = world

    def goods(self, now: datetime) -> list[Variant]:
        """Return what is for sale."""
        catalogue = self.world.catalogue
        return [each for each in catalogue.goods if each.created_at <= now and not catalogue.is_gone(each, now)]

    def place(
        self, now: datetime, variant: int, *, units: int = 1, percent: int = 0, carriage: str = "standard", pays: str = "card", came_by: str = ""
    ) -> Story:
        """Buy units of a variant, some per cent off, and pay; raise NotPossible where that cannot be."""
        now = now.replace(microsecond=0)
        found = next((each for each in self.goods(now) if each.id == variant), None)
        if found is None:
            raise NotPossible("That is not for sale.")
        if not 1 <= units <= MOST_UNITS or not 0 <= percent <= 100:
            raise NotPossible(f"Between 1 and {MOST_UNITS} units can be bought, with a discount of 0 to 100 per cent.")
        if carriage not in METHODS or pays not in GATEWAYS:
            raise NotPossible("Choose one of the ways to ship and to pay that are offered.")
        number = max((story.id - PLACED_IDS for story in self.world.placed()), default=0) + 1
        basket, home = self._basket(PLACED_IDS + number), self._home(PLACED_PEOPLE + number)
        levies, setting, shop = levies_of(home, home[3]), self.world.shop.at(now), self.world.shop
        item = item_of(basket.id(), found, self.world.catalogue, now, units, levies)
        off = item.price * units * percent // 100
        item = structs.replace(item, discount=off, allocations=((0, off),) if off else ())
        title, price = METHODS[carriage]
        visit = self._visit(now, came_by)
        story = Story(
            basket.order, f"#{PLACED_NUMBERS + number}", now, now, (item,), (), setting.currency, setting.currency, 1_000_000, shop.taxes_included,
            (Carriage(basket.id(), title, price, levies=levies),) if title else (), (Discount(CODE, CODE, percent),) if off else (),
            customer=CUSTOMER_IDS + PLACED_PEOPLE + number, country=home[0], province=home[1] or None, zip=home[2], first_visit=visit,
            last_visit=visit,
        )  # fmt: skip
        total = total_of(story)
        if not total:
            return story
        status = "PENDING" if pays == "deposit" else "SUCCESS"
        payment = basket.payment(now, "SALE", total, GATEWAYS[pays], status=status, currency=setting.currency)
        return structs.replace(story, happenings=(Paid(now, payment),))

    def pay(self, story: Story, now: datetime) -> Story:
        """Let a deposit come in."""
        standing = Standing(story)
        waits = standing.waits
        if waits is None:
            raise NotPossible("Nothing is waited for: the order is paid or cancelled.")
        now = self._moment(story, now)
        paid = self._next(story).payment(now, "SALE", waits.amount, waits.gateway, parent=waits.id, currency=story.currency)
        return _with(story, Paid(now, paid))

    def refund(self, story: Story, now: datetime, *, units: int | None = None) -> Story:
        """Give units back, or all with the shipping, and the money for them."""
        standing = Standing(story)
        if not standing.may_refund:
            raise NotPossible("Nothing is left to give back.")
        whole = units is None or units >= standing.units
        if units is not None and units < 1:
            raise NotPossible("Give back at least one unit.")
        now, basket = self._moment(story, now), self._next(story)
        return _with(story, self._back(standing, basket, now, "RETURN", None if whole else units))

    def cancel(self, story: Story, now: datetime) -> Story:
        """Cancel an order and give back what was paid."""
        standing = Standing(story)
        if not standing.may_cancel:
            raise NotPossible("The order is cancelled, given back or disputed already.")
        now, basket = self._moment(story, now), self._next(story)
        happenings: list[Happening] = [Cancelled(now)]
        if standing.paid:
            happenings.append(self._back(standing, basket, now, "CANCEL", None))
        return _with(story, *happenings)

    def dispute(self, story: Story, now: datetime) -> Story:
        """Let the card's owner have the bank take the money back, for which it wants a fee."""
        standing = Standing(story)
        charge = standing.disputable
        if charge is None:
            raise NotPossible("Only what was paid by card, and not given back, can be disputed, and once at a time.")
        now, payout = self._moment(story, now), self.world.shop.payout_currency
        rate = millionths(story.currency, payout, self.world.shop.day(now))
        amount = exchange(standing.left[charge.id], rate, story.currency, payout)
        return _with(story, Disputed(now, self._next(story).id(), "CHARGEBACK", "FRAUDULENT", amount, DISPUTE_FEE, charge.id))

    def settle(self, story: Story, now: datetime, *, won: bool) -> Story:
        """End a dispute."""
        dispute = Standing(story).dispute
        if dispute is None:
            raise NotPossible("No dispute is open.")
        return _with(story, Settled(self._moment(story, now), dispute.id, "WON" if won else "LOST"))

    # What all of them need

    def _back(self, standing: Standing, basket: Basket, now: datetime, restock: str, units: int | None) -> Refunded:
        """Give units back (None: all, and the shipping), and what was paid for them to where it came from."""
        story, telling, money, goods, shipping = standing.story, standing.telling, 0, [], []
        location = self.world.shop.locations[0][0] if self.world.shop.locations else None
        for line in telling.lines.values():
            taken = line.units if units is None else min(line.units, units)
            if taken:
                goods.append(GoodsBack(basket.id(), line.source.id, taken, restock, location))
                money += line.take(taken).total
        for carriage in telling.carriages.values() if units is None else ():
            if carriage.shown:
                shipping.append((carriage.source.id, carriage.shown))
                money += carriage.take_money(carriage.shown).total
        number = basket.id()
        basket.skip(len(shipping))
        payments = []
        for source in reversed(standing.paid.values()):
            part = min(money, standing.left[source.id])
            if part:
                money -= part
                payments.append(basket.payment(now, "REFUND", part, source.gateway, parent=source.id, currency=story.currency))
        return Refunded(now, number, tuple(goods), tuple(shipping), payments=tuple(payments))

    def _basket(self, order: int) -> Basket:
        source = self.world.source
        return Basket(order, source.habits if isinstance(source, Living) else Habits(), self.world.shop, random.Random(order))  # noqa: S311  nothing is drawn

    def _next(self, story: Story) -> Basket:
        """Return where the next ids come from."""
        basket = self._basket(story.id)
        basket.begin_after(IDS_AT_FIRST + IDS_A_STEP * len(story.happenings))
        return basket

    def _home(self, person: int) -> tuple[str, str, str, int]:
        source = self.world.source
        return source.people.home(person) if isinstance(source, Living) else HOME

    def _visit(self, now: datetime, came_by: str) -> Visit | None:
        """Return the visit that led to an order: by a campaign, by nothing that is known (`direct`), or none."""
        at, path = now - timedelta(minutes=5), PATHS[0]
        page = f"{SHOP}{path}"
        if came_by == "direct":
            return Visit(at, page, path=path)
        source, medium, name = next((each for each in CAMPAIGNS if each[2] == came_by), ("", "", ""))
        if not source:
            return None
        page += f"?utm_source={source}&utm_medium={medium}&utm_campaign={name}"
        host = f"{source}.example.com"
        return Visit(at, page, f"https://{host}/", source, None, (source, medium, name, None, None), path, None, host)

    def _moment(self, story: Story, now: datetime) -> datetime:
        """Return the moment of what happens now: never before what happened already, though a clock was turned back."""
        return max([now.replace(microsecond=0), story.created_at, *(each.at for each in story.happenings)])


def _with(story: Story, *happenings: Happening) -> Story:
    return structs.replace(story, happenings=(*story.happenings, *happenings))
