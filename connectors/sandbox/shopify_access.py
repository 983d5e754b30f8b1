"""Say which scope a type or field of Shopify's needs, and refuse it without one."""

from collections.abc import Set
from functools import lru_cache
from typing import Any

from graphql import GraphQLError, get_named_type

ORDERS, RETURNS, PAYMENTS, DISPUTES = "read_orders", "read_returns", "read_shopify_payments", "read_shopify_payments_disputes"
NEEDS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        (
            "AdditionalFee", "AdditionalFeeSale", "AdjustmentSale", "CashRoundingAdjustment", "CurrencyExchangeAdjustment",
            "CustomerJourneySummary", "CustomerMoment",
            "CustomerVisit", "Duty", "DutySale", "FeeSale", "GiftCardSale", "LineItem", "Order", "OrderAdjustment",
            "OrderAgreement", "OrderApp", "OrderDisputeSummary", "OrderEditAgreement", "OrderTransaction", "ProductSale", "QueryRoot.ordersCount",
            "QueryRoot.refund", "Refund", "RefundAgreement", "RefundDuty", "RefundLineItem", "RefundShippingLine", "ReturnAgreement", "Sale",
            "SaleAdditionalFee", "SaleTax", "SalesAgreement", "ShippingLineSale", "TipSale", "TransactionFee", "UnknownSale",
        ),
        (ORDERS,),
    ),
    **dict.fromkeys(("Customer", "CustomerEmailAddress", "QueryRoot.customersCount"), ("read_customers",)),
    **dict.fromkeys(("ExchangeLineItem", "Fee", "QueryRoot.return", "RestockingFee", "Return", "ReturnShippingFee"), (RETURNS,)),
    **dict.fromkeys(("Product", "ProductVariant", "QueryRoot.productVariantsCount", "QueryRoot.productsCount"), ("read_products",)),
    "InventoryItem": ("read_inventory", "read_products"),
    **dict.fromkeys(("InventoryItem.inventoryLevels", "InventoryLevel", "InventoryQuantity"), ("read_inventory",)),
    **dict.fromkeys(("Location", "Location.id"), ("read_locations", "read_inventory")),
    **dict.fromkeys(("Location.isActive", "Location.name"), ("read_locations",)),
    **dict.fromkeys(("Market", "MarketCurrencySettings", "QueryRoot.markets"), ("read_markets",)),
    "ShopifyPaymentsAccount": (PAYMENTS, "read_shopify_payments_accounts"),
    **dict.fromkeys(("ShopifyPaymentsDispute", "ShopifyPaymentsDisputeReasonDetails"), (DISPUTES,)),
}  # fmt: skip
"""Type, or type and field → scopes of which one is enough."""

KNOWN_SCOPES = frozenset({scope for scopes in NEEDS.values() for scope in scopes} | {"read_all_orders", "read_reports", "read_fulfillments"})


@lru_cache(maxsize=4096)
def needed(parent: str, field: str, kind: str) -> tuple[tuple[str, ...], ...]:
    """Return what must be granted to see a field: of each group of scopes one."""
    page_of = kind.removesuffix("Connection").removesuffix("Edge")
    return tuple(NEEDS[name] for name in dict.fromkeys((f"{parent}.{field}", kind, page_of)) if name in NEEDS)


def denied(parent: Any, name: str, kind: Any, granted: Set[str]) -> tuple[str, ...] | None:
    """Return the scopes of which one is missing to see a field; None when it may be seen."""
    for scopes in needed(parent.name, name, get_named_type(kind).name):
        if not any(scope in granted or scope.replace("read_", "write_", 1) in granted for scope in scopes):
            return scopes
    return None


def refusal(name: str, scopes: tuple[str, ...]) -> GraphQLError:
    """Return the error Shopify answers for a field whose scope was not granted."""
    required = " or ".join(f"`{scope}` access scope" for scope in scopes) + "."
    extensions = {"code": "ACCESS_DENIED", "documentation": "https://shopify.dev/api/usage/access-scopes", "requiredAccess": required}
    return GraphQLError(f"Access denied for {name} field. Required access: {required}", extensions=extensions)
