"""Restating over several connections: it ends with all of them, however it ends, and is gone on with."""

from threading import enumerate as running_threads

import pytest
from django.db import DataError

from ledger.audit import audit
from ledger.book import reposting
from ledger.book.reposting import is_restating, repost, restate
from ledger.cause import Cause
from ledger.kinds import CauseKind
from ledger.models import CogsRule, Sale, Store, Variant, VariantCost
from ledger.models.rules import Rule
from ledger.rules.rules import change
from profitpeek.jobs.faults import Cancelled
from tests.builders import a_store, an_order, at, book_of, write

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]

RULE = Cause(CauseKind.RULE, "costs:1")


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Store:
    """Return a store of forty orders, restated by threes over two connections."""
    monkeypatch.setattr(reposting, "SET_CHUNK", 3)
    monkeypatch.setattr(reposting, "IN_ONE_LANE", 0)
    monkeypatch.setattr(reposting, "LANES", 2)
    store = a_store()
    write(store, *(an_order(str(number)) for number in range(40)))
    return store


def make(store: Store, rule: Rule) -> None:
    change(store, add=[rule], actor="ann", now=at("2026-03-20 09:00"))


def lanes() -> list[str]:
    """Return the names of the lanes that still run."""
    return [thread.name for thread in running_threads() if thread.name.startswith("restating")]


def test_every_chunk_is_told_once(store: Store) -> None:
    make(store, CogsRule(percentage=50))
    told: list[tuple[int, int]] = []
    assert restate(store, cause=RULE, progress=lambda done, whole: told.append((done, whole))) == 80
    assert (len(told), told[-1], lanes(), is_restating(store)) == (14, (40, 40), [], False)


def test_a_restating_that_is_taken_back_is_gone_on_with(store: Store) -> None:
    make(store, CogsRule(percentage=50))

    def stop(done: int, whole: int) -> None:
        raise Cancelled("enough")

    with pytest.raises(Cancelled, match="enough"):
        restate(store, cause=RULE, progress=stop)
    assert (lanes(), is_restating(store)) == ([], True)
    restate(store, cause=RULE)
    assert not is_restating(store)
    assert {name: problems for name, problems in audit(book_of(store)).items() if problems} == {}
    assert repost(store, cause=RULE) == 0


def test_what_fails_in_a_lane_is_raised(store: Store) -> None:
    make(store, VariantCost(variant=Variant.objects.get(), goods="999999999999999", currency="EUR"))
    Sale.objects.filter(store_id=store.pk).update(quantity=10_000)
    with pytest.raises(DataError, match="numeric field overflow"):
        restate(store, cause=RULE)
    assert (lanes(), is_restating(store)) == ([], True)
