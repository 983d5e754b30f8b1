"""Import Shopify's orders export, by the way of all order files."""

from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db.models import Q, QuerySet

from connectors.files.kind import Guard, Progress, Undone, unguarded, untold
from connectors.files.orders import told_transactions
from connectors.files.orders.order_formats import OrderChecker, OrderFormat, Report, UndatedRefund
from connectors.files.orders.order_imports import import_orders, undo_imports
from connectors.files.orders.shopify_findings import note_doubts
from connectors.files.spool import Order as OrderRows
from connectors.files.spool import Spool
from connectors.models import FileImport
from connectors.platforms.files.cost_sheet import AUTO, TAXES
from connectors.platforms.files.faults import FileRefused, RowFault
from connectors.platforms.files.shopify.columns import Readers, Row
from connectors.platforms.files.shopify.facts import PLATFORM, fact_of
from connectors.platforms.files.shopify.orders import ADDED, INCLUDED, MOST_FAULTS, Checker, Verdict, judge
from connectors.platforms.files.shopify.refunds import UNDATED
from connectors.platforms.files.shopify.transactions import OrderRef
from ledger.facts import BY_NUMBER, OrderFact, known_by
from ledger.identity import recogniser
from ledger.models import Order, Store
from ledger.money import Tenk, tenk
from ledger.orders.build import Zones

SHOPIFY_ORDERS = "shopify-orders"
MOST_LISTED = 10_000
"""Refunds without a day that are listed one by one; the others are counted."""


def taxes_of(row: FileImport) -> str:
    """Return whether a person said that tax is added or included; once a run has begun, what that settled."""
    return str(row.template.get("options", {}).get(TAXES) or AUTO)


class ShopifyOrders(OrderFormat):
    """Shopify's orders export."""

    kind = SHOPIFY_ORDERS

    def __init__(self, store: Store, now: datetime, taxes: str = AUTO) -> None:
        self._store, self._now, self._settled = store, now, taxes
        self._readers = Readers(Zones.load(store).zone_on, now, recogniser(store.pk))

    def checker(self, header: Sequence[str]) -> OrderChecker:
        """Make the checker of a file's rows; raise FileRefused when the header is not Shopify's."""
        return Checker(header, self._readers)

    def judge(self, spool: Spool, report: Report) -> None:
        """Look at each order as a whole, and settle how tax is read where one does not tell; raise FileRefused where nothing does."""
        faults: list[RowFault] = []
        ways: set[str] = set()
        open_ones: list[Verdict] = []
        for chunk in spool.chunks():
            for order in chunk:
                verdict = judge(order, self._readers)
                faults += verdict.faults
                report.warning_count += len(verdict.warnings)
                report.warnings += verdict.warnings[: MOST_FAULTS - len(report.warnings)]
                ways |= {verdict.way} - {""}
                if verdict.undecided:
                    open_ones.append(verdict)
        if self._settled == AUTO:
            self._settled = ways.pop() if len(ways) == 1 else AUTO
        faults += self._settle(open_ones, report)
        if faults:
            wrong = f"{len(faults)} order{'s are' if len(faults) > 1 else ' is'} wrong; nothing was imported."
            raise FileRefused(wrong, tuple(faults[:MOST_FAULTS]), len(faults))

    def _settle(self, undecided: Sequence[Verdict], report: Report) -> list[RowFault]:
        """Say of each order whose Total is no sum of its parts what becomes of it, or ask."""
        faults = []
        for verdict in undecided:
            sheet = verdict.sheet
            assert sheet is not None  # noqa: S101  only orders that could be read are undecided
            told = f"order {sheet.head.name}: its Total is neither Subtotal + Shipping + Taxes nor Subtotal + Shipping"
            if self._settled == AUTO and sheet.taxes:
                faults.append(
                    RowFault(
                        sheet.line, "Total",
                        f"{told}, and the other orders do not tell whether prices include tax; say so when you import it (taxes: added, or included)",
                    )
                )  # fmt: skip
            else:
                self._warn(report, RowFault(sheet.line, "Total", f"{told}; the rest, perhaps a tip, is booked as other income and marked estimated"))
        report.undecided = len(undecided)
        return faults

    def _warn(self, report: Report, warning: RowFault) -> None:
        report.warning_count += 1
        if len(report.warnings) < MOST_FAULTS:
            report.warnings.append(warning)

    def kept(self) -> dict[str, Any]:
        """Return the platform and how tax is read where an order does not tell."""
        return {"platform": PLATFORM, "options": {TAXES: self._settled}}

    def again(self, row: FileImport) -> OrderFormat:
        """Return this format with what was settled for an import."""
        return ShopifyOrders(self._store, self._now, taxes_of(row))

    def external_id(self, order: OrderRows) -> str:
        """Return the id that an order's first row tells, else what stands for it."""
        return next((found for row in order[1] if (found := self._readers.id(Row._make(row).id))), known_by(order[0]))

    def facts(self, orders: Sequence[OrderRows]) -> list[OrderFact]:
        """Map checked orders, with what files tell of their transactions."""
        refs = [OrderRef(self._id(order), order[0]) for order in orders]
        settled = INCLUDED if self._settled == INCLUDED else ADDED
        return [
            fact_of(order, self._readers, told, settled)
            for order, told in zip(orders, told_transactions.told_of(self._store, refs), strict=True)
        ]  # fmt: skip

    def _id(self, order: OrderRows) -> str:
        found = self.external_id(order)
        return "" if found == known_by(order[0]) else found

    def same(self, imports: QuerySet[FileImport]) -> QuerySet[FileImport]:
        """Take every import of the same file: what it says does not depend on what was settled."""
        return imports

    def hold(self) -> None:
        """Let nobody tell of transactions while orders are mapped."""
        told_transactions.take_turns(self._store)

    def told_better(self, facts: Sequence[OrderFact]) -> Collection[str]:
        """Return the ids of orders that their platform itself told, or a later export."""
        return self._compared(facts, -1)

    def told_worse(self, facts: Sequence[OrderFact]) -> Collection[str]:
        """Return the ids of orders that an earlier export told."""
        return self._compared(facts, 1)

    def _compared(self, facts: Sequence[OrderFact], wanted: int) -> set[str]:
        ids = {name for fact in facts for name in (fact.external_id, known_by(fact.number))}
        numbers = {fact.number for fact in facts if fact.external_id.startswith(BY_NUMBER)}
        standing = Order.objects.filter(Q(external_id__in=ids) | Q(number__in=numbers), store=self._store, platform=PLATFORM, withdrawn_at=None)
        standing = standing.only(*_COMPARED)
        known = {name: order for order in standing for name in (known_by(order.number), order.external_id) if name in ids}
        return {
            fact.external_id
            for fact in facts
            if (order := known.get(fact.external_id) or known.get(known_by(fact.number))) is not None and _further(order, fact) == wanted
        }

    def note(self, report: Report, fact: OrderFact) -> None:
        """Add up what the orders came to, and list what they gave back on a day that is not told."""
        report.charged[fact.currency] = report.charged.get(fact.currency, 0) + (fact.stated_total or 0)
        back = [sale for sale in fact.sales if sale.external_id.startswith(UNDATED)]
        if back:
            amount = -sum(sale.net + sale.tax for sale in back)
            report.undated_count += 1
            report.undated_totals[fact.currency] = report.undated_totals.get(fact.currency, 0) + amount
            if len(report.undated) < MOST_LISTED:
                report.undated.append(UndatedRefund(fact.number, amount, fact.currency, back[0].happened_at.date().isoformat()))

    def finish(self, *, now: datetime) -> None:
        """Note the store's refunds without a day, and Totals that do not add up."""
        note_doubts(self._store, now=now)


