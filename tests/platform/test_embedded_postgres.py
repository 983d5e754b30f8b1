"""Test who starts the embedded server, who stops it, and what a crash leaves behind."""

import os
import signal
import threading
from pathlib import Path

import psutil
import psycopg
import pytest

from profitpeek.embedded_postgres import DISPOSABLE, join
from profitpeek.embedded_postgres.errors import CannotStart, DataMissing, WrongVersion
from tests.platform.clusters import User, is_usable, living, server_process, wait_until


def test_first_user_starts_the_server_and_leaving_stops_it(folder: Path) -> None:
    membership = join(folder)
    assert is_usable(membership.url())
    membership.leave()
    assert server_process(folder) is None
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(membership.url())


def test_the_server_has_the_settings_the_product_counts_on(folder: Path) -> None:
    membership = join(folder)
    with psycopg.connect(membership.url()) as connection:
        names = ["listen_addresses", "shared_buffers", "max_wal_size", "jit", "TimeZone", "fsync", "server_encoding"]
        found = {name: connection.execute("SELECT current_setting(%s)", [name]).fetchone()[0] for name in names}
        locale = connection.execute("SELECT datlocprovider, datlocale FROM pg_database WHERE datname = 'profitpeek'").fetchone()
    membership.leave()
    assert found == {
        "listen_addresses": "",
        "shared_buffers": "512MB",
        "max_wal_size": "4GB",
        "jit": "off",
        "TimeZone": "UTC",
        "fsync": "on",
        "server_encoding": "UTF8",
    }
    assert locale == ("b", "C.UTF-8")


def test_second_user_joins_and_only_the_last_stops_the_server(folder: Path) -> None:
    first, second = User(folder), User(folder)
    assert first.url() == second.url()
    server = server_process(folder)
    assert first.leave() == 0
    assert server_process(folder) == server
    assert second.leave() == 0
    assert server_process(folder) is None


def test_data_is_there_again_after_a_restart(folder: Path) -> None:
    membership = join(folder)
    with psycopg.connect(membership.url()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS seven")
    membership.leave()
    again = join(folder)
    with psycopg.connect(again.url()) as connection:
        assert connection.execute("SELECT seven FROM kept").fetchone() == (7,)
    again.leave()


def test_killed_user_does_not_keep_the_server_alive(folder: Path) -> None:
    killed, last = User(folder), User(folder)
    killed.url(), last.url()
    killed.kill()
    assert last.leave() == 0
    assert server_process(folder) is None


def test_server_of_a_killed_user_is_joined_and_then_stopped_by_the_next(folder: Path) -> None:
    killed = User(folder)
    killed.url()
    server = server_process(folder)
    killed.kill()
    membership = join(folder, flavour=DISPOSABLE)
    assert server is not None
    assert server_process(folder) == server
    membership.leave()
    assert server_process(folder) is None


def test_terminated_user_leaves_and_stops_the_server(folder: Path) -> None:
    user = User(folder)
    user.url()
    user.process.send_signal(signal.SIGTERM)
    assert user.process.wait(timeout=60) == 128 + signal.SIGTERM
    assert server_process(folder) is None


def test_pid_file_that_names_another_living_process_is_no_server(folder: Path) -> None:
    join(folder, flavour=DISPOSABLE).leave()
    (folder / "data" / "postmaster.pid").write_text(f"{os.getpid()}\n{folder / 'data'}\n0\n5432\n/tmp\n\n\nready\n")
    membership = join(folder, flavour=DISPOSABLE)
    assert is_usable(membership.url())
    membership.leave()


def test_killed_server_is_started_again_while_its_user_lives_on(folder: Path) -> None:
    user = User(folder)
    url = user.url()
    server = server_process(folder)
    assert server is not None
    server.kill()
    membership = join(folder, flavour=DISPOSABLE)
    assert is_usable(url)
    assert server_process(folder) not in (None, server)
    membership.leave()
    user.leave()
    assert server_process(folder) is None


@pytest.mark.slow
def test_backend_too_busy_to_notice_its_killed_server_is_ended(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("profitpeek.embedded_postgres.server.ORPHAN_SECONDS", 0.5)
    membership = join(folder, flavour=DISPOSABLE)
    connection = psycopg.connect(membership.url(), autocommit=True)
    backend = psutil.Process(connection.info.backend_pid)
    busy = threading.Thread(target=_count_for_ever, args=[connection])
    busy.start()
    server = server_process(folder)
    assert server is not None
    assert wait_until(lambda: backend.cpu_times().user > 0.2)
    server.kill()
    again = join(folder, flavour=DISPOSABLE)
    assert is_usable(again.url())
    assert living([backend]) == []
    busy.join()
    membership.leave()
    again.leave()


def _count_for_ever(connection: psycopg.Connection) -> None:
    """Keep a backend in a loop that looks at nothing."""
    with pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT count(*) FROM generate_series(1, 100000) a, generate_series(1, 100000) b")


def test_path_with_a_space_and_a_quote_works(folder: Path) -> None:
    membership = join(folder / "my 'shop', inc", flavour=DISPOSABLE)
    assert is_usable(membership.url())
    membership.leave()


def test_very_long_path_works(folder: Path) -> None:
    membership = join(folder / ("long" * 30) / ("longer" * 20), flavour=DISPOSABLE)
    assert is_usable(membership.url())
    socket_folder = membership.server.home.socket_folder
    membership.leave()
    assert not socket_folder.exists()


def test_three_first_starts_at_once_share_one_server(folder: Path) -> None:
    users = [User(folder) for _ in range(3)]
    urls = {user.url() for user in users}
    assert len(urls) == 1
    assert is_usable(urls.pop())
    assert [user.leave() for user in users] == [0, 0, 0]
    assert server_process(folder) is None


def test_start_broken_off_while_making_the_cluster_is_made_good(folder: Path) -> None:
    user = User(folder)
    assert wait_until((folder / "data.new").exists)
    user.kill()
    membership = join(folder, flavour=DISPOSABLE)
    assert is_usable(membership.url())
    membership.leave()


def test_data_of_another_major_version_is_refused_with_the_way_out(folder: Path) -> None:
    join(folder, flavour=DISPOSABLE).leave()
    (folder / "data" / "PG_VERSION").write_text("17\n")
    with pytest.raises(WrongVersion, match=r"made by PostgreSQL 17; this release runs PostgreSQL 18.\n.*make backup"):
        join(folder, flavour=DISPOSABLE)
    assert server_process(folder) is None


def test_server_that_cannot_start_says_why(folder: Path) -> None:
    join(folder, flavour=DISPOSABLE).leave()
    (folder / "data" / "postgresql.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(CannotStart, match="no_such_setting"):
        join(folder, flavour=DISPOSABLE)


def test_cluster_whose_data_has_vanished_is_not_silently_made_anew(folder: Path) -> None:
    folder.mkdir()
    (folder / "location").write_text("/var/lib/profitpeek/gone\n")
    try:
        with pytest.raises(DataMissing, match="/var/lib/profitpeek/gone, which does not exist"):
            join(folder)
    finally:
        (folder / "location").unlink()
