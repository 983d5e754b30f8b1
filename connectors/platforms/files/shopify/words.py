"""Know the words of Shopify's exports: how far an order is paid, how it was paid, and where it was sold."""

import re

from ledger.kinds import FinancialStatus, PaymentKind, PaymentStatus

STATUSES: dict[str, FinancialStatus] = {
    "pending": FinancialStatus.PENDING,
    "authorized": FinancialStatus.AUTHORIZED,
    "partially_paid": FinancialStatus.PARTIALLY_PAID,
    "paid": FinancialStatus.PAID,
    "partially_refunded": FinancialStatus.PARTIALLY_REFUNDED,
    "refunded": FinancialStatus.REFUNDED,
    "voided": FinancialStatus.VOIDED,
    "expired": FinancialStatus.EXPIRED,
}
CHARGED = frozenset({FinancialStatus.PARTIALLY_PAID, FinancialStatus.PAID, FinancialStatus.PARTIALLY_REFUNDED, FinancialStatus.REFUNDED})
"""Statuses of orders that were charged at least once."""

KINDS: dict[str, PaymentKind] = {
    "sale": PaymentKind.SALE,
    "capture": PaymentKind.CAPTURE,
    "authorization": PaymentKind.AUTHORIZATION,
    "void": PaymentKind.VOID,
    "refund": PaymentKind.REFUND,
}
CHANGE = "change"
"""Cash handed back at the till: the sale beside it is what stayed, so it is no refund."""

OUTCOMES: dict[str, PaymentStatus] = {
    "success": PaymentStatus.SUCCESS,
    "pending": PaymentStatus.PENDING,
    "failure": PaymentStatus.FAILURE,
    "error": PaymentStatus.ERROR,
}

GIFT_CARD = "gift_card"
_GATEWAYS = {
    "shopify payments": "shopify_payments",
    "gift card": GIFT_CARD,
    "paypal express checkout": "paypal",
    "store credit": "store_credit",
}
"""How an orders export calls a gateway that a transactions export, and Shopify itself, call otherwise."""
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
_GIFT_CARD_NAME = re.compile(
    r"gift[\s-]?(?:card|certificate|voucher)|geschenk(?:karte|gutschein)|carte[\s-]cadeau|tarjeta\s(?:de\s)?regalo|buono\sregalo|cadeaubon|cadeaukaart"
    r"|presentkort|gavekort|lahjakortti|cart[aã]o[\s-]presente|vale[\s-]presente|karta\spodarunkowa",
    re.IGNORECASE,
)


def gateway(name: str) -> str:
    """Return the name of a gateway that both exports share, at most 60 characters."""
    plain = name.strip().lower()
    return _GATEWAYS.get(plain, plain)[:60]


def tenders(text: str) -> list[str]:
    """Return the gateways that an order's “Payment Method” joins with a plus sign."""
    return [gateway(part) for part in re.split(r"\s\+\s", text.strip()) if part.strip()]


def is_test_gateway(name: str) -> bool:
    """Tell whether a gateway is Shopify's for trying out, through which no money moves."""
    return "bogus" in name


def channel(source: str) -> str:
    """Return the key of the sales channel of an order's “Source”; a number that is not one of Shopify's own names an app."""
    plain = source.strip().lower()
    if plain in _CHANNELS:
        return _CHANNELS[plain]
    if not plain:
        return "online"
    return f"app_{plain}"[:60] if plain.isdigit() else re.sub(r"\s+", "_", plain)[:60]


def is_gift_card(title: str, *, ships: bool, taxable: bool) -> bool:
    """Tell whether a line sells a gift card, as far as an export tells: by its name, and since it is neither shipped nor taxed."""
    return not ships and not taxable and _GIFT_CARD_NAME.search(title) is not None
