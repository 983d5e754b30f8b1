"""Build facts for tests: valid by default, so that a test says only what matters to it.

Amounts are texts such as "12.34", times are UTC texts such as "2026-03-03 12:00".
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count

from ledger.cause import Cause
from ledger.facts import LineFact, OrderCostFact, OrderFact, PaymentFact, SaleFact
from ledger.kinds import AWAITS_PAYMENT, CauseKind, FinancialStatus, PaymentKind, PaymentStatus, RateSource, SaleKind, SaleType
from ledger.models import Book, Store, StoreZone
from ledger.money import Tenk, split, tenk
from ledger.rates import add_rates
from ledger.record import Recorded, record
from ledger.stores import open_store

NOON = "2026-03-03 12:00"
"""When an order is placed unless the test says otherwise; a Tuesday."""

SYNC = Cause(CauseKind.SYNC, "sync:1")

_stores = count(1)


def money(text: str) -> Tenk:
    """Read an amount."""
    return tenk(Decimal(text))


def at(text: str) -> datetime:
    """Read a UTC time."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def day(text: str) -> date:
    """Read a day."""
    return date.fromisoformat(text)


def a_store(*, currency: str = "EUR", zone: str = "UTC", slug: str | None = None) -> Store:
    """Open a store with an empty book."""
    name = slug or f"store-{next(_stores)}"
    return open_store(slug=name, name=name.capitalize(), currency=currency, zone=zone)


def move_to(store: Store, zone: str, *, from_day: str) -> None:
    """Give a store another time zone from a day on."""
    StoreZone.objects.create(store=store, zone=zone, from_day=day(from_day))


def book_of(store: Store) -> Book:
    """Read a store's book as it is now."""
    return Book.objects.get(pk=store.pk)


def close_through(store: Store, last: str) -> None:
    """Close the days of a store's book up to one."""
    Book.objects.filter(pk=store.pk).update(closed_through=day(last))


def ecb(*rows: tuple[str, str, str]) -> int:
    """Add rates of the European Central Bank: (currency, day, units per euro)."""
    return add_rates([(currency, day(on), Decimal(per_euro)) for currency, on, per_euro in rows], source=RateSource.ECB)


def write(store: Store, *facts: OrderFact, cause: Cause = SYNC) -> Recorded:
    """Record facts, by a sync unless the test says otherwise."""
    return record(store, facts, cause=cause)


def a_line(external_id: str = "1", *, price: str = "50.00", quantity: int = 1, variant: str | None = "", cost: str | None = None) -> LineFact:
    """Make an order line; its variant is named after it, and None makes it no product of the catalogue."""
    named = f"v{external_id}" if variant == "" else variant
    return LineFact(
        external_id, quantity, money(price), named, sku=f"SKU-{external_id}", title=f"Thing {external_id}",
        unit_cost=None if cost is None else money(cost),
    )  # fmt: skip


def a_sale(
    external_id: str, net: str, *, kind: SaleKind = SaleKind.ORDER, type: SaleType = SaleType.PRODUCT, line: str | None = None,
    quantity: int = 0, discount: str = "0", tax: str = "0", restocked: bool = False, when: str = NOON,
) -> SaleFact:  # fmt: skip
    """Make one sale event."""
    return SaleFact(external_id, at(when), kind, type, money(net), line, quantity, money(discount), money(tax), restocked)


def a_refund(
    net: str = "50.00", *, line: str | None = "1", quantity: int = 1, discount: str = "0", tax: str = "0", restocked: bool = False,
    when: str = "2026-03-10 12:00", external_id: str = "refund", kind: SaleKind = SaleKind.REFUND, type: SaleType = SaleType.PRODUCT,
) -> SaleFact:  # fmt: skip
    """Make a refund of goods; amounts and quantity are given positive, as a person says them."""
    gone = SaleFact(external_id, at(when), kind, type, -money(net), line, -quantity, -money(discount), -money(tax), restocked)
    return gone if line is not None else SaleFact(external_id, at(when), kind, type, -money(net), None, 0, 0, -money(tax), restocked)


