"""Charge orders with actual costs that a person's file tells: labels, packing, commissions, fees, chargebacks.

Each row of a file is about one order, by its number or its platform's id. A charge whose order is not known waits
for it (`record()` brings them together). Locks as everywhere: orders in key order, their charges, customers, the
book. Under the book it is looked again whether a waiting charge's order arrived meanwhile, as `record()` looks
whether a charge did: whoever comes second sees the other.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime
from functools import partial
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from ledger.cause import Cause, Telling
from ledger.charges import charge_rows
from ledger.drafts.told_fees import is_paid_otherwise
from ledger.kinds import BOOKED, CauseKind, ChargeKind, ChargeStatus, Hold
from ledger.models import Order, OrderCharge, Store
from ledger.money import Tenk, decimal
from ledger.orders import mirror
from ledger.orders.order_posting import redraft
from ledger.posting import NOTHING, CostsMoved, Posting, hold_book
from ledger.rates import RateTable
from ledger.record import persist

CHUNK = 1_000
"""Charges decided, taken back or brought to their orders per transaction."""

Write = Callable[[list[int]], None]
"""Writes what is to become of some charges."""


class ChargeFact(Struct, frozen=True):
    """One actual cost of an order as a file tells it. `amount` is in `currency`; positive is a cost."""

    kind: ChargeKind
    order: str
    """The order's number, with or without its #, or its platform's id."""
    reference: str
    """Names it among the order's charges of its kind: the same again is the same charge."""
    amount: Tenk
    currency: str
    day: date | None = None
    """In the store's time zone; None is the order's day."""
    status: ChargeStatus = ChargeStatus.APPROVED
    partner: int | None = None
    covers: Tenk = 0
    """Of a payment fee: how much of what the customer paid it is the fee of, in `currency`; a fee given back covers nothing."""
    processor: str = ""
    """Who kept a fee: `shopify_payments`, `stripe`, `paypal`."""


class Charged(Struct, frozen=True):
    """What telling charges did; numbers are of facts, in the order given."""

    matched: int = 0
    unmatched: tuple[int, ...] = ()
    """Facts whose order is not known; their charges wait for it."""
    ambiguous: tuple[int, ...] = ()
    """Facts that more than one order fits; their charges wait as well."""
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    elsewhere: tuple[int, ...] = ()
    """Fees of payments whose orders were paid otherwise than through the processor that tells them."""
    left_out: int = 0
    """Labels and fees of orders whose platform states them itself: kept, not booked."""
    held: int = 0
    """Orders that wait for an exchange rate."""
    entries: int = 0


class _Plan(NamedTuple):
    """What facts do to the charges that stand."""

    new: list[OrderCharge]
    changed: list[OrderCharge]
    homes: list[int | None]
    """The order of each fact; None while it waits."""
    ambiguous: list[int]

    @property
    def orders(self) -> set[int]:
        """Return the orders whose charges move."""
        return {charge.order_id for charge in (*self.new, *self.changed) if charge.order_id is not None}


def record_charges(
    store: Store, facts: Sequence[ChargeFact], *, cause_ref: str, actor: str, now: datetime, adopt: bool = False, kind: CauseKind = CauseKind.IMPORT
) -> Charged:  # fmt: skip
    """Record what a file charges orders with, post what that changes, and return what it did.

    One transaction (a savepoint within the caller's), so at most a few thousand facts a call. The same facts again
    change nothing; a fact about a known charge changes it. A status that a person decided stands until the file
    tells another one. With `adopt`, charges that stay the same are this import's from now on too. Raises Contended
    as `record()` does.
    """
    facts = [_clean(fact) for fact in facts]
    if len({_key(fact) for fact in facts}) < len(facts):
        raise ValueError("two facts of one call tell of the same charge")
    return persist(store, lambda: _record(store, facts, Telling(kind, cause_ref, actor, now, adopt)))


def look(store: Store, facts: Sequence[ChargeFact]) -> Charged:
    """Say what recording facts would do; write nothing."""
    facts = [_clean(fact) for fact in facts]
    plan = _plan(store, facts, None)
    return _charged(store, plan, facts, held=_without_rate(store, facts, plan.homes))


