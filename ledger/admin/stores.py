"""Edit stores, their time zones and their people."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from ledger.admin.base import OWNERS, StoreFilter, StoreModelAdmin, stores_of
from ledger.admin.costs import CostRuleAdmin
from ledger.models import Membership, Store, StoreZone


class StoreZoneInline(admin.TabularInline):
    """Adds a time zone from a day on; those in force are shown only, because days already given never move."""

    model = StoreZone
    extra = 0

    def has_view_permission(self, request: HttpRequest, obj: Store | None = None) -> bool:
        """Answer yes: whoever sees the store sees its zones."""
        return True

    def has_add_permission(self, request: HttpRequest, obj: Store | None = None) -> bool:
        """Answer whether the person owns the store."""
        return obj is not None and stores_of(request, OWNERS).filter(pk=obj.pk).exists()

    def has_change_permission(self, request: HttpRequest, obj: Store | None = None) -> bool:
        """Answer no."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Store | None = None) -> bool:
        """Answer no: a store always has a zone."""
        return False


@admin.register(Store)
class StoreAdmin(CostRuleAdmin):
    """Edits a store. Stores are opened by `create_store`, together with their book."""

    store_path = "pk"
    rules = {"cogs_percentage": "store COGS %"}
    list_display = ["name", "slug", "currency", "cogs_percentage"]
    search_fields = ["name", "slug"]
    fixed = ("currency", "succeeds", "is_demo")
    settings = ("name", "slug", "fiscal_year_start_month", "week_starts_on_sunday", "margin_basis")
    fields = (*settings, "cogs_percentage", *fixed)
    inlines = [StoreZoneInline]

    def get_readonly_fields(self, request: HttpRequest, obj: Store | None = None) -> tuple[str, ...]:
        """Leave a cost editor only the cost rule."""
        if obj is not None and stores_of(request, OWNERS).filter(pk=obj.pk).exists():
            return self.fixed
        return self.fixed + self.settings

    def affected(self, row: Any) -> Iterable[Store]:
        """Return the store itself."""
        return [row]


@admin.register(Membership)
class MembershipAdmin(StoreModelAdmin):
    """Edits who may do what. Owners only: a cost editor could otherwise become one."""

    roles = OWNERS
    list_display = ["user", "store", "role"]
    list_filter = [StoreFilter, "role"]
    list_select_related = ["user", "store"]
    fields = ["store", "user", "role"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Answer whether the person owns a store."""
        return self._may(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Answer whether the membership is of a store the person owns."""
        return self._may(request, obj)
