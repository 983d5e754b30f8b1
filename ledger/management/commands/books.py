"""Check a store's book, recompute its totals, draft its orders again, or explain what changed."""

from argparse import ArgumentParser
from decimal import Decimal
from typing import Any

from django.core.management.base import CommandError
from django.db import transaction

from ledger.audit import audit
from ledger.book import totals
from ledger.book.explain import Change, changes
from ledger.book.reposting import repost
from ledger.book.snapshot import snapshot
from ledger.cause import Cause
from ledger.kinds import Basis, CauseKind
from ledger.management.store_command import MOMENT_HELP, StoreCommand, amount_text, batch_at, table
from ledger.models import Store
from ledger.posting import hold_book
from ledger.record import Contended


class Command(StoreCommand):
    """Looks after a book."""

    help = "Look after a store's book: audit it, rebuild its totals, repost its orders, explain what changed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the actions and what each takes."""
        actions = parser.add_subparsers(dest="action", required=True, metavar="audit|rebuild|repost|explain")
        for name, told in (
            ("audit", "check every invariant; exit status 1 when one does not hold"),
            ("rebuild", "recompute the totals from the entries"),
            ("repost", "draft every order again with today's rules"),
            ("explain", "list what the batches between two moments changed"),
        ):
            action = actions.add_parser(name, help=told, description=told)
            self.add_store_arguments(action)
            if name == "explain":
                action.add_argument("--from", dest="after", required=True, metavar="MOMENT", help=f"what was known at: {MOMENT_HELP}")
                action.add_argument("--to", dest="through", metavar="MOMENT", help="what was known at (now when left out)")
                action.add_argument("--basis", choices=[basis.label for basis in Basis], default=Basis.EVENT.label, help="whose days count")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run one action on the store's book."""
        store = self.store(options["slug"])
        {"audit": self._audit, "rebuild": self._rebuild, "repost": self._repost, "explain": self._explain}[options["action"]](store, options)

    def _audit(self, store: Store, options: dict[str, Any]) -> None:
        with snapshot():
            store.book.refresh_from_db()
            results = audit(store.book)
        failed = sum(bool(problems) for problems in results.values())
        if options["json"]:
            told = {name: [problem._asdict() for problem in problems] for name, problems in results.items()}
            self.print_json({"store": store.slug, "ok": not failed, "invariants": told})
        else:
            for name, problems in results.items():
                self.stdout.write(f"{'FAILED' if problems else 'ok':6}  {name.replace('_', ' ')}")
                for problem in problems:
                    said = f" (expected {problem.expected}, is {problem.actual})" if problem.expected or problem.actual else ""
                    self.stdout.write(f"        {problem.subject}: {problem.message}{said}")
        if failed:
            raise CommandError(f"{failed} of {len(results)} invariants do not hold for “{store.slug}”.")

    def _rebuild(self, store: Store, options: dict[str, Any]) -> None:
        with transaction.atomic():
            book = hold_book(store.pk)
            rows = totals.recompute(store.pk)
        if options["json"]:
            self.print_json({"store": store.slug, "rows": rows, "through_batch": book.last_seq})
        else:
            self.stdout.write(f"Recomputed {rows} totals from the entries, through batch {book.last_seq}.")

    def _repost(self, store: Store, options: dict[str, Any]) -> None:
        watched = self.stdout.isatty() and not options["json"]

        def progress(done: int, whole: int) -> None:
            self.stdout.write(f"\r{done} of {whole} orders", ending="\n" if done >= whole else "")
            self.stdout.flush()

        try:
            entries = repost(store, cause=Cause(CauseKind.CORRECTION, "repost"), progress=progress if watched else None)
        except Contended as error:
            raise CommandError(str(error)) from error
        store.book.refresh_from_db()
        if options["json"]:
            self.print_json({"store": store.slug, "entries": entries, "through_batch": store.book.last_seq})
        else:
            self.stdout.write(f"Wrote {entries} entries, through batch {store.book.last_seq}.")

    def _explain(self, store: Store, options: dict[str, Any]) -> None:
        basis = next(basis for basis in Basis if basis.label == options["basis"])
        with snapshot():
            book = store.book
            book.refresh_from_db()
            after = batch_at(book, options["after"])
            through = batch_at(book, options["through"]) if options["through"] else book.last_seq
            if through < after:
                raise CommandError(f"The span ends (batch {through}) before it starts (batch {after}).")
            found = changes(book, after=after, through=through, basis=basis)
        lines = _by_line(found)
        if options["json"]:
            self.print_json(
                {
                    "store": store.slug, "currency": store.currency, "basis": basis.label, "from": after, "to": through,
                    "changes": [_as_json(change, store.currency) for change in found],
                    "totals": {line: amount_text(net, store.currency) for line, net in lines.items()},
                    "net_profit": amount_text(sum(lines.values(), Decimal(0)), store.currency),
                }
            )  # fmt: skip
            return
        self.stdout.write(f"{store.name}, {store.currency}: what changed after batch {after}, through batch {through}\n\n")
        rows = [["Batch", "Cause", "By", "Month", "Account", "Added", "Reversed", "Net"]]
        for change in found:
            figures = (amount_text(value, store.currency, change.account) for value in (change.added, change.reversed, change.amount))
            cause = f"{change.cause} {change.cause_ref}".strip()
            rows.append([str(change.seq), cause, change.actor, f"{change.month:%Y-%m}", change.account, *figures])
        self.stdout.write(table(rows, words=5) if found else "Nothing.")
        ends = [*lines.items(), ("net_profit", sum(lines.values(), Decimal(0)))]
        self.stdout.write("\n" + table([[line.replace("_", " "), amount_text(net, store.currency)] for line, net in ends]))


def _by_line(found: list[Change]) -> dict[str, Decimal]:
    """Add the changes up per statement line; memo accounts and counts are in none."""
    lines: dict[str, Decimal] = {}
    for change in found:
        if change.line is not None:
            lines[change.line] = lines.get(change.line, Decimal(0)) + change.amount
    return lines


def _as_json(change: Change, currency: str) -> dict[str, Any]:
    figures = {"added": change.added, "reversed": change.reversed, "net": change.amount}
    return change._asdict() | {name: amount_text(value, currency, change.account) for name, value in figures.items()}
