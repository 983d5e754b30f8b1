"""Have a platform and files tell of people who buy, and compare all of the database before and after."""

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import connection as database
from django.utils import timezone

from connectors.models import Connection, PrivacyCase
from connectors.platforms.shopify.connector import SHOPIFY
from connectors.privacy import cases, take
from connectors.privacy.sought import Sought
from connectors.reading import archive, parking, recording
from connectors.reading.taking import Received, context_of, read
from connectors.spec import PrivacyRequest
from ledger.models import Store
from profitpeek.jobs.models import Job
from profitpeek.jobs.running import run
from tests.connectors import shopify_files
from tests.connectors.shopify.records import agreement, an_order, sold

NOW = datetime.fromisoformat("2026-11-25T12:00:00+00:00")


def connect(store: Store, account: str = "north.myshopify.com") -> Connection:
    """Connect a store to a shop that nobody asks anything."""
    return Connection.objects.create(
        store=store, platform="shopify", account_ref=account, label=account.partition(".")[0].capitalize(), currency="EUR", zone="UTC",
        connected_at=NOW,
    )  # fmt: skip


def bought(number: int, customer: int | None, **told: Any) -> dict[str, Any]:
    """Return an order of 100 as Shopify tells it, of one of its customers; #1001 is the order that a file of the shop calls so."""
    whose = None if customer is None else {"id": f"gid://shopify/Customer/{customer}"}
    named = {"id": f"gid://shopify/Order/{5_370_000_000_000 + number}", "name": f"#{number}", "customer": whose, **told}
    return an_order(agreement(sold("100.0")), **named)


def tell(connection: Connection, *records: dict[str, Any], now: datetime = NOW, stream: str = "orders") -> int:
    """Have a platform tell some records, as a run of a stream takes them; return how many orders changed."""
    found = read(SHOPIFY.stream(stream), [Received(record) for record in records], context_of(connection, now=now))
    archive.keep_page(connection, stream, found.named, now=now)
    counts, refused = recording.write(connection, found.mapped, now=now)
    parking.park(connection, stream, found.bad, now=now)
    assert not refused
    return counts.changed


def tell_file(store: Store, folder: Path, *orders: shopify_files.Rows) -> None:
    """Have a file tell some orders."""
    shopify_files.take(store, folder, *orders)


def ask_by_platform(connection: Connection, kind: Any = "erase_person", *, person: str = "42", orders: Sequence[str] = ()) -> PrivacyCase:
    """Have a platform ask, and do what it asks; return the case as it is then."""
    take(connection, PrivacyRequest(kind, person, tuple(orders)), delivery_id=f"delivery-{PrivacyCase.objects.count()}", now=timezone.now())
    return done(PrivacyCase.objects.latest("pk"))


def ask_by_page(store: Store, kind: str = "erase_person", *, identities: Sequence[str] = (), orders: Sequence[str] = ()) -> PrivacyCase:
    """Have an owner look, confirm, and have it done."""
    case = cases.ask(store, kind, Sought(identities=list(identities), orders=list(orders)), actor="ann@example.com", now=timezone.now())
    cases.confirm(case)
    return done(case)


def done(case: PrivacyCase) -> PrivacyCase:
    """Do the job of a case, and return the case as it is then."""
    case.refresh_from_db()
    assert case.job is not None
    run(case.job)
    case.refresh_from_db()
    return case


def job_of(case: PrivacyCase) -> Job:
    """Return a case's job."""
    return Job.objects.get(pk=case.job)


Rows = dict[str, dict[str, dict[str, Any]]]
IGNORED = ("django_session", "jobs_job", "django_q_ormq", "connectors_privacycase", "connectors_privacycopy")
"""Tables that say what was asked and done."""


def everything() -> Rows:
    """Return all rows of all tables, by table and key."""
    found: Rows = {}
    with database.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace ORDER BY 1")
        for (table,) in cursor.fetchall():
            cursor.execute(
                "SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey) "
                "WHERE i.indrelid = %s::regclass AND i.indisprimary ORDER BY 1", [table]
            )  # fmt: skip
            keys = [row[0] for row in cursor.fetchall()]
            cursor.execute(f'SELECT to_jsonb(t)::text FROM "{table}" t')
            rows = [json.loads(row[0]) for row in cursor.fetchall()]
            found[table] = {" ".join(str(row[key]) for key in keys or sorted(row)): row for row in rows}
    return found


def changes(before: Rows, after: Rows) -> dict[str, list[str]]:
    """Return what is otherwise, by table: the columns of each row that changed, rows that came (+) and went (-)."""
    told: dict[str, list[str]] = {}
    for table in sorted({*before, *after} - {*IGNORED}):
        was, now = before.get(table, {}), after.get(table, {})
        rows = [
            " ".join(name for name in row if row[name] != now[key][name]) if key in now else "-" for key, row in was.items() if now.get(key) != row
        ]
        rows += ["+"] * len(now.keys() - was.keys())
        if rows:
            told[table] = sorted(rows)
    return told
