"""Map the rows of Shopify Payments' balance, its payouts and disputes."""

from collections.abc import Iterator

from msgspec import Struct

from connectors.platforms.shopify.balance_types import MEANINGS
from connectors.platforms.shopify.shape import Money, Time, read, tail
from connectors.spec import Context, Json
from ledger.facts import BalanceFact, DisputeFact, PayoutFact
from ledger.kinds import BalanceMeaning

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
    adjustment_reason: str | None = None
    associated_order: MaybeRef | None = None
    associated_payout: MaybeRef | None = None


class Payout(Struct, rename="camel"):
    """One payout."""

    id: str
    issued_at: Time
    status: str
    net: Money


class Named(Struct):
    """An order's number."""

    name: str


class Dispute(Struct, rename="camel"):
    """One disputed payment."""

    id: str
    status: str
    amount: Money
    evidence_due_by: Time | None = None
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
    )  # fmt: skip


def payout_facts(record: Json, context: Context) -> Iterator[PayoutFact]:
    """Map a payout."""
    payout = read(record, Payout)
    yield PayoutFact(
        PROCESSOR, tail(payout.id), payout.issued_at, payout.status, payout.net.units, payout.net.currency_code or context.currency
    )  # fmt: skip


def dispute_facts(record: Json, context: Context) -> Iterator[DisputeFact]:
    """Map a dispute; a state that is new wants no answer as far as is known."""
    dispute = read(record, Dispute)
    yield DisputeFact(
        PROCESSOR, tail(dispute.id), dispute.status == NEEDS_RESPONSE, dispute.amount.units, dispute.amount.currency_code or context.currency,
        dispute.order.name[:80] if dispute.order is not None else "", dispute.evidence_due_by,
    )  # fmt: skip


def _number(ref: MaybeRef | None) -> str:
    return "" if ref is None or ref.id is None else tail(ref.id)
