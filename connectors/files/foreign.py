"""Know files that people mix up with those that are read here, and say which one to take instead."""

from collections.abc import Sequence

from msgspec import Struct

from connectors.platforms.files.headers import plain_header


class Foreign(Struct, frozen=True):
    """A kind of file that is not read here: what it is, headers that only it has, and what to do."""

    name: str
    headers: tuple[str, ...]
    advice: str


FOREIGN = (
    Foreign(
        "Shopify's export of customers", ("customer id", "accepts email marketing", "total spent"),
        "Profit needs orders: in Shopify under Orders, choose Export, “Plain CSV file”.",
    ),
    Foreign(
        "Shopify's export of inventory", ("hs code", "coo", "location"),
        "It holds no costs. The costs are in the export of products: in Shopify under Products, choose Export.",
    ),
    Foreign(
        "Shopify Payments' list of payouts", ("payout date", "charges", "refunds", "adjustments"),
        "It holds sums only. Take the transactions: in Shopify under Finances, Payouts, “View transactions”, Export.",
    ),
    Foreign(
        "Shopify's export of discounts", ("value type", "usage limit per code"),
        "The discounts that were given are in the export of orders: in Shopify under Orders, choose Export.",
    ),
    Foreign(
        "Amazon's settlement report", ("settlement id", "transaction type", "amount type"),
        "Amazon is not read yet. Its sums can be entered by hand under Costs.",
    ),
    Foreign(
        "Etsy's list of sold orders", ("sale date", "buyer user id", "order value", "order net"),
        "It has one row for each order. Take “Order items” in Etsy's settings under Options, Download data: its rows are read as order lines.",
    ),
    Foreign(
        "a bank statement", ("iban", "booking date"),
        "Bank statements are not read. Fees and advertising come from the platforms' own files.",
    ),
)  # fmt: skip


def foreign_of(header: Sequence[str]) -> str:
    """Say what a header belongs to where that is a file which is not read here; an empty text where it is not known."""
    plain = {plain_header(text) for text in header}
    for foreign in FOREIGN:
        if plain.issuperset(foreign.headers):
            return f"This looks like {foreign.name}, which is not read here. {foreign.advice}"
    return ""
