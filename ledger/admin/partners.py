"""Keep who sells or advertises for a store, and the discount codes that say so."""

from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from ledger.admin.base import StoreFilter, StoreModelAdmin
from ledger.admin.filters import HoldsFilter
from ledger.admin.proposals import actor_of
from ledger.admin.resources import PartnerCodeResource
from ledger.admin.rules import RuleAdmin, RuleForm
from ledger.admin.sheets import SheetAdmin
from ledger.cause import Cause
from ledger.charges.charges import repost_partner
from ledger.costs.partners import what_rests_on
from ledger.kinds import CauseKind
from ledger.models import Partner, PartnerCode
from ledger.record import Contended


def _book_again(request: HttpRequest, partner: Partner) -> None:
    cause = Cause(CauseKind.MANUAL, f"{partner} is an {partner.get_kind_display()}"[:80], actor_of(request))
    try:
        repost_partner(partner.store, partner.pk, cause=cause)
    except Contended:
        messages.error(
            request, f"Others are writing the same orders just now: not every commission of {partner} is booked anew. Save it again later."
        )


class AboutPartner(RuleForm):
    """Refuses another store's partner beside the field."""

    def clean(self) -> dict[str, Any]:
        """Refuse what is about another store than the rule."""
        values = super().clean()
        store, partner = values.get("store"), values.get("partner")
        if store is not None and partner is not None and partner.store_id != store.pk:
            self.add_error("partner", f"{partner} is no partner of {store}.")
        return values


class PartnerFilter(admin.SimpleListFilter):
    """Filters a list by partner, naming only those of the person's own stores."""

    title = "partner"
    parameter_name = "partner"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the partners to choose from."""
        rows = model_admin.get_queryset(request).filter(partner__isnull=False).order_by("partner__name", "partner")
        return [(str(pk), name) for pk, name in rows.values_list("partner", "partner__name").distinct()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the rows of the chosen partner."""
        value = self.value()
        return queryset.filter(partner=int(value)) if value and value.isdecimal() else queryset


@admin.register(Partner)
class PartnerAdmin(StoreModelAdmin):
    """Lists influencers and affiliates."""

    note = "Who sells or advertises for a store. Their discount codes say which orders came through them; fees and commissions are manual costs."
    empty = "No partner yet: an influencer with a fee, an affiliate with a commission."
    help_texts = {"kind": "It says on which account the commissions that files tell are booked.", "name": "As you know them; unique in the store."}
    list_display = ["name", "store", "kind", "codes_now", "note"]
    list_filter = [StoreFilter, "kind"]
    list_select_related = ["store"]
    search_fields = ["name", "note", "codes__code"]
    fields = ["store", "name", "kind", "note"]
    ordering = ["store", "name"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the partners of the person's stores."""
        return super().get_queryset(request).prefetch_related("codes")

    @admin.display(description="discount codes")
    def codes_now(self, partner: Partner) -> str:
        """Return the codes that stand, whatever their days."""
        return ", ".join(sorted({code.code for code in partner.codes.all() if code.removed_by_id is None}))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Answer whether the person edits costs of any store."""
        return self._may(request)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Answer whether the partner is of one of the person's stores; what rests on one is said on the way."""
        return self._may(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        """Keep a partner in the store."""
        return ["store"] if obj else []

    def save_model(self, request: HttpRequest, obj: Partner, form: Any, change: bool) -> None:
        """Save a partner; when it is of another kind now, book the commissions that files tell on that kind's account."""
        super().save_model(request, obj, form, change)
        if change and "kind" in form.changed_data:
            transaction.on_commit(partial(_book_again, request, obj))

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """List the partners, and what keeps them from being deleted."""
        resting = [told for partner in objs for told in what_rests_on(partner)]
        return [str(partner) for partner in objs], {str(self.opts.verbose_name_plural): len(objs)}, set(), resting


@admin.register(PartnerCode)
class PartnerCodeAdmin(SheetAdmin, RuleAdmin):
    """Lists the discount codes that say an order came through a partner."""

    resource_classes = [PartnerCodeResource]
    note = (
        "An order with one of these codes came through the partner whose the code was on the order's day. Costs of that partner per order, "
        "per unit or of net revenue are booked with it, unless a file tells the commission itself."
    )
    empty = "No discount code of a partner yet."
    form = AboutPartner
    what = ("partner", "code")
    begins = ""
    list_filter = [StoreFilter, PartnerFilter, HoldsFilter]
    list_select_related = ["store", "added_by", "partner"]
    search_fields = ["code", "partner__name"]
    ordering = ["store", "code", "effective_from"]

    def get_list_display(self, request: HttpRequest) -> list[str]:
        """Return the columns of the list."""
        return ["code", "partner", "store", "effective_from", "effective_to", "by", "steps"]
