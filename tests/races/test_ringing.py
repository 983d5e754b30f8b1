"""Let several threads answer deliveries at once, as a web server does, over connections of their own."""

import io
import threading
import time
from typing import Any

import pytest
from django.db import connection as database

from connectors.models import WebhookDelivery
from connectors.webhooks.front import NAME, Front, KeptInbox
from profitpeek.jobs.models import Job
from tests.builders import a_store
from tests.connectors.webhooks.ringing import an_order, body_of, connected_to_shopify, headers_of, path_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
THREADS, EACH = 4, 10


def answered(front: Front, path: str, number: str) -> str:
    """Return the status of one delivery's answer."""
    body, told = body_of(an_order(5001)), []
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "POST", "PATH_INFO": path, "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body),
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers_of(body, "orders/updated", delivery=number).items()},
    }  # fmt: skip
    front(environ, lambda status, headers: told.append(status))
    return str(told[0])


def end_backends() -> None:
    """End the connections that deliveries are written over, as a restart of the database does."""
    ended = "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE datname = current_database() AND application_name = %s"
    with database.cursor() as cursor:
        cursor.execute(ended, [NAME])
        assert cursor.fetchone() == (THREADS,)


def test_threads_write_each_delivery_once_ring_for_all_and_come_back_after_the_database_did() -> None:
    shop = connected_to_shopify(a_store(currency="USD"))
    inbox = KeptInbox()
    front, path = Front(lambda environ, start: [], inbox), path_of(shop)
    together, statuses = threading.Barrier(THREADS, timeout=30), []

    def work() -> None:
        together.wait()
        # Each thread brings the same deliveries.
        statuses.extend(answered(front, path, f"d-{number}") for number in range(EACH))
        if not together.wait():
            end_backends()
        together.wait()
        statuses.append(answered(front, path, f"after-{threading.get_ident()}"))
        inbox.close_thread()
        database.close()

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == ["200 OK"] * (THREADS * (EACH + 1))
    assert WebhookDelivery.objects.filter(state="waiting").count() == EACH + THREADS
    waited = time.monotonic()
    while not Job.objects.filter(kind="follow-deliveries").exists() and time.monotonic() - waited < 20:
        time.sleep(0.05)
    assert Job.objects.get(kind="follow-deliveries").parameters == {"connection": shop.pk}
    inbox.close()
