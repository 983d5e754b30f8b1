"""Remember what takes many queries to work out and rests on nothing but the books and the cost rules, until either moves."""

from collections.abc import Callable
from datetime import date
from typing import TypeVar

from django.core.cache import caches

from ledger.models import Store

KEPT = 600
"""Seconds for which it may be remembered: the installation's defaults, products' titles, and what recent orders named (`ledger.costs.seen`)
move apart from the books."""

Found = TypeVar("Found")


def remembered(store: Store, name: str, day: date, work_out: Callable[[], Found]) -> Found:
    """Return what was worked out about a store for a day, by this process; anew once anything was booked or a rule changed."""
    book, cache = store.book, caches["process"]
    key = f"{name}:{store.pk}:{book.last_seq}:{book.costs_version}:{day}"
    found: Found | None = cache.get(key)
    if found is None:
        found = work_out()
        cache.set(key, found, timeout=KEPT)
    return found
