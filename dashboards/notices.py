"""Gather what a page must say beside its figures: restating, open findings, the store's time zone."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Case, Count, F, IntegerField, Q, Value, When, Window
from django.utils import timezone

from ledger.cost_checks.run import KIND as COSTS
from ledger.models import Finding, Store
from ledger.people import EDITORS
from ledger.tasks import REPOST, store_key
from profitpeek.jobs.models import Job

MOST_FINDINGS, MOST_OF_COSTS = 10, 3


@dataclass(frozen=True, slots=True)
class Restating:
    """How far the restating of a store's costs is: waiting, running or failed; orders done, and in all (0 while not counted)."""

    state: str
    done: int = 0
    whole: int = 0


@dataclass(frozen=True, slots=True)
class Findings:
    """What a page lists: the gravest findings, and how many more there are about costs, which the costs page lists."""

    listed: Sequence[Finding]
    more_of_costs: int


def restating(store: Store) -> Restating | None:
    """Return how far restating is, from its job; None when every order carries today's costs, which needs no query."""
    if store.book.restated_version >= store.book.costs_version:
        return None
    states = [Job.State.RUNNING, Job.State.DEAD, Job.State.WAITING]
    jobs = {job.state: job for job in Job.objects.filter(kind=REPOST.name, key=store_key(store), state__in=states).order_by("pk")}
    if (running := jobs.get(Job.State.RUNNING)) is not None:
        return Restating("running", running.done, running.whole)
    waiting = jobs.get(Job.State.WAITING)
    # A dead job is replaced by the first that succeeds, so one that is there still says what keeps the figures back.
    failed = Job.State.DEAD in jobs or (waiting is not None and bool(waiting.fault))
    return Restating("failed" if failed else "waiting")


def may_edit_costs(store: Store) -> bool:
    """Tell whether the person a store was found for (`access.stores_for`) edits its costs."""
    return getattr(store, "role", None) in EDITORS


def open_findings(store: Store) -> Findings:
    """Return the open findings about a store or the whole installation, the gravest first; of those about costs, three."""
    found = Finding.objects.filter(Q(book_id=store.pk) | Q(book=None), resolved_at=None).exclude(kind__startswith=COSTS)
    others = list(found.order_by(_rank(), "-last_seen_at")[:MOST_FINDINGS])
    of_costs = cost_findings(store, most=MOST_OF_COSTS, grave=True)
    return Findings([*others, *of_costs.listed], of_costs.more_of_costs)


def cost_findings(store: Store, *, most: int, grave: bool = False) -> Findings:
    """Return the open findings of the checks of cost rules, the gravest first, then those with most money; `grave` leaves out mere hints."""
    found = Finding.objects.filter(book_id=store.pk, kind__startswith=COSTS, resolved_at=None)
    if grave:
        found = found.exclude(severity=Finding.Severity.INFO)
    counted = found.annotate(in_all=Window(Count("pk"))).order_by(_rank(), F("money").desc(nulls_last=True), "subject")
    listed = list(counted[:most])
    return Findings(listed, listed[0].in_all - len(listed) if listed else 0)


def _rank() -> Case:
    return Case(When(severity="error", then=Value(0)), When(severity="warning", then=Value(1)), default=Value(2), output_field=IntegerField())


def current_zone(store: Store) -> str:
    """Return the store's present time zone; one planned for later does not apply yet."""
    latest = store.zones.filter(from_day__lte=timezone.now().date()).order_by("-from_day").values_list("zone", flat=True).first()
    return latest or "UTC"
