"""Keep the chart of accounts: one table from account to statement line and order column.

Account names are paths. A statement line takes every account under its prefixes, so a new
`operating:<label>` or `marketing:<platform>` needs no new code. Entries carry the account's number.
"""

from dataclasses import dataclass
from functools import cache

SALES_GROSS = 1
SALES_DISCOUNTS = 2
SALES_RETURNS = 3
SALES_SHIPPING = 4
SALES_OTHER = 5
SALES_CHARGEBACKS = 6
COGS_PRODUCT = 10
FULFILMENT_SHIPPING = 20
FULFILMENT_OTHER = 21
FEES_PAYMENT = 30
FEES_MARKETPLACE = 31
FEES_DISPUTE = 32
MARKETING_META = 40
MARKETING_GOOGLE = 41
MARKETING_KLAVIYO = 42
MARKETING_POSTSCRIPT = 43
MARKETING_INFLUENCER = 44
MARKETING_AFFILIATE = 45
MARKETING_OTHER = 46
MEMO_TAX = 60
MEMO_DUTY = 61
MEMO_GIFT_CARD_SOLD = 62
MEMO_GIFT_CARD_REDEEMED = 63
MEMO_TRANSFER = 64
MEMO_FINANCING = 65
MEMO_CLAIMED_REVENUE = 66
MEMO_UNPAID = 67
STAT_ORDERS = 80
STAT_UNITS = 81
STAT_RETURNED_UNITS = 82
STAT_NEW_CUSTOMERS = 83

NAMES: dict[int, str] = {
    SALES_GROSS: "sales:gross",
    SALES_DISCOUNTS: "sales:discounts",
    SALES_RETURNS: "sales:returns",
    SALES_SHIPPING: "sales:shipping",
    SALES_OTHER: "sales:other",
    SALES_CHARGEBACKS: "sales:returns:chargebacks",
    COGS_PRODUCT: "cogs:product",
    FULFILMENT_SHIPPING: "fulfilment:shipping",
    FULFILMENT_OTHER: "fulfilment:other",
    FEES_PAYMENT: "fees:payment",
    FEES_MARKETPLACE: "fees:marketplace",
    FEES_DISPUTE: "fees:dispute",
    MARKETING_META: "marketing:meta_ads",
    MARKETING_GOOGLE: "marketing:google_ads",
    MARKETING_KLAVIYO: "marketing:klaviyo",
    MARKETING_POSTSCRIPT: "marketing:postscript",
    MARKETING_INFLUENCER: "marketing:influencer",
    MARKETING_AFFILIATE: "marketing:affiliate",
    MARKETING_OTHER: "marketing:other",
    MEMO_TAX: "memo:tax",
    MEMO_DUTY: "memo:duty",
    MEMO_GIFT_CARD_SOLD: "memo:gift_card:sold",
    MEMO_GIFT_CARD_REDEEMED: "memo:gift_card:redeemed",
    MEMO_TRANSFER: "memo:transfer",
    MEMO_FINANCING: "memo:financing",
    MEMO_CLAIMED_REVENUE: "memo:claimed_revenue",
    MEMO_UNPAID: "memo:unpaid",
    STAT_ORDERS: "stat:orders",
    STAT_UNITS: "stat:units",
    STAT_RETURNED_UNITS: "stat:returned_units",
    STAT_NEW_CUSTOMERS: "stat:new_customers",
}
"""The fixed accounts. Those made from a person's label (`operating:rent`) are in the Account table, numbered from 1000."""

AD_SPEND = frozenset({
    "marketing:meta_ads", "marketing:google_ads", "marketing:meta-ads", "marketing:google-ads", "marketing:microsoft-ads", "marketing:tiktok-ads",
    "marketing:pinterest-ads", "marketing:snapchat-ads", "marketing:linkedin-ads", "marketing:reddit-ads", "marketing:x-ads", "marketing:amazon-ads",
    "marketing:other-ads",
})  # fmt: skip
"""Accounts that hold advertising bought from a platform, whether it told us or a person entered it: what a percentage of ad spend is of."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the statement: the accounts under its prefixes, and the sign it usually has."""

    key: str
    label: str
    prefixes: tuple[str, ...]
    sign: int


