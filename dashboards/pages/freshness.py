"""Tell how fresh and how complete a page's figures are: what was taken last, what is still going on, what is left out or guessed."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from connectors.files.uploads import DISCARDED
from connectors.models import FileImport
from connectors.reading.sync import FAILED
from dashboards.pages.notices import Restating
from ledger.models import Finding, Store
from ledger.statements import BookState

TAKEN = [FileImport.State.DONE, FileImport.State.UNCHANGED]


@dataclass(frozen=True, slots=True)
class Freshness:
    """What a page says of its figures: the last file taken, files under way or refused since, held orders, the estimated share."""

    state: BookState
    estimated_share: Decimal | None
    restating: Restating | None
    taken_at: datetime | None = None
    running: int = 0
    refused_at: datetime | None = None
    """When a file was refused after the last that was taken; None when none was."""
    heard_at: datetime | None = None
    """When the account that has been silent for longest of those that are read last answered; None where none is read."""
    unread: int = 0
    """Accounts that want consent again, and streams that cannot be read."""
    reading_past: int = 0
    """Accounts whose past is not wholly read yet."""
    parked: int = 0
    """Records that were received and not understood: they are in no figure."""

    @property
    def level(self) -> str:
        """Return how grave it is: trouble, running, warning or good."""
        if self.refused_at or self.unread or (self.restating and self.restating.state == "failed"):
            return "trouble"
        if self.restating or self.running or self.reading_past:
            return "running"
        return "warning" if self.state.held_orders or self.parked else "good"

    @property
    def headline(self) -> str:
        """Say the gravest of it in a few words."""
        if self.restating:
            return "Some figures carry old costs" if self.restating.state == "failed" else "Figures are still moving"
        if self.unread:
            return "An account is not read"
        if self.refused_at:
            return "The last file was refused"
        if self.running:
            return "A file is being taken"
        if self.reading_past:
            return "The past of an account is being read"
        if self.parked:
            return "Some records are not understood, and in no figure"
        return "Some orders are held" if self.state.held_orders else "Everything received is counted"


# Written out: every page of figures asks this, and Django takes longer to put it together than the database to answer it.
_KNOWN = """
    SELECT (SELECT count(*) FROM ledger_order WHERE store_id = %(store)s AND hold > 0),
        (SELECT min(last_ok_at) FROM connectors_connection WHERE store_id = %(store)s AND status = 'active'),
        (SELECT count(*) FROM connectors_connection WHERE store_id = %(store)s AND status = 'needs_consent')
            + (SELECT count(*) FROM ledger_finding WHERE book_id = %(store)s AND kind = %(failed)s AND resolved_at IS NULL AND severity = %(error)s),
        (SELECT count(DISTINCT c.id) FROM connectors_connection c JOIN connectors_synccursor s ON s.connection_id = c.id
            WHERE c.store_id = %(store)s AND c.status = 'active' AND s.backfilled_at IS NULL AND s.stream NOT LIKE '%%:%%'
            AND NOT EXISTS (SELECT FROM ledger_finding f
                WHERE f.book_id = %(store)s AND f.kind = %(failed)s AND f.resolved_at IS NULL AND f.subject = c.id || ':' || s.stream)),
        (SELECT count(*) FROM connectors_parkedrecord WHERE connection_id IN (SELECT id FROM connectors_connection WHERE store_id = %(store)s)),
        max(finished_at) FILTER (WHERE state = ANY(%(taken)s)), count(*) FILTER (WHERE state = %(running)s),
        max(finished_at) FILTER (WHERE state = ANY(%(refused)s) AND problem <> %(discarded)s)
    FROM connectors_fileimport WHERE store_id = %(store)s
"""


def freshness(store: Store, *, estimated_share: Decimal | None, restating: Restating | None) -> Freshness:
    """Return what a page says of its figures, with one query for held orders, imports and accounts."""
    state = FileImport.State
    values: dict[str, Any] = {
        "store": store.pk, "taken": TAKEN, "running": state.RUNNING, "refused": [state.REFUSED, state.PARTLY], "discarded": DISCARDED,
        "failed": FAILED, "error": Finding.Severity.ERROR,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN, values)
        held_orders, heard_at, unread, reading_past, parked, taken_at, running, refused_at = cursor.fetchone()
    book = store.book
    told = BookState(book.last_seq, book.last_recorded_at, held_orders, book.restated_version < book.costs_version)
    is_newer = refused_at is not None and (taken_at is None or refused_at > taken_at)
    return Freshness(told, estimated_share, restating, taken_at, running, refused_at if is_newer else None, heard_at, unread, reading_past, parked)
