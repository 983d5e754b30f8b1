"""Say, for each kind of rule, which columns its sheet has and which of them name the rule a row is about."""

from typing import Any, ClassVar

import tablib

from ledger.admin import columns
from ledger.admin.resource import RuleResource
from ledger.admin.sheet_files import MOST_ROWS
from ledger.kinds import CostOrigin
from ledger.models import BundlePart, CogsRule, CostOverride, FeeRule, ManualCost, PartnerCode, ProfitGoal, ShippingRule, VariantCost
from ledger.models.rules import Rule


class VariantCostResource(RuleResource):
    """What a unit costs, landed; a row is about a variant from a day."""

    key = ("variant_id", "effective_from")
    order = ("origin", "pk")
    most = MOST_ROWS
    needed = ("SKU", "Goods", "Currency", "From")
    store = columns.store_name()
    sku, product, title = columns.variant("variant_id", "SKU", "Product", "Variant")
    goods = columns.amount("goods", "Goods")
    freight = columns.amount("freight", "Freight")
    duty = columns.amount("duty", "Duty")
    packaging = columns.amount("packaging", "Packaging")
    currency = columns.currency()
    effective_from = columns.day("effective_from", "From")

    class Meta(RuleResource.Meta):
        model = VariantCost
        fields = ("store", "sku", "product", "title", "goods", "freight", "duty", "packaging", "currency", "effective_from")

    def replaces(self, old: Rule) -> bool:
        """Answer no: a cost makes room for itself where one was entered by hand, and what a platform states stays beneath it."""
        return False

    def to_add(self, rule: Rule) -> Rule:
        """Return the cost as one entered by hand."""
        rule.origin = CostOrigin.MANUAL  # type: ignore[attr-defined]  # a variant's cost
        return rule


class CogsRuleResource(RuleResource):
    """COGS percentages; a row is about a product, or every one, from a day."""

    key = ("product_id", "effective_from")
    needed = ("Product", "COGS %", "From")
    store = columns.store_name()
    product = columns.product()
    percentage = columns.percentage("percentage", "COGS %")
    effective_from = columns.day("effective_from", "From")
    effective_to = columns.day("effective_to", "Through")

    class Meta(RuleResource.Meta):
        model = CogsRule
        fields = ("store", "product", "percentage", "effective_from", "effective_to")


class BundlePartResource(RuleResource):
    """What bundles are made of; a row is about a bundle and one of its parts from a day."""

    key = ("bundle_id", "component_id", "effective_from")
    needed = ("Bundle SKU", "Part SKU", "From")
    store = columns.store_name()
    bundle_sku, bundle_product, bundle_title = columns.variant("bundle_id", "Bundle SKU", "Bundle product", "Bundle variant")
    part_sku, part_product, part_title = columns.variant("component_id", "Part SKU", "Part product", "Part variant")
    quantity = columns.count("quantity", "Quantity")
    effective_from = columns.day("effective_from", "From")
    effective_to = columns.day("effective_to", "Through")

    class Meta(RuleResource.Meta):
        model = BundlePart
        fields = (
            "store", "bundle_sku", "bundle_product", "bundle_title", "part_sku", "part_product", "part_title", "quantity",
            "effective_from", "effective_to",
        )  # fmt: skip


class CostOverrideResource(RuleResource):
    """What a unit on one line of an order cost; a row is about that line."""

    key = ("order_id", "line")
    order = ("-pk",)
    needed = ("Order", "Line", "Unit cost", "Currency")
    store = columns.store_name()
    order_number = columns.Column("order_id", "Order", columns.OrderCell())
    line = columns.Column("line", "Line", columns.LineCell())
    told = columns.Column("told", "About", columns.Cell(str), readonly=True)
    unit_cost = columns.amount("unit_cost", "Unit cost")
    currency = columns.currency()

    class Meta(RuleResource.Meta):
        model = CostOverride
        fields = ("store", "order_number", "line", "told", "unit_cost", "currency")

    def to_add(self, rule: Rule) -> Rule:
        """Return the override as one that names its line in lists."""
        override: Any = rule
        orders = self.names(rule.store_id).orders
        override.told = orders.told(override.order_id, override.line)
        return rule

    def _put_headings_right(self, sheet: tablib.Dataset) -> None:
        super()._put_headings_right(sheet)
        assert self.store is not None  # noqa: S101  # a sheet is read for a store
        self.names(self.store.pk).orders.know(sheet["Order"])


