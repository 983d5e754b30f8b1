"""Enter costs that no platform tells: rent, salaries, influencers."""

from typing import Any, ClassVar

from babel.numbers import format_currency
from django.contrib import admin
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone

from ledger.admin.base import StoreFilter, StoreModelAdmin
from ledger.admin.typed import CurrencyField, LabelField
from ledger.cause import Cause
from ledger.kinds import CauseKind
from ledger.manual_costs import CostRefused, drafts_of, remove_cost, save_cost
from ledger.models import ManualCost


class ManualCostForm(ModelForm):
    """Refuses a cost that could not be booked, beside the field that is wrong."""

    class Meta:
        model = ManualCost
        fields: ClassVar[list[str]] = ["store", "category", "label", "amount", "currency", "from_day", "to_day", "note"]
        field_classes: ClassVar[dict[str, Any]] = {"label": LabelField, "currency": CurrencyField}

    def _post_clean(self) -> None:
        """Check the rates the cost needs, once all its fields are sound."""
        super()._post_clean()  # type: ignore[misc]
        if not self.errors:
            try:
                drafts_of(self.instance)
            except CostRefused as error:
                self.add_error("currency", str(error))


@admin.register(ManualCost)
class ManualCostAdmin(StoreModelAdmin):
    """Lists the costs entered by hand; saving one books it, deleting one reverses it."""

    note = "Costs that no platform tells. Days are in the store's time zone; an amount is spread evenly over its days."
    empty = "No cost has been entered by hand yet: rent, salaries, an influencer's fee."
    help_texts = {
        "label": "Which cost it is, such as rent or influencer; one line of the statement. “Studio rent” becomes studio-rent.",
        "currency": "Such as EUR or USD. Another than the store's is converted day by day.",
        "note": "For people; it is not booked.",
    }
    list_display = ["account_name", "store", "money", "from_day", "to_day", "note"]
    list_filter = [StoreFilter, "category"]
    search_fields = ["label", "note"]
    form = ManualCostForm
    ordering = ["-from_day", "pk"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the costs of the person's stores that have not been removed."""
        return super().get_queryset(request).filter(removed_at=None).select_related("store")

    @admin.display(description="account", ordering="label")
    def account_name(self, cost: ManualCost) -> str:
        """Return the account it is booked on."""
        return cost.account_name

    @admin.display(description="amount", ordering="amount")
    def money(self, cost: ManualCost) -> str:
        """Return the amount as it is written in its currency."""
        return format_currency(cost.amount, cost.currency, locale="en")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Keep a booked cost in its store."""
        return ["store"] if obj else []

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Answer whether the person edits costs of any store."""
        return self._may(request)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Answer whether the row is in the person's stores; deleting reverses."""
        return self._may(request, obj)

    def save_model(self, request: HttpRequest, obj: ManualCost, form: Any, change: bool) -> None:
        """Save the cost and book it."""
        save_cost(obj, cause=_cause(request, obj))

    def delete_model(self, request: HttpRequest, obj: ManualCost) -> None:
        """Reverse the cost."""
        remove_cost(obj, cause=_cause(request, obj), now=timezone.now())

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Reverse each of the chosen costs."""
        for cost in queryset:
            self.delete_model(request, cost)


def _cause(request: HttpRequest, cost: ManualCost) -> Cause:
    user: Any = request.user
    return Cause(CauseKind.MANUAL, f"cost {cost.account_name}", user.email or user.get_username())
