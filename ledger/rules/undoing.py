"""Undo a change of cost rules by another change, where nothing later rests on it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import IntegrityError

from ledger.models import CostChange
from ledger.models.rules import Rule
from ledger.rules.rules import SCOPES, RuleRefused, change, copy_of, live, rules_of, span_of


def undo(made: CostChange, *, actor: str, now: datetime) -> CostChange:
    """Put back what a change removed and take back what it added, from now on; raise RuleRefused where later changes rest on it."""
    refuse_undoing(made)
    added, removed = rules_of(made)
    try:
        return change(made.store, add=[copy_of(rule) for rule in removed], remove=added, actor=actor, now=now, undoes=made)
    except IntegrityError as error:
        # Somebody else undid it between the look and the write; `undoes` is unique.
        raise RuleRefused("This change has been undone already.") from error


def refuse_undoing(made: CostChange) -> None:
    """Raise RuleRefused when a change was undone already, later ones rest on it, or it is none of rules."""
    added, removed = rules_of(made)
    if not added and not removed:
        raise RuleRefused("This changed no rule of the store. Set the defaults of the installation back where they are set.")
    if CostChange.objects.filter(undoes=made).exists():
        raise RuleRefused("This change has been undone already.")
    if any(rule.removed_by_id is not None for rule in added):
        raise RuleRefused("Later changes rest on this one. Undo them first, the latest first.")
    _refuse_ending_later(made, removed)


def _refuse_ending_later(made: CostChange, removed: Sequence[Rule]) -> None:
    """Raise RuleRefused when a rule that would be put back makes a later one give way, which nobody asked for."""
    for kind in {type(rule) for rule in removed}:
        scope = SCOPES[kind]
        if scope is None:
            continue
        about = [f"{name}_id" if kind._meta.get_field(name).is_relation else name for name in scope]
        since: dict[tuple[Any, ...], list[Rule]] = {}
        for later in live(kind, made.store).filter(added_by__gt=made.pk):
            since.setdefault(tuple(getattr(later, name) for name in about), []).append(later)
        for rule in removed if since else ():
            for later in since.get(tuple(getattr(rule, name) for name in about), ()) if type(rule) is kind else ():
                if _meet(rule, later):
                    raise RuleRefused(
                        f"“{later}”{span_of(later)} was set after this change, for days on which “{rule}”{span_of(rule)} would hold again. "
                        "Take the later one back first, or enter the earlier one anew for the days it should hold."
                    )


def _meet(one: Rule, other: Rule) -> bool:
    """Tell whether two rules hold on a day in common."""
    return (one.effective_from is None or other.effective_to is None or one.effective_from <= other.effective_to) and (
        other.effective_from is None or one.effective_to is None or other.effective_from <= one.effective_to
    )
