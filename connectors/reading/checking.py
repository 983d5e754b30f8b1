"""Check facts for the types that they promise and for days that pages show: mappers make them of whatever came, and nothing looks then."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.msgpack import Decoder

from connectors.faults import BadPayload
from connectors.reading.recording import DOORS
from ledger.facts import AdDayFact, BalanceFact, OrderFact, PayoutFact
from ledger.models.rules import FIRST_YEAR, LAST_YEAR

_encode = msgspec.msgpack.Encoder().encode
_DECODERS: dict[type, Callable[[bytes], Any]] = {door.type: Decoder(door.type).decode for door in DOORS}


FIRST, LAST = datetime(FIRST_YEAR, 1, 2, tzinfo=UTC), datetime(LAST_YEAR, 12, 30, tzinfo=UTC)
"""What is dated outside is on no page, whatever the store's time zone."""
AHEAD = timedelta(days=2)
"""By how much what has happened may be dated later than it is now: clocks differ, and days begin at other times elsewhere."""


def check(fact: Any, *, now: datetime) -> None:
    """Raise BadPayload, which says where, for a fact with a value of another type, a time without a zone, or of no type that the ledger takes,
    and for what is dated on a day that no page shows, or that has not come yet.

    A few millionths of a second for an order, so that every fact is checked: a wrong type is not always refused later
    on, but may be added up.
    """
    decode = _DECODERS.get(type(fact))
    if decode is None:
        raise BadPayload(f"It was made into a {type(fact).__name__}, which the ledger does not take.")
    try:
        decode(_encode(fact))
    except msgspec.ValidationError as error:
        said, _, path = str(error).partition(" - at ")
        raise BadPayload(f"{_place(fact, path)} is not what the ledger takes: {said[:1].lower()}{said[1:]}.") from error
    except (TypeError, ValueError, OverflowError) as error:
        raise BadPayload(f"It was made into values that the ledger does not take: {error}.") from error

    _check_days(fact, now)


def _check_days(fact: Any, now: datetime) -> None:
    """Raise BadPayload for what is dated before all pages, and for what has happened on a day that has not come yet."""
    if isinstance(fact, OrderFact):
        # By the platform's own clock where that is ahead of ours.
        latest = min(LAST, AHEAD + (now if fact.updated_at is None or fact.updated_at < now else fact.updated_at))
    else:
        # A payout is told before its day; and of its clock a processor tells nothing with a row.
        latest = min(LAST, now + AHEAD) if isinstance(fact, AdDayFact) else LAST
    for what, at in _times(fact):
        if at < FIRST:
            raise BadPayload(f"{what} on {at.date()}, and days before {FIRST_YEAR} are on no page. Correct the date where it comes from.")
        if at > latest:
            raise BadPayload(f"{what} on {at.date()}, which has not come yet. It is tried again until it has.")


def _times(fact: Any) -> Iterator[tuple[str, datetime]]:
    """Yield when things happened that a fact tells of; appointments, such as until when to answer, are none."""
    if isinstance(fact, OrderFact):
        yield "It was placed", fact.placed_at
        for sale in fact.sales:
            yield "A sale or return of it is dated", sale.happened_at
        for payment in fact.payments:
            yield "A payment of it is dated", payment.processed_at
        for cost in fact.costs:
            yield "A cost of it is dated", cost.happened_at
    elif isinstance(fact, BalanceFact):
        yield "It is dated", fact.at
    elif isinstance(fact, PayoutFact):
        yield "It is dated", fact.issued_at
    elif isinstance(fact, AdDayFact):
        yield "It is dated", datetime.combine(fact.day, datetime.min.time(), UTC)


def _place(fact: Any, path: str) -> str:
    """Name what a path of numbers, such as $[7][0], leads to."""
    at, names = fact, type(fact).__name__
    for step in re.findall(r"\[(\d+)\]|\.(\w+)", path):
        number, name = step
        if isinstance(at, Struct):
            name = name or at.__struct_fields__[int(number)]
            at, names = getattr(at, name), f"{names}.{name}"
        else:
            at, names = at[int(number)], f"{names}[{number}]"
    return names
