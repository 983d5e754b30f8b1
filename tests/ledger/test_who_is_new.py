"""Who is new: a buyer whose earlier orders are beyond sight is not, and one person known by two names is new once."""

from datetime import UTC, date, datetime

import pytest
from django.db import transaction
from msgspec.structs import replace

from ledger.audit import check_all
from ledger.book.reposting import withdraw
from ledger.cause import Cause
from ledger.facts import CustomerFact, OrderFact
from ledger.kinds import CauseKind
from ledger.models import Customer, Entry, Order, Store
from ledger.orders.customers import record_customers
from tests.builders import a_store, an_order, book_of, write

pytestmark = pytest.mark.django_db
MAIL, NUMBER, OTHER = "ann@example.com", "7001", "7002"
SYNC = Cause(CauseKind.SYNC, "test")
READ = datetime(2026, 3, 20, 12, tzinfo=UTC)


def order(number: int, who: str | None, day: int, *, by: str = "api") -> OrderFact:
    """Make an order of a day of March, told by a platform's interface or by its file."""
    fact = an_order(str(number), when=f"2026-03-{day:02} 12:00", updated=None if by == "file" else f"2026-03-{day:02} 13:00", platform="shopify")
    return replace(fact, customer=None if who is None else who.encode()[:16].ljust(16, b"."))


def count(store: Store, who: str, orders: int, *, at: datetime = READ) -> tuple[int, int]:
    with transaction.atomic():
        return record_customers(store, [CustomerFact("shopify", who.encode().ljust(16, b"."), orders)], cause=SYNC, now=at)


def new(store: Store) -> dict[date, int]:
    """Return the new customers of each day, as the entries say, after every check of the audit."""
    assert not any(check_all(book_of(store)).values())
    found: dict[date, int] = {}
    for entry in Entry.objects.filter(book_id=store.pk, source_kind=2):
        found[entry.day] = found.get(entry.day, 0) + int(entry.amount)
    return {day: people for day, people in sorted(found.items()) if people}


def march(*days: int) -> dict[date, int]:
    return {date(2026, 3, day): days.count(day) for day in sorted(set(days))}


def test_who_has_orders_that_we_cannot_see_is_not_new() -> None:
    store = a_store()
    write(store, order(1, NUMBER, 5))
    assert new(store) == march(5)
    assert count(store, NUMBER, 3) == (1, 1)
    assert new(store) == {}
    assert count(store, NUMBER, 3) == (0, 0)
    write(store, order(2, NUMBER, 9))
    assert new(store) == {}
    assert Customer.objects.get().older_orders == 1


def test_who_was_counted_before_their_first_order_in_sight_is_not_new_when_it_arrives() -> None:
    store = a_store()
    assert count(store, NUMBER, 2, at=datetime(2026, 3, 1, tzinfo=UTC)) == (1, 0)
    assert count(store, OTHER, 0) == (0, 0)
    write(store, order(1, NUMBER, 5))
    write(store, order(2, OTHER, 5))
    assert new(store) == march(5)
    assert Customer.objects.count() == 2


def test_orders_that_were_placed_since_they_were_counted_are_none_of_them() -> None:
    store = a_store()
    count(store, NUMBER, 1, at=datetime(2026, 3, 6, tzinfo=UTC))
    write(store, order(1, NUMBER, 5), order(2, NUMBER, 7))
    assert new(store) == march(5)
    other = a_store()
    count(other, NUMBER, 1, at=datetime(2026, 3, 6, tzinfo=UTC))
    write(other, order(2, NUMBER, 7))
    assert new(other) == {}


def test_an_older_order_that_arrives_later_makes_them_new_on_its_own_day() -> None:
    store = a_store()
    write(store, order(2, NUMBER, 9))
    count(store, NUMBER, 2)
    assert new(store) == {}
    write(store, order(1, NUMBER, 5))
    assert new(store) == march(5)


def test_an_order_that_does_not_count_and_arrives_later_was_one_of_those_the_platform_counted() -> None:
    store = a_store()
    write(store, order(2, NUMBER, 9))
    count(store, NUMBER, 2)
    assert new(store) == {}
    write(store, replace(order(1, NUMBER, 5), is_test=True))
    assert new(store) == march(9)


def test_an_order_that_is_gone_is_counted_by_nobody() -> None:
    store = a_store()
    write(store, order(1, NUMBER, 5), order(2, NUMBER, 9))
    count(store, NUMBER, 1)
    withdraw(store, [Order.objects.get(number="#1").pk], cause=SYNC, now=READ)
    assert new(store) == march(9)


def test_a_buyer_known_by_mail_from_files_and_by_number_from_the_platform_is_new_once() -> None:
    store = a_store()
    write(store, order(1, MAIL, 3, by="file"), order(2, MAIL, 9, by="file"))
    write(store, order(2, NUMBER, 9))
    assert new(store) == march(3)
    write(store, order(3, MAIL, 1, by="file"))
    write(store, order(4, NUMBER, 15))
    assert new(store) == march(1)
    assert sorted(Customer.objects.values_list("order_count", flat=True)) == [0, 4]
    count(store, NUMBER, 4)
    assert new(store) == march(1)
    count(store, NUMBER, 5)
    assert new(store) == {}


def test_a_file_that_comes_after_the_platform_tells_the_other_name_as_well() -> None:
    store = a_store()
    write(store, order(2, NUMBER, 9))
    assert write(store, order(2, MAIL, 9, by="file")).unchanged == 1
    write(store, order(1, MAIL, 3, by="file"))
    assert new(store) == march(3)


def test_the_address_of_a_till_makes_no_one_of_many_customers() -> None:
    store = a_store()
    write(store, *(order(number, MAIL, number, by="file") for number in (1, 2, 3)))
    write(store, order(1, NUMBER, 1), order(2, OTHER, 2))
    assert new(store) == march(1, 2, 3)
    write(store, order(2, NUMBER, 2))
    assert new(store) == march(1)


def test_an_address_of_more_orders_than_a_person_places_is_nobodys_other_name() -> None:
    store = a_store()
    write(store, *(order(number, MAIL, 3, by="file") for number in range(1, 51)))
    write(store, order(1, NUMBER, 3))
    assert (new(store), Customer.objects.filter(same_as=None).count()) == (march(3), 1)
    write(store, order(51, MAIL, 3, by="file"))
    assert (new(store), Customer.objects.filter(same_as=None).count()) == (march(3, 3), 2)
    assert sorted(Customer.objects.values_list("order_count", flat=True)) == [1, 50]


def test_customers_that_are_merged_are_one_from_then_on_and_its_first_order_is_the_first_of_all() -> None:
    store = a_store()
    write(store, order(1, NUMBER, 3), order(2, OTHER, 5), order(3, OTHER, 9))
    count(store, NUMBER, 1)
    count(store, OTHER, 2)
    assert new(store) == march(3, 5)
    count(store, OTHER, 3)
    assert new(store) == march(3)
    merged = replace(order(1, OTHER, 3), updated_at=READ)
    write(store, merged)
    assert new(store) == march(3)
