"""Fill the demo store in the background, for whoever asked for it on a page."""

from django.db import transaction
from django.utils import timezone

from ledger.models import Store
from ledger.people import kept_stores
from profitpeek.demo.fill import fill, open_demo
from profitpeek.jobs import queue
from profitpeek.jobs.faults import Permanent
from profitpeek.jobs.kinds import Kind
from profitpeek.jobs.models import Job
from profitpeek.jobs.work import Work

KEY = "demo"


def submit_demo(*, actor: str) -> Store:
    """Open the demo store and have it filled; asked for twice, it is done once."""
    with transaction.atomic():
        store = open_demo()
        queue.submit(LOAD_DEMO, {"store": store.pk}, key=KEY, subject=store.name, actor=actor)
    return store


def latest_job() -> Job | None:
    """Return the job that fills the demo store, the latest there was."""
    return Job.objects.filter(kind=LOAD_DEMO.name, key=KEY).order_by("-pk").first()


def load_demo(work: Work) -> None:
    """Fill the demo store, or go on where a run was cut."""
    store = kept_stores().select_related("book").filter(pk=work.parameters["store"]).first()
    if store is None:
        raise Permanent("The demo store is there no more.")
    fill(store, now=timezone.now(), progress=work.progress, guard=work.fence)


LOAD_DEMO = Kind(name="load-demo", label="Demo store", handler=load_demo, timeout=900)
