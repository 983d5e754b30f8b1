"""Whatever rules were in force on the way, a book ends as if only the last ones had ever been."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ledger import rules
from ledger.audit import audit
from ledger.cause import Cause
from ledger.kinds import CauseKind, CostOrigin
from ledger.models import CogsRule, CostChange, FeeRule, Product, ShippingRule, Store, Variant, VariantCost
from ledger.models.rules import Rule
from ledger.record import record
from ledger.reposting import repost
from ledger.rules import RuleRefused, change, undo
from tests.builders import SYNC, a_store, book_of, day, ecb
from tests.ledger_text import entry_rows
from tests.properties.histories import FIRST, Step, Story, stories, take

pytestmark = pytest.mark.django_db

COLUMNS = ("source", "part", "event_day", "order_day", "account", "channel", "country", "variant", "amount", "how", "original", "currency", "rate")
some = settings(max_examples=25, phases=[Phase.reuse, Phase.generate], deadline=None, suppress_health_check=list(HealthCheck))


@dataclass(frozen=True)
class Wanted:
    """A rule as drawn: what it is about, by names, and from when to when, in days after the first of March."""

    kind: type[Rule]
    about: str
    value: int
    first: int | None
    days: int | None


_kinds = st.sampled_from([CogsRule, CogsRule, VariantCost, FeeRule, ShippingRule])
drawn_rules = st.builds(
    Wanted, _kinds, st.sampled_from(["mug", "cap", "", "USD"]), st.integers(0, 60), st.none() | st.integers(0, 12), st.none() | st.integers(0, 6)
)  # fmt: skip
_told = st.builds(Step, st.just("record"), st.integers(0, 3), st.integers(0, 3))
_withdrawn = st.builds(Step, st.just("withdraw"), st.integers(0, 3))
_undone = st.builds(Step, st.just("undo"))
histories = st.lists(st.one_of(_told, _told, drawn_rules, drawn_rules, _withdrawn, _undone), min_size=2, max_size=9)


@pytest.fixture(autouse=True)
def rates() -> None:
    """Know a rate for every day that orders and rules fall on."""
    ecb(*(("USD", f"2026-03-{n:02}", f"1.{n:02}37") for n in range(1, 32) if day(f"2026-03-{n:02}").weekday() < 5))


def rule_of(store: Store, wanted: Wanted) -> Rule | None:
    """Make a drawn rule for a store; nothing when the store has not sold what it is about."""
    first = None if wanted.first is None else FIRST.date() + timedelta(days=wanted.first)
    last = None if wanted.days is None or first is None else first + timedelta(days=wanted.days)
    span = {"effective_from": first, "effective_to": last}
    if wanted.kind is CogsRule:
        product = Product.objects.filter(store=store, external_id=wanted.about).first()
        return CogsRule(product=product, percentage=wanted.value, **span) if product or wanted.about == "" else None
    if wanted.kind is VariantCost:
        variant = Variant.objects.filter(store=store, external_id=wanted.about).first()
        origin = CostOrigin.MANUAL if wanted.value % 2 else CostOrigin.PLATFORM
        currency = "USD" if wanted.value % 3 == 0 else "EUR"
        return (
            VariantCost(variant=variant, goods=Decimal(wanted.value) / 8, currency=currency, origin=origin, effective_from=first) if variant else None
        )
    if wanted.kind is FeeRule:
        gateway, currency = {"mug": ("stripe", ""), "cap": ("stripe", "EUR"), "": ("", ""), "USD": ("", "USD")}[wanted.about]
        return FeeRule(gateway=gateway, currency=currency, percentage=wanted.value, fixed="0.25", **span)
    return ShippingRule(name=wanted.about or "all", position=wanted.value % 3, amount=wanted.value, countries="DE" if wanted.about else "", **span)


def restated(store: Store) -> None:
    """Draft every order again, as the worker would."""
    repost(store, cause=Cause(CauseKind.RULE, "rules"))


def play(store: Store, told: tuple[Story, ...], steps: list[Step | Wanted]) -> None:
    """Live through a history: orders told, rules changed, changes undone."""
    for step in steps:
        if isinstance(step, Wanted):
            rule = rule_of(store, step)
            if rule is not None:
                change(store, add=[rule], actor="ann", now=FIRST)
                restated(store)
        elif step.kind == "undo":
            latest = CostChange.objects.filter(store=store).order_by("-pk").first()
            try:
                if latest is not None:
                    undo(latest, actor="ann", now=FIRST)
                    restated(store)
            except RuleRefused:
                pass
        else:
            order = step.order % len(told)
            take(store, told, Step(step.kind, order, step.version % len(told[order])))


def in_another(store: Store, rule: Rule) -> Rule:
    """Return the same rule for what another store calls the same."""
    same = rules.copy_of(rule)
    for name, model in (("product", Product), ("variant", Variant)):
        if getattr(rule, f"{name}_id", None):
            setattr(same, name, model.objects.get(store=store, external_id=getattr(rule, name).external_id))
    return same


def live_rows(store: Store) -> list[tuple[str, ...]]:
    """Return what is live, by names rather than numbers."""
    return sorted(tuple(row[name] for name in COLUMNS) for row in entry_rows(store, live=True))


@some
@given(stories, histories)
def test_a_book_ends_as_if_only_the_last_rules_had_ever_been(told: tuple[Story, ...], steps: list[Step | Wanted]) -> None:
    lived, fresh = a_store(), a_store()
    play(lived, told, steps)
    last = [story[-1] for story in told]
    record(lived, last, cause=SYNC)
    # The fresh store must know the products before a rule can be about them; these are taken back at once.
    record(fresh, last, cause=SYNC)
    take(fresh, told, Step("withdraw", 0))
    standing = [in_another(fresh, rule) for kind in rules.SCOPES for rule in rules.live(kind, lived)]
    if standing:
        change(fresh, add=standing, actor="ann", now=FIRST)
    restated(fresh)
    record(fresh, last, cause=SYNC)
    assert live_rows(lived) == live_rows(fresh)
    assert {name: problems for name, problems in audit(book_of(lived)).items() if problems} == {}
