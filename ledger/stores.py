"""Open stores with their books."""

from datetime import date

from django.core.exceptions import ValidationError
from django.db import transaction

from ledger.models import Book, CostDefaults, Store, StoreZone


class StoreRefused(ValueError):
    """Say why a store cannot be opened, in words for the person who asked."""


def open_store(*, slug: str, name: str, currency: str, zone: str, is_demo: bool = False) -> Store:
    """Open a store with its time zone and its empty book; raise StoreRefused naming what is wrong."""
    store = Store(slug=slug, name=name, currency=currency.upper(), is_demo=is_demo)
    first_zone = StoreZone(zone=zone, from_day=date(1970, 1, 1))
    try:
        store.full_clean()
        store.clean_fields()
        Store._meta.get_field("currency").run_validators(store.currency)
        first_zone.clean_fields(exclude=["store"])
    except ValidationError as error:
        raise StoreRefused(" ".join(error.messages)) from error
    with transaction.atomic():
        store.save()
        first_zone.store = store
        first_zone.save()
        Book.objects.create(store=store, currency=store.currency)
        CostDefaults.objects.get_or_create(pk=1)
    return store