def an_edit(
    net: str = "50.00",
    *,
    line: str = "1",
    quantity: int = 1,
    tax: str = "0",
    discount: str = "0",
    when: str = "2026-03-05 12:00",
    external_id: str = "edit",
) -> SaleFact:
    """Make an order edit that adds units, or removes them when amounts and quantity are negative."""
    return a_sale(external_id, net, kind=SaleKind.EDIT, line=line, quantity=quantity, tax=tax, discount=discount, when=when)


def a_payment(
    amount: str, *, external_id: str = "p1", kind: PaymentKind = PaymentKind.SALE, status: PaymentStatus = PaymentStatus.SUCCESS,
    gateway: str = "stripe", fee: str | None = None, fee_currency: str = "", when: str = NOON,
) -> PaymentFact:  # fmt: skip
    """Make one successful charge."""
    return PaymentFact(external_id, at(when), kind, status, money(amount), gateway, None if fee is None else money(fee), fee_currency)


def a_cost(account: int, amount: str, *, external_id: str = "c1", when: str = NOON) -> OrderCostFact:
    """Make an actual cost of an order, signed as in the ledger."""
    return OrderCostFact(external_id, at(when), account, money(amount))


def an_order(
    number: str = "1001", *, lines: int | Sequence[LineFact] = 1, discount: str = "0", tax: str = "0", shipping: str = "0", shipping_tax: str = "0",
    tip: str = "0", when: str = NOON, then: Sequence[SaleFact] = (), sales: Sequence[SaleFact] | None = None,
    payments: Sequence[PaymentFact] | None = None, gateway: str = "stripe", fee: str | None = None, costs: Sequence[OrderCostFact] = (),
    status: FinancialStatus = FinancialStatus.PAID, currency: str = "EUR", channel: str = "online", customer: str | None = None,
    country: str = "DE", test: bool = False, cancelled: str | None = None, shipped: bool = True, updated: str | None = None,
    stated_total: str | None = None, stated_refunded: str | None = None, platform: str = "shop",
    codes: Sequence[str] = (), method: str = "", grams: int | None = None,
) -> OrderFact:  # fmt: skip
    """Make an order: so many lines of one unit at 50.00, paid in full by card.

    Discount and tax are spread over the lines by value; `then` holds what happened later; `sales` replaces the
    events of the first sale altogether.
    """
    goods = [a_line(str(index + 1)) for index in range(lines)] if isinstance(lines, int) else list(lines)
    first = list(sales) if sales is not None else _sold(goods, discount, tax, shipping, shipping_tax, tip, when)
    charged = sum(sale.net + sale.tax for sale in first)
    if payments is None:
        paid = not (status in AWAITS_PAYMENT or charged <= 0)
        payments = (
            [PaymentFact("p1", at(when), PaymentKind.SALE, PaymentStatus.SUCCESS, charged, gateway, None if fee is None else money(fee))]
            if paid
            else []
        )
    return OrderFact(
        platform, number, f"#{number}", at(when), currency, status, channel, tuple(goods), (*first, *then), tuple(payments), tuple(costs),
        customer=None if customer is None else customer.encode().ljust(16, b"\0"), country=country, is_test=test,
        cancelled_at=None if cancelled is None else at(cancelled), shipped=shipped, updated_at=None if updated is None else at(updated),
        stated_total=None if stated_total is None else money(stated_total),
        stated_refunded=None if stated_refunded is None else money(stated_refunded), discount_codes=tuple(codes), shipping_method=method,
        grams=grams,
    )  # fmt: skip


def _sold(goods: Sequence[LineFact], discount: str, tax: str, shipping: str, shipping_tax: str, tip: str, when: str) -> list[SaleFact]:
    values = [line.unit_price * line.quantity for line in goods]
    discounts, taxes = (split(money(text), values, step=100) if goods else [] for text in (discount, tax))
    first = [
        SaleFact(f"s{line.external_id}", at(when), SaleKind.ORDER, SaleType.PRODUCT, value - off, line.external_id, line.quantity, off, duty)
        for line, value, off, duty in zip(goods, values, discounts, taxes, strict=True)
    ]
    if money(shipping) or money(shipping_tax):
        first.append(a_sale("shipping", shipping, type=SaleType.SHIPPING, tax=shipping_tax, when=when))
    if money(tip):
        first.append(a_sale("tip", tip, type=SaleType.TIP, when=when))
    return first
