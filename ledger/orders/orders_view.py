"""Answer for one order: its columns, what each line costs and why, its payments' fees, and every entry it ever had.

The one reader of an order: the order's page and the command `order` both show what it finds.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from msgspec import Struct

from ledger import accounts
from ledger.catalogue.locations import names_of
from ledger.cause import MOVED_BY
from ledger.costs.costing import BY_PERCENTAGE, ESTIMATED_SOURCES, reason
from ledger.costs.fees import Fee
from ledger.days import day_of, moment_of
from ledger.drafts.charges import standing
from ledger.kinds import (
    GIVEN_BACK,
    SOLD,
    CauseKind,
    ChargeKind,
    ChargeStatus,
    FinancialStatus,
    Hold,
    Journey,
    PaymentKind,
    PaymentStatus,
    SaleKind,
    SourceKind,
)
from ledger.models import Batch, Channel, Entry, Order, OrderCharge, Store
from ledger.money import decimal
from ledger.orders import mirror
from ledger.orders.order_parts import BatchView, ChargeView, CostView, EntryView, LineView, PaymentView, RuleCost, SaleView
from ledger.orders.order_question import DISPUTES, Flag
from ledger.orders.order_reasons import Reasons, reasons
from ledger.orders.rows import LineRow, OrderRow, PaymentRow, SaleRow

COLUMNS = ("revenue", "cogs", "shipping", "tax", "payment_fees", "other_fees", "fees", "marketing_costs", "profit")
"""An order's columns. `fees` is tax, payment fees and other fees together; profit is revenue less all costs."""

AD_SHARE = "not attributed yet"
"""What is said of an order's share of advertising: it is not known, which is not zero."""

MOST = 50
"""Orders shown for one number; numbers repeat across platforms, not by the hundred."""


class OrderView(Struct, frozen=True):
    """One order's profit and everything it rests on."""

    id: int
    number: str
    platform: str
    external_id: str
    placed_at: datetime
    day: date
    currency: str
    channel: str
    country: str
    status: str
    financial_status: int
    counts: bool
    is_test: bool
    cancelled_at: datetime | None
    withdrawn_at: datetime | None
    shipped: bool
    hold: int
    hold_currency: str
    remark: str
    """Why the order is in no figure; empty when nothing keeps it out."""
    flags: frozenset[Flag]
    discount_codes: tuple[str, ...]
    shipping_method: str
    sales_basis: str
    cause_ref: str
    """What last changed it."""
    told_by_platform: bool
    """Whether its platform itself told of it, not a file alone."""
    journey: Journey
    """How much is told of how its customer came (ledger/orders/touches.py)."""
    location: str
    """What the shop is called that it was sold in, or the platform's number of it; empty where no till took it."""
    columns: dict[str, Decimal]
    """By `COLUMNS`, in the book's currency, costs positive as the order keeps them."""
    margin: Decimal | None
    """Profit in per cent of `margin_base`; None when that is not above zero."""
    margin_base: Decimal
    margin_basis: str
    estimated_share: Decimal | None
    shipping_why: str
    rule_costs: list[RuleCost]
    lines: list[LineView]
    sales: list[SaleView]
    payments: list[PaymentView]
    costs: list[CostView]
    charges: list[ChargeView]
    entries: list[EntryView]
    batches: list[BatchView]

    @property
    def is_cancelled(self) -> bool:
        """Tell whether the order was cancelled."""
        return self.cancelled_at is not None

    @property
    def is_withdrawn(self) -> bool:
        """Tell whether the order was taken out: the import that brought it was undone, or its platform has deleted it."""
        return self.withdrawn_at is not None

    @property
    def live(self) -> list[EntryView]:
        """Return the entries that stand: neither reversed nor reversals, by account and part."""
        gone = {entry.key for entry in self.entries if entry.reverses}
        return sorted((entry for entry in self.entries if entry.key not in gone), key=lambda entry: (entry.account, entry.event_day, entry.part))

    @property
    def undone(self) -> list[EntryView]:
        """Return the entries that no longer stand, each with its reversal."""
        gone = {entry.key for entry in self.entries if entry.reverses}
        return [entry for entry in self.entries if entry.key in gone]

    @property
    def entries_profit(self) -> Decimal:
        """Return the sum of the entries in profit, in the book's currency; it is the order's profit."""
        return sum((batch.profit for batch in self.batches), Decimal(0))


class _Found(NamedTuple):
    """What was read of the orders that have a number."""

    store: Store
    why: dict[int, Reasons]
    entries: dict[int, list[Entry]]
    batches: dict[int, Batch]
    charges: dict[int, list[OrderCharge]]
    channels: dict[int, str]
    locations: dict[tuple[str, str], str]


