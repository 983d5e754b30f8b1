"""Show what platforms rang about; what was given up is tried again on the connection's own page. Bodies are never shown."""

from django.contrib import admin

from connectors.admin.connections import OnlyRead
from connectors.models import WebhookDelivery
from ledger.admin.base import StoreFilter


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(OnlyRead):
    """Lists deliveries of the last days, and what became of each."""

    note = "What platforms rang about in the last days. Times are UTC. What was given up can be tried again on the connection's page."
    empty = "No platform has rung yet. Whether webhooks are on is said on the store's page Connections."
    store_path = "connection__store"
    list_display = ["received_at", "connection", "topic", "state", "attempts", "triggered_at", "error"]
    list_filter = [StoreFilter, "state"]
    list_select_related = ["connection"]
    search_fields = ["connection__account_ref", "topic", "delivery_id"]
    show_full_result_count = False
    ordering = ["-received_at", "-pk"]
    fields = [
        "connection", "topic", "delivery_id", "event_id", "version", "triggered_at", "received_at", "state", "attempts", "lease_until", "error",
    ]  # fmt: skip
