"""Lay out one order: its profit in steps, and beside the ledger's answer what its imports and changes of costs are called."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from connectors.files.imported_rows import ImportedRows, imports_named, rows_of_order
from connectors.models import Connection, FileImport
from connectors.reading.received import ReceivedRecord, called, connections_named, received_of
from dashboards.pages.order_came import Coming, coming
from dashboards.pages.order_timeline import Moment, timeline
from dashboards.pages.orders_page import flags_of
from dashboards.pages.payouts_page import CameInLine, came_in_line
from dashboards.templatetags.money import money, percent
from ledger import accounts
from ledger.accounts import STATEMENT
from ledger.charges.payouts import came_in
from ledger.erasure.privacy import erased_when
from ledger.kinds import CauseKind
from ledger.models import CostChange, Store
from ledger.orders import touches
from ledger.orders.order_parts import EntryView
from ledger.orders.orders_view import AD_SHARE, OrderView, order_profit

WIDE = 1_000
"""A bar of the steps is drawn on a line so wide."""
MOST_CHANGES = 50


@dataclass(frozen=True, slots=True)
class Step:
    """One step from revenue to profit: its amount, signed, and where its bar lies on a line of `WIDE`; None has no figure."""

    label: str
    amount: Decimal | None
    start: int = 0
    width: int = 0
    kind: str = ""

    @property
    def is_sum(self) -> bool:
        """Tell whether it is what is left."""
        return self.kind == "sum"


@dataclass(frozen=True, slots=True)
class AccountLine:
    """What stands in the ledger on one line of the statement: its entries and their sum."""

    label: str
    total: Decimal | None
    """None outside profit, where accounts have no sum in common."""
    entries: list[EntryView]


@dataclass(frozen=True, slots=True)
class Undone:
    """An entry that no longer stands, and the batch that reversed it."""

    entry: EntryView
    reversed_by: EntryView


@dataclass(slots=True)
class OrderPage:
    """Everything the page shows of one order."""

    order: OrderView
    flags: list[tuple[str, str]]
    margin: Decimal | None
    """A share of the store's margin base."""
    said: str
    steps: list[Step]
    moments: list[Moment]
    booked: list[AccountLine]
    undone: list[Undone]
    imported: list[ImportedRows]
    received: list[ReceivedRecord]
    last_changed_by: str
    erased_at: datetime | None
    """When its buyer was erased, by request."""
    coming: Coming
    advertising: str = AD_SHARE
    came_in: list[CameInLine] = field(default_factory=list)
    """What processors' balances tell of it."""


def order_pages(store: Store, number: str) -> list[OrderPage]:
    """Return every order of a store with a number; two platforms may use the same one."""
    orders = order_profit(store, number)
    refs = {ref for order in orders for ref in _refs(order)}
    imports = imports_named(store, refs)
    connections = connections_named(store, refs)
    ids = [order.id for order in orders]
    changes, erased, came = _changes(store, orders), erased_when(store, ids), touches.of_orders(store.pk, ids)
    pages = [
        _page(store, order, imports, connections, changes, erased.get(order.id), coming(order, came[order.id], erased=order.id in erased))
        for order in orders
    ]
    add_payouts(store, pages)
    return pages


def add_payouts(store: Store, pages: Sequence[OrderPage]) -> None:
    """Add to the pages of orders in which payouts their money came."""
    told = came_in(store, [page.order.external_id for page in pages])
    for page in pages:
        page.came_in = [came_in_line(row) for row in told if row.order == page.order.external_id]


def _refs(order: OrderView) -> list[str]:
    return [order.cause_ref, *(batch.cause_ref for batch in order.batches), *(charge.cause_ref for charge in order.charges)]


def _changes(store: Store, orders: Sequence[OrderView]) -> list[CostChange]:
    """Return the changes of costs that batches of rules may have restated orders for, the latest first."""
    moments = [batch.recorded_at for order in orders for batch in order.batches if batch.kind == CauseKind.RULE]
    if not moments:
        return []
    since = min(batch.recorded_at for order in orders for batch in order.batches)
    found = CostChange.objects.filter(store=store, at__gt=since, at__lte=max(moments), costs_version__isnull=False)
    return list(found.order_by("-at", "-pk")[:MOST_CHANGES])


