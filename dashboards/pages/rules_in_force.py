"""Read which rules about costs hold today, by kind, each with the page where they are kept."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Exists, OuterRef, Q

from ledger.kinds import CostOrigin
from ledger.models import BundlePart, CogsRule, FeeRule, PartnerCode, ShippingRule, Store, Variant, VariantCost
from ledger.models.rules import Rule

MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class InForce:
    """One kind of rule: how many hold today, the first of them in words, and the pages that list and add them (below /admin/ledger/)."""

    label: str
    count: int
    named: list[str]
    none: str
    """What stands in where there is no such rule."""
    page: str
    add: str

    @property
    def more(self) -> int:
        """Return how many hold beside those that are named."""
        return self.count - len(self.named)


@dataclass(frozen=True, slots=True)
class ProductCosts:
    """How many variants there are, and how many have a cost of their own: entered by hand, or stated by their platform alone."""

    variants: int
    by_hand: int
    by_platform: int

    @property
    def without(self) -> int:
        """Return how many have none."""
        return self.variants - self.by_hand - self.by_platform


def product_costs(store: Store) -> ProductCosts:
    """Count a store's variants by whether a cost of their own stands."""
    standing = VariantCost.objects.filter(variant=OuterRef("pk"), removed_by=None)
    by_hand = Exists(standing.filter(origin=CostOrigin.MANUAL))
    counts = Variant.objects.filter(store=store).aggregate(
        all=Count("pk"), by_hand=Count("pk", filter=by_hand), by_platform=Count("pk", filter=Exists(standing) & ~by_hand)
    )
    return ProductCosts(counts["all"], counts["by_hand"], counts["by_platform"])


def rules_in_force(store: Store, today: date) -> list[InForce]:
    """Return the rules that hold today, kind by kind."""
    return [
        _kind(CogsRule, store, today, "COGS percentages", "the installation's default stands in", "cogsrule", "product__title", related=["product"]),
        _kind(
            BundlePart, store, today, "Bundles", "no product is made of others", "bundlepart", "pk",
            related=["bundle__product", "component__product"],
        ),
        _kind(ShippingRule, store, today, "Shipping rules", "what the customer paid for shipping stands in", "shippingrule", "position"),
        _kind(FeeRule, store, today, "Fee rules", "the installation's default fee stands in", "feerule", "gateway", "currency"),
        _kind(PartnerCode, store, today, "Partners' codes", "no discount code belongs to a partner", "partnercode", "code", related=["partner"]),
    ]  # fmt: skip


def _kind(
    model: type[Rule], store: Store, today: date, label: str, none: str, page: str, *order: str, related: list[str] | None = None
) -> InForce:  # fmt: skip
    holding = model._default_manager.filter(
        Q(effective_from=None) | Q(effective_from__lte=today), Q(effective_to=None) | Q(effective_to__gte=today), store=store, removed_by=None
    )
    found = holding.select_related(*related) if related else holding
    rules = list(found.order_by(*order, "pk")[: MOST_NAMED + 1])
    count = len(rules) if len(rules) <= MOST_NAMED else holding.count()
    return InForce(label, count, [str(rule) for rule in rules[:MOST_NAMED]], none, f"{page}/", f"{page}/add/?store={store.pk}")
