"""Find every row of a store, in whatever table: the database's own catalogue says where, so that no table is forgotten."""

from collections.abc import Sequence
from graphlib import TopologicalSorter
from typing import NamedTuple

from django.db import connection

STORE, BOOK = "ledger_store", "ledger_book"
OWN_COLUMNS = ("store_id", "book_id")
"""Columns that hold a store's number, also where no foreign key says so: entries, totals and lines of orders have none."""

_COLUMNS = """
    SELECT c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
     WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND a.attname = ANY(%s) AND NOT a.attisdropped
"""
_KEYS = """
    SELECT child.relname, own.attname, parent.relname, other.attname
      FROM pg_constraint k
      JOIN pg_class child ON child.oid = k.conrelid
      JOIN pg_class parent ON parent.oid = k.confrelid
      JOIN pg_attribute own ON own.attrelid = k.conrelid AND own.attnum = k.conkey[1]
      JOIN pg_attribute other ON other.attrelid = k.confrelid AND other.attnum = k.confkey[1]
     WHERE k.contype = 'f' AND k.connamespace = current_schema()::regnamespace
     ORDER BY 1, 2
"""


class Place(NamedTuple):
    """One table that holds rows of stores, and the condition that finds those of one."""

    table: str
    condition: str
    """SQL; `%(store)s` stands for the store's number."""
    names_itself: bool
    """Whether rows name others of the same table, so that they can only go together."""


class _Key(NamedTuple):
    child: str
    column: str
    parent: str
    parent_column: str


def places() -> list[Place]:
    """Return every table with rows of stores, those that name others before those that are named; the store's own comes last."""
    with connection.cursor() as cursor:
        cursor.execute(_COLUMNS, [list(OWN_COLUMNS)])
        own = cursor.fetchall()
        cursor.execute(_KEYS)
        keys = [_Key(*row) for row in cursor]
    conditions = _conditions(own, keys)
    themselves = {key.child for key in keys if key.child == key.parent}
    named: dict[str, set[str]] = {table: set() for table in conditions}
    for key in keys:
        if key.child in conditions and key.parent in conditions and key.child != key.parent:
            named[key.parent].add(key.child)
    return [Place(table, conditions[table], table in themselves) for table in TopologicalSorter(named).static_order()]


def _conditions(own: Sequence[tuple[str, str]], keys: Sequence[_Key]) -> dict[str, str]:
    """Return how a store's rows are found in each table that has some: by its number, or by rows they belong to."""
    columns = {(table, column) for table, column in own} | {(key.child, key.column) for key in keys if key.parent in (STORE, BOOK)}
    found = {STORE: "id = %(store)s"}
    for table in sorted({table for table, _ in columns} - {STORE}):
        found[table] = " OR ".join(f"{_quoted(column)} = %(store)s" for of, column in sorted(columns) if of == table)
    while further := _one_step_further(found, keys):
        found |= further
    return found


def _one_step_further(found: dict[str, str], keys: Sequence[_Key]) -> dict[str, str]:
    parts: dict[str, list[str]] = {}
    for child, column, parent, parent_column in keys:
        if child not in found and parent in found:
            within = f"SELECT {_quoted(parent_column)} FROM {_quoted(parent)} WHERE {found[parent]}"
            parts.setdefault(child, []).append(f"{_quoted(column)} IN ({within})")
    return {child: " OR ".join(conditions) for child, conditions in parts.items()}


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)
