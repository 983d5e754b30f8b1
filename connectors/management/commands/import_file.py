"""Import a file into a store, in the foreground: order lines, or costs."""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from connectors import cost_words
from connectors.cost_imports import CHARGES, import_charges, standing, undo_charges
from connectors.imports import KIND, ImportUndone, Report, import_order_lines, undo_order_lines
from connectors.platforms.files.cost_sheet import AUTO, Options
from connectors.platforms.files.faults import FileRefused
from connectors.platforms.files.product_costs import PRODUCT_COSTS
from connectors.platforms.files.reading import file_digest
from connectors.platforms.files.template import load, names
from connectors.product_cost_imports import import_product_costs, undo_product_costs
from ledger.models import Store
from ledger.money import decimal, in_minor_units

ACTOR = "command line"


class Command(BaseCommand):
    """Check a file, import it, or undo its import."""

    help = "Import a file into a store. The file is checked whole before anything is written; importing it again changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("slug", help="the store")
        parser.add_argument("path", type=Path, help="the file: CSV, plain or .gz")
        parser.add_argument("--kind", choices=[KIND, *CHARGES, PRODUCT_COSTS.name], required=True, help="what the file holds")
        parser.add_argument("--template", help=f"how the columns of order lines are read: {', '.join(names())}, or a path to your own .toml")
        parser.add_argument("--decimal-sign", choices=[AUTO, ".", ","], default=AUTO, help="of amounts in a file of costs")
        parser.add_argument("--day-order", choices=[AUTO, "day", "month"], default=AUTO, help="what stands first in dates like 03/04/2026")
        parser.add_argument("--currency", default="", help="of amounts without one in a file of costs; the store's by default")
        parser.add_argument("--effective-from", default="", help="the day product costs hold from where the file names none; today by default")
        parser.add_argument("--dry-run", action="store_true", help="check and count only; write nothing")
        parser.add_argument("--undo", action="store_true", help="take back every import of this file as this kind")
        parser.add_argument("--json", action="store_true", help="print the result for machines")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the import."""
        store = Store.objects.filter(slug=options["slug"]).first()
        if store is None:
            raise CommandError(f"There is no store “{options['slug']}”. Open it with create_store.")
        if options["undo"] and options["dry_run"]:
            raise CommandError("--undo and --dry-run do not go together.")
        if options["kind"] == KIND and not options["template"]:
            raise CommandError(f"Name a template for order lines: --template {names()[0]}, or the path of your own.")
        try:
            take = self._order_lines if options["kind"] == KIND else self._undo_costs if options["undo"] else self._costs
            self.stdout.write(take(store, options))
        except (FileRefused, ImportUndone) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError("Interrupted. What was recorded stays; import the file again to go on, or undo it.") from None

    def _order_lines(self, store: Store, options: dict[str, Any]) -> str:
        template, now = load(options["template"]), timezone.now()
        if options["undo"]:
            report = undo_order_lines(store, options["path"], template, now=now, actor=ACTOR)
        else:
            report = import_order_lines(
                store, options["path"], template, now=now, actor=ACTOR, dry_run=options["dry_run"], progress=self._progress(options)
            )  # fmt: skip
        return json.dumps(as_json(report, store), indent=2) if options["json"] else in_words(report, store, options)

    def _costs(self, store: Store, options: dict[str, Any]) -> str:
        said = Options(options["decimal_sign"], options["day_order"], options["currency"].upper(), options["effective_from"])
        path, now, dry_run = options["path"], timezone.now(), options["dry_run"]
        if options["kind"] == PRODUCT_COSTS.name:
            report = import_product_costs(store, path, options=said, now=now, actor=ACTOR, dry_run=dry_run)
        else:
            report = import_charges(
                store, path, CHARGES[options["kind"]], options=said, now=now, actor=ACTOR, dry_run=dry_run, progress=self._progress(options)
            )  # fmt: skip
        return json.dumps(cost_words.as_json(report), indent=2) if options["json"] else "\n".join(cost_words.lines_of(report, written=not dry_run))

    def _undo_costs(self, store: Store, options: dict[str, Any]) -> str:
        kind = CHARGES.get(options["kind"], PRODUCT_COSTS)
        found = list(standing(store, kind, file_digest(options["path"])))
        if not found:
            raise FileRefused(f"{options['path'].name} has not been imported into {store.slug} as {kind.name}; there is nothing to undo.")
        written = undo_charges(store, found, now=timezone.now(), actor=ACTOR) if kind.name in CHARGES else 0
        if kind is PRODUCT_COSTS:
            undo_product_costs(found, now=timezone.now(), actor=ACTOR)
        if options["json"]:
            return json.dumps({"store": store.slug, "undone": [row.pk for row in found], "entries": written}, indent=2)
        what = "its costs are taken back; orders are being restated" if kind is PRODUCT_COSTS else f"{written:,} entries written"
        return f"Undone: {what}. History stays in the book."

    def _progress(self, options: dict[str, Any]) -> Callable[[str, int, int], None] | None:
        if options["json"] or not sys.stderr.isatty():
            return None

        def show(step: str, done: int, whole: int) -> None:
            bar = f"[{'#' * (30 * done // whole):30}] {100 * done // whole:3} %" if whole else ""
            self.stderr.write(f"\r{step}: {done:,} {bar}", ending="\n" if whole and done >= whole else "")
            self.stderr.flush()

        return show


def as_json(report: Report, store: Store) -> dict[str, Any]:
    """Return a report as plain values; amounts are texts in the store's currency."""
    values = dict(msgspec.to_builtins(report))
    for key in ("file_total", "rounding"):
        values[key] = str(in_minor_units(decimal(values[key]), store.currency))
    values["foreign_totals"] = {code: str(in_minor_units(decimal(value), code)) for code, value in report.foreign_totals.items()}
    return {"store": store.slug, "currency": store.currency, **values}


def in_words(report: Report, store: Store, options: dict[str, Any]) -> str:
    """Say what a file held and what was done with it."""
    if options["undo"]:
        return f"Undone: {report.orders:,} orders taken back or restored, {report.entries:,} entries written. History stays in the book."
    total, rounding = (in_minor_units(decimal(value), store.currency) for value in (report.file_total, report.rounding))
    lines = [
        f"{report.filename}: {report.rows:,} rows ({report.encoding}, “{report.delimiter}”), {report.orders:,} orders:"
        f" {report.sale_orders:,} sales ({report.zero_orders:,} worth 0) and {report.return_orders:,} returns.",
        f"Sum of all rows {total} {store.currency}; rounding to the minor unit takes {rounding}.",
    ]
    lines += [f"In other currencies: {in_minor_units(decimal(value), code)} {code}." for code, value in sorted(report.foreign_totals.items())]
    if report.dropped_columns:
        lines.append(f"Columns not read: {', '.join(report.dropped_columns)}.")
    if report.unknown_countries:
        lines.append(f"Countries not recognised (left unknown): {', '.join(report.unknown_countries)}.")
    if options["dry_run"]:
        lines.append("Dry run: nothing was written.")
    else:
        lines.append(
            f"Import {report.import_id}: {report.new:,} new orders, {report.changed:,} changed, {report.unchanged:,} unchanged;"
            f" {report.entries:,} entries."
        )
        if report.held:
            lines.append(f"{report.held:,} orders wait for an exchange rate; load rates, then repost.")
    return "\n".join(lines)
