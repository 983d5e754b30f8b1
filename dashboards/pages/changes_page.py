"""Read why figures changed: then and now, line by line, and the difference by what caused it."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.urls import reverse

from connectors.models import FileImport
from connectors.reading.received import called, connections_named
from dashboards.forms.addresses import IN_RANGE, Reading, ScopeForm
from dashboards.forms.scope import EARLIEST, LATEST, ONE_DAY, Scope
from dashboards.opening import entries_url
from dashboards.pages.statement_table import SUM_LABELS
from ledger import accounts
from ledger.book.between import MOST_ENTRIES, ZERO, Caused, added_up, between, entries_between
from ledger.cause import MOVED_BY
from ledger.kinds import CauseKind
from ledger.models import Batch, CostChange, Store
from ledger.statements import STATEMENT_KEYS, SUMS, amount, profit, seq_at

READING = Reading(offered=frozenset({"basis"}), days=30)
SINCE_DAYS = 7
"""Days back that figures are compared with themselves where the address names no moment."""
MOST_STEPS = 50
"""Batches of one cause that are listed, the latest first."""
WORDS = {
    CauseKind.SYNC: "Fetched from a platform", CauseKind.WEBHOOK: "Told by a platform", CauseKind.IMPORT: "File imported",
    CauseKind.RULE: "Costs changed", CauseKind.MANUAL: "Done by hand", CauseKind.CORRECTION: "Correction of a closed day",
    CauseKind.UNDO: "Import undone",
}  # fmt: skip
LABELS = {line.key: line.label for line in accounts.STATEMENT} | SUM_LABELS


def _day(label: str, example: str) -> forms.DateField:
    widget = forms.DateInput(attrs={"type": "date", "min": EARLIEST.isoformat(), "max": LATEST.isoformat()}, format="%Y-%m-%d")
    return forms.DateField(
        label=label, required=False, widget=widget, validators=IN_RANGE, error_messages={"invalid": f"Give the {example} as year-month-day."}
    )


class ChangesForm(ScopeForm):
    """The days whose figures are explained, and the two moments: evenings of days, or numbers of batches."""

    class Meta:
        """Stop django-stubs' plugin from waiting for this class, which no plain form needs."""

    since = _day("As it stood on the evening of", "earlier day")
    until = _day("Compared with the evening of", "later day")
    after = forms.IntegerField(required=False, min_value=0, max_value=2**63 - 1)
    through = forms.IntegerField(required=False, min_value=0, max_value=2**63 - 1)

    def __init__(self, data: Any, *, store: Store, today: date, zone: str) -> None:
        """Bind to the address."""
        super().__init__(data, store=store, today=today, zone=zone, reading=READING)

    def clean(self) -> dict[str, Any]:
        """Refuse moments in the wrong order."""
        cleaned = super().clean() or {}
        if not self.errors:
            since, until = self.moments(cleaned)
            if since > until:
                self.add_error("since", "The earlier moment lies after the later one.")
        return cleaned

    def moments(self, cleaned: dict[str, Any]) -> tuple[int, int]:
        """Return the numbers of the last batches before the two moments; the last seven days where the address names none."""
        last = self.store.book.last_seq
        after, through, since, until = (cleaned.get(name) for name in ("after", "through", "since", "until"))
        if through is None:
            through = last if until is None else self._by_evening(until)
        if after is None:
            after = self._by_evening(since or self.today - timedelta(days=SINCE_DAYS))
            after = min(after, through) if since is None else after
        return min(after, last), min(through, last)

    def _by_evening(self, day: date) -> int:
        midnight = datetime.combine(day + ONE_DAY, time(), ZoneInfo(self.zone))
        return seq_at(self.store.book, midnight - timedelta(microseconds=1))


@dataclass(frozen=True, slots=True)
class Line:
    """One line or sum of the statement at both moments."""

    key: str
    label: str
    then: Decimal
    now: Decimal
    is_sum: bool
    by_causes: Decimal
    """What all causes together changed."""

    @property
    def difference(self) -> Decimal:
        """Return how much more it is now."""
        return self.now - self.then


@dataclass(frozen=True, slots=True)
class Batched:
    """One batch of a cause, with where its entries open."""

    seq: int
    recorded_at: datetime
    profit: Decimal
    address: str


