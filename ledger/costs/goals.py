"""Tell what a store aims at in a month, and how far it has got."""

from calendar import monthrange
from datetime import date
from decimal import Decimal

from django.db.models import Q
from msgspec import Struct

from ledger.models import ProfitGoal, Store
from ledger.periods import Period
from ledger.statements import profit


class Progress(Struct, frozen=True):
    """A month's goal and the net profit so far, in the store's currency."""

    goal: Decimal | None
    """None where no goal is set."""
    reached: Decimal | None
    """Net profit from the month's first day through today or its last; None before the month has begun."""
    share: Decimal | None
    """What was reached of the goal, 1 is all of it; None without a goal above zero."""


def goal_of(store: Store, month: date) -> Decimal | None:
    """Return the net profit a store aims at in the month of a day; None where no goal is set. A goal holds for whole months."""
    first = month.replace(day=1)
    holding = ProfitGoal.objects.filter(Q(effective_from=None) | Q(effective_from__lte=first), Q(effective_to=None) | Q(effective_to__gte=first))
    return holding.filter(store=store, removed_by=None).values_list("amount", flat=True).first()


def progress(store: Store, month: date, *, today: date) -> Progress:
    """Tell how far a store has got in the month of a day, by today in its time zone."""
    first = month.replace(day=1)
    last = first.replace(day=monthrange(first.year, first.month)[1])
    goal = goal_of(store, month)
    if today < first:
        return Progress(goal, None, None)
    reached = profit(store.book, [Period(first, min(last, today))])[0].net_profit
    return Progress(goal, reached, reached / goal if goal is not None and goal > 0 else None)