def _without_rate(store: Store, facts: Sequence[ChargeFact], homes: Sequence[int | None]) -> int:
    """Count the orders that would leave every figure and wait, since a charge to be booked is in a currency without a rate for its day."""
    foreign = [(fact, home) for fact, home in zip(facts, homes, strict=True) if home and fact.currency != store.currency and fact.status in BOOKED]
    if not foreign:
        return 0
    placed = dict(Order.objects.filter(store=store, pk__in={home for _, home in foreign}).values_list("pk", "day"))
    days = [(home, fact.currency, fact.day or placed[home]) for fact, home in foreign if home in placed]
    if not days:
        return 0
    table = RateTable.load(store.currency, {fact.currency for fact, _ in foreign}, min(day for *_, day in days), max(day for *_, day in days))
    return len({home for home, currency, day in days if table.find(currency, day) is None})


def decide(store: Store, ids: Collection[int], status: ChargeStatus, *, actor: str) -> Posting:
    """Give charges the status a person decided, and post what that changes, a chunk at a time."""
    cause = Cause(CauseKind.MANUAL, f"charges {status.label}", actor)
    return _in_chunks(store, ids, cause, lambda chosen: charge_rows.decide(chosen, status))


def remove(store: Store, *, ids: Collection[int] | None = None, cause_ref: str = "", cause: Cause, now: datetime) -> Posting:
    """Take charges back, or all that one import told last, and reverse their entries, a chunk at a time."""
    found = charge_rows.of_cause(store.pk, cause_ref) if ids is None else ids
    return _in_chunks(store, found, cause, lambda chosen: charge_rows.remove(chosen, now=now))


def repost_partner(store: Store, partner: int, *, cause: Cause) -> Posting:
    """Book a partner's commissions on the account of the kind that the partner is now."""
    return _in_chunks(store, charge_rows.of_partner(store.pk, partner), cause, lambda chosen: None)


def attach_waiting(store: Store, *, cause: Cause) -> int:
    """Bring charges that wait to orders that fit them by now; return how many.

    What arrives later finds its charges by itself; this is for charges that began to wait while another order fits.
    """
    last = attached = 0
    while found := charge_rows.waiting(store.pk, after=last, limit=CHUNK):
        last = found[-1].pk
        fits = charge_rows.orders_named(store.pk, {charge.order_ref for charge in found})
        homes = {charge.pk: next(iter(orders)) for charge in found if len(orders := fits.get(charge.order_ref, set())) == 1}
        attached += bring(store, homes, cause=cause) if homes else 0
    return attached


def bring(store: Store, homes: Mapping[int, int], *, cause: Cause) -> int:
    """Bring waiting charges to orders (charge → order), at most a chunk, and return how many still waited."""

    def write() -> int:
        before = mirror.load(store.pk, sorted(set(homes.values())), lock=True)
        there = {order.id for order in before if order.withdrawn is None}
        still = [charge.pk for charge in charge_rows.chosen(store.pk, homes, lock=True) if charge.order_id is None and homes[charge.pk] in there]
        charge_rows.give({pk: homes[pk] for pk in still})
        redraft(store, before, cause=cause)
        return len(still)

    return persist(store, write)


def _in_chunks(store: Store, ids: Collection[int], cause: Cause, write: Write) -> Posting:
    done = NOTHING
    ordered = sorted(ids)
    for start in range(0, len(ordered), CHUNK):
        chunk = ordered[start : start + CHUNK]
        part = persist(store, partial(_change, store, chunk, cause, write))
        done = Posting((*done.batches, *part.batches), done.added + part.added, done.reversed + part.reversed)
    return done


def _change(store: Store, ids: Sequence[int], cause: Cause, write: Write) -> Posting:
    orders = {charge.order_id for charge in charge_rows.chosen(store.pk, ids) if charge.order_id is not None}
    before = mirror.load(store.pk, sorted(orders), lock=True)
    held = charge_rows.chosen(store.pk, ids, lock=True)
    if {charge.order_id for charge in held if charge.order_id is not None} - orders:
        raise CostsMoved  # one of them found its order between the look and the lock
    write([charge.pk for charge in held])
    return redraft(store, before, cause=cause)[0]


def _record(store: Store, facts: Sequence[ChargeFact], told: Telling) -> Charged:
    plan = _plan(store, facts, told)
    if not plan.new and not plan.changed:
        return _charged(store, plan, facts)
    before = mirror.load(store.pk, sorted(plan.orders), lock=True)
    plan = _plan(store, facts, told, lock=True)
    if plan.orders - {order.id for order in before}:
        raise CostsMoved  # another writer was here between the look and the lock
    charge_rows.add(plan.new)
    charge_rows.rewrite(plan.changed)
    posting, orders = redraft(store, before, cause=told.cause)
    hold_book(store.pk)
    waiting = {fact.order for fact, home in zip(facts, plan.homes, strict=True) if home is None}
    if any(len(found) == 1 for found in charge_rows.orders_named(store.pk, waiting).values()):
        raise CostsMoved  # an order arrived that one of them waits for
    return _charged(store, plan, facts, held=sum(order.hold == Hold.RATE_MISSING for order in orders), entries=posting.added)


