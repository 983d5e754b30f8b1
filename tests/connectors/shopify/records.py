"""Invent records as Shopify's API answers them; nobody in them is real."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from connectors.platforms.shopify.mapping.orders import order_facts
from connectors.spec import Context
from ledger.facts import OrderFact

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
CONTEXT = Context(account="demo.myshopify.com", currency="EUR", zone=ZoneInfo("Europe/Berlin"), now=NOW, identify=lambda name: f"#{name}".encode())
PLACED, LATER = "2026-11-02T09:00:00Z", "2026-11-05T10:00:00Z"


def bag(amount: str, presentment: str | None = None) -> dict[str, Any]:
    """Return an amount of the shop's currency, with what the customer saw in another one where that is told."""
    money: dict[str, Any] = {"shopMoney": {"amount": amount, "currencyCode": "EUR"}}
    return money if presentment is None else {**money, "presentmentMoney": {"amount": presentment, "currencyCode": "USD"}}


def nodes(*records: dict[str, Any], more: bool = False) -> dict[str, Any]:
    """Return a list as Shopify pages it."""
    return {"nodes": list(records), "pageInfo": {"hasNextPage": more, "endCursor": "c1" if more else None}}


def a_line(number: int = 1, *, quantity: int = 1, price: str = "100.0", current: int | None = None, **told: Any) -> dict[str, Any]:
    """Return a line of an order."""
    return {
        "id": f"gid://shopify/LineItem/{number}", "title": f"Mug {number}", "sku": f"MUG-{number}", "quantity": quantity,
        "currentQuantity": quantity if current is None else current, "isGiftCard": False,
        "variant": {"id": f"gid://shopify/ProductVariant/7{number}"}, "product": {"id": f"gid://shopify/Product/8{number}"},
        "originalUnitPriceSet": bag(price), **told,
    }  # fmt: skip


def whole(line: dict[str, Any], *, discount: str = "0.0", taxes: tuple[tuple[str, bool], ...] = ()) -> dict[str, Any]:
    """Return a line with its discounts and taxes, as it comes when an order is read by itself."""
    allocations = [{"allocatedAmountSet": bag(discount)}] if discount != "0.0" else []
    return {**line, "discountAllocations": allocations, "taxLines": [{"priceSet": bag(tax), "channelLiable": liable} for tax, liable in taxes]}


_SALES = {
    "PRODUCT": "ProductSale", "SHIPPING": "ShippingLineSale", "TIP": "TipSale", "DUTY": "DutySale", "FEE": "FeeSale",
    "ADDITIONAL_FEE": "AdditionalFeeSale",
    "ADJUSTMENT": "AdjustmentSale", "GIFT_CARD": "GiftCardSale",
}  # fmt: skip
_number = iter(range(1, 10**9))


