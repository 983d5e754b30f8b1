"""Show whoever runs the installation which stores were deleted, by whom, and when."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html_join

from ledger.admin.base import ModelAdmin
from ledger.models import Erasure


@admin.register(Erasure)
class ErasureAdmin(ModelAdmin):  # type: ignore[misc]
    """Lists deletions of stores to the superuser; nothing is changed here."""

    note = "Stores that were deleted, or are being deleted, with how many rows of which tables. Times are UTC."
    empty = "No store has been deleted."
    list_display = ["name", "slug", "currency", "actor", "asked_at", "finished_at", "how_many"]
    fields = ["name", "slug", "number", "currency", "is_demo", "actor", "asked_at", "finished_at", "by_table"]
    search_fields = ["name", "slug", "actor"]
    ordering = ["-asked_at"]

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Answer whether the person runs the installation."""
        return bool(request.user.is_active and request.user.is_superuser)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Answer whether the person runs the installation."""
        return self.has_module_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Answer no: deleting a store writes the note."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Answer no."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Answer no: the note outlives the store."""
        return False

    @admin.display(description="rows deleted")
    def how_many(self, erasure: Erasure) -> str:
        """Return how many rows are gone."""
        return f"{erasure.deleted_rows:,}"

    @admin.display(description="rows deleted")
    def by_table(self, erasure: Erasure) -> str:
        """Return how many rows are gone of which table."""
        return format_html_join("", "{}: {}<br>", ((table, f"{count:,}") for table, count in sorted(erasure.rows.items()))) or "—"
