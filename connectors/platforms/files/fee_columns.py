"""Say which columns the fee files of Shopify Payments, Stripe and PayPal have, and what their words for kinds of rows mean."""

from enum import Enum, auto
from typing import NamedTuple

from connectors.platforms.files.cost_sheet import Kind
from connectors.platforms.files.headers import Field


class Meaning(Enum):
    """Say what a row of a fee file is about."""

    CHARGE = auto()
    """Money taken from a customer: its fee is the fee of that payment."""
    REFUND = auto()
    """Money given back: a fee is what is given back of one, or is kept for it."""
    DISPUTE = auto()
    """A chargeback: the money that is withdrawn, or comes back when it is won, and what the processor takes for it."""
    DISPUTE_FEE = auto()
    """The fee of a dispute in a row of its own."""
    ADVERTISING = auto()
    """Advertising that is taken off the payout."""
    FEE = auto()
    """A fee in a row of its own: its amount is the fee, of the order it names."""
    COST = auto()
    """A cost that is taken off the payout and that other files may tell as well: a label, duty, another seller's goods."""
    ADJUSTMENT = auto()
    """A correction: what its amount is for is not told."""
    FINANCING = auto()
    """A loan or an advance, lent or paid back: no cost, but for what is charged for it."""
    TAX = auto()
    """Tax that a marketplace keeps and pays itself: no cost of the store's."""
    TRANSFER = auto()
    """Money that moves to or from the bank or a reserve: no cost."""


WHY_NOT = {
    Meaning.COST: "a cost that another file may tell as well; bring in that file, or enter it under Costs",
    Meaning.ADJUSTMENT: "a correction, and the file does not say of what",
    Meaning.FINANCING: "a loan or an advance, lent or paid back, no cost",
    Meaning.TAX: "tax that the marketplace pays itself, no cost of the store's",
    Meaning.TRANSFER: "money on its way to or from the bank or a reserve, no cost",
}
"""Why amounts that may be no cost are not booked."""
LOOKED_THROUGH = frozenset({Meaning.FEE, Meaning.COST, Meaning.ADJUSTMENT})
"""What may cost something, so that a person should see each row of it that is not booked."""

AMOUNTS = ("amount", "fee", "net", "vat")

SHOPIFY_PAYMENTS = Kind(
    "shopify-payments", "Shopify Payments transactions",
    (
        Field("day", "the date", ("transaction date",), required=True),
        Field("type", "the type", ("type",), required=True),
        Field("order", "the order", ("order",), required=True),
        Field("amount", "the amount", ("amount",), required=True),
        Field("fee", "the fee", ("fee",), required=True),
        Field("net", "the net amount", ("net",), required=True),
        Field("currency", "the currency", ("currency",)),
        Field("vat", "the VAT on the fee", ("vat",)),
    ),
    AMOUNTS, "day",
)  # fmt: skip
STRIPE_FEES = Kind(
    "stripe-fees", "Stripe balance transactions",
    (
        Field("reference", "the transaction", ("balance transaction id", "id"), required=True),
        Field("type", "the type", ("reporting category", "type"), required=True),
        Field("amount", "the amount", ("gross", "amount"), required=True),
        Field("fee", "the fee", ("fee",), required=True),
        Field("net", "the net amount", ("net",), required=True),
        Field("currency", "the currency", ("currency",), required=True),
        Field("day", "the date", ("created utc", "created"), required=True),
        Field("order", "the order", (
            "order number metadata", "order name metadata", "order id metadata", "order metadata", "payment metadata order number",
            "payment metadata order name", "payment metadata order id", "payment metadata order", "order number", "order id",
        )),
        Field("text", "the description", ("description",)),
    ),
    AMOUNTS[:3], "day",
)  # fmt: skip
PAYPAL_FEES = Kind(
    "paypal-fees", "PayPal activity",
    (
        Field("day", "the date", ("date",), required=True),
        Field("time", "the time", ("time",)),
        Field("zone", "the time zone", ("timezone", "time zone")),
        Field("type", "the type", ("type",), required=True),
        Field("status", "the status", ("status",), required=True),
        Field("currency", "the currency", ("currency",), required=True),
        Field("amount", "the gross amount", ("gross",), required=True),
        Field("fee", "the fee", ("fee",), required=True),
        Field("net", "the net amount", ("net",)),
        Field("reference", "the transaction", ("transaction id",), required=True),
        Field("order", "the invoice number", ("invoice number", "invoice id")),
        Field("text", "the custom number", ("custom number",)),
        Field("impact", "the effect on the balance", ("balance impact",)),
    ),
    AMOUNTS[:3], "day",
)  # fmt: skip


def _of(*pairs: tuple[Meaning, str]) -> dict[str, Meaning]:
    return {word.strip(): meaning for meaning, words in pairs for word in words.split(",")}


