"""Propose changes of cost rules, to be looked at and then made exactly as they were looked at: the only writer of proposals.

Every page that changes rules proposes; the review page applies. `rules.change` makes the change.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction

from ledger.costs import manual_costs
from ledger.costs.labels import known_numbers
from ledger.costs.manual_costs import CostRefused
from ledger.models import CostChange, ManualCost, Partner, PartnerCode, ProposedChange, Store
from ledger.models.rules import Rule
from ledger.rules import rules, undoing
from ledger.rules.rules import RuleRefused, span_of
from ledger.rules.stored_rules import found_again, key_of, made_again, values_of
from ledger.rules.trial import Trial, trial
from ledger.stores import today_of
from profitpeek.jobs import queue

State = ProposedChange.State
KEPT_FOR = timedelta(days=7)
"""How long a proposal that nobody has applied is kept."""
MOST_NEW_LABELS = 200
"""Labels that one change may bring: their accounts are numbered for good, and all stores share some thirty thousand numbers."""
TOLD = 20
"""Rules that are named one by one; of more, the number is told."""


def propose(
    store: Store, *, add: Sequence[Rule] = (), remove: Sequence[Rule] = (), actor: str, reason: str = "", origin: str, now: datetime,
    undoes: CostChange | None = None,
) -> ProposedChange:  # fmt: skip
    """Keep a change of a store's rules to be looked at; nothing of it holds until it is applied.

    `origin` is the path of the page it comes from, to go back to, or a file's name. Raise RuleRefused when it
    could not be made as things stand.
    """
    if not add and not remove:
        raise RuleRefused("Nothing would change.")
    for rule in add:
        rule.store_id = store.pk
    if undoes is not None:
        undoing.refuse_undoing(undoes)
    _refuse_many_labels(add)
    with trial(store, add=add, remove=remove, now=now) as tried:
        _refuse_costs(store, tried, now)
        told = told_of(tried, remove)
    return ProposedChange.objects.create(
        store=store, at=now, actor=actor, reason=reason[:200], summary=rules.summary_of(tried.asked, remove, undoes)[:300], origin=origin[:200],
        add=[values_of(rule) for rule in tried.asked], remove=[key_of(rule) for rule in remove], undoes=undoes, effect={"ends": told},
    )  # fmt: skip


def propose_undo(made: CostChange, *, actor: str, origin: str, now: datetime) -> ProposedChange:
    """Propose to put back what a change removed and take back what it added; raise RuleRefused where later changes rest on it."""
    undoing.refuse_undoing(made)
    added, removed = rules.rules_of(made)
    return propose(
        made.store, add=[rules.copy_of(rule) for rule in removed], remove=added, actor=actor, origin=origin, now=now, undoes=made
    )  # fmt: skip


def refusal(store: Store, *, add: Sequence[Rule] = (), remove: Sequence[Rule] = (), now: datetime) -> str:
    """Return why a change could not be made, in words; empty when it could."""
    try:
        _refuse_many_labels(add)
        with trial(store, add=add, remove=remove, now=now) as tried:
            _refuse_costs(store, tried, now)
    except RuleRefused as refused:
        return str(refused)
    return ""


def rules_of(proposed: ProposedChange) -> tuple[list[Rule], list[Rule]]:
    """Return the rules a proposal would add and those it would remove; raise RuleRefused when one of these, or a partner they name, is gone."""
    add, remove = [made_again(stored) for stored in proposed.add], found_again(proposed.remove)
    partners = {rule.partner_id for rule in add if isinstance(rule, ManualCost | PartnerCode) and rule.partner_id is not None}
    if Partner.objects.filter(pk__in=partners).count() < len(partners):
        raise RuleRefused("The partner it is about has been deleted. Dismiss this, and enter it again for another partner.")
    return add, remove


def apply(proposed: ProposedChange, *, actor: str, now: datetime, reason: str | None = None) -> CostChange:
    """Make a proposed change exactly as it is kept, in the name of whoever applies it; `reason` replaces the proposal's.

    Raise RuleRefused when it was applied or dismissed already, or when something it removes is gone.
    """
    with transaction.atomic():
        kept = ProposedChange.objects.select_for_update().get(pk=proposed.pk)
        _refuse_decided(kept)
        add, remove = rules_of(kept)
        if kept.undoes is not None:
            undoing.refuse_undoing(kept.undoes)
        kept.reason = kept.reason if reason is None else reason[:200]
        try:
            kept.made = rules.change(kept.store, add=add, remove=remove, actor=actor, reason=kept.reason, now=now, undoes=kept.undoes)
        except IntegrityError as error:
            raise RuleRefused("This change has been undone already.") from error
        kept.state = State.APPLIED
        kept.save(update_fields=["reason", "made", "state"])
        _stop_working_out(kept)
    return kept.made


def dismiss(proposed: ProposedChange) -> None:
    """Put a proposal away; raise RuleRefused when it was decided already."""
    with transaction.atomic():
        kept = ProposedChange.objects.select_for_update().get(pk=proposed.pk)
        _refuse_decided(kept)
        kept.state = State.DISMISSED
        kept.save(update_fields=["state"])
        _stop_working_out(kept)


def note_effect(proposed: ProposedChange, found: dict[str, Any], *, costs_version: int, seq: int) -> None:
    """Keep what a proposal would do, and what of the book that was worked out against."""
    _note(proposed, effect={**(proposed.effect or {}), **found}, effect_version=costs_version, effect_seq=seq)


def note_job(proposed: ProposedChange, job: int | None) -> None:
    """Keep which background job works the effect out; None once the effect is to be worked out anew."""
    _note(proposed, job=job, effect_version=None, effect_seq=None)


def _note(proposed: ProposedChange, **values: Any) -> None:
    for name, value in values.items():
        setattr(proposed, name, value)
    # Only while it is open: what was looked at when it was decided stays told.
    ProposedChange.objects.filter(pk=proposed.pk, state=State.OPEN).update(**values)


def forget(now: datetime) -> int:
    """Delete proposals that nobody has applied within a week, and return how many."""
    return ProposedChange.objects.filter(at__lt=now - KEPT_FOR).exclude(state=State.APPLIED).delete()[0]


def told_of(tried: Trial, remove: Sequence[Rule]) -> list[dict[str, Any]]:
    """Tell which standing rules make room for the new ones: what each is, when it held, and when it will."""
    asked = {(type(rule), rule.pk) for rule in remove}
    wanted = {(type(rule), rule.pk) for rule in tried.asked}
    rests: dict[tuple[Any, ...], list[Rule]] = {}
    for rule in tried.added:
        if (type(rule), rule.pk) not in wanted:
            rests.setdefault(_but_for_days(rule), []).append(rule)
    ended = [rule for rule in tried.removed if (type(rule), rule.pk) not in asked]
    return [
        {
            "rule": str(old), "was": span_of(old).strip() or "always",
            "now": [span_of(rest).strip() for rest in rests.get(_but_for_days(old), []) if _lies_within(rest, old)],
        }
        for old in ended
    ]  # fmt: skip


def _but_for_days(rule: Rule) -> tuple[Any, ...]:
    values = [getattr(rule, field.attname) for field in rules.value_fields(type(rule)) if field.name not in ("effective_from", "effective_to")]
    return type(rule), *values


def _lies_within(rest: Rule, old: Rule) -> bool:
    starts = old.effective_from is None or (rest.effective_from is not None and rest.effective_from >= old.effective_from)
    ends = old.effective_to is None or (rest.effective_to is not None and rest.effective_to <= old.effective_to)
    return starts and ends


def _stop_working_out(kept: ProposedChange) -> None:
    if kept.job is not None:
        queue.cancel(kept.job)


def _refuse_decided(kept: ProposedChange) -> None:
    if kept.state == State.APPLIED:
        raise RuleRefused(f"This change was saved already, by {kept.made.actor if kept.made else 'somebody'}.")
    if kept.state == State.DISMISSED:
        raise RuleRefused("This proposal was dismissed. Enter the change again if you want it.")


def _refuse_many_labels(add: Sequence[Rule]) -> None:
    """Raise RuleRefused when saving would use up very many numbers of accounts; looking at a change uses none."""
    names = {rule.account_name for rule in add if isinstance(rule, ManualCost) and rule.category and rule.label}
    if len(names) > MOST_NEW_LABELS and len(names - known_numbers(names).keys()) > MOST_NEW_LABELS:
        raise RuleRefused(
            f"These costs have more than {MOST_NEW_LABELS} new labels. A label is an account, such as rent or Klaviyo; "
            "what tells one cost from another belongs into the note or the invoice number."
        )


def _refuse_costs(store: Store, tried: Trial, now: datetime) -> None:
    """Raise RuleRefused when a cost of days needs a rate that is not known."""
    today = today_of(store, now)
    try:
        for rule in tried.added:
            if isinstance(rule, ManualCost) and rule.basis not in ManualCost.OF_ORDERS:
                manual_costs.drafts_of(rule, today=today)
    except CostRefused as error:
        raise RuleRefused(str(error)) from error
