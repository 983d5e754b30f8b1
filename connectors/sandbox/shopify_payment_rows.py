"""Write down what money moved for an order: transactions with their fees, refunds, returns, and Shopify Payments' own rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.sandbox.shopify_money import Row, day_stamp, decimal, money, stamp, stamped
from connectors.sandbox.shopify_pages import gid
from connectors.sandbox.told import BalanceTransaction, Dispute, Payout, Refund, RefundLine

if TYPE_CHECKING:
    from connectors.sandbox.shopify_order_rows import OrderRow
    from connectors.sandbox.story import Payment, ProcessorFee

BY_HAND = {"cash", "manual", "Bank Deposit", "Cash on Delivery (COD)", "Money Order"}
PAYOUT_PARTS = {
    "chargesGross": "charges_gross", "chargesFee": "charges_fee", "refundsFeeGross": "refunds_gross", "refundsFee": "refunds_fee",
    "adjustmentsGross": "adjustments_gross", "adjustmentsFee": "adjustments_fee", "reservedFundsGross": "", "reservedFundsFee": "",
    "retriedPayoutsGross": "", "retriedPayoutsFee": "", "advanceGross": "", "advanceFees": "",
}  # fmt: skip
"""Field of a payout's summary → what the business calls it; nothing where it has no such thing."""


def transaction_rows(of: OrderRow) -> dict[int, Row]:
    """Return an order's transactions by id."""
    rows: dict[int, Row] = {}
    for payment in of.order.transactions:
        rows[payment.id] = _transaction(of, payment, rows)
    return rows


def _transaction(of: OrderRow, payment: Payment, before: dict[int, Row]) -> Row:
    order, bags = of.order, of.bags
    settled = payment.fee.currency if payment.fee else order.currency if payment.gateway == "shopify_payments" else None
    return {
        "id": gid("OrderTransaction", payment.id), "kind": payment.kind, "status": payment.status, "test": payment.test,
        "gateway": payment.gateway, "formattedGateway": payment.gateway.replace("_", " ").title(),
        "manualPaymentGateway": payment.gateway in BY_HAND, "createdAt": stamp(payment.created_at or payment.at),
        "processedAt": stamp(payment.at), "paymentId": f"{order.name}.{payment.id}", "errorCode": payment.error,
        "amountSet": bags.of(payment.amount), "amountRoundingSet": bags.of(payment.rounding) if payment.rounding else None,
        "parentTransaction": before.get(payment.parent) if payment.parent is not None else None, "settlementCurrency": settled,
        "settlementCurrencyRate": "1.0" if settled == order.currency else None, "fees": [_fee(payment.id, payment.fee)] if payment.fee else [],
        "currencyExchangeAdjustment": None, "order": of.again,
    }  # fmt: skip


def _fee(payment: int, fee: ProcessorFee) -> Row:
    return {
        "id": gid("TransactionFee", payment), "type": "processing_fee", "rate": decimal(fee.rate, 6), "rateName": "default", "flatFeeName": None,
        "amount": money(fee.amount, fee.currency), "flatFee": money(fee.flat, fee.currency), "taxAmount": money(0, fee.currency),
    }  # fmt: skip


def refund_rows(of: OrderRow) -> list[Row]:
    """Return an order's refunds."""
    transactions = transaction_rows(of)
    return [_refund(of, refund, transactions) for refund in of.order.refunds]


def _refund(of: OrderRow, refund: Refund, transactions: dict[int, Row]) -> Row:
    bags, number = of.bags, refund.return_id
    return {
        "id": gid("Refund", refund.id), "legacyResourceId": str(refund.id), "createdAt": stamp(refund.created_at),
        "processedAt": stamp(refund.processed_at), "updatedAt": stamp(refund.updated_at), "note": refund.note or None, "order": of.again,
        "return": (lambda: next((row for row in of.returns() if row["id"] == gid("Return", number or 0)), None)) if number else None,
        "totalRefundedSet": bags.of(refund.total_refunded), "refundLineItems": [_refund_line(of, line) for line in refund.lines],
        "refundShippingLines": [
            {
                "id": gid("RefundShippingLine", line.id), "shippingLine": of.shipping[line.shipping_line],
                "subtotalAmountSet": bags.of(line.subtotal), "taxAmountSet": bags.of(line.tax),
            }
            for line in refund.shipping_lines
        ],
        "orderAdjustments": [
            {"id": gid("OrderAdjustment", each.id), "reason": each.reason, "amountSet": bags.of(each.amount), "taxAmountSet": bags.of(each.tax)}
            for each in refund.adjustments
        ],
        "duties": [{"amountSet": bags.of(amount), "originalDuty": None} for amount in refund.duties],
        "transactions": [transactions[payment.id] for payment in refund.transactions if payment.id in transactions],
    }  # fmt: skip


