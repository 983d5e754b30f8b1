"""Make the copy of what is held of a person: a ZIP file with everything as JSON, the same as tables, and what it is in plain words."""

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from connectors.files.imported_rows import CUSTOMER, fields_of
from connectors.files.kind import Progress
from connectors.models import ParkedRecord, RawPayload
from connectors.privacy.cutting import Search
from connectors.privacy.sought import Sought, customer_place, plain, platform_of, rows_of, whose, whose_of
from connectors.reading import archive, parking
from connectors.reading.received import called
from ledger.erasure import privacy
from ledger.kinds import Evidence, PaymentKind, PaymentStatus, SaleKind, SaleType, TouchKind
from ledger.models import Store
from ledger.sealing import Unsealable

NOT_HELD = """\
Not held, and so not in here: names, e-mail addresses, telephone numbers, streets, what was written in notes, cards and bank accounts. They are
cut before anything is kept. Who bought is known by a keyed hash only, which joins the orders of one buyer and cannot be turned back; the
hash itself is of no use to anybody without the key, and is left out.

Also left out: what the orders cost the store (purchase prices, fees, labels) and the profit made of them, which are the store's own.
Backups of the installation that were made before hold what it held then. The shop's platform, payment processors and advertising platforms
hold data of their own; ask them as well.
"""
TABLES: dict[str, tuple[str, tuple[str, ...]]] = {
    "orders.csv": (
        "", ("number", "platform", "external_id", "placed_at", "currency", "country", "region", "stated_total", "stated_refunded", "cancelled_at",
             "discount_codes", "shipping_method", "grams"),
    ),
    "goods.csv": ("lines", ("sku", "title", "quantity", "unit_price")),
    "sales.csv": ("sales", ("happened_at", "how", "what", "quantity", "net", "discount", "tax")),
    "visits.csv": ("visits", ("happened_at", "kind", "source", "medium", "campaign", "term", "content", "click_ids", "landing", "referrer")),
    "payments.csv": ("payments", ("processed_at", "kind", "status", "gateway", "amount")),
}  # fmt: skip
"""The tables, what they are made of under each order, and their columns."""
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


class Made(NamedTuple):
    """A copy, what it is about, and what is in it."""

    body: bytes
    about: bytes
    counts: dict[str, int]


def make(store: Store, sought: Sought, notes: Sequence[str], *, now: datetime, progress: Progress) -> Made:
    """Gather everything that is held of a person, and pack it."""
    search = Search(store, sought, sought.hashes, now)
    orders = [_worded(order) for order in privacy.told_orders(store, sought.ids)]
    held: dict[str, list[Any]] = {
        "customers": privacy.told_customers(store, sought.customers),
        "orders": orders,
        "received": list(_received(search, progress)),
        "imported": list(_imported(search, progress)),
        "parked": list(_parked(search)),
    }  # fmt: skip
    counts = {name: len(rows) for name, rows in held.items() if rows}
    told = {"store": store.name, "made_at": now, "notes": list(notes), **held}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as files:
        _add(files, "README.txt", _readme(store, counts, notes, now), now)
        _add(files, "data.json", msgspec.json.format(msgspec.json.encode(told), indent=2).decode(), now)
        for name, (under, columns) in TABLES.items():
            _add(files, name, _table(orders, under, columns), now)
    return Made(packed.getvalue(), msgspec.json.encode(list(sought.found)), counts)


def _add(files: zipfile.ZipFile, name: str, text: str, now: datetime) -> None:
    files.writestr(zipfile.ZipInfo(name, now.timetuple()[:6]), text, zipfile.ZIP_DEFLATED)


def _worded(order: dict[str, Any]) -> dict[str, Any]:
    """Return an order with words where the database has numbers."""
    for sale in order["sales"]:
        sale["how"], sale["what"] = SaleKind(sale["how"]).label, SaleType(sale["what"]).label
    for payment in order["payments"]:
        payment["kind"], payment["status"] = PaymentKind(payment["kind"]).label, PaymentStatus(payment["status"]).label
    for visit in order["visits"]:
        visit["kind"], visit["evidence"] = TouchKind(visit["kind"]).label, Evidence(visit["evidence"]).label
        del visit["order"], visit["code"]
    order["references"] = [row["reference"] for row in order["references"]]
    return plain(order)


