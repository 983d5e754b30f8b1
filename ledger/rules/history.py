"""Tell every version of a rule there has been: what stood, when, who set it and why, and what ended it."""

from datetime import date
from typing import Any

from msgspec import Struct

from ledger.models import BundlePart, CostChange, ManualCost, ShippingRule, Store, VariantCost
from ledger.models.rules import Rule, holds, last_of
from ledger.rules import rules

ABOUT: dict[type[Rule], tuple[str, ...]] = {
    VariantCost: ("variant",),
    BundlePart: ("bundle",),
    ManualCost: ("category", "label"),
    ShippingRule: ("name",),
}
"""What versions of a rule share, where that is another thing than what keeps two from holding on one day."""
MOST = 100
"""Versions that are told, the latest first."""


class Version(Struct, frozen=True):
    """One rule there is or was."""

    pk: int
    told: str
    days: str
    state: str
    """Whether it holds, will hold, held through its last day, or was taken back."""
    stands: bool
    added: CostChange
    removed: CostChange | None


def versions_of(rule: Rule, *, today: date) -> list[Version]:
    """Return a rule with all that were set for the same thing before and after it, the latest first."""
    kind = type(rule)
    about = ABOUT.get(kind, rules.SCOPES[kind] or ())
    return versions_about(kind, rule.store, today=today, **{name: getattr(rule, name) for name in about})


def versions_about(kind: type[Rule], store: Store, *, today: date, **about: Any) -> list[Version]:
    """Return all rules of a kind that were ever set for something in a store, the latest first."""
    rows = kind._default_manager.filter(store=store, **about).select_related("added_by", "removed_by").order_by("-added_by__at", "-pk")
    return [_version(row, today) for row in rows[:MOST]]


def _version(rule: Rule, today: date) -> Version:
    stands = rule.removed_by is None
    state = state_of(rule, today) if stands else "taken back"
    return Version(rule.pk, str(rule), rules.span_of(rule).strip() or "always", state, stands, rule.added_by, rule.removed_by)


def state_of(rule: Rule, today: date) -> str:
    """Say whether a standing rule holds today."""
    if holds(rule, today):
        return "holds today"
    return "held" if last_of(rule) < today else "will hold"
