"""Enter costs that no platform tells: rent, salaries, influencers, apps, commissions."""

from typing import Any, ClassVar

from django.contrib import admin

from ledger.admin.base import StoreFilter
from ledger.admin.rules import RuleAdmin, RuleForm
from ledger.admin.typed import CurrencyField, LabelField
from ledger.models import ManualCost


class ManualCostForm(RuleForm):
    """Takes labels in words."""

    class Meta(RuleForm.Meta):
        field_classes: ClassVar[dict[str, Any]] = {"label": LabelField, "currency": CurrencyField}


@admin.register(ManualCost)
class ManualCostAdmin(RuleAdmin):
    """Lists the costs entered by hand."""

    note = "Costs that no platform tells. Days are in the store's time zone; an amount is spread evenly over its days."
    empty = "No cost has been entered by hand yet: rent, salaries, an influencer's fee."
    form = ManualCostForm
    list_filter = [StoreFilter, "category", "basis"]
    search_fields = ["label", "note", "invoice_number"]
    what = (
        "category", "label", "basis", "amount", "percentage", "currency", "includes_vat", "vat_percentage", "channel", "product", "partner",
        "invoice_number", "note",
    )  # fmt: skip
    autocomplete_fields = ["product"]
