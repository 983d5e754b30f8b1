"""Describe Shopify: the streams that are read, how, and how often."""

from datetime import timedelta

from connectors.paging import GraphQLPages
from connectors.platforms.shopify import consent, queries
from connectors.platforms.shopify.asking import ask, changed_within, identity, records, time_of
from connectors.platforms.shopify.mapping.orders import PLATFORM, order_facts
from connectors.platforms.shopify.pace import PointsPace
from connectors.platforms.shopify.probe import SCOPES, counted, probe
from connectors.platforms.shopify.refusals import classify
from connectors.platforms.shopify.whole import whole_order
from connectors.spec import Connector, Cursor, Stream

ORDERS_A_PAGE = 50
"""Larger pages cost few points more but take Shopify long; the engine asks for fewer where it must."""
CHANGED = Cursor(changed_at=time_of, overlap=timedelta(minutes=10), settle=timedelta(seconds=30))
"""Shopify's search is some seconds late, and several records share one time."""

ORDERS = Stream(
    name="orders", label="Orders",
    request=lambda window: ask(queries.ORDERS, size=ORDERS_A_PAGE, query=changed_within(window)),
    pages=GraphQLPages("orders"), items=records("orders"), identity=identity, map=order_facts, complete=whole_order,
    every=timedelta(minutes=5), cursor=CHANGED, scopes=("read_orders",),
    count=lambda window: ask(queries.COUNT_ORDERS, query=changed_within(window)), counted=counted,
)  # fmt: skip

SHOPIFY = Connector(
    platform=PLATFORM, label="Shopify", account_label="Shop domain", account_ref=consent.account_ref, base_url=lambda account: f"https://{account}",
    hosts=("*.myshopify.com", "storage.googleapis.com", "*.storage.googleapis.com"), scopes=SCOPES, consent=consent.ShopifyConsent(),
    keys=(consent.CREDENTIALS, consent.PASTED), headers=consent.headers, pace=PointsPace(), classify=classify, probe=probe, streams=(ORDERS,),
)  # fmt: skip
