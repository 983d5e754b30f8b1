"""Keep the GraphQL documents that are sent to Shopify's Admin API, version 2026-10. Nothing in them asks for a name, e-mail or phone number.

All amounts are asked for in the shop's currency only: what a customer saw in another one never enters a sum.
"""

from math import floor, log
from typing import NamedTuple

VERSION = "2026-10"
"""The pinned version of the API, served until October 2027."""

LINES, SHIPPING_LINES, TRANSACTIONS, REFUNDS, REFUND_LINES, AGREEMENTS, SALES = 20, 3, 10, 5, 10, 5, 20
"""How many of each an order's page shows; what has more is read whole by itself."""

_VISIT = "id occurredAt landingPage referrerUrl source utmParameters { source medium campaign term content }"
_ENDS = f"ready firstVisit {{ {_VISIT} }} lastVisit {{ {_VISIT} }}"
"""Of the visits before an order: in a page of orders no more than the first and the last, as bulk files tell them, too."""
_HEAD = f"""
  id name processedAt updatedAt cancelledAt test edited taxesIncluded currencyCode presentmentCurrencyCode
  sourceName app {{ id }} displayFinancialStatus displayFulfillmentStatus discountCodes totalWeight
  totalPriceSet {{ ...M }} currentTotalPriceSet {{ ...M }} totalRefundedSet {{ ...M }} refundDiscrepancySet {{ ...M }} totalTipReceivedSet {{ ...M }}
  originalTotalDutiesSet {{ ...M }} originalTotalAdditionalFeesSet {{ ...M }}
  taxLines {{ channelLiable }}
  shippingAddress {{ countryCodeV2 provinceCode }}
  customer {{ id }} retailLocation {{ id }}
  customerJourneySummary {{ {_ENDS} }}
"""
_LINE = """
  id title sku quantity currentQuantity isGiftCard variant { id } product { id } originalUnitPriceSet { ...M }
"""
_PARTS = """
  discountAllocations { allocatedAmountSet { ...M } } taxLines { channelLiable priceSet { ...M } }
"""
_SHIPPING = """
  id title isRemoved originalPriceSet { ...M } discountedPriceSet { ...M } taxLines { channelLiable priceSet { ...M } }
"""
_TRANSACTION = """
  id kind status test gateway processedAt createdAt paymentId amountSet { ...M } amountRoundingSet { ...M } fees { amount { amount currencyCode } }
"""
_REFUND = """
  id createdAt processedAt totalRefundedSet { ...M }
"""
_BACK = """
  quantity restocked lineItem { id } subtotalSet { ...M } totalTaxSet { ...M }
"""
_AGREEMENT = """
  __typename id happenedAt
  ... on RefundAgreement { refund { id } }
"""
_SALE = """
  __typename id actionType lineType quantity
  totalAmount { ...M } totalTaxAmount { ...M } totalDiscountAmountBeforeTaxes { ...M }
  ... on ProductSale { lineItem { id } }
  ... on GiftCardSale { lineItem { id } }
  ... on TipSale { lineItem { id } }
"""
_PAGE = f"""
    {_HEAD}
    lineItems(first: {LINES}) {{ pageInfo {{ hasNextPage }} nodes {{ {_LINE} }} }}
    shippingLines(first: {SHIPPING_LINES}) {{ nodes {{ title }} }}
    transactions(first: {TRANSACTIONS}) {{ {_TRANSACTION} }}
    refunds(first: {REFUNDS}) {{
      {_REFUND}
      refundLineItems(first: {REFUND_LINES}) {{ pageInfo {{ hasNextPage }} nodes {{ quantity restocked lineItem {{ id }} }} }}
    }}
    agreements(first: {AGREEMENTS}) {{
      pageInfo {{ hasNextPage }}
      nodes {{ {_AGREEMENT} sales(first: {SALES}) {{ pageInfo {{ hasNextPage }} nodes {{ {_SALE} }} }} }}
    }}
"""
_MONEY = """
fragment M on MoneyBag { shopMoney { amount } }
"""

ORDERS = f"""
query Orders($first: Int!, $after: String, $query: String!) {{
  orders(first: $first, after: $after, query: $query, sortKey: UPDATED_AT) {{
    pageInfo {{ hasNextPage endCursor }}
    nodes {{ {_PAGE} }}
  }}
}}
{_MONEY}"""

