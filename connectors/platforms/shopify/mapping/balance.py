"""Map the rows of Shopify Payments' balance, its payouts and disputes."""

from collections.abc import Iterator

from msgspec import Struct

from connectors.platforms.shopify.balance_types import MEANINGS
from connectors.platforms.shopify.shape import Money, Time, read, tail
from connectors.spec import Context, Json
from ledger.facts import BalanceFact, DisputeFact, PayoutFact
from ledger.kinds import BalanceMeaning
from ledger.money import Tenk

PROCESSOR = "shopify_payments"
NEEDS_RESPONSE = "NEEDS_RESPONSE"


class MaybeRef(Struct):
    """A record that may be pointed at."""

    id: str | None = None


class Row(Struct, rename="camel"):
    """One row of the balance."""

    id: str
    type: str
    transaction_date: Time
    amount: Money
    fee: Money
    test: bool = False
    source_order_transaction_id: str | int | None = None
    source_id: str | int | None = None
    source_type: str | None = None
    adjustment_reason: str | None = None
    associated_order: MaybeRef | None = None
    associated_payout: MaybeRef | None = None


class Summary(Struct, rename="camel"):
    """What Shopify says a payout is made of."""

    charges_gross: Money | None = None
    charges_fee: Money | None = None
    refunds_fee_gross: Money | None = None
    """Refunds, in spite of its name."""
    refunds_fee: Money | None = None
    adjustments_gross: Money | None = None
    adjustments_fee: Money | None = None
    reserved_funds_gross: Money | None = None
    reserved_funds_fee: Money | None = None
    advance_gross: Money | None = None
    advance_fees: Money | None = None
    retried_payouts_gross: Money | None = None
    retried_payouts_fee: Money | None = None


PARTS = {
    "charges": ("charges_gross",), "refunds": ("refunds_fee_gross",), "adjustments": ("adjustments_gross",), "reserves": ("reserved_funds_gross",),
    "advances": ("advance_gross",), "retried": ("retried_payouts_gross",),
    "fees": ("charges_fee", "refunds_fee", "adjustments_fee", "reserved_funds_fee", "advance_fees", "retried_payouts_fee"),
}  # fmt: skip


class Payout(Struct, rename="camel"):
    """One payout."""

    id: str
    issued_at: Time
    status: str
    net: Money
    transaction_type: str = ""
    summary: Summary | None = None


class Named(Struct):
    """An order's number."""

    name: str


class Why(Struct):
    """Why a customer's bank asks its money back."""

    reason: str | None = None


class Dispute(Struct, rename="camel"):
    """One disputed payment."""

    id: str
    status: str
    amount: Money
    initiated_at: Time | None = None
    evidence_due_by: Time | None = None
    finalized_on: Time | None = None
    type: str = ""
    reason_details: Why | None = None
    order: Named | None = None


def balance_facts(record: Json, context: Context) -> Iterator[BalanceFact]:
    """Map a row of the balance; what was only tried out is left out. Raise BadPayload when it is not what Shopify documents."""
    row = read(record, Row)
    if row.test:
        return
    payment = row.source_order_transaction_id
    yield BalanceFact(
        PROCESSOR, tail(row.id), row.transaction_date, row.type, MEANINGS.get(row.type, BalanceMeaning.UNKNOWN), row.amount.units, row.fee.units,
        row.amount.currency_code or context.currency, _number(row.associated_order), "" if payment is None else str(payment),
        _number(row.associated_payout), row.adjustment_reason or "",
        str(row.source_id) if row.source_type == "DISPUTE" and row.source_id is not None else "",
    )  # fmt: skip


def payout_facts(record: Json, context: Context) -> Iterator[PayoutFact]:
    """Map a payout."""
    payout = read(record, Payout)
    net = -abs(payout.net.units) if payout.transaction_type == "WITHDRAWAL" else payout.net.units
    yield PayoutFact(
        PROCESSOR, tail(payout.id), payout.issued_at, payout.status, net, payout.net.currency_code or context.currency, _parts(payout.summary)
    )  # fmt: skip


def _parts(summary: Summary | None) -> tuple[tuple[str, Tenk], ...]:
    if summary is None:
        return ()
    found = {part: [getattr(summary, name) for name in names] for part, names in PARTS.items()}
    return tuple((part, sum(each.units for each in told if each is not None)) for part, told in found.items() if any(told))


def dispute_facts(record: Json, context: Context) -> Iterator[DisputeFact]:
    """Map a dispute; a state that is new wants no answer as far as is known."""
    dispute = read(record, Dispute)
    yield DisputeFact(
        PROCESSOR, tail(dispute.id), dispute.status == NEEDS_RESPONSE, dispute.amount.units, dispute.amount.currency_code or context.currency,
        dispute.order.name[:80] if dispute.order is not None else "", dispute.evidence_due_by, dispute.status, dispute.type,
        (dispute.reason_details.reason if dispute.reason_details is not None else None) or "", dispute.initiated_at, dispute.finalized_on,
    )  # fmt: skip


def _number(ref: MaybeRef | None) -> str:
    return "" if ref is None or ref.id is None else tail(ref.id)
