"""Find or make what orders point at: channels, products with their variants, customers."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Max

from ledger.models import Channel


class VariantRef(NamedTuple):
    """A variant's id, its product's, and what one unit weighs."""

    variant: int
    product: int
    grams: int | None = None


def channel_numbers(store_id: int, keys: Iterable[str]) -> dict[str, int]:
    """Return the number of each sales channel, making the ones that are new."""
    wanted = set(keys)
    known = dict(Channel.objects.filter(store_id=store_id, key__in=wanted).values_list("key", "number"))
    missing = sorted(wanted - known.keys())
    if missing:
        # numbers are given one after the other, so makers of channels take turns on the store's row
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM ledger_store WHERE id = %s FOR NO KEY UPDATE", [store_id])
        last = Channel.objects.filter(store_id=store_id).aggregate(last=Max("number"))["last"] or 0
        known |= dict(Channel.objects.filter(store_id=store_id, key__in=missing).values_list("key", "number"))
        for key in missing:
            if key not in known:
                last += 1
                Channel.objects.create(store_id=store_id, number=last, key=key, label=key.replace("_", " ").capitalize())
                known[key] = last
    return known


_FIND_VARIANTS = """
    SELECT external_id, id, product_id, grams FROM ledger_variant WHERE store_id = %s AND platform = %s AND external_id = ANY(%s)
"""
_MAKE_VARIANTS = """
    WITH wanted AS (SELECT * FROM unnest(%(keys)s::text[], %(skus)s::text[], %(titles)s::text[]) AS w(key, sku, title)),
    made AS (
        INSERT INTO ledger_product (store_id, platform, external_id, title) SELECT %(store)s, %(platform)s, key, title FROM wanted
        ON CONFLICT DO NOTHING RETURNING id, external_id
    ), products AS (
        SELECT id, external_id FROM made UNION ALL
        SELECT id, external_id FROM ledger_product WHERE store_id = %(store)s AND platform = %(platform)s AND external_id = ANY(%(keys)s)
    )
    INSERT INTO ledger_variant (store_id, product_id, platform, external_id, sku, title)
    SELECT %(store)s, p.id, %(platform)s, w.key, w.sku, w.title FROM wanted w JOIN products p ON p.external_id = w.key ORDER BY w.key
    ON CONFLICT DO NOTHING
"""


def variants(store_id: int, platform: str, wanted: dict[str, tuple[str, str]]) -> dict[str, VariantRef]:
    """Return the variants with the given platform ids, making those that are new, each its own product.

    `wanted` maps the platform's id to (sku, title) for the case that it must be made.
    """
    found = _find_variants(store_id, platform, list(wanted))
    missing = sorted(wanted.keys() - found.keys())
    if missing:
        found |= _known_otherwise(store_id, platform, wanted, missing)
    while missing := sorted(wanted.keys() - found.keys()):
        values: dict[str, Any] = {
            "store": store_id, "platform": platform, "keys": missing,
            "skus": [wanted[key][0][:120] for key in missing], "titles": [wanted[key][1][:255] for key in missing],
        }  # fmt: skip
        with connection.cursor() as cursor:
            # a product that another writer made meanwhile is seen by the next round only
            cursor.execute(_MAKE_VARIANTS, values)
        found |= _find_variants(store_id, platform, missing)
    return found


_ADOPT = """
    UPDATE ledger_variant v SET external_id = w.key FROM (
        SELECT DISTINCT ON (u.sku) u.key, f.id FROM unnest(%(keys)s::text[], %(skus)s::text[]) AS u(key, sku)
        JOIN ledger_variant f ON f.store_id = %(store)s AND f.platform = %(platform)s AND f.external_id = u.sku AND f.sku = u.sku
        ORDER BY u.sku, u.key
    ) AS w WHERE v.id = w.id
"""
_BY_SKU = """
    SELECT DISTINCT ON (sku) sku, id, product_id, grams FROM ledger_variant
    WHERE store_id = %s AND platform = %s AND sku = ANY(%s) ORDER BY sku, gone_at IS NOT NULL, id
