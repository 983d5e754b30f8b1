"""Answer where revenue came from, by channel, country and product; from the totals, so that the cost does not grow with orders."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

from django.db import connection

from ledger import accounts, countries
from ledger.book.conversion import Conversion, shown_in
from ledger.models import Book
from ledger.statements import SPANS, ZERO, Span, Statement, span_values, statement_of

REVENUE = (accounts.SALES_GROSS, accounts.SALES_DISCOUNTS, accounts.SALES_RETURNS, accounts.SALES_SHIPPING, accounts.SALES_OTHER)
"""The accounts of net revenue."""

_BY = """
    SELECT total.{key}, {name}, {label}, span.number, total.account, sum({amount}), sum({estimated})
    FROM {spans} JOIN {table} AS total ON total.book_id = %(book)s AND total.basis = span.basis AND total.day BETWEEN span.first AND span.last
    {join} {rates} WHERE %(accounts)s::int[] IS NULL OR total.account = ANY(%(accounts)s::int[]) GROUP BY 1, 2, 3, 4, 5
"""
_CHANNEL = "LEFT JOIN ledger_channel AS channel ON channel.store_id = %(book)s AND channel.number = total.channel"
_BY_PRODUCT = """
    SELECT product, title, gross, discounts, returns, units, before,
        count(*) OVER (), sum(gross) OVER (), sum(discounts) OVER (), sum(returns) OVER (), sum(units) OVER (), sum(before) OVER ()
    FROM (
        SELECT product.id AS product, product.title,
            coalesce(sum({gross}) FILTER (WHERE span.number = 1), 0) AS gross,
            coalesce(sum({discounts}) FILTER (WHERE span.number = 1), 0) AS discounts,
            coalesce(sum({returns}) FILTER (WHERE span.number = 1), 0) AS returns,
            coalesce(sum(total.units) FILTER (WHERE span.number = 1), 0) AS units,
            coalesce(sum({gross} + {discounts} + {returns}) FILTER (WHERE span.number = 2), 0) AS before
        FROM {spans}
        JOIN ledger_productdaytotal AS total ON total.book_id = %(book)s AND total.basis = span.basis AND total.day BETWEEN span.first AND span.last
        JOIN ledger_variant AS variant ON variant.id = total.variant
        JOIN ledger_product AS product ON product.id = variant.product_id {rates}
        GROUP BY product.id
    ) AS sold
    ORDER BY gross + discounts + returns DESC, title, product LIMIT %(most)s
"""


class Place(NamedTuple):
    """What one channel or country has, in one statement per span."""

    number: int
    key: str
    """A channel's key or a country's two-letter code; empty for none."""
    label: str
    statements: list[Statement]


class ProductSales(NamedTuple):
    """What one product, or several together, sold, in the book's currency; discounts and returns are negative."""

    product: int | None
    """None for several together."""
    title: str
    gross: Decimal
    discounts: Decimal
    returns: Decimal
    units: int
    before: Decimal
    """Gross sales less discounts and returns in the second span."""

    @property
    def net(self) -> Decimal:
        """Return gross sales less discounts and returns."""
        return self.gross + self.discounts + self.returns


class Products(NamedTuple):
    """The products that sold most, and all others together."""

    shown: list[ProductSales]
    others: ProductSales | None
    number_of_others: int


def by_channel(book: Book, spans: Sequence[Span], some: Sequence[int] | None, *, converted: Conversion | None = None) -> list[Place]:
    """Return what each channel has, one statement per span, of some accounts only or, with None, of all; number 0 is no channel."""
    return _by(
        book,
        spans,
        some,
        table="ledger_daytotal",
        key="channel",
        name="coalesce(channel.key, '')",
        label="coalesce(channel.label, '')",
        join=_CHANNEL,
        converted=converted,
    )


def by_country(book: Book, spans: Sequence[Span], *, converted: Conversion | None = None) -> list[Place]:
    """Return the revenue of each country, one statement per span; the key is its two-letter code, empty where it is not known."""
    places = _by(book, spans, REVENUE, table="ledger_countrydaytotal", key="country", name="''", label="''", join="", converted=converted)
    return [place._replace(key=countries.code(place.number)) for place in places]


def by_product(book: Book, spans: Sequence[Span], *, most: int, converted: Conversion | None = None) -> Products:
    """Return what products sold in the first span, the most first, beside their net sales in the second, when there is one."""
    shown = shown_in(converted)
    columns = {
        name: shown.money(f"total.{column}") for name, column in (("gross", "gross_sales"), ("discounts", "discounts"), ("returns", "returns"))
    }
    with connection.cursor() as cursor:
        cursor.execute(_BY_PRODUCT.format(spans=SPANS, rates=shown.join, **columns), {**span_values(book, spans), "most": most, **shown.values})
        rows = cursor.fetchall()
    sold = [
        ProductSales(product, title, gross, discounts, returns, int(units), before)
        for product, title, gross, discounts, returns, units, before, *_ in rows
    ]
    if not rows or rows[0][7] <= len(sold):
        return Products(sold, None, 0)
    number, gross, discounts, returns, units, before = rows[0][7:]
    others = ProductSales(
        None, "", gross - _sum(one.gross for one in sold), discounts - _sum(one.discounts for one in sold),
        returns - _sum(one.returns for one in sold), int(units) - sum(one.units for one in sold), before - _sum(one.before for one in sold),
    )  # fmt: skip
    return Products(sold, others, number - len(sold))


def _by(book: Book, spans: Sequence[Span], some: Sequence[int] | None, *, converted: Conversion | None, **parts: str) -> list[Place]:
    shown = shown_in(converted)
    amounts = {"amount": shown.amount("total.amount"), "estimated": shown.amount("total.estimated_amount"), "rates": shown.join}
    sums: dict[tuple[int, str, str], dict[int, dict[int, tuple[Decimal, Decimal]]]] = {}
    with connection.cursor() as cursor:
        values = {**span_values(book, spans), "accounts": None if some is None else list(some), **shown.values}
        cursor.execute(_BY.format(spans=SPANS, **parts, **amounts), values)
        for number, key, label, span, account, total, estimated in cursor.fetchall():
            if total is None:  # none of its days has a rate
                continue
            sums.setdefault((number, key, label), {}).setdefault(span, {})[account] = (total, estimated)
    return [
        Place(number, key, label, [statement_of(span.period, by_span.get(place, {})) for place, span in enumerate(spans, start=1)])
        for (number, key, label), by_span in sums.items()
    ]  # fmt: skip


def _sum(values: Iterable[Decimal]) -> Decimal:
    return sum(values, ZERO)
