"""Take files of a store: look at each, take it or put it away, follow it, and undo it."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from connectors.files import deciding
from connectors.files.files_out import faults_csv, listed_csv, loose_csv
from connectors.files.kinds import FILE_KINDS, UnknownFileKind, find, header_of
from connectors.files.orders.order_line_imports import KIND as ORDER_LINES
from connectors.files.uploads import LARGEST, kept_file, looked, taken
from connectors.models import FileImport
from connectors.platforms.files.faults import FileRefused
from connectors.platforms.files.workbook import MOST_BYTES
from dashboards.access import EVERY_ROLE, actor_of, store_or_404, stores_for
from dashboards.forms.import_forms import KindForm, options_form
from dashboards.pages.import_page import MOST_SHOWN, FilePage, Stage, file_page, known_kind, may_be_undone, stage_of, undo_preview
from dashboards.pages.imports_list import ImportsForm, page_of
from dashboards.pages.notices import current_zone, may_edit_costs
from ledger.models import Store
from ledger.people import EDITORS
from profitpeek.jobs import queue
from profitpeek.jobs.models import Job

MOST_FILES = 20
"""Files that are taken in one go."""
NOTHING_CHOSEN = "Choose a file first, then press Upload."


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def imports(request: HttpRequest, slug: str) -> HttpResponse:
    """List a store's files, the latest first; POST takes new ones in."""
    store = store_or_404(request, slug, roles=EDITORS if request.method == "POST" else EVERY_ROLE)
    if request.method == "POST":
        return _receive(request, store)
    form = ImportsForm(request.GET)
    view = form.view()
    rows, more = page_of(store, view)
    context = {
        **_frame(request, store), "rows": [(row, may_be_undone(row)) for row in rows], "view": view, "form": form, "problems": form.problems(),
        "headings": view.headings(), "more": more, "has_files": bool(rows) or FileImport.objects.filter(store=store).exists(), "kinds": FILE_KINDS,
        "megabytes": LARGEST // 1_000_000,
        "workbook_megabytes": MOST_BYTES // 1_000_000,
    }  # fmt: skip
    return render(request, "dashboards/imports/list.html", context)


