"""Show which files were imported, and what each did; nothing is changed here."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from connectors.models import FileImport
from ledger.admin.base import StoreFilter, StoreModelAdmin


@admin.register(FileImport)
class FileImportAdmin(StoreModelAdmin):
    """Lists the imports; undoing one is a command, since it restates orders."""

    note = "Files that were imported. Times are UTC; changed orders are those whose figures the file has made or altered."
    empty = "No file has been imported yet. On the server: manage.py import_file."
    list_display = ["filename", "store", "kind", "state", "rows", "orders", "changed_orders", "actor", "started_at"]
    list_filter = [StoreFilter, "state", "kind"]
    list_select_related = ["store"]
    search_fields = ["filename", "sha256", "actor"]
    ordering = ["-started_at", "-pk"]
    fields = [
        "store", "filename", "kind", "state", "rows", "orders", "changed_orders", "actor", "problem", "started_at", "finished_at", "undone_at",
        "sha256",
    ]  # fmt: skip

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Answer no: what was received stays as it was."""
        return False
