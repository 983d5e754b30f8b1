"""Write an order, its refunds and transactions as Shopify's older REST interface did: what webhooks carry to this day."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from connectors.sandbox.business import Customer
from connectors.sandbox.money import amount
from connectors.sandbox.shopify_pages import gid
from connectors.sandbox.story import Discount, Payment
from connectors.sandbox.told import LineItem, Order, Refund, RefundLine, Return, ShippingLine, TaxLine

Body = dict[str, Any]
FULFILMENT = {"UNFULFILLED": None, "PARTIALLY_FULFILLED": "partial", "FULFILLED": "fulfilled"}
SUMS = {
    "total_price": "total", "current_total_price": "current_total", "subtotal_price": "subtotal", "current_subtotal_price": "current_subtotal",
    "total_discounts": "discounts", "current_total_discounts": "current_discounts", "total_tax": "tax", "current_total_tax": "current_tax",
}  # fmt: skip
"""Field of a body → sum of an order; each stands there as an amount and, with `_set`, in both currencies."""


class OrderBody:
    """Write one order as of the moment it was told. `stamp` writes moments by the shop's clock."""

    def __init__(self, order: Order, customer: Customer | None, stamp: Callable[[datetime | None], str | None]) -> None:
        self.order, self.customer, self.stamp = order, customer, stamp

    # Amounts

    def _amount(self, minor: int) -> str:
        return str(amount(minor, self.order.currency))

    def _both(self, minor: int) -> Body:
        order = self.order
        presented = str(amount(order.presented(minor), order.presentment_currency))
        return {
            "shop_money": {"amount": self._amount(minor), "currency_code": order.currency},
            "presentment_money": {"amount": presented, "currency_code": order.presentment_currency},
        }  # fmt: skip

    def _priced(self, name: str, minor: int) -> Body:
        return {name: self._amount(minor), f"{name}_set": self._both(minor)}

    def _tax(self, line: TaxLine) -> Body:
        return {"title": line.title, "rate": line.rate / 1_000_000, "channel_liable": line.channel_liable, **self._priced("price", line.amount)}

    def _allocations(self, allocations: tuple[tuple[int, int], ...]) -> list[Body]:
        return [
            {"amount": self._amount(taken), "amount_set": self._both(taken), "discount_application_index": index} for index, taken in allocations
        ]  # fmt: skip

    # The order

    def body(self) -> Body:
        """Return the order."""
        order, totals, number = self.order, self.order.totals, int(self.order.name.lstrip("#"))
        found: Body = {
            "id": order.id, "admin_graphql_api_id": gid("Order", order.id), "app_id": order.app[0], "name": order.name, "number": number - 1000,
            "order_number": number, "confirmed": True, "test": order.test, "currency": order.currency,
            "presentment_currency": order.presentment_currency, "created_at": self.stamp(order.created_at),
            "processed_at": self.stamp(order.processed_at), "updated_at": self.stamp(order.updated_at),
            "cancelled_at": self.stamp(order.cancelled_at), "cancel_reason": order.cancel_reason.lower() if order.cancel_reason else None,
            "closed_at": self.stamp(order.closed_at), "financial_status": order.financial_status.lower(),
            "fulfillment_status": FULFILMENT[order.fulfillment_status], "taxes_included": order.taxes_included, "tax_exempt": False,
            "estimated_taxes": False, "source_name": order.source_name, "location_id": order.location, "tags": ", ".join(order.tags),
            "payment_gateway_names": list(order.gateways), "note": None, "note_attributes": [], "landing_site": self._landing(),
            "total_tip_received": self._amount(totals.tip), "total_outstanding": self._amount(totals.outstanding),
            "total_shipping_price_set": self._both(totals.shipping),
            "discount_codes": [self._code(index, discount) for index, discount in enumerate(order.discounts) if discount.code],
            "discount_applications": [self._application(discount) for discount in order.discounts],
            "tax_lines": [self._tax(line) for line in order.taxes], "line_items": [self.line(line) for line in order.lines],
            "shipping_lines": [self._shipping(line) for line in order.shipping_lines], "refunds": [self.refund(each) for each in order.refunds],
            **self._person(),
        }  # fmt: skip
        for name, sum_name in SUMS.items():
            found |= self._priced(name, getattr(totals, sum_name))
        return found

    def _landing(self) -> str | None:
        journey = self.order.journey
        return journey.last_visit.landing_page if journey is not None and journey.last_visit is not None else None

    def _person(self) -> Body:
        """Return who bought, and where it goes. Nobody stands behind the address, and its domain receives no mail."""
        order, customer = self.order, self.customer
        address = {"country_code": order.country, "province_code": order.province, "zip": order.zip} if order.country else None
        email = customer.email if customer is not None else ""
        return {
            "email": email, "contact_email": email or None, "phone": None, "shipping_address": address, "billing_address": address,
            "customer": customer and {
                "id": customer.id, "admin_graphql_api_id": gid("Customer", customer.id), "email": customer.email, "state": customer.state.lower(),
                "currency": order.currency, "tags": "", "phone": None,
            },
        }  # fmt: skip

    def _taken(self, index: int) -> int:
        lines = [line.allocations for line in self.order.lines] + [line.allocations for line in self.order.shipping_lines]
        return sum(taken for allocations in lines for place, taken in allocations if place == index)

    def _code(self, index: int, discount: Discount) -> Body:
        kind = "shipping" if discount.on_shipping else "percentage" if discount.percent is not None else "fixed_amount"
        return {"code": discount.code, "amount": self._amount(self._taken(index)), "type": kind}

    def _application(self, discount: Discount) -> Body:
        value = str(discount.percent) if discount.percent is not None else self._amount(self._taken(self.order.discounts.index(discount)))
        named = {"code": discount.code} if discount.code else {"title": discount.title}
        return {
            "type": "discount_code" if discount.code else "automatic", "value": value,
            "value_type": "percentage" if discount.percent is not None else "fixed_amount",
            "allocation_method": "each" if discount.on_shipping else "across", "target_selection": "all",
            "target_type": "shipping_line" if discount.on_shipping else "line_item", **named,
        }  # fmt: skip

    def line(self, line: LineItem) -> Body:
        """Return a line."""
        return {
            "id": line.id, "admin_graphql_api_id": gid("LineItem", line.id), "name": line.name, "title": line.title,
            "variant_title": line.variant_title, "sku": line.sku, "vendor": line.vendor or None, "quantity": line.quantity,
            "current_quantity": line.current_quantity, "fulfillable_quantity": line.current_quantity, "product_id": line.product,
            "variant_id": line.variant, "product_exists": line.product is not None, "gift_card": line.is_gift_card, "taxable": line.taxable,
            "requires_shipping": line.requires_shipping, "properties": [], **self._priced("price", line.unit_price),
            "total_discount": "0.00", "discount_allocations": self._allocations(line.allocations),
            "tax_lines": [self._tax(tax) for tax in line.taxes], "duties": [{"id": number, "price": self._both(of)} for number, of in line.duties],
        }  # fmt: skip

    def _shipping(self, line: ShippingLine) -> Body:
        return {
            "id": line.id, "title": line.title, "code": line.title, "source": "shopify", "is_removed": line.is_removed,
            **self._priced("price", line.original), **self._priced("discounted_price", line.discounted),
            "discount_allocations": self._allocations(line.allocations), "tax_lines": [self._tax(tax) for tax in line.taxes],
        }  # fmt: skip

    # What belongs to it

    def transaction(self, payment: Payment) -> Body:
        """Return a movement of money."""
        order = self.order
        return {
            "id": payment.id, "admin_graphql_api_id": gid("OrderTransaction", payment.id), "order_id": order.id, "kind": payment.kind.lower(),
            "gateway": payment.gateway, "status": payment.status.lower(), "message": None, "test": payment.test, "authorization": None,
            "parent_id": payment.parent, "amount": self._amount(payment.amount), "currency": order.currency,
            "created_at": self.stamp(payment.created_at or payment.at), "processed_at": self.stamp(payment.at), "location_id": order.location,
            "user_id": None, "device_id": None, "error_code": payment.error.lower() if payment.error else None, "source_name": order.source_name,
            "payment_id": f"{order.name}.{payment.id}", "manual_payment_gateway": payment.gateway in ("cash", "Bank Deposit"),
        }  # fmt: skip

    def refund(self, refund: Refund) -> Body:
        """Return a refund."""
        return {
            "id": refund.id, "admin_graphql_api_id": gid("Refund", refund.id), "order_id": self.order.id, "note": refund.note or None,
            "created_at": self.stamp(refund.created_at), "processed_at": self.stamp(refund.processed_at), "user_id": None,
            "restock": any(line.restocked for line in refund.lines), "return": {"id": refund.return_id} if refund.return_id else None,
            "refund_line_items": [self._refund_line(line) for line in refund.lines],
            "refund_shipping_lines": [
                {
                    "id": line.id, "shipping_line": {"id": line.shipping_line}, "subtotal_amount_set": self._both(line.subtotal),
                    "tax_amount_set": self._both(line.tax),
                }
                for line in refund.shipping_lines
            ],
            "order_adjustments": [
                {
                    "id": each.id, "order_id": self.order.id, "refund_id": refund.id, "kind": "refund_discrepancy", "reason": each.reason.lower(),
                    **self._priced("amount", each.amount), **self._priced("tax_amount", each.tax),
                }
                for each in refund.adjustments
            ],
            "duties": [{"amount_set": self._both(of)} for of in refund.duties],
            "transactions": [self.transaction(payment) for payment in refund.transactions],
        }  # fmt: skip

    def _refund_line(self, line: RefundLine) -> Body:
        return {
            "id": line.id, "line_item_id": line.line, "quantity": line.quantity, "location_id": line.location,
            "restock_type": line.restock_type.lower(), **self._priced("subtotal", line.subtotal), **self._priced("total_tax", line.tax),
            "line_item": next((self.line(each) for each in self.order.lines if each.id == line.line), None),
        }  # fmt: skip

    def returned(self, back: Return) -> Body:
        """Return what came back."""
        order = self.order.id
        return {
            "id": back.id, "admin_graphql_api_id": gid("Return", back.id), "name": back.name, "status": back.status.lower(), "order_id": order,
            "order": {"id": order, "admin_graphql_api_id": gid("Order", order)}, "total_return_line_items": len(back.lines),
            "return_line_items": [{"line_item": {"id": line}, "quantity": units} for line, units in back.lines],
            "updated_at": self.stamp(back.created_at),
        }  # fmt: skip