def _received(search: Search, progress: Progress) -> Iterator[dict[str, Any]]:
    payloads = RawPayload.objects.filter(connection__store=search.store).select_related("connection").order_by("pk")
    for number, payload in enumerate(payloads.iterator(chunk_size=10)):
        progress("records as platforms told them", number, 0)
        how = whose_of(payload)
        if how is None or payload.connection is None:
            continue
        try:
            records = archive.records_of(payload)
        except Unsealable:
            continue
        for name, record in records:
            if search.sought.is_told(how, payload.connection.platform, name) or search.name_for(how.identity(record)):
                yield {"from": called(payload.connection), "received_at": payload.received_at, "record": record}


def _imported(search: Search, progress: Progress) -> Iterator[dict[str, Any]]:
    hexes = set(search.sought.found)
    payloads = RawPayload.objects.filter(file_import__store=search.store).select_related("file_import").order_by("pk")
    for number, payload in enumerate(payloads.iterator(chunk_size=10)):
        progress("rows as files told them", number, 0)
        row, place = payload.file_import, customer_place(payload)
        assert row is not None  # noqa: S101  the query's condition
        fields = fields_of(row)
        try:
            orders = rows_of(payload) if fields else []
        except Unsealable:
            continue
        for name, rows in orders:
            if search.sought.is_in_file(platform_of(payload), name) or (
                place is not None and any(place < len(cells) and cells[place] in hexes for cells in rows)
            ):
                for cells in rows:
                    told = {title: text for (field, title), text in zip(fields.items(), cells, strict=False) if text and field != CUSTOMER}
                    yield {"file": row.filename, "imported_at": row.started_at, "row": told}


def _parked(search: Search) -> Iterator[dict[str, Any]]:
    for row in ParkedRecord.objects.filter(connection__store=search.store).select_related("connection").order_by("pk"):
        how = whose(row.connection, row.stream)
        try:
            record = parking.body_of(row)
        except Unsealable:
            continue
        if how is not None and (search.sought.is_told(how, row.connection.platform, row.external_id) or search.name_for(how.identity(record))):
            yield {"from": called(row.connection), "received_at": row.last_at, "record": record}


def _table(orders: Iterable[Mapping[str, Any]], under: str, columns: Sequence[str]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["order", *columns] if under else columns)
    for order in orders:
        for row in order[under] if under else [order]:
            cells = [_cell(row[name]) for name in columns]
            writer.writerow([_cell(order["number"]), *cells] if under else cells)
    return out.getvalue()


def _cell(value: Any) -> str:
    """Write a value so that no spreadsheet takes it for a formula; amounts are figures, a minus and all."""
    text = " ".join(value) if isinstance(value, list) else "" if value is None else str(value)
    is_figure = text.removeprefix("-").replace(".", "", 1).isdigit()
    return f"'{text}" if text.startswith(FORMULA_STARTS) and not is_figure else text


def _readme(store: Store, counts: Mapping[str, int], notes: Sequence[str], now: datetime) -> str:
    found = {
        "customers": "customers, each known by a keyed hash", "orders": "orders", "received": "records as platforms told them",
        "imported": "rows as files told them", "parked": "records that wait to be understood",
    }  # fmt: skip
    lines = [
        f"What {store.name} holds of a person in ProfitPeek, as of {now:%d %B %Y, %H:%M} UTC.", "",
        *(f"{counts.get(name, 0):>8,}  {label}" for name, label in found.items()), "",
        f"data.json has all of it; {', '.join(TABLES)} show the orders as tables.", "", *(f"{note}\n" for note in notes),
        NOT_HELD,
    ]  # fmt: skip
    return "\n".join(lines)
