"""Take requests about people's data, and note what becomes of each: the one writer of cases."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction

from connectors.models import Connection, PrivacyCase, PrivacyCopy
from connectors.privacy.sought import Sought, looked_at, resolve, sealed
from connectors.registry import UnknownPlatform, find
from connectors.spec import PrivacyRequest
from ledger import findings
from ledger.models import Store
from ledger.sealing import seal
from profitpeek.jobs import kinds, queue

DUE = timedelta(days=30)
"""A month, as the law and the platforms want it."""
KEPT_LOOKS = timedelta(days=1)
"""How long is kept what was looked at and not confirmed."""
COPIES_KEPT = timedelta(days=30)
PROBLEM = "privacy_request"
"""The kind of finding that says that a request is not done."""
OPENED_FOR_A_LOOK = 100
"""Payloads that a first look opens while a person waits; when it is done, all are."""
JOB = "privacy-case"
"""The kind of job that does a case."""

Case = PrivacyCase


class NotLookedAt(Exception):
    """Say why a request can be neither confirmed nor tried again, in words for who asked."""


def take(connection: Connection, request: PrivacyRequest, *, delivery_id: str, now: datetime) -> None:
    """Take a platform's request in the caller's transaction, and have it done at once; told twice, it is taken once."""
    # A platform's customer is erased at once by its number; what it calls the request, or else its delivery, tells two of them apart.
    sought = Sought(identities=[request.person] if request.person else [], orders=list(request.orders), platform=connection.platform)
    case, new = PrivacyCase.objects.get_or_create(
        connection=connection, kind=request.kind, reference=(request.reference or delivery_id)[:120],
        defaults={"store": connection.store, "received_at": now, "due_at": now + DUE, "sought": sealed(sought)},
    )  # fmt: skip
    if new:
        _submit(case, actor=asked_by(case))


def asked_by(case: PrivacyCase) -> str:
    """Return who asked: somebody of the store, or a platform."""
    if case.actor or case.connection is None:
        return case.actor or "a platform"
    try:
        return find(case.connection.platform).label
    except UnknownPlatform:
        return case.connection.platform


def ask(store: Store, kind: str, sought: Sought, *, actor: str, now: datetime) -> PrivacyCase:
    """Look what a request from a page is about, and keep that, sealed, until it is confirmed; nothing is done yet."""
    notes = resolve(store, sought, most=OPENED_FOR_A_LOOK)
    return PrivacyCase.objects.create(
        store=store, kind=kind, state=Case.State.LOOKED, actor=actor, received_at=now, due_at=now + DUE, sought=sealed(sought), notes=notes,
        counts=looked_at(store, sought),
    )  # fmt: skip


def confirm(case: PrivacyCase) -> None:
    """Have a request done that was looked at; raise NotLookedAt when that was answered already."""
    with transaction.atomic():
        locked = PrivacyCase.objects.select_for_update().get(pk=case.pk)
        if locked.state != Case.State.LOOKED:
            raise NotLookedAt("It has been confirmed already.")
        locked.state, locked.counts, locked.notes = Case.State.OPEN, {}, []
        locked.save(update_fields=["state", "counts", "notes"])
        _submit(locked, actor=locked.actor)


def drop(case: PrivacyCase) -> None:
    """Forget a request that was looked at; raise NotLookedAt when it was confirmed."""
    if not PrivacyCase.objects.filter(pk=case.pk, state=Case.State.LOOKED).delete()[0]:
        raise NotLookedAt("It has been confirmed, so it is done and stays in the list.")


def again(case: PrivacyCase, *, actor: str) -> None:
    """Try a request again that failed; raise NotLookedAt when it did not."""
    with transaction.atomic():
        locked = PrivacyCase.objects.select_for_update().get(pk=case.pk)
        if locked.state not in (Case.State.FAILED, Case.State.OPEN):
            raise NotLookedAt("There is nothing left to try again.")
        _submit(locked, actor=actor)


def begin(case: PrivacyCase) -> None:
    """Note that a request is being done."""
    if case.state != Case.State.OPEN:
        case.state = Case.State.OPEN
        case.save(update_fields=["state"])


def keep(case: PrivacyCase, sought: Sought, notes: Sequence[str] | None = None) -> None:
    """Keep what was found of whom a request is about, until it is done."""
    case.sought = sealed(sought)
    if notes is not None:
        case.notes = list(notes)
    case.save(update_fields=["sought", "notes"])


def step(case: PrivacyCase, place: str, after: int, counts: Mapping[str, int]) -> None:
    """Note how far a request is, and what was done, in the transaction that did it."""
    case.place, case.after = place, after
    for name, count in ((name, count) for name, count in counts.items() if count):
        case.counts[name] = case.counts.get(name, 0) + count
    case.save(update_fields=["place", "after", "counts"])


def keep_copy(case: PrivacyCase, body: bytes, about: bytes, *, now: datetime) -> None:
    """Keep the copy that was made for a person, sealed, until it expires."""
    PrivacyCopy.objects.update_or_create(
        case=case, defaults={"body": seal(body), "about": seal(about), "made_at": now, "expires_at": now + COPIES_KEPT}
    )  # fmt: skip


def finish(case: PrivacyCase, *, now: datetime) -> None:
    """Note that a request is done, and forget whom it was about."""
    case.state, case.done_at, case.sought, case.problem = Case.State.DONE, now, None, ""
    case.save(update_fields=["state", "done_at", "sought", "problem"])
    findings.resolve(case.store_id, PROBLEM, str(case.pk), now=now)


def fail(case: PrivacyCase, problem: str, *, now: datetime) -> None:
    """Note that a request is not done, for its page and as a finding."""
    PrivacyCase.objects.filter(pk=case.pk).exclude(state=Case.State.DONE).update(state=Case.State.FAILED, problem=problem)
    findings.note(
        case.store_id, PROBLEM, str(case.pk),
        f"A request about personal data ({case.get_kind_display()}), received on {case.received_at:%d %B %Y}, is not done: {problem} "
        f"It is due by {case.due_at:%d %B %Y}; look at the page “Privacy”.",
        severity="error", now=now,
    )  # fmt: skip


def forget(*, now: datetime) -> None:
    """Delete copies that have expired, and what was looked at and never confirmed."""
    PrivacyCopy.objects.filter(expires_at__lte=now).delete()
    PrivacyCase.objects.filter(state=Case.State.LOOKED, received_at__lte=now - KEPT_LOOKS).delete()


def _submit(case: PrivacyCase, *, actor: str) -> None:
    # By its number alone: parameters and subjects of jobs are read by many.
    case.job = queue.submit(
        kinds.find(JOB), {"case": case.pk}, key=f"privacy:{case.pk}", subject=f"{case.get_kind_display()}, request {case.pk}", actor=actor
    )
    case.save(update_fields=["job"])
