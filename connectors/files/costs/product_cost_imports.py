"""Import files of product costs: find the variants by SKU, and propose their dated costs as one change that can be undone."""

from bisect import bisect_right, insort
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path

from django.db import transaction
from msgspec import Struct

from connectors.files.costs.cost_imports import CostReport, checked, context_of, open_file, report_on
from connectors.files.imports import archive, move_undone
from connectors.files.kind import MOST_LISTED, Guard, Loose, Undone, unguarded, untold
from connectors.files.spool import pack
from connectors.models import FileImport
from connectors.platforms.files import reading
from connectors.platforms.files.cost_sheet import Checker, KeptRow, Options, as_json
from connectors.platforms.files.cost_values import as_whole
from connectors.platforms.files.faults import FileRefused
from connectors.platforms.files.product_costs import PARTS, PRODUCT_COSTS, CostReader, ToldCost
from ledger.days import day_span
from ledger.kinds import CostOrigin
from ledger.models import Store, Variant, VariantCost
from ledger.money import decimal
from ledger.rules import proposals, undoing
from ledger.rules.rules import RuleRefused
from ledger.stores import today_of

MOST_ROWS = 20_000
"""Rows of one file: its costs are one change, made in one transaction."""


class PricedFile(Struct):
    """A file of product costs that has been read: what is in it, and the costs it would set."""

    report: CostReport
    digest: str
    kept: list[KeptRow]
    costs: list[VariantCost]


def read_product_costs(store: Store, path: Path, *, options: Options, now: datetime) -> PricedFile:
    """Check a file of product costs and find its variants; raise FileRefused with the rows that are wrong.

    Every variant with a row's SKU gets its cost. Rows that say what holds already are left out of the costs.
    """
    if reading.is_long(path, MOST_ROWS):
        raise FileRefused(f"{path.name} has more than {MOST_ROWS:,} rows. Split it; each part is a change of its own.")
    context = context_of(store, now)
    opened = open_file(path, PRODUCT_COSTS, options, context)
    report = report_on(opened, PRODUCT_COSTS)
    reader = CostReader(opened.found.layout, context)
    kept: list[KeptRow] = []
    for row in checked(opened, PRODUCT_COSTS, Checker(PRODUCT_COSTS, opened.found, reader.check, opened.width), report, untold):
        kept.append(row)
    first_day = first_day_of(store, options, now)
    report.effective_from = first_day.isoformat()
    return PricedFile(report, opened.digest, kept, costs_of(store, [reader.told(row) for row in kept], first_day, report))


def first_day_of(store: Store, options: Options, now: datetime) -> date:
    """Return the day that costs without one hold from; raise FileRefused where a person says no day."""
    if not options.effective_from:
        return today_of(store, now)
    try:
        return date.fromisoformat(options.effective_from)
    except ValueError as error:
        raise FileRefused(f"“{options.effective_from}” is no date; write the first day as 2026-03-31.") from error


def costs_of(
    store: Store, told: Sequence[ToldCost], first_day: date, report: CostReport, *, nameless: Mapping[str, list[Variant]] | None = None
) -> list[VariantCost]:
    """Return the costs that are news, of every variant with a SKU that is told, and count what is found in the report.

    `nameless` are variants without a SKU, by what a row may call them instead.
    """
    variants: dict[str, list[Variant]] = dict(nameless or {})
    named = {row.sku for row in told}
    for variant in Variant.objects.filter(store=store, sku__in=named | {as_whole(sku) for sku in named}).order_by("pk"):
        variants.setdefault(variant.sku, []).append(variant)
    standing = _standing(store, {variant.pk for found in variants.values() for variant in found})
    costs = []
    # the earliest first: a row may hold already only because of what one before it says
    for row in sorted(told, key=lambda row: row.day or first_day):
        found = variants.get(row.sku) or variants.get(as_whole(row.sku), [])
        report.matched += bool(found)
        if not found and len(report.loose) < MOST_LISTED:
            report.loose.append(Loose(row.line, row.sku))
        news = []
        for variant in found:
            cost, held = _cost(variant, row, first_day), standing.setdefault(variant.pk, [])
            if not _holds(cost, held):
                news.append(cost)
                insort(held, cost, key=_begins)
        costs += news
        report.unchanged += bool(found) and not news
    report.added = len(costs)
    return costs


def _cost(variant: Variant, row: ToldCost, first_day: date) -> VariantCost:
    parts = {part: decimal(amount) for part, amount in zip(PARTS, row.parts, strict=True)}
    return VariantCost(variant=variant, origin=CostOrigin.MANUAL, currency=row.currency, effective_from=row.day or first_day, **parts)


def _standing(store: Store, variants: Collection[int]) -> dict[int, list[VariantCost]]:
    """Return the costs that were entered by hand, by variant in time order."""
    found: dict[int, list[VariantCost]] = {}
    for cost in VariantCost.objects.filter(store=store, variant__in=variants, origin=CostOrigin.MANUAL, removed_by=None):
        found.setdefault(cost.variant_id, []).append(cost)
    for costs in found.values():
        costs.sort(key=_begins)
    return found


def _begins(cost: VariantCost) -> int:
    return day_span(cost.effective_from, None)[0]


def _holds(cost: VariantCost, standing: Sequence[VariantCost]) -> bool:
    """Tell whether what holds on a cost's first day is that cost already."""
    place = bisect_right(standing, _begins(cost), key=_begins)
    return bool(place) and all(getattr(standing[place - 1], name) == getattr(cost, name) for name in (*PARTS, "currency"))


def take_product_costs(read: PricedFile, row: FileImport, *, now: datetime) -> None:
    """Propose the costs of a file as one change, and keep the file with it; raise FileRefused when they cannot be set."""
    with transaction.atomic():
        row.template = as_json(read.report.layout) if read.report.layout else {}
        row.save()
        reason = f"{read.report.filename} ({row.cause_ref})"
        if read.costs:
            try:
                row.proposal = proposals.propose(row.store, add=read.costs, actor=row.actor, reason=reason, origin=reason, now=now)
            except RuleRefused as refused:
                raise FileRefused(str(refused)) from refused
            archive(row, 1, pack([("", read.kept)]), orders=len(read.kept))
        row.rows, row.matched, row.finished_at = read.report.rows, read.report.matched, now
        row.changed_orders = row.new_orders = len(read.costs)
        row.unchanged_orders = read.report.unchanged
        row.state = FileImport.State.DONE if read.costs else FileImport.State.UNCHANGED
        row.save()
    read.report.import_id = row.pk


def undo_product_costs(found: Sequence[FileImport], *, now: datetime, actor: str = "", guard: Guard = unguarded) -> Undone:
    """Undo what imports of product costs changed, the latest first; raise FileRefused where later changes rest on it."""
    with transaction.atomic():
        for row in found:
            try:
                if row.proposal is not None and row.proposal.made is not None:
                    undoing.undo(row.proposal.made, actor=actor, now=now)
                elif row.proposal is not None and row.proposal.state == row.proposal.State.OPEN:
                    proposals.dismiss(row.proposal)
            except RuleRefused as refused:
                raise FileRefused(str(refused)) from refused
            move_undone(row, guard, now=now)
    return Undone(sum(row.changed_orders for row in found))
