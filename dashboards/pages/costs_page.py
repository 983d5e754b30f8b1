"""Read what the costs page shows: coverage, what to fix next, findings, rules, costs by hand, the month's goal, latest changes.

Reads daily totals, rules, findings, the entries of costs entered by hand, and what was counted of orders by night; no orders.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import F, Sum

from dashboards.forms.addresses import LAST_DAYS
from dashboards.pages.notices import Findings, cost_findings
from dashboards.pages.rules_in_force import InForce, ProductCosts, product_costs, rules_in_force
from ledger.cost_checks.spans import ending
from ledger.costs.coverage import EITHER, LABELS, Coverage, Covered, Part, coverage, last_days
from ledger.costs.fixes import Fix, fixes
from ledger.costs.goals import progress
from ledger.costs.manual_costs import standing_costs
from ledger.kinds import SourceKind
from ledger.models import CostChange, Entry, ManualCost, Seen, Store
from ledger.periods import Period

MOST_FIXES, MOST_FINDINGS, MOST_COSTS, MOST_CHANGES = 10, 20, 50, 10


@dataclass(frozen=True, slots=True)
class Bar:
    """One source's piece of a bar that is 1,000 wide."""

    key: str
    start: int
    width: int


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of cost with its coverage, a bar of it, and what its shares are of."""

    title: str
    base: str
    covered: Covered
    bars: list[Bar]


@dataclass(frozen=True, slots=True)
class Standing:
    """A cost entered by hand that stands, with what was booked for it in this month so far; None where orders carry it."""

    cost: ManualCost
    this_month: Decimal | None

    @property
    def how_much(self) -> str:
        """Return the amount or percentage with how often, or of what, it is."""
        value, cost = self.cost.percentage, self.cost
        told = f"{value.normalize():f}" if value is not None else f"{(cost.amount or Decimal(0)).normalize():,f} {cost.currency}"
        return f"{told} {cost.get_basis_display()}"


@dataclass(frozen=True, slots=True)
class Goal:
    """The net profit this month aims at and has made so far, in the store's currency; `reached` is their ratio."""

    amount: Decimal
    made: Decimal
    reached: Decimal | None

    @property
    def filled(self) -> int:
        """Return how much of a bar of 1,000 is filled."""
        return 0 if self.reached is None else max(0, min(1_000, int(self.reached * 1_000)))


@dataclass(frozen=True, slots=True)
class Change:
    """One change of costs; `is_restating` while orders do not carry it yet."""

    change: CostChange
    is_restating: bool

    @property
    def is_undone(self) -> bool:
        """Tell whether it was undone."""
        return getattr(self.change, "undone_by", None) is not None


@dataclass(slots=True)
class CostsPage:
    """Everything on the costs page."""

    coverage: Coverage
    kinds: list[Kind]
    fixes: list[Fix]
    counted: Seen | None
    findings: Findings
    standing: list[Standing]
    more_standing: int
    ending: list[ManualCost]
    goal: Goal | None
    changes: list[Change]
    month: date
    products: ProductCosts
    rules: list[InForce]

    @property
    def rows(self) -> list[tuple[str, list[Part | None]]]:
        """Return the coverage by source: its label, and its part of each kind; None where a kind has no such source."""
        parts = [{part.key: part for part in kind.covered.parts} for kind in self.kinds]
        rows = [(key, [found.get(key) for found in parts]) for key in LABELS]
        return [(LABELS[key], cells) for key, cells in rows if key != EITHER or any(part and part.amount for part in cells)]


def costs_page(store: Store, period: Period, *, today: date) -> CostsPage:
    """Read the page of a span of days; what to fix is always about the last 90, costs by hand and the goal about this month."""
    found = coverage(store, period)
    recent = found.uncosted if period == last_days(today, LAST_DAYS) else None
    standing = list(standing_costs(store).select_related("partner").order_by(F("effective_from").desc(nulls_last=True), "-pk"))
    current = [cost for cost in standing if cost.effective_to is None or cost.effective_to >= today.replace(day=1)]
    return CostsPage(
        coverage=found,
        kinds=[
            Kind("Goods", "of net product sales", found.goods, bars(found.goods)),
            Kind("Payment fees", "of the fees", found.fees, bars(found.fees)),
            Kind("Shipping", "of the shipping cost", found.shipping, bars(found.shipping)),
        ],
        fixes=fixes(store, today=today, products=recent, most=MOST_FIXES),
        counted=Seen.objects.filter(store=store).order_by("pk").first(),
        findings=cost_findings(store, most=MOST_FINDINGS),
        standing=_this_month(store, current[:MOST_COSTS], today),
        more_standing=max(0, len(current) - MOST_COSTS),
        ending=ending(standing, today),
        goal=_goal(store, today),
        changes=_changes(store),
        month=today.replace(day=1),
        products=product_costs(store),
        rules=rules_in_force(store, today),
    )


def bars(covered: Covered) -> list[Bar]:
    """Lay the shares side by side; nothing where there are none."""
    pieces, start = [], 0
    for part in covered.parts:
        width = 0 if part.share is None else int(part.share * 1_000)
        if width:
            pieces.append(Bar(part.key, start, width))
        start += width
    return pieces


def _this_month(store: Store, costs: Sequence[ManualCost], today: date) -> list[Standing]:
    entries = Entry.objects.filter(
        book_id=store.pk, source_kind=SourceKind.MANUAL_COST, source_id__in=[cost.pk for cost in costs], day__range=(today.replace(day=1), today)
    )
    booked = dict(entries.values_list("source_id").annotate(amount=Sum("amount")))
    return [Standing(cost, None if cost.basis in ManualCost.OF_ORDERS else -booked.get(cost.pk, Decimal(0))) for cost in costs]


def _goal(store: Store, today: date) -> Goal | None:
    far = progress(store, today, today=today)
    return None if far.goal is None or far.reached is None else Goal(far.goal, far.reached, far.share)


def _changes(store: Store) -> list[Change]:
    latest = CostChange.objects.filter(store=store).select_related("undone_by").order_by("-at", "-pk")[:MOST_CHANGES]
    restated = store.book.restated_version
    return [Change(change, change.costs_version is not None and change.costs_version > restated) for change in latest]