NEWEST_ORDERS = f"""
query NewestOrders($first: Int!, $after: String, $query: String!) {{
  orders(first: $first, after: $after, query: $query, sortKey: UPDATED_AT, reverse: true) {{
    pageInfo {{ hasNextPage endCursor }}
    nodes {{ {_PAGE} }}
  }}
}}
{_MONEY}"""

MOMENTS = 20
"""How many visits before an order are asked for; of longer ways the first and the last are known as well."""
JOURNEYS = f"""
query Journeys($first: Int!, $after: String, $query: String!) {{
  orders(first: $first, after: $after, query: $query, sortKey: CREATED_AT) {{
    pageInfo {{ hasNextPage endCursor }}
    nodes {{
      id createdAt customer {{ id }}
      customerJourneySummary {{
        {_ENDS} moments(first: {MOMENTS}) {{ pageInfo {{ hasNextPage }} nodes {{ __typename ... on CustomerVisit {{ {_VISIT} }} }} }}
      }}
    }}
  }}
}}
"""

COUNT_ORDERS = """
query CountOrders($query: String!) { ordersCount(query: $query, limit: null) { count precision } }
"""

ORDER = f"""
query Order($id: ID!, $lines: String, $shipping: String) {{
  order(id: $id) {{
    {_HEAD}
    totalTaxSet {{ ...M }} totalDiscountsSet {{ ...M }}
    lineItems(first: 100, after: $lines) {{ pageInfo {{ hasNextPage endCursor }} nodes {{ {_LINE} {_PARTS} }} }}
    shippingLines(first: 20, after: $shipping, includeRemovals: true) {{ pageInfo {{ hasNextPage endCursor }} nodes {{ {_SHIPPING} }} }}
    transactions(first: 250) {{ {_TRANSACTION} }}
    refunds(first: 100) {{
      {_REFUND} duties {{ amountSet {{ ...M }} }}
      refundLineItems(first: 20) {{ pageInfo {{ hasNextPage }} nodes {{ {_BACK} }} }}
      refundShippingLines(first: 5) {{ nodes {{ subtotalAmountSet {{ ...M }} taxAmountSet {{ ...M }} }} }}
    }}
    agreements(first: 10) {{
      pageInfo {{ hasNextPage }}
      nodes {{ {_AGREEMENT} sales(first: 100) {{ pageInfo {{ hasNextPage }} nodes {{ {_SALE} }} }} }}
    }}
  }}
}}
{_MONEY}"""
"""One order with everything; longer lists of refunds' lines and of agreements are read by the two documents below."""

REFUND_LINES_OF = f"""
query RefundLines($id: ID!, $after: String) {{
  refund(id: $id) {{
    refundLineItems(first: 250, after: $after) {{
      pageInfo {{ hasNextPage endCursor }}
      nodes {{ {_BACK} }}
    }}
  }}
}}
{_MONEY}"""

AGREEMENTS_OF = f"""
query Agreements($id: ID!, $after: String, $sales: String) {{
  order(id: $id) {{
    agreements(first: 1, after: $after) {{
      pageInfo {{ hasNextPage endCursor }}
      nodes {{ {_AGREEMENT} sales(first: 250, after: $sales) {{ pageInfo {{ hasNextPage endCursor }} nodes {{ {_SALE} }} }} }}
    }}
  }}
}}
{_MONEY}"""

BULK_RUN = """
mutation BulkRun($query: String!) {
  bulkOperationRunQuery(query: $query, groupObjects: false) { bulkOperation { id status } userErrors { field message code } }
}
"""
BULK_STATE = """
query BulkState($id: ID!) { bulkOperation(id: $id) { id status errorCode objectCount rootObjectCount url partialDataUrl } }
"""
"""The two questions of a bulk operation; FILTER in the documents that it runs becomes a search."""

