"""Name the closed vocabularies that rows keep as small numbers; a number, once used, keeps its meaning."""

from django.db.models import IntegerChoices


class SaleKind(IntegerChoices):
    """Say what happened: the first sale, a later edit, goods or money back, a correction."""

    ORDER = 1, "order"
    EDIT = 2, "edit"
    RETURN = 3, "return"
    REFUND = 4, "refund"
    ADJUSTMENT = 5, "adjustment"


SOLD = frozenset({SaleKind.ORDER, SaleKind.EDIT})
"""Kinds that say what an order is made of; an edit may take some of it out."""
GIVEN_BACK = frozenset({SaleKind.RETURN, SaleKind.REFUND})


class SaleType(IntegerChoices):
    """Say what was sold or given back."""

    PRODUCT = 1, "product"
    SHIPPING = 2, "shipping"
    TIP = 3, "tip"
    DUTY = 4, "duty"
    FEE = 5, "fee"
    GIFT_CARD = 6, "gift card"
    DISCOUNT = 7, "discount"
    ADJUSTMENT = 8, "adjustment"
    UNKNOWN = 9, "unknown"


class PaymentKind(IntegerChoices):
    """Say which way a payment moved."""

    SALE = 1, "sale"
    CAPTURE = 2, "capture"
    AUTHORIZATION = 3, "authorization"
    VOID = 4, "void"
    REFUND = 5, "refund"


class PaymentStatus(IntegerChoices):
    """Say how a payment ended."""

    SUCCESS = 1, "success"
    PENDING = 2, "pending"
    FAILURE = 3, "failure"
    ERROR = 4, "error"


class FinancialStatus(IntegerChoices):
    """Say how far an order is paid, in the platforms' common words."""

    UNKNOWN = 0, "unknown"
    PENDING = 1, "pending"
    AUTHORIZED = 2, "authorized"
    PARTIALLY_PAID = 3, "partially paid"
    PAID = 4, "paid"
    PARTIALLY_REFUNDED = 5, "partially refunded"
    REFUNDED = 6, "refunded"
    VOIDED = 7, "voided"
    EXPIRED = 8, "expired"


COUNTS_AS_REVENUE: dict[FinancialStatus, bool] = {
    # Money was promised but not one successful charge exists: shown apart, never as revenue.
    FinancialStatus.UNKNOWN: False,
    FinancialStatus.PENDING: False,
    FinancialStatus.AUTHORIZED: False,
    FinancialStatus.EXPIRED: False,
    FinancialStatus.VOIDED: False,
    # Charged at least once; what was given back since is told by refund events.
    FinancialStatus.PARTIALLY_PAID: True,
    FinancialStatus.PAID: True,
    FinancialStatus.PARTIALLY_REFUNDED: True,
    FinancialStatus.REFUNDED: True,
}
"""Which orders count as revenue (metrics: a table, one row per status)."""

AWAITS_PAYMENT = frozenset({FinancialStatus.UNKNOWN, FinancialStatus.PENDING, FinancialStatus.AUTHORIZED})
"""Statuses whose value may still be paid and is therefore shown apart."""


class SalesBasis(IntegerChoices):
    """Say where an order's sale events come from."""

    STATED = 1, "stated by the platform"
    DERIVED = 2, "derived from lines and refunds"


class SourceKind(IntegerChoices):
    """Say what an entry comes from."""

    ORDER = 1, "order"
    CUSTOMER = 2, "customer"
    MANUAL_COST = 3, "manual cost"
    AD_DAY = 4, "ad spend"


class CauseKind(IntegerChoices):
    """Say why a batch was written."""

    SYNC = 1, "sync"
    WEBHOOK = 2, "webhook"
    IMPORT = 3, "import"
    RULE = 4, "rule"
    MANUAL = 5, "manual"
    CORRECTION = 6, "correction"
    UNDO = 7, "undo"


class CostSource(IntegerChoices):
    """Say why an order line costs what it costs, most certain first."""

    NONE = 0, "no cost applies"
    OVERRIDE = 8, "set by hand for this order"
    STATED = 1, "stated with the order"
    VARIANT_MANUAL = 2, "product cost entered by hand"
    BUNDLE = 9, "cost of the bundle's parts"
    BUNDLE_ESTIMATED = 10, "cost of the bundle's parts, some of it estimated"
    VARIANT_PLATFORM = 3, "product cost stated by the platform"
    VARIANT_FIRST = 7, "first known product cost, from before it was known"
    PRODUCT_PERCENTAGE = 4, "product COGS percentage"
    STORE_PERCENTAGE = 5, "store COGS percentage"
    DEFAULT_PERCENTAGE = 6, "default COGS percentage"


