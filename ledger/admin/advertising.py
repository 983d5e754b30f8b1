"""Look through campaigns and what advertising accounts spent day by day, down to what is booked of each row."""

from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet, Sum
from django.http import HttpRequest

from ledger.admin.base import StoreFilter, StoreModelAdmin
from ledger.admin.typed import shown
from ledger.kinds import Hold, SourceKind
from ledger.models import AdDay, Campaign, Entry


class ToldAdmin(StoreModelAdmin):
    """Lists rows that files and platforms tell; nothing is changed by hand."""

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Answer no: a newer file says it anew."""
        return False


@admin.register(Campaign)
class CampaignAdmin(ToldAdmin):
    """Lists the campaigns of advertising accounts."""

    note = "Campaigns of advertising accounts, as files of ad spend name them."
    empty = "No ad spend has been told yet. Import a file of it."
    list_display = ["name", "platform", "account", "external_id", "status", "channel", "store"]
    list_filter = [StoreFilter, "platform"]
    list_select_related = ["store"]
    search_fields = ["name", "external_id"]
    ordering = ["platform", "account", "name"]
    fields = ["store", "platform", "account", "external_id", "name", "status", "channel"]


@admin.register(AdDay)
class AdDayAdmin(ToldAdmin):
    """Lists the days of ad spend that stand, with what is booked of each."""

    note = (
        "What was spent on each day of the advertising account's own time, as it was told. Levels (account, campaign, ad group, ad) tell the same "
        "money, so only one is booked a day. A row that files tell again shows what the latest says."
    )
    empty = "No ad spend has been told yet. Import a file of it."
    list_display = ["day", "platform", "campaign", "level", "ad_group", "ad", "money", "booked", "account", "store"]
    list_filter = [StoreFilter, "platform", "level"]
    list_select_related = ["store", "campaign"]
    search_fields = ["campaign__name", "ad_group", "ad"]
    ordering = ["-day", "platform", "-pk"]
    fields = [
        "store", "day", "platform", "account", "level", "campaign", "ad_group", "ad", "money", "booked", "impressions", "clicks", "conversions",
        "conversion_value", "cause_ref", "actor", "told_at",
    ]  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the rows that stand in the person's stores."""
        return super().get_queryset(request).filter(removed_at=None)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Return the list with what is booked of each row, read at once for all."""
        listed = super().get_changelist_instance(request)
        _explain(list(listed.result_list))
        return listed

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Return a row with what is booked of it."""
        row = super().get_object(request, object_id, from_field)
        if row is not None:
            _explain([row])
        return row

    @admin.display(description="spend", ordering="spend")
    def money(self, row: AdDay) -> str:
        """Write the amount with its currency."""
        return f"{shown(row.spend)} {row.currency}"

    @admin.display(description="booked")
    def booked(self, row: AdDay) -> str:
        """Say what is booked of the row, and else why nothing is."""
        return getattr(row, "comes_to", "")


def _explain(listed: list[AdDay]) -> None:
    """Give rows the words for what is booked of them."""
    entries = Entry.objects.filter(
        book_id__in={row.store_id for row in listed}, source_kind=SourceKind.AD_DAY, source_id__in=[row.pk for row in listed]
    )  # fmt: skip
    booked = dict(entries.values_list("source_id").annotate(amount=Sum("amount")))
    for row in listed:
        amount = booked.get(row.pk)
        if amount:
            words = f"{shown(amount)} {row.store.currency}{', estimated' if row.estimated else ''}"
        elif row.hold != Hold.NONE:
            words = f"not yet: waits for a rate of {row.currency}"
        else:
            words = "nothing was spent" if not row.spend else "not booked: another level, or the platform's own file, tells the same money"
        row.comes_to = words  # type: ignore[attr-defined]
