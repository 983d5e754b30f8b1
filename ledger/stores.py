"""Open stores with their books, and tell their day."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db import transaction

from ledger.models import Book, CostDefaults, Store, StoreZone
from ledger.people import set_role

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


def open_successor(store: Store, *, currency: str, zone: str) -> Store:
    """Open the store that goes on where another ends because its currency has changed, for the same people and with the same settings.

    Raise StoreRefused where another has succeeded it. Rules of costs and fees are not taken over: their amounts are in the former currency.
    """
    with transaction.atomic():
        # One person at a time: the second finds what the first opened.
        Store.objects.select_for_update(no_key=True).get(pk=store.pk)
        if Store.objects.filter(succeeds=store).exists():
            raise StoreRefused(f"Another store has succeeded {store.name} already.")
        wanted = f"{store.slug[:50]}-{currency.lower()}"
        taken = set(Store.objects.filter(slug__startswith=wanted).values_list("slug", flat=True))
        slug = next(each for each in (wanted, *(f"{wanted}-{number}" for number in range(2, len(taken) + 3))) if each not in taken)
        fresh = open_store(slug=slug, name=f"{store.name[:110]} ({currency})", currency=currency, zone=zone, is_demo=store.is_demo)
        fresh.succeeds, fresh.margin_basis = store, store.margin_basis
        fresh.fiscal_year_start_month, fresh.week_starts_on_sunday = store.fiscal_year_start_month, store.week_starts_on_sunday
        fresh.save(update_fields=["succeeds", "margin_basis", "fiscal_year_start_month", "week_starts_on_sunday"])
        for membership in store.memberships.select_related("user").order_by("pk"):
            set_role(fresh, membership.user, membership.role)
    return fresh


def line_of(store: Store) -> list[Store]:
    """Return a store with those that it succeeds and that succeed it, the first one first."""
    line = [store]
    while (before := line[0].succeeds) is not None:
        line.insert(0, before)
    while (after := Store.objects.filter(succeeds=line[-1], erasing_since=None).first()) is not None:
        line.append(after)
    return line


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
