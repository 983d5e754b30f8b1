"""State what every payout of Shopify Payments truly is made of, with arithmetic of its own.

Like the rest of the oracle it reads what people meant and did, never what a platform tells: not the bank's rows, its payouts or its days.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

from msgspec import Struct

from connectors.sandbox.knowledge import Knowledge
from connectors.sandbox.money import digits
from connectors.sandbox.rates import euro_rate
from connectors.sandbox.story import Banked, Deleted, Disputed, Paid, Payment, Refunded, Returned, Settled, Shipped, Story
from connectors.sandbox.world import World

ZERO = Decimal(0)
MILLIONTH = Decimal("0.000001")
DAYS_UNTIL = (2, 2, 2, 4, 4, 3, 2)
"""Days until what moved on a weekday, Monday first, is paid out: two working days later, by the clock of UTC."""
ISSUED = time(9, tzinfo=UTC)
BY_SHOPIFY = "shopify_payments"


class Part(Struct, frozen=True):
    """One movement of the balance: what it is, when it was, and its amount and fee in the payout currency."""

    kind: str
    """`charges`, `refunds`, `disputes`, `reserves`, `labels`."""
    at: datetime
    amount: Decimal
    fee: Decimal = ZERO
    expected: Decimal = ZERO
    """What the order says of it, at the central bank's rate; nothing of what is no payment, or of an order that is gone."""


class TruePayout(Struct):
    """What is in one payout, in the payout currency."""

    issued_at: datetime
    parts: dict[str, Decimal] = {}
    fees: Decimal = ZERO
    expected: Decimal = ZERO

    @property
    def net(self) -> Decimal:
        """Return what the bank gets."""
        return sum(self.parts.values(), ZERO) - self.fees


class PayoutOracle:
    """What is true of a world's payouts at a moment."""

    def __init__(self, world: World, *, at: datetime) -> None:
        self._world, self._at = world, at
        self._knowledge = Knowledge(world.shop, world.catalogue, at=at)
        self._currency = world.shop.payout_currency

    def payouts(self) -> list[TruePayout]:
        """State every payout that was issued, oldest first."""
        return [payout for payout in self._all() if payout.issued_at <= self._at]

    def on_the_way(self) -> Decimal:
        """State what moved the balance and was not paid out."""
        return sum((payout.net for payout in self._all() if payout.issued_at > self._at), ZERO)

    def _all(self) -> list[TruePayout]:
        found: dict[date, TruePayout] = {}
        for story in self._world.stories():
            for part in self._parts(story) if not story.test else ():
                moved = part.at.astimezone(UTC).date()
                day = moved + timedelta(days=DAYS_UNTIL[moved.weekday()])
                payout = found.setdefault(day, TruePayout(datetime.combine(day, ISSUED), {}))
                payout.parts[part.kind] = payout.parts.get(part.kind, ZERO) + part.amount
                payout.fees += part.fee
                payout.expected += part.expected
        return [found[day] for day in sorted(found)]

    def _parts(self, story: Story) -> Iterator[Part]:
        heard = [each for each in story.happenings if each.at <= self._at]
        is_gone = any(isinstance(each, Deleted) for each in heard)
        disputes = {each.id: each for each in heard if isinstance(each, Disputed) and each.type == "CHARGEBACK"}
        for each in heard:
            if isinstance(each, Paid):
                yield from self._of_payment(story, each.payment, is_gone=is_gone)
            elif isinstance(each, Refunded | Returned):
                for payment in each.payments:
                    yield from self._of_payment(story, payment, is_gone=is_gone)
            elif isinstance(each, Disputed) and each.id in disputes:
                yield Part("disputes", each.at, -self._money(each.amount), self._money(each.fee))
            elif isinstance(each, Settled) and each.status == "WON" and each.dispute in disputes:
                began = disputes[each.dispute]
                yield Part("disputes", each.at, self._money(began.amount), -self._money(began.fee))
            elif isinstance(each, Banked):
                yield Part("reserves", each.at, self._money(each.amount))
            elif isinstance(each, Shipped) and each.label is not None:
                yield Part("labels", each.at, -self._money(each.label))

    def _of_payment(self, story: Story, payment: Payment, *, is_gone: bool) -> Iterator[Part]:
        if payment.gateway != BY_SHOPIFY or payment.status != "SUCCESS" or payment.kind not in ("SALE", "CAPTURE", "REFUND"):
            return
        sign = -1 if payment.kind == "REFUND" else 1
        day = self._world.shop.day(payment.at)
        paid = self._knowledge.exchanged(payment.amount, story.currency, self._currency, self._knowledge.day(payment.at))
        fee = self._money(payment.fee.amount) if payment.fee is not None and sign > 0 else ZERO
        amount = sign * self._by_the_processor(payment.amount, story.currency, day)
        yield Part("refunds" if sign < 0 else "charges", payment.at, amount, fee, ZERO if is_gone else sign * paid)

    def _by_the_processor(self, minor: int, currency: str, day: date) -> Decimal:
        """Convert as processors do: a rate of six digits, cut off, and half cents up."""
        rate = (euro_rate(self._currency, day) / euro_rate(currency, day)).quantize(MILLIONTH, ROUND_DOWN) if currency != self._currency else 1
        amount = Decimal(minor).scaleb(-digits(currency)) * rate
        return amount.quantize(Decimal(1).scaleb(-digits(self._currency)), ROUND_HALF_UP)

    def _money(self, minor: int) -> Decimal:
        return Decimal(minor).scaleb(-digits(self._currency))
