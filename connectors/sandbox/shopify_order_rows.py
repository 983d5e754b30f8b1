"""Write an order down as Shopify's GraphQL answers it: its own fields, lines, shipping, journey and agreements."""

from typing import Any, Protocol

from connectors.sandbox.business import Visit
from connectors.sandbox.money import share
from connectors.sandbox.shopify_money import Bags, Row, stamp, stamped
from connectors.sandbox.shopify_pages import gid
from connectors.sandbox.shopify_payment_rows import refund_rows, return_rows, transaction_rows
from connectors.sandbox.story import Discount
from connectors.sandbox.told import Agreement, Journey, LineItem, Order, Sale, ShippingLine, TaxLine

SALE_TYPES = {
    "PRODUCT": "ProductSale", "GIFT_CARD": "GiftCardSale", "TIP": "TipSale", "SHIPPING": "ShippingLineSale", "DUTY": "DutySale",
    "FEE": "FeeSale", "ADDITIONAL_FEE": "AdditionalFeeSale", "ADJUSTMENT": "AdjustmentSale",
}  # fmt: skip


class Neighbours(Protocol):
    """The rows that an order points to."""

    def row(self, kind: str, number: int) -> Row | None:
        """Return a row by its id; None where it is gone."""

    def place_among_own(self, customer: int, order: int) -> int | None:
        """Return which of its customer's orders an order is, counted from 1."""


