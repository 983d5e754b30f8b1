"""Gather what a page must say beside its figures: restating, open findings, the store's time zone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

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
    others = _gravest(store, f"(book_id = %(book)s OR book_id IS NULL) AND NOT {_OF_COSTS}", "last_seen_at DESC", MOST_FINDINGS)
    of_costs = cost_findings(store, most=MOST_OF_COSTS, grave=True)
    return Findings([*others, *of_costs.listed], of_costs.more_of_costs)


def cost_findings(store: Store, *, most: int, grave: bool = False) -> Findings:
    """Return the open findings of the checks of cost rules, the gravest first, then those with most money; `grave` leaves out mere hints."""
    which = f"book_id = %(book)s AND {_OF_COSTS}" + (" AND severity <> 'info'" if grave else "")
    listed = _gravest(store, which, "money DESC NULLS LAST, subject", most)
    return Findings(listed, listed[0].in_all - len(listed) if listed else 0)


# Written out: every page of figures asks this, and Django takes longer to put it together than the database to answer it.
_OF_COSTS = "starts_with(kind, %(costs)s)"
_GRAVEST = """
    SELECT *, count(*) OVER () AS in_all FROM ledger_finding WHERE resolved_at IS NULL AND {which}
    ORDER BY array_position(ARRAY['error', 'warning'], severity::text), {then} LIMIT %(most)s
"""


def _gravest(store: Store, which: str, then: str, most: int) -> list[Any]:
    """Return open findings, errors first, then warnings, each with how many there are `in_all`."""
    return list(Finding.objects.raw(_GRAVEST.format(which=which, then=then), {"book": store.pk, "costs": COSTS, "most": most}))


def current_zone(store: Store) -> str:
    """Return the store's present time zone; one planned for later does not apply yet."""
    latest = store.zones.filter(from_day__lte=timezone.now().date()).order_by("-from_day").values_list("zone", flat=True).first()
    return latest or "UTC"
