"""Check facts for the types that they promise: mappers make them of whatever came, and nothing looks when a fact is made."""

import re
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.msgpack import Decoder

from connectors.faults import BadPayload
from connectors.recording import DOORS

_encode = msgspec.msgpack.Encoder().encode
_DECODERS: dict[type, Callable[[bytes], Any]] = {door.type: Decoder(door.type).decode for door in DOORS}


def check(fact: Any) -> None:
    """Raise BadPayload, which says where, for a fact with a value of another type, a time without a zone, or of no type that the ledger takes.

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
