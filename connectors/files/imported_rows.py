"""Find the rows of an order as files told them, in the sealed archive of the imports."""

import re
import zlib
from collections.abc import Collection, Iterable, Sequence

from msgspec import DecodeError, Struct

from connectors.files.costs.cost_imports import CHARGES
from connectors.files.orders.order_line_imports import KIND as ORDER_LINES
from connectors.files.orders.shopify_orders import SHOPIFY_ORDERS
from connectors.files.orders.shopify_transactions import SHOPIFY_TRANSACTIONS
from connectors.files.spool import unpack
from connectors.models import FileImport, RawPayload
from connectors.platforms.files import order_lines
from connectors.platforms.files.fee_columns import DIALECTS
from connectors.platforms.files.shopify import columns, transactions
from connectors.reading.archive import keys_of
from ledger.models import Store
from ledger.sealing import Unsealable, unseal

MOST_IMPORTS = 5
"""Imports that are opened for one order, the latest first."""
MOST_OPENED = 20
"""Payloads opened in search of an order, of imports from before payloads said which orders they hold."""
MOST_ROWS = 100
HASHED = "known by a keyed hash"
SHEETS = CHARGES | {name: dialect.kind for name, dialect in DIALECTS.items()}
"""Kinds of files whose kept rows are the number of the line, then their fields."""
CUSTOMER = "customer"
"""The field that holds a buyer's keyed hash, in every format."""
SHOPIFY_WORDS = {
    "line_number": "Line", "country": "Country", "region": "Province", "tax_names": "Taxes' names", "references": "Payment references",
    CUSTOMER: "Buyer",
}  # fmt: skip
_REF = re.compile(r"\bimport:(\d{1,15})\b")


class ImportedRows(Struct, frozen=True):
    """What one import says of an order: the names of the columns, and the rows. `problem` says why there are none."""

    file: FileImport
    header: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    problem: str = ""


def imports_named(store: Store, refs: Iterable[str]) -> dict[str, FileImport]:
    """Return the imports that causes name (`import:17`, `undo of import:17`), by that text."""
    named = {ref: int(found[1]) for ref in refs if (found := _REF.search(ref))}
    imports = FileImport.objects.filter(store=store).in_bulk(set(named.values()))
    return {ref: imports[pk] for ref, pk in named.items() if pk in imports}


def rows_of_order(imports: Collection[FileImport], names: Collection[str]) -> list[ImportedRows]:
    """Return what imports archived of an order that their files call by one of the names, the latest import first."""
    latest = sorted(imports, key=lambda row: -row.pk)[:MOST_IMPORTS]
    keys = keys_of(names)
    pieces: dict[int | None, list[RawPayload]] = {}
    for payload in RawPayload.objects.filter(file_import__in=latest, keys__overlap=keys).order_by("number"):
        pieces.setdefault(payload.file_import_id, []).append(payload)
    missing = [row.pk for row in latest if row.pk not in pieces]
    for payload in RawPayload.objects.filter(file_import__in=missing, keys=[]).order_by("file_import", "number")[:MOST_OPENED] if missing else ():
        pieces.setdefault(payload.file_import_id, []).append(payload)
    return [_opened(row, pieces.get(row.pk, []), frozenset(names)) for row in latest]


def _opened(row: FileImport, pieces: Sequence[RawPayload], names: frozenset[str]) -> ImportedRows:
    try:
        found = [kept for piece in pieces for name, rows in unpack(unseal(bytes(piece.body))) if name in names for kept in rows]
    except Unsealable:
        return ImportedRows(row, problem="What this import kept is sealed with a key that is no longer in FIELD_KEYS.")
    except (DecodeError, zlib.error):
        return ImportedRows(row, problem="What this import kept is not written as rows of an order.")
    if not found:
        return ImportedRows(row, problem="No row of this order is in what this import kept: it told what another import had told before.")
    return _table(row, found[:MOST_ROWS])


def _table(row: FileImport, rows: Sequence[Sequence[str]]) -> ImportedRows:
    """Name the columns as the file does and leave out those that are empty in every row."""
    fields = fields_of(row)
    names = [*fields.values(), *(f"Column {place + 1}" for place in range(len(fields), max(len(one) for one in rows)))]
    shown = [place for place, _ in enumerate(names) if any(place < len(one) and one[place] for one in rows)]
    secret = list(fields).index(CUSTOMER) if CUSTOMER in fields else None
    cells = tuple(tuple((HASHED if one[place] and place == secret else one[place]) if place < len(one) else "" for place in shown) for one in rows)
    return ImportedRows(row, tuple(names[place] for place in shown), cells)


def fields_of(row: FileImport) -> dict[str, str]:
    """Return what the texts of an import's kept rows are, in their order, each with the name of its column in the file."""
    told = row.template.get("columns")
    headers: dict[str, str] = told if isinstance(told, dict) else {}
    if row.kind == SHOPIFY_ORDERS:
        return {field: columns.COLUMNS.get(field) or SHOPIFY_WORDS.get(field, field) for field in columns.Row._fields}
    if row.kind == SHOPIFY_TRANSACTIONS:
        return {field: transactions.COLUMNS.get(field) or SHOPIFY_WORDS.get(field, field) for field in transactions.Row._fields}
    if row.kind in SHEETS:
        return {"line": "Line"} | {field.name: headers.get(field.name) or field.called for field in SHEETS[row.kind].fields}
    return {field: headers.get(field) or field for field in order_lines.FIELDS} if row.kind == ORDER_LINES else {}
