"""Record facts: the one door into the ledger.

A batch of facts becomes mirror rows, drafts and entries in one transaction. What is equal to the mirror, older, or
told without a time of change of what a platform told with one, is dropped before anything is written. An order that is
known by its number alone becomes the one of that number whose id is told, before or after. Locks are taken in one order
everywhere: orders in key order, the charges of theirs (ledger/charges/charges.py), then customers, then the book (by `post`,
last and shortly), then totals.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import NamedTuple, TypeVar

import msgspec
from django.db import IntegrityError, OperationalError, connection, transaction
from msgspec.structs import replace
from psycopg.errors import DeadlockDetected, UniqueViolation

from ledger.cause import Cause
from ledger.charges import charge_rows
from ledger.days import moment
from ledger.facts import BY_NUMBER, OrderFact, known_by
from ledger.models import Store
from ledger.orders import customers, mirror, references, same_people, touches
from ledger.orders.build import Known, OrderBuilder
from ledger.orders.drafting import draft_orders, load_terms
from ledger.orders.order_posting import post_orders
from ledger.orders.rows import OrderRow
from ledger.posting import CostsMoved

ATTEMPTS = 6
"""Tries against another writer of the same orders, or a cost rule that moves meanwhile, before giving up."""

Result = TypeVar("Result")
_encode = msgspec.msgpack.Encoder().encode


class Recorded(NamedTuple):
    """What recording a batch of facts did, in orders and entries."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    held: int = 0
    entries: int = 0
    batches: tuple[int, ...] = ()


class Contended(Exception):
    """Say that other writers kept changing the same orders; try again later."""


def digest(fact: OrderFact) -> bytes:
    """Return the 16-byte digest that tells whether a fact says anything new."""
    return blake2b(_encode(fact), digest_size=16).digest()


def record(store: Store, facts: Sequence[OrderFact], *, cause: Cause, asked_at: datetime | None = None) -> Recorded:
    """Record order facts of one platform and return what changed.

    The call is one transaction (a savepoint when there is one already); on any error nothing is written.
    Recording the same facts again writes nothing. What was asked for at a moment does not revive an order that the same
    account denied later. Raises Contended when other writers do not let it through.
    """
    if len({fact.platform for fact in facts}) > 1:
        raise ValueError("the facts of one call come from one platform")
    return persist(store, lambda: _record(store, facts, cause, asked_at))


def tell_ids(store: Store, facts: Sequence[OrderFact]) -> None:
    """Tell the ids of orders of one platform that were known by their number alone, and nothing else of them. Call it in a transaction."""
    ids = {known_by(fact.number): fact.external_id for fact in facts if not fact.external_id.startswith(BY_NUMBER)}
    if ids:
        mirror.rename(store.pk, facts[0].platform, ids)


def look(store: Store, facts: Sequence[OrderFact]) -> Recorded:
    """Return what recording facts of one platform would do to their orders, and write nothing; what would be held is not told."""
    latest = _newest(facts)
    known = _known(store, latest)
    latest = {key: _with_id(fact, known.get(key)) for key, fact in latest.items()}
    news = [key for key, fact in latest.items() if _says_more(fact, digest(fact), known.get(key))]
    changed = sum(key in known for key in news)
    return Recorded(new=len(news) - changed, changed=changed, unchanged=len(latest) - len(news))


def persist(store: Store, write: Callable[[], Result]) -> Result:
    """Run a write in a transaction, again when another writer of the same rows came between."""
    for _ in range(ATTEMPTS):
        try:
            with transaction.atomic():
                return write()
        except (IntegrityError, OperationalError, CostsMoved) as error:
            if not isinstance(error, CostsMoved) and not isinstance(error.__cause__, UniqueViolation | DeadlockDetected):
                raise
    raise Contended(f"{store.slug}: other writers kept changing the same orders; try again")


