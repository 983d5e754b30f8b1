"""Answer for one order: its columns, what each line costs and why, its payments' fees, and every entry it ever had."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

from msgspec import Struct

from ledger import accounts, mirror
from ledger.costing import ESTIMATED_SOURCES, reason
from ledger.days import day_of
from ledger.drafting import Terms, load_terms, order_costs_of, shipping_reasons
from ledger.drafts.charges import part_of
from ledger.drafts.order_costs import Share
from ledger.drafts.sales import BookTerms
from ledger.drafts.told_fees import match_fees
from ledger.fees import Fee, FeeRules, payment_fee
from ledger.kinds import CauseKind, FinancialStatus, Hold, PaymentKind, PaymentStatus, SourceKind
from ledger.models import Batch, Entry, Order, Store
from ledger.money import Tenk, decimal
from ledger.rows import LineRow, OrderRow, PaymentRow

COLUMNS = ("revenue", "cogs", "shipping", "tax", "payment_fees", "other_fees", "fees", "marketing_costs", "profit")
"""An order's columns. `fees` is tax, payment fees and other fees together; profit is revenue less all costs."""

AD_SHARE = "not attributed yet"
"""What is said of an order's share of advertising: it is not known, which is not zero."""

MOST = 50
"""Orders shown for one number; numbers repeat across platforms, not by the hundred."""


class LineView(Struct, frozen=True):
    """One line: list price and cost of one unit in the order's currency, and why it costs that."""

    title: str
    sku: str
    quantity: int
    unit_price: Decimal
    unit_cost: Decimal | None
    why: str
    estimated: bool


class PaymentView(Struct, frozen=True):
    """One movement of money in the order's currency; `fee` as booked, in the book's, so a cost is negative."""

    day: date
    kind: str
    status: str
    gateway: str
    amount: Decimal
    fee: Decimal
    why: str
    estimated: bool


class EntryView(Struct, frozen=True):
    """One entry with the batch it came in and what caused that."""

    seq: int
    recorded_at: datetime
    cause: str
    cause_ref: str
    actor: str
    day: date
    event_day: date
    account: str
    amount: Decimal
    estimated: bool
    reverses: bool
    original_amount: Decimal | None
    currency: str | None
    rate: Decimal | None
    rate_day: date | None


class RuleCost(Struct, frozen=True):
    """What one rule about orders cost an order, in the book's currency; a cost is negative."""

    rule: str
    account: str
    amount: Decimal


class OrderView(Struct, frozen=True):
    """One order's profit and everything it rests on."""

    id: int
    number: str
    platform: str
    placed_at: datetime
    day: date
    currency: str
    status: str
    counts: bool
    remark: str
    """Why the order is in no figure; empty when nothing keeps it out."""
    columns: dict[str, Decimal]
    """By `COLUMNS`, in the book's currency, costs positive as the order keeps them."""
    margin: Decimal | None
    """Profit in per cent of `margin_base`; None when that is zero."""
    margin_base: Decimal
    margin_basis: str
    estimated_share: Decimal | None
    shipping_why: str
    rule_costs: list[RuleCost]
    lines: list[LineView]
    payments: list[PaymentView]
    entries: list[EntryView]


class Reasons(Struct, frozen=True):
    """Why an order's shipping and each of its payments (by part) cost what they cost, and what rules about orders cost it."""

    shipping: str
    fees: dict[int, str]
    fee_parts: dict[int, int]
    """Which payment the entries of a fee that a file tells are of, by their part."""
    rule_costs: list[RuleCost]


def reasons(store: Store, rows: Sequence[OrderRow]) -> dict[int, Reasons]:
    """Say, per order, why it costs what it costs, by the rules that hold now."""
    return _reasons(rows, load_terms(store, rows))


def _reasons(rows: Sequence[OrderRow], terms: Terms) -> dict[int, Reasons]:
    shipping, shares = shipping_reasons(rows, terms), order_costs_of(rows, terms)
    return {
        row.id: Reasons(
            shipping[row.id], fee_reasons(row, terms.book.fees), fee_parts(row),
            _rule_costs(shares[row.id]),
        )
        for row in rows
    }  # fmt: skip


def _rule_costs(shares: Sequence[Share]) -> list[RuleCost]:
    """Add the days of each rule up: what it cost less what refunds gave back."""
    sums: dict[tuple[str, str], Tenk] = {}
    for share in shares:
        key = share.terms.name, accounts.name_of(share.terms.account)
        sums[key] = sums.get(key, 0) + share.amount
    return [RuleCost(rule, account, decimal(amount)) for (rule, account), amount in sums.items()]


def order_profit(store: Store, number: str) -> list[OrderView]:
    """Return every order of a store with a number (with or without its #), oldest first; none when there is none."""
    bare = number.removeprefix("#")
    orders = list(Order.objects.filter(store=store, number__in=[bare, f"#{bare}"]).order_by("placed_at", "pk")[:MOST])
    ids = [order.pk for order in orders]
    rows = {row.id: row for row in mirror.load(store.pk, ids)} if ids else {}
    entries = _entries(store, ids)
    terms = load_terms(store, list(rows.values()))
    why = _reasons(list(rows.values()), terms)
    return [_view(store, order, rows[order.pk], entries.get(order.pk, []), terms.book, why[order.pk]) for order in orders]


