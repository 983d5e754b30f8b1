"""Do in the background what the turn of a day changes in a store."""

from django.db import transaction
from django.utils import timezone

from ledger.people import kept_stores
from ledger.rules.rules import refresh_shown
from ledger.stores import today_of
from profitpeek.jobs.kinds import Kind
from profitpeek.jobs.work import Work


def show_percentages(work: Work) -> None:
    """Bring the percentages that lists show up to what holds today; days begin at another hour in each store's time zone.

    Each store's products are written and let go by themselves: a change of rules waits for its own store at most.
    """
    now = timezone.now()
    for store in kept_stores().order_by("pk"):
        with transaction.atomic():
            refresh_shown(store, today_of(store, now))


SHOW_PERCENTAGES = Kind(name="show-percentages", label="Percentages of the day", handler=show_percentages)
