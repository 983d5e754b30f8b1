"""Serve a Bazaar to the tests of reading, and a store connected to it."""

from collections.abc import Iterator

import pytest

from connectors import registry
from connectors.models import Connection
from ledger.models import Store
from tests.builders import a_store
from tests.connectors.bazaar import BAZAAR, Bazaar, open_bazaar
from tests.connectors.connecting import connected


@pytest.fixture
def bazaar(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bazaar]:
    monkeypatch.setitem(registry.CONNECTORS, "bazaar", BAZAAR)
    monkeypatch.setattr("connectors.http.PAUSES", (0.0, 0.0))
    with open_bazaar() as bazaar:
        yield bazaar


@pytest.fixture
def store() -> Store:
    return a_store()


@pytest.fixture
def connection(store: Store, bazaar: Bazaar) -> Connection:
    return connected(store, bazaar)
