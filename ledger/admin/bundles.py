"""Say what bundles are made of, and what one unit on one order line cost."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html, format_html_join

from ledger.admin.cells import CellRefused
from ledger.admin.grid_rows import told_today
from ledger.admin.order_names import OrderNames
from ledger.admin.resources import BundlePartResource, CostOverrideResource
from ledger.admin.rules import RuleAdmin, RuleForm
from ledger.admin.sheets import SheetAdmin
from ledger.models import BundlePart, CostOverride, Order
from ledger.rules import rules
from ledger.stores import today_of


@admin.register(BundlePart)
class BundlePartAdmin(SheetAdmin, RuleAdmin):
    """The parts of bundles and kits."""

    resource_classes = [BundlePartResource]
    note = (
        "A bundle costs what its parts cost together on the day it is sold, unless a cost of its own was entered by hand. "
        "The parts that stand on one day make the bundle."
    )
    empty = "No bundle yet: every variant costs what is set for itself."
    what = ("bundle", "component", "quantity")
    begins = ""
    help_texts = {
        **RuleAdmin.help_texts,
        "bundle": "What is sold as one.",
        "component": "What is in it.",
    }
    search_fields = ["bundle__sku", "bundle__title", "component__sku", "component__title"]
    autocomplete_fields = ["bundle", "component"]
    ordering = ["store", "bundle", "effective_from"]
    list_select_related = ["store", "added_by", "bundle", "component"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Show with a part what its bundle is made of and costs."""
        return [*super().get_fields(request, obj), *(["together"] if obj is not None else [])]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Tell the whole bundle of a standing part."""
        return ("together",) if obj is not None else ()

    @admin.display(description="the bundle today")
    def together(self, part: BundlePart) -> str:
        """List the parts that hold today, what each costs, and what they cost together."""
        today = today_of(part.store, timezone.now())
        begun, lasts = Q(effective_from=None) | Q(effective_from__lte=today), Q(effective_to=None) | Q(effective_to__gte=today)
        parts = list(rules.live(BundlePart, part.store).filter(begun, lasts, bundle=part.bundle).select_related("component").order_by("pk"))
        variants = {part.bundle_id: part.bundle.product_id, **{each.component_id: each.component.product_id for each in parts}}
        costs = told_today(part.store, variants, today=today)
        listed = format_html_join("", "<li>{} × {}, each {}: {}</li>", [(each.quantity, each.component, *costs[each.component_id]) for each in parts])
        return format_html("<ul>{}</ul><p>One {} costs {}: {}</p>", listed, part.bundle, *costs[part.bundle_id])


class OverrideForm(RuleForm):
    """Asks for an order's number and one of its lines instead of their keys."""

    order = forms.CharField(max_length=80, help_text="The order's number, with or without its #.")
    about = forms.CharField(
        max_length=120, required=False, label="Order line", help_text="Its SKU or title. May stay empty where the order has one line."
    )

    def clean(self) -> dict[str, Any]:
        """Find the line that is meant, or say which there are."""
        values = super().clean()
        store, number = values.get("store"), str(values.get("order") or "").strip().removeprefix("#")
        if store is None or not number:
            return values
        names, field = OrderNames(store), "order"
        try:
            order = names.order(number)
            field = "about"
            line = names.line(order, str(values.get("about") or ""))
        except CellRefused as refused:
            self.add_error(field, str(refused))
            return values
        self.instance.order_id, self.instance.line = order.pk, line.external_id
        self.instance.told = names.told(order.pk, line.external_id)
        return values


@admin.register(CostOverride)
class CostOverrideAdmin(SheetAdmin, RuleAdmin):
    """What one unit on one order line cost, whatever the rules say."""

    resource_classes = [CostOverrideResource]
    note = "The cost of one unit on one order line, for that line alone. It goes before every other cost."
    empty = "No order line has a cost of its own: rules decide, and every line tells which."
    form = OverrideForm
    search_fields = ["told"]
    ordering = ["store", "-pk"]
    what = ("told", "unit_cost", "currency")
    help_texts = {"unit_cost": "Per unit, landed, without tax that you get back."}

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Ask for the line in the person's words; it has no days of its own."""
        if obj is not None:
            return ["store", *self.what, "added_by"]
        return ["store", "order", "about", "unit_cost", "currency", "reason"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Tell the line of a standing rule."""
        return ("told",) if obj is not None else ()

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Return the form; what is no field of the rule is dressed as the order line's own fields would be."""
        form = super().get_form(request, obj, change=change, **kwargs)
        column: Any = Order._meta.get_field("number")
        for name in ("order", "about"):
            if name in form.base_fields:
                form.base_fields[name].widget = self.formfield_for_dbfield(column, request).widget
        return form

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Fill the form in again by the order's number and the line's id."""
        filled = super().get_changeform_initial_data(request)
        return {**filled, "order": filled["told"].partition(":")[0], "about": filled["line"]} if "told" in filled else filled

    def get_list_display(self, request: HttpRequest) -> list[str]:
        """Return the columns of the list."""
        return ["__str__", "store", "by", "steps"]
