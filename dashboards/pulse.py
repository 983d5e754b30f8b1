"""Tell in a few bytes whether what a page shows has moved, so that an open page asks this often and for itself only when it has.

A pulse's tag is a digest of everything that moves the page: equal tags, equal figures. It is worked out by one query that reads
totals, counts and the latest row of things, never rows of orders or entries beyond one order's own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import Any

from django.db import connection
from django.urls import reverse

from ledger.kinds import SourceKind
from ledger.models import Store
from ledger.tasks import REPOST

MOST_NEWER = 1_000
"""Orders are counted no further."""


@dataclass(frozen=True, slots=True)
class Pulse:
    """What moves a page, as of one moment."""

    address: str
    """Where it is asked for again."""
    tag: str
    at: datetime
    newest: str = ""
    """The day and the id of the store's newest order; empty where there is none, and where no list of orders hangs on it."""

    @property
    def etag(self) -> str:
        """Return the tag as a header writes it."""
        return f'"{self.tag}"'


# What stands beside the book's own numbers is what parts/freshness.html, restating.html and "Needs attention" tell. The moment of the
# last answer counts by the minute: while an account is read there is one a second, and nothing else of the page moves with it.
_BOOKS = f"""
    SELECT b.store_id, b.last_seq, b.costs_version, b.restated_version,
        (%(now)s AT TIME ZONE coalesce((SELECT zone FROM ledger_storezone AS z WHERE z.store_id = b.store_id
            AND z.from_day <= (%(now)s AT TIME ZONE 'UTC')::date ORDER BY z.from_day DESC LIMIT 1), 'UTC'))::date,
        (SELECT o.day || '.' || o.id FROM ledger_order AS o WHERE o.store_id = b.store_id ORDER BY o.day DESC, o.id DESC LIMIT 1),
        (SELECT count(*) FROM ledger_order AS o WHERE o.store_id = b.store_id AND o.hold > 0),
        (SELECT ARRAY[count(*), max(f.id)] FROM ledger_finding AS f WHERE (f.book_id = b.store_id OR f.book_id IS NULL) AND f.resolved_at IS NULL),
        (SELECT ARRAY[max(i.id)::text, count(*) FILTER (WHERE i.state = 'running')::text, max(i.finished_at)::text, max(i.undone_at)::text]
            FROM connectors_fileimport AS i WHERE i.store_id = b.store_id),
        (SELECT ARRAY[string_agg(c.id || c.status, ',' ORDER BY c.id), date_trunc('minute', max(c.last_ok_at))::text]
            FROM connectors_connection AS c WHERE c.store_id = b.store_id),
        (SELECT count(*) FROM connectors_synccursor AS s JOIN connectors_connection AS c ON c.id = s.connection_id
            WHERE c.store_id = b.store_id AND s.backfilled_at IS NULL),
        (SELECT count(*) FROM connectors_parkedrecord AS p JOIN connectors_connection AS c ON c.id = p.connection_id WHERE c.store_id = b.store_id),
        CASE WHEN b.restated_version < b.costs_version THEN
            (SELECT string_agg(j.state || j.done, ',' ORDER BY j.id) FROM jobs_job AS j
                WHERE j.kind = '{REPOST.name}' AND j.key = 'store:' || b.store_id)
        END
    FROM ledger_book AS b WHERE b.store_id = ANY(%(stores)s) ORDER BY b.store_id
"""
# As many runs as the page of one account lists (connections_page.MOST_RUNS); of deliveries the ends of what waits, not how many there are.
_CONNECTIONS = """
    SELECT c.id, c.status, c.label, c.problem, c.problem_at, c.paused_until, date_trunc('minute', c.last_ok_at), c.scopes,
        (SELECT string_agg(concat_ws(':', s.id, s.seen_through, s.backfilled_at, s.done, s.whole, s.next_at), ',' ORDER BY s.id)
            FROM connectors_synccursor AS s WHERE s.connection_id = c.id),
        (SELECT string_agg(concat_ws(':', r.id, r.status, r.pages, r.records, r.changed, r.parked), ',' ORDER BY r.id)
            FROM (SELECT * FROM connectors_syncrun AS r WHERE r.connection_id = c.id ORDER BY r.started_at DESC LIMIT 40) AS r),
        (SELECT ARRAY[count(*)::text, max(p.last_at)::text] FROM connectors_parkedrecord AS p WHERE p.connection_id = c.id),
        (SELECT ARRAY[d.problem, d.refused::text, d.checked_at::text, d.topics::text] FROM connectors_webhookdoor AS d WHERE d.connection_id = c.id),
        (SELECT ARRAY[sum(t.count)::text, max(t.last_at)::text] FROM connectors_webhooktopic AS t WHERE t.connection_id = c.id),
        (SELECT ARRAY[min(w.id), max(w.id)] FROM connectors_webhookdelivery AS w WHERE w.connection_id = c.id AND w.state = 'waiting'),
        (SELECT ARRAY[min(w.id), max(w.id)] FROM connectors_webhookdelivery AS w WHERE w.connection_id = c.id AND w.state = 'dead')
    FROM connectors_connection AS c WHERE c.store_id = %(store)s ORDER BY c.id
"""
_ORDER = """
    SELECT o.id, o.hold, o.financial_status, o.cancelled_at, o.shipped, o.withdrawn_at, o.facts_digest, o.cause_ref,
        (SELECT ARRAY[count(*), max(e.seq)] FROM ledger_entry AS e
            WHERE e.book_id = o.store_id AND e.source_kind = %(kind)s AND e.source_id = o.id),
        (SELECT ARRAY[count(*), max(h.id)] FROM ledger_ordercharge AS h WHERE h.store_id = o.store_id AND h.order_id = o.id AND h.removed_at IS NULL),
        (SELECT string_agg(concat_ws(':', t.id, t.amount, t.fee, p.id, p.issued_at, p.status), ',' ORDER BY t.id) FROM ledger_balancetransaction AS t
            LEFT JOIN ledger_payout AS p
                ON p.store_id = t.store_id AND p.platform = t.platform AND p.external_id = t.payout_ref AND t.payout_ref <> ''
            WHERE t.store_id = o.store_id AND t.order_ref = o.external_id AND t.order_ref <> ''),
        (SELECT ARRAY[count(*), o.journey] FROM ledger_touch AS v WHERE v.store_id = o.store_id AND v.order_id = o.id),
        (SELECT b.restated_version < b.costs_version FROM ledger_book AS b WHERE b.store_id = o.store_id)
    FROM ledger_order AS o WHERE o.store_id = %(store)s AND o.number = ANY(%(numbers)s) ORDER BY o.id
"""
_NEWER = """
    SELECT count(*) FROM (
        SELECT FROM ledger_order WHERE store_id = %(store)s AND (day, id) > (%(day)s::date, %(id)s::bigint) LIMIT %(most)s
    ) AS newer
"""


