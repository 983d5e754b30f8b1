"""Import order files: check the whole, then record chunk by chunk, archive what was read, and undo.

A file is refused whole or taken whole: nothing is written before every row has been checked. Each chunk is one
transaction of archive, mirror, entries and totals; an import that was cut goes on when the same file is
imported again, because what is known already changes nothing.
"""

import hashlib
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet
from msgspec import Struct

from connectors.models import FileImport, RawPayload
from connectors.platforms.files import order_lines, reading
from connectors.platforms.files.faults import FileRefused
from connectors.platforms.files.template import Template, as_json, from_json
from connectors.spool import Spool, pack, unpack
from ledger.build import Zones
from ledger.cause import Cause
from ledger.charges import attach_waiting
from ledger.facts import OrderFact
from ledger.identity import customer_hash
from ledger.kinds import CauseKind, SaleKind
from ledger.models import Order, Store
from ledger.money import Tenk, minor_step, round_half_even
from ledger.record import Recorded, record
from ledger.reposting import adopt, resolve_rates, withdraw
from ledger.sealing import seal, unseal

KIND = "order-lines"
UNDONE = (FileImport.State.UNDOING, FileImport.State.UNDONE)
Progress = Callable[[str, int, int], None]
"""Called with (step, done, of how many); the whole is 0 while it is not known."""
Guard = Callable[[], None]
"""Called last in each transaction; what it raises takes the transaction back."""


class ImportUndone(Exception):
    """Say that an import was undone while it ran; it must record nothing more."""


def unguarded() -> None:
    """Let every transaction commit: in the foreground nobody can have taken the work over."""


class Report(Struct):
    """What a file holds and what importing it did. Amounts are in ten-thousandths of the store's currency."""

    filename: str
    encoding: str
    delimiter: str
    import_id: int | None = None
    rows: int = 0
    orders: int = 0
    sale_orders: int = 0
    zero_orders: int = 0
    return_orders: int = 0
    file_total: Tenk = 0
    """Sum of every row in the store's currency, sales and costs alike, before rounding to the minor unit."""
    foreign_totals: dict[str, Tenk] = {}
    """The same for rows in other currencies, one sum each."""
    rounding: Tenk = 0
    """What rounding each entry to the minor unit takes away: file_total - rounding is in the book."""
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    held: int = 0
    entries: int = 0
    dropped_columns: list[str] = []
    unknown_countries: list[str] = []


def import_order_lines(
    store: Store, path: Path, template: Template, *, now: datetime, actor: str = "", dry_run: bool = False,
    progress: Progress | None = None, row: FileImport | None = None, guard: Guard = unguarded,
) -> Report:  # fmt: skip
    """Check a file and, unless it is a dry run, record it; raise FileRefused with the rows that are wrong.

    `row` is an import that was opened before, by a request or by a run that was cut; it goes on under its number.
    """
    tell = progress or (lambda step, done, whole: None)
    digest = reading.file_digest(path)
    dialect = reading.find_dialect(path, encoding=template.encoding, delimiter=template.delimiter)
    report = Report(path.name, dialect.encoding, dialect.delimiter)
    context = _context(store, now)
    readers = order_lines.Readers(template, context)
    with Spool() as spool:
        _check(path, dialect, template, readers, spool, report, tell)
        mapper = order_lines.Mapper(template, context, readers)
        if dry_run:
            for chunk in spool.chunks():
                for order in chunk:
                    _count(report, mapper.fact(order), store.currency)
            return report
        row = row or open_import(store, KIND, as_json(template), filename=path.name, sha256=digest, actor=actor, now=now)
        move(row, guard, state=FileImport.State.RUNNING, rows=spool.rows, orders=spool.orders)
        report.import_id = row.pk
        standing = _standing(store, digest, template)
        for number, chunk in enumerate(spool.chunks(), start=1):
            _record_chunk(row, store, number, chunk, mapper, report, standing, guard)
            tell("recording orders", report.orders, spool.orders)
    resolve_rates(store)
    row.refresh_from_db(fields=["changed_orders"])
    state = FileImport.State.DONE if row.changed_orders else FileImport.State.UNCHANGED
    move(row, guard, state=state, finished_at=datetime.now(tz=now.tzinfo))
    return report


