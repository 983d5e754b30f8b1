"""Show the accounts that stores are connected to, and their runs; they are steered on the stores' own pages. Secrets are never shown."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from connectors.models import Connection, SyncRun
from ledger.admin.base import StoreFilter, StoreModelAdmin


class OnlyRead(StoreModelAdmin):
    """Shows what the sync wrote; nobody writes it by hand."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Answer no."""
        return False


@admin.register(Connection)
class ConnectionAdmin(OnlyRead):
    """Lists the accounts of every store."""

    note = (
        "Accounts that stores are read from. Times are UTC. An account is connected, tested, paused and disconnected on its store's page Connections."
    )
    empty = "No account is connected yet. Connect one on the store's page Connections, or on the server: manage.py connect."
    list_display = ["account_ref", "platform", "store", "status", "last_ok_at", "problem", "page"]
    list_filter = [StoreFilter, "platform", "status"]
    list_select_related = ["store"]
    search_fields = ["account_ref", "label"]
    ordering = ["store__name", "platform", "pk"]
    fields = [
        "store", "platform", "account_ref", "label", "base_url", "status", "scopes", "currency", "zone", "problem", "problem_at", "paused_until",
        "last_ok_at", "connected_by", "connected_at", "disconnected_at",
    ]  # fmt: skip

    @admin.display(description="page")
    def page(self, row: Connection) -> str:
        """Lead to the connection's own page."""
        return format_html('<a href="{}">Open</a>', reverse("connection", args=[row.store.slug, row.pk]))


@admin.register(SyncRun)
class SyncRunAdmin(OnlyRead):
    """Lists what was read, and how each run ended."""

    note = "Runs of streams: what was asked of which account, what came and what it changed. Times are UTC."
    empty = "Nothing was read of any account yet."
    store_path = "connection__store"
    list_display = ["started_at", "connection", "stream", "mode", "status", "pages", "records", "changed", "parked", "problem"]
    list_filter = [StoreFilter, "stream", "mode", "status"]
    list_select_related = ["connection"]
    search_fields = ["connection__account_ref", "problem"]
    ordering = ["-started_at", "-pk"]
    fields = [
        "connection", "stream", "mode", "status", "since", "until", "started_at", "heartbeat_at", "finished_at", "requests", "pages", "records",
        "changed", "parked", "fault", "problem",
    ]  # fmt: skip
