"""Tell an order's story in the order of time: what happened to it, and when the ledger learnt of it or changed its mind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal

from dashboards.templatetags.money import count
from ledger.cause import MOVED_BY
from ledger.kinds import CauseKind, PaymentKind, PaymentStatus, SaleKind, SaleType
from ledger.models import CostChange
from ledger.orders.order_parts import BatchView, PaymentView, SaleView
from ledger.orders.orders_view import OrderView

COST_WORDS = {
    "fulfilment:shipping": "Shipping label", "fulfilment:other": "Packing and fulfilment", "fees:marketplace": "Marketplace fee",
    "fees:dispute": "Dispute fee", "fees:payment": "Payment fee",
}  # fmt: skip
SALE_WORDS = {
    SaleKind.EDIT: "Order edited", SaleKind.RETURN: "Returned", SaleKind.REFUND: "Refunded", SaleKind.ADJUSTMENT: "Adjusted", SaleKind.ORDER: "Sold",
}  # fmt: skip
PAYMENT_WORDS = {
    PaymentKind.SALE: "Paid", PaymentKind.CAPTURE: "Paid (captured)", PaymentKind.AUTHORIZATION: "Payment authorised",
    PaymentKind.VOID: "Payment voided", PaymentKind.REFUND: "Money paid back",
}  # fmt: skip
MOST_CHANGES_NAMED = 3
RESTATED = "repost"
"""What the batches of every restating name as their cause; which changes of costs it was for is told by time."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened, or that the ledger learnt: when, what, and how much in which currency."""

    at: datetime
    is_day: bool
    """Whether only the day is known."""
    what: str
    detail: str = ""
    amount: Decimal | None = None
    currency: str = ""
    learnt: bool = False
    """Whether it is about the ledger; its amount is then what the order's profit changed by."""


def timeline(order: OrderView, sources: Mapping[str, str], changes: Sequence[CostChange], currency: str) -> list[Moment]:
    """Return everything that is known of an order in time, first things first; `currency` is the book's.

    `sources` are what causes that name a file or a connection are called.
    """
    moments = [_placed(order), *_later_sales(order), *_payments(order), *_costs(order, sources)]
    moments += [Moment(order.cancelled_at, False, "Cancelled")] if order.cancelled_at else []
    moments += _learnt(order, sources, changes, currency)
    if order.withdrawn_at:
        what, figures = "Deleted on its platform", "the order is in no figure any more"
        if order.cause_ref.startswith("undo of "):
            what = "Import undone"
        elif order.cause_ref.startswith(MOVED_BY):
            what, figures = f"Moved to the store in {order.currency}", "the order is in that one's figures"
        moments.append(Moment(order.withdrawn_at, False, what, figures, learnt=True))
    return sorted(moments, key=lambda moment: (moment.at, moment.learnt))


def _placed(order: OrderView) -> Moment:
    parts = [f"on {order.channel}" if order.channel else "", f"with the code {', '.join(order.discount_codes)}" if order.discount_codes else ""]
    total = _worth([sale for sale in order.sales if sale.kind == SaleKind.ORDER])
    return Moment(order.placed_at, False, "Placed", " ".join(part for part in parts if part), total, order.currency)


def _later_sales(order: OrderView) -> list[Moment]:
    """Gather what happened at one time into one moment: a refund of three lines is one."""
    groups: dict[tuple[datetime, int], list[SaleView]] = {}
    for sale in order.sales:
        if sale.kind != SaleKind.ORDER:
            groups.setdefault((sale.happened_at, sale.kind), []).append(sale)
    return [
        Moment(at, False, SALE_WORDS[SaleKind(kind)], "; ".join(_sale(sale) for sale in sales), _worth(sales), order.currency)
        for (at, kind), sales in groups.items()
    ]


def _worth(sales: Sequence[SaleView]) -> Decimal:
    return sum((sale.net + sale.tax for sale in sales), Decimal(0))


def _sale(sale: SaleView) -> str:
    what = sale.what or SaleType(sale.type).label
    units = f"{count(abs(sale.quantity))} × " if sale.quantity else ""
    marks = f"{', put back into stock' if sale.restocked else ''}{', estimated' if sale.estimated else ''}"
    return f"{units}{what}{marks}"


def _payments(order: OrderView) -> list[Moment]:
    return [
        Moment(
            paid.happened_at, False, _payment(paid), f"through {paid.gateway}" if paid.gateway else "",
            -paid.amount if paid.kind == PaymentKind.REFUND.label else paid.amount, order.currency,
        )
        for paid in order.payments
    ]  # fmt: skip


def _payment(paid: PaymentView) -> str:
    if paid.status in (PaymentStatus.FAILURE.label, PaymentStatus.ERROR.label):
        return "Payment failed"
    words = next(said for kind, said in PAYMENT_WORDS.items() if kind.label == paid.kind)
    return words if paid.status == PaymentStatus.SUCCESS.label else f"{words} ({paid.status})"


def _costs(order: OrderView, sources: Mapping[str, str]) -> list[Moment]:
    stated = [
        Moment(cost.happened_at, False, COST_WORDS.get(cost.account, cost.account), f"stated by {order.platform}", cost.amount, order.currency)
        for cost in order.costs
    ]
    told = []
    for charge in order.charges:
        source = sources.get(charge.cause_ref)
        parts = [charge.partner, charge.reference, f"told by {source}" if source else "", charge.standing]
        what = ", ".join(part for part in parts if part)
        told.append(Moment(_noon(charge.day or order.day), True, charge.kind.capitalize(), what, -charge.amount, charge.currency))
    return [*stated, *told]


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), UTC)


def _learnt(order: OrderView, sources: Mapping[str, str], changes: Sequence[CostChange], currency: str) -> list[Moment]:
    moments, before = [], None
    for batch in order.batches:
        what, detail = _cause(batch, sources)
        if batch.kind == CauseKind.RULE:
            named = [change for change in changes if (before is None or change.at > before) and change.at <= batch.recorded_at]
            detail = _restated_for(named) or ("" if batch.cause_ref == RESTATED else detail)
        told = f"{detail}, batch {count(batch.seq)}" if detail else f"batch {count(batch.seq)}"
        moments.append(Moment(batch.recorded_at, False, what, told, batch.profit, currency, learnt=True))
        before = batch.recorded_at
    return moments


def _cause(batch: BatchView, sources: Mapping[str, str]) -> tuple[str, str]:
    by = f" by {batch.actor}" if batch.actor else ""
    words = {
        CauseKind.IMPORT: "Imported", CauseKind.SYNC: "Synced", CauseKind.WEBHOOK: "Told by a webhook", CauseKind.RULE: "Costs restated",
        CauseKind.MANUAL: "Changed by hand", CauseKind.CORRECTION: "Corrected", CauseKind.UNDO: "An import was undone",
    }  # fmt: skip
    return words[CauseKind(batch.kind)], f"{sources.get(batch.cause_ref, batch.cause_ref)}{by}"


def _restated_for(changes: Sequence[CostChange]) -> str:
    """Name the changes of costs since the batch before, the latest first."""
    named = [f"“{change.reason or change.summary}”{f' by {change.actor}' if change.actor else ''}" for change in changes[:MOST_CHANGES_NAMED]]
    more = f" and {count(len(changes) - len(named))} more" if len(changes) > len(named) else ""
    return f"after {', '.join(named)}{more}" if named else ""
