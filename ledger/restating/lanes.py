"""Work through chunks over several connections at once: the database does the work, and a connection uses one of its cores."""

import os
import queue
from collections.abc import Callable, Generator, Iterable, Iterator
from threading import Event, Lock, Thread
from typing import Generic, TypeVar

from django.db import connection

Chunk = TypeVar("Chunk")
Result = TypeVar("Result")

LANES = min(2, os.cpu_count() or 1)
"""Two, where there are so many cores: more would wait for each other's writing, and leave nothing to pages."""


def through(chunks: Iterable[Chunk], work: Callable[[Chunk], Result], *, lanes: int) -> Generator[tuple[Chunk, Result]]:
    """Do work on each chunk and yield chunks with results as they get done; raise what the work raises, once all lanes have ended.

    One lane is this thread with its connection, in whatever transaction it is; several are threads with connections of
    their own, which see only what is committed.
    """
    if lanes == 1:
        for chunk in chunks:
            yield chunk, work(chunk)
        return
    road = _Road(chunks, work)
    threads = [Thread(target=road.drive, name=f"restating lane {number}") for number in range(lanes)]
    for thread in threads:
        thread.start()
    try:
        yield from road.arrivals(lanes)
    finally:
        road.closed.set()
        for thread in threads:
            thread.join()
    if road.failure is not None:
        raise road.failure


class _Road(Generic[Chunk, Result]):
    """What the lanes share: the chunks that are left, what arrived, and whether to end."""

    def __init__(self, chunks: Iterable[Chunk], work: Callable[[Chunk], Result]) -> None:
        self.closed = Event()
        self.failure: BaseException | None = None
        self._left, self._turn, self._work = iter(chunks), Lock(), work
        self._arrived: queue.Queue[tuple[Chunk, Result] | None] = queue.Queue()

    def drive(self) -> None:
        """Take chunks until there are none, or the road is closed."""
        try:
            while not self.closed.is_set():
                with self._turn:
                    chunk = next(self._left)
                self._arrived.put((chunk, self._work(chunk)))
        except StopIteration:
            pass
        except BaseException as error:
            self.failure = self.failure or error
            self.closed.set()
        finally:
            connection.close()
            self._arrived.put(None)

    def arrivals(self, lanes: int) -> Iterator[tuple[Chunk, Result]]:
        """Yield what arrives until every lane has ended."""
        while lanes:
            arrived = self._arrived.get()
            if arrived is None:
                lanes -= 1
            else:
                yield arrived
