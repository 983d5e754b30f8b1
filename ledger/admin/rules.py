"""Set the dated cost rules: each says from when to when it holds, and every change can be told and undone."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from ledger import proposals, rules
from ledger.admin.base import StoreFilter, StoreModelAdmin
from ledger.admin.grid import GridAdmin
from ledger.admin.ledger_pages import WithBatches
from ledger.admin.proposals import actor_of, to_review
from ledger.admin.resources import CogsRuleResource, FeeRuleResource, ShippingRuleResource, VariantCostResource
from ledger.admin.sheets import SheetAdmin
from ledger.admin.typed import CurrencyField
from ledger.models import CogsRule, CostChange, FeeRule, ProposedChange, ShippingRule, Variant, VariantCost
from ledger.models.rules import Rule
from ledger.rules import RuleRefused

SPAN = ("effective_from", "effective_to")


class RuleForm(forms.ModelForm):
    """Asks for a rule, and for the reason that is kept with the change."""

    class Meta:
        field_classes: ClassVar[dict[str, Any]] = {"currency": CurrencyField}

    reason = forms.CharField(max_length=200, required=False, help_text="Why, for whoever wonders later: a new supplier, an invoice, a contract.")

    def clean(self) -> dict[str, Any]:
        """Refuse what is about another store than the rule."""
        values: dict[str, Any] = super().clean() or {}
        store = values.get("store")
        for name in ("product", "variant", "bundle", "component"):
            about = values.get(name)
            if store is not None and about is not None and about.store_id != store.pk:
                self.add_error(name, f"This is not sold by {store}.")
        return values

    def _post_clean(self) -> None:
        """Refuse what could not be set as things stand, beside the fields that people have just filled in."""
        super()._post_clean()  # type: ignore[misc]
        if not self.errors:
            refused = proposals.refusal(self.instance.store, add=[self.instance], now=timezone.now())
            if refused:
                self.add_error(None, refused)


class RuleAdmin(StoreModelAdmin):
    """Lists the rules that stand. A rule is added and taken back, never edited: what held before stays told."""

    form = RuleForm
    list_filter: list[Any] = [StoreFilter]
    list_select_related = ["store", "added_by"]
    ordering = ["store", "effective_from"]
    what: ClassVar[tuple[str, ...]]
    """The fields that say what the rule is about and how much."""
    help_texts = {
        "effective_from": "The first day it holds, in the store's time zone. Empty: it always has.",
        "effective_to": "The last day it holds. Empty: until further notice.",
    }

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the rules that stand in the person's stores."""
        return super().get_queryset(request).filter(removed_by=None)

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        """Return what is asked for, or what is told of a standing rule."""
        return ["store", *self.what, *SPAN, "added_by" if obj else "reason"]

    def get_form(self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any) -> Any:
        """Return the form; the reason is no field of the rule, so it is dressed as its own table's field would be."""
        form = super().get_form(request, obj, change=change, **kwargs)
        if "reason" in form.base_fields:
            form.base_fields["reason"].widget = self.formfield_for_dbfield(CostChange._meta.get_field("reason"), request).widget
        return form

    def get_list_display(self, request: HttpRequest) -> list[str]:
        """Return the columns of the list."""
        return ["__str__", "store", *SPAN, "by"]

    @admin.display(description="set by")
    def by(self, rule: Rule) -> str:
        """Return who set the rule, and why."""
        change = rule.added_by
        return f"{change.actor}, {change.at:%-d %b %Y}{f': {change.reason}' if change.reason else ''}"

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Answer whether the person edits costs of any store."""
        return self._may(request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Answer no: a new rule ends the old one where it begins."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Answer whether the row is in the person's stores; deleting takes the rule back and keeps it told."""
        return self._may(request, obj)

    def changeform_view(self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Show or save a rule; where somebody else's change came between, say so and show what stands."""
        try:
            answer: HttpResponse = super().changeform_view(request, object_id, form_url, extra_context)
        except RuleRefused as refused:
            messages.error(request, str(refused))
            return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        return answer

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Fill the form from a proposal that somebody goes back to, else from the address."""
        asked = request.GET.get("proposed", "")
        if asked.isdecimal():
            kept = self.admin_site._registry[ProposedChange].get_queryset(request).filter(pk=asked).first()
            first = next((each for each in kept.add if each["model"] == self.opts.model_name), None) if kept else None
            if kept and first:
                return {**{name.removesuffix("_id"): value for name, value in first["values"].items()}, "reason": kept.reason}
        filled: dict[str, Any] = super().get_changeform_initial_data(request)
        return filled

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Propose the rule, to be looked at before it is saved."""
        request.proposed = proposals.propose(  # type: ignore[attr-defined]
            obj.store, add=[obj], actor=actor_of(request), reason=form.cleaned_data.get("reason", ""), origin=request.path, now=timezone.now()
        )

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """Note nothing: what is proposed is not there yet, and the log of changes tells what was saved."""

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """Show what the rule would change."""
        return to_review(request.proposed)  # type: ignore[attr-defined]

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Take the rule back."""
        self.delete_queryset(request, [obj])

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        """Take the chosen rules back, in one change for each store."""
        by_store: dict[int, list[Rule]] = {}
        for rule in queryset:
            by_store.setdefault(rule.store_id, []).append(rule)
        for chosen in by_store.values():
            try:
                rules.change(chosen[0].store, remove=chosen, actor=actor_of(request), now=timezone.now())
            except RuleRefused as refused:
                messages.error(request, str(refused))

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """List just the rules: nothing else goes with them."""
        return [str(rule) for rule in objs], {str(self.opts.verbose_name_plural): len(objs)}, set(), []


@admin.register(CogsRule)
class CogsRuleAdmin(SheetAdmin, RuleAdmin):
    """COGS percentages from a day on, for the store or a product."""

    resource_classes = [CogsRuleResource]
    note = (
        "COGS % is the share of the list price, tax removed, that a product costs where no cost of its variant is known. "
        "A product's goes before the store's."
    )
    empty = "No COGS percentage yet: the default applies."
    what = ("product", "percentage")
    help_texts = {**RuleAdmin.help_texts, "product": "Empty: every product of the store without one of its own."}
    search_fields = ["product__title", "product__external_id"]
    autocomplete_fields = ["product"]


@admin.register(VariantCost)
class VariantCostAdmin(GridAdmin, RuleAdmin):
    """What a unit costs, landed, from a day until the next such cost."""

    resource_classes = [VariantCostResource]
    note = "What one unit costs, from a day until the next cost of the same variant. The first one also serves the time before it, marked estimated."
    empty = "No variant has a cost of its own yet: COGS percentages apply."
    what = ("variant", "goods", "freight", "duty", "packaging", "currency")
    help_texts = {
        "effective_from": "The first day it holds, in the store's time zone. Empty: it always has.",
        "goods": "Per unit, without tax that you get back.",
        "currency": "Such as EUR or USD. Another than the store's is converted at the rate of each order's day.",
    }
    search_fields = ["variant__sku", "variant__title"]
    autocomplete_fields = ["variant"]

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        """Leave the last day out: a cost holds until the next."""
        return [name for name in super().get_fields(request, obj) if name != "effective_to"]


@admin.register(FeeRule)
class FeeRuleAdmin(SheetAdmin, RuleAdmin):
    """What gateways keep of a charge where the processor states nothing."""

    resource_classes = [FeeRuleResource]
    note = (
        "Fees of successful charges where the processor states none. A rule for a gateway and a currency goes before one for the gateway, "
        "that before one for the currency. Cash, manual payments and gift cards cost nothing."
    )
    empty = "No fee rule yet: the default fee applies."
    what = ("gateway", "currency", "percentage", "fixed", "surcharge")


@admin.register(ShippingRule)
class ShippingRuleAdmin(SheetAdmin, RuleAdmin):
    """What shipping costs where no label says so."""

    resource_classes = [ShippingRuleResource]
    note = (
        "Tried from the smallest position up; the first that fits an order counts. A label's own cost goes before every rule; "
        "without any, what the customer paid counts."
    )
    empty = "No shipping rule yet: what the customer paid for shipping is taken for what it cost."
    what = ("position", "name", "countries", "channel", "least_units", "most_units", "least_value", "most_value", "amount", "each_further_unit")
    ordering = ["store", "position", "effective_from"]


@admin.register(CostChange)
class CostChangeAdmin(WithBatches, StoreModelAdmin):
    """Lists who changed which cost rules, when and why, and undoes a change."""

    note = "Every change of dated cost rules. Undoing one is another change: it takes back what was added and puts back what was removed."
    empty = "No cost rule has been changed yet."
    list_display = ["summary", "store", "at", "actor", "reason", "standing"]
    list_filter = [StoreFilter]
    list_select_related = ["store", "undone_by"]
    search_fields = ["summary", "reason", "actor"]
    ordering = ["-at", "-pk"]
    fields = ["summary", "store", "at", "actor", "reason", "standing", "wrote"]
    actions = ["undo"]

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Answer no: what was done stays told."""
        return False

    @admin.display(description="stands")
    def standing(self, change: CostChange) -> str:
        """Tell whether the change was undone."""
        return "undone" if getattr(change, "undone_by", None) else "stands"

    def has_undo_permission(self, request: HttpRequest) -> bool:
        """Answer whether the person edits costs of any store."""
        return self._may(request)

    @admin.action(description="Undo these changes, the latest first", permissions=["undo"])
    def undo(self, request: HttpRequest, chosen: QuerySet[CostChange]) -> None:
        """Undo the chosen changes; say which rest under later ones."""
        for change in chosen.order_by("-pk"):
            try:
                rules.undo(change, actor=actor_of(request), now=timezone.now())
            except RuleRefused as refused:
                messages.error(request, f"“{change}”: {refused}")
            else:
                messages.success(request, f"Undone: {change}. Orders of {change.store} are being restated in the background.")


@admin.register(Variant)
class VariantAdmin(StoreModelAdmin):
    """Lists variants, so that a cost can be given to one by its SKU."""

    note = "What can be put in a cart, as the platforms name it. Costs of variants are set under “Variant costs”."
    empty = "Variants appear here with the first orders that sold them."
    list_display = ["sku", "title", "product", "store"]
    list_filter = [StoreFilter]
    list_select_related = ["product", "store"]
    search_fields = ["sku", "title", "external_id", "product__title"]
    fields = ["store", "product", "sku", "title", "platform", "external_id"]
    ordering = ["store", "sku", "pk"]

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Answer no: platforms tell what variants there are."""
        return False
