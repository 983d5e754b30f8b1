"""Import order files of every format: check the whole, then record chunk by chunk, archive what was read, and undo.

A format (`order_formats.py`) says how rows are checked, judged and mapped; the way is the same for all. A file is refused
whole or taken whole; an import that was cut goes on when the same file is imported again.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from django.db import transaction
from django.db.models import QuerySet

from connectors.files.imports import archive, archived, begin, finish, hold, move_undone, new_import, note_chunk, others_told
from connectors.files.kind import MOST_FIRST_ROWS, Guard, Progress, Undone, unguarded, untold
from connectors.files.orders.order_formats import OrderFormat, Report
from connectors.files.spool import Order as OrderRows
from connectors.files.spool import Spool, pack
from connectors.models import FileImport, RawPayload
from connectors.platforms.files import reading
from connectors.platforms.files.faults import FileRefused
from ledger.book.reposting import adopt, resolve_rates, withdraw
from ledger.cause import Cause
from ledger.charges.charges import attach_waiting
from ledger.facts import OrderFact, known_by
from ledger.kinds import CauseKind, SaleKind
from ledger.models import Order, Store
from ledger.money import minor_step, round_half_even
from ledger.record import Recorded, look, record, tell_ids

TOLD_EVERY = 2_000
"""Rows between two notes of how far the check is."""
UNDONE_AT_ONCE = 1_000


def import_orders(
    store: Store, path: Path, read_as: OrderFormat, *, now: datetime, actor: str = "", dry_run: bool = False,
    progress: Progress | None = None, row: FileImport | None = None, guard: Guard = unguarded,
) -> Report:  # fmt: skip
    """Check a file and, unless it is a dry run, record it; raise FileRefused with the rows that are wrong.

    `row` is an import that was opened before, by a request or by a run that was cut; it goes on under its number.
    """
    tell = progress or untold
    digest = reading.file_digest(path)
    dialect = reading.find_dialect(path, encoding=read_as.encoding, delimiter=read_as.delimiter)
    report = Report(path.name, dialect.encoding, dialect.delimiter)
    with Spool() as spool:
        _check(path, dialect, read_as, spool, report, tell)
        if dry_run:
            for chunk in spool.chunks():
                _look_at_chunk(store, read_as.facts(chunk), read_as, report)
                tell("comparing with orders that are known", report.orders, spool.orders)
            return report
        row = row or new_import(store, read_as.kind, read_as.kept(), filename=path.name, sha256=digest, actor=actor, now=now)
        begin(row, guard, rows=spool.rows, orders=spool.orders, template=read_as.kept())
        report.import_id = row.pk
        standing = _standing(store, digest, read_as)
        for number, chunk in enumerate(spool.chunks(), start=1):
            _record_chunk(row, store, number, chunk, read_as, report, standing, guard)
            tell("recording orders", report.orders, spool.orders)
    resolve_rates(store)
    read_as.finish(now=now)
    finish(row, guard, now=now)
    return report


def _check(path: Path, dialect: reading.Dialect, read_as: OrderFormat, spool: Spool, report: Report, tell: Progress) -> None:
    """Read and check every row into the spool, and each order as a whole; raise FileRefused when one is wrong."""
    rows = reading.rows(path, dialect)
    header = next(rows, None)
    if header is None:
        raise FileRefused(f"{path.name} is empty.")
    checker = read_as.checker(header[1])
    keep, add = checker.keep, spool.add
    for line, fields in rows:
        row = keep(line, fields)
        if row is not None:
            add(row[0].strip(), row)
            if len(report.first_rows) < MOST_FIRST_ROWS:
                report.first_rows.append((line, row))
        if not line % TOLD_EVERY:
            tell("checking rows", line, 0)
    if checker.faults:
        raise FileRefused(
            f"{checker.fault_count} row{'s are' if checker.fault_count > 1 else ' is'} wrong; nothing was imported.",
            tuple(checker.faults),
            checker.fault_count,
        )
    if not spool.rows:
        raise FileRefused(f"{path.name} has a header and no rows.")
    report.rows, report.dropped_columns, report.unknown_countries = spool.rows, checker.dropped, sorted(checker.unknown_countries)
    read_as.judge(spool, report)


def _look_at_chunk(store: Store, facts: Sequence[OrderFact], read_as: OrderFormat, report: Report) -> None:
    _count(report, facts, read_as, store.currency)
    left = read_as.told_better(facts)
    would = look(store, [fact for fact in facts if fact.external_id not in left])
    report.told_better += len(left)
    report.new += would.new
    report.changed += would.changed
    report.unchanged += would.unchanged


def _record_chunk(
    row: FileImport, store: Store, number: int, chunk: list[OrderRows], read_as: OrderFormat, report: Report, standing: QuerySet[FileImport],
    guard: Guard,
) -> None:  # fmt: skip
    """Record one chunk and archive it, unless the very same chunk stands archived already and says nothing new."""
    packed = pack(chunk)
    sha256 = hashlib.sha256(packed).hexdigest()
    with transaction.atomic():
        # An earlier run may have recorded it. What other imports have said of these orders since stands.
        recorded = number <= hold(row).chunks_done
        read_as.hold()
        facts = read_as.facts(chunk)
        left = read_as.told_better(facts)
        done = Recorded()
        if not recorded:
            news = [fact for fact in facts if fact.external_id not in left]
            tell_ids(store, [fact for fact in facts if fact.external_id in left])
            done = record(store, news, cause=Cause(CauseKind.IMPORT, row.cause_ref, row.actor))
            if done.new or done.changed or not RawPayload.objects.filter(file_import__in=standing, sha256=sha256).exists():
                archive(row, number, packed, orders=len(chunk), names=[name for name, _ in chunk])
            note_chunk(row, number, new=done.new, changed=done.changed, unchanged=done.unchanged)
            guard()
    _count(report, facts, read_as, store.currency)
    if recorded:
        return
    report.told_better += len(left)
    report.new += done.new
    report.changed += done.changed
    report.unchanged += done.unchanged
    report.held += done.held
    report.entries += done.entries


def _count(report: Report, facts: Iterable[OrderFact], read_as: OrderFormat, currency: str) -> None:
    for fact in facts:
        _count_order(report, fact, currency)
        read_as.note(report, fact)


def _count_order(report: Report, fact: OrderFact, currency: str) -> None:
    report.orders += 1
    returned = any(sale.kind == SaleKind.RETURN for sale in fact.sales) and not any(sale.kind == SaleKind.ORDER for sale in fact.sales)
    sold = not returned and (fact.stated_total or fact.sales or not any(cost.amount < 0 for cost in fact.costs))
    report.return_orders += not sold
    report.sale_orders += bool(sold)
    report.zero_orders += bool(sold) and not fact.stated_total
    step = minor_step(currency)
    total = posted = 0
    for sale in fact.sales:
        total += sale.net + sale.tax
        parts = (sale.net + sale.discount, -sale.discount, sale.tax) if sale.line is not None else (sale.net, sale.tax)
        posted += sum([round_half_even(part, step) for part in parts])
    for cost in fact.costs:
        total += cost.amount
        posted += round_half_even(cost.amount, step)
    if fact.currency == currency:
        report.file_total += total
        report.rounding += total - posted
    else:
        report.foreign_totals[fact.currency] = report.foreign_totals.get(fact.currency, 0) + total


def _standing(store: Store, digest: str, read_as: OrderFormat) -> QuerySet[FileImport]:
    """Return the imports of a file in a format that have not been undone."""
    imports = FileImport.objects.filter(store=store, kind=read_as.kind, sha256=digest)
    return read_as.same(imports.exclude(state=FileImport.State.UNDONE))


def undo_imports(
    found: Sequence[FileImport], read_as: OrderFormat, *, now: datetime, actor: str = "", progress: Progress = untold, guard: Guard = unguarded
) -> Undone:  # fmt: skip
    """Undo imports of one file in a format: their orders go back to what another import of the format says, or are withdrawn."""
    for row in found:
        # First of all, so that a run of it that is under way records nothing after what is taken back here.
        FileImport.objects.filter(pk=row.pk).update(state=FileImport.State.UNDOING)
    undone = Undone()
    for row in found:
        others = others_told(row.store, but=[each.pk for each in found]).filter(kind=read_as.kind, template__platform=row.template["platform"])
        done = _undo(row, list(others), read_as, now, actor, progress, guard)
        undone = Undone(undone.orders + done.orders, undone.entries + done.entries)
    return undone


def _undo(
    row: FileImport, others: list[FileImport], read_as: OrderFormat, now: datetime, actor: str, progress: Progress, guard: Guard
) -> Undone:  # fmt: skip
    """Undo one import: the latest of the others first, and an earlier one where that tells the order further on.

    It is marked last, so a cut undo goes on when called again.
    """
    store, cause = row.store, Cause(CauseKind.UNDO, f"undo of {row.cause_ref}", actor)
    own = OwnOrders(_told_last(store, row))
    whole, entries = len(own.all), 0
    for other in others:
        for chunk in archived(other) if own.all else ():
            entries += _restore(store, chunk, own, row, other, read_as.again(other), actor, guard).entries
            progress("putting orders back", whole - len(own.left), whole)
    ids = sorted(own.left)
    for start in range(0, len(ids), UNDONE_AT_ONCE):
        with transaction.atomic():
            entries += withdraw(store, ids[start : start + UNDONE_AT_ONCE], only_cause=row.cause_ref, cause=cause, now=now).added
            guard()
        progress("taking orders out", whole - len(ids) + min(start + UNDONE_AT_ONCE, len(ids)), whole)
    # What files charge those orders with may belong to others that stand for them.
    attach_waiting(store, cause=cause)
    resolve_rates(store)
    read_as.finish(now=now)
    move_undone(row, guard, now=now)
    return Undone(whole, entries)


class OwnOrders:
    """Hold the orders that an import was the last to change, by what other files may call them, and which of them are left to take back."""

    def __init__(self, orders: Iterable[tuple[int, str, str]]) -> None:
        """Take orders as id, platform's id, and number."""
        self._ids: dict[str, int] = {}
        self._numbers: dict[str, int] = {}
        for pk, external_id, number in orders:
            self._ids[external_id] = self._numbers[known_by(number)] = pk
        self.all = set(self._ids.values())
        self.left = set(self.all)

    def find(self, external_id: str, number: str) -> int | None:
        """Return the order of an id or, where one side does not know the id, of a number."""
        return self._ids.get(external_id) or self._numbers.get(external_id) or self._ids.get(known_by(number))


