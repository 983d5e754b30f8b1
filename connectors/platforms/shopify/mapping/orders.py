"""Map an order of Shopify to an order fact, however it was read: in a page, by itself, or from bulk files."""

from collections.abc import Iterator, Mapping

from connectors.faults import BadPayload
from connectors.platforms.shopify import words
from connectors.platforms.shopify.mapping.derived import derived_sales
from connectors.platforms.shopify.mapping.journey import journey_of
from connectors.platforms.shopify.mapping.stated import Told, list_prices, stated_sales, why_not_stated
from connectors.platforms.shopify.shape import Address, Line, Order, Transaction, read, tail
from connectors.spec import Context, Json
from ledger.facts import LineFact, OrderFact, PaymentFact, SaleFact
from ledger.kinds import FinancialStatus, PaymentKind, PaymentStatus, SaleKind, SalesBasis, SaleType
from ledger.money import Tenk

PLATFORM = "shopify"
SHOPIFY_PAYMENTS = "shopify_payments"
LONGEST_TITLE, LONGEST_KEY = 255, 120


def order_facts(record: Json, context: Context) -> Iterator[OrderFact]:
    """Map one order; raise BadPayload when it is not what Shopify documents."""
    order = read(record, Order)
    why_not = why_not_stated(order)
    yield order_fact(order, derived_sales(order) if why_not else stated_sales(order), context, why_not=why_not)


def order_fact(order: Order, told: Told, context: Context, *, why_not: str) -> OrderFact:
    """Make the fact of an order whose sales are known; `why_not` says why they are not its agreements'."""
    if not order.currency_code:
        raise BadPayload("The order has no currency.", record=order.id)
    address = order.shipping_address or Address()
    prices = list_prices(told.sales)
    types = {sale.line: sale.type for sale in told.sales if sale.line is not None}
    refunded = order.total_refunded_set.units
    rounded = tuple(_roundings(order))
    journey, touches = journey_of(order.customer_journey_summary)
    return OrderFact(
        PLATFORM, tail(order.id), order.name[:80], order.processed_at, order.currency_code,
        words.STATUSES.get(order.display_financial_status or "", FinancialStatus.UNKNOWN),
        words.channel(order.source_name or "", tail(order.app.id) if order.app is not None else ""),
        tuple(_line(line, prices, types) for line in order.line_items.nodes), (*told.sales, *rounded), tuple(_payments(order)), (),
        SalesBasis.DERIVED if why_not else SalesBasis.STATED,
        customer=context.identify(tail(order.customer.id)) if order.customer is not None else None,
        country=address.country_code_v2 or "", region=(address.province_code or "")[:60],
        is_test=order.test, cancelled_at=order.cancelled_at, shipped=order.display_fulfillment_status in words.SHIPPED, updated_at=order.updated_at,
        stated_total=told.total + refunded + sum(sale.net for sale in rounded), stated_refunded=refunded,
        discount_codes=tuple(sorted({code.strip().upper()[:80] for code in order.discount_codes if code.strip()})),
        shipping_method=next((line.title[:120] for line in order.shipping_lines.nodes if not line.is_removed), ""),
        grams=_grams(order), references=tuple(dict.fromkeys(each.payment_id[:120] for each in order.transactions if each.payment_id)),
        worked_out=why_not, coarse=any(refund.refund_line_items is None for refund in order.refunds),
        journey=journey, touches=touches, location=tail(order.retail_location.id)[:60] if order.retail_location is not None else "",
    )  # fmt: skip


def _line(line: Line, prices: Mapping[str, Tenk], types: Mapping[str, SaleType]) -> LineFact:
    """Make a line. What is no product any more, or never was, is known by its SKU, or its name where it has none."""
    key = tail(line.id)
    sku, title = (line.sku or "").strip()[:LONGEST_KEY], line.title[:LONGEST_TITLE]
    is_product = types.get(key, SaleType.PRODUCT) == SaleType.PRODUCT and not line.is_gift_card
    variant = (tail(line.variant.id) if line.variant is not None else sku or title[:LONGEST_KEY] or None) if is_product else None
    price = prices.get(key)
    return LineFact(
        key, line.quantity, line.original_unit_price_set.units if price is None else price, variant, sku, title,
        by_name=is_product and line.variant is None,
    )  # fmt: skip


def _roundings(order: Order) -> Iterator[SaleFact]:
    """Yield what rounding to coins brought or cost on the day of each payment; the sales are what the prices say."""
    for transaction in _moved(order):
        units = transaction.amount_rounding_set.units if transaction.amount_rounding_set is not None else 0
        kind = words.KINDS[transaction.kind]
        if (
            units
            and kind in (PaymentKind.SALE, PaymentKind.CAPTURE, PaymentKind.REFUND)
            and words.OUTCOMES.get(transaction.status) == PaymentStatus.SUCCESS
        ):
            at = transaction.processed_at or transaction.created_at
            net = -units if kind == PaymentKind.REFUND else units
            yield SaleFact(f"rounding:{tail(transaction.id)}", at, SaleKind.EDIT, SaleType.ADJUSTMENT, net)


def _payments(order: Order) -> Iterator[PaymentFact]:
    """Yield the movements of money, attempts as well; those that only tried out the till are left out of real orders."""
    for transaction in _moved(order):
        kind = words.KINDS[transaction.kind]
        fee, currency = _fee(transaction)
        yield PaymentFact(
            tail(transaction.id), transaction.processed_at or transaction.created_at, kind, words.OUTCOMES.get(transaction.status, words.FAILED),
            abs(transaction.amount_set.units), words.gateway(transaction.gateway), fee, currency,
        )  # fmt: skip


def _moved(order: Order) -> list[Transaction]:
    return [each for each in order.transactions if each.kind in words.KINDS and (order.test or not each.test)]


def _fee(transaction: Transaction) -> tuple[Tenk | None, str]:
    """Return what Shopify Payments kept, in its payout currency; other gateways state no fee, and it states none before it settles."""
    if not transaction.fees or words.gateway(transaction.gateway) != SHOPIFY_PAYMENTS:
        return None, ""
    currencies = {fee.amount.currency_code for fee in transaction.fees}
    if len(currencies) > 1:
        raise BadPayload(f"The fees of the payment {transaction.id} are in several currencies.")
    return sum(fee.amount.units for fee in transaction.fees), currencies.pop()


def _grams(order: Order) -> int | None:
    try:
        grams = int(order.total_weight or 0)
    except ValueError as error:
        raise BadPayload(f"“{order.total_weight}” is not a weight in grams.", record=order.id) from error
    return grams or None