def order_profit(store: Store, number: str) -> list[OrderView]:
    """Return every order of a store with a number (with or without its #), oldest first; none when there is none."""
    bare = number.removeprefix("#")
    orders = list(Order.objects.filter(store=store, number__in=[bare, f"#{bare}"]).order_by("placed_at", "pk")[:MOST])
    if not orders:
        return []
    ids = [order.pk for order in orders]
    rows = {row.id: row for row in mirror.load(store.pk, ids)}
    found = _Found(
        store, reasons(store, list(rows.values())), _entries(store, ids), {}, _charges(store, ids),
        dict(Channel.objects.filter(store=store, number__in={order.channel for order in orders}).values_list("number", "label")),
        names_of(store, {(order.platform, order.location) for order in orders if order.location}),
    )  # fmt: skip
    seqs = {entry.seq for entries in found.entries.values() for entry in entries}
    found.batches.update({batch.seq: batch for batch in Batch.objects.filter(book_id=store.pk, seq__in=seqs)})
    return [_view(order, rows[order.pk], found) for order in orders]


def _entries(store: Store, ids: Sequence[int]) -> dict[int, list[Entry]]:
    found: dict[int, list[Entry]] = {}
    rows = Entry.objects.filter(book_id=store.pk, source_kind=SourceKind.ORDER, source_id__in=ids)
    for entry in rows.order_by("seq", "event_day", "account", "part", "-reverses", "revision"):
        found.setdefault(entry.source_id, []).append(entry)
    return found


def _charges(store: Store, ids: Sequence[int]) -> dict[int, list[OrderCharge]]:
    found: dict[int, list[OrderCharge]] = {}
    for charge in OrderCharge.objects.filter(store=store, order_id__in=ids, removed_at=None).select_related("partner").order_by("pk"):
        found.setdefault(charge.order_id or 0, []).append(charge)
    return found


def _view(order: Order, row: OrderRow, found: _Found) -> OrderView:
    store, entries, why = found.store, found.entries.get(order.pk, []), found.why[order.pk]
    columns: dict[str, Decimal] = {name: getattr(order, name) for name in COLUMNS}
    total_sales = store.margin_basis == Store.MarginBasis.TOTAL_SALES
    base = columns["revenue"] if total_sales else columns["revenue"] - columns["tax"]
    margin = (columns["profit"] / base * 100).quantize(Decimal("0.0001")) if base > 0 and not order.hold else None
    booked = _booked_fees(entries, why.fee_parts)
    return OrderView(
        id=order.pk, number=order.number, platform=order.platform, external_id=order.external_id, placed_at=order.placed_at, day=order.day,
        currency=order.currency, channel=found.channels.get(order.channel, ""), country=order.country, status=row.status.label,
        financial_status=order.financial_status, counts=order.counts, is_test=order.is_test, cancelled_at=order.cancelled_at,
        withdrawn_at=order.withdrawn_at, shipped=order.shipped, hold=order.hold, hold_currency=order.hold_currency,
        remark=_remark(order), flags=_flags(order, row), discount_codes=row.discount_codes, shipping_method=row.shipping_method,
        sales_basis=order.get_sales_basis_display(), cause_ref=order.cause_ref,
        told_by_platform=order.platform_updated_at is not None, journey=Journey(order.journey),
        location=found.locations.get((order.platform, order.location), order.location), columns=columns, margin=margin, margin_base=base,
        margin_basis=Store.MarginBasis(store.margin_basis).label, estimated_share=order.estimated_share, shipping_why=why.shipping,
        rule_costs=why.rule_costs, lines=[_line(line, row.sales) for line in row.lines], sales=_sales(row),
        payments=[_payment(payment, booked, why.fees[payment.part]) for payment in row.payments],
        costs=[CostView(moment_of(cost.happened), day_of(cost.day), accounts.name_of(cost.account), decimal(cost.amount)) for cost in row.costs],
        charges=_charge_views(row, found.charges.get(order.pk, [])), entries=[_entry(entry, found.batches[entry.seq]) for entry in entries],
        batches=_batches(entries, found.batches),
    )  # fmt: skip


def _remark(order: Order) -> str:
    if order.withdrawn_at is not None:
        if order.cause_ref.startswith(MOVED_BY):
            return f"taken out of this store's figures: it is in those of the store in {order.currency}"
        undone = order.cause_ref.startswith("undo of ")
        return (
            "taken out of all figures: the import that brought it was undone" if undone else "taken out of all figures: its platform has deleted it"
        )
    if order.is_test:
        return "a test order"
    if order.hold != Hold.NONE:
        return f"held: {Hold(order.hold).label}"
    if order.counts:
        return ""
    return f"not counted as an order: {FinancialStatus(order.financial_status).label}, or worth nothing"