def _refund_line(of: OrderRow, line: RefundLine) -> Row:
    bags = of.bags
    return {
        "id": gid("RefundLineItem", line.id), "quantity": line.quantity, "restockType": line.restock_type, "restocked": line.restocked,
        "location": of.near.row("Location", line.location) if line.location is not None else None, "lineItem": of.lines[line.line],
        "priceSet": bags.of(line.price), "subtotalSet": bags.of(line.subtotal), "totalTaxSet": bags.of(line.tax),
    }  # fmt: skip


def return_rows(of: OrderRow) -> list[Row]:
    """Return an order's returns."""
    rows = []
    for each in of.order.returns:
        number = each.id
        exchanged = [
            {"id": gid("ExchangeLineItem", line), "quantity": of.lines[line]["quantity"], "lineItems": [of.lines[line]]}
            for line in each.exchange_lines
        ]
        refunds = [refund.id for refund in of.order.refunds if refund.return_id == number]
        rows.append(
            {
                "id": gid("Return", number), "name": each.name, "status": each.status, "createdAt": stamp(each.created_at), "order": of.again,
                "exchangeLineItems": exchanged, "refunds": _those(of, refunds),
            }
        )  # fmt: skip
    return rows


def _those(of: OrderRow, numbers: list[int]) -> object:
    return lambda: [row for row in refund_rows(of) if int(row["legacyResourceId"]) in numbers]


# Shopify Payments


def balance_row(move: BalanceTransaction) -> Row:
    """Return a movement of the balance."""
    order, payout = move.order, move.payout
    return {
        "id": gid("ShopifyPaymentsBalanceTransaction", move.id), "type": move.type, "test": move.test, "transactionDate": stamp(move.at),
        "amount": money(move.amount, move.currency), "fee": money(move.fee, move.currency), "net": money(move.net, move.currency),
        "sourceId": str(move.source_id) if move.source_id is not None else None, "sourceType": move.source_type,
        "sourceOrderTransactionId": str(move.payment) if move.payment is not None else None, "adjustmentReason": move.reason,
        "associatedOrder": {"id": gid("Order", order), "name": move.order_name} if order is not None else None,
        "associatedPayout": {"id": gid("ShopifyPaymentsPayout", payout) if payout is not None else None, "status": move.payout_status},
        "adjustmentsOrders": [],
    }  # fmt: skip


def payout_row(payout: Payout) -> Row:
    """Return a payout with its summary."""
    return {
        "id": gid("ShopifyPaymentsPayout", payout.id), "legacyResourceId": str(payout.id), "issuedAt": stamp(payout.issued_at),
        "status": payout.status, "transactionType": payout.type, "externalTraceId": payout.trace, "net": money(payout.net, payout.currency),
        "summary": {field: money(payout.parts.get(part, 0), payout.currency) for field, part in PAYOUT_PARTS.items()},
    }  # fmt: skip


def dispute_row(dispute: Dispute, order: object) -> Row:
    """Return a dispute."""
    return {
        "id": gid("ShopifyPaymentsDispute", dispute.id), "legacyResourceId": str(dispute.id), "initiatedAt": stamp(dispute.initiated_at),
        "finalizedOn": day_stamp(dispute.finalized_on), "evidenceDueBy": stamped(None), "status": dispute.status, "type": dispute.type,
        "amount": money(dispute.amount, dispute.currency), "reasonDetails": {"reason": dispute.reason, "networkReasonCode": None},
        "order": order,
    }  # fmt: skip
