"""Test that the embedded server starts again, with its data, after every unclean end and every move."""

import subprocess
import sys
from pathlib import Path

import psutil
import psycopg
import pytest

from profitpeek.embedded_postgres import DISPOSABLE, join
from profitpeek.embedded_postgres.errors import NotPermitted
from profitpeek.embedded_postgres.home import settle
from profitpeek.embedded_postgres.processes import SOCKET_NAME
from tests.platform.clusters import User, is_usable, server_process, wait_until


def keep_seven(url: str) -> None:
    """Store something that must survive."""
    with psycopg.connect(url) as connection:
        # As a real installation does, unlike the tests' clusters.
        connection.execute("SET synchronous_commit = on")
        connection.execute("CREATE TABLE kept AS SELECT 7 AS seven")


def kept(url: str) -> int:
    """Return what was stored."""
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT seven FROM kept").fetchone()
    assert row is not None
    return row[0]


def crash(folder: Path) -> None:
    """Store something, then kill the server and its only user, so that nobody tidies up."""
    user = User(folder)
    keep_seven(user.url())
    server = server_process(folder)
    assert server is not None
    backends = server.children()
    server.kill()
    user.kill()
    assert psutil.wait_procs([server, *backends], timeout=30)[1] == []


def test_committed_rows_and_stale_locks_of_a_crash_are_overcome(folder: Path) -> None:
    crash(folder)
    home, _ = settle(folder)
    assert (home.data / "postmaster.pid").exists()
    assert (home.socket_folder / SOCKET_NAME).exists()
    assert (home.socket_folder / f"{SOCKET_NAME}.lock").exists()
    membership = join(folder, flavour=DISPOSABLE)
    assert kept(membership.url()) == 7
    membership.leave()


def test_pid_file_that_names_a_zombie_is_no_server(folder: Path) -> None:
    crash(folder)
    zombie = subprocess.Popen(["/bin/true"])
    try:
        assert wait_until(lambda: psutil.Process(zombie.pid).status() == psutil.STATUS_ZOMBIE)
        pid_file = folder / "data" / "postmaster.pid"
        lines = pid_file.read_text().split("\n")
        pid_file.write_text("\n".join([str(zombie.pid), *lines[1:]]))
        (settle(folder)[0].socket_folder / f"{SOCKET_NAME}.lock").write_text(f"{zombie.pid}\n")
        membership = join(folder, flavour=DISPOSABLE)
        assert kept(membership.url()) == 7
        membership.leave()
    finally:
        zombie.wait()


def test_pid_file_that_names_another_clusters_server_is_no_server(folder: Path) -> None:
    crash(folder)
    other = join(folder.parent / "other", flavour=DISPOSABLE)
    stranger = server_process(folder.parent / "other")
    assert stranger is not None
    pid_file = folder / "data" / "postmaster.pid"
    pid_file.write_text("\n".join([str(stranger.pid), *pid_file.read_text().split("\n")[1:]]))
    membership = join(folder, flavour=DISPOSABLE)
    assert kept(membership.url()) == 7
    membership.leave()
    # And it was left alone.
    assert is_usable(other.url())
    other.leave()


def test_moved_folder_is_the_same_cluster_in_its_new_place(folder: Path) -> None:
    crash(folder)
    moved = folder.parent / "moved away"
    folder.rename(moved)
    membership = join(moved, flavour=DISPOSABLE)
    assert kept(membership.url()) == 7
    membership.leave()
    assert not folder.exists()


def test_folder_with_a_linked_name_is_the_same_cluster(folder: Path) -> None:
    membership = join(folder, flavour=DISPOSABLE)
    link = folder.parent / "link"
    link.symlink_to(folder)
    again = join(link, flavour=DISPOSABLE)
    assert again.url() == membership.url()
    again.leave()
    assert is_usable(membership.url())
    membership.leave()
    link.unlink()


@pytest.mark.slow
def test_eight_first_starts_at_once_of_which_three_are_killed_share_one_server(folder: Path) -> None:
    users = [User(folder) for _ in range(8)]
    assert wait_until((folder / "data.new").exists)
    for killed in users[:3]:
        killed.kill()
    urls = {user.url() for user in users[3:]}
    assert len(urls) == 1
    assert is_usable(urls.pop())
    assert [user.leave() for user in users[3:]] == [0] * 5
    assert server_process(folder) is None


def test_folder_that_is_a_file_says_what_to_do(folder: Path) -> None:
    folder.write_text("")
    with pytest.raises(NotPermitted, match="name another place in PROFITPEEK_VAR, or set DATABASE_URL"):
        join(folder)


def test_socket_folder_of_somebody_else_is_refused(folder: Path) -> None:
    # Only a path that is too long for a socket has its socket elsewhere, where anybody may have been first.
    home, account = settle(folder / ("long" * 30))
    if not account.is_another:
        pytest.skip("only root can make a folder of somebody else")
    home.socket_folder.mkdir()
    theirs = home.socket_folder / "theirs"
    theirs.touch()
    try:
        with pytest.raises(NotPermitted, match="belongs to somebody else"):
            join(folder / ("long" * 30), flavour=DISPOSABLE)
    finally:
        theirs.unlink()
        home.socket_folder.rmdir()


def test_program_that_ends_by_an_error_leaves_no_server(folder: Path) -> None:
    use = f"join(Path({str(folder)!r}), flavour=DISPOSABLE).leave_at_exit()"
    script = f"from pathlib import Path; from profitpeek.embedded_postgres import DISPOSABLE, join; {use}; 1 / 0"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr
    assert server_process(folder) is None