@dataclass(frozen=True, slots=True)
class Cause:
    """One cause in words, with what it changed: net revenue, costs and net profit."""

    words: str
    about: str
    address: str
    by: str
    revenue: Decimal
    costs: Decimal
    profit: Decimal
    entries: int
    batches: list[Batched]
    more_batches: int


@dataclass(frozen=True, slots=True)
class Changes:
    """Everything on the page; `entries` between the moments may be too many, then there are no lines."""

    after: int
    through: int
    then_at: datetime | None
    now_at: datetime | None
    entries: int
    lines: list[Line]
    causes: list[Cause]

    @property
    def is_too_much(self) -> bool:
        """Tell whether more was written between the moments than one page adds up."""
        return self.entries > MOST_ENTRIES

    @property
    def astray(self) -> list[Line]:
        """Return the lines whose causes do not sum to the difference; there should never be one."""
        return [line for line in self.lines if line.by_causes != line.difference]


def changes(store: Store, scope: Scope, *, after: int, through: int) -> Changes:
    """Return what changed between two batches in the days of a scope."""
    book = store.book
    recorded = dict(Batch.objects.filter(book_id=book.pk, seq__in=[after, through]).values_list("seq", "recorded_at"))
    entries = entries_between(book, after=after, through=through)
    found = Changes(after, through, recorded.get(after), recorded.get(through), entries, [], [])
    if not entries or found.is_too_much:
        return found
    then = profit(book, [scope.period], basis=scope.basis, as_of=after)[0]
    now = profit(book, [scope.period], basis=scope.basis, as_of=through if through < book.last_seq else None)[0]
    causes = between(book, scope.period, after=after, through=through, basis=scope.basis)
    by_line = added_up(caused.lines for caused in causes)
    for key in STATEMENT_KEYS:
        whole = sum((by_line[line] for line in SUMS.get(key, (key,))), ZERO)
        found.lines.append(Line(key, LABELS[key], amount(then, key), amount(now, key), key in SUMS, whole))
    told = _told(store, causes)
    found.causes.extend(_cause(store, scope, caused, *told.get(caused.ref, (caused.ref, ""))) for caused in causes)
    return found


def _cause(store: Store, scope: Scope, caused: Caused, about: str, address: str) -> Cause:
    lines = caused.lines
    revenue, whole = sum((lines[key] for key in SUMS["net_revenue"]), ZERO), sum(lines.values(), ZERO)
    first, last = scope.period
    latest = caused.steps[::-1][:MOST_STEPS]
    batches = [
        Batched(
            step.seq, step.recorded_at, sum(step.lines.values(), ZERO),
            entries_url(store, first=first, last=last, basis=scope.basis, batch=step.seq),
        )
        for step in latest
    ]  # fmt: skip
    return Cause(
        WORDS[caused.kind], about, address, ", ".join(caused.actors), revenue, whole - revenue, whole, caused.entries, batches,
        len(caused.steps) - len(latest),
    )  # fmt: skip


def _told(store: Store, causes: list[Caused]) -> dict[str, tuple[str, str]]:
    """Say what the causes' references are about, and where that is shown."""
    named = {
        caused.ref: caused.ref.removeprefix("closed period; ").removeprefix("undo of ").removeprefix(MOVED_BY).partition(":") for caused in causes
    }
    keys = {kind: [int(key) for each, _, key in named.values() if each == kind and key.isdecimal()] for kind in ("import", "costs")}
    files = dict(FileImport.objects.filter(store=store, pk__in=keys["import"]).values_list("pk", "filename"))
    summaries = dict(CostChange.objects.filter(store=store, pk__in=keys["costs"]).values_list("pk", "summary"))
    told = {
        "repost": ("orders restated after changes of costs", reverse("costs", args=[store.slug])),
        "accrual": ("costs of days, booked as they come", ""),
    }
    for ref, row in connections_named(store, named).items():
        told[ref] = called(row), reverse("connection", args=[store.slug, row.pk])
    for ref, (kind, _, key) in named.items():
        pk = int(key) if key.isdecimal() else 0
        if kind == "import" and pk in files:
            told[ref] = files[pk], reverse("file_import", args=[store.slug, pk])
        elif kind == "costs" and pk in summaries:
            told[ref] = summaries[pk], reverse("costs", args=[store.slug])
    return told