def _entries(store: Store, ids: Sequence[int]) -> dict[int, list[Entry]]:
    found: dict[int, list[Entry]] = {}
    rows = Entry.objects.filter(book_id=store.pk, source_kind=SourceKind.ORDER, source_id__in=ids)
    for entry in rows.order_by("seq", "event_day", "account", "part", "-reverses", "revision"):
        found.setdefault(entry.source_id, []).append(entry)
    return found


def _view(store: Store, order: Order, row: OrderRow, entries: Sequence[Entry], terms: BookTerms, why: Reasons) -> OrderView:
    columns: dict[str, Decimal] = {name: getattr(order, name) for name in COLUMNS}
    total_sales = store.margin_basis == Store.MarginBasis.TOTAL_SALES
    base = columns["revenue"] if total_sales else columns["revenue"] - columns["tax"]
    margin = (columns["profit"] / base * 100).quantize(Decimal("0.0001")) if base else None
    fees: dict[int, Decimal] = {}
    told = fee_parts(row)
    for entry in entries:
        if entry.account == accounts.FEES_PAYMENT:
            part = told.get(entry.part, entry.part)
            fees[part] = fees.get(part, Decimal(0)) + entry.amount
    return OrderView(
        order.pk, order.number, order.platform, order.placed_at, order.day, order.currency, row.status.label, order.counts, _remark(order),
        columns, margin, base, Store.MarginBasis(store.margin_basis).label, order.estimated_share, why.shipping, why.rule_costs,
        [_line(line) for line in row.lines], _payments(row, fees, terms.fees),
        _explained(store, entries),
    )  # fmt: skip


def _remark(order: Order) -> str:
    if order.withdrawn_at is not None:
        return "withdrawn: the import that brought it was undone"
    if order.is_test:
        return "a test order"
    if order.hold != Hold.NONE:
        return f"held: {Hold(order.hold).label}"
    if order.counts:
        return ""
    return f"not counted as an order: {FinancialStatus(order.financial_status).label}, or worth nothing"


def _line(line: LineRow) -> LineView:
    share = None if line.cost_percentage is None else decimal(line.cost_percentage)
    price = decimal(line.unit_price)
    cost = None if line.unit_cost is None else decimal(line.unit_cost)
    why = reason(line.cost_source, price, share)
    return LineView(line.title, line.sku, line.quantity, price, cost, why, line.cost_source in ESTIMATED_SOURCES)


def fee_parts(row: OrderRow) -> dict[int, int]:
    """Return which payment each told fee is of: the payment's part, by the part of the fee's entries."""
    payments = match_fees(row).payments
    return {part_of(charge): payments[charge.id] for charge in row.charges if charge.id in payments}


def fee_reasons(row: OrderRow, rules: FeeRules) -> dict[int, str]:
    """Say why each payment's fee is what it is, by the payment's part."""
    covered = match_fees(row).covered
    return {payment.part: _fee(payment, row.currency, rules, covered.get(payment.part, 0)).reason for payment in row.payments}


def _payments(row: OrderRow, fees: Mapping[int, Decimal], rules: FeeRules) -> list[PaymentView]:
    covered = match_fees(row).covered
    return [_payment(payment, fees, _fee(payment, row.currency, rules, covered.get(payment.part, 0))) for payment in row.payments]


def _payment(payment: PaymentRow, fees: Mapping[int, Decimal], fee: Fee) -> PaymentView:
    """Tell a payment's booked fee and why; the reason depends on what the payment is, not on rates or amounts."""
    status = PaymentStatus(payment.status)
    successful = status == PaymentStatus.SUCCESS
    return PaymentView(
        day_of(payment.day), PaymentKind(payment.kind).label, status.label, payment.gateway, decimal(payment.amount),
        fees.get(payment.part, Decimal(0)), fee.reason if successful else f"no fee: {status.label}", successful and fee.estimated,
    )  # fmt: skip


def _explained(store: Store, entries: Sequence[Entry]) -> list[EntryView]:
    batches = {batch.seq: batch for batch in Batch.objects.filter(book_id=store.pk, seq__in={entry.seq for entry in entries})}
    views = []
    for entry in entries:
        batch = batches[entry.seq]
        views.append(
            EntryView(
                entry.seq, batch.recorded_at, CauseKind(batch.cause).label, batch.cause_ref, batch.actor, entry.day, entry.event_day,
                accounts.name_of(entry.account), entry.amount, entry.estimated, entry.reverses,
                entry.original_amount, entry.currency, entry.rate, entry.rate_day,
            )
        )  # fmt: skip
    return views


def _fee(payment: PaymentRow, currency: str, rules: FeeRules, told: Tenk) -> Fee:
    """Decide a fee for its reason only: that depends on what the payment is, not on rates."""
    terms = rules.on(payment.gateway, currency, payment.day)
    return payment_fee(payment, charged=payment.amount - told, stated=payment.fee, terms=terms, told=told)
