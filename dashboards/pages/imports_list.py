"""List a store's files: which of them an address asks for, in which order, page by page, and the same as a file."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from io import BytesIO
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django import forms
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Lower
from xlsxwriter import Workbook

from connectors.files.kinds import FILE_KINDS
from connectors.models import FileImport
from dashboards.files.exports import number, safe
from dashboards.files.workbook import OPTIONS
from dashboards.forms.paging import Paged
from dashboards.forms.sorting import Heading
from dashboards.pages.notices import current_zone
from dashboards.templatetags.imports import changed_count, kind_label, new_count, state_words
from ledger.models import Store

State = FileImport.State
TO_DECIDE = Q(state=State.WAITING, job=None)
STATES: dict[str, tuple[str, Q]] = {
    # as an address says it → words, and the files it means
    "undecided": ("waits for you", TO_DECIDE),
    "busy": ("being worked on", Q(state__in=(State.LOOKING, State.WAITING, State.RUNNING, State.UNDOING)) & ~TO_DECIDE),
    "taken": ("taken", Q(state=State.DONE)),
    "partly": ("taken in part", Q(state=State.PARTLY)),
    "unchanged": ("changed nothing", Q(state=State.UNCHANGED)),
    "refused": ("not taken", Q(state=State.REFUSED)),
    "undone": ("undone", Q(state=State.UNDONE)),
}
SORTS: dict[str, tuple[str, Any, bool]] = {
    # as an address says it → heading, what is compared, whether the largest comes first
    "when": ("When, by whom", F("started_at"), True),
    "file": ("File, and what it holds", Lower("filename"), False),
    "rows": ("Rows", F("rows"), True),
    "new": ("New", F("new_orders"), True),
    "changed": ("Changed", F("changed_orders") - F("new_orders"), True),
}
NEWEST = "-when"
PER_PAGE = 50
LAST_PAGE = 9_999
MOST_IN_FILE = 50_000
"""Files that one CSV file or workbook lists at most."""
HEADINGS = ("file", "kind", "state", "brought in", "by", "rows", "new", "changed", "unchanged", "ended", "undone")


class ImportsForm(forms.Form):
    """What narrows and sorts the list of files; every field may be left out."""

    class Meta:
        """Stop django-stubs' plugin from waiting for this class, which no plain form needs."""

    q = forms.CharField(label="Name", required=False, max_length=120, strip=True)
    kind = forms.ChoiceField(
        label="Kind", required=False, choices=[("", "every kind"), *((kind.name, kind.label) for kind in FILE_KINDS)],
        error_messages={"invalid_choice": "No kind of file is called so."},
    )  # fmt: skip
    state = forms.ChoiceField(
        label="State", required=False, choices=[("", "every state"), *((key, words) for key, (words, _) in STATES.items())],
        error_messages={"invalid_choice": "No file can be in such a state."},
    )  # fmt: skip
    sort = forms.ChoiceField(
        required=False, choices=[(f"{sign}{sort}", sort) for sort in SORTS for sign in ("-", "")],
        error_messages={"invalid_choice": f"Files are sorted by {', '.join(SORTS)}."},
    )  # fmt: skip
    page = forms.IntegerField(required=False, min_value=1, max_value=LAST_PAGE)

    def view(self) -> "ImportsView":
        """Return what to show; every file, the latest first, when the input was refused."""
        if not self.is_valid():
            return ImportsView()
        said = self.cleaned_data
        return ImportsView(said["q"], said["kind"], said["state"], said["sort"] or NEWEST, said["page"] or 1)

    def problems(self) -> list[tuple[str, str]]:
        """List what was refused, each with the id of its field."""
        return [(self[name].id_for_label, str(message)) for name, messages in self.errors.items() for message in messages]


@dataclass(frozen=True, slots=True)
class ImportsView(Paged):
    """What the list shows, and the links that change one thing of it and keep the rest."""

    q: str = ""
    kind: str = ""
    state: str = ""
    sort: str = NEWEST
    page: int = 1

    @property
    def is_narrowed(self) -> bool:
        """Tell whether some files are left out."""
        return bool(self.q or self.kind or self.state)

    def query(self, changes: Mapping[str, Any]) -> str:
        """Return the query of the address with some of it changed; a change begins on the first page again."""
        known = {"q": self.q, "kind": self.kind, "state": self.state, "sort": self.sort, "page": 1} | dict(changes)
        return urlencode({name: value for name, value in known.items() if value not in ("", 1) and (name, value) != ("sort", NEWEST)})

    def headings(self) -> dict[str, Heading]:
        """Return the headings that sort, by what they sort by; the one that sorts now turns round."""
        found = {}
        for sort, (words, _, falls) in SORTS.items():
            falling, rising = f"-{sort}", sort
            first, other = (falling, rising) if falls else (rising, falling)
            now = {falling: "descending", rising: "ascending"}.get(self.sort, "none")
            found[sort] = Heading(words, self.query({"sort": other if self.sort == first else first}), now)
        return found


def files_of(store: Store, view: ImportsView) -> QuerySet[FileImport]:
    """Return the files that a view asks for, in its order."""
    files = FileImport.objects.filter(store=store)
    if view.q:
        files = files.filter(filename__icontains=view.q)
    if view.kind:
        files = files.filter(kind=view.kind)
    if view.state:
        files = files.filter(STATES[view.state][1])
    by = SORTS[view.sort.removeprefix("-")][1]
    return files.order_by(by.desc() if view.sort.startswith("-") else by.asc(), "-pk")


def page_of(store: Store, view: ImportsView) -> tuple[list[FileImport], bool]:
    """Return one page of a store's files, and whether there are more."""
    start = (view.page - 1) * PER_PAGE
    rows = list(files_of(store, view)[start : start + PER_PAGE + 1])
    return rows[:PER_PAGE], len(rows) > PER_PAGE


def imports_csv(store: Store, view: ImportsView) -> str:
    """Write the files of a view as CSV."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(HEADINGS)
    writer.writerows([safe(cell) if isinstance(cell, str) else number(cell) for cell in cells] for cells in _lines(store, view))
    return out.getvalue()


def imports_xlsx(store: Store, view: ImportsView) -> bytes:
    """Write the files of a view as a workbook."""
    out = BytesIO()
    book = Workbook(out, OPTIONS)
    sheet, bold = book.add_worksheet("Imports"), book.add_format({"bold": True})
    sheet.freeze_panes(1, 1)
    sheet.set_column(0, 0, 40)
    sheet.set_column(1, len(HEADINGS) - 1, 18)
    sheet.write_row(0, 0, HEADINGS, bold)
    for place, cells in enumerate(_lines(store, view), start=1):
        for column, cell in enumerate(cells):
            if isinstance(cell, str):
                sheet.write_string(place, column, cell)
            elif cell is not None:
                sheet.write_number(place, column, cell)
    book.close()
    return out.getvalue()


def _lines(store: Store, view: ImportsView) -> Iterator[Sequence[str | Decimal | None]]:
    """Yield a line for each file; times are the store's."""
    zone = ZoneInfo(current_zone(store))
    for row in files_of(store, view)[:MOST_IN_FILE]:
        new, unchanged = new_count(row), None if new_count(row) is None else row.unchanged_orders
        counts = [None if count is None else Decimal(count) for count in (row.rows or None, new, changed_count(row), unchanged)]
        times = ["" if at is None else at.astimezone(zone).isoformat(" ", "seconds") for at in (row.started_at, row.finished_at, row.undone_at)]
        yield row.filename, kind_label(row.kind), state_words(row), times[0], row.actor, *counts, *times[1:]
