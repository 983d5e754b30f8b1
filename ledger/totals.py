"""Move the daily totals with the entries, and recompute them from the entries."""

from collections.abc import Iterable

from django.db import connection

from ledger import accounts
from ledger.kinds import Basis
from ledger.money import Tenk
from ledger.pgcopy import array

Sums = dict[tuple[int, ...], list[Tenk]]

PRODUCT_COLUMNS = ("gross_sales", "discounts", "returns", "cogs", "estimated_cogs", "units", "returned_units")
_PRODUCT_INDEX = {account: PRODUCT_COLUMNS.index(column) for account, column in accounts.PRODUCT_COLUMNS.items()}
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
        days, countries, products = self._fold()
        _upsert("ledger_daytotal", ("basis", "day", "account", "channel"), ("amount", "estimated_amount"), book_id, days)
        _upsert("ledger_countrydaytotal", ("basis", "day", "country", "account"), ("amount", "estimated_amount"), book_id, countries)
        _upsert("ledger_productdaytotal", ("basis", "day", "variant"), PRODUCT_COLUMNS, book_id, products)

    def _fold(self) -> tuple[Sums, Sums, Sums]:
        days: Sums = {}
        countries: Sums = {}
        products: Sums = {}
        for (day, ordered, account, channel, country, estimated), amount in self._by_account.items():
            guess = amount if estimated else 0
            for basis, on in ((Basis.EVENT.value, day), (Basis.ORDER.value, ordered)):
                for sums, key in ((days, (basis, on, account, channel)), (countries, (basis, on, country, account))):
                    row = sums.setdefault(key, [0, 0])
                    row[0] += amount
                    row[1] += guess
        for (day, ordered, variant, account, estimated), amount in self._by_variant.items():
            index = _PRODUCT_INDEX[account]
            for key in ((Basis.EVENT.value, day, variant), (Basis.ORDER.value, ordered, variant)):
                row = products.get(key) or products.setdefault(key, [0] * len(PRODUCT_COLUMNS))
                row[index] += amount
                if estimated and account == accounts.COGS_PRODUCT:
                    row[_ESTIMATED_COGS] += amount
        return days, countries, products


def _upsert(table: str, keys: tuple[str, ...], values: tuple[str, ...], book_id: int, sums: Sums) -> None:
    rows = sorted((key, row) for key, row in sums.items() if any(row))
    if not rows:
        return
    arrays = [array(key[i] for key, _ in rows) for i in range(len(keys))]
    arrays += [array(row[i] for _, row in rows) for i in range(len(values))]
    picks = [f"DATE '2000-01-01' + k{i}" if key == "day" else f"k{i}" for i, key in enumerate(keys)]
    picks += [f"v{i}::numeric / 10000" for i in range(len(values))]
    names = [f"k{i}" for i in range(len(keys))] + [f"v{i}" for i in range(len(values))]
    casts = ["%s::int[]" if key == "day" else "%s::bigint[]" for key in keys] + ["%s::bigint[]"] * len(values)
    adds = ", ".join(f"{name} = t.{name} + excluded.{name}" for name in values)
    sql = (
        f"INSERT INTO {table} AS t (book_id, {', '.join(keys)}, {', '.join(values)}) "
        f"SELECT %s, {', '.join(picks)} FROM unnest({', '.join(casts)}) AS moved({', '.join(names)}) "
        f"ON CONFLICT (book_id, {', '.join(keys)}) DO UPDATE SET {adds}"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [book_id, *arrays])


_ACCOUNT_SUMS = """
    INSERT INTO {table} (book_id, basis, day, {keys}, amount, estimated_amount)
    SELECT book_id, {basis}, {day}, {keys}, sum(amount), coalesce(sum(amount) FILTER (WHERE estimated), 0)
    FROM ledger_entry WHERE book_id = %s GROUP BY book_id, {day}, {keys}
    HAVING sum(amount) <> 0 OR coalesce(sum(amount) FILTER (WHERE estimated), 0) <> 0
"""
DAY_OF_BASIS = {Basis.EVENT: "day", Basis.ORDER: "coalesce(order_day, day)"}
"""The column a basis counts on: where an entry was booked, or the day its order was placed."""


def recompute_sql(table: str, basis: Basis) -> str:
    """Return the statement that fills one totals table for one basis from the entries of a book."""
    day = DAY_OF_BASIS[basis]
    if table != "ledger_productdaytotal":
        keys = "account, channel" if table == "ledger_daytotal" else "country, account"
        return _ACCOUNT_SUMS.format(table=table, keys=keys, basis=basis.value, day=day)
    columns = [f"coalesce(sum(amount) FILTER (WHERE account = {a}), 0)" for a in accounts.PRODUCT_COLUMNS]
    columns.insert(_ESTIMATED_COGS, f"coalesce(sum(amount) FILTER (WHERE account = {accounts.COGS_PRODUCT} AND estimated), 0)")
    numbers = ", ".join(str(account) for account in accounts.PRODUCT_COLUMNS)
    return (
        f"INSERT INTO ledger_productdaytotal (book_id, basis, day, variant, {', '.join(PRODUCT_COLUMNS)}) "
        f"SELECT book_id, {basis.value}, {day}, variant, {', '.join(columns)} FROM ledger_entry "
        f"WHERE book_id = %s AND variant IS NOT NULL AND account IN ({numbers}) GROUP BY book_id, {day}, variant"
    )


TABLES: tuple[str, ...] = ("ledger_daytotal", "ledger_countrydaytotal", "ledger_productdaytotal")


def recompute(book_id: int, tables: Iterable[str] = TABLES) -> int:
    """Replace a book's totals by sums over its entries and return the rows written; the caller holds the book."""
    written = 0
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"DELETE FROM {table} WHERE book_id = %s", [book_id])
            for basis in Basis:
                cursor.execute(recompute_sql(table, basis), [book_id])
                written += cursor.rowcount
    return written