def move(row: FileImport, guard: Guard, **values: Any) -> None:
    """Write how far an import is, unless it was undone or taken over meanwhile."""
    with transaction.atomic():
        hold(row)
        for name, value in values.items():
            setattr(row, name, value)
        row.save(update_fields=list(values))
        guard()


def hold(row: FileImport) -> FileImport:
    """Lock an import until the transaction ends, so that an undo comes wholly before or wholly after; raise ImportUndone when it came before."""
    held = FileImport.objects.select_for_update().get(pk=row.pk)
    if held.state in UNDONE:
        raise ImportUndone(f"The import of {held.filename} was undone while it ran; nothing more of it is recorded.")
    return held


def open_import(
    store: Store, kind: str, template: dict[str, Any], *, filename: str, sha256: str, actor: str, now: datetime,
    state: str = FileImport.State.RUNNING,
) -> FileImport:  # fmt: skip
    """Note that a file of a kind is to be imported; `template` says how its rows are read."""
    return FileImport.objects.create(
        store=store, kind=kind, template=template, filename=filename[:255], sha256=sha256, actor=actor, started_at=now, state=state
    )  # fmt: skip


def archive(row: FileImport, number: int, packed: bytes, *, orders: int) -> None:
    """Keep a chunk of what an import read, sealed."""
    RawPayload.objects.create(
        file_import=row, number=number, body=seal(packed), sha256=hashlib.sha256(packed).hexdigest(), orders=orders
    )  # fmt: skip


def is_archived(store: Store, row: FileImport, packed: bytes) -> bool:
    """Tell whether an import of the same file, not undone, keeps the very same chunk already."""
    same = FileImport.objects.filter(store=store, kind=row.kind, sha256=row.sha256).exclude(state__in=UNDONE)
    return RawPayload.objects.filter(file_import__in=same, sha256=hashlib.sha256(packed).hexdigest()).exists()


def archived(row: FileImport) -> Iterator[list[tuple[str, list[tuple[str, ...]]]]]:
    """Yield the chunks that an import kept, as they were read."""
    for body in row.payloads.order_by("number").values_list("body", flat=True).iterator(chunk_size=1):
        yield unpack(unseal(bytes(body)))


def _context(store: Store, now: datetime) -> order_lines.Context:
    return order_lines.Context(Zones.load(store).zone_on, store.currency, now, lambda identity: customer_hash(store.pk, identity))


def _check(
    path: Path, dialect: reading.Dialect, template: Template, readers: order_lines.Readers, spool: Spool, report: Report, tell: Progress
) -> None:
    """Read and check every row into the spool; raise FileRefused when one is wrong."""
    rows = reading.rows(path, dialect)
    header = next(rows, None)
    if header is None:
        raise FileRefused(f"{path.name} is empty.")
    checker = order_lines.Checker(template, header[1], readers)
    keep, add = checker.keep, spool.add
    for line, fields in rows:
        row = keep(line, fields)
        if row is not None:
            add(row[0].strip(), row)
        if not line % 50_000:
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


def _record_chunk(
    row: FileImport, store: Store, number: int, chunk: list[order_lines.OrderRows], mapper: order_lines.Mapper, report: Report,
    standing: QuerySet[FileImport], guard: Guard,
) -> None:  # fmt: skip
    """Record one chunk and archive it, unless the very same chunk stands archived already and says nothing new."""
    packed = pack(chunk)
    sha256 = hashlib.sha256(packed).hexdigest()
    facts = [mapper.fact(order) for order in chunk]
    for fact in facts:
        _count(report, fact, store.currency)
    with transaction.atomic():
        if number <= hold(row).chunks_done:
            # An earlier run recorded it. What other imports have said of these orders since stands.
            return
        done = record(store, facts, cause=Cause(CauseKind.IMPORT, row.cause_ref, row.actor))
        if done.new or done.changed or not RawPayload.objects.filter(file_import__in=standing, sha256=sha256).exists():
            archive(row, number, packed, orders=len(chunk))
        FileImport.objects.filter(pk=row.pk).update(
            changed_orders=F("changed_orders") + done.new + done.changed, chunks_done=number
        )  # fmt: skip
        guard()
    report.new += done.new
    report.changed += done.changed
    report.unchanged += done.unchanged
    report.held += done.held
    report.entries += done.entries


