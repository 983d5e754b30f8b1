"""Journey: a shop's customer asks to be erased, their platform passes it on, and every figure is still the truth, now and after all is read again."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone

from connectors.models import Connection, PrivacyCase, SyncCursor
from connectors.privacy import take
from connectors.reading import archive
from connectors.sandbox.world import World
from connectors.spec import PrivacyRequest
from ledger.audit import check_all
from ledger.identity import is_nobody
from ledger.models import Customer, Order, Touch
from profitpeek.jobs.running import run
from tests.journeys.sandbox_shop import connected

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

BEGAN = date(2026, 1, 1)
END = datetime(2026, 2, 10, 12, tzinfo=UTC)


def test_who_bought_most_is_erased_and_the_statement_is_the_truth_before_and_after_all_is_read_again() -> None:
    world = World.live(seed=11, start=BEGAN, days=30, orders_per_day=3)
    with connected(world, began=BEGAN, at=END) as shop:
        shop.read()
        shop.restate()
        assert shop.all_differences() == []
        names = _customers_told(shop.connection)
        before, orders = shop.book(), list(Order.objects.order_by("pk").values_list("pk", "customer", "profit"))
        buyer = Customer.objects.order_by("-order_count", "pk")[0]
        theirs = dict(Order.objects.filter(customer=buyer).values_list("external_id", "number"))
        assert len(theirs) > 1
        number = next(name for order, name in _told(shop.connection) if order in theirs)
        take(shop.connection, PrivacyRequest("erase_person", number, tuple(theirs)), delivery_id="x", now=timezone.now())
        case = PrivacyCase.objects.get()
        assert case.job is not None
        run(case.job)
        case.refresh_from_db()
        assert (case.state, case.counts["customers"], case.sought) == ("done", 1, None)

        # All of the past again, and what the orders' platform says of them later.
        SyncCursor.objects.update(backfilled_at=None, seen_through=None, since=None, until=None, position=None)
        shop.sandbox.clock.advance(int(timedelta(hours=3).total_seconds()))
        shop.read()
        shop.restate()
        differences = shop.all_differences()
        assert [told for told in differences if " came by () in the book, " not in told] == []
        assert {told.partition(" ")[0] for told in differences} <= set(theirs.values())
        assert shop.book() == before
        assert list(Order.objects.order_by("pk").values_list("pk", "customer", "profit")) == orders
        assert not any(check_all(shop.store.book).values())
        assert {name for name in _customers_told(shop.connection) if not is_nobody(name)} == names - {number}
        assert Touch.objects.filter(order_id__in=Order.objects.filter(customer=buyer).values("pk")).count() == 0
        assert Customer.objects.filter(erased_at__isnull=False).count() == 1


def _told(connection: Connection) -> Iterator[tuple[str, str]]:
    """Yield each record of the archive that tells its customer: the order, and what the customer is called."""
    for stream in ("orders", "refunds", "journeys"):
        for page in archive.pages(connection, stream):
            yield from ((name, record["customer"]["id"].rpartition("/")[2]) for name, record in page if record.get("customer"))


def _customers_told(connection: Connection) -> set[str]:
    return {customer for _, customer in _told(connection)}
