"""Say why an order costs what it costs, by the rules that hold now: shipping, fees, and rules about orders."""

from collections.abc import Sequence

from msgspec import Struct

from ledger import accounts
from ledger.costs.fees import Fee, FeeRules, payment_fee
from ledger.drafts.charges import part_of
from ledger.drafts.order_costs import Share
from ledger.drafts.told_fees import match_fees
from ledger.models import Store
from ledger.money import Tenk, decimal
from ledger.orders.drafting import Terms, load_terms, order_costs_of, shipping_reasons
from ledger.orders.order_parts import RuleCost
from ledger.orders.rows import OrderRow, PaymentRow


class Reasons(Struct, frozen=True):
    """Why an order's shipping and each of its payments cost what they cost, and what rules about orders cost it."""

    shipping: str
    fees: dict[int, Fee]
    """By the payment's part; they tell the reason, not the amount that is booked."""
    fee_parts: dict[int, int]
    """Which payment the entries of a fee that a file tells are of, by their part."""
    rule_costs: list[RuleCost]


def reasons(store: Store, rows: Sequence[OrderRow]) -> dict[int, Reasons]:
    """Say, per order, why it costs what it costs."""
    return reasons_by(load_terms(store, rows), rows)


def reasons_by(terms: Terms, rows: Sequence[OrderRow]) -> dict[int, Reasons]:
    """Say the same by terms that were loaded for these orders."""
    shipping, shares = shipping_reasons(rows, terms), order_costs_of(rows, terms)
    return {row.id: Reasons(shipping[row.id], _fees(row, terms.book.fees), _fee_parts(row), _rule_costs(shares[row.id])) for row in rows}


def _fees(row: OrderRow, rules: FeeRules) -> dict[int, Fee]:
    covered = match_fees(row).covered
    return {payment.part: _fee(payment, row.currency, rules, covered.get(payment.part, 0)) for payment in row.payments}


def _fee(payment: PaymentRow, currency: str, rules: FeeRules, told: Tenk) -> Fee:
    """Decide a fee for its reason only: that depends on what the payment is, not on rates."""
    terms = rules.on(payment.gateway, currency, payment.day)
    return payment_fee(payment, charged=payment.amount - told, stated=payment.fee, terms=terms, told=told)


def _fee_parts(row: OrderRow) -> dict[int, int]:
    payments = match_fees(row).payments
    return {part_of(charge): payments[charge.id] for charge in row.charges if charge.id in payments}


def _rule_costs(shares: Sequence[Share]) -> list[RuleCost]:
    """Add the days of each rule up: what it cost less what refunds gave back."""
    sums: dict[tuple[str, str], Tenk] = {}
    for share in shares:
        key = share.terms.name, accounts.name_of(share.terms.account)
        sums[key] = sums.get(key, 0) + share.amount
    return [RuleCost(rule, account, decimal(amount)) for (rule, account), amount in sums.items()]
