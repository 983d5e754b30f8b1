"""Bring files into a store in the browser, as a person does, and let a worker do what waits."""

import csv
import io
import re
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from connectors.models import FileImport
from profitpeek.jobs.models import Job
from profitpeek.jobs.running import run
from tests.dashboards.people import text_of

GENERIC = "order,date,sku,title,quantity,unit_price,customer,country\n"
SOLD = GENERIC + "1001,2026-03-03 10:00,MUG,Mug,2,50.00,ann@example.com,DE\n1002,2026-04-04,MUG,Mug,1,50.00,,FR\n"
LABELS = "Order,Cost,Tracking\n#1001,6.20,1Z1\n1009,4.00,=1Z2\n"


def upload(client: Client, *texts: str | bytes, slug: str = "mugs", name: str = "labels.csv") -> Any:
    """Upload files and return the page that follows."""
    files = [SimpleUploadedFile(f"C:\\{name}", text.encode() if isinstance(text, str) else text) for text in texts]
    return client.post(f"/{slug}/imports", {"files": files}, follow=True)


def latest() -> FileImport:
    """Return the file that was uploaded last."""
    return FileImport.objects.latest("pk")


def page(client: Client, row: FileImport | None = None) -> str:
    """Return what a file's page says."""
    row = row or latest()
    return text_of(client.get(f"/{row.store.slug}/imports/{row.pk}", follow=True))


def decide(client: Client, row: FileImport | None = None, **what: str) -> str:
    """Press a button of a file's page, let a worker do what waits, and return what the page says then."""
    row = row or latest()
    answer = client.post(f"/{row.store.slug}/imports/{row.pk}", what or {"take": "1"}, follow=True)
    said = text_of(answer)
    work()
    return said


def undo(client: Client, row: FileImport | None = None) -> str:
    """Undo an import, let a worker do it, and return what the page says then."""
    row = row or latest()
    client.post(f"/{row.store.slug}/imports/{row.pk}/undo")
    work()
    return page(client, row)


def work() -> None:
    """Let a worker do what waits; checks of cost rules are another test's matter."""
    for job in Job.objects.filter(state="waiting").exclude(kind="check-costs"):
        run(job.pk)


def rows(client: Client, what: str) -> list[list[str]]:
    """Download rows of the file that was uploaded last."""
    row = latest()
    answer = client.get(f"/{row.store.slug}/imports/{row.pk}/{what}.csv")
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/csv; charset=utf-8")
    return list(csv.reader(io.StringIO(answer.content.decode())))


def fact(answer: Any, label: str) -> str:
    """Return what a page's list of facts says of something."""
    found = re.search(rf"<dt>{re.escape(label)}</dt><dd>(.*?)</dd>", answer.content.decode())
    return re.sub(r"<[^>]+>", "", found[1]) if found else "nothing"