SHOPIFY_TYPES = _of(
    (Meaning.CHARGE, "charge, sale, capture, shop cash credit"),
    (Meaning.REFUND, "refund, refund failure, shop cash refund debit, shop cash credit reversal, shop cash refund debit reversal"),
    (Meaning.DISPUTE, "chargeback, chargeback won, chargeback reversal, chargeback hold, chargeback hold release, "
                      "dispute, dispute withdrawal, dispute reversal"),
    (Meaning.DISPUTE_FEE, "chargeback fee, chargeback fee refund, dispute fee"),
    (Meaning.ADVERTISING, "shop cash campaign billing debit, shop cash campaign billing credit, shop cash campaign billing debit reversal, "
                          "shop cash campaign billing credit reversal"),
    (Meaning.FEE, "referral fee, referral fee tax, ach bank failure debit fee, ach bank failure debit reversal fee, application fee refund, "
                  "marketplace fee credit, marketplace fee credit reversal, stripe fee"),
    (Meaning.COST, "shipping label, shipping label adjustment, shipping label adjustment base, shipping label adjustment surcharge, "
                   "shipping other carrier charge adjustment, shipping return to origin adjustment, customs duty, customs duty adjustment, "
                   "import tax, import tax adjustment, import tax refund, shopify collective debit, shopify collective debit reversal, "
                   "shopify source debit, shopify source debit reversal, billing debit, billing debit reversal"),
    (Meaning.ADJUSTMENT, "adjustment, charge adjustment, refund adjustment"),
    (Meaning.FINANCING, "advance, advance repayment, advance funding, lending debit, lending debit reversal, lending credit, "
                        "lending credit reversal, lending credit refund, lending credit refund reversal, lending credit remittance, "
                        "lending credit remittance reversal, lending capital refund, lending capital refund reversal, "
                        "lending capital remittance, lending capital remittance reversal"),
    (Meaning.TAX, "marketplace sales tax, tax adjustment debit, tax adjustment credit, tax adjustment debit reversal, "
                  "tax adjustment credit reversal, vat refund credit, vat refund credit reversal"),
    (Meaning.TRANSFER, "payout, payout failure, payout cancellation, transfer, transfer failure, transfer cancel, transfer refund, reserve, "
                       "reserved funds, reserved funds reversal, reserved funds withdrawal, balance transfer inbound, balance transfer outbound"),
)  # fmt: skip
STRIPE_TYPES = _of(
    (Meaning.CHARGE, "charge, payment"),
    (Meaning.REFUND, "refund, payment refund, partial capture reversal, charge failure, payment failure refund, refund failure"),
    (Meaning.DISPUTE, "dispute, dispute reversal"),
    (Meaning.FEE, "stripe fee, stripe fx fee, fee, network cost, application fee, application fee refund, tax fee"),
    (Meaning.ADJUSTMENT, "adjustment, other adjustment"),
    (Meaning.FINANCING, "advance, advance funding, financing payout, financing payout reversal, financing paydown, financing paydown reversal"),
    (Meaning.TRANSFER, "payout, payout reversal, payout cancel, payout failure, transfer, transfer reversal, topup, topup reversal, "
                       "reserve transaction, reserved funds, risk reserved funds"),
)  # fmt: skip
PAYPAL_TRANSFERS = ("withdrawal", "currency conversion", "hold", "deposit", "transfer", "authorization", "authorisation", "reserve", "loan", "order")
"""Words in PayPal's types for what moves no money of the store's for good."""


class Dialect(NamedTuple):
    """One processor's file: its columns, its name on a payment, and whether rows have ids of their own."""

    kind: Kind
    processor: str
    label: str
    has_ids: bool


DIALECTS = {
    dialect.kind.name: dialect
    for dialect in (
        Dialect(SHOPIFY_PAYMENTS, "shopify_payments", "Shopify Payments", has_ids=False),
        Dialect(STRIPE_FEES, "stripe", "Stripe", has_ids=True),
        Dialect(PAYPAL_FEES, "paypal", "PayPal", has_ids=True),
    )
}


def plain_type(text: str) -> str:
    """Return a word for a kind of row without capitals and signs."""
    return " ".join(text.lower().replace("_", " ").replace("-", " ").split())


def meaning_of(kind: Kind, text: str, amount: int, fee: int) -> Meaning | None:
    """Return what a row of some type is about, None where that is not known; `amount` is as the file signs it.

    Stripe's list of all activity calls a dispute an adjustment, its report “Balance change from activity” calls it by its name. Nothing
    else that the list calls so has a fee.
    """
    word = plain_type(text)
    if kind is STRIPE_FEES and word == "adjustment" and fee:
        return Meaning.DISPUTE
    if kind is not PAYPAL_FEES:
        return (SHOPIFY_TYPES if kind is SHOPIFY_PAYMENTS else STRIPE_TYPES).get(word)
    if any(each in word for each in ("chargeback fee", "dispute fee")):
        return Meaning.DISPUTE_FEE
    if any(each in word for each in PAYPAL_TRANSFERS):
        return Meaning.TRANSFER
    if any(each in word for each in ("chargeback", "payment reversal", "dispute")):
        return Meaning.DISPUTE
    if "refund" in word:
        return Meaning.REFUND
    return Meaning.CHARGE if amount > 0 and any(each in word for each in ("payment", "checkout", "sale")) else None
