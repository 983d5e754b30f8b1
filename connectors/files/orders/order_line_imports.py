"""Import order lines whose columns a mapping template names, by the way of all order files."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db.models import QuerySet

from connectors.files.kind import Guard, Progress, Undone, unguarded, untold
from connectors.files.orders.order_formats import OrderChecker, OrderFormat, Report
from connectors.files.orders.order_imports import import_orders, undo_imports
from connectors.files.spool import Order as OrderRows
from connectors.files.spool import Spool
from connectors.models import FileImport
from connectors.platforms.files import order_lines
from connectors.platforms.files.template import Template, as_json, from_json
from ledger.facts import OrderFact
from ledger.identity import recogniser
from ledger.models import Store
from ledger.orders.build import Zones

KIND = "order-lines"
SAID_ONCE = ("customer", "country", "channel")
"""What an order has once, whatever its rows say; the first row that says it counts."""
COUNTRY = order_lines.FIELDS.index("country")
MOST_NAMED = 20
"""Orders that are named one by one."""


def context_of(store: Store, now: datetime) -> order_lines.Context:
    """Return what reading a store's order lines needs."""
    return order_lines.Context(Zones.load(store).zone_on, store.currency, now, recogniser(store.pk))


class OrderLines(OrderFormat):
    """Order lines as one template reads them."""

    kind = KIND

    def __init__(self, store: Store, template: Template, now: datetime) -> None:
        self._store, self._now, self._template = store, now, template
        self.encoding, self.delimiter = template.encoding, template.delimiter
        self._said_once = [order_lines.FIELDS.index(field) for field in SAID_ONCE if getattr(template.columns, field)]
        context = context_of(store, now)
        self._readers = order_lines.Readers(template, context)
        self._mapper = order_lines.Mapper(template, context, self._readers)

    def checker(self, header: Sequence[str]) -> OrderChecker:
        """Make the checker of a file's rows; raise FileRefused when the header lacks a column of the template."""
        return order_lines.Checker(self._template, header, self._readers)

    def judge(self, spool: Spool, report: Report) -> None:
        """Note the orders whose rows disagree about who bought, from where, or through which channel."""
        for chunk in spool.chunks() if self._said_once else ():
            for number, rows in chunk:
                if len(rows) > 1 and any(len(self._told(place, rows)) > 1 for place in self._said_once):
                    report.disagreeing_count += 1
                    report.disagreeing += [number] if report.disagreeing_count <= MOST_NAMED else []

    def _told(self, place: int, rows: Sequence[order_lines.KeptRow]) -> set[str]:
        """Return the different things that rows say at a place; a country's name and its code are one."""
        texts = {row[place] for row in rows} - {""}
        return {self._readers.country(text) for text in texts} - {""} if len(texts) > 1 and place == COUNTRY else texts

    def kept(self) -> dict[str, Any]:
        """Return the template as plain values."""
        return as_json(self._template)

    def again(self, row: FileImport) -> OrderFormat:
        """Return the format of the template that an import was read with."""
        return OrderLines(self._store, from_json(row.template), self._now)

    def external_id(self, order: OrderRows) -> str:
        """Return an order's number, which is its id."""
        return order[0]

    def facts(self, orders: Sequence[OrderRows]) -> list[OrderFact]:
        """Map checked orders to facts."""
        return [self._mapper.fact(order) for order in orders]

    def same(self, imports: QuerySet[FileImport]) -> QuerySet[FileImport]:
        """Narrow imports down to those with the same template."""
        return imports.filter(template=self.kept())


def import_order_lines(
    store: Store, path: Path, template: Template, *, now: datetime, actor: str = "", dry_run: bool = False,
    progress: Progress | None = None, row: FileImport | None = None, guard: Guard = unguarded,
) -> Report:  # fmt: skip
    """Check a file and, unless it is a dry run, record it; see `order_imports.import_orders`."""
    read_as = OrderLines(store, template, now)
    return import_orders(store, path, read_as, now=now, actor=actor, dry_run=dry_run, progress=progress, row=row, guard=guard)


def undo_order_lines(found: Sequence[FileImport], *, now: datetime, actor: str = "", progress: Progress = untold, guard: Guard = unguarded) -> Undone:
    """Undo imports of one file with one template; see `order_imports.undo_imports`."""
    read_as = OrderLines(found[0].store, from_json(found[0].template), now)
    return undo_imports(found, read_as, now=now, actor=actor, progress=progress, guard=guard)
