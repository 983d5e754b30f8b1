"""Show which files were imported and what each did; files are brought in on the stores' own pages."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html

from connectors.models import FileImport
from ledger.admin.base import StoreFilter, StoreModelAdmin, stores_of
from ledger.models import Store

MOST_LINKED = 5
"""Stores whose pages of imports the list leads to; whoever has more finds them in the stores' menus."""


@admin.register(FileImport)
class FileImportAdmin(StoreModelAdmin):
    """Lists the imports of every store; each is taken and undone on its store's own page."""

    note = (
        "Files that were imported. Times are UTC. Of order files, changed orders are those whose figures the file has made or altered; "
        "of costs, the rows that were new or changed. Files are brought in, and undone, on the store's page Imports."
    )
    empty = "No file has been imported yet. Bring one in on the store's page Imports, or on the server: manage.py import_file."
    list_display = ["filename", "store", "kind", "state", "rows", "matched", "orders", "changed_orders", "actor", "started_at", "page"]
    list_filter = [StoreFilter, "state", "kind"]
    list_select_related = ["store"]
    search_fields = ["filename", "sha256", "actor"]
    ordering = ["-started_at", "-pk"]
    fields = [
        "store", "filename", "kind", "state", "rows", "matched", "orders", "changed_orders", "new_orders", "unchanged_orders", "actor", "problem",
        "started_at", "finished_at", "undone_at", "sha256",
    ]  # fmt: skip

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Answer no: what was received stays as it was."""
        return False

    @admin.display(description="page")
    def page(self, row: FileImport) -> str:
        """Lead to the import's own page."""
        return format_html('<a href="{}">Open</a>', reverse("file_import", args=[row.store.slug, row.pk]))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Head the list with the ways to bring in files."""
        stores: QuerySet[Store] = stores_of(request, self.roles).order_by("name")[:MOST_LINKED]
        links = [(f"Import files into {store.name}", reverse("imports", args=[store.slug])) for store in stores]
        return super().changelist_view(request, {"page_links": links, **(extra_context or {})})