def _page(
    store: Store, order: OrderView, imports: dict[str, FileImport], connections: dict[str, Connection], changes: Sequence[CostChange],
    erased_at: datetime | None, came: Coming,
) -> OrderPage:  # fmt: skip
    margin = None if order.margin is None else order.margin / 100
    bare = order.number.removeprefix("#")
    own = {imports[ref] for ref in _refs(order) if ref in imports}
    names = {bare, f"#{bare}", order.external_id}
    asked = {connections[ref] for ref in _refs(order) if ref in connections}
    sources = {ref: file.filename for ref, file in imports.items()} | {ref: called(connection) for ref, connection in connections.items()}
    return OrderPage(
        order=order, flags=flags_of(order), margin=margin, said=_said(order, margin, store), steps=steps(order),
        moments=timeline(order, sources, changes, store.currency), booked=_booked(order), undone=_undone(order),
        imported=rows_of_order(own, names) if own else [], received=received_of(asked, names),
        last_changed_by=sources.get(order.cause_ref, order.cause_ref), erased_at=erased_at, coming=came,
    )  # fmt: skip


def _said(order: OrderView, margin: Decimal | None, store: Store) -> str:
    """Say in a sentence or two what the order made, and on what that rests."""
    columns, currency = order.columns, store.currency
    if order.remark:
        return ""
    costs = columns["cogs"] + columns["shipping"] + columns["payment_fees"] + columns["other_fees"] + columns["marketing_costs"]
    tax = f" of which {money(columns['tax'], currency)} is tax" if columns["tax"] else ""
    outcome = "was lost" if columns["profit"] < 0 else "is left"
    share = f": {percent(margin)} {store.get_margin_basis_display()}" if margin is not None else ""
    said = f"The customer paid {money(columns['revenue'], currency)},{tax}" if tax else f"The customer paid {money(columns['revenue'], currency)}"
    said += f"; it cost {money(costs, currency)}, and {money(abs(columns['profit']), currency)} {outcome}{share}."
    if order.estimated_share:
        said += f" {percent(order.estimated_share)} of the money that moved is estimated."
    return said


def steps(order: OrderView) -> list[Step]:
    """Return the steps from revenue to profit, each bar beginning where the one before ended."""
    columns = order.columns
    costs = [
        ("COGS", columns["cogs"]), ("Shipping", columns["shipping"]), ("Tax and duty collected", columns["tax"]),
        ("Payment fees", columns["payment_fees"]), ("Other fees", columns["other_fees"]),
        ("Marketing linked to this order", columns["marketing_costs"]),
    ]  # fmt: skip
    level, spans = columns["revenue"], [(Decimal(0), columns["revenue"])]
    for _, cost in costs:
        spans.append((level, level - cost))
        level -= cost
    spans.append((Decimal(0), columns["profit"]))
    low, high = min(min(span) for span in spans), max(max(span) for span in spans)

    def step(label: str, amount: Decimal, span: tuple[Decimal, Decimal], kind: str) -> Step:
        start, end = (int((end - low) / (high - low) * WIDE) if high > low else 0 for end in (min(span), max(span)))
        return Step(label, amount, start, max(end - start, 4 if amount else 0), kind)

    first = step("Revenue, tax and shipping included", columns["revenue"], spans[0], "in")
    between = [step(label, -cost, span, "out" if cost >= 0 else "in") for (label, cost), span in zip(costs, spans[1:], strict=False)]
    return [first, *between, Step("Share of advertising", None), step("Profit", columns["profit"], spans[-1], "sum")]


def _booked(order: OrderView) -> list[AccountLine]:
    """Put what stands in the ledger under the lines of the statement; what is not part of profit comes last."""
    lines = []
    for line in STATEMENT:
        own = [entry for entry in order.live if any(accounts.under(entry.account, prefix) for prefix in line.prefixes)]
        if own:
            lines.append(AccountLine(line.label, sum((entry.amount for entry in own), Decimal(0)), own))
    in_profit = {entry.key for line in lines for entry in line.entries}
    beside = [entry for entry in order.live if entry.key not in in_profit]
    return [*lines, AccountLine("Beside profit", None, beside)] if beside else lines


def _undone(order: OrderView) -> list[Undone]:
    reversals = {entry.key: entry for entry in order.entries if entry.reverses}
    return [Undone(entry, reversals[entry.key]) for entry in order.undone if not entry.reverses]
