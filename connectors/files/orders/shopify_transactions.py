"""Import the transaction histories of Shopify's orders: they date refunds, and tell what each gateway took.

Rows are kept whether or not their order is known. Orders that an export told are mapped anew from its archived rows, and the
difference is posted; orders that come later find their transactions waiting. Orders that a connection tells are left alone.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from django.db import transaction
from django.db.models import F, Q, QuerySet
from msgspec import Struct, field

from connectors.files.imports import UNDONE, archive, archived, begin, hold, move, move_undone, new_import, note_chunk
from connectors.files.kind import MOST_LISTED, Guard, Loose, Progress, Undone, unguarded, untold
from connectors.files.orders import told_transactions
from connectors.files.orders.order_formats import OrderFormat
from connectors.files.orders.order_imports import OwnOrders
from connectors.files.orders.shopify_findings import note_doubts
from connectors.files.orders.shopify_orders import SHOPIFY_ORDERS, ShopifyOrders
from connectors.files.spool import Order as OrderTexts
from connectors.files.spool import Spool, pack
from connectors.models import FileImport
from connectors.platforms.files import reading
from connectors.platforms.files.faults import FileRefused
from connectors.platforms.files.shopify import words
from connectors.platforms.files.shopify.columns import Readers
from connectors.platforms.files.shopify.facts import PLATFORM
from connectors.platforms.files.shopify.transactions import Checker, OrderRef, Row, Told, ref_of, told_of
from ledger.book.reposting import adopt, resolve_rates
from ledger.cause import Cause
from ledger.kinds import CauseKind
from ledger.models import Order, Store
from ledger.money import Tenk
from ledger.orders.build import Zones
from ledger.record import record

SHOPIFY_TRANSACTIONS = "shopify-transactions"
AT_ONCE = 1_000
"""Orders looked for at once."""
FEW = 2_000
"""Orders up to which it is worth asking each piece of an archive whether it holds one."""
TOLD_EVERY = 2_000
"""Rows between two notes of how far the check is."""


class TransactionReport(Struct):
    """What a file of transactions holds and what importing it did."""

    filename: str
    encoding: str = ""
    delimiter: str = ""
    import_id: int | None = None
    rows: int = 0
    orders: int = 0
    matched: int = 0
    """Rows whose order is known; the others wait for it."""
    loose: list[Loose] = field(default_factory=list)
    charged: dict[str, Tenk] = field(default_factory=dict)
    """What successful sales and captures took, by currency."""
    refunded: dict[str, Tenk] = field(default_factory=dict)
    """What successful refunds gave back, by currency."""
    not_counted: dict[str, int] = field(default_factory=dict)
    """Rows that move no money, by their status, or by their kind where that is not known here."""
    by_connection: int = 0
    """Orders that a connection tells, and that these rows leave as they are."""
    changed: int = 0
    entries: int = 0
    dropped_columns: list[str] = field(default_factory=list)

    @property
    def loose_count(self) -> int:
        """Return how many rows' order is not known."""
        return self.rows - self.matched


def import_shopify_transactions(
    store: Store, path: Path, *, now: datetime, actor: str = "", dry_run: bool = False, progress: Progress | None = None,
    row: FileImport | None = None, guard: Guard = unguarded,
) -> TransactionReport:  # fmt: skip
    """Check a file and, unless it is a dry run, keep its transactions and tell their orders anew; raise FileRefused with the rows that are wrong.

    `row` is an import that was opened before, by a request or by a run that was cut; it goes on under its number.
    """
    tell = progress or untold
    digest = reading.file_digest(path)
    dialect = reading.find_dialect(path)
    report = TransactionReport(path.name, dialect.encoding, dialect.delimiter)
    readers = Readers(Zones.load(store).zone_on, now, lambda identity: b"")
    with Spool() as spool:
        _check(path, dialect, readers, store, spool, report, tell)
        for chunk in spool.chunks():
            _count(store, chunk, readers, report)
        if dry_run:
            return report
        kept = {"platform": PLATFORM}
        row = row or new_import(store, SHOPIFY_TRANSACTIONS, kept, filename=path.name, sha256=digest, actor=actor, now=now)
        begin(row, guard, rows=report.rows, orders=report.orders, matched=report.matched, template=kept)
        report.import_id, kept_orders = row.pk, 0
        for number, chunk in enumerate(spool.chunks(), start=1):
            _keep(row, number, chunk, readers, guard)
            kept_orders += len(chunk)
            tell("keeping transactions", kept_orders, report.orders)
    refs = told_transactions.orders_of(row)
    cause = Cause(CauseKind.IMPORT, row.cause_ref, actor)
    for changed, entries in retell(store, refs, cause=cause, now=now, row=row, guard=guard):
        report.changed += changed
        report.entries += entries
        tell("telling orders anew", report.changed, report.orders)
    resolve_rates(store)
    note_doubts(store, now=now)
    row.refresh_from_db(fields=["changed_orders"])
    state = FileImport.State.DONE if row.changed_orders or not _stands_already(row) else FileImport.State.UNCHANGED
    move(row, guard, state=state, finished_at=datetime.now(tz=now.tzinfo))
    return report


