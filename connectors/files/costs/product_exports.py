"""Take Shopify's product export as costs of products: by SKU, and by name where a variant has no SKU."""

from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import Path

from django.db import transaction
from django.db.models import Q
from msgspec import Struct, field

from connectors.files.costs.columns import columns_read
from connectors.files.costs.cost_files import options_of
from connectors.files.costs.cost_imports import CostReport, checked, context_of, open_file, report_on
from connectors.files.costs.product_cost_imports import MOST_ROWS, PricedFile, costs_of, first_day_of, take_product_costs, undo_product_costs
from connectors.files.kind import MOST_LISTED, Count, FileKind, Found, Guard, Loose, Progress, Undone
from connectors.models import FileImport
from connectors.platforms.files.cost_sheet import DECIMAL_SIGN, EFFECTIVE_FROM, Checker, KeptRow, Options
from connectors.platforms.files.faults import FileRefused
from connectors.platforms.files.headers import fits
from connectors.platforms.files.shopify_products import NO_COST, SHOPIFY_PRODUCTS, ProductReader, ToldVariant
from ledger.models import ShippingRule, Store, Variant
from ledger.orders import dimensions
from ledger.tasks import submit_redraft


class ProductExport(Struct):
    """A product export that has been read: the costs it would set, and the names it tells."""

    priced: PricedFile
    titles: dict[int, str] = field(default_factory=dict)
    """What variants without a name in the catalogue are called, by variant."""
    grams: dict[int, int] = field(default_factory=dict)
    """What variants weigh whose weight the catalogue does not know, by variant."""
    left_out: dict[str, int] = field(default_factory=dict)
    """Rows that tell no cost, by why."""
    several: list[ToldVariant] = field(default_factory=list)
    """Variants whose SKU another one has, at another cost."""


def read_product_export(store: Store, path: Path, *, options: Options, now: datetime, progress: Progress) -> ProductExport:
    """Check a product export and find its variants; raise FileRefused with the rows that are wrong.

    Rows without a price are further images. What costs nothing known is left as it is: unknown is not nothing.
    """
    context = context_of(store, now)
    opened = open_file(path, SHOPIFY_PRODUCTS, options, context)
    report = report_on(opened, SHOPIFY_PRODUCTS)
    reader = ProductReader(opened.found.layout, context)
    export = ProductExport(PricedFile(report, opened.digest, [], []))
    told: dict[str, ToldVariant] = {}
    titles: dict[str, str] = {}
    grams: dict[str, int] = {}
    kept: dict[str, KeptRow] = {}
    clashing: set[str] = set()
    for row in checked(opened, SHOPIFY_PRODUCTS, Checker(SHOPIFY_PRODUCTS, opened.found, reader.check, opened.width), report, progress):
        variant = reader.told(row)
        name = variant.sku or variant.title
        if variant.title:
            titles.setdefault(name, variant.title)
        if variant.grams is not None:
            grams.setdefault(name, variant.grams)
        if variant.left_out:
            export.left_out[variant.left_out] = export.left_out.get(variant.left_out, 0) + 1
            continue
        if told.setdefault(name, variant).cost != variant.cost:
            clashing.add(name)
            export.several.append(variant)
        kept.setdefault(name, row)
    if len(told) > MOST_ROWS:
        raise FileRefused(f"{path.name} tells the cost of more than {MOST_ROWS:,} variants. Split it; each part is a change of its own.")
    sure = {name: variant for name, variant in told.items() if name not in clashing}
    report.loose = [Loose(told[name].line, name, "", True) for name in sorted(clashing, key=lambda name: told[name].line)]
    first_day = first_day_of(store, options, now)
    report.effective_from = first_day.isoformat()
    export.priced.kept = [kept[name] for name in sure]
    export.priced.costs = costs_of(store, [variant.as_cost() for variant in sure.values()], first_day, report, nameless=_nameless(store, sure))
    report.loose = sorted(report.loose, key=lambda loose: loose.line)[:MOST_LISTED]
    export.titles = _missing_titles(store, titles)
    export.grams = _missing_weights(store, grams)
    return export


def _nameless(store: Store, told: Collection[str]) -> dict[str, list[Variant]]:
    """Return the variants without a SKU that are called like an export's rows, by name; an orders export names them so."""
    found: dict[str, list[Variant]] = {}
    for variant in Variant.objects.filter(store=store, sku="", title__in=[name[:255] for name in told]).order_by("pk"):
        found.setdefault(variant.title, []).append(variant)
    return found


