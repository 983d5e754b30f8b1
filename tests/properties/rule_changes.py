"""Make random histories of a store in which cost rules change: orders told, rules set and undone, imports taken back, days closed."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from hypothesis import strategies as st

from ledger.kinds import CostOrigin
from ledger.models import BundlePart, CogsRule, CostChange, CostOverride, FeeRule, Order, Product, ShippingRule, Store, Variant, VariantCost
from ledger.models.rules import Rule
from ledger.rules.rules import RuleRefused, change
from ledger.rules.undoing import undo
from tests.properties.histories import FIRST, Step, Story, take

COGS: tuple[type[Rule], ...] = (CogsRule, CogsRule, VariantCost, VariantCost, BundlePart, CostOverride)
EVERY: tuple[type[Rule], ...] = (*COGS, FeeRule, ShippingRule)


@dataclass(frozen=True)
class Wanted:
    """A rule as drawn: what it is about, by names, and from when to when, in days after the second of March."""

    kind: type[Rule]
    about: str
    value: int
    first: int | None
    days: int | None


History = list[Step | Wanted]


def drawn_rules(*kinds: type[Rule]) -> st.SearchStrategy[Wanted]:
    """Draw rules of these kinds."""
    return st.builds(
        Wanted, st.sampled_from(kinds), st.sampled_from(["mug", "cap", "", "USD"]), st.integers(0, 60),
        st.none() | st.integers(0, 12), st.none() | st.integers(0, 6),
    )  # fmt: skip


def histories(*kinds: type[Rule], closing: bool = False, least: int = 2) -> st.SearchStrategy[History]:
    """Draw at least so many steps that change rules of these kinds, between orders that arrive in any order."""
    wanted = drawn_rules(*kinds)
    told = st.builds(Step, st.just("record"), st.integers(0, 3), st.integers(0, 3))
    withdrawn, undone = st.builds(Step, st.just("withdraw"), st.integers(0, 3)), st.builds(Step, st.just("undo"))
    steps = [told, told, wanted, wanted, withdrawn, undone]
    if closing:
        steps = [told, wanted, wanted, wanted, wanted, withdrawn, undone, st.builds(Step, st.just("close"), number=st.integers(0, 25))]
    # by number: one_of() would draw from equal strategies as from one
    return st.lists(st.integers(0, len(steps) - 1).flatmap(steps.__getitem__), min_size=least, max_size=9)


def rule_of(store: Store, wanted: Wanted) -> Rule | None:
    """Make a drawn rule for a store; nothing when the store has not sold what it is about."""
    first = None if wanted.first is None else FIRST.date() + timedelta(days=wanted.first)
    last = None if wanted.days is None or first is None else first + timedelta(days=wanted.days)
    span = {"effective_from": first, "effective_to": last}
    if wanted.kind is CogsRule:
        product = Product.objects.filter(store=store, external_id=wanted.about).first()
        return CogsRule(product=product, percentage=wanted.value, **span) if product or wanted.about == "" else None
    if wanted.kind is FeeRule:
        gateway, currency = {"mug": ("stripe", ""), "cap": ("stripe", "EUR"), "": ("", ""), "USD": ("", "USD")}[wanted.about]
        return FeeRule(gateway=gateway, currency=currency, percentage=wanted.value, fixed="0.25", **span)
    if wanted.kind is ShippingRule:
        return ShippingRule(
            name=wanted.about or "all", position=wanted.value % 3, amount=wanted.value, countries="DE" if wanted.about else "", **span
        )
    return _about_goods(store, wanted, span)


def _about_goods(store: Store, wanted: Wanted, span: dict[str, object]) -> Rule | None:
    goods = {variant.external_id: variant for variant in Variant.objects.filter(store=store)}
    variant, currency = goods.get(wanted.about), "USD" if wanted.value % 5 == 0 else "EUR"
    if wanted.kind is CostOverride:
        order = Order.objects.filter(store=store).order_by("external_id").first()
        line = f"l{wanted.value % 2}"
        return None if order is None else CostOverride(order_id=order.pk, line=line, unit_cost=Decimal(wanted.value) / 8, currency=currency)
    if variant is None:
        return None
    if wanted.kind is BundlePart:
        other = goods.get("cap" if wanted.about == "mug" else "mug")
        return None if other is None else BundlePart(bundle=variant, component=other, quantity=1 + wanted.value % 3, **span)
    origin = CostOrigin.MANUAL if wanted.value % 2 else CostOrigin.PLATFORM
    return VariantCost(variant=variant, goods=Decimal(wanted.value) / 8, currency=currency, origin=origin, effective_from=span["effective_from"])


def play(store: Store, told: tuple[Story, ...], steps: History, *, restated: Callable[[Store], None]) -> None:
    """Live through a history; `restated` is called after each change of rules."""
    for step in steps:
        if isinstance(step, Wanted) or step.kind == "undo":
            try:
                if _changed(store, step):
                    restated(store)
            except RuleRefused:
                pass
        else:
            order = step.order % len(told)
            take(store, told, Step(step.kind, order, step.version % len(told[order]), step.number))


def _changed(store: Store, step: Step | Wanted) -> bool:
    if isinstance(step, Wanted):
        rule = rule_of(store, step)
        if rule is not None:
            change(store, add=[rule], actor="ann", now=FIRST)
        return rule is not None
    latest = CostChange.objects.filter(store=store).order_by("-pk").first()
    if latest is not None:
        undo(latest, actor="ann", now=FIRST)
    return latest is not None
