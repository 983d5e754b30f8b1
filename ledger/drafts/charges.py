"""Decide on which account a file's charge of an order is booked, or why it is not. Pure: rows in, an account out."""

from ledger import accounts
from ledger.drafts.told_fees import balance_tells, fee_is_stated, is_told_again
from ledger.kinds import BOOKED, ChargeKind, ChargeStatus
from ledger.orders.rows import ChargeRow, OrderRow

FIRST_FEE_PART = 1 << 20
"""Entries of told fees have their parts from here on; below are those of the order's payments, on the same account."""

ACCOUNTS = {
    ChargeKind.LABEL: accounts.FULFILMENT_SHIPPING,
    ChargeKind.FULFILMENT: accounts.FULFILMENT_OTHER,
    ChargeKind.PAYMENT_FEE: accounts.FEES_PAYMENT,
    ChargeKind.DISPUTE_FEE: accounts.FEES_DISPUTE,
    ChargeKind.CHARGEBACK: accounts.SALES_CHARGEBACKS,
}


def label_is_stated(order: OrderRow) -> bool:
    """Tell whether the order's platform states itself what shipping the order cost."""
    return any(cost.account == accounts.FULFILMENT_SHIPPING for cost in order.costs)


def label_is_told(order: OrderRow) -> bool:
    """Tell whether a file tells what a label of the order cost; a credit alone does not, it corrects a label that is not known."""
    return any(charge.kind == ChargeKind.LABEL and charge.status in BOOKED and charge.amount >= 0 for charge in order.charges)


def label_is_told_by_file(order: OrderRow) -> bool:
    """Tell whether a person's file tells of a label of the order: then what a processor's balance took for labels is told twice."""
    return any(charge.kind == ChargeKind.LABEL and charge.status in BOOKED and not charge.processor for charge in order.charges)


def account_of(charge: ChargeRow, order: OrderRow) -> int | None:
    """Return the account a charge of an order is booked on; None where it is not booked.

    What is pending or denied is not. Nor is a gifted product: what it cost is the order's COGS already. Nor is the
    label of an order whose platform states the label itself, or the fee of a payment whose platform states it: it is told twice.
    What a processor's balance took for a label is not where a person's file tells of the order's labels; a fee that such a file tells is
    not where the balance tells it.
    So is what another file tells under another name of the order.
    """
    if charge.status not in BOOKED or charge.kind == ChargeKind.GIFT or is_told_again(charge, order) or balance_tells(charge, order):
        return None
    if charge.kind == ChargeKind.COMMISSION:
        return accounts.MARKETING_INFLUENCER if charge.influencer else accounts.MARKETING_AFFILIATE
    if charge.kind == ChargeKind.LABEL and charge.processor and label_is_told_by_file(order):
        return None
    if (charge.kind == ChargeKind.LABEL and label_is_stated(order)) or (charge.kind == ChargeKind.PAYMENT_FEE and fee_is_stated(charge, order)):
        return None
    return ACCOUNTS[ChargeKind(charge.kind)]


def part_of(charge: ChargeRow) -> int:
    """Return the part of the entry that books a charge."""
    return FIRST_FEE_PART + charge.id if charge.kind == ChargeKind.PAYMENT_FEE else charge.id


def standing(charge: ChargeRow, order: OrderRow) -> str:
    """Say in words whether a charge of an order is booked, and why it is not."""
    if account_of(charge, order) is not None:
        return "booked"
    if charge.status == ChargeStatus.PENDING:
        return "not booked: not decided yet"
    if charge.status == ChargeStatus.DENIED:
        return "not booked: denied"
    if charge.kind == ChargeKind.GIFT:
        return "not booked: the product's cost is the order's COGS already"
    if is_told_again(charge, order):
        return "not booked: told again under another name of the order"
    if balance_tells(charge, order):
        return "not booked: the processor's balance tells it itself"
    if charge.kind == ChargeKind.PAYMENT_FEE:
        return "not booked: the platform states the payment's fee itself"
    if charge.processor and label_is_told_by_file(order):
        return "not booked: a file tells of the order's labels"
    return "not booked: the platform states the label's cost itself"
