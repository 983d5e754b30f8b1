"""Write the rows of the catalogue that platforms tell: names, products, stock, prices and what is deleted."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection

from ledger.facts import GoneFact, VariantFact
from ledger.money import decimal


class Standing(NamedTuple):
    """What the catalogue holds of a variant."""

    product: int
    product_title: str
    sku: str
    title: str
    stock: int | None
    gone: bool
    price: Decimal | None
    compare_at: Decimal | None
    currency: str | None


_STANDING = """
    SELECT v.id, v.product_id, p.title, v.sku, v.title, v.stock, v.gone_at IS NOT NULL, l.price, l.compare_at, l.currency
    FROM ledger_variant v JOIN ledger_product p ON p.id = v.product_id LEFT JOIN LATERAL (
        SELECT price, compare_at, currency FROM ledger_variantprice WHERE store_id = v.store_id AND variant_id = v.id ORDER BY seen_from DESC LIMIT 1
    ) l ON true WHERE v.store_id = %s AND v.id = ANY(%s)
"""
_WRITE = """
    UPDATE ledger_variant v SET product_id = w.product, sku = w.sku, title = w.title, stock = w.stock,
        stock_at = CASE WHEN w.told THEN %(now)s ELSE v.stock_at END, gone_at = NULL
    FROM unnest(%(ids)s::bigint[], %(products)s::bigint[], %(skus)s::text[], %(titles)s::text[], %(stocks)s::int[], %(told)s::bool[])
        AS w(id, product, sku, title, stock, told)
    WHERE v.store_id = %(store)s AND v.id = w.id
"""
_TITLE_PRODUCTS = """
    UPDATE ledger_product p SET title = w.title, gone_at = NULL FROM unnest(%s::bigint[], %s::text[]) AS w(id, title)
    WHERE p.store_id = %s AND p.id = w.id AND (p.title <> w.title OR p.gone_at IS NOT NULL)
"""
_DROP_EMPTIED = """
    DELETE FROM ledger_product p WHERE p.store_id = %s AND p.id = ANY(%s) AND NOT EXISTS (SELECT 1 FROM ledger_variant v WHERE v.product_id = p.id)
        AND NOT EXISTS (SELECT 1 FROM ledger_cogsrule r WHERE r.product_id = p.id)
        AND NOT EXISTS (SELECT 1 FROM ledger_manualcost c WHERE c.product_id = p.id)
"""
"""Products that were made for a line of an order alone, until the platform told which one it is; those with rules stay."""
_PRICE = """
    INSERT INTO ledger_variantprice (store_id, variant_id, seen_from, price, compare_at, currency)
    SELECT %(store)s, id, %(today)s, price, compare_at, currency
    FROM unnest(%(ids)s::bigint[], %(prices)s::numeric[], %(compares)s::numeric[], %(currencies)s::text[]) AS w(id, price, compare_at, currency)
    ON CONFLICT (store_id, variant_id, seen_from)
    DO UPDATE SET price = excluded.price, compare_at = excluded.compare_at, currency = excluded.currency
"""


def standing(store_id: int, variants: Sequence[int]) -> dict[int, Standing]:
    """Return what the catalogue holds of variants, by id."""
    with connection.cursor() as cursor:
        cursor.execute(_STANDING, [store_id, list(variants)])
        return {row[0]: Standing(*row[1:]) for row in cursor.fetchall()}


def write(store_id: int, facts: Mapping[int, VariantFact], held: Mapping[int, Standing], products: Mapping[str, int], *, now: datetime) -> set[int]:
    """Write names, products and stock where they are news, and return the variants whose were."""
    rows = {}
    for pk, fact in facts.items():
        before = held[pk]
        row = (
            before.product if fact.product is None else products[fact.product], before.sku if fact.sku is None else fact.sku[:120],
            before.title if fact.title is None else fact.title[:255], before.stock if fact.stock is None else fact.stock,
        )  # fmt: skip
        if before.gone or row != (before.product, before.sku, before.title, before.stock):
            rows[pk] = (*row, fact.stock is not None)
    titles = {products[fact.product]: fact.product_title[:255] for fact in facts.values() if fact.product is not None and fact.product_title}
    with connection.cursor() as cursor:
        if titles:
            cursor.execute(_TITLE_PRODUCTS, [list(titles), list(titles.values()), store_id])
        if rows:
            names = ("products", "skus", "titles", "stocks", "told")
            columns = {name: [row[place] for row in rows.values()] for place, name in enumerate(names)}
            cursor.execute(_WRITE, {"store": store_id, "now": now, "ids": list(rows), **columns})
            if left := [held[pk].product for pk, row in rows.items() if row[0] != held[pk].product]:
                cursor.execute(_DROP_EMPTIED, [store_id, left])
    return set(rows)


def write_prices(store_id: int, facts: Mapping[int, VariantFact], held: Mapping[int, Standing], *, today: date) -> set[int]:
    """Write list prices that are news, from today on, and return the variants whose were."""
    news = {}
    for pk, fact in facts.items():
        if fact.price is None:
            continue
        row = (decimal(fact.price), None if fact.compare_at is None else decimal(fact.compare_at), fact.currency)
        if row != (held[pk].price, held[pk].compare_at, held[pk].currency):
            news[pk] = row
    if news:
        prices, compares, currencies = zip(*news.values(), strict=True)
        with connection.cursor() as cursor:
            cursor.execute(
                _PRICE,
                {
                    "store": store_id, "today": today, "ids": list(news), "prices": list(prices), "compares": list(compares),
                    "currencies": list(currencies),
                },
            )  # fmt: skip
    return set(news)


_GONE_PRODUCT = """
    WITH gone AS (
        UPDATE ledger_product SET gone_at = %(at)s WHERE store_id = %(store)s AND platform = %(platform)s AND external_id = %(id)s AND gone_at IS NULL
        RETURNING id
    ) UPDATE ledger_variant v SET gone_at = %(at)s FROM gone WHERE v.store_id = %(store)s AND v.product_id = gone.id AND v.gone_at IS NULL
"""
_GONE_VARIANT = """
    UPDATE ledger_variant SET gone_at = %(at)s WHERE store_id = %(store)s AND platform = %(platform)s AND external_id = %(id)s AND gone_at IS NULL
"""


def note_gone(store_id: int, fact: GoneFact) -> int:
    """Note that a platform deleted a product with its variants, or a variant; return how many variants that were."""
    with connection.cursor() as cursor:
        values: dict[str, Any] = {"store": store_id, "platform": fact.platform, "id": fact.external_id, "at": fact.at}
        cursor.execute(_GONE_PRODUCT if fact.is_product else _GONE_VARIANT, values)
        noted: int = cursor.rowcount
    return noted