def _record(store: Store, facts: Sequence[OrderFact], cause: Cause, asked_at: datetime | None) -> Recorded:
    latest = _newest(facts)
    known = _known(store, latest)
    latest = {key: _with_id(fact, known.get(key)) for key, fact in latest.items()}
    digests = {key: digest(fact) for key, fact in latest.items()}
    news = [key for key in sorted(latest) if _says_more(latest[key], digests[key], known.get(key))]
    again = same_people.hear(store.pk, {known[key].id: fact for key, fact in latest.items() if _is_overruled(fact, known.get(key))})
    if not news:
        counted = customers.count_again(store, again, cause=cause)
        return Recorded(unchanged=len(latest), entries=counted.added, batches=counted.batches)
    locked = mirror.load(store.pk, [known[key].id for key in news if key in known], lock=True)
    keys = {known[key].id: key for key in news if key in known}
    before = {keys[order.id]: order for order in locked}
    # another writer may have been here between the look and the lock
    news = [
        key for key in news
        if key not in before or (_says_more(latest[key], digests[key], _as_known(before[key])) and not _was_denied(before[key], cause, asked_at))
    ]  # fmt: skip
    builder = OrderBuilder(store, [latest[key] for key in news], before=before.values(), cause_ref=cause.ref)
    ids = iter(mirror.new_ids(sum(key not in before for key in news)))
    orders = [builder.build(latest[key], digests[key], before.get(key), before[key].id if key in before else next(ids)) for key in news]
    references.note(store.pk, {order.id: latest[key].references for order, key in zip(orders, news, strict=True)})
    charge_rows.attach(store.pk, orders)
    terms = load_terms(store, orders)
    drafts = draft_orders(orders, terms)
    replaced = [before[key] for key in news if key in before]
    mirror.write(store.pk, orders, replaced=[order.id for order in replaced])
    touches.note(store.pk, [(order, latest[key], before.get(key)) for order, key in zip(orders, news, strict=True)])
    posting = post_orders(store, orders, drafts, before=replaced, cause=cause, costs_version=terms.costs_version, count_again=again)
    if charge_rows.waiting_for(store.pk, orders):
        raise CostsMoved  # a file told of them meanwhile
    return Recorded(
        new=len(orders) - len(replaced), changed=len(replaced), unchanged=len(latest) - len(orders),
        held=sum(order.hold > 0 for order in orders), entries=posting.added, batches=posting.batches,
    )  # fmt: skip


def _newest(facts: Sequence[OrderFact]) -> dict[str, OrderFact]:
    """Keep one fact per order: the one with the latest time of change, else the last given."""
    latest: dict[str, OrderFact] = {}
    for fact in facts:
        other = latest.get(fact.external_id)
        if other is None or other.updated_at is None or fact.updated_at is None or fact.updated_at >= other.updated_at:
            latest[fact.external_id] = fact
    return latest


_KNOWN = """
    SELECT external_id, number, id, facts_digest, platform_updated_at FROM ledger_order
    WHERE store_id = %s AND platform = %s AND external_id = ANY(%s)
"""
_NUMBERED = """
    SELECT external_id, number, id, facts_digest, platform_updated_at FROM ledger_order
    WHERE store_id = %s AND platform = %s AND number = ANY(%s) ORDER BY placed_at, id
"""


def _known(store: Store, latest: Mapping[str, OrderFact]) -> dict[str, Known]:
    """Find the orders that facts are about: by id, else by the number that stands for one."""
    if not latest:
        return {}
    platform = next(iter(latest.values())).platform
    numbers = {fact.number: key for key, fact in latest.items()}
    known: dict[str, Known] = {}
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN, [store.pk, platform, [*latest, *map(known_by, numbers)]])
        found = cursor.fetchall()
        if any(key.startswith(BY_NUMBER) for key in latest):
            cursor.execute(_NUMBERED, [store.pk, platform, [fact.number for key, fact in latest.items() if key.startswith(BY_NUMBER)]])
            found += cursor.fetchall()
    for external_id, number, pk, held, updated in found:
        is_own = external_id in latest and not external_id.startswith(BY_NUMBER)
        key = external_id if is_own else numbers.get(number, "")
        if key and (is_own or key not in known):
            known[key] = Known(pk, None if held is None else bytes(held), None if updated is None else moment(updated), external_id)
    return known


def _with_id(fact: OrderFact, known: Known | None) -> OrderFact:
    """Give a fact that tells no id the one its order is known by."""
    return fact if known is None or not fact.external_id.startswith(BY_NUMBER) else replace(fact, external_id=known.external_id)


def _as_known(order: OrderRow) -> Known:
    return Known(order.id, order.digest, order.platform_updated, order.external_id)


def _was_denied(order: OrderRow, cause: Cause, asked_at: datetime | None) -> bool:
    """Tell whether an account has taken an order out, as deleted, since it was asked for what it tells now."""
    return asked_at is not None and order.withdrawn is not None and order.cause_ref == cause.ref and order.withdrawn > moment(asked_at)


def _is_overruled(fact: OrderFact, known: Known | None) -> bool:
    """Tell whether a file tells of an order that its platform has told: no news but by which name it knows the buyer."""
    return known is not None and known.updated is not None and fact.updated_at is None and fact.customer is not None


def _says_more(fact: OrderFact, held: bytes, known: Known | None) -> bool:
    """Tell whether a fact is news: not equal to what is mirrored, not older, and not a file's where a platform has told."""
    if known is None or known.digest is None:
        return True
    if known.digest == held or known.updated is None:
        return known.digest != held
    return fact.updated_at is not None and moment(fact.updated_at) >= known.updated + fact.coarse
