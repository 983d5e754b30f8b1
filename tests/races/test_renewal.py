"""Renew one account's token from several workers at once: the platform is asked once."""

import threading
from datetime import timedelta
from typing import Any

import pytest
import responses
from django.db import connection as database
from django.utils import timezone

from connectors.connections import fresh, kept
from connectors.models import Connection
from connectors.oauth import connect_with_key
from tests.builders import a_store
from tests.connectors.tiny import BASE, TINY, tiny_answers

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def test_workers_that_need_a_fresh_token_at_once_ask_for_one_between_them() -> None:
    now, answers, got = timezone.now(), [], []
    with tiny_answers() as mock:
        connect_with_key(
            a_store(), TINY, TINY.keys[1], account="north", foreign="", told={"client_id": "app", "client_secret": "hush"}, actor="", now=now
        )  # fmt: skip

        def renewed(request: Any) -> tuple[int, dict[str, str], str]:
            answers.append(request.body)
            return 200, {}, f'{{"token": "renewed {len(answers)}", "again": "next", "seconds": 3600}}'

        mock.remove(responses.POST, f"{BASE}/token")
        mock.add_callback(responses.POST, f"{BASE}/token", renewed)
        together = threading.Barrier(4)

        def work() -> None:
            row = Connection.objects.get()
            together.wait()
            got.append(fresh(row, now=now + timedelta(minutes=55)).secrets["token"])
            database.close()

        workers = [threading.Thread(target=work) for _ in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    assert (got, answers) == (["renewed 1"] * 4, ["again=next"])
    assert kept(Connection.objects.get()).secrets["token"] == "renewed 1"
