"""Have the effect of a proposal ready for its review: worked out at once, or in the background where many orders are reached."""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from ledger.models import Book, ProposedChange
from ledger.rules import preview, proposals
from ledger.rules.preview import Progress
from ledger.rules.proposals import rules_of
from ledger.rules.rules import RuleRefused
from ledger.stores import today_of
from profitpeek.jobs.models import Job

AT_ONCE = 5_000
"""Orders that are drafted while the person waits; more are left to the background."""


class Stage(StrEnum):
    """How far the effect of a proposal is worked out."""

    READY = "ready"
    UNDER_WAY = "under way"
    FAILED = "failed"
    REFUSED = "refused"


class Prepared(Struct, frozen=True):
    """What a review can show of an effect now."""

    stage: Stage
    done: int = 0
    whole: int = 0
    why: str = ""
    """Why it cannot be made, or why working it out failed."""
    moved: str = ""
    """What has happened since it was worked out, in a sentence; empty when nothing has."""


def prepare(proposed: ProposedChange, *, submit: Callable[[ProposedChange], int], now: datetime) -> Prepared:
    """Have the effect of an open proposal worked out where it is not, and say how far that is."""
    if proposed.effect_version is not None:
        return Prepared(Stage.READY, moved=_moved(proposed, now))
    try:
        if proposed.job is None:
            add, remove = rules_of(proposed)
            trying = preview.trying_rules(proposed.store, add, remove, now=now)
            if preview.reach_under(proposed.store, trying).count() <= AT_ONCE:
                complete(proposed, now=now)
                return Prepared(Stage.READY)
            proposals.note_job(proposed, submit(proposed))
    except RuleRefused as refused:
        return Prepared(Stage.REFUSED, why=str(refused))
    return _under_way(proposed)


def complete(proposed: ProposedChange, *, now: datetime, progress: Progress | None = None) -> None:
    """Work the effect of a proposal out and keep it; raise RuleRefused when it cannot be made any more."""
    book = Book.objects.get(pk=proposed.store_id)
    found = preview.effect_of(proposed, now=now, progress=progress)
    proposals.note_effect(proposed, found, costs_version=book.costs_version, seq=book.last_seq)


def _under_way(proposed: ProposedChange) -> Prepared:
    job = Job.objects.filter(pk=proposed.job or 0).first()
    if job is not None and job.state == Job.State.DONE:
        proposed.refresh_from_db()
        if proposed.effect_version is not None:
            return Prepared(Stage.READY)
    if job is None or job.state in (Job.State.DEAD, Job.State.CANCELLED, Job.State.DONE, Job.State.SUPERSEDED):
        return Prepared(Stage.FAILED, why=job.error if job else "")
    return Prepared(Stage.UNDER_WAY, done=job.done, whole=job.whole)


def _moved(proposed: ProposedChange, now: datetime) -> str:
    book = Book.objects.get(pk=proposed.store_id)
    if book.costs_version != proposed.effect_version:
        return "Cost rules of the store have been changed since these figures were worked out."
    batches = book.last_seq - (proposed.effect_seq or 0)
    if batches:
        return f"The book has gone on by {batches} batch{'' if batches == 1 else 'es'} since these figures were worked out."
    if (proposed.effect or {}).get("today") != today_of(proposed.store, now).isoformat():
        return "These figures were worked out on another day."
    return ""
