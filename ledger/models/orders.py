"""Mirror what the platforms say an order is: the order, its lines, its dated sale events, payments and costs.

The rows under an order are keyed by (store, order, external id) and carry `part`, a small number that names
them in the entries for as long as the platform tells of them. They have no foreign keys in the database:
they are written by the hundred thousand, and the audit checks what the keys would.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Case, F, Q, Value, When

from ledger.kinds import CostSource, FinancialStatus, Hold, Journey, PaymentKind, PaymentStatus, SaleKind, SalesBasis, SaleType
from ledger.models.catalog import Variant
from ledger.models.stores import Store


def money_column(**options: object) -> "models.DecimalField[object, object]":
    """Make a money column, numeric(19,4)."""
    return models.DecimalField(max_digits=19, decimal_places=4, **options)  # type: ignore[arg-type]


class Customer(models.Model):
    """One buyer, known by a keyed hash only; no name, e-mail, phone or address is stored."""

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="customers")
    identity_hash = models.BinaryField(max_length=16)
    country = models.CharField(max_length=2, blank=True)
    order_count = models.PositiveIntegerField(default=0)
    first_order_at = models.DateTimeField(null=True)
    first_order = models.BigIntegerField(null=True, help_text="Id of the first order that counts.")
    older_orders = models.PositiveIntegerField(default=0, db_default=0, help_text="Orders that their platform counts and we cannot see.")
    told_orders = models.PositiveIntegerField(null=True, help_text="How many orders their platform counts; empty: it has not said.")
    told_at = models.DateTimeField(null=True, help_text="When it counted them.")
    told_by = models.CharField(max_length=20, blank=True, default="", db_default="")
    same_as = models.BigIntegerField(null=True, help_text="Id of the customer that this e-mail of files stands for.")
    erased_at = models.DateTimeField(null=True, help_text="Since when its hash is of nobody, by request: its orders stay together, and nobody's.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "identity_hash"], name="one_customer_per_store_and_hash")]
        indexes = [models.Index(fields=["same_as"], name="customer_other_names", condition=Q(same_as__isnull=False))]

    def __str__(self) -> str:
        return f"customer {self.pk}"


_FEES = F("tax") + F("payment_fees") + F("other_fees")
_PROFIT = F("revenue") - (F("cogs") + F("shipping") + F("tax") + F("payment_fees") + F("other_fees") + F("marketing_costs"))


class Order(models.Model):
    """One order as its platform last told it, with what we concluded about its money (costs positive)."""

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="orders", db_index=False)
    platform = models.CharField(max_length=20)
    external_id = models.CharField(max_length=120)
    number = models.CharField(max_length=80)
    placed_at = models.DateTimeField()
    day = models.DateField(help_text="The day it was processed, in the store's time zone.")
    currency = models.CharField(max_length=3)
    channel = models.PositiveSmallIntegerField()
    customer = models.ForeignKey(Customer, null=True, on_delete=models.SET_NULL, db_constraint=False, db_index=False)
    country = models.CharField(max_length=2, blank=True)
    region = models.CharField(max_length=60, blank=True)
    financial_status = models.PositiveSmallIntegerField(choices=FinancialStatus.choices)
    is_test = models.BooleanField(default=False)
    counts = models.BooleanField(help_text="Counted as an order: paid, not a test, not worth zero.")
    cancelled_at = models.DateTimeField(null=True)
    shipped = models.BooleanField(default=False, help_text="Anything left the warehouse, as far as the platform tells.")
    withdrawn_at = models.DateTimeField(null=True, help_text="The import that brought it was undone.")
    discount_codes = ArrayField(models.CharField(max_length=80), default=list, db_default=[], help_text="In capitals.")
    shipping_method = models.CharField(max_length=120, blank=True, default="", db_default="")
    grams = models.IntegerField(null=True, help_text="What it weighs; empty where that is not known.")
    journey = models.PositiveSmallIntegerField(
        choices=Journey.choices, default=Journey.NOT_TOLD, db_default=Journey.NOT_TOLD, help_text="How much is told of how its customer came."
    )
    location = models.CharField(max_length=60, blank=True, default="", db_default="", help_text="Its platform's id of the shop it was sold in.")
    hold = models.PositiveSmallIntegerField(choices=Hold.choices, default=Hold.NONE)
    hold_currency = models.CharField(max_length=3, blank=True, default="", db_default="", help_text="The currency whose rate it waits for.")

    stated_total = money_column(null=True, help_text="Charged at first, tax and shipping included, as the platform states it.")
    stated_refunded = money_column(null=True, help_text="Given back so far, as the platform states it.")

    revenue = money_column(default=0)
    cogs = money_column(default=0)
    shipping = money_column(default=0)
    tax = money_column(default=0)
    payment_fees = money_column(default=0)
    other_fees = money_column(default=0)
    marketing_costs = money_column(default=0)
    estimated_share = models.DecimalField(max_digits=5, decimal_places=4, null=True)
    fees = models.GeneratedField(expression=_FEES, output_field=money_column(), db_persist=True)
    profit = models.GeneratedField(expression=_PROFIT, output_field=money_column(), db_persist=True)
    margin = models.GeneratedField(
        expression=Case(When(revenue=0, then=Value(None)), default=_PROFIT / F("revenue") * 100),
        output_field=models.DecimalField(max_digits=25, decimal_places=4, null=True),
        db_persist=True,
    )

    sales_basis = models.PositiveSmallIntegerField(choices=SalesBasis.choices)
    platform_updated_at = models.DateTimeField(null=True)
    facts_digest = models.BinaryField(max_length=16, null=True)
    draft_version = models.PositiveSmallIntegerField()
    cause_ref = models.CharField(max_length=80, help_text="What last changed it, e.g. import:17.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "platform", "external_id"], name="one_order_per_store_platform_and_id")]
        indexes = [
            models.Index(fields=["store", "day", "id"], name="order_by_day_and_id"),
            models.Index(fields=["store", "number"], name="order_by_number"),
            models.Index(fields=["store", "customer", "placed_at"], name="order_by_customer", condition=Q(customer__isnull=False)),
            models.Index(fields=["store", "hold"], name="order_held", condition=Q(hold__gt=0)),
            models.Index(fields=["store", "cause_ref"], name="order_by_cause"),
        ]

    def __str__(self) -> str:
        return self.number


class OrderChild(models.Model):
    """What every row under an order has."""

    store_id = models.IntegerField()
    order_id = models.BigIntegerField()
    external_id = models.CharField(max_length=120)
    part = models.IntegerField()

    class Meta:
        abstract = True


class OrderLine(OrderChild):
    """One line of an order with the cost of one unit and where that cost comes from."""

    pk = models.CompositePrimaryKey("store_id", "order_id", "external_id")
    variant = models.ForeignKey(Variant, null=True, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False)
    quantity = models.IntegerField()
    unit_price = money_column(help_text="List price of one unit before discounts, tax removed.")
    stated_cost = money_column(null=True, help_text="Of one unit as the platform states it with the order, in the order's currency.")
    unit_cost = money_column(null=True, help_text="In the cost's currency, the order's where that is empty; empty while it waits for a rate.")
    cost_currency = models.CharField(max_length=3, blank=True, db_default="", default="")
    cost_source = models.PositiveSmallIntegerField(choices=CostSource.choices)
    cost_percentage = models.DecimalField(max_digits=7, decimal_places=4, null=True)
    sku = models.CharField(max_length=120, blank=True)
    title = models.CharField(max_length=255, blank=True)


class Sale(OrderChild):
    """One dated, signed event: what was sold, changed or given back, in the order's currency."""

    pk = models.CompositePrimaryKey("store_id", "order_id", "external_id")
    line_part = models.IntegerField(null=True)
    happened_at = models.DateTimeField()
    day = models.DateField()
    kind = models.PositiveSmallIntegerField(choices=SaleKind.choices)
    type = models.PositiveSmallIntegerField(choices=SaleType.choices)
    quantity = models.IntegerField()
    net = money_column(help_text="After discounts, before tax.")
    discount = money_column(help_text="Signed like the sale: net + discount is the list value.")
    tax = money_column()
    restocked = models.BooleanField()
    estimated = models.BooleanField(default=False, db_default=False, help_text="Its day, line or parts are worked out by a rule.")

    class Meta:
        indexes = [models.Index(fields=["store_id", "order_id"], name="sale_estimated", condition=Q(estimated=True))]


