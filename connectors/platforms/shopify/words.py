"""Know Shopify's words, and what they are here. A word that is not known is kept as it is and never an error."""

import re

from ledger.kinds import FinancialStatus, PaymentKind, PaymentStatus, SaleKind, SaleType

STATUSES: dict[str, FinancialStatus] = {
    "PENDING": FinancialStatus.PENDING,
    "AUTHORIZED": FinancialStatus.AUTHORIZED,
    "PARTIALLY_PAID": FinancialStatus.PARTIALLY_PAID,
    "PAID": FinancialStatus.PAID,
    "PARTIALLY_REFUNDED": FinancialStatus.PARTIALLY_REFUNDED,
    "REFUNDED": FinancialStatus.REFUNDED,
    "VOIDED": FinancialStatus.VOIDED,
    "EXPIRED": FinancialStatus.EXPIRED,
}
SHIPPED = frozenset({"FULFILLED", "PARTIALLY_FULFILLED"})

KINDS: dict[str, PaymentKind] = {
    "SALE": PaymentKind.SALE,
    "CAPTURE": PaymentKind.CAPTURE,
    "AUTHORIZATION": PaymentKind.AUTHORIZATION,
    "EMV_AUTHORIZATION": PaymentKind.AUTHORIZATION,
    "VOID": PaymentKind.VOID,
    "REFUND": PaymentKind.REFUND,
}
"""Kinds of transactions. CHANGE is left out: cash handed back at the till, where the sale beside it is what stayed."""
OUTCOMES: dict[str, PaymentStatus] = {
    "SUCCESS": PaymentStatus.SUCCESS,
    "PENDING": PaymentStatus.PENDING,
    "AWAITING_RESPONSE": PaymentStatus.PENDING,
    "FAILURE": PaymentStatus.FAILURE,
}
FAILED = PaymentStatus.ERROR
"""How a transaction ended that ended in any other way: no money moved as far as is known."""

LINE_TYPES: dict[str, SaleType] = {
    "PRODUCT": SaleType.PRODUCT,
    "SHIPPING": SaleType.SHIPPING,
    "TIP": SaleType.TIP,
    "DUTY": SaleType.DUTY,
    "FEE": SaleType.FEE,
    "ADDITIONAL_FEE": SaleType.FEE,
    "ADJUSTMENT": SaleType.ADJUSTMENT,
    "GIFT_CARD": SaleType.GIFT_CARD,
}
ORDERED, EDITED = "OrderAgreement", "OrderEditAgreement"
AGREEMENTS: dict[str, SaleKind] = {
    # agreement → what its RETURN and UPDATE sales are; what is ordered later than at first is an edit in each of them
    ORDERED: SaleKind.EDIT,
    EDITED: SaleKind.EDIT,
    "ReturnAgreement": SaleKind.RETURN,
    "RefundAgreement": SaleKind.RETURN,
}
ACTIONS = frozenset({"ORDER", "RETURN", "UPDATE"})

_CHANNELS = {
    # The numbers are those of Shopify's own apps.
    "web": "online",
    "580111": "online",
    "pos": "pos",
    "129785": "pos",
    "iphone": "pos",
    "android": "pos",
    "shopify_draft_order": "draft_order",
    "1354745": "draft_order",
}


def channel(source: str, app: str) -> str:
    """Return the key of the sales channel of an order's source; a number that is not one of Shopify's own names an app.

    Where there is no source, the app that made the order tells.
    """
    plain = source.strip().lower() or app
    if plain in _CHANNELS:
        return _CHANNELS[plain]
    if not plain:
        return "online"
    return f"app_{plain}"[:60] if plain.isdigit() else re.sub(r"\s+", "_", plain)[:60]


def gateway(name: str | None) -> str:
    """Return a gateway's name in small letters, at most 60 characters."""
    return (name or "").strip().lower()[:60]
