"""Let things happen to an order after it was bought: shipped, edited, given back, exchanged, cancelled, disputed."""

from datetime import datetime, timedelta

from msgspec import structs

from connectors.sandbox.buying import OLD_SHOP, Basket, item_of
from connectors.sandbox.catalogue import Catalogue
from connectors.sandbox.money import exchange
from connectors.sandbox.rates import millionths
from connectors.sandbox.remains import Remains
from connectors.sandbox.story import (
    GOODS,
    Banked,
    Cancelled,
    Closed,
    Deleted,
    Disputed,
    Edited,
    ExtraFee,
    FeeTold,
    GoodsBack,
    Happening,
    Item,
    Paid,
    Payment,
    Refunded,
    Returned,
    Settled,
    Shipped,
    Story,
    Touched,
)

DISPUTE_FEE = 1500
REASONS = ("FRAUDULENT", "PRODUCT_NOT_RECEIVED", "UNRECOGNIZED", "PRODUCT_UNACCEPTABLE")
CANCEL_REASONS = ("CUSTOMER", "INVENTORY", "FRAUD", "OTHER")


class Afterwards:
    """What comes of one order. Money given back is reckoned from what remains of its lines."""

    def __init__(self, basket: Basket, story: Story, catalogue: Catalogue) -> None:
        self.basket, self.story, self.catalogue, self.r, self.habits = basket, story, catalogue, basket.r, basket.habits
        self.lines = {item.id: Remains(item, included=story.taxes_included) for item in story.items}
        self.carriages = {each.id: Remains(each, included=story.taxes_included) for each in story.carriages}
        self.found: list[Happening] = list(story.happenings)
        paid = [each.payment for each in story.happenings if isinstance(each, Paid)]
        self.paid = {each.id: each for each in paid if each.status == "SUCCESS" and each.kind in ("SALE", "CAPTURE")}
        self.left = {each.id: each.amount for each in self.paid.values()}

    def live(self, *, paid: bool) -> Story:
        """Draw what happens, and return the order with it."""
        habits, chance = self.habits, self.basket.chance
        if paid and not self.story.test:
            if chance(habits.cancelled):
                self._cancel()
            else:
                self._go_on()
        elif not paid and chance(5000):
            self.found.append(Cancelled(self._later(4, 12), self.r.choice(CANCEL_REASONS)))
        if chance(habits.touched):
            self.found.append(Touched(self._later(0, 40), "looked-at"))
        if chance(habits.deleted):
            self.found.append(Deleted(self._later(40, 70)))
        if paid:
            self._bank()
        # what happens at one moment stays as it was thought of: sorting is stable
        return structs.replace(self.story, happenings=tuple(sorted(self.found, key=lambda each: each.at)))

    def _bank(self) -> None:
        """Let the bank tell fees late, hold a part back for a while, and take its share of a loan."""
        habits, chance, payout = self.habits, self.basket.chance, self.basket.shop.payout_currency
        charged = [each.payment for each in self.found if isinstance(each, Paid) and each.payment.fee is not None]
        for payment in charged:
            if habits.late_fees and chance(habits.late_fees):
                self.found.append(FeeTold(payment.at + timedelta(days=1, seconds=int(self.r.random() * 200_000)), payment.id))
        if charged and habits.reserves and chance(habits.reserves):
            at, held = charged[0].at + timedelta(days=1), charged[0].amount // 10
            held = exchange(held, millionths(self.story.currency, payout, self.basket.shop.day(at)), self.story.currency, payout)
            self.found.append(Banked(at, self.basket.id(), "RESERVED_FUNDS", -held))
            self.found.append(Banked(at + timedelta(days=14), self.basket.id(), "RESERVED_FUNDS_REVERSAL", held))
            self.found.append(Banked(at + timedelta(days=2), self.basket.id(), "LENDING_CAPITAL_REMITTANCE", -held))

    def _later(self, first: int, last: int) -> datetime:
        """Draw a moment so many days after the order was placed."""
        return self.story.processed_at + timedelta(days=first, seconds=int(self.r.random() * (last - first) * 86_400) + 60)

    def _go_on(self) -> None:
        habits, chance = self.habits, self.basket.chance
        if chance(habits.edited):
            self._edit()
        sent_at = self.story.processed_at if self.story.source_name == "pos" else self._later(2, 4)
        label = 350 + int(self.r.random() * 700) if self.story.carriages and chance(habits.labels) else None
        self.found.append(Shipped(sent_at, label=label, label_id=self.basket.id()))
        if chance(habits.refunded):
            self._refund(self._later(5, 30))
            if chance(1500):
                self._refund(self._later(31, 45))
        elif chance(habits.exchanged):
            self._exchange(self._later(5, 30))
        if chance(habits.goodwill):
            self._goodwill(self._later(5, 40))
        if chance(habits.disputed):
            self._dispute(self._later(10, 40))
        if chance(3000):
            self.found.append(Closed(self._later(46, 47)))

    # Money

    def _give(self, at: datetime, amount: int) -> tuple[Payment, ...]:
        """Give money back to where it came from, what was paid last first."""
        found = []
        for source in reversed(self.paid.values()):
            part = min(amount, self.left[source.id])
            if part:
                self.left[source.id] -= part
                amount -= part
                found.append(self.basket.payment(at, "REFUND", part, source.gateway, parent=source.id, currency=self.story.currency))
        return tuple(found)

    def _ask(self, at: datetime, amount: int) -> None:
        """Have the customer pay more."""
        gateway = OLD_SHOP if at < self.story.created_at else "shopify_payments"
        payment = self.basket.payment(at, "SALE", amount, gateway, currency=self.story.currency)
        self.paid[payment.id], self.left[payment.id] = payment, amount
        self.found.append(Paid(at, payment))

    # Happenings

    def _goods(self) -> list[Remains[Item]]:
        return [line for line in self.lines.values() if line.units and line.source.kind == GOODS]

    def _back(self, line: Remains[Item], units: int, restock: str) -> GoodsBack:
        location = self.basket.shop.locations[0][0] if restock != "NO_RESTOCK" else None
        return GoodsBack(self.basket.id(), line.source.id, units, restock, location)

    def _refund(self, at: datetime) -> None:
        habits, chance, goods = self.habits, self.basket.chance, self._goods()
        if not goods:
            return
        line = goods[int(self.r.random() * len(goods))]
        lines = goods if chance(2500) else [line]
        restock = "NO_RESTOCK" if chance(habits.no_restock) else "RETURN"
        back, money = [], 0
        for each in lines:
            units = each.units if len(lines) > 1 or chance(6000) else 1 + int(self.r.random() * each.units)
            back.append(self._back(each, units, restock))
            money += each.take(units).total
        shipping = []
        if chance(habits.shipping_refunded):
            for carriage in self.carriages.values():
                shown = carriage.shown if chance(7000) else carriage.shown // 2
                if shown:
                    shipping.append((carriage.source.id, shown))
                    money += carriage.take_money(shown).total
        withheld = money // 10 if chance(habits.withheld) else 0
        number = self.basket.id()
        self.basket.skip(len(shipping))
        pays = not chance(habits.restock_only)
        payments = self._give(at, money - withheld) if pays else ()
        self.found.append(Refunded(at, number, tuple(back), tuple(shipping), withheld=withheld, payments=payments))

    def _goodwill(self, at: datetime) -> None:
        money = min(self.r.randrange(200, 1500, 50), sum(self.left.values()))
        if money:
            self.found.append(Refunded(at, self.basket.id(), goodwill=money, payments=self._give(at, money), note="Sorry for the delay"))

    def _exchange(self, at: datetime) -> None:
        goods = self._goods()
        if not goods:
            return
        line = goods[0]
        back = self._back(line, 1, "RETURN")
        value = line.take(1).total
        variant = self.catalogue.pick(int(self.r.random() * len(self.catalogue.goods)), at)
        item = item_of(self.basket.id(), variant, self.catalogue, at, 1, line.source.levies)
        self.lines[item.id] = Remains(item, included=self.story.taxes_included)
        fees = (ExtraFee(self.basket.id(), "Return shipping", 495),) if self.basket.chance(self.habits.return_fee) else ()
        due = self.lines[item.id].total + sum(fee.amount for fee in fees) - value
        payments = self._give(at, -due) if due < 0 else ()
        self.found.append(Returned(at, self.basket.id(), self.basket.id(), (back,), (item,), fees, payments))
        if due > 0:
            self._ask(at + timedelta(minutes=1), due)

    def _edit(self) -> None:
        """Change the order within its first hours: take a unit out, add a line, or take something off."""
        at, goods, drawn = self.story.created_at + timedelta(seconds=1800 + int(self.r.random() * 7200)), self._goods(), self.r.random()
        # an authorised order is edited once its money is there
        at = max([at, *(each.at + timedelta(minutes=5) for each in self.found)])
        if not goods:
            return
        line = goods[0]
        if drawn < 0.35 and sum(each.units for each in goods) > 1:
            money = line.take(1).total
            self.found.append(Edited(at, self.basket.id(), removed=((line.source.id, 1),)))
            self._settle_up(at, money)
        elif drawn < 0.6:
            discount = line.shown // 5
            money = line.cut(discount).total
            self.found.append(Edited(at, self.basket.id(), discounts=((line.source.id, discount),)))
            self._settle_up(at, money)
        else:
            variant = self.catalogue.pick(int(self.r.random() * len(self.catalogue.goods)), at)
            item = item_of(self.basket.id(), variant, self.catalogue, at, 1, line.source.levies)
            self.lines[item.id] = Remains(item, included=self.story.taxes_included)
            self.found.append(Edited(at, self.basket.id(), added=(item,)))
            self._ask(at + timedelta(minutes=10), self.lines[item.id].total)

    def _settle_up(self, at: datetime, money: int) -> None:
        """Give back what an edit made too much, without lines: the edit already told of them."""
        if money:
            at += timedelta(minutes=2)
            self.found.append(Refunded(at, self.basket.id(), payments=self._give(at, money)))

    def _cancel(self) -> None:
        at = max([self._later(0, 1), *(each.at + timedelta(minutes=5) for each in self.found)], default=self._later(0, 1))
        self.found.append(Cancelled(at, self.r.choice(CANCEL_REASONS)))
        if self.basket.chance(self.habits.cancelled_without_refund):
            return
        back = tuple(self._back(line, line.units, "CANCEL") for line in self.lines.values() if line.units)
        money = sum(line.total for line in self.lines.values()) + sum(carriage.total for carriage in self.carriages.values())
        money += sum(duty.amount for duty in self.story.duties)
        shipping = tuple((line.source.id, line.shown) for line in self.carriages.values() if line.shown)
        # Shopify gives back what was paid but a fee for extras: that one is kept
        number = self.basket.id()
        self.basket.skip(len(shipping))
        self.found.append(Refunded(at, number, back, shipping, tuple(duty.id for duty in self.story.duties), payments=self._give(at, money)))

    def _dispute(self, at: datetime) -> None:
        charged = [payment for payment in self.paid.values() if payment.gateway == "shopify_payments" and self.left[payment.id]]
        if not charged:
            return
        payment, left = charged[0], self.left[charged[0].id]
        payout = self.basket.shop.payout_currency
        amount = exchange(left, millionths(self.story.currency, payout, self.basket.shop.day(at)), self.story.currency, payout)
        number = self.basket.id()
        if self.basket.chance(2000):
            self.found.append(Disputed(at, number, "INQUIRY", "GENERAL", amount, 0, payment.id))
            self.found.append(Settled(at + timedelta(days=9), number, "WON"))
            return
        self.found.append(Disputed(at, number, "CHARGEBACK", self.r.choice(REASONS), amount, DISPUTE_FEE, payment.id))
        won = self.basket.chance(self.habits.dispute_won)
        self.found.append(Settled(at + timedelta(days=20 + int(self.r.random() * 15)), number, "WON" if won else "LOST"))
        self.left[payment.id] = 0
