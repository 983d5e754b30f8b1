"""Move the daily totals with the entries, and recompute them from the entries."""

from typing import NamedTuple

from django.db import connection

from ledger import accounts
from ledger.book import bound
from ledger.book.pgcopy import array
from ledger.kinds import Basis
from ledger.money import Tenk

Rows = list[tuple[int, ...]]
"""Keys and sums, in the order of the table's columns."""

PRODUCT_COLUMNS = ("gross_sales", "discounts", "returns", "cogs", "estimated_cogs", "units", "returned_units")
_PRODUCT_INDEX = {account: PRODUCT_COLUMNS.index(column) for account, column in accounts.PRODUCT_COLUMNS.items()}
_EVENT, _ORDER = Basis.EVENT.value, Basis.ORDER.value
_ESTIMATED_COGS = PRODUCT_COLUMNS.index("estimated_cogs")


class Movement:
    """Gathers what new entries add to the totals, so that each total is touched once a batch."""

    def __init__(self) -> None:
        self._by_account: dict[tuple[int, int, int, int, int, bool], Tenk] = {}
        self._by_variant: dict[tuple[int, int, int, int, bool], Tenk] = {}

    def add(
        self, day: int, order_day: int | None, account: int, channel: int, country: int, variant: int | None, amount: Tenk, estimated: bool
    ) -> None:
        """Count one new entry; an entry without an order counts on its own day in both bases."""
        ordered = day if order_day is None else order_day
        key = (day, ordered, account, channel, country, estimated)
        sums = self._by_account
        sums[key] = sums.get(key, 0) + amount
        if variant is not None and account in _PRODUCT_INDEX:
            product = (day, ordered, variant, account, estimated)
            products = self._by_variant
            products[product] = products.get(product, 0) + amount

    def write(self, book_id: int) -> None:
        """Add everything gathered to the totals, in key order; the caller holds the book."""
        days, countries = self._fold()
        _upsert("ledger_daytotal", ("basis", "day", "account", "channel"), ("amount", "estimated_amount"), book_id, days.rows())
        _upsert("ledger_countrydaytotal", ("basis", "day", "country", "account"), ("amount", "estimated_amount"), book_id, countries.rows())
        _upsert("ledger_productdaytotal", ("basis", "day", "variant"), PRODUCT_COLUMNS, book_id, self._fold_products())

    def _fold(self) -> tuple["_Sums", "_Sums"]:
        days, countries = _Sums(), _Sums()
        for (day, ordered, account, channel, country, estimated), amount in self._by_account.items():
            days.add((_EVENT, day, account, channel), amount, estimated)
            days.add((_ORDER, ordered, account, channel), amount, estimated)
            countries.add((_EVENT, day, country, account), amount, estimated)
            countries.add((_ORDER, ordered, country, account), amount, estimated)
        return days, countries

    def _fold_products(self) -> Rows:
        products: dict[tuple[int, ...], list[Tenk]] = {}
        for (day, ordered, variant, account, estimated), amount in self._by_variant.items():
            index = _PRODUCT_INDEX[account]
            for basis, on in ((_EVENT, day), (_ORDER, ordered)):
                key = (basis, on, variant)
                row = products.get(key) or products.setdefault(key, [0] * len(PRODUCT_COLUMNS))
                row[index] += amount
                if estimated and account == accounts.COGS_PRODUCT:
                    row[_ESTIMATED_COGS] += amount
        return sorted((*key, *row) for key, row in products.items() if any(row))


class _Sums:
    """Sums and the estimated part of each, by key."""

    def __init__(self) -> None:
        self._amounts: dict[tuple[int, ...], Tenk] = {}
        self._guesses: dict[tuple[int, ...], Tenk] = {}

    def add(self, key: tuple[int, ...], amount: Tenk, estimated: bool) -> None:
        self._amounts[key] = self._amounts.get(key, 0) + amount
        if estimated:
            self._guesses[key] = self._guesses.get(key, 0) + amount

    def rows(self) -> Rows:
        """Return (key, sum, estimated part) of those that move anything, in key order."""
        guess = self._guesses.get
        return sorted((*key, amount, guess(key, 0)) for key, amount in self._amounts.items() if amount or guess(key))


def _upsert(table: str, keys: tuple[str, ...], values: tuple[str, ...], book_id: int, rows: Rows) -> None:
    if not rows:
        return
    arrays = [array(column) for column in zip(*rows, strict=True)]
    picks = [f"DATE '2000-01-01' + k{i}" if key == "day" else f"k{i}" for i, key in enumerate(keys)]
    picks += [f"v{i}::numeric / 10000" for i in range(len(values))]
    names = [f"k{i}" for i in range(len(keys))] + [f"v{i}" for i in range(len(values))]
    casts = ["%s::int[]" if key == "day" else "%s::bigint[]" for key in keys] + ["%s::bigint[]"] * len(values)
    adds = ", ".join(f"{name} = t.{name} + excluded.{name}" for name in values)
    sql = (
        f"INSERT INTO {table} AS t (book_id, {', '.join(keys)}, {', '.join(values)}) "
        f"SELECT %s::int, {', '.join(picks)} FROM unnest({', '.join(casts)}) AS moved({', '.join(names)}) "
        f"ON CONFLICT (book_id, {', '.join(keys)}) DO UPDATE SET {adds}"
    )
    bound.run(sql, [book_id, *arrays])


