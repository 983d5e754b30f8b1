"""Import a file of order lines into a store, in the foreground."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import msgspec
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from connectors.imports import KIND, ImportUndone, Report, import_order_lines, undo_order_lines
from connectors.platforms.files.faults import FileRefused
from connectors.platforms.files.template import load, names
from ledger.models import Store
from ledger.money import decimal, in_minor_units


class Command(BaseCommand):
    """Check a file, import it, or undo its import."""

    help = "Import a file into a store. The file is checked whole before anything is written; importing it again changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("slug", help="the store")
        parser.add_argument("path", type=Path, help="the file: CSV, plain or .gz")
        parser.add_argument("--kind", choices=[KIND], required=True, help="what the file holds")
        parser.add_argument("--template", required=True, help=f"how its columns are read: {', '.join(names())}, or a path to your own .toml")
        parser.add_argument("--dry-run", action="store_true", help="check and count only; write nothing")
        parser.add_argument("--undo", action="store_true", help="take back every import of this file with this template")
        parser.add_argument("--json", action="store_true", help="print the result for machines")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the import."""
        store = Store.objects.filter(slug=options["slug"]).first()
        if store is None:
            raise CommandError(f"There is no store “{options['slug']}”. Open it with create_store.")
        if options["undo"] and options["dry_run"]:
            raise CommandError("--undo and --dry-run do not go together.")
        try:
            template = load(options["template"])
            if options["undo"]:
                report = undo_order_lines(store, options["path"], template, now=timezone.now(), actor="command line")
            else:
                report = import_order_lines(
                    store,
                    options["path"],
                    template,
                    now=timezone.now(),
                    actor="command line",
                    dry_run=options["dry_run"],
                    progress=self._progress(options),
                )
        except (FileRefused, ImportUndone) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError("Interrupted. What was recorded stays; import the file again to go on, or undo it.") from None
        self.stdout.write(json.dumps(as_json(report, store), indent=2) if options["json"] else in_words(report, store, options))

    def _progress(self, options: dict[str, Any]) -> Any:
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
