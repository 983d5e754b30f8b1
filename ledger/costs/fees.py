"""Decide the payment fee of one charge, and why. The door for fee rules per gateway."""

from typing import NamedTuple

from msgspec import Struct

from ledger.costs.costing import PERCENT
from ledger.days import day_span
from ledger.kinds import PaymentKind, PaymentStatus
from ledger.models import CostDefaults, FeeRule, Store
from ledger.money import Tenk, divide_half_even, tenk
from ledger.orders.rows import PaymentRow

EXEMPT_GATEWAYS = frozenset(
    {"cash", "manual", "gift_card", "cash on delivery", "cash on delivery (cod)", "bank deposit", "money order", "store_credit"}
)
"""Gateways that take no percentage: money that never passes a processor."""

TOLD = "told by the processor's file"

CHARGES = frozenset({PaymentKind.SALE, PaymentKind.CAPTURE})


class Fee(Struct, frozen=True):
    """What a processor keeps of one charge (positive is a cost, book's currency), why, and whether a rule guessed."""

    amount: Tenk
    reason: str
    estimated: bool


class FeeTerms(Struct, frozen=True):
    """The fee that applies where the processor states none; percentages in ten-thousandths of a per cent."""

    percentage: Tenk
    fixed: Tenk
    currency: str = ""
    """Of the fixed part; empty where it is the book's."""
    reason: str = "default fee: percentage of the charge plus a fixed part"

    @classmethod
    def load(cls, defaults: CostDefaults) -> "FeeTerms":
        """Read the default fee of this installation."""
        return cls(percentage=tenk(defaults.payment_fee_percentage), fixed=tenk(defaults.payment_fee_fixed))


class DatedFee(NamedTuple):
    """A store's rule and the days it holds on, both included."""

    gateway: str
    currency: str
    first: int
    last: int
    terms: FeeTerms


class FeeRules(Struct, frozen=True):
    """The fees of one store: its rules, and the default where none fits."""

    default: FeeTerms
    dated: tuple[DatedFee, ...] = ()

    @classmethod
    def load(cls, store: Store, defaults: CostDefaults) -> "FeeRules":
        """Read a store's rules, the most particular first: gateway and currency, gateway, currency, neither."""
        rows = FeeRule.objects.filter(store=store, removed_by=None)
        dated = [
            DatedFee(
                row.gateway, row.currency, *day_span(row.effective_from, row.effective_to),
                FeeTerms(tenk(row.percentage + row.surcharge), tenk(row.fixed), row.currency, f"fee rule: {row}"),
            )
            for row in rows
        ]  # fmt: skip
        return cls(FeeTerms.load(defaults), tuple(sorted(dated, key=lambda rule: (not rule.gateway, not rule.currency))))

    def on(self, gateway: str, currency: str, day: int) -> FeeTerms:
        """Return the terms for a charge through a gateway, in a currency, on a day."""
        named = gateway.strip().lower()
        for rule in self.dated:
            if rule.gateway in ("", named) and rule.currency in ("", currency) and rule.first <= day <= rule.last:
                return rule.terms
        return self.default


def is_charge(payment: PaymentRow) -> bool:
    """Tell whether a payment took money from the customer."""
    return payment.kind in CHARGES and payment.status == PaymentStatus.SUCCESS


def payment_fee(payment: PaymentRow, *, charged: Tenk, stated: Tenk | None, terms: FeeTerms, step: Tenk = 1, told: Tenk = 0) -> Fee:
    """Decide the fee of one payment from its charged amount, stated fee and fixed part, all in the book's currency.

    A stated fee always wins, on refunds too (a negative one is a credit). Otherwise each successful charge
    above zero costs the percentage of what was charged plus the fixed part, rounded once to `step`, the
    currency's minor unit; cash, manual payments and gift cards cost nothing. `told` is how much of the payment
    (in its own currency) a processor's file tells the fee of: then `charged` is the rest.
    """
    if stated is not None:
        return Fee(stated, "stated by the processor", False)
    if told and charged <= 0:
        return Fee(0, TOLD, False)
    if not is_charge(payment) or charged <= 0:
        return Fee(0, "no charge", False)
    if payment.gateway.lower() in EXEMPT_GATEWAYS:
        return Fee(0, f"no fee on {payment.gateway}", False)
    amount = divide_half_even(charged * terms.percentage + terms.fixed * PERCENT, PERCENT * step) * step
    return Fee(amount, f"{terms.reason}; the fee of the rest is {TOLD}" if told else terms.reason, True)
