"""Work out what other defaults of the installation would do to its stores: at once, or in the background where there are many orders."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.core.cache import cache
from django.db import connection, transaction
from django.utils import timezone
from msgspec import Struct
from msgspec.structs import replace

from ledger.kinds import CostSource
from ledger.models import CostDefaults, Order, Store
from ledger.people import kept_stores
from ledger.rules import preview
from ledger.rules.preview import Progress
from ledger.rules.reach import Reach, every_order
from profitpeek.jobs import queue
from profitpeek.jobs.kinds import Kind
from profitpeek.jobs.models import Job
from profitpeek.jobs.work import Work

AT_ONCE = 5_000
"""Orders of all stores together that are looked at while the person waits."""
KEPT_FOR = timedelta(minutes=15)
"""How long figures of the background are shown, and a failure to work them out is told, before it is tried anew."""
FIELDS = ("cogs_percentage", "payment_fee_percentage", "payment_fee_fixed")

Effects = list[tuple[Store, dict[str, Any]]]
"""What defaults would do to each store (see `preview.effect`)."""


class Looked(Struct, frozen=True):
    """What can be told of other defaults now: their effects, or how far these are worked out, or why they are not."""

    effects: Effects | None = None
    done: int = 0
    whole: int = 0
    failed: bool = False
    why: str = ""


def look(wanted: CostDefaults, *, actor: str, now: datetime) -> Looked:
    """Tell what defaults would do; of many orders it is worked out in the background, and kept for a while."""
    if Order.objects.all()[: AT_ONCE + 1].count() <= AT_ONCE:
        return Looked(effects(wanted, now=now))
    key = _key(wanted)
    kept = cache.get(key)
    if kept is not None:
        stores = kept_stores().in_bulk(kept)
        return Looked([(stores[pk], found) for pk, found in kept.items() if pk in stores])
    job = Job.objects.filter(kind=PREVIEW_DEFAULTS.name, key=key).order_by("-pk").first()
    if job is not None and job.state in (Job.State.WAITING, Job.State.RUNNING):
        return Looked(done=job.done, whole=job.whole)
    if job is not None and job.state != Job.State.DONE and job.finished_at is not None and job.finished_at > now - KEPT_FOR:
        return Looked(failed=True, why=job.error)
    queue.submit(PREVIEW_DEFAULTS, {name: str(getattr(wanted, name)) for name in FIELDS}, key=key, subject=_told(wanted), actor=actor)
    return Looked()


def effects(wanted: CostDefaults, *, now: datetime, progress: Progress | None = None) -> Effects:
    """Return what the defaults would do to each store; by sets where they differ in nothing but the COGS percentage."""
    standing = CostDefaults.objects.get(pk=wanted.pk)
    only_cogs = all(getattr(standing, name) == getattr(wanted, name) for name in FIELDS if name != "cogs_percentage")

    @contextmanager
    def trying() -> Iterator[None]:
        with transaction.atomic():
            wanted.save()
            yield
            transaction.set_rollback(True)

    stores = list(kept_stores().order_by("name"))
    reaches = {store.pk: replace(every_order(store), only_cogs=only_cogs) for store in stores}
    tell = _together(reaches, progress)
    return [(store, preview.effect(store, trying, reaches[store.pk], now=now, progress=tell(store))) for store in stores]


def _together(reaches: dict[int, Reach], progress: Progress | None) -> Any:
    """Return what makes the progress of one store after the other that of all."""
    sizes = {pk: reach.count() for pk, reach in reaches.items()} if progress is not None else {}
    before = {pk: sum(list(sizes.values())[:place]) for place, pk in enumerate(sizes)}

    def tell(store: Store) -> Progress | None:
        if progress is None:
            return None
        return lambda done, _: progress(before[store.pk] + done, max(sum(sizes.values()), before[store.pk] + done))

    return tell


def work_out(work: Work) -> None:
    """Work the effects out that somebody asked for, and keep them for the page."""
    wanted = CostDefaults.objects.get()
    for name in FIELDS:
        setattr(wanted, name, Decimal(work.parameters[name]))

    def progress(done: int, whole: int) -> None:
        work.progress("looking at orders", done, whole)

    found = effects(wanted, now=timezone.now(), progress=progress)
    cache.set(_key(wanted), {store.pk: effect for store, effect in found}, KEPT_FOR.total_seconds())


def _key(wanted: CostDefaults) -> str:
    """Name defaults by what holds and what is wanted, so that figures are never shown of others."""
    standing = CostDefaults.objects.get(pk=wanted.pk)
    return "defaults:" + ":".join(f"{getattr(row, name).normalize():f}" for row in (standing, wanted) for name in FIELDS)


def _told(wanted: CostDefaults) -> str:
    return f"Cost defaults {wanted.cogs_percentage.normalize():f} %, {wanted.payment_fee_percentage.normalize():f} % + {wanted.payment_fee_fixed:f}"


_RESTING = "SELECT store_id, count(DISTINCT order_id) FROM ledger_orderline WHERE cost_source = %s GROUP BY store_id"


def resting() -> list[tuple[Store, int]]:
    """Return how many orders of each store have a line whose cost rests on the default percentage."""
    with connection.cursor() as cursor:
        cursor.execute(_RESTING, [CostSource.DEFAULT_PERCENTAGE.value])
        counts = dict(cursor.fetchall())
    return [(store, counts.get(store.pk, 0)) for store in kept_stores().order_by("name")]


PREVIEW_DEFAULTS = Kind(name="preview-defaults", label="Working out other cost defaults", handler=work_out, timeout=3_600, attempts=2)
