"""Do in the background what books need: the nightly audit, drafting orders again, and checking the rules of costs."""

from collections.abc import Callable
from datetime import datetime

from django.db import OperationalError, transaction
from django.db.models import F
from django.utils import timezone

from ledger.advertising import spending
from ledger.audit import audit
from ledger.book.reposting import repost, restate
from ledger.book.snapshot import snapshot
from ledger.cause import Cause
from ledger.cost_checks.run import check_costs
from ledger.costs.accruing import accrue, due
from ledger.erasure import erasing
from ledger.kinds import CauseKind
from ledger.models import Erasure, Store
from ledger.people import kept_stores
from ledger.record import Contended
from ledger.stores import today_of
from profitpeek.jobs import queue
from profitpeek.jobs.faults import Permanent, Postponed, Retryable
from profitpeek.jobs.kinds import Kind
from profitpeek.jobs.work import Work

WAIT_FOR_OTHERS = 3.0
"""Seconds until a deletion looks again whether other work on the store has ended."""


def store_key(store: Store) -> str:
    """Return the key under which one store's jobs of a kind follow each other."""
    return f"store:{store.pk}"


def audit_books(work: Work) -> None:
    """Have every store's book audited, each by a job of its own, so that one that fails keeps no other back."""
    for store in kept_stores().filter(book__isnull=False).order_by("pk"):
        queue.submit(AUDIT_BOOK, {"store": store.pk}, key=store_key(store), subject=store.name, actor=work.actor)


def audit_book(work: Work) -> None:
    """Audit one book; what does not hold becomes a finding that its pages show."""
    store = _store(work)
    with snapshot():
        audit(store.book)


def submit_repost(store: Store, *, why: str, actor: str) -> None:
    """Have what changed costs reach drafted again in the background; asked for twice, it is done once."""
    queue.submit(REPOST, {"store": store.pk}, key=store_key(store), subject=f"{store.name}: {why}", actor=actor)


def submit_redraft(store: Store, *, why: str, actor: str) -> None:
    """Have every order of a store drafted again in the background, whatever changed."""
    queue.submit(REDRAFT, {"store": store.pk}, key=store_key(store), subject=f"{store.name}: {why}", actor=actor)


def repost_book(work: Work) -> None:
    """Restate a store after changes of its costs. Posting writes only differences, so a run that was cut harms nothing."""
    _draft_again(work, restate)


def redraft_book(work: Work) -> None:
    """Draft every order of a store again with today's rules and rates."""
    _draft_again(work, repost)


def _draft_again(work: Work, run: Callable[..., int]) -> None:
    store = _store(work)

    def progress(done: int, whole: int) -> None:
        work.progress("drafting orders again", done, whole)

    try:
        run(store, cause=Cause(CauseKind.RULE, "repost", work.actor), progress=progress)
    except Contended as error:
        raise Retryable(str(error)) from error
    submit_check(store, actor=work.actor)


def repost_stale(work: Work) -> None:
    """Have every book drafted again whose orders still carry costs from before a rule change: its own restating was cut."""
    for store in kept_stores().filter(book__restated_version__lt=F("book__costs_version")).order_by("pk"):
        submit_repost(store, why="costs changed", actor=work.actor)


def check_every_store(work: Work) -> None:
    """Have the cost rules of every store checked, each by a job of its own."""
    for store in kept_stores().filter(book__isnull=False).order_by("pk"):
        submit_check(store, actor=work.actor)


def submit_check(store: Store, *, actor: str) -> None:
    """Have a store's cost rules checked in the background; asked for twice, it is done once."""
    queue.submit(CHECK_COSTS, {"store": store.pk}, key=store_key(store), subject=store.name, actor=actor)


def check_store(work: Work) -> None:
    """Check a store's cost rules; what is likely wrong becomes a finding that its pages show."""
    store, now = _store(work), timezone.now()
    check_costs(store, today=today_of(store, now), now=now)


def accrue_books(work: Work) -> None:
    """Have the days that have come booked for every store that has costs of days, or ad spend that may get a rate; others ask for no job."""
    for store in kept_stores().filter(book__isnull=False).order_by("pk"):
        today = today_of(store, timezone.now())
        if due(store, today=today) or spending.restless(store, today=today):
            queue.submit(ACCRUE_BOOK, {"store": store.pk}, key=store_key(store), subject=store.name, actor=work.actor)


def accrue_book(work: Work) -> None:
    """Book the days of one store's costs that have come since."""
    store, now = _store(work), timezone.now()
    accrue(store, today=today_of(store, now), now=now)


def submit_erasure(store: Store, *, actor: str, now: datetime) -> Erasure:
    """Put a store out of sight and have it deleted in the background; raise erasing.NotErasable where it cannot be."""
    with transaction.atomic():
        erasure = erasing.ask(store, actor=actor, now=now)
        erasure.job = queue.submit(ERASE_STORE, {"erasure": erasure.pk}, key=f"erasure:{erasure.pk}", subject=store.name, actor=actor)
        erasure.save(update_fields=["job"])
    return erasure


def erase_store(work: Work) -> None:
    """Delete a store that nobody sees any more; a run that was cut is gone on with, chunk by chunk."""
    erasure = Erasure.objects.get(pk=work.parameters["erasure"])
    try:
        erasing.erase(erasure, progress=work.progress, guard=work.fence)
    except erasing.StillBusy as busy:
        raise Postponed("Waiting for other work on the store to end.", after=WAIT_FOR_OTHERS) from busy
    except OperationalError as error:
        raise Retryable(f"The database gave way to another writer: {error}") from error


def _store(work: Work) -> Store:
    store = kept_stores().select_related("book").filter(pk=work.parameters["store"], book__isnull=False).first()
    if store is None:
        raise Permanent("The store is there no more.")
    return store


AUDIT_BOOKS = Kind(name="audit-books", label="Nightly audit", handler=audit_books, atomic=True)
AUDIT_BOOK = Kind(name="audit-book", label="Audit of a book", handler=audit_book, timeout=900, attempts=3)
REPOST_STALE = Kind(name="repost-stale", label="Search for orders to restate", handler=repost_stale, atomic=True)
ACCRUE_BOOKS = Kind(name="accrue-costs", label="Costs of the days that have come", handler=accrue_books, atomic=True)
ACCRUE_BOOK = Kind(name="accrue-costs-of-a-book", label="Costs of a store's days", handler=accrue_book, atomic=True)
REPOST = Kind(name="repost", label="Restating orders", handler=repost_book, timeout=2_700)
REDRAFT = Kind(name="redraft", label="Drafting every order again", handler=redraft_book, timeout=2_700)
CHECK_COSTS_NIGHTLY = Kind(name="check-costs-nightly", label="Nightly check of cost rules", handler=check_every_store, atomic=True)
CHECK_COSTS = Kind(name="check-costs", label="Check of cost rules", handler=check_store, timeout=900, attempts=3)
ERASE_STORE = Kind(name="erase-store", label="Deletion of a store", handler=erase_store, timeout=2_700, attempts=10)
