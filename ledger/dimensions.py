"""Find or make what orders point at: channels, products with their variants, customers."""

from collections.abc import Iterable
from typing import NamedTuple

from django.db import connection
from django.db.models import Max

from ledger.models import Channel, Customer, Product, Variant


class VariantRef(NamedTuple):
    """A variant's id and its product's."""

    variant: int
    product: int


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


def variants(store_id: int, platform: str, wanted: dict[str, tuple[str, str]]) -> dict[str, VariantRef]:
    """Return the variants with the given platform ids, making those that are new, each its own product.

    `wanted` maps the platform's id to (sku, title) for the case that it must be made.
    """
    found = _find_variants(store_id, platform, wanted)
    missing = sorted(wanted.keys() - found.keys())
    if missing:
        products = [Product(store_id=store_id, platform=platform, external_id=key, title=wanted[key][1][:255]) for key in missing]
        Product.objects.bulk_create(products, ignore_conflicts=True)
        ids = dict(Product.objects.filter(store_id=store_id, platform=platform, external_id__in=missing).values_list("external_id", "id"))
        made = [
            Variant(store_id=store_id, product_id=ids[key], platform=platform, external_id=key, sku=wanted[key][0][:120], title=wanted[key][1][:255])
            for key in missing
        ]
        Variant.objects.bulk_create(made, ignore_conflicts=True)
        found |= _find_variants(store_id, platform, missing)
    return found


def _find_variants(store_id: int, platform: str, keys: Iterable[str]) -> dict[str, VariantRef]:
    rows = Variant.objects.filter(store_id=store_id, platform=platform, external_id__in=list(keys))
    return {key: VariantRef(pk, product) for key, pk, product in rows.values_list("external_id", "pk", "product_id")}


def customers(store_id: int, wanted: dict[bytes, str]) -> dict[bytes, int]:
    """Return the ids of customers by their keyed hash, making those that are new; `wanted` maps hash to country."""
    found = _find_customers(store_id, wanted)
    missing = sorted(wanted.keys() - found.keys())
    if missing:
        made = [Customer(store_id=store_id, identity_hash=key, country=wanted[key]) for key in missing]
        Customer.objects.bulk_create(made, ignore_conflicts=True)
        found |= _find_customers(store_id, missing)
    return found


def _find_customers(store_id: int, keys: Iterable[bytes]) -> dict[bytes, int]:
    rows = Customer.objects.filter(store_id=store_id, identity_hash__in=list(keys)).values_list("identity_hash", "pk")
    return {bytes(key): pk for key, pk in rows}
