"""Describe Shopify: the streams that are read, how, and how often."""

from dataclasses import replace
from datetime import timedelta

from connectors.paging import GraphQLPages
from connectors.platforms.shopify import again, bulk, comparing, consent, queries, whose
from connectors.platforms.shopify.asking import PaymentsPages, ask, changed_within, identity, payments_records, records, time_of
from connectors.platforms.shopify.mapping import balance, catalogue, journey
from connectors.platforms.shopify.mapping.customers import customer_facts
from connectors.platforms.shopify.mapping.orders import PLATFORM, order_facts
from connectors.platforms.shopify.pace import PointsPace
from connectors.platforms.shopify.probe import SCOPES, counted, probe
from connectors.platforms.shopify.refusals import classify
from connectors.platforms.shopify.webhooks import WEBHOOKS
from connectors.platforms.shopify.whole import whole_order
from connectors.spec import Connector, Cursor, Stream, Window

ORDERS_A_PAGE = 50
"""Larger pages cost few points more but take Shopify long; the engine asks for fewer where it must."""
CATALOGUE_A_PAGE = 100
BALANCE_A_PAGE = 250
CUSTOMERS_A_PAGE = 250
UNTIL_PAID_OUT = timedelta(days=14)
"""A row of the balance tells its payout only when it is in one, and a payout's state changes until the bank has it."""
UNTIL_DECIDED = timedelta(days=120)
"""A bank may take so long over a dispute."""
CHANGED = Cursor(changed_at=time_of, overlap=timedelta(minutes=10), settle=timedelta(seconds=30))
"""Shopify's search is some seconds late, and several records share one time."""

ORDERS = Stream(
    name="orders", label="Orders",
    request=lambda window: ask(queries.ORDERS, size=ORDERS_A_PAGE, query=changed_within(window)),
    pages=GraphQLPages("orders"), items=records("orders"), identity=identity, map=order_facts, complete=whole_order,
    whose=whose.ORDERS, tidy=journey.tidy, every=timedelta(minutes=5), cursor=CHANGED, scopes=("read_orders",),
    count=lambda window: ask(queries.COUNT_ORDERS, query=changed_within(window)), counted=counted, bulk=bulk.ORDERS, again=again.ORDERS,
    comparison=comparing.ORDERS,
)  # fmt: skip

REFUNDED = "(financial_status:refunded OR financial_status:partially_refunded)"
REFUNDS = Stream(
    name="refunds", label="What refunds gave back",
    # The newest first: bulk files do not tell it, and what was sold lately is looked at most.
    request=lambda window: ask(queries.NEWEST_ORDERS, size=ORDERS_A_PAGE, query=f"{REFUNDED} AND {changed_within(window)}"),
    pages=GraphQLPages("orders"), items=records("orders"), identity=identity, map=order_facts, complete=whole_order,
    whose=whose.ORDERS, tidy=journey.tidy, every=timedelta(hours=1), cursor=CHANGED, scopes=("read_orders",),
    meanwhile="Until these are read, goods that came back count as not restocked, estimated, where only bulk files told of them.",
    count=lambda window: ask(queries.COUNT_ORDERS, query=f"{REFUNDED} AND {changed_within(window)}"), counted=counted,
)  # fmt: skip

UNTIL_READY = timedelta(days=2)
"""Shopify needs minutes to a day to know how a customer came, and does not count the order as changed when it does."""
FIRST_JOURNEYS = timedelta(days=30)
"""How far back every visit is asked for at first; of older orders bulk files tell the first visit and the last."""
CREATED = replace(CHANGED, changed_at=lambda record: time_of(record, "createdAt"))


def _created_within(window: Window) -> str:
    since = window.until - FIRST_JOURNEYS if window.since is None else window.since
    return changed_within(Window(since=since, until=window.until), field="created_at")


JOURNEYS = Stream(
    name="journeys", label="How customers came",
    request=lambda window: ask(queries.JOURNEYS, size=CATALOGUE_A_PAGE, query=_created_within(window)),
    pages=GraphQLPages("orders"), items=records("orders"), identity=identity, map=journey.journey_facts,
    whose=whose.ORDERS, tidy=journey.tidy, every=timedelta(hours=1), cursor=replace(CREATED, overlap=UNTIL_READY), scopes=("read_orders",),
    after="orders",
)  # fmt: skip

CUSTOMERS = Stream(
    name="customers", label="Customers: how many orders each has",
    request=lambda window: ask(queries.CUSTOMERS, size=CUSTOMERS_A_PAGE, query=changed_within(window)),
    pages=GraphQLPages("customers"), items=records("customers"), identity=identity, map=customer_facts, whose=whose.CUSTOMERS,
    every=timedelta(hours=1), cursor=CHANGED, scopes=("read_customers",), after="orders",
)  # fmt: skip

