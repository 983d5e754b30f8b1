"""Keep the papers that prove a cost, compressed and sealed; the only writer of their table."""

import hashlib
import zlib
from collections.abc import Sequence
from datetime import datetime

from ledger.filenames import plain_name
from ledger.models import CostDocument, ManualCost
from ledger.sealing import seal, unseal

LARGEST = 10_000_000
"""Bytes of a document that are taken."""
SHOWN_AS = {"application/pdf", "image/png", "image/jpeg", "image/gif", "image/webp", "text/plain"}
"""Media types that are told to a browser as they were given; others are told as bytes."""
BYTES = "application/octet-stream"


class DocumentRefused(ValueError):
    """Say why a document is not taken, in words for the person who gave it."""


def attach(cost: ManualCost, body: bytes, *, filename: str, media_type: str, actor: str, now: datetime) -> CostDocument:
    """Keep a document of a cost; raise DocumentRefused when it is empty, too large, or there already."""
    name = plain_name(filename, otherwise="document")
    if not body:
        raise DocumentRefused(f"“{name}” is empty.")
    if len(body) > LARGEST:
        raise DocumentRefused(f"“{name}” has more than {LARGEST // 1_000_000} MB. Make it smaller, or keep it elsewhere and note where.")
    digest = hashlib.sha256(body).hexdigest()
    same = cost.documents.filter(sha256=digest).first()
    if same is not None:
        raise DocumentRefused(f"“{name}” is here already, as “{same.filename}”.")
    return CostDocument.objects.create(
        cost=cost, filename=name, media_type=media_type if media_type in SHOWN_AS else BYTES, size=len(body), sha256=digest,
        body=seal(zlib.compress(body)), added_at=now, actor=actor,
    )  # fmt: skip


def body_of(document: CostDocument) -> bytes:
    """Return a document as it was given; raise Unsealable when the key it was sealed with is gone."""
    return zlib.decompress(unseal(bytes(document.body)))


def delete(document: CostDocument) -> None:
    """Delete a document for good."""
    document.delete()


def follow(costs: Sequence[ManualCost]) -> None:
    """Hang the documents of costs that a change took back on what the change put in their place.

    That is a cost of the same label; of several, one of the same amount, the earliest. Where an undo puts a cost back
    that was only taken back, its documents come from there. What has no successor keeps its documents.
    """
    added = [cost for cost in costs if cost.removed_by_id is None]
    changes = ({cost.added_by_id for cost in added} | {cost.added_by.undoes_id for cost in added}) - {None}
    gone = ManualCost.objects.filter(removed_by__in=changes, documents__isnull=False, store__in={cost.store_id for cost in added}).distinct()
    for old in gone:
        alike = [cost for cost in added if (cost.category, cost.label) == (old.category, old.label)]
        if alike:
            *_, heir = min((cost.amount != old.amount, str(cost.effective_from), cost.pk, cost) for cost in alike)
            CostDocument.objects.filter(cost=old).update(cost=heir)