class OrderRow:
    """Make one order's row. What is rarely asked for is made when it is."""

    def __init__(self, order: Order, near: Neighbours) -> None:
        self.order, self.near, self.bags = order, near, Bags(order)
        self.applications = [self._application(index, discount) for index, discount in enumerate(order.discounts)]
        self.lines = {line.id: self._line(line) for line in order.lines}
        self.shipping = {line.id: self._shipping(line) for line in order.shipping_lines}
        self.duties = {row["id"]: row for line in self.lines.values() for row in line["duties"]}

    def row(self) -> Row:
        """Return the order's row."""
        order = self.order
        return {
            **self._itself(), **self._sums(),
            "taxLines": [self.bags.tax(line) for line in order.taxes], "currentTaxLines": self._current_taxes,
            "customer": (lambda: self.near.row("Customer", order.customer or 0)) if order.customer is not None else None,
            "customerJourneySummary": self._journey(order.journey) if order.journey else None,
            "shippingAddress": self._address(), "retailLocation": self.near.row("Location", order.location) if order.location else None,
            "discountApplications": self.applications, "lineItems": list(self.lines.values()),
            "shippingLines": list(self.shipping.values()), "shippingLine": next(iter(self.shipping.values()), None),
            "transactions": lambda: list(transaction_rows(self).values()),
            "refunds": self.refunds, "returns": self.returns, "agreements": self._agreements,
            "disputes": [{"id": gid("OrderDispute", each.id), "initiatedAs": each.initiated_as, "status": each.status} for each in order.disputes],
            "additionalFees": [self._fee(*fee) for fee in order.additional_fees],
        }  # fmt: skip

    def refunds(self) -> list[Row]:
        """Return the order's refunds."""
        return refund_rows(self)

    def returns(self) -> list[Row]:
        """Return the order's returns."""
        return return_rows(self)

    def again(self) -> Row | None:
        """Return the order from one of its parts."""
        return self.near.row("Order", self.order.id)

    # The order itself

    def _itself(self) -> Row:
        order, number, handle = self.order, self.order.id, self.order.app[1].lower().replace(" ", "-")
        totals = order.totals
        return {
            "id": gid("Order", number), "legacyResourceId": str(number), "name": order.name, "number": int(order.name.lstrip("#")),
            "createdAt": stamp(order.created_at), "processedAt": stamp(order.processed_at), "updatedAt": stamp(order.updated_at),
            "cancelledAt": stamped(order.cancelled_at), "cancelReason": order.cancel_reason, "closedAt": stamped(order.closed_at),
            "closed": order.closed_at is not None, "test": order.test, "edited": order.edited, "confirmed": True,
            "unpaid": totals.received == 0 < totals.outstanding, "fullyPaid": totals.outstanding <= 0, "refundable": totals.net_payment > 0,
            "sourceName": order.source_name, "sourceIdentifier": None, "app": {"id": gid("App", order.app[0]), "name": order.app[1]},
            "attribution": {"handle": handle, "displayName": order.app[1], "icon": None},
            "currencyCode": order.currency, "presentmentCurrencyCode": order.presentment_currency, "taxesIncluded": order.taxes_included,
            "taxExempt": False, "dutiesIncluded": False, "estimatedTaxes": False, "displayFinancialStatus": order.financial_status,
            "displayFulfillmentStatus": order.fulfillment_status, "returnStatus": order.return_status,
            "paymentGatewayNames": list(order.gateways), "discountCode": next(iter(order.discount_codes), None),
            "discountCodes": list(order.discount_codes), "tags": list(order.tags),
            "subtotalLineItemsQuantity": sum(line.quantity for line in order.lines),
            "currentSubtotalLineItemsQuantity": sum(line.current_quantity for line in order.lines),
        }  # fmt: skip

    def _sums(self) -> Row:
        totals, of = self.order.totals, self.bags.of
        has_duties, has_fees = any(line.duties for line in self.order.lines), bool(self.order.additional_fees)
        maybe = self.bags.or_null
        return {
            "originalTotalPriceSet": of(totals.original_total), "totalPriceSet": of(totals.total), "currentTotalPriceSet": of(totals.current_total),
            "subtotalPriceSet": of(totals.subtotal), "currentSubtotalPriceSet": of(totals.current_subtotal),
            "totalDiscountsSet": of(totals.discounts), "currentTotalDiscountsSet": of(totals.current_discounts),
            "totalShippingPriceSet": of(totals.shipping), "currentShippingPriceSet": of(totals.current_shipping),
            "totalRefundedShippingSet": of(totals.refunded_shipping), "totalTaxSet": of(totals.tax), "currentTotalTaxSet": of(totals.current_tax),
            "originalTotalDutiesSet": maybe(totals.original_duties, there=has_duties),
            "currentTotalDutiesSet": maybe(totals.current_duties, there=has_duties),
            "originalTotalAdditionalFeesSet": maybe(totals.original_additional_fees, there=has_fees),
            "currentTotalAdditionalFeesSet": maybe(totals.current_additional_fees, there=has_fees),
            "totalTipReceivedSet": of(totals.tip), "totalReceivedSet": of(totals.received), "totalRefundedSet": of(totals.refunded),
            "netPaymentSet": of(totals.net_payment), "totalOutstandingSet": of(totals.outstanding),
            "refundDiscrepancySet": of(totals.refund_discrepancy),
            "totalCashRoundingAdjustment": {"paymentSet": of(totals.rounding_paid), "refundSet": of(totals.rounding_refunded)},
        }  # fmt: skip

    def _address(self) -> Row | None:
        order = self.order
        if order.country is None:
            return None
        return {"id": gid("MailingAddress", order.id), "countryCodeV2": order.country, "provinceCode": order.province, "zip": order.zip}

    def _current_taxes(self) -> list[Row]:
        found: dict[tuple[str, int, bool], int] = {}
        for agreement in self.order.agreements:
            for sale in agreement.sales:
                for line in sale.taxes:
                    key = (line.title, line.rate, line.channel_liable)
                    found[key] = found.get(key, 0) + line.amount
        return [self.bags.tax(TaxLine(title, rate, amount, liable)) for (title, rate, liable), amount in found.items()]

    def _journey(self, journey: Journey) -> Row:
        order = self.order
        index, visits = journey.customer_order_index, [self._visit(place, visit) for place, visit in enumerate(journey.visits, 1)]
        if journey.ready and index is None and order.customer is not None:
            index = self.near.place_among_own(order.customer, order.id)
        return {
            "ready": journey.ready, "customerOrderIndex": index, "daysToConversion": journey.days_to_conversion,
            "firstVisit": visits[0] if visits else None, "lastVisit": visits[-1] if visits else None,
            "moments": visits if journey.ready else None, "momentsCount": {"count": len(visits), "precision": "EXACT"} if journey.ready else None,
        }  # fmt: skip

    def _visit(self, place: int, visit: Visit) -> Row:
        names = ("source", "medium", "campaign", "term", "content")
        return {
            "__typename": "CustomerVisit", "id": gid("CustomerVisit", self.order.id * 100 + place),
            "occurredAt": stamp(visit.occurred_at), "landingPage": visit.landing_page,
            "referrerUrl": visit.referrer, "source": visit.source, "sourceType": visit.source_type,
            "utmParameters": dict(zip(names, visit.utm, strict=True)) if visit.utm else None,
        }  # fmt: skip

    # Lines

    def _application(self, index: int, discount: Discount) -> Row:
        allocated = [line.allocations for line in self.order.lines] + [line.allocations for line in self.order.shipping_lines]
        taken = sum(amount for allocations in allocated for place, amount in allocations if place == index)
        kind = {"code": discount.code} if discount.code else {"title": discount.title}
        percent: Row = {"__typename": "PricingPercentageValue", "percentage": discount.percent}
        shop_money = self.bags.of(taken)["presentmentMoney"]
        return {
            "__typename": "DiscountCodeApplication" if discount.code else "AutomaticDiscountApplication", "index": index, **kind,
            "allocationMethod": "EACH" if discount.on_shipping else "ACROSS", "targetSelection": "ALL",
            "targetType": "SHIPPING_LINE" if discount.on_shipping else "LINE_ITEM",
            "value": percent if discount.percent is not None else {"__typename": "MoneyV2", **shop_money},
        }  # fmt: skip

    def _allocations(self, allocations: tuple[tuple[int, int], ...]) -> list[Row]:
        of, applications = self.bags.of, self.applications
        return [{"allocatedAmountSet": of(amount), "discountApplication": applications[index]} for index, amount in allocations]

    def _line(self, line: LineItem) -> Row:
        of, near, quantity = self.bags.of, self.near, max(line.quantity, 1)
        by_code = sum(amount for index, amount in line.allocations if self.order.discounts[index].code)
        without_codes = line.discounted_total + by_code
        left = share(line.discounted_total, line.current_quantity, quantity)
        included = sum(tax.amount for tax in line.taxes) if self.order.taxes_included else 0
        return {
            "id": gid("LineItem", line.id), "name": line.name, "title": line.title, "variantTitle": line.variant_title, "sku": line.sku or None,
            "vendor": line.vendor or None, "quantity": line.quantity, "currentQuantity": line.current_quantity,
            "refundableQuantity": line.refundable_quantity, "requiresShipping": line.requires_shipping, "taxable": line.taxable,
            "isGiftCard": line.is_gift_card,
            "product": near.row("Product", line.product) if line.product is not None else None,
            "variant": near.row("ProductVariant", line.variant) if line.variant is not None else None,
            "originalUnitPriceSet": of(line.unit_price), "originalTotalSet": of(line.original_total),
            "discountedTotalSet": of(without_codes), "discountedTotalWithCodesSet": of(line.discounted_total),
            "discountedUnitPriceSet": of(share(without_codes, 1, quantity)),
            "discountedUnitPriceAfterAllDiscountsSet": of(share(line.discounted_total, 1, quantity)),
            "totalDiscountSet": of(line.original_total - without_codes),
            "priceAfterAllDiscountsBeforeTaxesSet": of(left - share(included, line.current_quantity, quantity)),
            "discountAllocations": self._allocations(line.allocations), "taxLines": [self.bags.tax(tax) for tax in line.taxes],
            "duties": [{"id": gid("Duty", number), "price": of(amount), "taxLines": []} for number, amount in line.duties],
        }  # fmt: skip

    def _shipping(self, line: ShippingLine) -> Row:
        of = self.bags.of
        return {
            "id": gid("ShippingLine", line.id), "title": line.title, "code": line.title, "source": "shopify", "isRemoved": line.is_removed,
            "custom": False, "originalPriceSet": of(line.original), "discountedPriceSet": of(line.discounted),
            "currentDiscountedPriceSet": of(line.current), "discountAllocations": self._allocations(line.allocations),
            "taxLines": [self.bags.tax(tax) for tax in line.taxes],
        }  # fmt: skip

    def _fee(self, number: int, name: str, amount: int) -> Row:
        return {"id": gid("AdditionalFee", number), "name": name, "price": self.bags.of(amount), "taxLines": []}

    # Agreements

    def _agreements(self) -> list[Row]:
        return [self._agreement(agreement) for agreement in self.order.agreements]

    def _agreement(self, agreement: Agreement) -> Row:
        row: Row = {
            "__typename": agreement.kind, "id": gid(agreement.kind, agreement.id), "happenedAt": stamp(agreement.happened_at),
            "reason": agreement.reason, "app": None, "sales": [self._sale(sale) for sale in agreement.sales],
        }  # fmt: skip
        if agreement.kind == "OrderAgreement":
            row["order"] = self.again
        if agreement.kind == "RefundAgreement":
            row["refund"] = lambda: _by_id(self.refunds(), gid("Refund", agreement.subject or 0))
        if agreement.kind == "ReturnAgreement":
            row["return"] = lambda: _by_id(self.returns(), gid("Return", agreement.subject or 0))
        return row

    def _sale(self, sale: Sale) -> Row:
        of, kind = self.bags.of, SALE_TYPES.get(sale.line_type, "UnknownSale")
        return {
            "__typename": kind, "id": gid(kind, sale.id), "actionType": sale.action, "lineType": sale.line_type, "quantity": sale.quantity,
            "totalAmount": of(sale.total), "totalTaxAmount": of(sale.tax),
            "totalDiscountAmountBeforeTaxes": of(sale.discount_before_taxes), "totalDiscountAmountAfterTaxes": of(sale.discount_after_taxes),
            "taxes": lambda: [
                {"id": gid("SaleTax", sale.id * 10 + place), "amount": of(tax.amount), "taxLine": self.bags.tax(tax)}
                for place, tax in enumerate(sale.taxes)
            ],
            **self._subject(sale),
        }  # fmt: skip

    def _subject(self, sale: Sale) -> Row:
        """Return what a sale is about."""
        subject = sale.subject or 0
        match sale.line_type:
            case "PRODUCT" | "GIFT_CARD" | "TIP":
                return {"lineItem": self.lines.get(subject)}
            case "SHIPPING":
                return {"shippingLine": self.shipping.get(subject)}
            case "DUTY":
                return {"duty": self.duties.get(gid("Duty", subject))}
            case "FEE":
                return {"fee": self._return_fee(subject)}
            case "ADDITIONAL_FEE":
                found = next((self._fee(*fee) for fee in self.order.additional_fees if fee[0] == subject), None)
                return {"additionalFee": found and {**found, "id": gid("SaleAdditionalFee", subject)}}
        return {}

    def _return_fee(self, number: int) -> Row | None:
        for each in self.order.returns:
            for fee, name, amount in each.fees:
                if fee == number:
                    restocking = "restock" in name.lower()
                    kind: Any = {"__typename": "RestockingFee", "percentage": 0} if restocking else {"__typename": "ReturnShippingFee"}
                    return {**kind, "id": gid(kind["__typename"], fee), "amountSet": self.bags.of(amount)}
        return None


def _by_id(rows: list[Row], global_id: str) -> Row | None:
    return next((row for row in rows if row["id"] == global_id), None)
