"""Read what the order pages show: the list, and one order down to its ledger entries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import cast

from django.urls import NoReverseMatch, reverse

from ledger import accounts, mirror
from ledger.costing import ESTIMATED_SOURCES, reason
from ledger.kinds import CostSource, Hold, SourceKind
from ledger.models import Batch, Entry, Order, OrderCost, OrderLine, Payment, Sale, Store
from ledger.orders_view import AD_SHARE, Reasons, RuleCost, reasons

PER_PAGE = 50


@dataclass(slots=True)
class ListedOrder:
    """One order in the list."""

    order: Order
    address: str
    margin: Decimal | None
    flags: list[tuple[str, str]]


@dataclass(slots=True)
class Page:
    """One page of the list, newest first."""

    orders: list[ListedOrder]
    number: int
    has_next: bool


@dataclass(slots=True)
class LineView:
    """One order line with its cost and the reason for it."""

    line: OrderLine
    cost: Decimal | None
    currency: str
    why: str
    estimated: bool


@dataclass(slots=True)
class PaymentView:
    """One payment with the fee that was booked for it and the reason."""

    payment: Payment
    fee: Decimal
    why: str
    estimated: bool


@dataclass(slots=True)
class EntryView:
    """One ledger entry with its account's name and its batch's time and cause."""

    entry: Entry
    account: str
    is_count: bool
    recorded_at: datetime | None
    cause: str


@dataclass(slots=True)
class OrderPage:
    """Everything known about one order."""

    order: Order
    margin: Decimal | None
    flags: list[tuple[str, str]]
    columns: list[tuple[str, Decimal | None]]
    """None for the share of advertising: it is not known, which is not zero."""
    lines: list[LineView]
    sales: list[Sale]
    payments: list[PaymentView]
    costs: list[tuple[OrderCost, str]]
    entries: list[EntryView]
    net_of_entries: Decimal
    shipping_why: str
    rule_costs: list[RuleCost]
    advertising: str = AD_SHARE


def listed(store: Store, *, number: str = "", held: bool = False, page: int = 1) -> Page:
    """Return one page of a store's orders, newest first; a number is matched whole, with or without its #."""
    found = Order.objects.filter(store_id=store.pk)
    if number:
        found = found.filter(number__in={number, f"#{number}", number.lstrip("#")})
    if held:
        found = found.filter(hold__gt=Hold.NONE.value)
    start = (page - 1) * PER_PAGE
    rows = list(found.order_by("-day", "-id")[start : start + PER_PAGE + 1])
    shown = [ListedOrder(order, order_address(store, order.number), order_margin(store, order), flags_of(order)) for order in rows[:PER_PAGE]]
    return Page(shown, page, len(rows) > PER_PAGE)


def order_address(store: Store, number: str) -> str:
    """Return the address of an order's page; empty for a number no address can hold."""
    try:
        return reverse("order", kwargs={"slug": store.slug, "number": number})
    except NoReverseMatch:
        return ""


def order_margin(store: Store, order: Order) -> Decimal | None:
    """Return profit as a share of the store's margin base; None when the base is not above zero."""
    tax = Decimal(0) if store.margin_basis == Store.MarginBasis.TOTAL_SALES else _money(order.tax)
    base = _money(order.revenue) - tax
    return _money(order.profit) / base if base > 0 and order.hold == Hold.NONE else None


def flags_of(order: Order) -> list[tuple[str, str]]:
    """Name what is special about an order: (css class, words)."""
    named = [
        (order.hold != Hold.NONE, "held", f"held: {Hold(order.hold).label}"),
        (order.hold == Hold.NONE and _money(order.profit) < 0, "loss", "loss"),
        (bool(order.estimated_share), "estimated", "estimated"),
        (order.is_test, "quiet", "test"),
        (order.cancelled_at is not None, "quiet", "cancelled"),
        (order.withdrawn_at is not None, "quiet", "import undone"),
        (not order.counts and not order.is_test, "quiet", f"not counted ({order.get_financial_status_display()})"),
    ]
    return [(css, words) for applies, css, words in named if applies]


