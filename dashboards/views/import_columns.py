"""Let a person say which column of a file of order lines is which, and see at once how its first rows are read."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from connectors.files import deciding
from connectors.files.orders.order_line_imports import KIND as ORDER_LINES
from connectors.files.orders.order_line_rows import Preview, Sample, preview, sample
from connectors.files.orders.order_line_templates import save_template
from connectors.files.uploads import kept_file
from connectors.models import FileImport
from connectors.platforms.files.faults import FileRefused
from connectors.platforms.files.template import as_json, from_json
from dashboards.access import actor_of, store_or_404, stores_for
from dashboards.forms.columns_form import ColumnsForm, answers_of, first_answers
from dashboards.pages.notices import current_zone
from ledger.models import Store
from ledger.people import EDITORS


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def import_columns(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Ask how a kept file is read; POST shows its first rows so, or keeps the answers and looks at the whole file."""
    store = store_or_404(request, slug, roles=EDITORS)
    row = get_object_or_404(FileImport.objects.select_related("store"), store=store, pk=pk)
    if not deciding.is_to_be_decided(row):
        return redirect("file_import", store.slug, row.pk)
    try:
        with kept_file(row) as path:
            begun = sample(path)
    except FileRefused as refused:
        messages.error(request, refused.reason)
        return redirect("file_import", store.slug, row.pk)
    form = ColumnsForm(request.POST or None, begun=begun, initial=_initial(row, begun))
    if request.method == "POST" and form.is_valid() and "save" in request.POST:
        try:
            _keep(request, row, form)
        except FileRefused as refused:
            messages.error(request, refused.reason)
        else:
            return redirect("file_import", store.slug, row.pk)
    context: dict[str, Any] = {
        "store": store, "stores": stores_for(request.user), "section": "imports", "row": row, "form": form, "begun": begun,
        "problems": form.problems() if request.method == "POST" else [], "zone": current_zone(store),
        **_previewed(store, form, begun),
    }  # fmt: skip
    only_part = request.headers.get("X-Part") == "preview"
    return render(request, "dashboards/imports/preview.html" if only_part else "dashboards/imports/columns.html", context)


def _initial(row: FileImport, begun: Sample) -> dict[str, Any]:
    guessed = first_answers(begun, row.filename)
    return {**guessed, **answers_of(from_json(row.template))} if row.kind == ORDER_LINES and row.template else guessed


def _previewed(store: Store, form: ColumnsForm, begun: Sample) -> dict[str, Any]:
    """Return the first rows as they would be read: by what was posted, else by what is guessed; why not, where that cannot be."""
    asked = form if form.is_bound else ColumnsForm(_as_posted(form), begun=begun)
    if not asked.is_valid():
        return {"preview": None, "unread": "Choose the columns that are needed to see the first rows as they are read."}
    try:
        shown: Preview = preview(store, begun, asked.template(), timezone.now())
    except FileRefused as refused:
        return {"preview": None, "unread": refused.reason}
    return {"preview": shown, "unread": ""}


def _as_posted(form: ColumnsForm) -> dict[str, Any]:
    """Return the first answers as a browser would post them."""
    return {name: value for name, field in form.fields.items() if (value := form.initial.get(name, field.initial)) not in (None, False)}


def _keep(request: HttpRequest, row: FileImport, form: ColumnsForm) -> None:
    template, now = form.template(), timezone.now()
    saved = save_template(row.store, template, actor=actor_of(request), now=now)
    deciding.read_as(row, ORDER_LINES, as_json(template))
    deciding.look(row, actor=actor_of(request), now=now)
    messages.success(request, f"Kept as “{saved.name}”: the next file with these columns is read so by itself.")
