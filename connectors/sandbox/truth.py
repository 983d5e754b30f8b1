"""State what one order truly earned, from what its people meant and did.

This is a second opinion: it reads the story of an order, never what a platform tells of it, and does its own sums in
decimals. The rules are those of docs/metrics: what a line of the statement is, and on which day it counts.
"""

from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from functools import singledispatchmethod

from msgspec import Struct

from connectors.sandbox.knowledge import Knowledge
from connectors.sandbox.money import digits
from connectors.sandbox.sold_line import SoldLine
from connectors.sandbox.story import (
    GIFT_CARD,
    GOODS,
    TIP,
    Banked,
    Cancelled,
    Carriage,
    Closed,
    Deleted,
    Disputed,
    Edited,
    Expired,
    ExtraFee,
    FeeTold,
    GoodsBack,
    Happening,
    Item,
    Merged,
    Paid,
    Payment,
    Refunded,
    Returned,
    Settled,
    Shipped,
    Story,
    Touched,
)

ZERO, ONE, MILLION = Decimal(0), Decimal(1), Decimal(1_000_000)
TEN_THOUSANDTH = Decimal("0.0001")
DEFAULT_COGS = Decimal("0.40")
DEFAULT_FEE, DEFAULT_FLAT = Decimal("0.029"), Decimal("0.30")
NO_PROCESSOR = frozenset({"cash", "manual", "gift_card", "bank deposit", "cash on delivery (cod)", "money order"})
"""Gateways through which money comes without anybody keeping a part; lower case."""
CHARGES = ("SALE", "CAPTURE")


_LINE_OF = {TIP: "other_income", GIFT_CARD: "gift_cards"}
CHARGED = frozenset({"gross_sales", "discounts", "returns", "shipping_charged", "other_income", "tax", "gift_cards"})
"""The lines that add up to what a customer owes."""
BY_OTHERS = frozenset({"fulfilment", "fees", "chargebacks"})


class Row(Struct, frozen=True):
    """One amount of the statement, in the shop's currency: revenue is positive, a cost negative. Counts are amounts of 1."""

    line: str
    """Key of a line of the statement, of its memo lines or of its counts."""
    day: date
    """When it happened."""
    order_day: date
    order: int
    amount: Decimal
    variant: int | None = None
    estimated: bool = False


