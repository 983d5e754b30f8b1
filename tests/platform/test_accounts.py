"""Test as whom the server runs, and where its files go for root."""

import multiprocessing
import os
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from profitpeek.embedded_postgres import DISPOSABLE, join
from profitpeek.embedded_postgres.account import SERVER_USER, Account
from profitpeek.embedded_postgres.programs import OPEN_TO_ALL, installed
from tests.platform.clusters import is_usable, server_process

NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


@as_root
def test_root_runs_the_server_as_its_own_system_user(folder: Path) -> None:
    membership = join(folder, flavour=DISPOSABLE)
    server = server_process(folder)
    assert server is not None
    assert server.username() == SERVER_USER
    assert server.gids().real != 0
    assert membership.server.home.folder == folder
    membership.leave()


@as_root
def test_root_keeps_the_data_elsewhere_when_the_folder_is_closed(folder: Path) -> None:
    folder.mkdir()
    folder.parent.chmod(0o700)
    membership = join(folder, flavour=DISPOSABLE)
    assert is_usable(membership.url())
    assert membership.server.home.folder.parent == OPEN_TO_ALL
    membership.leave()
    assert folder.parent.stat().st_mode & 0o777 == 0o700
    # The note holds: the same cluster is found again, also once the folder is open.
    folder.parent.chmod(0o755)
    again = join(folder, flavour=DISPOSABLE)
    assert again.server.home == membership.server.home
    again.leave()


@as_root
def test_ordinary_user_runs_the_server_as_himself(folder: Path) -> None:
    if not installed().usable_by(Account(NOBODY, NOBODY)):
        pytest.skip("this checkout lies in a folder that is closed to other users")
    folder.mkdir()
    os.chown(folder, NOBODY, NOBODY)
    # Imported here, while its files can be read: the forked child may be unable to.
    join(folder.parent / "other", flavour=DISPOSABLE).leave()
    ours, theirs = multiprocessing.Pipe()
    child = multiprocessing.get_context("fork").Process(target=_use_as_nobody, args=[folder, theirs])
    child.start()
    theirs.close()
    assert ours.recv() == NOBODY
    child.join(timeout=60)
    assert child.exitcode == 0
    assert server_process(folder) is None


def _use_as_nobody(folder: Path, report: Connection) -> None:
    """Become an ordinary user, use a cluster and report whose process the server is."""
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    membership = join(folder, flavour=DISPOSABLE)
    assert is_usable(membership.url())
    server = server_process(folder)
    membership.leave()
    report.send(server and folder.joinpath("data").stat().st_uid)


@as_root
def test_root_uses_the_cluster_of_an_ordinary_user_as_that_user(folder: Path) -> None:
    folder.mkdir()
    os.chown(folder, NOBODY, NOBODY)
    membership = join(folder, flavour=DISPOSABLE)
    membership.leave()
    for path in [folder / "data", *(folder / "data").rglob("*")]:
        os.chown(path, NOBODY, NOBODY)
    again = join(folder, flavour=DISPOSABLE)
    server = server_process(folder)
    assert server is not None
    assert server.uids().effective == NOBODY
    again.leave()
