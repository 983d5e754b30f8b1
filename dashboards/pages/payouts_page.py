"""Lay out payouts: the list, what is still on its way, fees and disputes; and one payout with the way to it."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.urls import reverse

from dashboards.forms.payouts_form import PER_PAGE, PayoutsView, status_words
from dashboards.pages.orders_page import order_address
from ledger.charges.balance_rows import ToLookAt
from ledger.charges.payout_view import ROWS_A_PAGE, BalanceRow, Sum, rows_of, sums_of, walk_of
from ledger.charges.payout_walk import Cause, Item, Walk
from ledger.charges.payouts import Balance, CameIn, Disputed, PaymentFees, balances, disputes_of, has_failed, payment_fees, payouts_of, unbooked
from ledger.kinds import BalanceMeaning
from ledger.models import Payout, Store

FEE_DAYS = 90
"""Days whose fees are told where none are chosen, today included."""
WHAT_TO_DO = {
    BalanceMeaning.COST: "Enter it under Costs, unless a file of yours tells it.",
    BalanceMeaning.ADJUSTMENT: "Ask the processor what it corrects; enter under Costs what is a cost.",
    BalanceMeaning.UNKNOWN: "Look at the rows; enter under Costs what is a cost.",
    BalanceMeaning.LABEL: "Enter it under Costs as shipping, or bring in the carrier’s file, which names the orders.",
}
NO_ORDER = "The rows name no order. Enter under Costs what is a cost."
DISPUTE_WORDS = {
    "NEEDS_RESPONSE": "needs your answer", "UNDER_REVIEW": "being decided", "WON": "won", "LOST": "lost", "ACCEPTED": "accepted",
    "PREVENTED": "prevented", "CHARGE_REFUNDED": "refunded",
}  # fmt: skip
SUMMARY_WORDS = {
    "charges": "Payments", "refunds": "Refunds", "adjustments": "Corrections, chargebacks and what else moved", "reserves": "Reserves",
    "advances": "Advances", "retried": "Paid again", "fees": "Fees",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class PayoutLine:
    """One payout as the list shows it; what its rows add up to is None where none is known."""

    payout: Payout
    status: str
    has_failed: bool

    @property
    def told(self) -> Decimal | None:
        """Return what the rows add up to."""
        return self.payout.told if self.payout.rows else None

    @property
    def difference(self) -> Decimal | None:
        """Return what was paid out less what the rows add up to."""
        return self.payout.difference if self.payout.rows else None

    @property
    def parts(self) -> list[Decimal | None]:
        """Return payments, refunds, fees and what else moved, as the rows tell them; fees are negative."""
        payout = self.payout
        return [payout.charges, payout.refunds, -payout.fees, payout.others] if payout.rows else [None] * 4


def line_of(payout: Payout) -> PayoutLine:
    """Lay out one payout."""
    return PayoutLine(payout, status_words(payout.status), has_failed(payout))


@dataclass(frozen=True, slots=True)
class Unbooked:
    """Rows that are in no figure, and what to do about them."""

    rows: ToLookAt
    words: str
    meaning: str
    advice: str


@dataclass(frozen=True, slots=True)
class DisputeLine:
    """One dispute as the page shows it."""

    dispute: Disputed
    status: str
    kind: str
    reason: str
    address: str


@dataclass(frozen=True, slots=True)
class PayoutsPage:
    """Everything the list shows."""

    lines: list[PayoutLine]
    has_more: bool
    balances: list[Balance]
    fees: PaymentFees
    fee_days: tuple[date, date]
    unbooked: list[Unbooked]
    disputes: list[DisputeLine]
    differing: int
    """Payouts of all days that their rows do not add up to."""


def payouts_page(store: Store, view: PayoutsView, *, zone: str, today: date) -> PayoutsPage:
    """Read a page of the list with what stands around it."""
    start = (view.page - 1) * PER_PAGE
    found = list(payouts_of(store, view.choice, days=view.moments(zone))[start : start + PER_PAGE + 1])
    last = view.choice.last or today
    first = view.choice.first or last - timedelta(days=FEE_DAYS - 1)
    return PayoutsPage(
        [line_of(payout) for payout in found[:PER_PAGE]], len(found) > PER_PAGE, balances(store), payment_fees(store, first, last), (first, last),
        [_unbooked(each) for each in unbooked(store)], [_dispute(store, each) for each in disputes_of(store)],
        Payout.objects.filter(store=store, rows__gt=0).exclude(difference=0).count(),
    )  # fmt: skip


def _unbooked(rows: ToLookAt) -> Unbooked:
    meaning = BalanceMeaning(rows.meaning)
    return Unbooked(rows, type_words(rows.type), meaning.label, WHAT_TO_DO.get(meaning, NO_ORDER))


def _dispute(store: Store, dispute: Disputed) -> DisputeLine:
    return DisputeLine(
        dispute, DISPUTE_WORDS.get(dispute.status, type_words(dispute.status)), type_words(dispute.kind), type_words(dispute.reason),
        order_address(store, dispute.order_number) if dispute.is_order_known else "",
    )  # fmt: skip


def type_words(text: str) -> str:
    """Write a processor's own word in small letters, without underscores."""
    return text.replace("_", " ").lower()