"""


def _known_otherwise(store_id: int, platform: str, wanted: Mapping[str, tuple[str, str]], missing: Sequence[str]) -> dict[str, VariantRef]:
    """Find variants that are known under another name: files tell the SKU where the platform tells an id, before or after.

    One that a file named by its SKU becomes the platform's; what is told by its SKU is the platform's of that SKU.
    """
    ids = [key for key in missing if wanted[key][0] not in ("", key)]
    names = [key for key in missing if wanted[key][0] == key]
    found: dict[str, VariantRef] = {}
    with connection.cursor() as cursor:
        if ids:
            values: dict[str, Any] = {"store": store_id, "platform": platform, "keys": ids, "skus": [wanted[key][0] for key in ids]}
            cursor.execute(_ADOPT, values)
            found |= _find_variants(store_id, platform, ids) if cursor.rowcount else {}
        if names:
            cursor.execute(_BY_SKU, [store_id, platform, names])
            found |= {sku: VariantRef(pk, product, grams) for sku, pk, product, grams in cursor.fetchall()}
    return found


def _find_variants(store_id: int, platform: str, keys: list[str]) -> dict[str, VariantRef]:
    with connection.cursor() as cursor:
        cursor.execute(_FIND_VARIANTS, [store_id, platform, keys])
        return {key: VariantRef(pk, product, grams) for key, pk, product, grams in cursor.fetchall()}


_FIND_PRODUCTS = "SELECT external_id, id FROM ledger_product WHERE store_id = %s AND platform = %s AND external_id = ANY(%s)"
_RENAME_PRODUCTS = """
    UPDATE ledger_product p SET external_id = w.key FROM unnest(%s::text[], %s::bigint[]) AS w(key, id)
    WHERE p.store_id = %s AND p.id = w.id
        AND p.external_id IN (SELECT unnest(ARRAY[v.external_id, v.sku]) FROM ledger_variant v WHERE v.product_id = p.id)
        AND 1 = (SELECT count(*) FROM ledger_variant v WHERE v.product_id = p.id)
"""
_MAKE_PRODUCTS = """
    INSERT INTO ledger_product (store_id, platform, external_id, title)
    SELECT %s, %s, key, title FROM unnest(%s::text[], %s::text[]) AS w(key, title) ON CONFLICT DO NOTHING
"""


def products(store_id: int, platform: str, wanted: Mapping[str, tuple[str, int]]) -> dict[str, int]:
    """Return the products with the given platform ids, making those that are new.

    `wanted` maps the platform's id to a title and the product that a variant of it has until now: one that was made
    for an order's line alone becomes the platform's, so that what was set for it stays.
    """

    def find() -> dict[str, int]:
        with connection.cursor() as cursor:
            cursor.execute(_FIND_PRODUCTS, [store_id, platform, list(wanted)])
            return dict(cursor.fetchall())

    found = find()
    for attempt in (0, 1):
        missing = sorted(wanted.keys() - found.keys())
        if missing:
            with connection.cursor() as cursor:
                if attempt:
                    cursor.execute(_MAKE_PRODUCTS, [store_id, platform, missing, [wanted[key][0][:255] for key in missing]])
                else:
                    cursor.execute(_RENAME_PRODUCTS, [missing, [wanted[key][1] for key in missing], store_id])
            found = find()
    return found


def name_variants(store_id: int, titles: Mapping[int, str]) -> None:
    """Give variants that have no name in the catalogue one, by variant; one that has a name keeps it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE ledger_variant v SET title = w.title FROM unnest(%s::bigint[], %s::text[]) AS w(id, title) "
            "WHERE v.store_id = %s AND v.id = w.id AND v.title = ''",
            [list(titles), [title[:255] for title in titles.values()], store_id],
        )


def weigh_variants(store_id: int, grams: Mapping[int, int]) -> int:
    """Tell what variants weigh whose weight is not known, by variant; return how many those were. Orders of theirs are to be drafted again."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE ledger_variant v SET grams = w.grams FROM unnest(%s::bigint[], %s::int[]) AS w(id, grams) "
            "WHERE v.store_id = %s AND v.id = w.id AND v.grams IS NULL",
            [list(grams), list(grams.values()), store_id],
        )
        weighed: int = cursor.rowcount
    return weighed


_FIND_CUSTOMERS = "SELECT identity_hash, id FROM ledger_customer WHERE store_id = %s AND identity_hash = ANY(%s)"
_MAKE_CUSTOMERS = """
    INSERT INTO ledger_customer (store_id, identity_hash, country, order_count)
    SELECT %s, hash, country, 0 FROM unnest(%s::bytea[], %s::text[]) AS wanted(hash, country) ON CONFLICT DO NOTHING
"""


def customers(store_id: int, wanted: dict[bytes, str]) -> dict[bytes, int]:
    """Return the ids of customers by their keyed hash, making those that are new; `wanted` maps hash to country."""
    found = customers_known(store_id, list(wanted))
    missing = sorted(wanted.keys() - found.keys())
    if missing:
        with connection.cursor() as cursor:
            cursor.execute(_MAKE_CUSTOMERS, [store_id, missing, [wanted[key] for key in missing]])
        found |= customers_known(store_id, missing)
    return found


_ERASED = "SELECT id FROM ledger_customer WHERE store_id = %s AND id = ANY(%s) AND erased_at IS NOT NULL"


def erased(store_id: int, customers: Collection[int]) -> frozenset[int]:
    """Return those of some customers who were erased."""
    if not customers:
        return frozenset()
    with connection.cursor() as cursor:
        cursor.execute(_ERASED, [store_id, sorted(customers)])
        return frozenset(row[0] for row in cursor.fetchall())


def customers_known(store_id: int, keys: Sequence[bytes]) -> dict[bytes, int]:
    """Return the ids of those customers that there are, by their keyed hash."""
    with connection.cursor() as cursor:
        cursor.execute(_FIND_CUSTOMERS, [store_id, list(keys)])
        return {bytes(key): pk for key, pk in cursor.fetchall()}