def _told_last(store: Store, row: FileImport) -> Iterator[tuple[int, str, str]]:
    """Return the orders that an import was the last to change."""
    orders = Order.objects.filter(store=store, platform=row.template["platform"], cause_ref=row.cause_ref)
    return orders.values_list("pk", "external_id", "number").iterator()


def _restore(
    store: Store, chunk: Sequence[OrderRows], own: OwnOrders, row: FileImport, other: FileImport, read_as: OrderFormat, actor: str, guard: Guard
) -> Recorded:  # fmt: skip
    """Let orders say again what a chunk of another import says of them, as its own from now on.

    An order that a third import changed meanwhile is left as that one says.
    """
    told = {pk: order for order in chunk if (pk := own.find(read_as.external_id(order), order[0])) is not None}
    if not told:
        return Recorded()
    with transaction.atomic():
        read_as.hold()
        held = Order.objects.filter(store=store, pk__in=told).order_by("pk").select_for_update().values_list("pk", "cause_ref")
        waiting = [pk for pk, cause in held if cause == row.cause_ref]
        facts = read_as.facts([told[pk] for pk in waiting])
        further = read_as.facts([order for pk, order in told.items() if pk not in own.left])
        worse = read_as.told_worse(further)
        facts += [fact for fact in further if fact.external_id in worse]
        done = record(store, facts, cause=Cause(CauseKind.UNDO, other.cause_ref, actor))
        adopt(store, waiting, was=row.cause_ref, now=other.cause_ref)
        guard()
    own.left -= set(told)
    return done
