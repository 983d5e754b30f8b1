"""Import a file into a store, in the foreground."""

import json
import sys
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import msgspec
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from connectors.files import kinds as file_kinds
from connectors.files import words as file_words
from connectors.files.effects import keep_taken
from connectors.files.given import sheet_of
from connectors.files.imports import ImportUndone, new_import, standing
from connectors.files.kind import FileKind, Progress, unguarded, untold
from connectors.files.orders.order_line_files import ORDER_LINE_FILES
from connectors.files.orders.order_line_templates import find_template
from connectors.models import FileImport
from connectors.platforms.files.cost_sheet import AUTO
from connectors.platforms.files.faults import FileRefused
from connectors.platforms.files.reading import file_digest
from connectors.platforms.files.shopify.orders import ADDED, INCLUDED
from connectors.platforms.files.template import as_json, names
from ledger.models import Store
from ledger.people import kept_stores
from ledger.rules import proposals

ACTOR = "command line"


class Command(BaseCommand):
    """Check a file, import it, or undo its import."""

    help = "Import a file into a store. The file is checked whole before anything is written; importing it again changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("slug", help="the store")
        parser.add_argument("path", type=Path, help="the file: CSV, plain or .gz, or an Excel workbook (.xlsx)")
        parser.add_argument("--kind", choices=[kind.name for kind in file_kinds.FILE_KINDS], required=True, help="what the file holds")
        parser.add_argument("--template", help=f"how the columns of order lines are read: {', '.join(names())}, store:NAME, or a path to a .toml")
        parser.add_argument("--sheet", default="", help="the sheet of a workbook; the first with a table by default")
        parser.add_argument("--decimal-sign", choices=[AUTO, ".", ","], default=AUTO, help="of amounts in a file of costs")
        parser.add_argument("--day-order", choices=[AUTO, "day", "month"], default=AUTO, help="what stands first in dates like 03/04/2026")
        parser.add_argument("--currency", default="", help="of amounts without one in a file of costs; the store's by default")
        parser.add_argument("--effective-from", default="", help="the day product costs hold from where the file names none; today by default")
        parser.add_argument(
            "--taxes",
            choices=[AUTO, ADDED, INCLUDED],
            default=AUTO,
            help="whether tax is added to prices, where orders of Shopify's export do not tell",
        )
        parser.add_argument("--dry-run", action="store_true", help="check and count only; write nothing")
        parser.add_argument("--undo", action="store_true", help="take back every import of this file as this kind")
        parser.add_argument("--json", action="store_true", help="print the result for machines")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the import."""
        store = kept_stores().filter(slug=options["slug"]).first()
        if store is None:
            raise CommandError(f"There is no store “{options['slug']}”. Open it with create_store.")
        if options["undo"] and options["dry_run"]:
            raise CommandError("--undo and --dry-run do not go together.")
        kind = file_kinds.find(options["kind"])
        if kind is ORDER_LINE_FILES and not options["template"]:
            raise CommandError(f"Name a template for order lines: --template {names()[0]}, or the path of your own.")
        try:
            with tempfile.TemporaryDirectory() as folder:
                given = sheet_of(options["path"], Path(folder), name=options["sheet"])
                options["path"] = given.path
                row = _row(store, kind, options)
                row.caveats = "\n".join(given.caveats)
                self.stdout.write(self._undo(row, kind, options) if options["undo"] else self._import(row, kind, options))
        except (FileRefused, ImportUndone) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError("Interrupted. What was recorded stays; import the file again to go on, or undo it.") from None

    def _import(self, row: FileImport, kind: FileKind, options: dict[str, Any]) -> str:
        path, now, written = options["path"], timezone.now(), not options["dry_run"]
        if not written:
            found = kind.look(row, path, now, self._progress(options))
        elif kind.is_reviewed:
            with transaction.atomic():
                found = kind.take(row, path, now, untold, unguarded)
                if row.proposal is not None:
                    proposals.apply(row.proposal, actor=ACTOR, now=now)
        else:
            found = kind.take(row, path, now, self._progress(options), unguarded)
            keep_taken(row, found)
        found.warnings = [*row.caveats.splitlines(), *found.warnings]
        if options["json"]:
            return json.dumps({"store": row.store.slug, "currency": row.store.currency, **msgspec.to_builtins(found)}, indent=2)
        return "\n".join(file_words.lines_of(found, written=written))

    def _undo(self, row: FileImport, kind: FileKind, options: dict[str, Any]) -> str:
        found = list(standing(row.store, kind, row.sha256, template=row.template).select_related("store", "proposal"))
        if not found:
            how = f" with the template {row.template['name']}" if kind is ORDER_LINE_FILES else ""
            raise FileRefused(f"{row.filename} has not been imported into {row.store.slug} as {kind.name}{how}; there is nothing to undo.")
        done = kind.undo(found, timezone.now(), ACTOR, self._progress(options), unguarded)
        if options["json"]:
            undone = [each.pk for each in found]
            return json.dumps({"store": row.store.slug, "undone": undone, "orders": done.orders, "entries": done.entries}, indent=2)
        if kind.is_reviewed:
            return "Undone: its costs are taken back; orders are being restated. History stays in the book."
        return f"Undone: {done.orders:,} taken back or restored, {done.entries:,} entries written. History stays in the book."

    def _progress(self, options: dict[str, Any]) -> Progress:
        if options["json"] or not sys.stderr.isatty():
            return untold

        def show(step: str, done: int, whole: int) -> None:
            bar = f"[{'#' * (30 * done // whole):30}] {100 * done // whole:3} %" if whole else ""
            self.stderr.write(f"\r{step}: {done:,} {bar}", ending="\n" if whole and done >= whole else "")
            self.stderr.flush()

        return show


def _row(store: Store, kind: FileKind, options: dict[str, Any]) -> FileImport:
    """Make the import, not yet in the table, that the arguments ask for."""
    path, template = options["path"], {}
    if kind is ORDER_LINE_FILES:
        template = as_json(find_template(store, options["template"]))
    elif kind.asks:
        said = {**options, "currency": options["currency"].upper()}
        template = {"options": {name: said[name] for name in kind.asks}}
    return new_import(store, kind.name, template, filename=path.name, sha256=file_digest(path), actor=ACTOR, now=timezone.now())