VARIANTS = Stream(
    name="variants", label="Products and prices",
    request=lambda window: ask(queries.VARIANTS, size=CATALOGUE_A_PAGE, query=changed_within(window)),
    pages=GraphQLPages("productVariants"), items=records("productVariants"), identity=identity, map=catalogue.variant_facts,
    again=again.VARIANTS,
    every=timedelta(hours=6), cursor=CHANGED, scopes=("read_products",),
)  # fmt: skip

INVENTORY = Stream(
    name="inventory", label="Costs and stock",
    # All of it each time: what is sold or delivered changes an item's stock and not its time of change.
    request=lambda window: ask(queries.INVENTORY, size=CATALOGUE_A_PAGE),
    pages=GraphQLPages("inventoryItems"), items=records("inventoryItems"), identity=identity, map=catalogue.stock_facts,
    again=again.INVENTORY,
    every=timedelta(hours=6), scopes=("read_inventory",),
)  # fmt: skip

LOCATIONS = Stream(
    name="locations", label="Shops and warehouses",
    # All of them each time: they are few.
    request=lambda window: ask(queries.LOCATIONS, size=CATALOGUE_A_PAGE),
    pages=GraphQLPages("locations"), items=records("locations"), identity=identity, map=catalogue.location_facts,
    every=timedelta(days=1), scopes=("read_locations",),
)  # fmt: skip

DELETED = "action:destroy AND (subject_type:Product OR subject_type:ProductVariant)"
DELETIONS = Stream(
    name="deletions", label="Deleted products",
    request=lambda window: ask(queries.DELETIONS, size=CATALOGUE_A_PAGE, query=f"{DELETED} AND {changed_within(window, field='created_at')}"),
    pages=GraphQLPages("events"), items=records("events"), identity=identity, map=catalogue.gone_facts,
    every=timedelta(hours=6), cursor=CREATED, scopes=("read_products",),
)  # fmt: skip

BALANCE = Stream(
    name="balance", label="Shopify Payments: fees and chargebacks",
    request=lambda window: ask(queries.BALANCE, size=BALANCE_A_PAGE, query=changed_within(window, field="processed_at")),
    pages=PaymentsPages("shopifyPaymentsAccount", "balanceTransactions"), items=payments_records("balanceTransactions"), identity=identity,
    map=balance.balance_facts, every=timedelta(hours=1), cursor=replace(CHANGED, changed_at=lambda record: time_of(record, "transactionDate")),
    restates=UNTIL_PAID_OUT, scopes=("read_shopify_payments_accounts",),
)  # fmt: skip

PAYOUTS = Stream(
    name="payouts", label="Shopify Payments: payouts",
    request=lambda window: ask(queries.PAYOUTS, size=BALANCE_A_PAGE, query=changed_within(window, field="issued_at")),
    pages=PaymentsPages("shopifyPaymentsAccount", "payouts"), items=payments_records("payouts"), identity=identity,
    map=balance.payout_facts, every=timedelta(hours=6), cursor=replace(CHANGED, changed_at=lambda record: time_of(record, "issuedAt")),
    restates=UNTIL_PAID_OUT, scopes=("read_shopify_payments_accounts",),
)  # fmt: skip

DISPUTES = Stream(
    name="disputes", label="Shopify Payments: disputes",
    request=lambda window: ask(queries.DISPUTES, size=BALANCE_A_PAGE, query=changed_within(window, field="initiated_at")),
    pages=PaymentsPages("shopifyPaymentsAccount", "disputes"), items=payments_records("disputes"), identity=identity, map=balance.dispute_facts,
    every=timedelta(hours=1), cursor=replace(CHANGED, changed_at=lambda record: time_of(record, "initiatedAt")), restates=UNTIL_DECIDED,
    scopes=("read_shopify_payments_disputes",),
)  # fmt: skip

SHOPIFY = Connector(
    platform=PLATFORM, label="Shopify", account_label="Shop domain", account_ref=consent.account_ref, base_url=lambda account: f"https://{account}",
    hosts=("*.myshopify.com", "storage.googleapis.com"), scopes=SCOPES, consent=consent.ShopifyConsent(),
    keys=(consent.CREDENTIALS, consent.PASTED), headers=consent.headers, pace=PointsPace(), classify=classify, probe=probe,
    streams=(ORDERS, REFUNDS, JOURNEYS, CUSTOMERS, VARIANTS, INVENTORY, LOCATIONS, DELETIONS, BALANCE, PAYOUTS, DISPUTES), webhooks=WEBHOOKS,
)  # fmt: skip
