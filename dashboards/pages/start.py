"""Tell how far a store has got on its way to its first trusted number, from facts alone, and remember when the way ended.

Orders, rules and jobs say which steps are done; nothing is ticked off. What is kept is that somebody finished the list or
put it away.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Max

from connectors.models import FileImport
from dashboards.models import StartEnd
from dashboards.remembered import remembered
from ledger.costs.coverage import last_days
from ledger.costs.fixes import Fix, fixes
from ledger.costs.seen import RECENT
from ledger.models import ManualCost, Order, Store
from ledger.people import EDITORS
from ledger.periods import Period
from ledger.statements import profit
from profitpeek.jobs.models import Job

DONE, NEXT, LATER = "done", "next", "later"
WORST = 3
"""Gaps that are shown."""
WORTH_MENDING = Decimal("0.005")
"""Share of net revenue that a guessed cost is worth at least, to be in the way of trusting the number."""


@dataclass(frozen=True, slots=True)
class Importing:
    """A file on its way in: its number and name, how far it is, and whether its job failed; 0 of 0 while nothing is counted."""

    pk: int
    filename: str
    step: str
    done: int
    whole: int
    failed: bool


@dataclass(frozen=True, slots=True)
class Undecided:
    """A file that was looked at and that nobody has taken yet: its number and name."""

    pk: int
    filename: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What the steps are worked out from. Gaps are those of the 90 days up to the last order, most money first."""

    last_order: date | None
    importing: Importing | None
    undecided: Undecided | None
    gaps: list[Fix]
    by_hand: int


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its key, its name, how it stands, and where it stands in words."""

    key: str
    title: str
    state: str
    told: str


@dataclass(frozen=True, slots=True)
class Start:
    """The whole list of a store."""

    steps: list[Step]
    facts: Facts
    ended: bool
    """Somebody finished the list or put it away."""

    @property
    def done(self) -> int:
        """Return how many steps are done."""
        return sum(step.state == DONE for step in self.steps)

    @property
    def next(self) -> Step | None:
        """Return the step that is next; None when all are done."""
        return next((step for step in self.steps if step.state == NEXT), None)


def start_of(store: Store) -> Start:
    """Work out how far a store has got."""
    last = _last_order(store)
    facts = Facts(
        last, importing(store), undecided(store) if last is None else None, worst_gaps(store, last) if last is not None else [], _by_hand(store)
    )  # fmt: skip
    ended = has_ended(store)
    return Start(_steps(store, facts, ended=ended), facts, ended)


def waits_for(store: Store) -> Start | None:
    """Return the list for the strip on pages: of a store of one's own, for who can do its steps, until it ends."""
    if store.is_demo or getattr(store, "role", None) not in EDITORS or has_ended(store):
        return None
    last = _last_order(store)
    # The strip names the next step alone: what is on its way in matters until there are orders, and the rest from then on.
    if last is None:
        facts = Facts(None, importing(store), undecided(store), [], 0)
    else:
        facts = Facts(last, None, None, remembered(store, "worst-gaps", last, lambda: worst_gaps(store, last)), _by_hand(store))
    start = Start(_steps(store, facts, ended=False), facts, ended=False)
    return start if start.next is not None else None


def has_ended(store: Store) -> bool:
    """Tell whether somebody finished the list or put it away; no query for a store that a page was found for."""
    return getattr(store, "start_end", None) is not None


_IMPORTING = """
    SELECT file.id, file.filename, job.step, job.done, job.whole, job.state FROM connectors_fileimport AS file
    LEFT JOIN jobs_job AS job ON job.id = file.job WHERE file.store_id = %s AND file.state = ANY(%s) AND file.job IS NOT NULL
    ORDER BY file.id DESC LIMIT 1
"""


def importing(store: Store) -> Importing | None:
    """Return the file that is imported in the background, the latest; one whose job ended without it has failed."""
    with connection.cursor() as cursor:
        cursor.execute(_IMPORTING, [store.pk, [FileImport.State.WAITING, FileImport.State.RUNNING]])
        found = cursor.fetchone()
    if found is None or found[-1] is None:
        return None
    pk, filename, step, done, whole, state = found
    return Importing(pk, filename, step, done, whole, state in (Job.State.DEAD, Job.State.CANCELLED))


def undecided(store: Store) -> Undecided | None:
    """Return the latest file that waits for somebody to take it or put it away."""
    row = store.file_imports.filter(state=FileImport.State.WAITING, job=None, pieces__isnull=False).order_by("-pk").first()
    return None if row is None else Undecided(row.pk, row.filename)


def worst_gaps(store: Store, last_order: date) -> list[Fix]:
    """Return the guessed costs of the 90 days up to the last order that are worth mending, most money first; at most three."""
    period = last_days(last_order, RECENT)
    revenue = profit(store.book, [Period(period.first, period.last)])[0].net_revenue
    found = fixes(store, today=last_order, most=WORST)
    return [fix for fix in found if fix.at_stake is not None and fix.at_stake > revenue * WORTH_MENDING]


def _by_hand(store: Store) -> int:
    return ManualCost.objects.filter(store=store, removed_by=None).count()


def end(store: Store, *, by: User, now: datetime) -> None:
    """Remember that the list was finished or put away."""
    StartEnd.objects.get_or_create(store=store, defaults={"at": now, "by": by})


def show_again(store: Store) -> None:
    """Forget that the list was put away."""
    StartEnd.objects.filter(store=store).delete()


def _last_order(store: Store) -> date | None:
    found: date | None = Order.objects.filter(store=store, withdrawn_at=None).aggregate(last=Max("day"))["last"]
    return found


def _steps(store: Store, facts: Facts, *, ended: bool) -> list[Step]:
    """List the steps; the first that is not done is next."""
    there = facts.last_order is not None
    listed = [
        ("account", "Make your account", True, "You are signed in."),
        ("store", "Open the store", True, f"{store.name} keeps its books in {store.currency}."),
        ("orders", "Bring in your orders", there, _told_of_orders(facts)),
        ("gaps", "Mend the worst cost gaps", there and not facts.gaps, _told_of_gaps(facts)),
        ("by_hand", "Enter what no file tells", there and facts.by_hand > 0, _told_of_costs_by_hand(facts)),
        (
            "profit",
            "Read your first profit page",
            there and ended,
            "It says how much of it rests on estimates." if there else "It fills with your orders.",
        ),
    ]
    steps: list[Step] = []
    for key, title, is_done, told in listed:
        state = DONE if is_done else LATER if any(step.state == NEXT for step in steps) else NEXT
        steps.append(Step(key, title, state, told))
    return steps


def _told_of_orders(facts: Facts) -> str:
    if facts.importing is not None:
        return f"{facts.importing.filename} {'could not be imported.' if facts.importing.failed else 'is being imported.'}"
    if facts.undecided is not None:
        return f"{facts.undecided.filename} was looked at; nothing of it is taken yet."
    if facts.last_order is not None:
        return f"The latest is of {facts.last_order:%-d %B %Y}."
    return "A file your shop exports is enough."


def _told_of_gaps(facts: Facts) -> str:
    if facts.last_order is None:
        return "Known once there are orders: what a product costs, what a payment provider keeps."
    if not facts.gaps:
        return "No guessed cost of the latest 90 days is worth half a per cent of revenue."
    return "Until then, these costs are guessed."


def _told_of_costs_by_hand(facts: Facts) -> str:
    if facts.by_hand:
        return f"{facts.by_hand} entered so far."
    return "Rent, salaries, the shop's plan, apps, an influencer's fee: without them profit looks too good."