def order_pages(store: Store, number: str) -> list[OrderPage]:
    """Return every order of a store with a number; two platforms may use the same one."""
    orders = list(Order.objects.filter(store_id=store.pk, number=number).order_by("-day", "id")[:10])
    ids = [order.pk for order in orders]
    under = {"store_id": store.pk, "order_id__in": ids}
    lines = list(OrderLine.objects.filter(**under).order_by("order_id", "part"))
    sales = list(Sale.objects.filter(**under).order_by("happened_at", "part"))
    payments = list(Payment.objects.filter(**under).order_by("processed_at", "part"))
    costs = list(OrderCost.objects.filter(**under).order_by("happened_at", "part"))
    entries = list(
        Entry.objects.filter(book_id=store.pk, source_kind=SourceKind.ORDER.value, source_id__in=ids)
        .order_by("seq", "reverses", "account", "part", "revision")
    )  # fmt: skip
    whys = reasons(store, mirror.load(store.pk, ids))
    batches = {batch.seq: batch for batch in Batch.objects.filter(book_id=store.pk, seq__in={entry.seq for entry in entries})}
    return [
        _page(
            store, order, [one for one in lines if one.order_id == order.pk], [one for one in sales if one.order_id == order.pk],
            [one for one in payments if one.order_id == order.pk], [one for one in costs if one.order_id == order.pk],
            [one for one in entries if one.source_id == order.pk], batches, whys[order.pk],
        )
        for order in orders
    ]  # fmt: skip


def _page(
    store: Store, order: Order, lines: Sequence[OrderLine], sales: Sequence[Sale], payments: Sequence[Payment],
    costs: Sequence[OrderCost], entries: Sequence[Entry], batches: dict[int, Batch], why: Reasons,
) -> OrderPage:  # fmt: skip
    fees = [entry for entry in entries if entry.account == accounts.FEES_PAYMENT]
    return OrderPage(
        order=order, margin=order_margin(store, order), flags=flags_of(order), columns=_columns(order),
        lines=[_line(line, order.currency) for line in lines], sales=list(sales),
        payments=[
            _payment(payment, [fee for fee in fees if why.fee_parts.get(fee.part, fee.part) == payment.part], why.fees[payment.part])
            for payment in payments
        ],
        costs=[(cost, accounts.name_of(cost.account)) for cost in costs],
        entries=[_entry(entry, batches.get(entry.seq)) for entry in entries],
        net_of_entries=sum((entry.amount for entry in entries if accounts.in_profit(entry.account)), Decimal(0)),
        shipping_why=why.shipping, rule_costs=why.rule_costs,
    )  # fmt: skip


def _columns(order: Order) -> list[tuple[str, Decimal | None]]:
    costs = [
        ("COGS", order.cogs), ("Shipping", order.shipping), ("Tax and duty collected", order.tax), ("Payment fees", order.payment_fees),
        ("Other fees", order.other_fees), ("Marketing linked to this order", order.marketing_costs),
    ]  # fmt: skip
    signed = [(label, -_money(value)) for label, value in costs]
    return [("Revenue, tax and shipping included", _money(order.revenue)), *signed, ("Share of advertising", None), ("Profit", _money(order.profit))]


def _money(value: object) -> Decimal:
    """Tell the type checker that a money column that is never empty holds a Decimal."""
    return cast(Decimal, value)


def _line(line: OrderLine, currency: str) -> LineView:
    cost = None if line.unit_cost is None else _money(line.unit_cost) * line.quantity
    source = CostSource(line.cost_source)
    return LineView(
        line,
        cost,
        line.cost_currency or currency,
        reason(line.cost_source, _money(line.unit_price), line.cost_percentage),
        source in ESTIMATED_SOURCES,
    )


def _payment(payment: Payment, entries: Sequence[Entry], why: str) -> PaymentView:
    booked = -sum((entry.amount for entry in entries), Decimal(0))
    estimated = booked != 0 and any(entry.estimated for entry in entries)
    return PaymentView(payment, booked, why, estimated)


def _entry(entry: Entry, batch: Batch | None) -> EntryView:
    cause = f"{batch.get_cause_display()} ({batch.cause_ref})" if batch else ""
    return EntryView(
        entry, accounts.name_of(entry.account), accounts.under(accounts.name_of(entry.account), "stat"), batch.recorded_at if batch else None, cause
    )