_COMPARED = ("external_id", "number", "platform_updated_at", "stated_refunded", "stated_total", "cancelled_at", "shipped", "financial_status")


def _further(order: Order, fact: OrderFact) -> int:
    """Tell whether a fact of a file is behind an order as it stands (-1), ahead of it (1), or neither (0).

    What has happened to an order does not unhappen: money given back, its cancelling, its sending, its being paid. A
    fact that lacks one and adds none comes from an export that was made before.
    """
    if order.platform_updated_at is not None:
        return -1
    stands = [_tenk(order.stated_refunded), order.cancelled_at is not None, order.shipped]
    told = [fact.stated_refunded or 0, fact.cancelled_at is not None, fact.shipped]
    if _tenk(order.stated_total) == fact.stated_total:
        # An edited order, of another Total, may owe money again.
        stands.append(order.financial_status)
        told.append(int(fact.financial_status))
    ahead = any(now > before for now, before in zip(told, stands, strict=True))
    behind = any(now < before for now, before in zip(told, stands, strict=True))
    return ahead - behind


def _tenk(amount: Any) -> Tenk:
    return 0 if amount is None else tenk(amount)


def import_shopify_orders(
    store: Store, path: Path, *, now: datetime, taxes: str = AUTO, actor: str = "", dry_run: bool = False,
    progress: Progress | None = None, row: FileImport | None = None, guard: Guard = unguarded,
) -> Report:  # fmt: skip
    """Import Shopify's orders export; see `imports.import_orders`."""
    read_as = ShopifyOrders(store, now, taxes)
    return import_orders(store, path, read_as, now=now, actor=actor, dry_run=dry_run, progress=progress, row=row, guard=guard)


def undo_shopify_orders(
    found: Sequence[FileImport], *, now: datetime, actor: str = "", progress: Progress = untold, guard: Guard = unguarded
) -> Undone:  # fmt: skip
    """Undo imports of one file; see `order_imports.undo_imports`."""
    return undo_imports(found, ShopifyOrders(found[0].store, now), now=now, actor=actor, progress=progress, guard=guard)
