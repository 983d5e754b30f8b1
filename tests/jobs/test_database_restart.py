"""Stop the database hard under the workers, on a cluster of its own."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import environ
import pytest
from django.core.management import call_command
from django.db import connection

from profitpeek.embedded_postgres import DURABLE, join
from profitpeek.jobs import queue
from tests.jobs import table
from tests.jobs.workers import Worker, all_ended, effects
from tests.platform.clusters import open_folder, server_process, wait_until


@contextmanager
def pointed_to(url: str) -> Iterator[None]:
    """Let this process and its children use another database for a while."""
    before, variable = dict(connection.settings_dict), os.environ["DATABASE_URL"]
    connection.close()
    connection.settings_dict.update(environ.Env.db_url_config(url))
    os.environ["DATABASE_URL"] = url
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.clear()
        connection.settings_dict.update(before)
        os.environ["DATABASE_URL"] = variable


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_work_goes_on_by_itself_after_the_database_was_killed_and_started_again(tmp_path: Path) -> None:
    with open_folder() as folder:
        # Durable: the disposable flavour may lose what was committed last.
        membership = join(folder / "postgres", flavour=DURABLE)
        try:
            with pointed_to(membership.url()):
                call_command("migrate", verbosity=0)
                with connection.cursor() as cursor:
                    cursor.execute("CREATE TABLE test_effect (name text, pid int)")
                with Worker(tmp_path) as worker:
                    worker.wait_until_up()
                    for number in range(12):
                        queue.submit(table.EFFECT, {"name": f"{number:02}", "seconds": 0.4})
                    worker.busy()
                    server = server_process(folder / "postgres")
                    assert server is not None
                    server.kill()
                    connection.close()
                    assert wait_until(lambda: "worker.database_away" in worker.log(), seconds=20), worker.log()
                    membership.server.ensure_running()
                    assert wait_until(all_ended, seconds=90), worker.log()
                    assert effects() == [f"{number:02}" for number in range(12)]
        finally:
            membership.leave()
