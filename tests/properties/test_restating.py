"""Restating by sets writes what drafting order by order would have written, to the cent."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import given
from msgspec.structs import replace

from ledger.audit import audit
from ledger.book.reposting import repost, restate
from ledger.book.totals import PRODUCT_COLUMNS
from ledger.cause import Cause
from ledger.facts import LineFact, OrderFact, SaleFact
from ledger.kinds import CauseKind, FinancialStatus, SaleKind, SaleType
from ledger.models import Book, CountryDayTotal, DayTotal, Entry, Order, OrderLine, ProductDayTotal, Store
from ledger.record import record
from tests.builders import SYNC, a_store, book_of, day, ecb
from tests.properties import examples
from tests.properties.histories import FIRST, Story, stories
from tests.properties.rule_changes import COGS, History, histories, play

pytestmark = pytest.mark.django_db

RULE = Cause(CauseKind.RULE, "costs:1", "ann")
some = examples.some(25)


@pytest.fixture(autouse=True)
def rates() -> None:
    """Know a rate for every working day of the histories, one of them missing."""
    ecb(*(("USD", f"2026-03-{n:02}", f"1.{n:02}37") for n in range(1, 32) if day(f"2026-03-{n:02}").weekday() < 5 and n != 11))


GOODS = (
    LineFact("l0", 3, 333_300, "mug", "MUG", "Mug"),
    LineFact("l1", 7, 70_100, "cap", "CAP", "Cap"),
)
SOLD = tuple(
    SaleFact(f"s{line.external_id}", FIRST, SaleKind.ORDER, SaleType.PRODUCT, line.quantity * line.unit_price, line.external_id, line.quantity)
    for line in GOODS
)
BACK = tuple(
    SaleFact(
        f"b{9 - n}", FIRST + timedelta(days=n), SaleKind.REFUND, SaleType.PRODUCT, -units * 70_100, "l1", -units, restocked=n != 2, estimated=n == 1
    )
    for n, units in ((1, 2), (2, 1), (3, 3))
)
MORE = SaleFact("more", FIRST + timedelta(hours=2), SaleKind.EDIT, SaleType.PRODUCT, 70_100, "l1", 1)
PLAIN = tuple(
    OrderFact(
        "shop", "plain", "#plain", FIRST, "EUR", FinancialStatus.PAID, "online", GOODS, sales, country="FR", shipped=True,
        updated_at=FIRST + timedelta(days=20 + version),
    )
    for version, sales in enumerate((SOLD, (*SOLD, MORE, BACK[0]), (*SOLD, MORE, *BACK)))
)  # fmt: skip
"""An order of both goods in the store's currency, without stated costs: some come back, in parts that do not divide evenly."""


def mostly_at_home(told: tuple[Story, ...]) -> tuple[Story, ...]:
    """Put all orders but the first into the store's currency, and a plain one among them: sets are about those."""
    return (told[0], *(tuple(replace(fact, currency="EUR") for fact in story) for story in told[1:]), PLAIN)


def seen(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """Return everything a restating may write, but for the batches: sets and single orders are written in batches of their own."""
    entries = [field.attname for field in Entry._meta.concrete_fields if field.attname != "seq"]
    orders = [field.attname for field in Order._meta.concrete_fields]
    lines = [field.attname for field in OrderLine._meta.concrete_fields]
    sums = ("amount", "estimated_amount")
    book = {"book_id": store.pk}
    return {
        "entries": sorted(Entry.objects.filter(**book).values_list(*entries), key=repr),
        "orders": list(Order.objects.filter(store=store).order_by("pk").values_list(*orders)),
        "lines": list(OrderLine.objects.filter(store_id=store.pk).order_by("order_id", "part").values_list(*lines)),
        "days": _sums(DayTotal.objects.filter(**book).values_list("basis", "day", "account", "channel", *sums), 2),
        "countries": _sums(CountryDayTotal.objects.filter(**book).values_list("basis", "day", "country", "account", *sums), 2),
        "products": _sums(ProductDayTotal.objects.filter(**book).values_list("basis", "day", "variant", *PRODUCT_COLUMNS), len(PRODUCT_COLUMNS)),
        "book": list(Book.objects.filter(pk=store.pk).values_list("costs_version", "restated_version")),
        "findings": sorted(store.book.findings.filter(resolved_at=None).values_list("kind", "subject")),
    }


def _sums(rows: Any, count: int) -> list[tuple[Any, ...]]:
    return sorted(row for row in rows if any(row[-count:]))


def both_ways(store: Store) -> None:
    """Restate a store by sets, take that back, draft it order by order, and compare."""
    with transaction.atomic():
        restate(store, cause=RULE)
        by_sets = seen(store)
        transaction.set_rollback(True)
    repost(store, cause=RULE)
    assert by_sets == seen(store)


@some
@given(stories.map(mostly_at_home), histories(*COGS, closing=True, least=4))
def test_sets_write_what_drafting_one_by_one_writes(told: tuple[Story, ...], steps: History) -> None:
    store = a_store()
    record(store, [story[-1] for story in told], cause=SYNC)
    play(store, told, steps, restated=both_ways)


@some
@given(stories.map(mostly_at_home), histories(*COGS, closing=True, least=4))
def test_a_book_that_was_restated_by_sets_is_sound(told: tuple[Story, ...], steps: History) -> None:
    store = a_store()
    record(store, [story[-1] for story in told], cause=SYNC)
    play(store, told, steps, restated=lambda store: (restate(store, cause=RULE), None)[1])
    assert {name: problems for name, problems in audit(book_of(store)).items() if problems} == {}
    assert repost(store, cause=RULE) == 0
