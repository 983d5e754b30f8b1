"""Show which files were imported and what each did; take files of costs, after a look at what they would do."""

from typing import Any

import msgspec
from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone

from connectors import deciding, file_words
from connectors.file_kinds import FILE_KINDS, find
from connectors.files_out import faults_csv, loose_csv
from connectors.models import FileImport
from connectors.platforms.files.cost_sheet import AUTO, DECIMAL_SIGN, Options
from connectors.platforms.files.faults import FileRefused
from connectors.uploads import Looked, discard, looked, receive
from ledger.admin.base import StoreFilter, StoreModelAdmin, stores_of
from ledger.admin.proposals import actor_of, to_review
from ledger.admin.typed import CurrencyField
from ledger.models import Store
from ledger.models.stores import valid_currency

MOST_SHOWN = 50
"""Wrong rows, and rows without an order, that a page shows; the others are in the CSV file."""


class UploadForm(forms.Form):
    """Asks for a file of costs, and for what it may not say itself."""

    store = forms.ModelChoiceField(Store.objects.none())
    kind = forms.ChoiceField(label="What it holds", choices=[(kind.name, kind.label) for kind in FILE_KINDS if DECIMAL_SIGN in kind.asks])
    file = forms.FileField(label="File", help_text="CSV, plain or .gz; the first row names the columns.", max_length=200)
    decimal_sign = forms.ChoiceField(
        label="Decimal sign", choices=[(AUTO, "find it in the file"), (".", "point: 1234.50"), (",", "comma: 1234,50")], required=False
    )
    day_order = forms.ChoiceField(
        label="Dates like 03/04/2026", choices=[(AUTO, "find it in the file"), ("day", "the day stands first"), ("month", "the month stands first")],
        required=False,
    )  # fmt: skip
    currency = CurrencyField(max_length=3, required=False, help_text="Of amounts without one, such as EUR. Empty: the store's.")
    effective_from = forms.DateField(
        label="Product costs hold from", required=False, widget=forms.DateInput(attrs={"type": "date"}),
        help_text="Where the file names no day. Empty: today.",
    )  # fmt: skip

    def __init__(self, *args: Any, stores: QuerySet[Store], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["store"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101
        field.queryset = stores
        if len(stores) == 1:
            field.initial = stores[0]

    def clean_currency(self) -> str:
        """Refuse a code that is no currency."""
        code = str(self.cleaned_data["currency"])
        if code:
            valid_currency(code)
        return code

    @property
    def options(self) -> Options:
        """Return what the person says of the file."""
        said, day = self.cleaned_data, self.cleaned_data["effective_from"]
        return Options(said["decimal_sign"] or AUTO, said["day_order"] or AUTO, said["currency"], day.isoformat() if day else "")


@admin.register(FileImport)
class FileImportAdmin(StoreModelAdmin):
    """Lists the imports; files of costs are taken here, order lines on the server."""

    note = (
        "Files that were imported. Times are UTC. Of order lines, changed orders are those whose figures the file has made or altered; "
        "of costs, the rows that were new or changed."
    )
    empty = "No file has been imported yet. Upload a file of costs above; order lines are imported on the server: manage.py import_file."
    list_display = ["filename", "store", "kind", "state", "rows", "matched", "orders", "changed_orders", "actor", "started_at"]
    list_filter = [StoreFilter, "state", "kind"]
    list_select_related = ["store"]
    search_fields = ["filename", "sha256", "actor"]
    ordering = ["-started_at", "-pk"]
    fields = [
        "store", "filename", "kind", "state", "rows", "matched", "orders", "changed_orders", "actor", "problem", "started_at", "finished_at",
        "undone_at", "sha256",
    ]  # fmt: skip
    actions = ["undo"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Answer no: what was received stays as it was."""
        return False

    def has_undo_permission(self, request: HttpRequest) -> bool:
        """Answer whether the person edits costs of any store."""
        return self._may(request)

    def get_urls(self) -> list[Any]:
        """Return the addresses, those of uploads before those that take anything."""
        site = self.admin_site
        return [
            path("upload/", site.admin_view(self.upload), name="connectors_fileimport_upload"),
            path("<int:pk>/look/", site.admin_view(self.look), name="connectors_fileimport_look"),
            path("<int:pk>/<slug:what>.csv", site.admin_view(self.rows_csv), name="connectors_fileimport_rows"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Head the list with the way to upload a file."""
        links = [("Upload a file of costs", reverse("admin:connectors_fileimport_upload"))]
        return super().changelist_view(request, {"page_links": links, **(extra_context or {})})

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Show an import; one that waits for a person's decision, with what it would do."""
        row = self.get_object(request, object_id)
        if row is not None and deciding.is_to_be_decided(row):
            return redirect("admin:connectors_fileimport_look", row.pk)
        answer: HttpResponse = super().change_view(request, object_id, form_url, extra_context)
        return answer

    @admin.action(description="Undo these imports of costs, the latest first", permissions=["undo"])
    def undo(self, request: HttpRequest, chosen: QuerySet[FileImport]) -> None:
        """Undo imports of costs; say which cannot be undone here."""
        for row in chosen.order_by("-pk"):
            try:
                deciding.undo(row, actor=actor_of(request), now=timezone.now())
            except FileRefused as refused:
                messages.error(request, f"{row.filename}: {refused}")
            else:
                messages.success(request, f"Undone: {row.filename}.")

    def upload(self, request: HttpRequest) -> HttpResponse:
        """Ask for a file of costs and keep it to be looked at."""
        if not self._may(request):
            raise PermissionDenied
        form = UploadForm(request.POST or None, request.FILES or None, stores=stores_of(request, self.roles))
        if request.method == "POST" and form.is_valid():
            file: Any = form.cleaned_data["file"]
            try:
                with transaction.atomic():
                    row = receive(
                        form.cleaned_data["store"], file, kind=form.cleaned_data["kind"], template={"options": msgspec.to_builtins(form.options)},
                        filename=file.name, actor=actor_of(request), now=timezone.now(),
                    )  # fmt: skip
            except FileRefused as refused:
                form.add_error("file", str(refused))
            else:
                deciding.look(row, actor=actor_of(request), now=timezone.now())
                return redirect("admin:connectors_fileimport_look", row.pk)
        return self._page(request, "upload", title="Upload a file of costs", form=form)

    def look(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show what a kept file would do, and take it or put it away when asked to."""
        row = self._kept(request, pk)
        if row is None:
            return redirect("admin:connectors_fileimport_change", pk)
        if request.method == "POST" and "discard" in request.POST:
            discard(row, now=timezone.now())
            messages.info(request, f"{row.filename} was put away; nothing of it was taken.")
            return redirect("admin:connectors_fileimport_upload")
        if request.method == "POST" and "take" in request.POST:
            return self._take(request, row)
        return self._page(request, "look", title=f"{row.filename}: what it would do", row=row, **_told(looked(row) or Looked()))

    def _take(self, request: HttpRequest, row: FileImport) -> HttpResponse:
        try:
            proposed = deciding.take(row, actor=actor_of(request), now=timezone.now())
        except FileRefused as refused:
            messages.error(request, refused.reason)
            return redirect("admin:connectors_fileimport_change", row.pk)
        if proposed is not None:
            return to_review(proposed)
        row.refresh_from_db()
        if row.job is not None:
            messages.info(request, f"{row.filename} is being imported in the background; this page tells how it ended.")
        elif find(row.kind).is_reviewed:
            messages.info(request, f"{row.filename} says what holds already: there is nothing to change.")
        return redirect("admin:connectors_fileimport_change", row.pk)

    def rows_csv(self, request: HttpRequest, pk: int, what: str) -> HttpResponse:
        """Give the rows of a kept file that are wrong, or without an order, as a CSV file."""
        row = self._kept(request, pk)
        told = (looked(row) if row is not None else None) or Looked()
        if what == "wrong" and told.refusal is not None:
            text = faults_csv(told.refusal.faults)
        elif what == "unmatched" and told.found is not None:
            text = loose_csv(told.found)
        else:
            raise Http404
        return HttpResponse(text, content_type="text/csv; charset=utf-8", headers={"Content-Disposition": f'attachment; filename="{what}-rows.csv"'})

    def _kept(self, request: HttpRequest, pk: int) -> FileImport | None:
        """Return an import of one of the person's stores that waits for a decision."""
        row: FileImport | None = self.get_object(request, str(pk))
        return row if row is not None and deciding.is_to_be_decided(row) else None

    def _page(self, request: HttpRequest, name: str, **told: Any) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "opts": self.opts, **told}
        return TemplateResponse(request, f"admin/connectors/fileimport/{name}.html", context)


def _told(told: Looked) -> dict[str, Any]:
    """Return what the page says of a file that was looked at."""
    shown: dict[str, Any] = {"looked": told, "most": MOST_SHOWN}
    if told.found is None:
        return shown
    return shown | {"lines": file_words.lines_of(told.found, written=False), "is_products": find(told.found.kind).is_reviewed}
