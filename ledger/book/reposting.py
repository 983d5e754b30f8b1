"""Draft orders again: after a rule changed, a rate arrived, the drafts improved, or an import was undone."""

from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import datetime

from django.db import connection
from django.db.models import F
from django.utils import timezone

from ledger import findings
from ledger.advertising import spending
from ledger.cause import Cause
from ledger.charges import charge_rows
from ledger.days import moment
from ledger.drafts import DRAFT_VERSION
from ledger.kinds import Hold
from ledger.models import Book, Order, Store
from ledger.orders import mirror, touches
from ledger.orders.drafting import draft_orders, load_terms
from ledger.orders.order_posting import post_orders, redraft
from ledger.posting import Posting, hold_book
from ledger.record import persist
from ledger.restating import decisions
from ledger.restating.cogs import restate_cogs
from ledger.restating.lanes import LANES, through
from ledger.rules.reach import Reach, every_order, reach_since

CHUNK = 2_000
"""Orders drafted again per transaction: the book is held for a fraction of a second each."""

SET_CHUNK = 5_000
"""Orders restated per transaction where the database does it by sets."""

IN_ONE_LANE = 20_000
"""Orders for which a second connection is not worth its opening."""

Progress = Callable[[int, int], None]
"""Called with (orders done, orders in all)."""


def repost(store: Store, *, cause: Cause, progress: Progress | None = None) -> int:
    """Draft every order of a store, and its ad spend, again with today's rules and rates and return how many entries that wrote.

    Goes on in chunks that each commit; when none is left over, the book is marked as restated up to the costs
    version that was in force at the start, and findings about rates that are no longer missing are resolved.
    """
    version = Book.objects.values_list("costs_version", flat=True).get(pk=store.pk)
    spent = spending.repost(store, cause=cause, now=timezone.now())
    return spent.added + _bring_up_to(version, store, every_order(store), cause, progress)


def restate(store: Store, *, cause: Cause, progress: Progress | None = None) -> int:
    """Draft again what the changes of cost rules since the last restating can reach, as `repost` does, and no more than that.

    Several changes are one run. Where something else moved costs too, or the drafts improved, it is every order.
    """
    restated, version = Book.objects.values_list("restated_version", "costs_version").get(pk=store.pk)
    outdated = Order.objects.filter(store=store).exclude(draft_version=DRAFT_VERSION).exists()
    return _bring_up_to(version, store, every_order(store) if outdated else reach_since(store, restated, version), cause, progress)


def _bring_up_to(version: int, store: Store, reach: Reach, cause: Cause, progress: Progress | None) -> int:
    # orders that arrive meanwhile are drafted with the rules of at least this version
    total = reach.count()
    written = done = 0
    draft = _by_sets if reach.only_cogs else _one_by_one
    chunks = reach.chunks(SET_CHUNK if reach.only_cogs else CHUNK)
    lanes = LANES if reach.only_cogs and total > IN_ONE_LANE and not connection.in_atomic_block else 1
    with closing(through(chunks, lambda ids: draft(store, ids, cause), lanes=lanes)) as arrivals:
        for ids, entries in arrivals:
            written += entries
            done += len(ids)
            if progress is not None:
                progress(done, max(done, total))
    decisions.forget()
    Book.objects.filter(pk=store.pk, restated_version__lt=version).update(restated_version=version)
    resolve_rates(store)
    return written


def _by_sets(store: Store, ids: Sequence[int], cause: Cause) -> int:
    """Restate what goods cost and return the entries written; what sets cannot do exactly is drafted one by one."""
    restated = persist(store, lambda: restate_cogs(store, ids, cause=cause))
    left = restated.left
    return restated.posting.added + sum(_one_by_one(store, left[start : start + CHUNK], cause) for start in range(0, len(left), CHUNK))


def _one_by_one(store: Store, ids: Sequence[int], cause: Cause) -> int:
    return persist(store, lambda: _repost(store, ids, cause)).added


def _repost(store: Store, ids: Sequence[int], cause: Cause) -> Posting:
    before = mirror.load(store.pk, ids, lock=True)
    Order.objects.filter(store=store, pk__in=ids).exclude(draft_version=DRAFT_VERSION).update(draft_version=DRAFT_VERSION)
    return redraft(store, before, cause=cause)[0]


def withdraw(store: Store, ids: Sequence[int], *, cause: Cause, now: datetime, only_cause: str | None = None) -> Posting:
    """Take orders back: their entries are reversed, and only the bare order stays in the mirror.

    Recording the order again revives it under the same id, with the charges that files told of it. With `only_cause`, orders that something else has
    changed since are left alone.
    """
    return persist(store, lambda: _withdraw(store, ids, cause, now, only_cause))


def _withdraw(store: Store, ids: Sequence[int], cause: Cause, now: datetime, only_cause: str | None) -> Posting:
    before = [order for order in mirror.load(store.pk, ids, lock=True) if only_cause in (None, order.cause_ref)]
    ids = [order.id for order in before]
    touches.forget(store.pk, ids)
    orders = mirror.load(store.pk, ids)
    for order in orders:
        order.withdrawn, order.digest, order.platform_updated, order.cause_ref = moment(now), None, None, cause.ref
        order.stated_total = order.stated_refunded = None
        order.lines, order.sales, order.payments, order.costs, order.charges = [], [], [], [], []
    charge_rows.release(store.pk, ids)
    terms = load_terms(store, orders)
    drafts = draft_orders(orders, terms)
    mirror.write(store.pk, orders, replaced=list(ids))
    return post_orders(store, orders, drafts, before=before, cause=cause, costs_version=terms.costs_version)


def adopt(store: Store, ids: Sequence[int], *, was: str, now: str) -> None:
    """Note that another import stands for these orders now, where its facts changed nothing."""
    Order.objects.filter(store=store, pk__in=ids, cause_ref=was).update(cause_ref=now)


def costs_changed(store: Store) -> int:
    """Note that a cost rule of a store changed and return the new costs version; drafts in flight are made again."""
    book = hold_book(store.pk)
    book.costs_version += 1
    book.save(update_fields=["costs_version"])
    return book.costs_version


def is_restating(store: Store) -> bool:
    """Tell whether some orders still carry costs from before the last rule change."""
    return Book.objects.filter(pk=store.pk, restated_version__lt=F("costs_version")).exists()


def resolve_rates(store: Store) -> None:
    """Resolve the findings about missing rates that no order waits for any more."""
    held = set(Order.objects.filter(store=store, hold=Hold.RATE_MISSING).values_list("hold_currency", flat=True))
    for currency in store.book.findings.filter(kind="rate_missing", resolved_at=None).values_list("subject", flat=True):
        if currency not in held:
            findings.resolve(store.pk, "rate_missing", currency, now=timezone.now())
