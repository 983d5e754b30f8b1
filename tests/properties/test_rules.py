"""Whatever rules were in force on the way, a book ends as if only the last ones had ever been."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.audit import audit
from ledger.book.reposting import restate
from ledger.cause import Cause
from ledger.kinds import CauseKind
from ledger.models import CostOverride, Order, Product, Store, Variant
from ledger.models.rules import Rule
from ledger.record import record
from ledger.rules import rules
from ledger.rules.rules import change
from tests.builders import SYNC, a_store, book_of, day, ecb
from tests.ledger_text import entry_rows
from tests.properties import examples
from tests.properties.histories import FIRST, Step, Story, stories, take
from tests.properties.rule_changes import EVERY, History, histories, play

pytestmark = pytest.mark.django_db

COLUMNS = ("source", "part", "event_day", "order_day", "account", "channel", "country", "variant", "amount", "how", "original", "currency", "rate")
some = examples.some(15)


@pytest.fixture(autouse=True)
def rates() -> None:
    """Know a rate for every day that orders and rules fall on."""
    ecb(*(("USD", f"2026-03-{n:02}", f"1.{n:02}37") for n in range(1, 32) if day(f"2026-03-{n:02}").weekday() < 5))


def restated(store: Store) -> None:
    """Restate what the changes reach, as the worker would."""
    restate(store, cause=Cause(CauseKind.RULE, "rules"))


def in_another(store: Store, rule: Rule) -> Rule:
    """Return the same rule for what another store calls the same."""
    same = rules.copy_of(rule)
    for name, model in (("product", Product), ("variant", Variant), ("bundle", Variant), ("component", Variant)):
        if getattr(rule, f"{name}_id", None):
            setattr(same, name, model.objects.get(store=store, external_id=getattr(rule, name).external_id))
    if isinstance(rule, CostOverride) and isinstance(same, CostOverride):
        same.order_id = Order.objects.get(store=store, external_id=Order.objects.get(pk=rule.order_id).external_id).pk
    return same


def live_rows(store: Store) -> list[tuple[str, ...]]:
    """Return what is live, by names rather than numbers."""
    return sorted(tuple(row[name] for name in COLUMNS) for row in entry_rows(store, live=True))


@some
@given(stories, histories(*EVERY), st.booleans())
def test_a_book_ends_as_if_only_the_last_rules_had_ever_been(told: tuple[Story, ...], steps: History, at_once: bool) -> None:
    lived, fresh = a_store(), a_store()
    # Changes that follow each other quickly are restated together, by what all of them reach.
    play(lived, told, steps, restated=restated if at_once else lambda store: None)
    restated(lived)
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
