"""Decide on which account a file's charge of an order is booked, or why it is not. Pure: rows in, an account out."""

from ledger import accounts
from ledger.kinds import BOOKED, ChargeKind, ChargeStatus
from ledger.rows import ChargeRow, OrderRow


def label_is_stated(order: OrderRow) -> bool:
    """Tell whether the order's platform states itself what shipping the order cost."""
    return any(cost.account == accounts.FULFILMENT_SHIPPING for cost in order.costs)


def label_is_told(order: OrderRow) -> bool:
    """Tell whether a file tells what a label of the order cost; a credit alone does not, it corrects a label that is not known."""
    return any(charge.kind == ChargeKind.LABEL and charge.status in BOOKED and charge.amount >= 0 for charge in order.charges)


def account_of(charge: ChargeRow, order: OrderRow) -> int | None:
    """Return the account a charge of an order is booked on; None where it is not booked.

    What is pending or denied is not. Nor is a gifted product: what it cost is the order's COGS already. Nor is the
    label of an order whose platform states the label itself: it is the same label, told twice.
    """
    if charge.status not in BOOKED or charge.kind == ChargeKind.GIFT:
        return None
    if charge.kind == ChargeKind.LABEL:
        return None if label_is_stated(order) else accounts.FULFILMENT_SHIPPING
    if charge.kind == ChargeKind.FULFILMENT:
        return accounts.FULFILMENT_OTHER
    return accounts.MARKETING_INFLUENCER if charge.influencer else accounts.MARKETING_AFFILIATE


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
    return "not booked: the platform states the label's cost itself"