def of_book(store: Store, *, now: datetime) -> Pulse:
    """Return the pulse of a store's book, its orders and how fresh they are; `now` says which day it is there."""
    rows = _asked(_BOOKS, {"stores": [store.pk], "now": now})
    return Pulse(reverse("pulse", args=[store.slug]), _digest(rows), now, newest=rows[0][5] or "")


def of_books(stores: Sequence[Store], *, chosen: str, now: datetime) -> Pulse:
    """Return the pulse of several stores together; `chosen` is what the address says of them, empty for all of a person's."""
    address = reverse("stores_pulse") + (f"?stores={chosen}" if chosen else "")
    return Pulse(address, _digest(_asked(_BOOKS, {"stores": [store.pk for store in stores], "now": now})), now)


def of_connections(store: Store, *, now: datetime) -> Pulse:
    """Return the pulse of a store's connections: how far each is read, its runs, its deliveries, and what is wrong."""
    return Pulse(reverse("connections_pulse", args=[store.slug]), _digest(_asked(_CONNECTIONS, {"store": store.pk})), now)


def of_order(store: Store, number: str, *, now: datetime) -> Pulse | None:
    """Return the pulse of the orders of a number, with or without its #; None where there is none."""
    bare = number.removeprefix("#")
    rows = _asked(_ORDER, {"store": store.pk, "numbers": [bare, f"#{bare}"], "kind": SourceKind.ORDER.value})
    return Pulse(reverse("order_pulse", args=[store.slug, number]), _digest(rows), now) if rows else None


def newer_than(store: Store, newest: str) -> int:
    """Count the orders of a store that are newer than a pulse's `newest`, at most `MOST_NEWER`; 0 for what is no such thing."""
    day, _, number = newest.partition(".")
    try:
        after: dict[str, Any] = {"day": date.fromisoformat(day), "id": int(number)}
    except ValueError:
        return 0
    if not 0 < after["id"] < 2**63:
        return 0
    return int(_asked(_NEWER, {"store": store.pk, **after, "most": MOST_NEWER})[0][0])


def _asked(sql: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


def _digest(rows: Sequence[tuple[Any, ...]]) -> str:
    return sha256(repr(rows).encode()).hexdigest()[:32]
