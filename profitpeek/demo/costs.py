"""List the cost rules of the demo store, each as a change its owner would have made."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from ledger.models import BundlePart, FeeRule, ManualCost, Partner, PartnerCode, ProfitGoal, ShippingRule, Store, Variant
from ledger.models.rules import Rule
from profitpeek.demo.business import INFLUENCER, NEWSLETTER, Calendar
from profitpeek.demo.catalogue import BUNDLES, PLACES
from profitpeek.demo.files import NEWSLETTER_NAME, amount

INFLUENCER_NAME = "Glazed Days"
INFLUENCER_FEE = Decimal(2_400)
FORGOTTEN = "klarna"
"""The payment provider whose fees nobody has entered."""

Category, Basis = ManualCost.Category, ManualCost.Basis


class Step(NamedTuple):
    """One change of cost rules: why it was made, and the rules it adds."""

    reason: str
    rules: Callable[[Store, Calendar], Sequence[Rule]]


def fees(store: Store, days: Calendar) -> Sequence[Rule]:
    """Return what the payment providers keep; one is forgotten."""
    return [
        FeeRule(gateway="shopify_payments", percentage=Decimal("1.7"), fixed=Decimal("0.25")),
        FeeRule(gateway="paypal", percentage=Decimal("2.9"), fixed=Decimal("0.35"), surcharge=Decimal("0.6")),
    ]


def shipping(store: Store, days: Calendar) -> Sequence[Rule]:
    """Return what a parcel costs about, until the carrier bills it; nothing at the stall."""
    zones = {True: "Far away", False: "Near"}
    rules: list[Rule] = [ShippingRule(position=10, name="Sold at the stall", channel="market stall", amount=Decimal(0))]
    for position, place in enumerate(PLACES, start=2):
        rules.append(
            ShippingRule(
                position=10 * position, name=f"{zones[place.is_far]}: {place.country}", countries=place.country,
                amount=Decimal(amount(place.parcel + place.per_kilo)),
            )
        )  # fmt: skip
    return rules


def bundles(store: Store, days: Calendar) -> Sequence[Rule]:
    """Return what is in the gift boxes."""
    variants = {variant.sku: variant for variant in Variant.objects.filter(store=store).select_related("product")}
    return [
        BundlePart(bundle=variants[bundle], component=variants[sku], quantity=quantity)
        for bundle, parts in BUNDLES.items() for sku, quantity in parts
    ]  # fmt: skip


def running(store: Store, days: Calendar) -> Sequence[Rule]:
    """Return what the shop pays again and again."""
    hired = days.first + timedelta(days=200)
    return [
        _cost(Category.OPERATING, "salaries", Basis.MONTH, "2800", days.first, note="The founder"),
        _cost(Category.OPERATING, "salaries", Basis.MONTH, "1650", hired, note="Packing, half time"),
        _cost(Category.OPERATING, "rent", Basis.MONTH, "780", days.first, note="Studio by the harbour"),
        _cost(Category.OPERATING, "shopify-plan", Basis.MONTH, "36", days.first),
        _cost(Category.OPERATING, "app", Basis.MONTH, "29", days.first, note="Reviews"),
        _cost(Category.OPERATING, "app", Basis.MONTH, "19", days.first, note="Labels"),
        _cost(Category.OPERATING, "accounting", Basis.MONTH, "145", days.first),
        _cost(Category.OPERATING, "insurance", Basis.YEAR, "640", days.first),
        _cost(Category.OPERATING, "bank", Basis.QUARTER, "27", days.first),
        _cost(Category.OPERATING, "market-pitch", Basis.WEEK, "38", days.first, note="Saturday market"),
        _cost(Category.MARKETING, "email-tool", Basis.MONTH, "45", days.first),
        ManualCost(
            category=Category.FULFILMENT, label="packaging", basis=Basis.ORDER, amount=Decimal("0.58"), currency="EUR", channel="online",
            note="Box and filling",
        ),
    ]  # fmt: skip


def once(store: Store, days: Calendar) -> Sequence[Rule]:
    """Return what was paid once: photographs with VAT that is got back, and a kiln's repair."""
    shoot, repair = days.first + timedelta(days=330), days.first + timedelta(days=520)
    photos = _cost(Category.MARKETING, "content", Basis.ONCE, "1107", shoot, note="Photographs of the autumn range", invoice_number="PH-2231")
    photos.includes_vat, photos.vat_percentage = True, Decimal(23)
    return [photos, _cost(Category.OPERATING, "repairs", Basis.ONCE, "890", repair, note="Kiln elements", invoice_number="K-0417")]


def influencer(store: Store, days: Calendar) -> Sequence[Rule]:
    """Return the influencer's fee over the two weeks of the post, the commission on every order with the code, and both partners' codes."""
    partner, newsletter = _partner(store, INFLUENCER_NAME, Partner.Kind.INFLUENCER), _partner(store, NEWSLETTER_NAME, Partner.Kind.AFFILIATE)
    fee = _cost(Category.MARKETING, "influencer", Basis.ONCE, str(INFLUENCER_FEE), days.influencer, note="One post and two stories")
    fee.effective_to, fee.partner = days.influencer + timedelta(days=13), partner
    commission = ManualCost(
        category=Category.MARKETING, label="influencer", basis=Basis.REVENUE, percentage=Decimal(12), currency="EUR", partner=partner,
        effective_from=days.influencer,
    )  # fmt: skip
    return [
        PartnerCode(partner=partner, code=INFLUENCER, effective_from=days.influencer), PartnerCode(partner=newsletter, code=NEWSLETTER),
        fee, commission,
    ]  # fmt: skip


def goals(store: Store, days: Calendar) -> Sequence[Rule]:
    """Return what the shop aims at, raised with the new year."""
    year = date(days.last.year, 1, 1)
    return [
        ProfitGoal(amount=Decimal(1_500), effective_to=year - timedelta(days=1)),
        ProfitGoal(amount=Decimal(2_500), effective_from=year),
    ]  # fmt: skip


BEFORE_ORDERS: tuple[Step, ...] = (
    Step("What the payment providers agreed to", fees),
    Step("About what a parcel costs", shipping),
    Step("What is paid again and again", running),
    Step("What was paid once", once),
    Step("The post of Glazed Days", influencer),
    Step("What this year is to bring", goals),
)
AFTER_ORDERS: tuple[Step, ...] = (Step("What is in the gift boxes", bundles),)
"""What is about products, which the orders bring; it moves the cost of goods alone, so that orders are restated in seconds."""


def _cost(category: str, label: str, basis: str, worth: str, first: date, *, note: str = "", invoice_number: str = "") -> ManualCost:
    return ManualCost(
        category=category, label=label, basis=basis, amount=Decimal(worth), currency="EUR", effective_from=first, note=note,
        invoice_number=invoice_number,
    )  # fmt: skip


def _partner(store: Store, name: str, kind: str) -> Partner:
    partner, _ = Partner.objects.get_or_create(store=store, name=name, defaults={"kind": kind})
    return partner
