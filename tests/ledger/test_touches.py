"""How customers came is kept beside the ledger: what tells more stays, whatever comes first, and no entry ever moves."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from msgspec.structs import replace

from ledger.cause import Cause
from ledger.erasure import privacy
from ledger.facts import JourneyFact, OrderFact, TouchFact
from ledger.identity import a_nobody
from ledger.kinds import CauseKind, Evidence, Journey, TouchKind
from ledger.models import Entry, Order, Store, Touch
from ledger.orders import touches
from ledger.record import record
from tests.builders import a_store, an_order

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 1, 9, tzinfo=UTC)
FIRST = TouchFact(AT, TouchKind.FIRST_VISIT, Evidence.UTM, "google", "cpc", "brand", "", "", ("gclid=g1",), "/products/mug", "google.com")
BETWEEN = TouchFact(AT + timedelta(hours=1), TouchKind.MOMENT, Evidence.REFERRER, "blog.example.org", referrer="blog.example.org")
LAST = TouchFact(AT + timedelta(hours=2), TouchKind.LAST_VISIT, Evidence.NONE, "direct", landing="/")
ENDS, WHOLE = (FIRST, LAST), (FIRST, BETWEEN, LAST)


def told(journey: Journey = Journey.NOT_TOLD, *own: TouchFact, minute: int = 0, number: str = "1001", **more: object) -> OrderFact:
    return replace(an_order(number), updated_at=AT + timedelta(days=1, minutes=minute), journey=journey, touches=own, **more)


def write(store: Store, fact: OrderFact) -> tuple[int, int, int]:
    done = record(store, [fact], cause=Cause(CauseKind.SYNC, "test"))
    return done.new, done.changed, done.entries


def tell(store: Store, journey: Journey, *own: TouchFact) -> int:
    return touches.record_journeys(store, [JourneyFact(an_order().platform, an_order("1001").external_id, journey, own)])


def kept(store: Store) -> tuple[Journey, list[TouchKind]]:
    order = Order.objects.get(store=store)
    return Journey(order.journey), [touch.kind for touch in touches.of_orders(store.pk, [order.pk])[order.pk]]


def test_a_journey_that_is_ready_late_changes_touches_and_no_entry() -> None:
    store = a_store()
    assert write(store, told(Journey.NOT_READY))[0] == 1
    before = list(Entry.objects.values_list())
    assert write(store, told(Journey.ENDS, *ENDS)) == (0, 1, 0)
    assert kept(store) == (Journey.ENDS, [TouchKind.FIRST_VISIT, TouchKind.LAST_VISIT])
    assert write(store, told(Journey.ENDS, *ENDS)) == (0, 0, 0)
    assert (tell(store, Journey.WHOLE, *WHOLE), tell(store, Journey.WHOLE, *WHOLE), tell(store, Journey.ENDS, *ENDS)) == (1, 0, 0)
    assert kept(store) == (Journey.WHOLE, [TouchKind.FIRST_VISIT, TouchKind.MOMENT, TouchKind.LAST_VISIT])
    assert list(Entry.objects.values_list()) == before


def test_in_whatever_order_they_arrive_the_one_that_tells_most_stays() -> None:
    steps = {
        "untold": lambda store, minute: write(store, told(minute=minute)),
        "waiting": lambda store, minute: write(store, told(Journey.NOT_READY, minute=minute)),
        "ends": lambda store, minute: write(store, told(Journey.ENDS, *ENDS, minute=minute)),
        "whole": lambda store, minute: tell(store, Journey.WHOLE, *WHOLE),
    }
    for order in permutations(steps):
        store = a_store(slug="-".join(order))
        if order[0] == "whole":
            assert tell(store, Journey.WHOLE, *WHOLE) == 0
            order = (*order[1:], "whole")
        for minute, step in enumerate(order):
            steps[step](store, minute)
        assert kept(store) == (Journey.WHOLE, [TouchKind.FIRST_VISIT, TouchKind.MOMENT, TouchKind.LAST_VISIT])


def test_every_word_of_a_touch_is_kept_and_codes_are_touches_of_their_own() -> None:
    store = a_store()
    write(store, told(Journey.ENDS, *ENDS, discount_codes=("ANNA5",)))
    order = Order.objects.get(store=store)
    first, last, code = touches.of_orders(store.pk, [order.pk])[order.pk]
    words = ("google", "cpc", "brand", "", "", ("gclid=g1",), "/products/mug", "google.com", "")
    assert first == (order.pk, 1, AT, TouchKind.FIRST_VISIT, Evidence.UTM, *words)
    assert (last.position, last.source, last.landing) == (2, "direct", "/")
    assert (code.position, code.kind, code.evidence) == (3, TouchKind.CODE, Evidence.DISCOUNT_CODE)
    assert (code.code, code.happened_at) == ("ANNA5", order.placed_at)
    assert touches.forget(store.pk, [order.pk]) == 2
    assert Touch.objects.count() == 0


def test_orders_without_touches_ask_nothing_more() -> None:
    def queries(fact: OrderFact) -> list[str]:
        with CaptureQueriesContext(connection) as asked:
            write(a_store(slug=f"s{fact.journey}"), fact)
        return [each["sql"] for each in asked if "ledger_touch" in each["sql"]]

    assert queries(told()) == queries(told(Journey.NOT_READY)) == queries(told(Journey.ENDS)) == []


def test_another_stores_order_of_the_same_number_keeps_its_own() -> None:
    one, other = a_store(slug="one"), a_store(slug="other")
    for store in (one, other):
        write(store, told(Journey.ENDS, *ENDS))
    assert tell(one, Journey.WHOLE, *WHOLE) == 1
    assert (kept(one)[0], kept(other)[0]) == (Journey.WHOLE, Journey.ENDS)


def test_how_somebody_came_who_was_erased_is_known_no_more_whatever_is_told_later() -> None:
    store = a_store()
    fact = told(Journey.ENDS, *ENDS, customer=b"ann".ljust(16, b"."))
    write(store, fact)
    with transaction.atomic():
        assert privacy.erase(store, {fact.customer or b"": a_nobody()}, now=AT) == 1
    assert kept(store) == (Journey.NOT_TOLD, [])
    assert tell(store, Journey.WHOLE, *WHOLE) == 0
    write(store, told(Journey.ENDS, *ENDS, minute=1))
    assert kept(store) == (Journey.NOT_TOLD, [])