class Truth:
    """One order while its story is read, as far as a moment."""

    def __init__(self, story: Story, knowledge: Knowledge, at: datetime) -> None:
        self.story, self.knowledge = story, knowledge
        self.unit = ONE.scaleb(-digits(story.currency))
        self.order_day = knowledge.day(story.processed_at)
        self.heard = [each for each in story.happenings if each.at <= at]
        self.there = story.created_at <= at and not any(isinstance(each, Deleted) for each in self.heard)
        self.payments = [payment for each in self.heard for payment in _payments(each) if payment.status == "SUCCESS" and not payment.test]
        self.cancelled = any(isinstance(each, Cancelled) for each in self.heard)
        self.shipped = any(isinstance(each, Shipped) for each in self.heard)
        self._let_go = any(isinstance(each, Expired) for each in self.heard) or any(each.kind == "VOID" for each in self.payments)
        self.rows: list[Row] = []
        self.lines: dict[int, SoldLine[Item]] = {}
        self.carriages: dict[int, SoldLine[Carriage]] = {}
        self.duties = {duty.id: duty.amount * self.unit for duty in story.duties}
        self.carried = ZERO

    def money(self, minor: int) -> Decimal:
        """Return minor units of the order's currency as an amount."""
        return minor * self.unit

    def note(self, line: str, day: date, amount: Decimal, *, variant: int | None = None, estimated: bool = False) -> None:
        """Note an amount, unless it is none."""
        if amount:
            self.rows.append(Row(line, day, self.order_day, self.story.id, amount, variant, estimated))

    def tell(self) -> list[Row]:
        """Return what the order earned and cost. A test, a deleted order and one nobody paid have nothing but what a bank or a carrier took."""
        if not self.there or self.story.test:
            return []
        first = self._place()
        for happening in self.heard:
            self._read(happening)
        paid = any(payment.kind in CHARGES for payment in self.payments)
        if paid or not first:
            self._ship()
            for payment in self.payments:
                self._pay(payment)
            if first > 0:
                self.note("orders", self.order_day, ONE)
            return self.rows
        kept = [row for row in self.rows if row.line in BY_OTHERS]
        if not self.cancelled and not self._let_go:
            value = sum((row.amount for row in self.rows if row.line in CHARGED), ZERO)
            self.rows = []
            self.note("unpaid", self.order_day, value)
            kept += self.rows
        return kept

    # What was sold

    def _place(self) -> Decimal:
        """Sell what the order was placed with; return what its customer owed for it."""
        day = self.order_day
        for item in self.story.items:
            self._sell(item, day)
        for carriage in self.story.carriages:
            self._carry(carriage, day)
        for amount in self.duties.values():
            self.note("tax", day, amount)
        for fee in self.story.fees:
            self._charge(fee, day)
        return sum((row.amount for row in self.rows if row.line in CHARGED), ZERO)

    def _sell(self, item: Item, day: date) -> None:
        line = self.lines[item.id] = SoldLine(item, self.unit, included=self.story.taxes_included)
        if item.kind != GOODS:
            self.note(_LINE_OF[item.kind], day, line.list_value - line.discount)
        else:
            self.note("gross_sales", day, line.list_value, variant=item.variant)
            self.note("discounts", day, -line.discount, variant=item.variant)
            self.note("units", day, Decimal(item.quantity), variant=item.variant)
            self._book_cost(line, item, day)
        self.note("tax", day, line.own(line.taxes))

    def _book_cost(self, line: SoldLine[Item], item: Item, day: date) -> None:
        unit_cost, line.estimated = self.knowledge.cost(item.variant, self.order_day)
        if unit_cost is None:
            listed = (line.list_value / item.quantity).quantize(TEN_THOUSANDTH, ROUND_HALF_EVEN)
            unit_cost, line.estimated = (listed * DEFAULT_COGS).quantize(TEN_THOUSANDTH, ROUND_HALF_EVEN), True
        line.cost_booked = (unit_cost * item.quantity).quantize(self.unit, ROUND_HALF_EVEN)
        self.note("cogs", day, -line.cost_booked, variant=item.variant, estimated=line.estimated)

    def _carry(self, carriage: Carriage, day: date) -> None:
        line = self.carriages[carriage.id] = SoldLine(carriage, self.unit, included=self.story.taxes_included)
        net = line.list_value - line.discount
        self.carried += net
        self.note("shipping_charged", day, net)
        self.note("tax", day, line.own(line.taxes))

    def _charge(self, fee: ExtraFee, day: date) -> None:
        amount = self.money(fee.amount)
        self.note("other_income", day, amount)
        owed = (levy for levy in fee.levies if not levy.channel_liable)
        self.note("tax", day, sum(((amount * levy.rate / MILLION).quantize(self.unit, ROUND_HALF_UP) for levy in owed), ZERO))

    # What happened then

    @singledispatchmethod
    def _read(self, happening: object) -> None:
        raise TypeError(happening)

    @_read.register(Paid)
    @_read.register(Cancelled)
    @_read.register(Touched)
    @_read.register(Merged)
    @_read.register(Closed)
    @_read.register(Expired)
    @_read.register(FeeTold)
    @_read.register(Banked)
    def _(self, happening: Happening) -> None:
        """Leave what by itself earns and costs nothing."""

    @_read.register
    def _(self, happening: Edited) -> None:
        day = self.knowledge.day(happening.at)
        for item in happening.added:
            self._sell(item, day)
        for item_id, units in happening.removed:
            line = self.lines[item_id]
            units = min(units, line.units)
            net, discount, tax = line.leave(units)
            self.note("tax", day, -tax)
            if line.source.kind != GOODS:
                self.note(_LINE_OF[line.source.kind], day, -net)
                continue
            variant = line.source.variant
            self.note("gross_sales", day, -net - discount, variant=variant)
            self.note("discounts", day, discount, variant=variant)
            self.note("units", day, Decimal(-units), variant=variant)
            self.note("cogs", day, line.cost_back(units), variant=variant, estimated=line.estimated)
        for item_id, off in happening.discounts:
            line = self.lines[item_id]
            net, tax = line.cheapen(self.money(off))
            self.note("discounts", day, -net, variant=line.source.variant)
            self.note("tax", day, -tax)
        if happening.carriage is not None:
            self._carry(happening.carriage, day)

    @_read.register
    def _(self, happening: Refunded) -> None:
        day = self.knowledge.day(happening.at)
        self._take_back(happening.goods, day)
        for carriage, shown in happening.shipping:
            net, _, tax = self.carriages[carriage].leave_money(self.money(shown))
            self.note("shipping_charged", day, -net)
            self.note("tax", day, -tax)
        for duty in happening.duties:
            self.note("tax", day, -self.duties.pop(duty, ZERO))
        self.note("returns", day, self.money(happening.withheld - happening.goodwill))

    @_read.register
    def _(self, happening: Returned) -> None:
        day = self.knowledge.day(happening.at)
        self._take_back(happening.goods, day)
        for item in happening.exchanged:
            self._sell(item, day)
        for fee in happening.fees:
            self._charge(fee, day)

    def _take_back(self, goods: tuple[GoodsBack, ...], day: date) -> None:
        for back in goods:
            line = self.lines[back.item]
            units, item = min(back.quantity, line.units), line.source
            net, _, tax = line.leave(units)
            self.note("tax", day, -tax)
            if item.kind != GOODS:
                self.note(_LINE_OF[item.kind], day, -net)
                continue
            self.note("returns", day, -net, variant=item.variant)
            self.note("returned_units", day, Decimal(units), variant=item.variant)
            if back.restocked:
                self.note("cogs", day, line.cost_back(units), variant=item.variant, estimated=line.estimated)

    @_read.register
    def _(self, happening: Disputed) -> None:
        if happening.type == "CHARGEBACK":
            self._bank(happening.at, -happening.amount, -happening.fee)

    @_read.register
    def _(self, happening: Settled) -> None:
        began = next(each for each in self.heard if isinstance(each, Disputed) and each.id == happening.dispute)
        if happening.status == "WON" and began.type == "CHARGEBACK":
            self._bank(happening.at, began.amount, began.fee)

    def _bank(self, at: datetime, amount: int, fee: int) -> None:
        day = self.knowledge.day(at)
        self.note("chargebacks", day, self.knowledge.paid_out(amount, self.story.currency, day))
        self.note("fees", day, self.knowledge.paid_out(fee, self.story.currency, day))

    @_read.register
    def _(self, happening: Shipped) -> None:
        if happening.label is not None:
            day = self.knowledge.day(happening.at)
            self.note("fulfilment", day, -self.knowledge.paid_out(happening.label, self.story.currency, day))

    # What it cost

    def _ship(self) -> None:
        """Let shipping cost what its customer paid for it, unless a label tells, or nothing ever left."""
        labelled = any(isinstance(each, Shipped) and each.label is not None for each in self.heard)
        if not labelled and (self.shipped or not self.cancelled) and self.carried > 0:
            self.note("fulfilment", self.order_day, -self.carried, estimated=True)

    def _pay(self, payment: Payment) -> None:
        day, amount = self.knowledge.day(payment.at), self.money(payment.amount)
        charges = payment.kind in CHARGES
        if payment.fee is not None:
            self.note("fees", day, -self.knowledge.exchanged(payment.fee.amount, payment.fee.currency, self.story.currency, day))
        elif charges and amount and payment.gateway.lower() not in NO_PROCESSOR and payment.gateway != "shopify_payments":
            fee = (amount * DEFAULT_FEE + DEFAULT_FLAT).quantize(self.unit, ROUND_HALF_EVEN)
            self.note("fees", day, -fee, estimated=True)
        if payment.gateway == "gift_card" and (charges or payment.kind == "REFUND"):
            self.note("gift_cards", day, -amount if charges else amount)
        if payment.rounding:
            self.note("other_income", day, self.money(payment.rounding if charges else -payment.rounding))


def _payments(happening: Happening) -> tuple[Payment, ...]:
    if isinstance(happening, Paid):
        return (happening.payment,)
    return happening.payments if isinstance(happening, Refunded | Returned) else ()
