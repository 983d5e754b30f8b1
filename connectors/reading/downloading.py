"""Fetch a large file to disk: whole or not at all, within its time and at a least speed, going on where it was cut.

What has come lies beside the file as a draft. Where the server named what it sent by a validator, the next try asks for
the rest of just that; else, and where the file is packed, it begins anew.
"""

import re
import time
import zlib
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

import requests
from urllib3.exceptions import HTTPError

from connectors.faults import BadPayload, Expired, RetryLater

CONNECT_SECONDS, READ_SECONDS = 10.0, 60.0
LARGEST_FILE = 20_000_000_000
SLOW_SECONDS, SLOWEST = 60.0, 600_000
"""In so many seconds at least so many bytes have to come: a server that drips holds nobody."""
GONE = (403, 404, 410)
"""What an address that was valid for a while answers afterwards."""
GZIP = b"\x1f\x8b"
PIECE = 262_144


class Unfinished(RetryLater):
    """Says that time was up over a file, and that the next try goes on with it."""


class TooSlow(RetryLater):
    """Says that a file comes too slowly, or did not come in its time and has to begin anew."""


def fetch(session: requests.Session, label: str, address: str, to: Path, *, told: Callable[[int], None], seconds: float) -> int:
    """Write the file at an address to disk, unpacked, and return its length. `label` names who sends it; `told` hears the bytes so far.

    Raise Expired when the address is not valid any more, BadPayload when the file is too large, Unfinished or TooSlow
    after `seconds` or at less than the least speed, and RetryLater when the way broke.
    """
    draft, named = to.with_suffix(".draft"), to.with_suffix(".validator")
    validator = named.read_text() if named.exists() and draft.exists() else ""
    start = draft.stat().st_size if validator else 0
    # Unpacked on the way, a part of a file would be no part of what is on disk.
    rest = {"Range": f"bytes={start}-", "If-Range": validator, "Accept-Encoding": "identity"} if start else {}
    try:
        with session.get(address, headers=rest, timeout=(CONNECT_SECONDS, READ_SECONDS), allow_redirects=False, stream=True) as answer:
            if answer.status_code in GONE:
                raise Expired(f"The file that {label} had made is there no more ({answer.status_code}).")
            if answer.status_code != 200 and not (start and _is_rest(answer, start)):
                named.unlink(missing_ok=True)
                raise RetryLater(f"{label} answered {answer.status_code} instead of the file it had made.")
            if answer.status_code == 200:
                start = 0
                # First, so that what is left of another file is never gone on with under this one's validator.
                draft.unlink(missing_ok=True)
                _note(named, _validator(answer))
            with draft.open("ab" if start else "wb") as file:
                for size, piece in _pieces(answer, named, start=start, seconds=seconds):
                    file.write(piece)
                    told(size)
    except (requests.RequestException, HTTPError) as error:
        raise RetryLater(f"The connection to {label} broke under a file: {type(error).__name__}.") from error
    draft.replace(to)
    named.unlink(missing_ok=True)
    return to.stat().st_size


def _is_rest(answer: requests.Response, start: int) -> bool:
    """Tell whether an answer is the rest that was asked for."""
    told = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range", ""))
    return answer.status_code == 206 and told is not None and int(told[1]) == start and "Content-Encoding" not in answer.headers


def _validator(answer: requests.Response) -> str:
    """Return what tells this very file from another of its name; empty where nothing does, or where it comes packed."""
    tag = answer.headers.get("ETag", "")
    return tag if tag.startswith('"') and tag.isascii() and "Content-Encoding" not in answer.headers else ""


def _note(named: Path, validator: str) -> None:
    if validator:
        named.write_text(validator)
    else:
        named.unlink(missing_ok=True)


def _pieces(answer: requests.Response, named: Path, *, start: int, seconds: float) -> Iterator[tuple[int, bytes]]:
    """Yield a file's pieces, unpacked, each with the size up to its end, within time, size and speed."""
    size, began = start, time.monotonic()
    since, before = began, start
    for piece in _unpacked(_read(answer), named if not start else None):
        size += len(piece)
        if size > LARGEST_FILE:
            raise BadPayload(f"The file has more than {LARGEST_FILE // 1_000_000_000} GB.")
        yield size, piece
        now = time.monotonic()
        if now - since >= SLOW_SECONDS:
            if size - before < SLOWEST:
                raise TooSlow(f"Of a file only {size - before:,} bytes came in {now - since:.0f} s.")
            since, before = now, size
        if now - began >= seconds:
            raise (Unfinished if named.exists() else TooSlow)(f"A file was not whole after {seconds:.0f} s.")


def _read(answer: requests.Response) -> Iterator[bytes]:
    """Yield what is there, and not as much as was asked for: that could take for ever."""
    while piece := answer.raw.read1(PIECE, decode_content=True):
        yield piece


def _unpacked(pieces: Iterator[bytes], named: Path | None) -> Iterator[bytes]:
    """Yield a file's pieces, unpacked where it is itself a gzip file, never much more at once than was asked for."""
    first = b""
    while len(first) < len(GZIP) and (piece := next(pieces, b"")):
        first += piece
    if named is None or not first.startswith(GZIP):
        yield from chain((first,) if first else (), pieces)
        return
    _note(named, "")
    unpacker = zlib.decompressobj(wbits=31)
    for piece in chain((first,), pieces):
        left = piece
        try:
            while left:
                yield unpacker.decompress(left, PIECE)
                left = unpacker.unconsumed_tail
        except zlib.error as error:
            raise BadPayload(f"The file cannot be unpacked: {error}.") from error
    if not unpacker.eof:
        raise RetryLater("The packed file ends early.")