def _clean(fact: ChargeFact) -> ChargeFact:
    return replace(fact, order=charge_rows.bare(fact.order), reference=fact.reference.strip())


def _key(fact: ChargeFact) -> tuple[int, str, str]:
    return int(fact.kind), fact.order, fact.reference


def _plan(store: Store, facts: Sequence[ChargeFact], told: Telling | None, *, lock: bool = False) -> _Plan:
    """Compare facts with the charges that stand and find their orders."""
    kinds, refs = {int(fact.kind) for fact in facts}, {fact.order for fact in facts}
    standing = {(charge.kind, charge.order_ref, charge.reference): charge for charge in charge_rows.told_before(store.pk, kinds, refs, lock=lock)}
    named = charge_rows.orders_named(store.pk, refs)
    plan = _Plan([], [], [], [])
    for number, fact in enumerate(facts):
        charge = standing.get(_key(fact))
        fits = named.get(fact.order, set())
        home = charge.order_id if charge is not None and charge.order_id is not None else next(iter(fits)) if len(fits) == 1 else None
        plan.homes.append(home)
        if home is None and len(fits) > 1:
            plan.ambiguous.append(number)
        if charge is None:
            plan.new.append(_apply(OrderCharge(store=store, kind=fact.kind, order_ref=fact.order, reference=fact.reference), fact, home, told))
        elif _differs(charge, fact, home) or (told is not None and told.adopt and told.cause_ref != charge.cause_ref):
            plan.changed.append(_apply(charge, fact, home, told))
    return plan


def _differs(charge: OrderCharge, fact: ChargeFact, home: int | None) -> bool:
    """Tell whether a fact says something new of a charge."""
    stands = (charge.order_id, charge.partner_id, charge.told_status, charge.amount, charge.currency, charge.day, charge.covers, charge.processor)
    told = (home, fact.partner, fact.status, decimal(fact.amount), fact.currency, fact.day, decimal(fact.covers), fact.processor)
    return stands != told


def _apply(charge: OrderCharge, fact: ChargeFact, home: int | None, told: Telling | None) -> OrderCharge:
    """Let a charge be what a fact says; what a person decided stands where the file's own status is no news."""
    if charge.pk is None or charge.told_status != fact.status:
        charge.status = charge.told_status = fact.status
    charge.order_id, charge.partner_id, charge.day = home, fact.partner, fact.day
    charge.amount, charge.currency = decimal(fact.amount), fact.currency
    charge.covers, charge.processor = decimal(fact.covers), fact.processor
    if told is not None:
        charge.cause_ref, charge.actor = told.cause_ref, told.actor
        charge.added_at = charge.added_at or told.now
    return charge


def _charged(store: Store, plan: _Plan, facts: Sequence[ChargeFact], *, held: int = 0, entries: int = 0) -> Charged:
    waiting = [number for number, home in enumerate(plan.homes) if home is None]
    paid_by = charge_rows.gateways_of(store.pk, {home for fact, home in zip(facts, plan.homes, strict=True) if home and fact.covers > 0})
    labels, fees = _homes_of(ChargeKind.LABEL, facts, plan), _homes_of(ChargeKind.PAYMENT_FEE, facts, plan)
    stated, paid = charge_rows.with_stated_label(store.pk, labels), charge_rows.with_stated_fee(store.pk, fees)
    return Charged(
        matched=len(facts) - len(waiting), unmatched=tuple(number for number in waiting if number not in plan.ambiguous),
        ambiguous=tuple(plan.ambiguous), added=len(plan.new), changed=len(plan.changed),
        unchanged=len(facts) - len(plan.new) - len(plan.changed), held=held, entries=entries,
        elsewhere=tuple(
            number for number, (fact, home) in enumerate(zip(facts, plan.homes, strict=True))
            if home and fact.covers > 0 and is_paid_otherwise(paid_by.get(home, set()), fact.processor)
        ),
        left_out=sum(home in stated for home in labels) + sum(home in paid for home in fees),
    )  # fmt: skip


def _homes_of(kind: ChargeKind, facts: Sequence[ChargeFact], plan: _Plan) -> list[int]:
    """Return the known orders of the facts of a kind."""
    return [home for fact, home in zip(facts, plan.homes, strict=True) if fact.kind == kind and home is not None]
