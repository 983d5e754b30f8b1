"""Lay out for SQL what the rules say of every variant of a store, day by day.

They lie in tables of the connection (`cogs_decision`, and `cogs_terms` with what they were read at), because a restating
applies them chunk after chunk, each in a transaction of its own.
"""

from datetime import date
from typing import Any

from django.db import connection
from msgspec import Struct
from msgspec.structs import replace

from ledger.book.pgcopy import array
from ledger.costs.costing import Costing, Segment
from ledger.models import Book, CostDefaults, Store

# Variant 0 stands for all without rules of their own. Days are day numbers; amounts and percentages count ten-thousandths.
# Without either, the cost is in another currency than the book's: no unit cost can be told from the row.
_MAKE = """
    CREATE TEMP TABLE IF NOT EXISTS cogs_decision (
        variant bigint, first_day int, last_day int, source smallint, amount numeric, percentage numeric, PRIMARY KEY (variant, first_day)
    );
    CREATE TEMP TABLE IF NOT EXISTS cogs_terms (store int, costs_version bigint, newest_variant bigint, variants bigint);
"""
_WITH_RULES = """
    SELECT v.id, v.product_id FROM ledger_variant v WHERE v.store_id = %(store)s AND (
        v.id IN (SELECT variant_id FROM ledger_variantcost WHERE store_id = %(store)s AND removed_by_id IS NULL)
        OR v.id IN (SELECT bundle_id FROM ledger_bundlepart WHERE store_id = %(store)s AND removed_by_id IS NULL)
        OR v.product_id IN (SELECT product_id FROM ledger_cogsrule WHERE store_id = %(store)s AND removed_by_id IS NULL)
    )
"""
# A variant of a lower number than the newest may come later: what was decided without it is decided again.
_KNOWN = """
    SELECT newest_variant FROM cogs_terms t WHERE store = %s AND costs_version = %s
    AND variants = (SELECT count(*) FROM ledger_variant v WHERE v.store_id = t.store AND v.id <= t.newest_variant)
"""
_FILL = "INSERT INTO cogs_decision SELECT * FROM unnest(%s::bigint[], %s::int[], %s::int[], %s::smallint[], %s::numeric[], %s::numeric[])"


class Decided(Struct, frozen=True):
    """What the rules of a moment say of every variant, and the newest variant there was, and how many."""

    newest_variant: int
    variants: int
    columns: tuple[list[Any], ...]


class Terms(Struct, frozen=True):
    """What a chunk is restated by: the costs version and closed days of the book, and the newest variant the decisions know."""

    costs_version: int
    closed_through: date | None
    newest_variant: int


def lay_out(store: Store) -> Terms:
    """Bring the decisions up to the book's costs version, unless they are there already, and return the terms.

    The version is read first, so a rule that changes meanwhile is noticed when the chunk is written.
    """
    version, closed = Book.objects.values_list("costs_version", "closed_through").get(pk=store.pk)
    with connection.cursor() as cursor:
        cursor.execute(_MAKE)
        cursor.execute(_KNOWN, [store.pk, version])
        known = cursor.fetchone()
    if known is None:
        return _lay_out(store, decide(store), version, closed)
    return Terms(version, closed, known[0])


def lay_out_tried(store: Store, decided: Decided) -> Terms:
    """Lay out what was decided by rules that are only tried, for looking at orders; no restating takes it for what holds."""
    version, closed = Book.objects.values_list("costs_version", "closed_through").get(pk=store.pk)
    with connection.cursor() as cursor:
        cursor.execute(_MAKE)
    return replace(_lay_out(store, decided, None, closed), costs_version=version)


def forget() -> None:
    """Drop the decisions: a later run reads the rules anew."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS cogs_decision, cogs_terms")


def decide(store: Store) -> Decided:
    """Resolve the rules that hold now, in this transaction, into spans of days for every variant that has some of its own."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0), count(*) FROM ledger_variant WHERE store_id = %s", [store.pk])
        newest, count = cursor.fetchone()
        cursor.execute(_WITH_RULES, {"store": store.pk})
        products: dict[int, int | None] = dict(cursor.fetchall())
    costing = _costing(store)
    rows: list[tuple[int, Segment]] = [(0, segment) for segment in costing.segments(None, None)]
    rows += [(variant, segment) for variant, product in products.items() for segment in costing.segments(variant, product)]
    exact = [segment.amount if segment.currency == costing.currency else None for _, segment in rows]
    columns: tuple[list[Any], ...] = (
        [variant for variant, _ in rows], [segment.first for _, segment in rows], [segment.last for _, segment in rows],
        [segment.source for _, segment in rows], exact, [segment.percentage for _, segment in rows],
    )  # fmt: skip
    return Decided(newest, count, columns)


def _lay_out(store: Store, decided: Decided, version: int | None, closed: date | None) -> Terms:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE cogs_decision, cogs_terms")
        cursor.execute(_FILL, [array(column) for column in decided.columns])
        cursor.execute("ANALYZE cogs_decision")
        cursor.execute("INSERT INTO cogs_terms VALUES (%s, %s, %s, %s)", [store.pk, version, decided.newest_variant, decided.variants])
    return Terms(version or 0, closed, decided.newest_variant)


def _costing(store: Store) -> Costing:
    defaults = CostDefaults.current()
    return Costing.load(store, defaults, variants=None, products=None)
