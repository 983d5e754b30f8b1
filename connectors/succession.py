"""Let a store go on in another currency: an account that sells in a new one is followed by two stores, each with the orders in its own.

Both read the account. An order belongs to the store in its currency; what was sold before stays where it was booked, with
whatever happens to it later. A store whose successor is opened gives up the orders that it had converted meanwhile.
"""

from bisect import bisect_right
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.db import transaction

from connectors.connections import copy_to
from connectors.faults import Denied
from connectors.models import Connection
from connectors.reading import runs
from connectors.registry import find
from ledger.book.reposting import withdraw
from ledger.cause import MOVED_BY, Cause
from ledger.facts import BalanceFact, OrderFact
from ledger.kinds import BalanceMeaning, CauseKind
from ledger.models import Order
from ledger.stores import StoreRefused, line_of, open_successor, zone_of

AT_ONCE = 500
"""Orders given up in one transaction."""


class Part(NamedTuple):
    """One of the stores that follow an account, and from when on it does."""

    store: int
    currency: str
    since: datetime


class Share:
    """Says what of an account is one store's, where several follow it one after the other."""

    def __init__(self, store: int, parts: list[Part]) -> None:
        self._store, self._parts = store, parts

    @property
    def currencies(self) -> set[str]:
        """Return the currencies in which stores follow the account."""
        return {part.currency for part in self._parts}

    @property
    def others(self) -> list[int]:
        """Return the other stores."""
        return [part.store for part in self._parts if part.store != self._store]

    def has_order(self, currency: str, placed_at: datetime) -> bool:
        """Tell whether an order is this store's: that of its currency, of several the one that followed the account when it was placed."""
        own = [part for part in self._parts if part.currency == currency] or self._parts
        return _at(own, placed_at).store == self._store

    def has(self, fact: Any) -> bool:
        """Tell whether a fact is this store's to book; what is booked with its order alone may be known to each."""
        if isinstance(fact, OrderFact):
            return self.has_order(fact.currency, fact.placed_at)
        if isinstance(fact, BalanceFact) and fact.meaning == BalanceMeaning.ADVERTISING:
            return _at(self._parts, fact.at).store == self._store
        return True


def _at(parts: list[Part], at: datetime) -> Part:
    """Return the last of some stores that followed the account at a moment; the first before any did."""
    return parts[max(bisect_right(parts, at, key=lambda part: part.since) - 1, 0)]


def share_of(connection: Connection) -> Share | None:
    """Return what of a connection's account is its store's; None where no other store follows it in another currency."""
    stores = line_of(connection.store)
    if len(stores) == 1:
        return None
    following = Connection.objects.filter(platform=connection.platform, account_ref=connection.account_ref, store__in=stores)
    since = dict(following.values_list("store", "connected_at"))
    first = datetime.min.replace(tzinfo=UTC)
    parts = [Part(store.pk, store.currency, since[store.pk] if place else first) for place, store in enumerate(stores) if store.pk in since]
    return Share(connection.store_id, parts) if len(parts) > 1 else None


def next_currency(connection: Connection) -> str:
    """Return the currency in which another store has to follow the account; empty where none has to."""
    currency = connection.currency
    if currency in ("", connection.store.currency) or line_of(connection.store)[-1].pk != connection.store_id:
        return ""
    share = share_of(connection)
    return "" if share is not None and currency in share.currencies else currency


def go_on(connection: Connection, *, actor: str, now: datetime) -> Connection:
    """Open the store that succeeds a connection's in the currency its account sells in now, and connect it; raise Denied when there is nothing to do.

    The new store reads the account by itself from then on. People keep their roles.
    """
    currency = next_currency(connection)
    if not currency:
        raise Denied(f"{connection.label or connection.account_ref} sells in a currency that has its store already.")
    try:
        with transaction.atomic():
            store = open_successor(connection.store, currency=currency, zone=connection.zone or zone_of(connection.store, now))
            fresh = copy_to(store, connection, actor=actor, now=now)
            runs.add_cursors(fresh, find(connection.platform).streams)
    except StoreRefused as refused:
        raise Denied(str(refused)) from refused
    return fresh


def give_up(connection: Connection, share: Share, *, now: datetime) -> int:
    """Take orders out of a store that are another's, such as those it had converted before that was opened; return how many."""
    told = Order.objects.filter(store=connection.store, platform=connection.platform, withdrawn_at=None, cause_ref=connection.cause_ref)
    foreign = told.exclude(currency=connection.store.currency).filter(currency__in=share.currencies).order_by("pk").values_list("pk", flat=True)
    cause = Cause(CauseKind.SYNC, f"{MOVED_BY}{connection.cause_ref}")
    given = 0
    while keys := list(foreign[:AT_ONCE]):
        withdraw(connection.store, keys, cause=cause, now=now)
        given += len(keys)
    return given


def elsewhere(share: Share, platform: str, ids: list[str]) -> set[str]:
    """Return which of some orders are booked in another store that follows the account."""
    return set(
        Order.objects.filter(store__in=share.others, platform=platform, external_id__in=ids, withdrawn_at=None).values_list("external_id", flat=True)
    )
