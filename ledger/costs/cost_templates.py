"""List the costs that no interface tells and that most stores have, as forms that are filled in to begin with."""

from dataclasses import dataclass, field
from urllib.parse import urlencode

from ledger.accounts import STATEMENT, under
from ledger.models import ManualCost

Basis, Category = ManualCost.Basis, ManualCost.Category


def line_of_category(category: str) -> str:
    """Return the name of the statement line that a category's costs land on."""
    return next(line.label for line in STATEMENT if any(under(category, prefix) for prefix in line.prefixes))


@dataclass(frozen=True, slots=True)
class CostTemplate:
    """One usual cost: what it is called, the page that takes it, and what is filled in there."""

    name: str
    category: str
    hint: str
    label: str = ""
    basis: str = ""
    page: str = "manualcost"
    more: dict[str, str] = field(default_factory=dict)

    @property
    def line(self) -> str:
        """Return the name of the statement line it lands on."""
        return line_of_category(self.category)

    @property
    def query(self) -> str:
        """Return what fills the form in, as an address's query."""
        known = {"category": self.category, "label": self.label, "basis": self.basis} if self.page == "manualcost" else {}
        return urlencode(known | self.more)


OPERATING, MARKETING, FULFILMENT, FEES = Category.OPERATING, Category.MARKETING, Category.FULFILMENT, Category.FEES

TEMPLATES: tuple[CostTemplate, ...] = (
    CostTemplate("Shop platform's plan", OPERATING, "Shopify Basic, Grow or Advanced: the plan alone.", "shopify-plan", Basis.MONTH),
    CostTemplate("App subscription", OPERATING, "One cost for each app: reviews, labels, bundles.", "app", Basis.MONTH),
    CostTemplate(
        "Surcharge for another payment provider", FEES, "What the shop platform adds; give the provider's own fee beside it.",
        page="feerule", more={"surcharge": "2"},
    ),
    CostTemplate("E-mail and SMS tool", MARKETING, "The tool's plan; messages charged apart are told by it.", "email-tool", Basis.MONTH),
    CostTemplate("Influencer's fee", MARKETING, "For a post, on the day it goes live or over the days agreed.", "influencer", Basis.ONCE),
    CostTemplate("Affiliate's commission", MARKETING, "Choose the partner; the discount codes say which orders.", "affiliate", Basis.REVENUE),
    CostTemplate("Influencer's commission", MARKETING, "Choose the partner; the discount codes say which orders.", "influencer", Basis.REVENUE),
    CostTemplate("Agency, % of ad spend", MARKETING, "Of each day's advertising on Meta, Google and others.", "agency", Basis.AD_SPEND),
    CostTemplate("Agency, a fixed fee", MARKETING, "A retainer.", "agency", Basis.MONTH),
    CostTemplate("Ads on a platform that is not connected", MARKETING, "What it billed for those days.", "other-ads", Basis.ONCE),
    CostTemplate("Photos and content", MARKETING, "A shoot, a video, a text.", "content", Basis.ONCE),
    CostTemplate("Pick and pack, per order", FULFILMENT, "What the warehouse takes for each order.", "pick-and-pack", Basis.ORDER),
    CostTemplate("Picking, per unit", FULFILMENT, "What the warehouse takes for each unit.", "picking", Basis.UNIT),
    CostTemplate("Packaging, per order", FULFILMENT, "Box and filling that are no part of a product's cost.", "packaging", Basis.ORDER),
    CostTemplate("Packaging, per unit", FULFILMENT, "A bag or a sleeve around each unit.", "packaging", Basis.UNIT),
    CostTemplate("Storage", FULFILMENT, "The warehouse's monthly fee.", "storage", Basis.MONTH),
    CostTemplate("Royalty, % of net revenue", FEES, "For a licence or a brand, of one product or all.", "royalty", Basis.REVENUE),
    CostTemplate("Salary", OPERATING, "With the employer's contributions.", "salaries", Basis.MONTH),
    CostTemplate("Freelancer", OPERATING, "One invoice, over the days it is for.", "freelancers", Basis.ONCE),
    CostTemplate("Rent", OPERATING, "Studio, office, shop.", "rent", Basis.MONTH),
    CostTemplate("Accounting and tax advice", OPERATING, "The monthly fee, or a year's.", "accounting", Basis.MONTH),
    CostTemplate("Insurance", OPERATING, "A year's premium.", "insurance", Basis.YEAR),
    CostTemplate("Domain and hosting", OPERATING, "A year's fee.", "hosting", Basis.YEAR),
    CostTemplate("Bank account", OPERATING, "Its fees; repayments of a loan are no cost.", "bank", Basis.QUARTER),
)  # fmt: skip
"""In the order in which they are shown."""
