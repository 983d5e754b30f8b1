"""Enter costs that no platform tells: rent, salaries, influencers, apps, commissions."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Count, Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from ledger.admin.base import StoreFilter
from ledger.admin.documents import DocumentPages
from ledger.admin.filters import HoldsFilter
from ledger.admin.partners import AboutPartner, PartnerFilter
from ledger.admin.resources import ManualCostResource
from ledger.admin.rules import RuleAdmin
from ledger.admin.sheets import SheetAdmin
from ledger.admin.typed import CurrencyField, LabelField, shown
from ledger.costs.cost_templates import TEMPLATES, line_of_category
from ledger.models import Channel, ManualCost


class ManualCostForm(AboutPartner):
    """Takes labels in words, and a channel that the store has."""

    class Meta(AboutPartner.Meta):
        field_classes: ClassVar[dict[str, Any]] = {"label": LabelField, "currency": CurrencyField}

    def clean_channel(self) -> str:
        """Refuse a channel that the store does not sell through."""
        store, typed = self.cleaned_data.get("store"), str(self.cleaned_data["channel"]).strip()
        known = list(Channel.objects.filter(store=store).order_by("number").values_list("key", flat=True)) if store is not None else []
        if typed and known and typed not in known:
            self.add_error("channel", f"{store} sells through {', '.join(known)}. Give one of these, or leave this empty for all.")
        return typed


@admin.register(ManualCost)
class ManualCostAdmin(SheetAdmin, DocumentPages, RuleAdmin):
    """Lists the costs entered by hand."""

    resource_classes = [ManualCostResource]
    note = (
        "Costs that no platform tells. Days are in the store's time zone. A cost of days is spread evenly over them and booked as they come; "
        "one per order, per unit or of net revenue is booked with each order, marked estimated."
    )
    empty = "No cost has been entered by hand yet: rent, salaries, an influencer's fee."
    form = ManualCostForm
    change_form_template = "admin/ledger/manualcost/change_form.html"
    list_filter = [StoreFilter, "category", "basis", HoldsFilter, PartnerFilter]
    list_select_related = ["store", "added_by", "partner", "product"]
    search_fields = ["label", "note", "invoice_number", "partner__name"]
    what = (
        "category", "label", "basis", "amount", "percentage", "currency", "includes_vat", "vat_percentage", "channel", "product", "partner",
        "invoice_number", "note",
    )  # fmt: skip
    autocomplete_fields = ["product"]
    own_currency = True
    help_texts = {
        "category": "It says on which line of the statement the cost lands.",
        "label": "In words, such as rent or Klaviyo: costs of one label are added up.",
        "basis": "How often, or by what measure.",
        "amount": "Once: in all. Every month and the like: each time. Per order or unit: for one. A credit is negative. Empty for a percentage.",
        "percentage": "Only for a % of net revenue or of ad spend.",
        "channel": "Only what this sales channel sold or spent. Empty: every channel.",
        "product": "Only per order, per unit and % of net revenue. Empty: every product.",
        "effective_from": (
            "The first day it covers, in the store's time zone; periods are counted from it: a month from the 15th runs through the 14th. "
            "Empty, where orders or ad spend are the measure: it always has."
        ),
        "effective_to": "The last day it covers. Empty: until further notice; for a cost entered once, its first day.",
    }

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the costs that stand in the person's stores, with how many documents prove each."""
        rows: QuerySet[Any] = super().get_queryset(request).annotate(proofs=Count("documents"))
        return rows

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> list[tuple[str | None, dict[str, Any]]]:
        """Group what is asked for; without scripts, every group says when it applies."""
        return [
            ("What it is", {"fields": ["store", "category", "label", "partner", "invoice_number", "note"]}),
            ("How much", {"fields": ["basis", "amount", "percentage", "currency", "includes_vat", "vat_percentage"]}),
            ("When", {"fields": ["effective_from", "effective_to"]}),
            ("Only a part of the sales", {"fields": ["channel", "product"], "description": "Leave both empty for a cost of the whole store."}),
            (None, {"fields": ["added_by" if obj else "reason"]}),
        ]

    def get_list_display(self, request: HttpRequest) -> list[str]:
        """Return the columns of the list."""
        return ["what_it_is", "store", "line", "how_much", "basis", "effective_from", "effective_to", "partner", "invoice", "by", "steps"]

    @admin.display(description="what", ordering="label")
    def what_it_is(self, cost: ManualCost) -> str:
        """Return the label, and what the cost is about."""
        about = [f"on {cost.product}" if cost.product else "", f"in {cost.channel}" if cost.channel else "", f"({cost.note})" if cost.note else ""]
        return " ".join([cost.label, *filter(None, about)])

    @admin.display(description="statement line", ordering="category")
    def line(self, cost: ManualCost) -> str:
        """Return the line of the statement that the cost lands on."""
        return line_of_category(cost.category)

    @admin.display(description="how much", ordering="amount")
    def how_much(self, cost: ManualCost) -> str:
        """Return the amount or percentage, and whether VAT is in it."""
        if cost.amount is None:
            return f"{shown(cost.percentage)} %" if cost.percentage is not None else ""
        vat = f", {shown(cost.vat_percentage)} % VAT included" if cost.includes_vat else ""
        return f"{shown(cost.amount)} {cost.currency}{vat}"

    @admin.display(description="invoice", ordering="invoice_number")
    def invoice(self, cost: Any) -> str:
        """Return the invoice number, and how many documents are there."""
        proofs = f"{cost.proofs} document{'' if cost.proofs == 1 else 's'}" if cost.proofs else ""
        return ", ".join(filter(None, [cost.invoice_number, proofs]))

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Say on which line of the statement each category lands."""
        field = super().formfield_for_choice_field(db_field, request, **kwargs)
        if db_field.name == "category":
            field.choices = [(value, f"{label} (in “{line_of_category(value)}”)" if value else label) for value, label in field.choices]
        return field

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> HttpResponse:
        """Offer the usual costs to start from, each with the statement line it lands on."""
        if kwargs.get("add"):
            context["starts"] = [(each, f"{reverse(f'admin:ledger_{each.page}_add')}?{each.query}") for each in TEMPLATES]
        answer: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return answer
