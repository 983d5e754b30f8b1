"""Whatever has happened to a book, what a review tells of a change is what saving it and restating bring."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ledger.models import CostChange, Entry, ProposedChange, Store
from ledger.periods import By, cut
from ledger.record import record
from ledger.rules import preview, proposals
from ledger.rules.rules import RuleRefused
from ledger.statements import profit
from tests.builders import SYNC, a_store, book_of, day
from tests.properties.histories import FIRST, Step, Story, stories, take
from tests.properties.rule_changes import COGS, EVERY, History, Wanted, drawn_rules, histories, play, rule_of
from tests.properties.test_restating import mostly_at_home
from tests.properties.test_rules import rates, restated, some

__all__ = ["rates"]

pytestmark = pytest.mark.django_db


def proposal_of(store: Store, rules: list[Wanted], *, undo: bool) -> ProposedChange | None:
    """Propose the drawn rules, or to undo the latest change; nothing where the store has not sold what they are about."""
    latest = CostChange.objects.filter(store=store).order_by("-pk").first()
    try:
        if undo:
            return proposals.propose_undo(latest, actor="ann", origin="/", now=FIRST) if latest else None
        add = [rule for rule in (rule_of(store, each) for each in rules) if rule is not None]
        return proposals.propose(store, add=add, actor="ann", origin="/", now=FIRST)
    except RuleRefused:
        return None


def state_of(store: Store) -> tuple[dict[str, Decimal], int, int]:
    """Return net profit by month, and how many entries there are and how many reverse others."""
    months = profit(book_of(store), cut(day("2026-02-01"), day("2026-05-31"), By.MONTH))
    entries = Entry.objects.filter(book_id=store.pk)
    return {str(each.period.first): each.net_profit for each in months}, entries.count(), entries.filter(reverses=True).count()


@some
@given(stories, histories(*EVERY), st.lists(drawn_rules(*EVERY), min_size=1, max_size=3), st.booleans(), st.none() | st.integers(0, 25))
def test_what_is_told_is_what_comes(told: tuple[Story, ...], steps: History, rules: list[Wanted], undo: bool, closed: int | None) -> None:
    store = a_store()
    play(store, told, steps, restated=restated)
    if closed is not None:
        take(store, told, Step("close", number=closed))
    proposed = proposal_of(store, rules, undo=undo)
    if proposed is None:
        return
    before = state_of(store)
    effect = preview.effect_of(proposed, now=FIRST)
    assert state_of(store) == before
    proposals.apply(proposed, actor="ann", now=FIRST)
    restated(store)
    after = state_of(store)
    assert (effect["entries"], effect["reversals"]) == (after[1] - before[1], after[2] - before[2])
    moved = {month: after[0][month] - before[0][month] for month in after[0]}
    assert {row["month"]: Decimal(row["difference"]) for row in effect["months"] if Decimal(row["difference"])} == {
        month: amount for month, amount in moved.items() if amount
    }
    assert [row["after"] for row in effect["months"]] == [str(after[0][row["month"]]) for row in effect["months"]]


@some
@given(stories.map(mostly_at_home), histories(*COGS, closing=True), st.lists(drawn_rules(*COGS), min_size=1, max_size=3), st.booleans())
def test_what_sets_tell_is_what_drafting_one_by_one_tells(told: tuple[Story, ...], steps: History, rules: list[Wanted], undo: bool) -> None:
    store = a_store()
    record(store, [story[-1] for story in told], cause=SYNC)
    play(store, told, steps, restated=restated)
    proposed = proposal_of(store, rules, undo=undo)
    if proposed is None:
        return
    add, remove = proposals.rules_of(proposed)
    trying = preview.trying_rules(store, add, remove, now=FIRST)
    reach = preview.reach_under(store, trying)
    assert reach.only_cogs
    one_by_one = preview.effect(store, trying, replace(reach, only_cogs=False), now=FIRST)
    assert preview.effect(store, trying, reach, now=FIRST) == one_by_one
