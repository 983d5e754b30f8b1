"""Take rules out as a spreadsheet, and take a changed one in again: shown as a difference, then proposed, never saved from here."""

import hashlib
from datetime import datetime
from typing import Any, NamedTuple

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.forms import Media
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.text import slugify
from import_export.admin import ImportExportMixin

from ledger.admin.base import stores_of
from ledger.admin.proposals import actor_of, to_review
from ledger.admin.resource import RuleResource
from ledger.admin.sheet_files import MOST_BYTES, CsvSheet, FileRefused, XlsxSheet, dataset_of, has_semicolons
from ledger.admin.sheet_lines import of_kind
from ledger.filenames import plain_name
from ledger.models import Store
from ledger.people import EDITORS
from ledger.rules.proposals import propose
from ledger.rules.rules import RuleRefused

ImportForm: Any = import_string(f"{settings.SHEET_FORMS}.ImportForm")
ExportForm: Any = import_string(f"{settings.SHEET_FORMS}.ExportForm")

HELD_FOR = 60 * 60
"""Seconds a file waits for its confirmation."""
MOST_EXPORTED = 100_000
"""Rules of one export at most."""
MOST_TOLD = 200
"""Problems, and rows of each sort, that the page lists; of more it tells the number."""


class Held(NamedTuple):
    """A file that was looked at and waits to be confirmed."""

    store: int
    filename: str
    reason: str
    data: bytes

    @property
    def digest(self) -> str:
        """Return what the confirmation must name, so that another file chosen meanwhile is not taken in its place."""
        return hashlib.sha256(self.data).hexdigest()


class SheetForm(ImportForm):  # type: ignore[misc]
    """Asks for a file, whose kind is seen from its content, for the store it is for, and for the reason."""

    store = forms.ModelChoiceField(Store.objects.none())
    reason = forms.CharField(max_length=200, required=False, help_text="Why, for whoever wonders later: a new price list, a contract.")
    field_order = ["resource", "store", "import_file", "reason"]

    def __init__(self, formats: Any, resources: Any, *, stores: Any, **kwargs: Any) -> None:
        super().__init__(formats, resources, **kwargs)
        del self.fields["format"]
        file: Any = self.fields["import_file"]
        file.help_text = f"CSV or Excel workbook (.xlsx), at most {resources[0].most:,} rows and {MOST_BYTES // 1_000_000} MB."
        file.widget.attrs.pop("class", None)
        choice: Any = self.fields["store"]
        choice.queryset = stores
        if stores.count() == 1:
            choice.initial = stores.get().pk
            choice.widget = forms.HiddenInput()

    @property
    def media(self) -> Media:
        """Load nothing: the library's script guesses a format that is not asked for here."""
        return Media()

    def clean_import_file(self) -> UploadedFile:
        """Refuse a file that is too large before it is read."""
        file: UploadedFile = self.cleaned_data["import_file"]
        if (file.size or 0) > MOST_BYTES:
            raise forms.ValidationError(f"The file is larger than {MOST_BYTES // 1_000_000} MB. Split it.")
        return file


class FormatForm(ExportForm):  # type: ignore[misc]
    """Asks for the kind of file."""

    def __init__(self, formats: Any, resources: Any, **kwargs: Any) -> None:
        super().__init__(formats, resources, **kwargs)
        choice: Any = self.fields["format"]
        choice.choices = choice.widget.choices = [("1", "Excel workbook (.xlsx)"), ("0", "CSV")]
        choice.initial = "1"


