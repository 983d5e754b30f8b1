"""Prepare every test: a database of its own, no way out to the network, and what is slow on purpose or by repetition made quick."""

import gc
import importlib.util
import ipaddress
import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest

import tests.properties.examples  # noqa: F401  before the first property reads its settings
from tests.database import cloned_database, empty_used_tables

# The product's own fixtures live beside this file.
pytest_plugins = ["tests.fixtures"] if importlib.util.find_spec("tests.fixtures") else []


@pytest.fixture(scope="session")
def django_db_setup(request: pytest.FixtureRequest, django_test_environment: None, django_db_blocker: Any) -> Iterator[None]:
    """Take the place of pytest-django's fixture: clone the migrated template."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    rebuild = request.config.getvalue("create_db")
    # Unblocked for making and dropping the clone; blocked again while the tests run.
    with django_db_blocker.unblock(), cloned_database(worker, rebuild=rebuild), django_db_blocker.block():
        yield


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let workers begin with what takes long, so that at the end none waits for another."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=lambda item: not any(item.iter_markers("slow")) and not any(item.iter_markers("browser")))


def pytest_collection_finish() -> None:
    """Spare the collector what was imported: it stays to the end, and looking through it again and again takes a tenth of the time."""
    gc.collect()
    gc.freeze()


class NetworkBlocked(OSError):
    """Say which address a test tried to reach; tests talk to this machine only."""


def _check(address: object) -> None:
    """Refuse every address but this machine's own."""
    if not isinstance(address, tuple):  # a Unix socket's path
        return
    host = address[0].decode() if isinstance(address[0], bytes) else str(address[0])
    if host in ("localhost", ""):
        return
    try:
        local = ipaddress.ip_address(host.split("%")[0]).is_loopback
    except ValueError:
        local = False
    if not local:
        raise NetworkBlocked(f"A test tried to reach {host}. Use the sandbox, or `responses` for a single answer.")


@pytest.fixture(scope="session", autouse=True)
def _no_network() -> Iterator[None]:
    """Let sockets reach this machine only, names included, whatever library opens them."""

    class GuardedSocket(socket.socket):
        def connect(self, address: Any) -> None:
            _check(address)
            super().connect(address)

        def connect_ex(self, address: Any) -> int:
            _check(address)
            return super().connect_ex(address)

        def sendto(self, data: Any, *rest: Any) -> int:
            _check(rest[-1])
            return super().sendto(data, *rest)

    real_getaddrinfo = socket.getaddrinfo

    def guarded_getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host is not None:
            _check((host,))
        return real_getaddrinfo(host, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "socket", GuardedSocket)
        patch.setattr(socket, "getaddrinfo", guarded_getaddrinfo)
        yield


@pytest.fixture(scope="session", autouse=True)
def _quick_passwords() -> Iterator[None]:
    """Hash passwords by one round instead of a million: nobody attacks the tests, and almost all of them make a person."""
    from django.contrib.auth.hashers import PBKDF2PasswordHasher

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PBKDF2PasswordHasher, "iterations", 1)
        yield


@pytest.fixture(scope="session", autouse=True)
def _static_files_looked_up_once() -> Iterator[None]:
    """Find the static files once: each test client is a server of its own, and would look at a thousand files at its start."""
    from whitenoise.middleware import WhiteNoiseMiddleware

    look, found = WhiteNoiseMiddleware.add_files_from_finders, {}

    def look_once(self: Any) -> None:
        if not found:
            look(self)
            found.update(self.files)
        self.files.update(found)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WhiteNoiseMiddleware, "add_files_from_finders", look_once)
        yield


@pytest.fixture(scope="session", autouse=True)
def _only_used_tables_emptied() -> Iterator[None]:
    """Empty what a test has filled, not a hundred tables, after each test whose transactions are real."""
    from django.test import TransactionTestCase

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda self: empty_used_tables())
        yield


@pytest.fixture(autouse=True)
def fresh_names_of_accounts() -> None:
    """Forget what labelled accounts are called: a test's database may give a number again, which a real one never does."""
    from ledger import accounts

    accounts.forget_labels()