ORDER_LIST = """
query OrderList($first: Int!, $after: String, $query: String!) {
  orders(first: $first, after: $after, query: $query, sortKey: PROCESSED_AT) {
    pageInfo { hasNextPage endCursor }
    nodes {
      id updatedAt currentTotalPriceSet { ...M } totalRefundedSet { ...M } refundDiscrepancySet { ...M } taxLines { channelLiable }
      totalCashRoundingAdjustment { paymentSet { ...M } }
    }
  }
}
fragment M on MoneyBag { shopMoney { amount } }
"""
ORDERS_AGAIN = f"""
query OrdersAgain($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on Order {{ {_PAGE} }} }} }}
{_MONEY}"""

VARIANTS_AGAIN = """
query VariantsAgain($ids: [ID!]!) {
  nodes(ids: $ids) {
    ... on ProductVariant { id title sku price compareAtPrice updatedAt product { id title } inventoryItem { id unitCost { amount currencyCode } } }
  }
}
"""
INVENTORY_AGAIN = """
query InventoryAgain($ids: [ID!]!) {
  nodes(ids: $ids) {
    ... on InventoryItem {
      id tracked unitCost { amount currencyCode }
      variants(first: 5) { nodes { id } }
      inventoryLevels(first: 50) { pageInfo { hasNextPage } nodes { quantities(names: ["on_hand"]) { name quantity } } }
    }
  }
}
"""
ORDERS_OF_RETURNS = """
query OrdersOfReturns($ids: [ID!]!) { nodes(ids: $ids) { ... on Return { id order { id } } } }
"""

CUSTOMERS = """
query Customers($first: Int!, $after: String, $query: String!) {
  customers(first: $first, after: $after, query: $query, sortKey: UPDATED_AT) {
    pageInfo { hasNextPage endCursor }
    nodes { id updatedAt numberOfOrders defaultAddress { countryCodeV2 } }
  }
}
"""
"""No more than how many orders there are and from which country: who they are, and when they came, is no figure's."""
VARIANTS = """
query Variants($first: Int!, $after: String, $query: String!) {
  productVariants(first: $first, after: $after, query: $query, sortKey: ID) {
    pageInfo { hasNextPage endCursor }
    nodes { id title sku price compareAtPrice updatedAt product { id title } inventoryItem { id unitCost { amount currencyCode } } }
  }
}
"""
LOCATIONS = """
query Locations($first: Int!, $after: String) {
  locations(first: $first, after: $after, includeInactive: true) { pageInfo { hasNextPage endCursor } nodes { id name isActive } }
}
"""
INVENTORY = """
query Inventory($first: Int!, $after: String) {
  inventoryItems(first: $first, after: $after) {
    pageInfo { hasNextPage endCursor }
    nodes {
      id tracked unitCost { amount currencyCode }
      variants(first: 5) { nodes { id } }
      inventoryLevels(first: 50) { pageInfo { hasNextPage } nodes { quantities(names: ["on_hand"]) { name quantity } } }
    }
  }
}
"""
BALANCE = """
query Balance($first: Int!, $after: String, $query: String!) {
  shopifyPaymentsAccount {
    balanceTransactions(first: $first, after: $after, query: $query, sortKey: PROCESSED_AT) {
      pageInfo { hasNextPage endCursor }
      nodes {
        id type test transactionDate amount { amount currencyCode } fee { amount currencyCode }
        sourceId sourceType sourceOrderTransactionId adjustmentReason associatedOrder { id } associatedPayout { id }
      }
    }
  }
}
"""
PAYOUTS = """
query Payouts($first: Int!, $after: String, $query: String!) {
  shopifyPaymentsAccount {
    payouts(first: $first, after: $after, query: $query, sortKey: ISSUED_AT) {
      pageInfo { hasNextPage endCursor }
      nodes {
        id issuedAt status transactionType net { amount currencyCode }
        summary {
          chargesGross { amount } chargesFee { amount } refundsFeeGross { amount } refundsFee { amount } adjustmentsGross { amount }
          adjustmentsFee { amount } reservedFundsGross { amount } reservedFundsFee { amount } retriedPayoutsGross { amount }
          retriedPayoutsFee { amount } advanceGross { amount } advanceFees { amount }
        }
      }
    }
  }
}
"""
DISPUTES = """
query Disputes($first: Int!, $after: String, $query: String!) {
  shopifyPaymentsAccount {
    disputes(first: $first, after: $after, query: $query) {
      pageInfo { hasNextPage endCursor }
      nodes {
        id initiatedAt finalizedOn status type evidenceDueBy amount { amount currencyCode } reasonDetails { reason } order { name }
      }
    }
  }
}
"""
DELETIONS = """
query Deletions($first: Int!, $after: String, $query: String!) {
  events(first: $first, after: $after, query: $query, sortKey: CREATED_AT) {
    pageInfo { hasNextPage endCursor }
    nodes { id action createdAt ... on BasicEvent { subjectId subjectType } }
  }
}
"""