class CostOrigin(IntegerChoices):
    """Say who told what a variant costs."""

    MANUAL = 1, "entered by hand"
    PLATFORM = 2, "stated by the platform"


class ChargeKind(IntegerChoices):
    """Say what a file's charge of an order is for."""

    LABEL = 1, "shipping label"
    FULFILMENT = 2, "packing and fulfilment"
    COMMISSION = 3, "commission"
    GIFT = 4, "gifted product"
    PAYMENT_FEE = 5, "payment fee"
    DISPUTE_FEE = 6, "dispute fee"
    CHARGEBACK = 7, "chargeback"


class BalanceMeaning(IntegerChoices):
    """Say what a row of a payment processor's balance is about."""

    CHARGE = 1, "payment"
    REFUND = 2, "refund"
    DISPUTE = 3, "chargeback, or one that was won"
    DISPUTE_FEE = 4, "fee of a dispute"
    FEE = 5, "fee by itself"
    LABEL = 6, "shipping label"
    ADVERTISING = 7, "advertising"
    COST = 8, "other cost"
    ADJUSTMENT = 9, "correction"
    FINANCING = 10, "loan or advance"
    TAX = 11, "tax that is passed on"
    TRANSFER = 12, "money on its way, such as a reserve"
    UNKNOWN = 13, "not known"
    PAYOUT = 14, "payout"
    RETURNED = 15, "payout that did not reach the bank, or was taken back"


class AdLevel(IntegerChoices):
    """Say of what in an advertising account a day's spend is told, the coarsest first."""

    ACCOUNT = 1, "account"
    CAMPAIGN = 2, "campaign"
    AD_GROUP = 3, "ad group"
    AD = 4, "ad"


class AdTeller(IntegerChoices):
    """Say who told of a day's ad spend, the surest first: of what two tell, the surer's is booked."""

    PLATFORM = 1, "the platform itself"
    EXPORT = 2, "the platform's own file"
    PERSON = 3, "a person's file"


class ChargeStatus(IntegerChoices):
    """Say how far a charge is decided; what is approved or paid is booked."""

    PENDING = 1, "pending"
    APPROVED = 2, "approved"
    PAID = 3, "paid"
    DENIED = 4, "denied"


BOOKED = frozenset({ChargeStatus.APPROVED, ChargeStatus.PAID})
"""Statuses of charges that are booked; what is pending may still be denied."""


class RateSource(IntegerChoices):
    """Say where an exchange rate comes from."""

    ECB = 1, "European Central Bank"
    MANUAL = 2, "entered by hand"


class Basis(IntegerChoices):
    """Say which day a total counts on: when it happened (and was booked), or when its order was placed."""

    EVENT = 1, "event"
    ORDER = 2, "order"


class Hold(IntegerChoices):
    """Say why an order is mirrored but not posted."""

    NONE = 0, "not held"
    RATE_MISSING = 1, "exchange rate missing"


class Journey(IntegerChoices):
    """Say how much a platform has told of how an order's customer came. What tells more is never replaced by what tells less."""

    NOT_TOLD = 0, "not told"
    NOT_READY = 1, "not ready yet"
    ENDS = 2, "first and last visit"
    WHOLE = 3, "visit by visit"


class TouchKind(IntegerChoices):
    """Say which of a customer's contacts before an order a touch is."""

    FIRST_VISIT = 1, "first visit"
    MOMENT = 2, "visit between"
    LAST_VISIT = 3, "last visit"
    ONLY_VISIT = 4, "only visit"
    CODE = 5, "discount code used"


class Evidence(IntegerChoices):
    """Say what tells where a touch came from; a visit without any is direct."""

    NONE = 0, "nothing: came directly"
    UTM = 1, "the link's own words (UTM)"
    CLICK_ID = 2, "the ad's click id"
    REFERRER = 3, "the page with the link"
    PLATFORM = 4, "the shop platform's word"
    DISCOUNT_CODE = 5, "the discount code"