STATEMENT: tuple[Line, ...] = (
    Line("gross_sales", "Gross sales", ("sales:gross",), +1),
    Line("discounts", "Discounts", ("sales:discounts",), -1),
    Line("returns", "Returns", ("sales:returns",), -1),
    Line("shipping_charged", "Shipping charged", ("sales:shipping",), +1),
    Line("other_income", "Other income", ("sales:other",), +1),
    Line("cogs", "COGS", ("cogs",), -1),
    Line("fulfilment", "Shipping, packaging, fulfilment", ("fulfilment",), -1),
    Line("fees", "Payment, marketplace and dispute fees", ("fees",), -1),
    Line("marketing", "Marketing", ("marketing",), -1),
    Line("operating", "Operating costs", ("operating",), -1),
)
"""Every profit account belongs to exactly one of these lines; net profit is their sum."""

MEMO: tuple[Line, ...] = (
    Line("tax", "Tax and duty collected", ("memo:tax", "memo:duty"), +1),
    Line("gift_cards", "Gift cards sold less redeemed", ("memo:gift_card",), +1),
    Line("unpaid", "Orders not paid yet", ("memo:unpaid",), +1),
)
STATISTICS: tuple[Line, ...] = (
    Line("orders", "Orders", ("stat:orders",), +1),
    Line("units", "Units sold", ("stat:units",), +1),
    Line("returned_units", "Units returned", ("stat:returned_units",), +1),
    Line("new_customers", "New customers", ("stat:new_customers",), +1),
)

ORDER_COLUMNS: dict[str, tuple[tuple[str, int], ...]] = {
    # prefix → (column of the order row, sign that turns an entry into the column's value)
    "sales": (("revenue", +1),),
    "memo:tax": (("revenue", +1), ("tax", +1)),
    "memo:duty": (("revenue", +1), ("tax", +1)),
    "cogs": (("cogs", -1),),
    "fulfilment": (("shipping", -1),),
    "fees:payment": (("payment_fees", -1),),
    "fees": (("other_fees", -1),),
    "marketing": (("marketing_costs", -1),),
}
"""Tax collected is inside an order's revenue and inside its fees, so profit is the same either way."""

PRODUCT_COLUMNS: dict[int, str] = {
    SALES_GROSS: "gross_sales",
    SALES_DISCOUNTS: "discounts",
    SALES_RETURNS: "returns",
    COGS_PRODUCT: "cogs",
    STAT_UNITS: "units",
    STAT_RETURNED_UNITS: "returned_units",
}
"""Accounts whose entries carry a product variant, and their column in the product totals."""


def under(name: str, prefix: str) -> bool:
    """Tell whether an account name is the prefix or lies beneath it."""
    return name == prefix or name.startswith(prefix + ":")


def name_of(number: int) -> str:
    """Return the account's name; labelled accounts are looked up in their table."""
    known = NAMES.get(number)
    return known if known is not None else _labelled_name(number)


@cache
def _labelled_name(number: int) -> str:
    from ledger.models import Account  # the table of labels; the chart itself needs no database

    return str(Account.objects.values_list("name", flat=True).get(number=number))


def forget_labels() -> None:
    """Forget what labelled accounts are called, where a number may now be another's: it was only tried, or a test's database begins anew."""
    for known in (_labelled_name, line_of, report_key, order_columns):
        known.cache_clear()


@cache
def line_of(number: int) -> str | None:
    """Return the key of the statement line an account belongs to, or None outside profit."""
    name = name_of(number)
    for line in STATEMENT:
        if any(under(name, prefix) for prefix in line.prefixes):
            return line.key
    return None


@cache
def report_key(number: int) -> tuple[str, str] | None:
    """Return (section, key) of an account: ('profit', 'cogs'), ('memo', 'tax'), ('stat', 'orders')."""
    name = name_of(number)
    for section, lines in (("profit", STATEMENT), ("memo", MEMO), ("stat", STATISTICS)):
        for line in lines:
            if any(under(name, prefix) for prefix in line.prefixes):
                return section, line.key
    return None


@cache
def order_columns(number: int) -> tuple[tuple[str, int], ...]:
    """Return the order columns an account feeds, each with its sign."""
    name = name_of(number)
    for prefix, columns in ORDER_COLUMNS.items():
        if under(name, prefix):
            return columns
    return ()


def in_profit(number: int) -> bool:
    """Tell whether entries of the account are part of net profit; every labelled account is, being a cost."""
    return number not in NAMES or line_of(number) is not None
