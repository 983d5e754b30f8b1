"""Parked records are tried again beside a worker that reads the same stream."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection as database

from connectors import registry
from connectors.models import ParkedRecord, SyncRun
from connectors.reading import parking
from connectors.reading.replaying import replay
from connectors.reading.runs import Busy
from connectors.spec import Json
from ledger.models import Finding, Order
from tests.builders import a_store
from tests.connectors.bazaar import BAZAAR, NOW, ORDERS, Bazaar, a_record, connector, open_bazaar
from tests.connectors.connecting import connected, pull

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def bazaar(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bazaar]:
    monkeypatch.setitem(registry.CONNECTORS, "bazaar", BAZAAR)
    with open_bazaar() as bazaar:
        yield bazaar


def test_a_record_that_comes_whole_while_it_is_tried_again_is_not_parked_anew(bazaar: Bazaar, monkeypatch: pytest.MonkeyPatch) -> None:
    row = connected(a_store(), bazaar)
    damaged = {key: value for key, value in a_record(1).items() if key != "total"}
    bazaar.add(damaged)
    assert pull(row).parked == 1
    trying, go_on = threading.Event(), threading.Event()

    def slowly(record: Json, context: Any) -> Any:
        trying.set()
        assert go_on.wait(20)
        return ORDERS.map(record, context)

    monkeypatch.setitem(registry.CONNECTORS, "bazaar", connector(replace(ORDERS, map=slowly)))
    done: list[Any] = []

    def try_again() -> None:
        try:
            done.append(replay(row, now=NOW))
        finally:
            database.close()

    thread = threading.Thread(target=try_again)
    thread.start()
    assert trying.wait(20)
    bazaar.add(a_record(1))
    with pytest.raises(Busy):
        pull(row)
    go_on.set()
    thread.join()
    assert done == [(0, 1)]
    assert pull(row)[1:4] == (1, 1, 0)
    assert (ParkedRecord.objects.count(), Order.objects.count(), Finding.objects.filter(resolved_at=None).count()) == (0, 1, 0)


def test_a_record_that_a_delivery_brings_whole_while_it_is_tried_again_is_not_parked_anew(bazaar: Bazaar, monkeypatch: pytest.MonkeyPatch) -> None:
    """Deliveries are followed beside every run."""
    row = connected(a_store(), bazaar)
    bazaar.add(*({key: value for key, value in a_record(number).items() if key != "total"} for number in (1, 2)))
    assert pull(row).parked == 2

    def meanwhile(record: Json, context: Any) -> Any:
        parking.resolve(row, "orders", {"1"})
        return ORDERS.map(record, context)

    monkeypatch.setitem(registry.CONNECTORS, "bazaar", connector(replace(ORDERS, map=meanwhile)))
    assert replay(row, now=NOW) == (0, 2)
    assert list(ParkedRecord.objects.values_list("external_id", "attempts")) == [("2", 2)]


def test_nothing_is_tried_again_while_its_stream_is_read(bazaar: Bazaar) -> None:
    row = connected(a_store(), bazaar)
    bazaar.add({key: value for key, value in a_record(1).items() if key != "total"})
    pull(row)
    raised: list[type[BaseException]] = []

    def meanwhile(record: Json, context: Any) -> Any:
        with pytest.raises(Busy) as busy:
            replay(row, now=NOW)
        raised.append(busy.type)
        return ORDERS.map(record, context)

    bazaar.add(a_record(1))
    pull(row, replace(ORDERS, map=meanwhile))
    assert (raised, ParkedRecord.objects.count()) == ([Busy], 0)
    assert replay(row, now=NOW) == (0, 0)
    assert set(SyncRun.objects.values_list("mode", flat=True)) == {"backfill", "increment"}