def _receive(request: HttpRequest, store: Store) -> HttpResponse:
    files: list[Any] = request.FILES.getlist("files")
    if not files:
        messages.error(request, NOTHING_CHOSEN)
    kept: list[FileImport] = []
    for file in files[:MOST_FILES]:
        try:
            kept += deciding.receive_file(
                store, file, filename=file.name or "", size=file.size or 0, actor=actor_of(request), now=timezone.now()
            )  # fmt: skip
        except FileRefused as refused:
            messages.error(request, f"{file.name} was not taken. {refused.reason}")
    if len(files) > MOST_FILES:
        messages.warning(request, f"The first {MOST_FILES} files are here; send the other {len(files) - MOST_FILES} in another go.")
    if len(kept) == 1 and len(files) == 1:
        return redirect("file_import", store.slug, kept[0].pk)
    if kept:
        messages.success(request, f"{len(kept)} file{'s are' if len(kept) > 1 else ' is'} here. Nothing is taken yet: open each and decide.")
    return redirect("imports", store.slug)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def file_import(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Show where a file stands and what was found in it; POST decides about it."""
    store = store_or_404(request, slug, roles=EDITORS)
    row = _row(store, pk)
    if request.method == "POST":
        return _decide(request, store, row)
    page = file_page(row)
    if page.stage is Stage.UNKNOWN and row.kind == ORDER_LINES and page.refusal is None:
        return redirect("file_import_columns", store.slug, row.pk)
    context = {
        **_frame(request, store), "page": page, "row": row, "most": MOST_SHOWN,
        "kind_form": KindForm(likely=_likely(page), initial={"kind": row.kind}),
        "options_form": options_form(row, page.kind) if page.kind and page.stage in (Stage.READY, Stage.REFUSED_LOOK) else None,
        "is_order_lines": row.kind == ORDER_LINES, "may_undo": may_be_undone(row),
    }  # fmt: skip
    return render(request, "dashboards/imports/file.html", context)


def _likely(page: FilePage) -> list[Any]:
    return page.candidates or ([page.kind] if page.kind else [])


def _decide(request: HttpRequest, store: Store, row: FileImport) -> HttpResponse:
    """Do with a file what a button says; what cannot be done is said."""
    now = timezone.now()
    try:
        if "take" in request.POST:
            return _take(request, row, now)
        if "discard" in request.POST:
            deciding.put_away(row, now=now)
            messages.info(request, f"{row.filename} was put away; nothing of it was taken.")
            return redirect("imports", store.slug)
        if "retry" in request.POST:
            _retry(request, row)
        elif "kind" in request.POST:
            _choose(request, row, now)
        elif "options" in request.POST:
            _read_otherwise(request, row, now)
    except FileRefused as refused:
        messages.error(request, refused.reason)
    return redirect("file_import", store.slug, row.pk)


def _take(request: HttpRequest, row: FileImport, now: datetime) -> HttpResponse:
    proposed = deciding.take(row, actor=actor_of(request), now=now)
    if proposed is not None:
        return redirect("admin:ledger_proposedchange_review", proposed.pk)
    return redirect("file_import", row.store.slug, row.pk)


def _retry(request: HttpRequest, row: FileImport) -> None:
    if row.job is None or not queue.retry(row.job):
        raise FileRefused(f"{row.filename} is being worked on already.")
    messages.info(request, "Trying again.")


def _choose(request: HttpRequest, row: FileImport, now: datetime) -> None:
    """Read a file as another kind; one that a person has to describe first is looked at once that is done."""
    try:
        kind = find(request.POST["kind"])
    except UnknownFileKind as unknown:
        raise FileRefused(str(unknown)) from unknown
    with kept_file(row) as path:
        template = kind.template_for(row.store, header_of(path))
    deciding.read_as(row, kind.name, template or {})
    if template is not None:
        deciding.look(row, actor=actor_of(request), now=now)


def _read_otherwise(request: HttpRequest, row: FileImport, now: datetime) -> None:
    kind = known_kind(row.kind)
    form = options_form(row, kind, request.POST) if kind else None
    if form is None or not form.is_valid():
        wrong = " ".join(str(message) for errors in form.errors.values() for message in errors) if form else "There is nothing to say of it."
        raise FileRefused(wrong)
    deciding.read_as(row, row.kind, form.options)
    deciding.look(row, actor=actor_of(request), now=now)


@require_safe
@login_required
def progress(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Give the part of a file's page that tells how far its background job is."""
    store = store_or_404(request, slug, roles=EDITORS)
    row = _row(store, pk)
    job = Job.objects.filter(pk=row.job).first() if row.job else None
    page = FilePage(row, stage_of(row, job), None, job)
    return render(request, "dashboards/imports/progress.html", {"store": store, "page": page, "row": row})


@require_safe
@login_required
def rows_csv(request: HttpRequest, slug: str, pk: int, what: str) -> HttpResponse:
    """Give the rows of a file that are wrong, or fit nothing, as a CSV file."""
    store = store_or_404(request, slug, roles=EDITORS)
    row = _row(store, pk)
    told = looked(row)
    found = taken(row) or (told.found if told else None)
    if what == "wrong" and told is not None and told.refusal is not None:
        text = faults_csv(told.refusal.faults)
    elif what == "unmatched" and found is not None:
        text = loose_csv(found)
    elif found is not None and (number := what.removeprefix("listed-")).isdecimal() and 0 < int(number) <= len(found.lists):
        text = listed_csv(found.lists[int(number) - 1])
    else:
        raise Http404("No such rows.")
    headers = {"Content-Disposition": f'attachment; filename="{what}-rows-of-import-{row.pk}.csv"'}
    return HttpResponse(text, content_type="text/csv; charset=utf-8", headers=headers)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def undo_import(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Say what undoing an import takes back; POST does it."""
    store = store_or_404(request, slug, roles=EDITORS)
    row = _row(store, pk)
    if request.method == "POST":
        try:
            deciding.undo(row, actor=actor_of(request), now=timezone.now())
        except FileRefused as refused:
            messages.error(request, f"Nothing was undone. {refused.reason}")
        return redirect("file_import", store.slug, row.pk)
    if not may_be_undone(row):
        return redirect("file_import", store.slug, row.pk)
    context = {**_frame(request, store), "row": row, "preview": undo_preview(row), "kind": find(row.kind)}
    return render(request, "dashboards/imports/undo.html", context)


def _row(store: Store, pk: int) -> FileImport:
    return get_object_or_404(FileImport.objects.select_related("store", "proposal"), store=store, pk=pk)


def _frame(request: HttpRequest, store: Store) -> dict[str, Any]:
    """Return what every page of imports shows around its own part."""
    return {
        "store": store, "stores": stores_for(request.user), "section": "imports", "zone": current_zone(store), "may_edit": may_edit_costs(store),
    }  # fmt: skip
