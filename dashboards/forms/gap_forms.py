"""Mend a gap in a store's costs beside the gap itself: what one unit costs, or what a payment provider keeps."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from django import forms
from django.utils.text import slugify

from dashboards.forms.people_forms import PageForm
from ledger.costs.fixes import Fix
from ledger.models import FeeRule, Store, Variant, VariantCost
from ledger.models.rules import Rule

KEY = "gap"
UNIT_COST, FEE = "variantcost/add/", "feerule/add/"
"""The pages of the admin whose gaps have fields here."""
MOST = Decimal(1_000_000)


def _amount(label: str, *, most: Decimal = MOST, missing: str, hint: str = "") -> forms.DecimalField:
    return forms.DecimalField(
        label=label, min_value=Decimal(0), max_value=most, max_digits=19, decimal_places=4, help_text=hint,
        widget=forms.NumberInput(attrs={"step": "any", "inputmode": "decimal"}),
        error_messages={
            "required": missing, "invalid": "Write the figure as 1234.50.", "min_value": "A cost is not below zero.",
            "max_value": f"Give at most {most:,}.", "max_decimal_places": "Give at most four decimals.",
        },
    )  # fmt: skip


class GapForm(PageForm):
    """One gap: what is guessed, why, and the page of the admin that mends it where no field here can."""

    def __init__(self, data: Any = None, *, fix: Fix, **kwargs: Any) -> None:
        """Bind to what was typed beside this gap."""
        super().__init__(data, auto_id=f"{slugify(fix.mend)}-%s", **kwargs)
        self.fix = fix
        self.key = fix.mend

    def rules(self) -> list[Rule]:
        """Return the rules that close the gap, in force on all days; none where the form has no fields."""
        return []


class UnitCostForm(GapForm):
    """What one unit of a variant costs landed."""

    def __init__(self, *args: Any, variant: Variant, currency: str, **kwargs: Any) -> None:
        """Ask for the amount in the store's currency."""
        super().__init__(*args, **kwargs)
        self.variant, self.currency = variant, currency
        self.fields["unit_cost"] = _amount(
            f"Cost of one unit, {currency}", missing=f"Give what one unit of {self.fix.what} costs you.",
            hint="With freight, duty and packaging, without VAT you get back.",
        )  # fmt: skip
        self.fields["unit_cost"].widget.attrs["class"] = "form-control"

    def rules(self) -> list[Rule]:
        """Return the cost of the variant, and of its product's other variants that have none, for all days."""
        costed = VariantCost.objects.filter(store=self.variant.store_id, removed_by=None).values("variant")
        alike = (
            Variant.objects.filter(product=self.variant.product_id).exclude(pk__in=costed).order_by("pk")
            if self.variant.product_id
            else [self.variant]
        )
        return [VariantCost(variant=variant, goods=self.cleaned_data["unit_cost"], currency=self.currency) for variant in alike]


class GatewayForm(GapForm):
    """What a payment provider keeps of each charge; one without a name stands for every provider without a rule."""

    percentage = _amount("Per cent of the charge", most=Decimal(100), missing="Give the provider's percentage; 0 if there is none.")
    fixed = _amount("And per charge", missing="Give the fixed part per charge; 0 if there is none.")

    def __init__(self, *args: Any, gateway: str, **kwargs: Any) -> None:
        """Ask for the two parts of a provider's fee."""
        super().__init__(*args, **kwargs)
        self.gateway = gateway

    def rules(self) -> list[Rule]:
        """Return the provider's fee rule, for all days and currencies."""
        given = self.cleaned_data
        return [FeeRule(gateway=self.gateway, percentage=given["percentage"], fixed=given["fixed"])]


def gap_forms(store: Store, gaps: Sequence[Fix], data: Mapping[str, Any] | None = None) -> list[GapForm]:
    """Return the form of each gap, the one that `data` was typed into bound to it: with fields for a product's cost and a provider's fee."""
    asked = [(fix, urlsplit(fix.mend).path, dict(parse_qsl(urlsplit(fix.mend).query))) for fix in gaps]
    numbers = {query["variant"] for _, page, query in asked if page == UNIT_COST}
    variants = {str(variant.pk): variant for variant in Variant.objects.filter(store=store, pk__in=numbers)}
    return [_form(store, fix, page, query, variants, data if data is not None and data.get(KEY) == fix.mend else None) for fix, page, query in asked]


def _form(
    store: Store, fix: Fix, page: str, query: Mapping[str, str], variants: Mapping[str, Variant], data: Mapping[str, Any] | None
) -> GapForm:  # fmt: skip
    if page == UNIT_COST and query["variant"] in variants:
        return UnitCostForm(data, fix=fix, variant=variants[query["variant"]], currency=store.currency)
    if page == FEE:
        return GatewayForm(data, fix=fix, gateway=query.get("gateway", ""))
    return GapForm(data, fix=fix)