def _check(
    path: Path, dialect: reading.Dialect, readers: Readers, store: Store, spool: Spool, report: TransactionReport, tell: Progress
) -> None:  # fmt: skip
    rows = reading.rows(path, dialect)
    header = next(rows, None)
    if header is None:
        raise FileRefused(f"{path.name} is empty.")
    checker = Checker(header[1], readers, store.currency)
    for line, cells in rows:
        row = checker.keep(line, cells)
        if row is not None:
            ref = ref_of(row, readers)
            spool.add(ref.name or ref.id, row)
        if not line % TOLD_EVERY:
            tell("checking rows", line, 0)
    if checker.faults:
        wrong = f"{checker.fault_count} row{'s are' if checker.fault_count > 1 else ' is'} wrong; nothing was imported."
        raise FileRefused(wrong, tuple(checker.faults), checker.fault_count)
    if not spool.rows:
        raise FileRefused(f"{path.name} has a header and no rows.")
    report.rows, report.orders, report.dropped_columns = spool.rows, spool.orders, checker.dropped


def _read(chunk: Sequence[OrderTexts], readers: Readers, currency: str) -> Iterator[tuple[Row, OrderRef, Told]]:
    for _, texts in chunk:
        for text in texts:
            row = Row._make(text)
            yield row, ref_of(row, readers), told_of(row, readers, currency)


def _count(store: Store, chunk: Sequence[OrderTexts], readers: Readers, report: TransactionReport) -> None:
    """Add a chunk to the report: which rows' orders are known, and what they come to."""
    read = list(_read(chunk, readers, store.currency))
    orders = list(_orders(store, {ref for _, ref, _ in read}))
    known = {name for order in orders for name in (order.external_id, order.number)}
    report.by_connection += sum(order.platform_updated_at is not None for order in orders)
    for row, ref, told in read:
        if ref.id in known or ref.name in known:
            report.matched += 1
        elif len(report.loose) < MOST_LISTED:
            report.loose.append(Loose(int(row.line_number), ref.name or ref.id, told.kind))
        if told.kind not in words.KINDS:
            report.not_counted[told.kind] = report.not_counted.get(told.kind, 0) + 1
        elif told.status != "success":
            report.not_counted[told.status] = report.not_counted.get(told.status, 0) + 1
        else:
            sums = {"sale": report.charged, "capture": report.charged, "refund": report.refunded}.get(told.kind)
            if sums is not None:
                sums[told.currency] = sums.get(told.currency, 0) + told.amount


def _keep(row: FileImport, number: int, chunk: list[OrderTexts], readers: Readers, guard: Guard) -> None:
    """Keep and archive one chunk, in one transaction, unless an earlier run did."""
    with transaction.atomic():
        if number <= hold(row).chunks_done:
            return
        told_transactions.take_turns(row.store)
        told_transactions.add(row, ((ref, told) for _, ref, told in _read(chunk, readers, row.store.currency)))
        archive(row, number, pack(chunk), orders=len(chunk), names=[name for name, _ in chunk])
        note_chunk(row, number, new=0, changed=0, unchanged=0)
        guard()