SUBSCRIPTIONS = """
query Subscriptions($first: Int!, $after: String) {
  webhookSubscriptions(first: $first, after: $after) {
    pageInfo { hasNextPage endCursor }
    nodes { id topic uri apiVersion { handle } }
  }
}
"""
SUBSCRIBE = """
mutation Subscribe($topic: WebhookSubscriptionTopic!, $wanted: WebhookSubscriptionInput!) {
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: $wanted) {
    webhookSubscription { id topic uri format apiVersion { handle } }
    userErrors { field message }
  }
}
"""
UNSUBSCRIBE = """
mutation Unsubscribe($id: ID!) {
  webhookSubscriptionDelete(id: $id) { deletedWebhookSubscriptionId userErrors { field message } }
}
"""

SHOP = """
query Shop {
  shop { id name myshopifyDomain currencyCode ianaTimezone plan { publicDisplayName partnerDevelopment } }
  currentAppInstallation { accessScopes { handle } }
}
"""

FILTER = "FILTER"


def _for_bulk(document: str) -> str:
    """Return a document as bulk operations take it: without fragments."""
    return document.replace("...M", "shopMoney { amount }")


BULK_ORDERS = _for_bulk(f"""
query {{
  orders(query: "FILTER", sortKey: UPDATED_AT) {{ edges {{ node {{
    __typename {_HEAD}
    lineItems {{ edges {{ node {{ __typename {_LINE} {_PARTS} }} }} }}
    shippingLines(includeRemovals: true) {{ edges {{ node {{ __typename {_SHIPPING} }} }} }}
    transactions {{ {_TRANSACTION} }}
    refunds {{ {_REFUND} }}
  }} }} }}
}}
""")
BULK_AGREEMENTS = _for_bulk(f"""
query {{
  orders(query: "FILTER", sortKey: UPDATED_AT) {{ edges {{ node {{
    __typename id
    agreements {{ edges {{ node {{ {_AGREEMENT} sales {{ edges {{ node {{ {_SALE} }} }} }} }} }} }}
  }} }} }}
}}
""")


class Cost(NamedTuple):
    """What a document costs in points, as Shopify reckons: so much by itself, and so much for its records, by their number's logarithm."""

    itself: int
    records: int = 0


COSTS: dict[str, Cost] = {
    ORDERS: Cost(2, 117), NEWEST_ORDERS: Cost(2, 117), ORDER: Cost(353), JOURNEYS: Cost(2, 19), CUSTOMERS: Cost(2, 2), LOCATIONS: Cost(2, 1),
    REFUND_LINES_OF: Cost(25), AGREEMENTS_OF: Cost(29),
    COUNT_ORDERS: Cost(10), SHOP: Cost(4), BULK_RUN: Cost(10), BULK_STATE: Cost(1), ORDER_LIST: Cost(2, 3), VARIANTS: Cost(2, 3),
    INVENTORY: Cost(2, 22), DELETIONS: Cost(2, 1), BALANCE: Cost(3, 3), PAYOUTS: Cost(3, 2), DISPUTES: Cost(3, 3),
    SUBSCRIPTIONS: Cost(2, 2), SUBSCRIBE: Cost(10), UNSUBSCRIBE: Cost(10),
}  # fmt: skip
"""By document; a test reckons them again. One that is missing is taken to cost as much as one may."""
MOST_POINTS = 1_000


def points(document: str, size: int | None) -> int:
    """Return what a query is reckoned at before it is answered, with `size` records asked for at once."""
    cost = COSTS.get(document)
    if cost is None:
        return MOST_POINTS
    return cost.itself + (max(1, floor(2 * log(size))) * cost.records if size else 0)