def sold(
    total: str, action: str = "ORDER", kind: str = "PRODUCT", *, line: int | None = 1, quantity: int | None = None, tax: str = "0.0",
    discount: str = "0.0", number: int | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Return a sale of an agreement; `total` is after discount and includes tax."""
    has_line = kind in ("PRODUCT", "TIP", "GIFT_CARD")
    if quantity is None and kind == "PRODUCT":
        quantity = {"ORDER": 1, "RETURN": -1}.get(action)
    name = _SALES.get(kind, "UnknownSale")
    return {
        "__typename": name, "id": f"gid://shopify/{name}/{next(_number) if number is None else number}", "actionType": action, "lineType": kind,
        "quantity": quantity, "totalAmount": bag(total), "totalTaxAmount": bag(tax), "totalDiscountAmountBeforeTaxes": bag(discount),
        **({"lineItem": {"id": f"gid://shopify/LineItem/{line}"}} if has_line and line is not None else {}),
    }  # fmt: skip


def agreement(*sales: dict[str, Any], kind: str = "Order", at: str = PLACED, refund: int | None = None, more: bool = False) -> dict[str, Any]:
    """Return an agreement; kinds are Order, OrderEdit, Return and Refund."""
    number = next(_number)
    return {
        "__typename": f"{kind}Agreement", "id": f"gid://shopify/{kind}Agreement/{number}", "happenedAt": at, "sales": nodes(*sales, more=more),
        **({"refund": {"id": f"gid://shopify/Refund/{refund}"}} if refund is not None else {}),
    }  # fmt: skip


def a_transaction(amount: str, kind: str = "SALE", status: str = "SUCCESS", *, number: int = 1, **told: Any) -> dict[str, Any]:
    """Return a movement of money, or an attempt at one."""
    return {
        "id": f"gid://shopify/OrderTransaction/{number}", "kind": kind, "status": status, "test": False, "gateway": "shopify_payments",
        "createdAt": PLACED, "processedAt": PLACED, "paymentId": f"p{number}", "amountSet": bag(amount), "fees": [], **told,
    }  # fmt: skip


def a_refund(money: str, *lines: dict[str, Any], number: int = 1, at: str = LATER, **told: Any) -> dict[str, Any]:
    """Return a refund with its lines."""
    return {
        "id": f"gid://shopify/Refund/{number}", "createdAt": at, "processedAt": at, "totalRefundedSet": bag(money),
        "refundLineItems": nodes(*lines), **told,
    }  # fmt: skip


def back(line: int = 1, quantity: int = 1, *, restocked: bool = True, subtotal: str = "0.0", tax: str = "0.0") -> dict[str, Any]:
    """Return units of a line within a refund."""
    return {
        "quantity": quantity, "restocked": restocked, "lineItem": {"id": f"gid://shopify/LineItem/{line}"}, "subtotalSet": bag(subtotal),
        "totalTaxSet": bag(tax),
    }  # fmt: skip


def an_order(*agreements: dict[str, Any], total: str = "100.0", current: str | None = None, number: int = 5001, **told: Any) -> dict[str, Any]:
    """Return an order of one line worth 100, paid, with everything else as `told` has it."""
    return {
        "id": f"gid://shopify/Order/{number}", "name": f"#{number - 4000}", "processedAt": PLACED, "updatedAt": LATER, "cancelledAt": None,
        "test": False, "edited": False, "taxesIncluded": False, "currencyCode": "EUR", "presentmentCurrencyCode": "EUR", "sourceName": "web",
        "app": {"id": "gid://shopify/App/580111"}, "displayFinancialStatus": "PAID", "displayFulfillmentStatus": "FULFILLED", "discountCodes": [],
        "totalWeight": "450", "totalPriceSet": bag(total), "currentTotalPriceSet": bag(total if current is None else current),
        "totalRefundedSet": bag("0.0"), "refundDiscrepancySet": bag("0.0"), "totalTipReceivedSet": bag("0.0"),
        "originalTotalDutiesSet": None, "originalTotalAdditionalFeesSet": None, "taxLines": [],
        "shippingAddress": {"countryCodeV2": "DE", "provinceCode": "BE"}, "customer": {"id": "gid://shopify/Customer/42"},
        "lineItems": nodes(a_line()), "shippingLines": {"nodes": []}, "transactions": [a_transaction(total)], "refunds": [],
        "agreements": nodes(*agreements), **told,
    }  # fmt: skip


def fact_of(order: dict[str, Any]) -> OrderFact:
    """Map an order and return its one fact."""
    (fact,) = order_facts(order, CONTEXT)
    return fact


def sales_text(fact: OrderFact) -> list[str]:
    """Write a fact's sales as short rows: time, kind, type, line, quantity, net, discount, tax, and what is said of them."""
    rows = []
    for sale in fact.sales:
        said = " restocked" * sale.restocked + " estimated" * sale.estimated
        amounts = " ".join(f"{value / 10_000:.2f}" for value in (sale.net, sale.discount, sale.tax))
        rows.append(f"{sale.happened_at:%m-%d} {sale.kind.label} {sale.type.label} {sale.line or '-'} {sale.quantity:+d} {amounts}{said}")
    return rows
