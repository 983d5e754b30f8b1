"""Tell how fresh and how complete a page's figures are: what was taken last, what is still going on, what is left out or guessed."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Count, Max, OuterRef, QuerySet, Subquery

from connectors.files.uploads import DISCARDED
from connectors.models import FileImport
from dashboards.notices import Restating
from ledger.models import Order, Store
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


def freshness(store: Store, *, estimated_share: Decimal | None, restating: Restating | None) -> Freshness:
    """Return what a page says of its figures, with one query for held orders and imports."""
    imports = FileImport.objects.filter(store=OuterRef("pk")).order_by().values("store")
    held = Order.objects.filter(store=OuterRef("pk"), hold__gt=0).order_by().values("store").annotate(told=Count("pk"))
    refused = imports.filter(state__in=(FileImport.State.REFUSED, FileImport.State.PARTLY)).exclude(problem=DISCARDED)
    known = (
        Store.objects.filter(pk=store.pk)
        .values_list(
            _told(held), _told(imports.filter(state__in=TAKEN).annotate(told=Max("finished_at"))),
            _told(imports.filter(state=FileImport.State.RUNNING).annotate(told=Count("pk"))), _told(refused.annotate(told=Max("finished_at"))),
        )
        .get()
    )  # fmt: skip
    held_orders, taken_at, running, refused_at = known
    book = store.book
    state = BookState(book.last_seq, book.last_recorded_at, held_orders or 0, book.restated_version < book.costs_version)
    is_newer = refused_at is not None and (taken_at is None or refused_at > taken_at)
    return Freshness(state, estimated_share, restating, taken_at, running or 0, refused_at if is_newer else None)


def _told(told: QuerySet) -> Subquery:
    return Subquery(told.values("told"))