@dataclass(frozen=True, slots=True)
class CameInLine:
    """One row of a balance about an order, as the order's page shows it."""

    row: CameIn
    words: str
    status: str


def came_in_line(row: CameIn) -> CameInLine:
    """Lay out one row about an order."""
    return CameInLine(row, f"{BalanceMeaning(row.meaning).label}, {type_words(row.type)}", status_words(row.status))


@dataclass(frozen=True, slots=True)
class RowLine:
    """One row of a payout as the page shows it."""

    row: BalanceRow
    meaning: str
    words: str
    address: str


@dataclass(frozen=True, slots=True)
class SumLine:
    """The rows of one type, added up."""

    sum: Sum
    meaning: str
    words: str


@dataclass(frozen=True, slots=True)
class ItemLine:
    """A payment or row that a cause lists."""

    item: Item
    address: str
    payout_address: str


@dataclass(frozen=True, slots=True)
class CauseLine:
    """One cause, with what it lists."""

    cause: Cause
    items: list[ItemLine]


@dataclass(frozen=True, slots=True)
class PayoutPage:
    """Everything the page of one payout shows."""

    line: PayoutLine
    sums: list[SumLine]
    summary: list[tuple[str, Decimal, Decimal | None]]
    """What the processor itself says it is made of, beside what the rows say; None where the two cut differently."""
    walk: Walk | None
    causes: list[CauseLine]
    rows: list[RowLine]
    page: int
    has_more: bool
    reached: Decimal
    """What reached the bank."""


def payout_page(store: Store, payout: Payout, *, page: int, now: datetime) -> PayoutPage:
    """Read one payout with a page of its rows."""
    sums = sums_of(payout)
    found = rows_of(payout, start=(page - 1) * ROWS_A_PAGE, most=ROWS_A_PAGE + 1)
    walk = walk_of(store, payout, sums, now=now) if payout.rows else None
    return PayoutPage(
        line_of(payout), [SumLine(each, BalanceMeaning(each.meaning).label, type_words(each.type)) for each in sums], _summary(payout), walk,
        [CauseLine(cause, [_item(store, item) for item in cause.items]) for cause in walk.causes] if walk else [],
        [row_line(store, row) for row in found[:ROWS_A_PAGE]], page, len(found) > ROWS_A_PAGE, Decimal(0) if has_failed(payout) else payout.amount,
    )  # fmt: skip


def row_line(store: Store, row: BalanceRow) -> RowLine:
    """Lay out one row of a payout."""
    return RowLine(row, BalanceMeaning(row.meaning).label, type_words(row.type), order_address(store, row.number))


def _item(store: Store, item: Item) -> ItemLine:
    payout = reverse("payout", args=[store.slug, item.payout]) if item.payout is not None else ""
    return ItemLine(item, order_address(store, item.number), payout)


def _summary(payout: Payout) -> list[tuple[str, Decimal, Decimal | None]]:
    by_rows = {"charges": payout.charges, "refunds": payout.refunds, "fees": payout.fees} if payout.rows else {}
    told = {part: Decimal(amount) for part, amount in payout.summary.items()}
    return [(words, told[part], by_rows.get(part)) for part, words in SUMMARY_WORDS.items() if part in told and (told[part] or by_rows.get(part))]