def _missing_titles(store: Store, titles: dict[str, str]) -> dict[int, str]:
    found = Variant.objects.filter(store=store, title="", sku__in=[name for name in titles if name]).exclude(sku="")
    return {variant.pk: titles[variant.sku] for variant in found}


def _missing_weights(store: Store, grams: dict[str, int]) -> dict[int, int]:
    named = Variant.objects.filter(Q(sku__in=[name for name in grams if name]) | Q(sku="", title__in=[name[:255] for name in grams]), store=store)
    return {variant.pk: grams[name] for variant in named.filter(grams=None) if (name := variant.sku or variant.title) in grams}


def _look(row: FileImport, path: Path, now: datetime, progress: Progress) -> Found:
    return _found(read_product_export(row.store, path, options=options_of(row), now=now, progress=progress))


def _take(row: FileImport, path: Path, now: datetime, progress: Progress, guard: Guard) -> Found:
    export = read_product_export(row.store, path, options=options_of(row), now=now, progress=progress)
    with transaction.atomic():
        take_product_costs(export.priced, row, now=now)
        dimensions.name_variants(row.store_id, export.titles)
        if dimensions.weigh_variants(row.store_id, export.grams) and _weight_matters(row.store):
            submit_redraft(row.store, why="weights of products", actor=row.actor)
        guard()
    return _found(export)


def _weight_matters(store: Store) -> bool:
    rules = ShippingRule.objects.filter(store=store, removed_by=None)
    return rules.filter(Q(least_grams__gt=0) | Q(most_grams__isnull=False)).exists()


def _undo(found: Sequence[FileImport], now: datetime, actor: str, progress: Progress, guard: Guard) -> Undone:
    return undo_product_costs(found, now=now, actor=actor, guard=guard)


def _found(export: ProductExport) -> Found:
    report = export.priced.report
    read = columns_read(SHOPIFY_PRODUCTS, report.layout, report.first_rows)
    loose_count = _without_variant(export)
    return Found(
        filename=report.filename, kind=SHOPIFY_PRODUCTS.name, encoding=report.encoding, delimiter=report.delimiter, import_id=report.import_id,
        rows=report.rows, counts=[Count("variants that the store has", report.matched), *(Count(why, rows) for why, rows in export.left_out.items())],
        columns=read.columns, dropped_columns=list(report.dropped_columns), headings=read.headings, first_rows=read.first_rows,
        unit="costs of variants", new=report.added, unchanged=report.unchanged, notes=_notes(export, report), warnings=_warnings(export),
        loose_what="variant", loose_means="no order has sold such a SKU yet, or two rows tell its cost differently", loose=report.loose,
        loose_count=loose_count,
    )  # fmt: skip


def _without_variant(export: ProductExport) -> int:
    report = export.priced.report
    return len(export.priced.kept) - report.matched + sum(1 for loose in report.loose if loose.ambiguous)


def _notes(export: ProductExport, report: CostReport) -> list[str]:
    notes = [f"Costs hold from {report.effective_from}."]
    if export.titles:
        notes.append(f"{len(export.titles):,} variants without a name in the catalogue are named as the export names them.")
    if export.grams:
        notes.append(f"{len(export.grams):,} variants whose weight is not known are given the export's; orders weigh what their variants do.")
    return notes


def _warnings(export: ProductExport) -> list[str]:
    warnings = []
    if export.left_out.get(NO_COST):
        warnings.append(f"{export.left_out[NO_COST]:,} variants have no cost in Shopify and keep what is set here; enter theirs under Costs.")
    if export.several:
        names = ", ".join(f"“{variant.sku or variant.title}”" for variant in export.several[:5])
        warnings.append(f"Several variants share a SKU at different costs ({names}); their costs are not taken. Give them SKUs of their own.")
    return warnings


SHOPIFY_PRODUCT_FILES = FileKind(
    name=SHOPIFY_PRODUCTS.name, label=SHOPIFY_PRODUCTS.label,
    where_from="In Shopify under Products: Export, “All products”, “Plain CSV file”.",
    recognises=lambda header: fits(header, SHOPIFY_PRODUCTS.fields), look=_look, take=_take, undo=_undo, asks=(DECIMAL_SIGN, EFFECTIVE_FROM),
    is_reviewed=True,
)  # fmt: skip
