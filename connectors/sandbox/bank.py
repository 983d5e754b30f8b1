"""Keep the balance of Shopify Payments: what each charge, refund, dispute and label moves, and what is paid out of it.

Everything is in the shop's payout currency; a charge in another is converted at its day's rate. What moved on a day is
paid out on the second working day after.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta

from connectors.sandbox.business import Shop
from connectors.sandbox.money import exchange
from connectors.sandbox.rates import millionths
from connectors.sandbox.story import Banked, Disputed, Paid, Payment, Refunded, Returned, Settled, Shipped, Story
from connectors.sandbox.told import BalanceTransaction, Dispute, Payout

BANKED = "shopify_payments"
PAYOUT_IDS = 90_000_000_000
KINDS_EACH = 10
"""Room for the ids of what one payment, dispute or label moves."""
OPENS = time(9, 0, tzinfo=UTC)
GROSS_OF = {"CHARGE": "charges_gross", "REFUND": "refunds_gross"}
FEE_OF = {"CHARGE": "charges_fee", "REFUND": "refunds_fee"}


def payout_day(moment: datetime) -> date:
    """Return the day on which what moved at a moment is paid out: the second working day after (in UTC)."""
    day, working = moment.date(), 0
    while working < 2:
        day += timedelta(days=1)
        working += day.weekday() < 5
    return day


def payout_id(day: date) -> int:
    """Return the id of a day's payout."""
    return PAYOUT_IDS + day.toordinal()


def moves(story: Story, shop: Shop, at: datetime) -> Iterator[BalanceTransaction]:
    """Yield what an order had moved of the balance by a moment. Test orders move nothing."""
    for happening in story.happenings if not story.test else ():
        if happening.at > at:
            break
        if isinstance(happening, Paid):
            yield from _of_payment(story, shop, happening.payment, at)
        elif isinstance(happening, Refunded | Returned):
            for payment in happening.payments:
                yield from _of_payment(story, shop, payment, at)
        elif isinstance(happening, Disputed):
            if happening.type == "CHARGEBACK":
                yield _move(
                    story, shop, happening.id, 0, happening.at, "DISPUTE_WITHDRAWAL", -happening.amount, happening.fee, at, payment=happening.payment
                )
        elif isinstance(happening, Settled):
            yield from _of_won(story, shop, happening, at)
        elif isinstance(happening, Banked):
            yield _move(story, shop, happening.id, 0, happening.at, happening.type, happening.amount, 0, at)
        elif isinstance(happening, Shipped) and happening.label is not None:
            yield _move(story, shop, happening.label_id, 0, happening.at, "SHIPPING_LABEL", -happening.label, 0, at)


def _of_payment(story: Story, shop: Shop, payment: Payment, at: datetime) -> Iterator[BalanceTransaction]:
    if payment.gateway != BANKED or payment.status != "SUCCESS" or payment.kind not in ("SALE", "CAPTURE", "REFUND"):
        return
    rate = millionths(story.currency, shop.payout_currency, shop.day(payment.at))
    amount = exchange(payment.amount, rate, story.currency, shop.payout_currency)
    if payment.kind == "REFUND":
        yield _move(story, shop, payment.id, 0, payment.at, "REFUND", -amount, 0, at, payment=payment.id)
    else:
        fee = payment.fee.amount if payment.fee is not None else 0
        yield _move(story, shop, payment.id, 0, payment.at, "CHARGE", amount, fee, at, payment=payment.id)


def _of_won(story: Story, shop: Shop, settled: Settled, at: datetime) -> Iterator[BalanceTransaction]:
    began = next(each for each in story.happenings if isinstance(each, Disputed) and each.id == settled.dispute)
    if settled.status == "WON" and began.type == "CHARGEBACK":
        yield _move(story, shop, began.id, 1, settled.at, "DISPUTE_REVERSAL", began.amount, -began.fee, at, payment=began.payment)


_SOURCES = {"CHARGE": "CHARGE", "REFUND": "REFUND", "DISPUTE_WITHDRAWAL": "DISPUTE", "DISPUTE_REVERSAL": "DISPUTE", "TRANSFER": "TRANSFER"}


def _move(
    story: Story,
    shop: Shop,
    source: int,
    kind: int,
    moved_at: datetime,
    type_: str,
    amount: int,
    fee: int,
    at: datetime,
    *,
    payment: int | None = None,
) -> BalanceTransaction:
    day = payout_day(moved_at)
    return BalanceTransaction(
        source * KINDS_EACH + kind, moved_at, type_, amount, fee, amount - fee, shop.payout_currency, source, _SOURCES.get(type_, "ADJUSTMENT"),
        payment, story.id, story.name, payout_id(day), _status(day, at), reason=None if type_ in _SOURCES else type_.lower(),
    )  # fmt: skip


def _issued(day: date) -> datetime:
    return datetime.combine(day, OPENS)


def _status(day: date, at: datetime) -> str:
    return "PAID" if _issued(day) <= at else "SCHEDULED"


def payouts(found: Iterable[BalanceTransaction], at: datetime) -> list[Payout]:
    """Add movements up to payouts, oldest first; those of days to come are not there yet."""
    days: dict[int, list[BalanceTransaction]] = {}
    for move in found:
        if move.payout is not None and move.type != "TRANSFER":
            days.setdefault(move.payout, []).append(move)
    return [_payout(number, days[number], at) for number in sorted(days) if _issued(_day_of(number)) <= at]


def _day_of(number: int) -> date:
    return date.fromordinal(number - PAYOUT_IDS)


def _payout(number: int, found: list[BalanceTransaction], at: datetime) -> Payout:
    parts = dict.fromkeys((*GROSS_OF.values(), *FEE_OF.values(), "adjustments_gross", "adjustments_fee"), 0)
    for move in found:
        parts[GROSS_OF.get(move.type, "adjustments_gross")] += move.amount
        parts[FEE_OF.get(move.type, "adjustments_fee")] += move.fee
    day, net = _day_of(number), sum(move.net for move in found)
    kind = "DEPOSIT" if net >= 0 else "WITHDRAWAL"
    return Payout(number, _issued(day), day, _status(day, at), kind, net, found[0].currency, f"TRACE{number}", parts)


def transfer(payout: Payout) -> BalanceTransaction:
    """Return the movement that a payout itself is: the balance goes down by what the bank gets."""
    return BalanceTransaction(
        payout.id * KINDS_EACH, payout.issued_at, "TRANSFER", -payout.net, 0, -payout.net, payout.currency, payout.id, "TRANSFER", None, None,
        None, payout.id, payout.status,
    )  # fmt: skip


def disputes(story: Story, shop: Shop, at: datetime) -> list[Dispute]:
    """Return the disputes about an order as they stand at a moment."""
    found: dict[int, Dispute] = {}
    for each in story.happenings:
        if each.at > at:
            break
        if isinstance(each, Disputed):
            found[each.id] = Dispute(each.id, each.at, None, "NEEDS_RESPONSE", each.type, each.reason, each.amount, shop.payout_currency, story.id)
        elif isinstance(each, Settled):
            began = found[each.dispute]
            found[each.dispute] = Dispute(
                began.id, began.initiated_at, each.at.date(), each.status, began.type, began.reason, began.amount, began.currency, began.order
            )
    return list(found.values())