def _flags(order: Order, row: OrderRow) -> frozenset[Flag]:
    """Return what is special about an order, as its list finds it."""
    profit: Decimal = getattr(order, "profit")  # noqa: B009  the database computes it, and the type checker does not know
    kinds = {sale.kind for sale in row.sales}
    known = {
        Flag.LOSS: not order.hold and profit < 0, Flag.ESTIMATED: not order.hold and bool(order.estimated_share), Flag.HELD: bool(order.hold),
        Flag.REFUNDED: bool(kinds & GIVEN_BACK), Flag.EDITED: SaleKind.EDIT in kinds,
        Flag.DISPUTED: any(cost.account == accounts.FEES_DISPUTE for cost in row.costs) or any(charge.kind in DISPUTES for charge in row.charges),
        Flag.NO_COST: any(line.cost_source in BY_PERCENTAGE for line in row.lines),
    }  # fmt: skip
    return frozenset(flag for flag, applies in known.items() if applies)


def _line(line: LineRow, sales: Sequence[SaleRow]) -> LineView:
    share = None if line.cost_percentage is None else decimal(line.cost_percentage)
    price = decimal(line.unit_price)
    cost = None if line.unit_cost is None else decimal(line.unit_cost)
    own = [sale for sale in sales if sale.line_part == line.part]
    discount = decimal(sum(sale.discount for sale in own if sale.kind in SOLD))
    returned = -sum(sale.quantity for sale in own if sale.kind in GIVEN_BACK)
    why = reason(line.cost_source, price, share)
    return LineView(
        line.part, line.title, line.sku, line.quantity, returned, price, discount, cost, line.cost_currency, why,
        line.cost_source in ESTIMATED_SOURCES,
    )  # fmt: skip


def _sales(row: OrderRow) -> list[SaleView]:
    titles = {line.part: line.title or line.sku for line in row.lines}
    return [
        SaleView(
            moment_of(sale.happened), day_of(sale.day), sale.kind, sale.type, titles.get(sale.line_part, "") if sale.line_part is not None else "",
            sale.quantity, decimal(sale.net), decimal(sale.discount), decimal(sale.tax), sale.restocked, sale.estimated,
        )
        for sale in sorted(row.sales, key=lambda sale: (sale.happened, sale.part))
    ]  # fmt: skip


def _booked_fees(entries: Sequence[Entry], told: Mapping[int, int]) -> dict[int, Decimal]:
    """Add up what is booked for each payment; what a file tells counts with the payment it is the fee of."""
    fees: dict[int, Decimal] = {}
    for entry in entries:
        if entry.account == accounts.FEES_PAYMENT:
            part = told.get(entry.part, entry.part)
            fees[part] = fees.get(part, Decimal(0)) + entry.amount
    return fees


def _payment(payment: PaymentRow, booked: Mapping[int, Decimal], fee: Fee) -> PaymentView:
    """Tell a payment's booked fee and why; the reason depends on what the payment is, not on rates or amounts."""
    status = PaymentStatus(payment.status)
    successful = status == PaymentStatus.SUCCESS
    return PaymentView(
        moment_of(payment.processed), day_of(payment.day), PaymentKind(payment.kind).label, status.label, payment.gateway, decimal(payment.amount),
        booked.get(payment.part, Decimal(0)), fee.reason if successful else f"no fee: {status.label}", successful and fee.estimated,
    )  # fmt: skip


def _charge_views(row: OrderRow, told: Sequence[OrderCharge]) -> list[ChargeView]:
    """Tell the charges of files; `told` holds what the mirror's rows leave out: references, partners and imports."""
    by_id = {charge.pk: charge for charge in told}
    return [
        ChargeView(
            ChargeKind(charge.kind).label, by_id[charge.id].reference, str(by_id[charge.id].partner or ""), decimal(charge.amount), charge.currency,
            None if charge.day is None else day_of(charge.day), ChargeStatus(charge.status).label, standing(charge, row), by_id[charge.id].cause_ref,
        )
        for charge in row.charges if charge.id in by_id
    ]  # fmt: skip


def _entry(entry: Entry, batch: Batch) -> EntryView:
    return EntryView(
        entry.seq, batch.recorded_at, CauseKind(batch.cause).label, batch.cause_ref, batch.actor, entry.day, entry.event_day,
        accounts.name_of(entry.account), entry.part, entry.revision, entry.amount, entry.estimated, entry.reverses,
        entry.original_amount, entry.currency, entry.rate, entry.rate_day,
    )  # fmt: skip


def _batches(entries: Sequence[Entry], batches: Mapping[int, Batch]) -> list[BatchView]:
    """Add up what each batch did to an order."""
    views = []
    for seq in sorted({entry.seq for entry in entries}):
        batch, own = batches[seq], [entry for entry in entries if entry.seq == seq]
        profit = sum((entry.amount for entry in own if accounts.in_profit(entry.account)), Decimal(0))
        backwards = sum(entry.reverses for entry in own)
        views.append(
            BatchView(
                seq, batch.recorded_at, batch.cause, CauseKind(batch.cause).label, batch.cause_ref, batch.actor, profit,
                len(own) - backwards, backwards,
            )
        )  # fmt: skip
    return views
