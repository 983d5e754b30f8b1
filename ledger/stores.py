"""Open stores with their books, and tell their day."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db import transaction

from ledger.models import Book, CostDefaults, Store, StoreZone

RESERVED = frozenset({
    "accounts", "admin", "api", "connections", "healthz", "media", "metrics", "preferences", "readyz", "static", "stores", "webhooks",
})  # fmt: skip
"""First parts of addresses that are not a store's: a store named so could not be opened, or would hide what is there."""


class StoreRefused(ValueError):
    """Say why a store cannot be opened, in words for the person who asked."""


def refuse_reserved(slug: str) -> None:
    """Raise StoreRefused for a short name that is part of the installation's own addresses."""
    if slug.lower() in RESERVED:
        raise StoreRefused(
            f"“{slug}” cannot be a store's short name: addresses that begin with /{slug.lower()} are ProfitPeek's own. Choose another."
        )


def open_store(*, slug: str, name: str, currency: str, zone: str, is_demo: bool = False) -> Store:
    """Open a store with its time zone and its empty book; raise StoreRefused naming what is wrong."""
    refuse_reserved(slug)
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


def zone_of(store: Store, now: datetime) -> str:
    """Return the time zone a store lives in at a moment."""
    zones = StoreZone.objects.filter(store=store, from_day__lte=now.date()).order_by("-from_day")
    return zones.values_list("zone", flat=True).first() or "UTC"


def move_zone(store: Store, zone: str, *, from_day: date) -> None:
    """Let a store live in another time zone from a day on; days before stay as they were booked."""
    StoreZone.objects.update_or_create(store=store, from_day=from_day, defaults={"zone": zone})


def today_of(store: Store, now: datetime) -> date:
    """Return the day it is in a store's time zone."""
    return now.astimezone(ZoneInfo(zone_of(store, now))).date()
