"""List products and variants, with what they cost and have cost."""

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe

from ledger.admin.base import StoreFilter, StoreModelAdmin
from ledger.admin.typed import shown
from ledger.models import BundlePart, CogsRule, Product, Variant, VariantCost
from ledger.models.rules import Rule
from ledger.rules.history import versions_about
from ledger.stores import today_of

PRICES_SHOWN = 50


class CatalogAdmin(StoreModelAdmin):
    """Lists what platforms tell of, with the rules that were set for it; platforms alone change it."""

    change_form_template = "admin/ledger/catalog_form.html"

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Answer no: platforms tell what there is, rules what it costs."""
        return False

    def sections(self, row: Any) -> list[dict[str, Any]]:
        """Return what was set for a row, kind by kind, with the address that sets a new one."""
        raise NotImplementedError

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> HttpResponse:
        """Add the rules about the row."""
        context["sections"] = self.sections(kwargs["obj"])
        answer: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return answer


def section(kind: type[Rule], row: Any, name: str, *, heading: str, button: str = "", **about: Any) -> dict[str, Any]:
    """Return the rules of a kind about a row, and the form of a new one filled in for it."""
    versions = versions_about(kind, row.store, today=today_of(row.store, timezone.now()), **about)
    page = kind._meta.model_name
    add = f"{reverse(f'admin:ledger_{page}_add')}?store={row.store_id}&{name}={row.pk}" if button else ""
    return {"id": page, "heading": heading, "versions": versions, "add": add, "button": button}


@admin.register(Product)
class ProductAdmin(CatalogAdmin):
    """Lists products with the COGS percentage that holds today."""

    note = (
        "COGS % is the share of a product's list price, tax removed, that it costs today where no cost of its variant is known. "
        "Empty: the store's percentage applies. It is set by dated rules."
    )
    empty = "Products appear here with the first orders that sold them."
    list_display = ["__str__", "store", "platform", "external_id", "percentage", "steps"]
    list_filter = [StoreFilter, ("cogs_percentage", admin.EmptyFieldListFilter)]
    list_select_related = ["store"]
    search_fields = ["title", "external_id"]
    fields = ["store", "platform", "external_id", "title", "percentage", "gone_at"]
    readonly_fields = ["percentage"]
    ordering = ["store", "title", "pk"]

    @admin.display(description="COGS % today", ordering="cogs_percentage")
    def percentage(self, product: Product) -> str | None:
        """Return the percentage that a rule of the product gives today."""
        return None if product.cogs_percentage is None else shown(product.cogs_percentage)

    @admin.display(description="more")
    def steps(self, product: Product) -> str:
        """Return the way to a new percentage of the product."""
        address = f"{reverse('admin:ledger_cogsrule_add')}?store={product.store_id}&product={product.pk}"
        return format_html('<a href="{}">Set a new one</a>', address)

    def sections(self, row: Product) -> list[dict[str, Any]]:
        """Return the percentages of the product, and the costs of its variants."""
        return [
            section(CogsRule, row, "product", heading="COGS percentages", button="Set a new COGS percentage", product=row),
            section(VariantCost, row, "", heading="Costs of its variants", variant__product=row),
        ]


@admin.register(Variant)
class VariantAdmin(CatalogAdmin):
    """Lists variants, so that a cost can be given to one by its SKU."""

    note = "What can be put in a cart, as the platforms name it. Costs of variants are set under “Variant costs”."
    empty = "Variants appear here with the first orders that sold them."
    list_display = ["sku", "title", "product", "stock", "store", "steps"]
    list_filter = [StoreFilter]
    list_select_related = ["product", "store"]
    search_fields = ["sku", "title", "external_id", "product__title"]
    fields = ["store", "product", "sku", "title", "platform", "external_id", "grams", "stock", "stock_at", "listed", "gone_at"]
    readonly_fields = ["listed"]
    ordering = ["store", "sku", "pk"]

    @admin.display(description="list prices")
    def listed(self, variant: Variant) -> str:
        """Return what the variant was listed at, the latest first, each from its day."""
        rows = variant.prices.all()[:PRICES_SHOWN]
        return format_html_join(
            mark_safe("<br>"), "{} {} from {}", ((shown(row.price), row.currency, date_format(row.seen_from, "j M Y")) for row in rows)
        )  # fmt: skip

    @admin.display(description="more")
    def steps(self, variant: Variant) -> str:
        """Return the way to a new cost of the variant."""
        address = f"{reverse('admin:ledger_variantcost_add')}?store={variant.store_id}&variant={variant.pk}"
        return format_html('<a href="{}">Set a new cost</a>', address)

    def sections(self, row: Variant) -> list[dict[str, Any]]:
        """Return the costs of the variant, the parts it is made of, and the percentages of its product."""
        return [
            section(VariantCost, row, "variant", heading="Costs", button="Set a new cost", variant=row),
            section(BundlePart, row, "", heading="Made of", bundle=row),
            section(CogsRule, row, "", heading="COGS percentages of its product", product=row.product),
        ]
