"""Print what one order earned, and everything that figure rests on."""

from argparse import ArgumentParser
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec
from django.core.management.base import CommandError

from ledger.book.snapshot import snapshot
from ledger.kinds import SaleKind, SaleType
from ledger.management.store_command import StoreCommand, amount_text, table
from ledger.models import Store
from ledger.orders.order_parts import EntryView
from ledger.orders.orders_view import AD_SHARE, COLUMNS, OrderView, order_profit

EARNED = frozenset({"revenue", "profit"})
LABELS = {
    "revenue": "Revenue (tax and shipping included)", "cogs": "COGS", "shipping": "Shipping", "tax": "of the fees: tax collected",
    "payment_fees": "of the fees: payment", "other_fees": "of the fees: marketplace and disputes", "fees": "Fees",
    "marketing_costs": "Marketing linked to the order", "profit": "Profit",
}  # fmt: skip


class Command(StoreCommand):
    """Prints one order."""

    help = "Print what one order earned: its columns, what each line cost and why, its payments' fees, and its entries. Costs are negative."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what the command takes."""
        self.add_store_arguments(parser)
        parser.add_argument("number", help="the order's number, with or without its #; every order with that number is shown")

    def handle(self, *args: Any, **options: Any) -> None:
        """Find the orders and print them."""
        number = options["number"]
        with snapshot():
            store = self.store(options["slug"])
            orders = order_profit(store, number)
        if not orders:
            raise CommandError(f"“{store.slug}” has no order {number}.")
        if options["json"]:
            self.print_json({"store": store.slug, "currency": store.currency, "number": number, "orders": [_as_json(store, one) for one in orders]})
            return
        for order in orders:
            for part in _as_text(store, order):
                self.stdout.write(part)


def _signed(order: OrderView) -> dict[str, Decimal]:
    """Return the columns with costs negative, so that revenue, COGS, shipping, fees and marketing add up to profit."""
    return {name: order.columns[name] if name in EARNED else -order.columns[name] for name in COLUMNS}


def _as_json(store: Store, order: OrderView) -> dict[str, Any]:
    own, sold = store.currency, order.currency
    answer: dict[str, Any] = msgspec.structs.asdict(order)
    answer["flags"] = sorted(order.flags)
    answer["columns"] = {name: amount_text(value, own) for name, value in _signed(order).items()}
    answer["margin"] = _number(order.margin)
    answer["margin_base"] = amount_text(order.margin_base, own)
    answer["estimated_share"] = _number(order.estimated_share)
    answer["lines"] = [
        msgspec.structs.asdict(line)
        | {
            "unit_price": amount_text(line.unit_price, sold), "discount": amount_text(line.discount, sold),
            "unit_cost": _amount(line.unit_cost, line.cost_currency or sold),
        }
        for line in order.lines
    ]  # fmt: skip
    answer["sales"] = [
        msgspec.structs.asdict(sale)
        | {"kind": SaleKind(sale.kind).label, "type": SaleType(sale.type).label}
        | {name: amount_text(getattr(sale, name), sold) for name in ("net", "discount", "tax")}
        for sale in order.sales
    ]
    answer["costs"] = [msgspec.structs.asdict(cost) | {"amount": amount_text(cost.amount, sold)} for cost in order.costs]
    answer["charges"] = [msgspec.structs.asdict(charge) | {"amount": amount_text(charge.amount, charge.currency)} for charge in order.charges]
    answer["batches"] = [msgspec.structs.asdict(batch) | {"profit": amount_text(batch.profit, own)} for batch in order.batches]
    answer["payments"] = [
        msgspec.structs.asdict(payment) | {"amount": amount_text(payment.amount, sold), "fee": amount_text(payment.fee, own)}
        for payment in order.payments
    ]
    answer["rule_costs"] = [msgspec.structs.asdict(cost) | {"amount": amount_text(cost.amount, own)} for cost in order.rule_costs]
    answer["advertising"] = AD_SHARE
    answer["entries"] = [_entry(entry, own) for entry in order.entries]
    return answer


def _entry(entry: EntryView, own: str) -> dict[str, Any]:
    return msgspec.structs.asdict(entry) | {
        "amount": amount_text(entry.amount, own, entry.account),
        "original_amount": _amount(entry.original_amount, entry.currency or own),
        "rate": _number(entry.rate),
    }


def _amount(amount: Decimal | None, currency: str) -> str | None:
    return None if amount is None else amount_text(amount, currency)


def _number(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:f}"


def _as_text(store: Store, order: OrderView) -> list[str]:
    own = store.currency
    signed = _signed(order)
    head = f"Order {order.number} ({order.platform} {order.id}), {order.day}, {order.status}, sold in {order.currency}; amounts in {own}"
    margin = "no margin" if order.margin is None else f"{order.margin:.2f} % {order.margin_basis}, {amount_text(order.margin_base, own)}"
    parts = [head]
    if order.remark:
        parts.append(f"In no figure or not whole: {order.remark}.")
    parts += ["", table([[LABELS[name], amount_text(signed[name], own)] for name in COLUMNS]), f"Margin: {margin}"]
    if order.estimated_share is not None:
        parts.append(f"Estimated share: {order.estimated_share * 100:.1f} %")
    parts.append(f"Shipping cost: {order.shipping_why}")
    parts.append(f"Share of advertising: {AD_SHARE}")
    parts += _lines(order) + _payments(order, own) + _rule_costs(order, own) + _entries(order.entries, own)
    return [*parts, ""]


def _lines(order: OrderView) -> list[str]:
    rows = [["Line", "Why", "Units", f"Unit price {order.currency}", "Unit cost"]]
    for line in order.lines:
        currency = line.cost_currency or order.currency
        cost = "–" if line.unit_cost is None else f"{amount_text(line.unit_cost, currency)} {currency}"
        rows.append([line.title or line.sku or "–", line.why, str(line.quantity), amount_text(line.unit_price, order.currency), cost])
    return ["", table(rows, words=2)] if order.lines else []


def _payments(order: OrderView, own: str) -> list[str]:
    rows = [["Payment", "Gateway", "Fee because", f"Amount {order.currency}", f"Fee {own}"]]
    for paid in order.payments:
        named = f"{paid.day} {paid.kind}, {paid.status}"
        rows.append([named, paid.gateway or "–", paid.why, amount_text(paid.amount, order.currency), amount_text(paid.fee, own)])
    return ["", table(rows, words=3)] if order.payments else []


def _rule_costs(order: OrderView, own: str) -> list[str]:
    rows = [["Rule about orders", "Account", f"Amount {own}"]]
    rows += [[cost.rule, cost.account, amount_text(cost.amount, own)] for cost in order.rule_costs]
    return ["", table(rows, words=2)] if order.rule_costs else []


def _entries(entries: Sequence[EntryView], own: str) -> list[str]:
    rows = [["Batch", "Cause", "Day", "Event day", "Account", "Note", f"Amount {own}"]]
    for entry in entries:
        notes = [word for word, holds in (("estimated", entry.estimated), ("reversal", entry.reverses)) if holds]
        if entry.rate is not None:
            notes.append(f"{_amount(entry.original_amount, entry.currency or own) or ''} {entry.currency} at {entry.rate.normalize():f}".strip())
        cause = f"{entry.cause} {entry.cause_ref}".strip()
        amount = amount_text(entry.amount, own, entry.account)
        rows.append([str(entry.seq), cause, str(entry.day), str(entry.event_day), entry.account, ", ".join(notes), amount])
    return ["", table(rows, words=6)] if entries else []
