"""Hand facts to the ledger: one table from the type of a fact to the ledger's door for it.

Several records are recorded at once; when the ledger refuses them, each half is tried by itself, so that one that it
cannot hold keeps back no other.
"""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db import DataError, IntegrityError, transaction

from connectors.faults import RetryLater
from connectors.models import Connection
from ledger import findings
from ledger.advertising import spending
from ledger.catalogue import catalog
from ledger.catalogue.locations import record_locations
from ledger.cause import Cause
from ledger.charges import balance, disputes
from ledger.facts import AdDayFact, BalanceFact, CustomerFact, DisputeFact, GoneFact, JourneyFact, LocationFact, OrderFact, PayoutFact, VariantFact
from ledger.kinds import CauseKind
from ledger.models import Finding, Store
from ledger.orders import touches
from ledger.orders.customers import record_customers
from ledger.record import Contended, record

WORKED_OUT = "sales_worked_out"
"""The kind of finding that says that orders' sales are not their platform's own."""
REFUSALS = (ValueError, TypeError, ArithmeticError, AttributeError, LookupError, struct.error, DataError, IntegrityError)
"""What a door raises for a fact that it cannot hold, or that it was not written for."""


class Told(NamedTuple):
    """Who tells facts, and when."""

    cause_ref: str
    now: datetime
    kind: CauseKind = CauseKind.SYNC
    asked_at: datetime | None = None
    """When the platform was asked at the earliest; None where that is not known."""


class Counts(NamedTuple):
    """What recording did, in facts."""

    changed: int
    entries: int


class Mapped(NamedTuple):
    """A record's id, and the facts that it was made into."""

    id: str
    facts: Sequence[Any]


class Refused(NamedTuple):
    """A record that the ledger refused, and why; `detail` may quote it."""

    id: str
    reason: str
    detail: str


class UnknownFact(LookupError):
    """Says that a mapper made something that no door of the ledger takes."""


@dataclass(frozen=True)
class Door:
    """The ledger's door for one type of facts; within a transaction it writes them or raises."""

    type: type
    write: Callable[[Store, Sequence[Any], Told], Counts]


def _orders(store: Store, facts: Sequence[OrderFact], told: Told) -> Counts:
    changed = entries = 0
    platforms = {fact.platform for fact in facts}
    for platform in sorted(platforms):
        own = facts if len(platforms) == 1 else [fact for fact in facts if fact.platform == platform]
        done = record(store, own, cause=Cause(told.kind, told.cause_ref), asked_at=told.asked_at)
        changed, entries = changed + done.new + done.changed, entries + done.entries
        if done.new + done.changed:
            _tell_what_was_worked_out(store, own, told)
    return Counts(changed, entries)


def _tell_what_was_worked_out(store: Store, facts: Sequence[OrderFact], told: Told) -> None:
    """Tell of orders whose sales had to be worked out, by the reason, with one to look at."""
    for why in {fact.worked_out for fact in facts if fact.worked_out}:
        found = next(fact for fact in facts if fact.worked_out == why)
        findings.note(
            store.pk, WORKED_OUT, f"{found.platform}: {why}",
            f"Sales of order {found.number} and others like it were worked out from their lines and refunds, since {why}. "
            "They add up to the order's own total; days or parts that are a guess are marked estimated.",
            severity=Finding.Severity.INFO, now=told.now,
        )  # fmt: skip


def _ad_days(store: Store, facts: Sequence[AdDayFact], told: Told) -> Counts:
    done = spending.record_spend(store, facts, cause_ref=told.cause_ref, kind=told.kind, actor="", now=told.now)
    return Counts(done.added + done.changed, done.entries)


def _variants(store: Store, facts: Sequence[VariantFact], told: Told) -> Counts:
    return Counts(catalog.record_variants(store, facts, now=told.now).changed, 0)


def _gone(store: Store, facts: Sequence[GoneFact], told: Told) -> Counts:
    return Counts(catalog.record_gone(store, facts), 0)


def _balance(store: Store, facts: Sequence[BalanceFact], told: Told) -> Counts:
    done = balance.record_balance(store, facts, cause_ref=told.cause_ref, now=told.now)
    return Counts(done.changed, done.entries)


def _payouts(store: Store, facts: Sequence[PayoutFact], told: Told) -> Counts:
    return Counts(balance.record_payouts(store, facts, now=told.now), 0)


def _disputes(store: Store, facts: Sequence[DisputeFact], told: Told) -> Counts:
    return Counts(disputes.record_disputes(store, facts, now=told.now), 0)


def _journeys(store: Store, facts: Sequence[JourneyFact], told: Told) -> Counts:
    return Counts(touches.record_journeys(store, facts), 0)


def _customers(store: Store, facts: Sequence[CustomerFact], told: Told) -> Counts:
    news, entries = record_customers(store, facts, cause=Cause(CauseKind.SYNC, told.cause_ref), now=told.now)
    return Counts(news, entries)


def _locations(store: Store, facts: Sequence[LocationFact], told: Told) -> Counts:
    return Counts(record_locations(store, facts), 0)


DOORS: tuple[Door, ...] = (
    Door(VariantFact, _variants), Door(GoneFact, _gone), Door(OrderFact, _orders), Door(JourneyFact, _journeys),
    Door(CustomerFact, _customers), Door(LocationFact, _locations), Door(AdDayFact, _ad_days),
    Door(BalanceFact, _balance), Door(PayoutFact, _payouts), Door(DisputeFact, _disputes),
)  # fmt: skip
"""In the order in which the facts of one page are written."""


def write(
    connection: Connection, records: Sequence[Mapped], *, now: datetime, kind: CauseKind = CauseKind.SYNC, asked_at: datetime | None = None
) -> tuple[Counts, list[Refused]]:  # fmt: skip
    """Write the facts of some records in the caller's transaction; return what changed, and the records that the ledger refused.

    Raise RetryLater when other writers did not let it through, UnknownFact for what no door takes.
    """
    told = Told(connection.cause_ref, now, kind, asked_at)
    try:
        return _write(connection.store, [fact for each in records for fact in each.facts], told), []
    except REFUSALS as error:
        if len(records) == 1:
            return Counts(0, 0), [Refused(records[0].id, f"The ledger cannot hold it: {type(error).__name__}.", str(error))]
    half = len(records) // 2
    (one, first), (other, second) = (write(connection, part, now=now, kind=kind, asked_at=asked_at) for part in (records[:half], records[half:]))
    return Counts(one.changed + other.changed, one.entries + other.entries), [*first, *second]


def _write(store: Store, facts: Sequence[Any], told: Told) -> Counts:
    by_type: dict[type, list[Any]] = {}
    for fact in facts:
        by_type.setdefault(type(fact), []).append(fact)
    if unknown := by_type.keys() - {door.type for door in DOORS}:
        raise UnknownFact(f"No door of the ledger takes {', '.join(sorted(each.__name__ for each in unknown))}.")
    changed = entries = 0
    try:
        with transaction.atomic():
            for door in DOORS:
                if own := by_type.get(door.type):
                    done = door.write(store, own, told)
                    changed, entries = changed + done.changed, entries + done.entries
    except Contended as error:
        raise RetryLater(str(error)) from error
    return Counts(changed, entries)