def _orders(store: Store, refs: Collection[OrderRef]) -> QuerySet[Order]:
    """Return the orders that rows name, by id or by name."""
    ids, names = {ref.id for ref in refs if ref.id}, {ref.name for ref in refs if ref.name}
    return Order.objects.filter(Q(external_id__in=ids) | Q(number__in=names), store=store, platform=PLATFORM, withdrawn_at=None)


def retell(
    store: Store, refs: Collection[OrderRef], *, cause: Cause, now: datetime, row: FileImport | None = None, guard: Guard = unguarded
) -> Iterator[tuple[int, int]]:  # fmt: skip
    """Map the orders that transactions name anew, from the rows that their exports left; yield (orders changed, entries written) as it goes.

    An order stays that of the export which told it. `row` is the import that tells the transactions, while it runs.
    """
    told_by = _by_export(store, refs)
    imports = FileImport.objects.filter(store=store, kind=SHOPIFY_ORDERS).exclude(state__in=UNDONE).order_by("-pk")
    for export in imports:
        if export.cause_ref not in told_by:
            continue
        told = told_by[export.cause_ref]
        own = OwnOrders(told)
        names = [number for _, _, number in told] if len(told) <= FEW else None
        read_as = ShopifyOrders(store, now).again(export)
        for chunk in archived(export, names=names):
            rows = {pk: order for order in chunk if (pk := own.find(read_as.external_id(order), order[0])) is not None}
            if rows:
                yield _retell(store, export, rows, read_as, cause, row, guard)


def _by_export(store: Store, refs: Collection[OrderRef]) -> dict[str, list[tuple[int, str, str]]]:
    """Find the orders that files alone tell, by the import that told each last."""
    found: dict[str, list[tuple[int, str, str]]] = {}
    ordered = sorted(refs)
    for start in range(0, len(ordered), AT_ONCE):
        orders = _orders(store, ordered[start : start + AT_ONCE]).filter(platform_updated_at=None)
        for cause_ref, pk, external_id, number in orders.values_list("cause_ref", "pk", "external_id", "number"):
            found.setdefault(cause_ref, []).append((pk, external_id, number))
    return found


def _retell(
    store: Store, export: FileImport, told: dict[int, OrderTexts], read_as: OrderFormat, cause: Cause, row: FileImport | None, guard: Guard
) -> tuple[int, int]:
    with transaction.atomic():
        if row is not None:
            hold(row)
        read_as.hold()
        held = Order.objects.filter(store=store, pk__in=told, cause_ref=export.cause_ref).order_by("pk").select_for_update()
        ids = list(held.values_list("pk", flat=True))
        done = record(store, read_as.facts([told[pk] for pk in ids]), cause=cause)
        adopt(store, ids, was=cause.ref, now=export.cause_ref)
        if row is not None:
            FileImport.objects.filter(pk=row.pk).update(changed_orders=F("changed_orders") + done.changed)
        guard()
    return done.changed, done.entries


def _stands_already(row: FileImport) -> bool:
    """Tell whether the same file is imported already."""
    same = FileImport.objects.filter(store=row.store, kind=SHOPIFY_TRANSACTIONS, sha256=row.sha256).exclude(pk=row.pk)
    return same.filter(state__in=(FileImport.State.DONE, FileImport.State.UNCHANGED)).exists()


def undo_shopify_transactions(
    found: Sequence[FileImport], *, now: datetime, actor: str = "", progress: Progress = untold, guard: Guard = unguarded
) -> Undone:  # fmt: skip
    """Undo imports of one file: their orders are what their exports, and the transactions of other files, tell.

    Each is marked last, so a cut undo goes on when called again.
    """
    store, orders, written = found[0].store, 0, 0
    FileImport.objects.filter(pk__in=[row.pk for row in found]).update(state=FileImport.State.UNDOING)
    for row in found:
        refs = told_transactions.orders_of(row)
        cause = Cause(CauseKind.UNDO, f"undo of {row.cause_ref}", actor)
        for changed, entries in retell(store, refs, cause=cause, now=now, guard=guard):
            orders, written = orders + changed, written + entries
            progress("telling orders anew", orders, len(refs))
        told_transactions.forget(row)
        resolve_rates(store)
        note_doubts(store, now=now)
        move_undone(row, guard, now=now)
    return Undone(orders, written)