class Payment(OrderChild):
    """One movement of money for an order, in the order's currency; the fee may be in the payout's."""

    pk = models.CompositePrimaryKey("store_id", "order_id", "external_id")
    kind = models.PositiveSmallIntegerField(choices=PaymentKind.choices)
    status = models.PositiveSmallIntegerField(choices=PaymentStatus.choices)
    gateway = models.CharField(max_length=60, blank=True)
    amount = money_column()
    fee = money_column(null=True, help_text="What the processor states it kept, positive; empty: not stated.")
    fee_currency = models.CharField(max_length=3, blank=True)
    processed_at = models.DateTimeField()
    day = models.DateField()

    class Meta:
        # Whose payouts are told: what came on some days is set beside them. Other stores' payments are not in it.
        indexes = [models.Index(fields=["store_id", "day"], name="shopify_payment_by_day", condition=Q(gateway="shopify_payments"))]


class OrderCost(OrderChild):
    """One actual cost that belongs to an order: a marketplace fee, a bank charge, a shipping label."""

    pk = models.CompositePrimaryKey("store_id", "order_id", "external_id")
    account = models.SmallIntegerField()
    amount = money_column(help_text="Signed as in the ledger: a cost is negative.")
    happened_at = models.DateTimeField()
    day = models.DateField()


class OrderReference(models.Model):
    """What a payment processor calls an order: the id that the shop's platform gave a payment of it."""

    pk = models.CompositePrimaryKey("store_id", "reference", "order_id")
    store_id = models.IntegerField()
    reference = models.CharField(max_length=120)
    order_id = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["store_id", "order_id"], name="reference_of_order")]


class OrderIdentity(models.Model):
    """Who an order is of as a file tells it, where its platform calls them otherwise."""

    pk = models.CompositePrimaryKey("store_id", "order_id", "customer_id")
    store_id = models.IntegerField()
    order_id = models.BigIntegerField()
    customer_id = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["store_id", "customer_id"], name="identity_of_customer")]


class Location(models.Model):
    """A place of the store as its platform calls it: a shop with a till, or a warehouse."""

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="locations", db_index=False)
    platform = models.CharField(max_length=20)
    external_id = models.CharField(max_length=60)
    name = models.CharField(max_length=255)
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "platform", "external_id"], name="one_location_per_store_platform_and_id")]

    def __str__(self) -> str:
        return self.name