def _count(report: Report, fact: OrderFact, currency: str) -> None:
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


def _standing(store: Store, digest: str, template: Template) -> QuerySet[FileImport]:
    """Return the imports of a file with a template that have not been undone."""
    imports = FileImport.objects.filter(store=store, kind=KIND, sha256=digest, template=as_json(template))
    return imports.exclude(state=FileImport.State.UNDONE)


def undo_order_lines(store: Store, path: Path, template: Template, *, now: datetime, actor: str = "") -> Report:
    """Undo every import of a file with a template: its orders go back to what another import says, or are withdrawn."""
    found = list(_standing(store, reading.file_digest(path), template).order_by("-pk"))
    if not found:
        raise FileRefused(f"{path.name} has not been imported into {store.slug} with the template {template.name}; there is nothing to undo.")
    report = Report(path.name, "", "", import_id=found[0].pk)
    others = FileImport.objects.filter(store=store, kind=KIND, template__platform=template.platform)
    others = others.exclude(pk__in=[row.pk for row in found]).exclude(state__in=UNDONE)
    for row in found:
        # First of all, so that a run of it that is under way records nothing after what is taken back here.
        FileImport.objects.filter(pk=row.pk).update(state=FileImport.State.UNDOING)
    for row in found:
        _undo(row, list(others.order_by("-pk")), store, report, now, actor)
    return report


def _undo(row: FileImport, others: list[FileImport], store: Store, report: Report, now: datetime, actor: str) -> None:
    """Undo one import, newest of the others first. It is marked last, so a cut undo goes on when called again."""
    cause = Cause(CauseKind.UNDO, f"undo of {row.cause_ref}", actor)
    mine = dict(_mine(store, row).values_list("external_id", "pk"))
    for other in others:
        for facts in _archived_facts(other, store, now, set(mine)):
            done = _restore(store, facts, [mine.pop(fact.external_id) for fact in facts], row, other, actor)
            report.changed += done.changed
            report.entries += done.entries
    ids = sorted(mine.values())
    for start in range(0, len(ids), 1_000):
        report.entries += withdraw(store, ids[start : start + 1_000], only_cause=row.cause_ref, cause=cause, now=now).added
    report.orders += len(ids) + report.changed
    # What files charge those orders with may belong to others that stand for them.
    attach_waiting(store, cause=cause)
    resolve_rates(store)
    row.state, row.undone_at = FileImport.State.UNDONE, now
    row.save(update_fields=["state", "undone_at"])


def _mine(store: Store, row: FileImport) -> QuerySet[Order]:
    """Return the orders that an import was the last to change."""
    return Order.objects.filter(store=store, platform=row.template["platform"], cause_ref=row.cause_ref)


def _restore(store: Store, facts: list[OrderFact], ids: list[int], row: FileImport, other: FileImport, actor: str) -> Recorded:
    """Let orders say again what another import says of them, as its own from now on.

    An order that a third import changed meanwhile is left as that one says.
    """
    with transaction.atomic():
        still = set(_mine(store, row).filter(pk__in=ids).order_by("pk").select_for_update().values_list("external_id", flat=True))
        facts = [fact for fact in facts if fact.external_id in still]
        done = record(store, facts, cause=Cause(CauseKind.UNDO, other.cause_ref, actor))
        adopt(store, ids, was=row.cause_ref, now=other.cause_ref)
    return done


def _archived_facts(row: FileImport, store: Store, now: datetime, wanted: set[str]) -> Iterator[list[OrderFact]]:
    """Map an import's archived rows again, for the orders that are wanted."""
    template = from_json(row.template)
    context = _context(store, now)
    mapper = order_lines.Mapper(template, context, order_lines.Readers(template, context))
    for chunk in archived(row):
        facts = [mapper.fact(order) for order in chunk if order[0] in wanted]
        if facts:
            yield facts