DAY_OF_BASIS = {Basis.EVENT: "day", Basis.ORDER: "coalesce(order_day, day)"}
"""The column a basis counts on: where an entry was booked, or the day its order was placed."""


class Table(NamedTuple):
    """One table of totals: its keys besides book and basis, its sums, and which entries it counts."""

    name: str
    keys: tuple[str, ...]
    sums: dict[str, str]
    where: str = "true"


_AMOUNTS = {"amount": "sum(amount)", "estimated_amount": "coalesce(sum(amount) FILTER (WHERE estimated), 0)"}
_PRODUCT_SUMS = {column: f"coalesce(sum(amount) FILTER (WHERE account = {number}), 0)" for number, column in accounts.PRODUCT_COLUMNS.items()}
_PRODUCT_SUMS["estimated_cogs"] = f"coalesce(sum(amount) FILTER (WHERE account = {accounts.COGS_PRODUCT} AND estimated), 0)"
_PRODUCT_ACCOUNTS = ", ".join(str(number) for number in accounts.PRODUCT_COLUMNS)

TABLES: tuple[Table, ...] = (
    Table("ledger_daytotal", ("day", "account", "channel"), _AMOUNTS),
    Table("ledger_countrydaytotal", ("day", "country", "account"), _AMOUNTS),
    Table("ledger_productdaytotal", ("day", "variant"), _PRODUCT_SUMS, f"variant IS NOT NULL AND account IN ({_PRODUCT_ACCOUNTS})"),
)


def fresh_sums(table: Table, basis: Basis, entries: str = "ledger_entry") -> str:
    """Return the query that sums a book's entries the way a totals table does; its one parameter is the book."""
    keys = ", ".join(DAY_OF_BASIS[basis] + " AS day" if key == "day" else key for key in table.keys)
    sums = ", ".join(f"{sql} AS {name}" for name, sql in table.sums.items())
    numbers = ", ".join(str(i + 1) for i in range(len(table.keys)))
    return f"SELECT {keys}, {sums} FROM {entries} WHERE book_id = %s AND {table.where} GROUP BY {numbers}"


def prepare(book_id: int) -> None:
    """Sum the prepared entries (ledger/book/entries.py) into tables of this connection, so that the book need not be held for it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT account FROM prepared_entry")
        moved = {row[0] for row in cursor.fetchall()}
        for table in TABLES:
            sums = {name: sql if _moves(name, moved) else "0" for name, sql in table.sums.items()}
            columns = ", ".join(("basis", *table.keys, *table.sums))
            cursor.execute(f"CREATE TEMP TABLE IF NOT EXISTS prepared_{table.name} AS SELECT {columns} FROM {table.name} WITH NO DATA")
            cursor.execute(f"TRUNCATE prepared_{table.name}")
            some = " OR ".join(f"{name} <> 0" for name, sql in sums.items() if sql != "0") or "false"
            for basis in Basis:
                fresh = fresh_sums(table._replace(sums=sums), basis, "prepared_entry")
                cursor.execute(f"INSERT INTO prepared_{table.name} SELECT %s, * FROM ({fresh}) AS moved WHERE {some}", [basis.value, book_id])


def _moves(column: str, moved: set[int]) -> bool:
    """Tell whether entries of some accounts can move a column: those of product totals are each of one account."""
    if column == "estimated_cogs":
        return accounts.COGS_PRODUCT in moved
    return column not in PRODUCT_COLUMNS or any(accounts.PRODUCT_COLUMNS.get(account) == column for account in moved)


def move_prepared(book_id: int) -> None:
    """Add what the prepared entries sum to to the totals, in key order; the caller holds the book."""
    with connection.cursor() as cursor:
        for table in TABLES:
            keys, columns = ", ".join(("basis", *table.keys)), ", ".join(("basis", *table.keys, *table.sums))
            adds = ", ".join(f"{name} = t.{name} + excluded.{name}" for name in table.sums)
            cursor.execute(
                f"INSERT INTO {table.name} AS t (book_id, {columns}) SELECT %s, {columns} FROM prepared_{table.name} ORDER BY {keys} "
                f"ON CONFLICT (book_id, {keys}) DO UPDATE SET {adds}",
                [book_id],
            )


def recompute(book_id: int) -> int:
    """Replace a book's totals by sums over its entries and return the rows written; the caller holds the book."""
    written = 0
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"DELETE FROM {table.name} WHERE book_id = %s", [book_id])
            columns = ", ".join((*table.keys, *table.sums))
            for basis in Basis:
                cursor.execute(
                    f"INSERT INTO {table.name} (book_id, basis, {columns}) SELECT %s, %s, {columns} FROM ({fresh_sums(table, basis)}) AS fresh",
                    [book_id, basis.value, book_id],
                )
                written += cursor.rowcount
    return written