class FeeRuleResource(RuleResource):
    """What gateways keep; a row is about a gateway and a currency from a day."""

    key = ("gateway", "currency", "effective_from")
    needed = ("Gateway", "Fee %", "From")
    store = columns.store_name()
    gateway = columns.gateway()
    currency = columns.currency(may_lack=True)
    percentage = columns.percentage("percentage", "Fee %")
    fixed = columns.amount("fixed", "Fixed fee")
    surcharge = columns.percentage("surcharge", "Surcharge %")
    effective_from = columns.day("effective_from", "From")
    effective_to = columns.day("effective_to", "Through")

    class Meta(RuleResource.Meta):
        model = FeeRule
        fields = ("store", "gateway", "currency", "percentage", "fixed", "surcharge", "effective_from", "effective_to")


class ShippingRuleResource(RuleResource):
    """What shipping costs; a row is about a position from a day."""

    key = ("position", "effective_from")
    needed = ("Position", "Name", "Amount", "From")
    store = columns.store_name()
    position = columns.count("position", "Position")
    name = columns.words("name", "Name")
    countries = columns.words("countries", "Countries")
    channel = columns.Column("channel", "Channel", columns.ChannelCell())
    method = columns.words("method", "Shipping method")
    least_grams = columns.count("least_grams", "Grams at least")
    most_grams = columns.count("most_grams", "Grams at most", may_lack=True)
    least_units = columns.count("least_units", "Units at least")
    most_units = columns.count("most_units", "Units at most", may_lack=True)
    least_value = columns.amount("least_value", "Value at least")
    most_value = columns.amount("most_value", "Value at most", may_lack=True)
    amount = columns.amount("amount", "Amount")
    each_further_unit = columns.amount("each_further_unit", "Each further unit")
    effective_from = columns.day("effective_from", "From")
    effective_to = columns.day("effective_to", "Through")

    class Meta(RuleResource.Meta):
        model = ShippingRule
        fields = (
            "store", "position", "name", "countries", "channel", "method", "least_grams", "most_grams", "least_units", "most_units",
            "least_value", "most_value", "amount", "each_further_unit", "effective_from", "effective_to",
        )  # fmt: skip


class ManualCostResource(RuleResource):
    """Costs entered by hand; a row is about one of a label, a basis, a scope and an invoice from a day."""

    key = ("category", "label", "basis", "currency", "channel", "product_id", "partner_id", "invoice_number", "effective_from")
    needed = ("Category", "Label", "Basis", "Currency", "From")
    twice: ClassVar[str] = "Keep one of them; if both are meant, tell them apart by their invoice numbers."
    store = columns.store_name()
    category = columns.choice("category", "Category", ManualCost.Category.choices)
    label = columns.label()
    basis = columns.choice("basis", "Basis", ManualCost.Basis.choices)
    amount = columns.amount("amount", "Amount", may_lack=True)
    percentage = columns.percentage("percentage", "Percentage", may_lack=True)
    currency = columns.currency()
    includes_vat = columns.yes_no("includes_vat", "Includes VAT")
    vat_percentage = columns.percentage("vat_percentage", "VAT %")
    channel = columns.Column("channel", "Channel", columns.ChannelCell())
    product = columns.product()
    partner = columns.Column("partner_id", "Partner", columns.PartnerCell())
    invoice_number = columns.words("invoice_number", "Invoice number")
    note = columns.words("note", "Note")
    effective_from = columns.day("effective_from", "From")
    effective_to = columns.day("effective_to", "Through")

    class Meta(RuleResource.Meta):
        model = ManualCost
        fields = (
            "store", "category", "label", "basis", "amount", "percentage", "currency", "includes_vat", "vat_percentage", "channel",
            "product", "partner", "invoice_number", "note", "effective_from", "effective_to",
        )  # fmt: skip


class PartnerCodeResource(RuleResource):
    """Whose discount codes are; a row is about a code from a day."""

    key = ("code", "effective_from")
    needed = ("Code", "Partner", "From")
    store = columns.store_name()
    code = columns.discount_code()
    partner = columns.Column("partner_id", "Partner", columns.PartnerCell())
    effective_from = columns.day("effective_from", "From")
    effective_to = columns.day("effective_to", "Through")

    class Meta(RuleResource.Meta):
        model = PartnerCode
        fields = ("store", "code", "partner", "effective_from", "effective_to")


class ProfitGoalResource(RuleResource):
    """What months aim at; a row is about the months from a day."""

    key = ("effective_from",)
    needed = ("Net profit a month", "From")
    store = columns.store_name()
    amount = columns.amount("amount", "Net profit a month")
    effective_from = columns.day("effective_from", "From")
    effective_to = columns.day("effective_to", "Through")

    class Meta(RuleResource.Meta):
        model = ProfitGoal
        fields = ("store", "amount", "effective_from", "effective_to")
