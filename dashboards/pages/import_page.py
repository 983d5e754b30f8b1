"""Gather what the page of an imported file shows: where the file stands, what was found in it, and what it changed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from connectors.files import deciding
from connectors.files import kinds as file_kinds
from connectors.files.kind import Effect, FileKind, Found
from connectors.files.uploads import ENDED_BADLY, UNDECIDED, Refusal, kept_file, looked, taken, undone
from connectors.models import FileImport
from connectors.platforms.files.faults import FileRefused
from ledger import accounts
from ledger.book.explain import Standing, standing_of
from profitpeek.jobs.models import Job

MOST_SHOWN = 50
"""Wrong rows, and rows that fit nothing, that a page shows; the others are in the CSV file."""


class Stage(StrEnum):
    """Where a file stands, as its page tells it."""

    LOOKING = "looking"
    UNKNOWN = "unknown"
    """What it holds, or how it is read, has to be said first."""
    REFUSED_LOOK = "refused-look"
    """It cannot be taken as it is; another kind or another way to read it may do."""
    READY = "ready"
    IMPORTING = "importing"
    FAILED = "failed"
    REFUSED = "refused"
    PARTLY = "partly"
    """Some chunks of it are recorded, and its file is no longer kept."""
    DONE = "done"
    UNDOING = "undoing"
    UNDONE = "undone"


BUSY = (Stage.LOOKING, Stage.IMPORTING, Stage.UNDOING)
"""A background job is at work: the page follows it."""


@dataclass(frozen=True, slots=True)
class MonthRow:
    """What a file did to the net profit of one month."""

    first: date
    last: date
    before: Decimal
    after: Decimal

    @property
    def change(self) -> Decimal:
        """Return after less before."""
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class EffectTable:
    """What a file did to profit: by month, by statement line, and in all."""

    months: list[MonthRow]
    lines: list[tuple[str, Decimal]]

    @property
    def change(self) -> Decimal:
        """Return the change of net profit over all months."""
        return sum((row.change for row in self.months), Decimal(0))

    @property
    def before(self) -> Decimal:
        """Return the net profit of these months before."""
        return sum((row.before for row in self.months), Decimal(0))

    @property
    def after(self) -> Decimal:
        """Return the net profit of these months after."""
        return sum((row.after for row in self.months), Decimal(0))


@dataclass(slots=True)
class FilePage:
    """Everything the page of one file shows."""

    row: FileImport
    stage: Stage
    kind: FileKind | None
    job: Job | None = None
    found: Found | None = None
    refusal: Refusal | None = None
    foreign: str = ""
    candidates: list[FileKind] = field(default_factory=list)
    effect: EffectTable | None = None
    same: FileImport | None = None
    """The latest import of the very same file, where there is another."""

    @property
    def is_busy(self) -> bool:
        """Tell whether a background job is at work on the file."""
        return self.stage in BUSY

    @property
    def holds_nothing(self) -> bool:
        """Tell whether nothing of the file was taken, so that it can be put away."""
        return self.row.state in UNDECIDED

    @property
    def changed(self) -> int:
        """Return how many orders were known before and are other now."""
        return self.row.changed_orders - self.row.new_orders


def file_page(row: FileImport) -> FilePage:
    """Read where a file stands; the number of queries does not grow with the file."""
    kind = known_kind(row.kind)
    job = Job.objects.filter(pk=row.job).first() if row.job else None
    stage = stage_of(row, job)
    page = FilePage(row, stage, kind, job)
    if stage in (Stage.READY, Stage.REFUSED, Stage.PARTLY):
        told = looked(row)
        if told is not None:
            page.found, page.refusal = told.found, told.refusal
        if stage is Stage.READY:
            page.stage = _decided_by(page)
            page.same = _same(row)
    elif stage is Stage.DONE:
        page.found = taken(row)
        page.effect = effect_table(page.found.effect) if page.found else None
    elif stage is Stage.UNDONE:
        page.effect = effect_table(undone(row))
    if page.stage is Stage.UNKNOWN:
        _recognise(page)
    return page


def known_kind(name: str) -> FileKind | None:
    """Return a kind of files; None where it has not been said yet, or another version knew it."""
    try:
        return file_kinds.find(name)
    except file_kinds.UnknownFileKind:
        return None


def stage_of(row: FileImport, job: Job | None) -> Stage:
    """Return where a file stands by its row and its job alone."""
    failed = job is None or job.state in ENDED_BADLY
    match row.state:
        case FileImport.State.REFUSED:
            return Stage.REFUSED
        case FileImport.State.DONE | FileImport.State.UNCHANGED:
            return Stage.DONE
        case FileImport.State.UNDONE:
            return Stage.UNDONE
        case FileImport.State.PARTLY:
            return Stage.PARTLY
        case FileImport.State.WAITING if row.job is None:
            return Stage.READY
    if failed:
        return Stage.FAILED
    return {FileImport.State.LOOKING: Stage.LOOKING, FileImport.State.UNDOING: Stage.UNDOING}.get(FileImport.State(row.state), Stage.IMPORTING)


def _decided_by(page: FilePage) -> Stage:
    if page.refusal is not None:
        return Stage.REFUSED_LOOK
    return Stage.UNKNOWN if page.found is None else Stage.READY


def _recognise(page: FilePage) -> None:
    """Find out from the header what a file may be; what is wrong with it as a file is its refusal."""
    if not page.row.pieces.exists():
        return
    try:
        with kept_file(page.row) as path:
            recognised = file_kinds.recognise(page.row.store, path)
    except FileRefused as refused:
        page.refusal = Refusal(refused.reason, [], 0)
        return
    page.foreign = recognised.foreign
    page.candidates = [candidate.kind for candidate in recognised.candidates]


def _same(row: FileImport) -> FileImport | None:
    done = (FileImport.State.DONE, FileImport.State.UNCHANGED, FileImport.State.RUNNING)
    return FileImport.objects.filter(store=row.store, sha256=row.sha256, state__in=done).exclude(pk=row.pk).order_by("-pk").first()


def effect_table(effect: Effect | None) -> EffectTable | None:
    """Return what a file did to profit with figures as figures; None where that is not known, or undoing has not ended."""
    if effect is None or any(not month.after for month in effect.months):
        return None
    months = []
    for each in effect.months:
        first = date.fromisoformat(each.month)
        following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
        months.append(MonthRow(first, following - timedelta(days=1), Decimal(each.before), Decimal(each.after)))
    lines = [(line.label, Decimal(effect.lines[line.key])) for line in accounts.STATEMENT if Decimal(effect.lines.get(line.key, 0))]
    return EffectTable(months, lines)


@dataclass(frozen=True, slots=True)
class UndoPreview:
    """What undoing an import would take back, in numbers."""

    standing: Standing
    effect: EffectTable | None
    others: Sequence[FileImport]
    """Other imports of the very same file, which are undone with it."""


def undo_preview(row: FileImport) -> UndoPreview:
    """Say what undoing an import would take back: what still stands as it told it, and what it changed in profit when it was taken."""
    found = taken(row)
    kind = known_kind(row.kind)
    others = [each for each in file_kinds.standing_with(row) if each.pk != row.pk] if kind else []
    return UndoPreview(standing_of(row.store, row.cause_ref), effect_table(found.effect) if found else None, others)


def may_be_undone(row: FileImport) -> bool:
    """Tell whether an import can be undone."""
    return row.state in deciding.TAKEN and row.state != FileImport.State.UNDOING
