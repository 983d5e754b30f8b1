"""Take back what files charged orders with: what another file tells of the same charges stands again."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from django.db import transaction

from connectors.files.imports import others_told
from connectors.files.kind import Guard, Progress
from connectors.models import FileImport
from ledger.cause import Cause
from ledger.charges import charge_rows, charges
from ledger.charges.charges import ChargeFact
from ledger.kinds import CauseKind

Told = Callable[[FileImport], Iterator[list[ChargeFact]]]
"""Yields the charges that an archived import tells, chunk by chunk."""


def take_charges_back(
    row: FileImport, undone: Sequence[int], told_by: Told, *, now: datetime, actor: str, progress: Progress, guard: Guard
) -> int:  # fmt: skip
    """Let an import's charges be again what the latest other import of its kind tells, take the rest back, and return the entries written."""
    written = _restore(row, undone, told_by, now, actor, progress, guard)
    cause = Cause(CauseKind.UNDO, f"undo of {row.cause_ref}", actor)
    left = sorted(charge_rows.of_cause(row.store_id, row.cause_ref))
    for start in range(0, len(left), charges.CHUNK):
        with transaction.atomic():
            written += charges.remove(row.store, ids=left[start : start + charges.CHUNK], cause=cause, now=now).added
            guard()
        progress("taking charges back", min(start + charges.CHUNK, len(left)), len(left))
    return written


def _restore(row: FileImport, undone: Sequence[int], told_by: Told, now: datetime, actor: str, progress: Progress, guard: Guard) -> int:
    """Let charges be again what the latest other file tells of them, as that file's from now on."""
    store, written = row.store, 0
    wanted = charge_rows.keys_of(store.pk, row.cause_ref)
    whole = len(wanted)
    others = others_told(store, but=undone).filter(kind=row.kind)
    for other in others if wanted else ():
        for told in told_by(other):
            facts = [fact for fact in told if (fact.kind, fact.order, fact.reference) in wanted]
            if facts:
                with transaction.atomic():
                    written += charges.record_charges(store, facts, cause_ref=other.cause_ref, actor=actor, now=now, adopt=True).entries
                    guard()
                wanted -= {(int(fact.kind), fact.order, fact.reference) for fact in facts}
                progress("putting charges back", whole - len(wanted), whole)
    return written
