"""Set the dated cost rules: each says from when to when it holds, and every change can be told and undone."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html_join

from ledger.admin.base import StoreFilter, StoreModelAdmin
from ledger.admin.filters import HoldsFilter, about_filter
from ledger.admin.grid import GridAdmin
from ledger.admin.prefilling import CHANGES, REPLACES, day_choices, initial, named
from ledger.admin.proposals import actor_of, to_review
from ledger.admin.resources import CogsRuleResource, FeeRuleResource, ShippingRuleResource, VariantCostResource
from ledger.admin.sheets import SheetAdmin
from ledger.admin.taking_back import take_back_chosen, take_back_view
from ledger.admin.typed import CurrencyField, priced, shown
from ledger.models import CogsRule, CostChange, FeeRule, ShippingRule, VariantCost
from ledger.models.rules import Rule
from ledger.rules import proposals, rules
from ledger.rules.history import versions_of
from ledger.rules.rules import RuleRefused
from ledger.stores import today_of

SPAN = ("effective_from", "effective_to")
PAST_STAYS = (
    "The first day it holds, in the store's time zone. What happened before keeps the cost it has. Empty: it always has, and past orders change; "
    "the next page shows by how much."
)


class RuleForm(forms.ModelForm):
    """Asks for a rule, and for the reason that is kept with the change."""

    class Meta:
        field_classes: ClassVar[dict[str, Any]] = {"currency": CurrencyField}

    replaced: ClassVar[Rule | None] = None
    """The standing rule that this one takes the place of as a whole."""

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
        if self.errors:
            return
        if self.replaced is not None and self.replaced.store_id != self.instance.store_id:
            self.add_error("store", f"What this corrects is a rule of {self.replaced.store}.")
            return
        remove = [self.replaced] if self.replaced is not None else []
        refused = proposals.refusal(self.instance.store, add=[self.instance], remove=remove, now=timezone.now())
        if refused:
            self.add_error(None, refused)


class RuleAdmin(StoreModelAdmin):
    """Lists the rules that stand. A rule is added and taken back, never edited: what held before stays told."""

    form = RuleForm
    change_form_template = "admin/ledger/rule_form.html"
    list_filter: list[Any] = [StoreFilter, HoldsFilter]
    list_select_related = ["store", "added_by"]
    ordering = ["store", "effective_from"]
    actions = ["take_back"]
    what: ClassVar[tuple[str, ...]]
    """The fields that say what the rule is about and how much."""
    begins = "today"
    """The first day that a new rule's form starts with: today, the first of the month, or none, where always does no harm."""
    own_currency = False
    """Whether the form starts with the store's currency."""
    help_texts = {
        "effective_from": PAST_STAYS,
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
        form.replaced = named(self, request, REPLACES) if obj is None else None
        if "reason" in form.base_fields:
            form.base_fields["reason"].widget = self.formfield_for_dbfield(CostChange._meta.get_field("reason"), request).widget
        return form

    def get_list_display(self, request: HttpRequest) -> list[str]:
        """Return the columns of the list."""
        return ["__str__", "store", *SPAN, "by", "steps"]

    @admin.display(description="set by")
    def by(self, rule: Rule) -> str:
        """Return who set the rule, and why."""
        change = rule.added_by
        return f"{change.actor}, {change.at:%-d %b %Y}{f': {change.reason}' if change.reason else ''}"

    @admin.display(description="more")
    def steps(self, rule: Rule) -> str:
        """Return the ways on from a rule: what was before it, and another one for the same."""
        links = ((f"{rule.pk}/change/#history", "History"), (f"add/?{CHANGES}={rule.pk}", "Set a new one"))
        return format_html_join(" · ", '<a href="{}{}">{}</a>', [(self._way_to("changelist"), address, told) for address, told in links])

    def _way_to(self, name: str, *args: Any) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{name}", args=args)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Answer whether the person edits costs of any store."""
        return self._may(request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Answer no: a new rule ends the old one where it begins."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Answer whether the row is in the person's stores; deleting takes the rule back and keeps it told."""
        return self._may(request, obj)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Leave deletion out: a rule is taken back, and that is looked at first."""
        return {name: action for name, action in super().get_actions(request).items() if name != "delete_selected"}

    @admin.action(description="Take the chosen rules back", permissions=["delete"])
    def take_back(self, request: HttpRequest, chosen: QuerySet[Any]) -> HttpResponse | None:
        """Propose to take the chosen rules back, and show what that changes."""
        return take_back_chosen(request, chosen)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Ask how the rule is taken back, and show what that changes."""
        return take_back_view(self, request, self.get_object(request, unquote(object_id)), object_id)

    def changeform_view(self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Show or propose a rule; where somebody else's change came between, say so and show what stands."""
        gone = object_id is None and REPLACES in request.GET and named(self, request, REPLACES) is None
        try:
            if gone:
                raise RuleRefused("The rule that was to be corrected is not there any more. Look again at what holds now.")
            answer: HttpResponse = super().changeform_view(request, object_id, form_url, extra_context)
        except RuleRefused as refused:
            messages.error(request, str(refused))
            return redirect(self._way_to("changelist"))
        return answer

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> HttpResponse:
        """Add what a new rule can start from, or what can be done with a standing one and what was before it."""
        rule, replaced, asked = kwargs.get("obj"), context["adminform"].form.replaced, context["adminform"].form.fields
        if replaced is not None:
            change_instead = f"{self._way_to('add')}?{CHANGES}={replaced.pk}"
            context |= {"replaced": replaced, "replaced_days": rules.span_of(replaced), "change_instead": change_instead}
        elif rule is None and "effective_from" in asked:
            context["day_choices"] = day_choices(self, request)
        elif rule is not None:
            dated = "effective_from" in self.get_fields(request, rule)
            steps = [("Change it from a day on", f"{self._way_to('add')}?{CHANGES}={rule.pk}")] if dated else []
            wrong = ("It was wrong: correct it", f"{self._way_to('add')}?{REPLACES}={rule.pk}")
            context["steps"] = [*steps, wrong, ("Take it back", self._way_to("delete", rule.pk))]
            context["versions"] = versions_of(rule, today=today_of(rule.store, timezone.now()))
        answer: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return answer

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Fill the form from a proposal that somebody goes back to, from a rule that is to change, or from the address."""
        return initial(self, request, super().get_changeform_initial_data(request))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Propose the rule, to be looked at before it is saved."""
        remove = [form.replaced] if form.replaced is not None else []
        request.proposed = proposals.propose(  # type: ignore[attr-defined]
            obj.store, add=[obj], remove=remove, actor=actor_of(request), reason=form.cleaned_data.get("reason", ""),
            origin=request.path + (f"?{REPLACES}={form.replaced.pk}" if remove else ""), now=timezone.now(),
        )  # fmt: skip

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """Note nothing: what is proposed is not there yet, and the log of changes tells what was saved."""

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """Show what the rule would change."""
        return to_review(request.proposed)  # type: ignore[attr-defined]


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
    list_filter = [StoreFilter, about_filter("product", "one product", "the whole store"), HoldsFilter]
    list_select_related = ["store", "added_by", "product"]

    def get_list_display(self, request: HttpRequest) -> list[str]:
        """Return the columns of the list."""
        return ["about", "share", "store", *SPAN, "by", "steps"]

    @admin.display(description="of", ordering="product__title")
    def about(self, rule: CogsRule) -> str:
        """Return what the percentage is of."""
        return str(rule.product or "every product")

    @admin.display(description="COGS %", ordering="percentage")
    def share(self, rule: CogsRule) -> str:
        """Return the percentage as people write it."""
        return shown(rule.percentage)


@admin.register(VariantCost)
class VariantCostAdmin(GridAdmin, RuleAdmin):
    """What a unit costs, landed, from a day until the next such cost."""

    resource_classes = [VariantCostResource]
    note = "What one unit costs, from a day until the next cost of the same variant. The first one also serves the time before it, marked estimated."
    empty = "No variant has a cost of its own yet: COGS percentages apply."
    what = ("variant", "goods", "freight", "duty", "packaging", "currency")
    own_currency = True
    date_hierarchy = "effective_from"
    help_texts = {
        "effective_from": (
            "The first day it holds, in the store's time zone; it ends where the next cost begins. Where no cost is known from before, this one "
            "serves the time before as well, marked estimated. Empty: it always has."
        ),
        "goods": "Per unit, without tax that you get back.",
        "currency": "Such as EUR or USD. Another than the store's is converted at the rate of each order's day.",
    }
    search_fields = ["variant__sku", "variant__title"]
    autocomplete_fields = ["variant"]
    list_filter = [StoreFilter, HoldsFilter, "origin"]
    list_select_related = ["store", "added_by", "variant"]

    def get_list_display(self, request: HttpRequest) -> list[str]:
        """Return the columns of the list."""
        return ["sku", "variant", "landed", "store", "effective_from", "origin", "by", "steps"]

    @admin.display(description="SKU", ordering="variant__sku")
    def sku(self, rule: VariantCost) -> str:
        """Return the variant's SKU."""
        return rule.variant.sku or "—"

    @admin.display(description="landed")
    def landed(self, rule: VariantCost) -> str:
        """Return what a unit costs with all its parts."""
        return priced(rule.landed, rule.currency)

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
    list_filter = [StoreFilter, about_filter("gateway", "one gateway", "every gateway"), HoldsFilter]
    search_fields = ["gateway", "currency"]


@admin.register(ShippingRule)
class ShippingRuleAdmin(SheetAdmin, RuleAdmin):
    """What shipping costs where no label says so."""

    resource_classes = [ShippingRuleResource]
    note = (
        "Tried from the smallest position up; the first that fits an order counts. A label's own cost goes before every rule; "
        "without any, what the customer paid counts."
    )
    empty = "No shipping rule yet: what the customer paid for shipping is taken for what it cost."
    what = (
        "position", "name", "countries", "channel", "method", "least_grams", "most_grams", "least_units", "most_units", "least_value", "most_value",
        "amount", "each_further_unit",
    )  # fmt: skip
    search_fields = ["name", "countries", "channel", "method"]
    ordering = ["store", "position", "effective_from"]

    def get_list_display(self, request: HttpRequest) -> list[str]:
        """Return the columns of the list."""
        return ["name", "position", "how_much", "countries", "channel", "store", *SPAN, "by", "steps"]

    @admin.display(description="per order", ordering="amount")
    def how_much(self, rule: ShippingRule) -> str:
        """Return what an order costs, and each further unit."""
        return shown(rule.amount) + (f" + {shown(rule.each_further_unit)} for each further unit" if rule.each_further_unit else "")