class SheetAdmin(ImportExportMixin):  # type: ignore[misc]
    """Adds import and export to a list of rules; goes before RuleAdmin among the bases."""

    import_export_change_list_template = None
    import_template_name = "admin/ledger/sheet_import.html"
    export_template_name = "admin/ledger/sheet_export.html"
    to_encoding = "utf-8-sig"
    opts: Any
    admin_site: Any

    def get_import_formats(self) -> list[Any]:
        """Return the kinds of file that are read."""
        return [CsvSheet, XlsxSheet]

    get_export_formats = get_import_formats

    def has_import_permission(self, request: HttpRequest) -> bool:
        """Answer whether the person may add rules."""
        return bool(self.has_add_permission(request))

    def has_export_permission(self, request: HttpRequest) -> bool:
        """Answer whether the person sees rules."""
        return bool(self.has_view_permission(request))

    def page_links(self, request: HttpRequest) -> list[tuple[str, str]]:
        """Return the ways from the list: what they are called and where they lead."""
        narrowed = request.GET.urlencode()
        return [
            ("Export this list", self._address("export") + (f"?{narrowed}" if narrowed else "")),
            ("Import a spreadsheet", self._address("import")),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """List the rules, with the ways to and from a spreadsheet."""
        answer: HttpResponse = super().changelist_view(request, {"page_links": self.page_links(request), **(extra_context or {})})
        return answer

    def _address(self, page: str) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{page}")

    # Export.

    def export_action(self, request: HttpRequest) -> HttpResponse:
        """Ask for the kind of file, then hand out the list as it is narrowed and searched."""
        try:
            found = self.get_export_queryset(request)
        except IncorrectLookupParameters:
            return redirect(f"{self._address('changelist')}?e=1")
        if found[MOST_EXPORTED:].exists():
            messages.error(request, f"More than {MOST_EXPORTED:,} rules are not put into one file. Narrow the list by store or by search.")
            return redirect(self._address("changelist"))
        answer: HttpResponse = super().export_action(request)
        return answer

    def get_export_form_class(self) -> Any:
        """Return the form that asks for the kind of file."""
        return FormatForm

    def get_export_data(self, file_format: Any, request: HttpRequest, queryset: Any, **kwargs: Any) -> Any:
        """Write numbers and days as such into a workbook, as text into CSV."""
        return super().get_export_data(file_format, request, queryset, **kwargs, native=isinstance(file_format, XlsxSheet))

    def get_export_filename(self, request: HttpRequest, queryset: Any, file_format: Any) -> str:
        """Name the file after the list and the day (UTC)."""
        return f"{slugify(self.opts.verbose_name_plural)}-{timezone.now():%Y-%m-%d}.{file_format.get_extension()}"

    def init_request_context_data(self, request: HttpRequest, form: Any) -> dict[str, Any]:
        """Say what the file will hold."""
        count = self.get_export_queryset(request).count()
        return {**super().init_request_context_data(request, form), "title": f"Export {self.opts.verbose_name_plural}", "count": count}

    # Import.

    def import_action(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """Ask for a file; show what it would change and hold it until that is confirmed. Nothing is changed here."""
        if not self.has_import_permission(request):
            raise PermissionDenied
        form = self._form(request)
        if request.method != "POST" or not form.is_valid():
            return self._page(request, form)
        file = form.cleaned_data["import_file"]
        held = Held(form.cleaned_data["store"].pk, plain_name(file.name or "", otherwise="a file"), form.cleaned_data["reason"], file.read())
        try:
            resource = self._read(form.cleaned_data["store"], held)
        except FileRefused as refused:
            form.add_error("import_file", str(refused))
            return self._page(request, form)
        if not resource.problems:
            cache.set(self._place(request), tuple(held), HELD_FOR)
        return self._page(request, form, resource, held)

    def process_import(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """Read the held file against what stands now, and propose its changes; they are made on the page of the proposal."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_import_permission(request):
            raise PermissionDenied
        kept = cache.get(self._place(request))
        held = Held(*kept) if kept is not None else None
        store = stores_of(request, EDITORS).filter(pk=held.store).first() if held is not None else None
        if held is None or store is None or request.POST.get("digest") != held.digest:
            messages.error(request, "The file you looked at is not held any more. Choose it again.")
            return redirect(self._address("import"))
        resource = self._read(store, held)
        if resource.problems:
            return self._page(request, self._form(request, bound=False), resource, held)
        return self._propose(request, store, resource, held, timezone.now())

    def _propose(self, request: HttpRequest, store: Store, resource: RuleResource, held: Held, now: datetime) -> HttpResponse:
        add, remove = resource.changes()
        reason, origin = held.reason or f"from {held.filename}", self._address("import")
        try:
            proposed = propose(store, add=add, remove=remove, actor=actor_of(request), reason=reason, origin=origin, now=now)
        except RuleRefused as refused:
            messages.error(request, str(refused))
            return redirect(origin)
        cache.delete(self._place(request))
        return to_review(proposed)

    def _form(self, request: HttpRequest, *, bound: bool = True) -> Any:
        posted = request.method == "POST" and bound
        return SheetForm(
            self.get_import_formats(), self.get_import_resource_classes(request), stores=stores_of(request, EDITORS),
            data=request.POST if posted else None, files=request.FILES if posted else None,
        )  # fmt: skip

    def _read(self, store: Store, held: Held) -> RuleResource:
        resource: RuleResource = self.resource_classes[0](store)
        resource.read(dataset_of(held.data), semicolons=has_semicolons(held.data))
        return resource

    def _place(self, request: HttpRequest) -> str:
        """Return where a file is held: for one person, session and list, so that nobody else can read or confirm it."""
        whose = hashlib.sha256(f"{request.user.pk} {request.session.session_key}".encode()).hexdigest()
        return f"sheet:{self.opts.model_name}:{whose}"

    def _page(self, request: HttpRequest, form: Any, resource: RuleResource | None = None, held: Held | None = None) -> HttpResponse:
        blank: RuleResource = self.resource_classes[0]()
        context = {
            **self.admin_site.each_context(request), "title": f"Import {self.opts.verbose_name_plural}", "opts": self.opts, "form": form,
            "media": self.media + form.media,
            "headings": blank.get_diff_headers(), "needed": blank.needed, "most": MOST_TOLD, "list_address": self._address("changelist"),
        }  # fmt: skip
        if resource is not None and held is not None:
            kinds = [("New", of_kind(resource.lines, "new")), ("Changed", of_kind(resource.lines, "update"))]
            unchanged = len(of_kind(resource.lines, "skip"))
            context |= {"resource": resource, "held": held, "kinds": kinds, "unchanged": unchanged, "process": self._address("process_import")}
        return TemplateResponse(request, self.import_template_name, context)
