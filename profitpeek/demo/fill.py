"""Open the demo store and fill it through the product's own doors: one way in for the command, the first start and the page.

Every step may run twice: what an earlier run did, however it ended, is found and left alone.
"""

import tempfile
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from django.db import IntegrityError, transaction

from connectors.files import kinds as file_kinds
from connectors.files.effects import keep_taken
from connectors.files.imports import new_import
from connectors.files.kind import Guard, Progress, unguarded, untold
from connectors.models import FileImport
from connectors.platforms.files.reading import file_digest
from connectors.platforms.files.template import as_json, load
from ledger.book.reposting import restate
from ledger.cause import Cause
from ledger.cost_checks.run import check_costs
from ledger.costs.accruing import accrue
from ledger.kinds import CauseKind
from ledger.models import CostChange, Erasure, Store
from ledger.people import kept_stores
from ledger.rules import proposals, rules
from ledger.stores import open_store, today_of
from profitpeek.demo import costs, files
from profitpeek.demo.business import Calendar, Sold, calendar, orders

NAME, CURRENCY, ZONE = "Demo: Harbour Pottery", "EUR", "Europe/Dublin"
SLUGS = ("demo", "demo-store", "demo-2", "demo-3")
CONNECTED_SLUG = "sandbox"
"""Of the other demo store, which is read from a simulated shop (profitpeek/demo/connected.py)."""
ACTOR = "demo"
TEMPLATE = Path(__file__).with_name("order-lines.toml")
ORDER_LINES = "order-lines"
EARLIER = "order-lines.csv"
"""The only file of the demo store that earlier versions made."""
WHOLE = (FileImport.State.DONE, FileImport.State.UNCHANGED)


class Filling(NamedTuple):
    """What the steps share: the store, its business, the folder of its files, the time, and whom to tell."""

    store: Store
    sold: Sequence[Sold]
    days: Calendar
    folder: Path
    now: datetime
    progress: Progress
    guard: Guard


def demo_store() -> Store | None:
    """Return the demo store, where there is one."""
    return kept_stores().select_related("book").filter(is_demo=True).exclude(slug=CONNECTED_SLUG).order_by("pk").first()


def was_deleted() -> bool:
    """Tell whether somebody had a demo store deleted: then it is made again only where somebody asks for it."""
    return Erasure.objects.filter(is_demo=True).exists()


def open_demo() -> Store:
    """Return the demo store, opened now if there is none; a store of one's own that is called demo is left alone."""
    for slug in SLUGS:
        store = demo_store()
        if store is not None:
            return store
        if not Store.objects.filter(slug=slug).exists():
            with suppress(IntegrityError), transaction.atomic():  # somebody else opened it a moment ago
                return open_store(slug=slug, name=NAME, currency=CURRENCY, zone=ZONE, is_demo=True)
    raise RuntimeError(f"No short name is free for the demo store: {', '.join(SLUGS)} are all taken.")


def is_filled(store: Store) -> bool:
    """Tell whether nothing is left to be done: its last file was taken, or it was filled by an earlier version.

    What follows the last file the worker does as well, where it was cut.
    """
    imported = set(store.file_imports.filter(state__in=WHOLE).values_list("filename", flat=True))
    return EARLIER in imported or imported >= {drop.filename for drop in files.DROPS}


def fill(store: Store, *, now: datetime, progress: Progress | None = None, guard: Guard = unguarded) -> None:
    """Fill the demo store with the two years that ended the day before it was opened, or go on where that was cut.

    `progress` is called with (step, done, of how many), `guard` last in each transaction.
    """
    if is_filled(store):
        return
    today = today_of(store, store.created_at)
    with tempfile.TemporaryDirectory() as folder:
        filling = Filling(store, list(orders(today)), calendar(today), Path(folder), now, progress or untold, guard)
        _enter(filling, costs.BEFORE_ORDERS)
        _drop(filling, files.ORDERS)
        _drop(filling, files.PRODUCT_COSTS)
        _enter(filling, costs.AFTER_ORDERS)
        _drop(filling, files.PARCELS)
        _drop(filling, files.COMMISSIONS)
        _drop(filling, files.ADS)
    _settle(store, now, filling.progress)


def _enter(filling: Filling, steps: Sequence[costs.Step]) -> None:
    """Make changes of cost rules, each once."""
    store = filling.store
    for step in steps:
        filling.progress("entering costs", 0, 0)
        with transaction.atomic():
            Store.objects.select_for_update(no_key=True).get(pk=store.pk)  # another filling may be at the same step
            if not CostChange.objects.filter(store=store, reason=step.reason).exists():
                rules.change(store, add=step.rules(store, filling.days), actor=ACTOR, reason=step.reason, now=filling.now)
            filling.guard()


def _drop(filling: Filling, drop: files.Drop) -> None:
    """Write a file and take it as its kind does, unless that was done; costs that a person would review are saved at once."""
    store, path = filling.store, filling.folder / drop.filename
    if store.file_imports.filter(filename=drop.filename, state__in=WHOLE).exists():
        return
    drop.write(path, filling.sold, filling.days)
    kind, template = file_kinds.find(drop.kind), as_json(load(str(TEMPLATE))) if drop.kind == ORDER_LINES else {}
    row = new_import(store, kind.name, template, filename=path.name, sha256=file_digest(path), actor=ACTOR, now=filling.now)
    if not kind.is_reviewed:
        keep_taken(row, kind.take(row, path, filling.now, filling.progress, filling.guard))
        return
    filling.progress("entering product costs", 0, 0)
    with transaction.atomic():
        kind.take(row, path, filling.now, untold, unguarded)
        if row.proposal is not None:
            proposals.apply(row.proposal, actor=ACTOR, now=filling.now)
        filling.guard()


def _settle(store: Store, now: datetime, progress: Progress) -> None:
    """Let every order carry the costs that were entered, and have them checked, as the background does for other stores."""
    restate(store, cause=Cause(CauseKind.RULE, "repost", ACTOR), progress=lambda done, whole: progress("putting costs on orders", done, whole))
    today = today_of(store, now)
    accrue(store, today=today, now=now)
    check_costs(store, today=today, now=now)
    store.refresh_from_db()
    store.book.refresh_from_db()
