"""Hold a checked file's orders on disk in compressed chunks, so that memory does not grow with the file."""

import tempfile
import zlib
from collections.abc import Iterator
from types import TracebackType

import msgspec

CHUNK_ORDERS = 1_000
CHUNK_ROWS = 25_000
"""A chunk ends at so many orders or rows: one transaction and one archived payload."""
IN_MEMORY = 32_000_000

Order = tuple[str, list[tuple[str, ...]]]
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[tuple[str, list[tuple[str, ...]]]]).decode


def pack(orders: list[Order]) -> bytes:
    """Compress a chunk of orders."""
    return zlib.compress(_encode(orders), 1)


def unpack(packed: bytes) -> list[Order]:
    """Return the orders of a compressed chunk."""
    return _decode(zlib.decompress(packed))


class Spool:
    """Gathers rows into orders and orders into chunks.

    Rows of an order mostly stand together; rows that come after their order was put away are kept aside and
    added when its chunk is read.
    """

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  closed by __exit__
        self._sizes: list[int] = []
        self._seen: set[str] = set()
        self._late: dict[str, list[tuple[str, ...]]] = {}
        self._chunk: list[Order] = []
        self._current: list[tuple[str, ...]] = []
        self._number = ""
        self._rows_in_chunk = 0
        self.rows = 0

    def __enter__(self) -> "Spool":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._file.close()

    @property
    def orders(self) -> int:
        """Return how many orders the file holds."""
        return len(self._seen)

    def add(self, number: str, row: tuple[str, ...]) -> None:
        """Add one row to its order."""
        self.rows += 1
        if number != self._number:
            self._open(number)
        self._current.append(row)

    def _open(self, number: str) -> None:
        self._number = number
        if number in self._seen:
            waiting = next((rows for known, rows in self._chunk if known == number), None)
            self._current = waiting if waiting is not None else self._late.setdefault(number, [])
            return
        if len(self._chunk) >= CHUNK_ORDERS or self.rows - self._rows_in_chunk > CHUNK_ROWS:
            self._put_away()
        self._seen.add(number)
        self._current = []
        self._chunk.append((number, self._current))

    def _put_away(self) -> None:
        packed = pack(self._chunk)
        self._file.write(packed)
        self._sizes.append(len(packed))
        self._chunk, self._rows_in_chunk = [], self.rows

    def chunks(self) -> Iterator[list[Order]]:
        """Yield the orders chunk by chunk, each with all its rows in the order of the file."""
        if self._chunk:
            self._put_away()
        self._file.seek(0)
        for size in self._sizes:
            orders = unpack(self._file.read(size))
            yield [(number, rows + [tuple(row) for row in self._late.get(number, ())]) for number, rows in orders] if self._late else orders
