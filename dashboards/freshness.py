"""Tell how fresh and how complete a page's figures are: what was taken last, what is still going on, what is left out or guessed."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from connectors.files.uploads import DISCARDED
from connectors.models import FileImport
from dashboards.notices import Restating
from ledger.models import Store
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

    @property
    def level(self) -> str:
        """Return how grave it is: trouble, running, warning or good."""
        if self.refused_at or (self.restating and self.restating.state == "failed"):
            return "trouble"
        if self.restating or self.running:
            return "running"
        return "warning" if self.state.held_orders else "good"

    @property
    def headline(self) -> str:
        """Say the gravest of it in a few words."""
        if self.restating:
            return "Some figures carry old costs" if self.restating.state == "failed" else "Figures are still moving"
        if self.refused_at:
            return "The last file was refused"
        if self.running:
            return "A file is being taken"
        return "Some orders are held" if self.state.held_orders else "Everything received is counted"


# Written out: every page of figures asks this, and Django takes longer to put it together than the database to answer it.
_KNOWN = """
    SELECT (SELECT count(*) FROM ledger_order WHERE store_id = %(store)s AND hold > 0),
        max(finished_at) FILTER (WHERE state = ANY(%(taken)s)), count(*) FILTER (WHERE state = %(running)s),
        max(finished_at) FILTER (WHERE state = ANY(%(refused)s) AND problem <> %(discarded)s)
    FROM connectors_fileimport WHERE store_id = %(store)s
"""


def freshness(store: Store, *, estimated_share: Decimal | None, restating: Restating | None) -> Freshness:
    """Return what a page says of its figures, with one query for held orders and imports."""
    state = FileImport.State
    values: dict[str, Any] = {
        "store": store.pk, "taken": TAKEN, "running": state.RUNNING, "refused": [state.REFUSED, state.PARTLY], "discarded": DISCARDED,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN, values)
        held_orders, taken_at, running, refused_at = cursor.fetchone()
    book = store.book
    told = BookState(book.last_seq, book.last_recorded_at, held_orders, book.restated_version < book.costs_version)
    is_newer = refused_at is not None and (taken_at is None or refused_at > taken_at)
    return Freshness(told, estimated_share, restating, taken_at, running, refused_at if is_newer else None)
