"""Make a change of cost rules for a moment and take it back, to see what would follow from it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from datetime import datetime
from typing import NamedTuple

from django.db import transaction

from ledger.costs.labels import only_trying
from ledger.models import CostChange, Store
from ledger.models.rules import Rule
from ledger.rules import rules


class Trial(NamedTuple):
    """A change that stands until the block ends: the rules asked for, in their form, and everything it adds and removes."""

    made: CostChange
    asked: list[Rule]
    added: list[Rule]
    removed: list[Rule]

    @property
    def changed(self) -> list[Rule]:
        """Return every rule that comes or goes, those that make room and what is left of them included."""
        return [*self.added, *self.removed]


@contextmanager
def trial(store: Store, *, add: Sequence[Rule], remove: Sequence[Rule], now: datetime) -> Iterator[Trial]:
    """Let a change stand while the block runs, for nobody else to see, and take it back at its end.

    It locks rows of the rules it touches, not the book: do what is needed, and leave. Accounts of new labels have numbers that are
    another's once it has ended (`labels.only_trying`). Raise RuleRefused as `rules.change` does.
    """
    with transaction.atomic(), only_trying():
        asked = [rules.copy_of(rule) for rule in add]
        made = rules.write(store, add=asked, remove=[copy(rule) for rule in remove], actor="", now=now)
        added, removed = rules.rules_of(made)
        yield Trial(made, asked, added, removed)
        transaction.set_rollback(True)
