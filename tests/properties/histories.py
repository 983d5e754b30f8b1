"""Make random histories of a few orders: what their platform says of them over time, and in which order we hear it."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from ledger.book.reposting import costs_changed, repost, withdraw
from ledger.cause import Cause
from ledger.facts import LineFact, OrderFact, PaymentFact, SaleFact
from ledger.kinds import CauseKind, FinancialStatus, PaymentKind, PaymentStatus, SaleKind, SaleType
from ledger.models import Book, CostDefaults, Order, Store
from ledger.record import record
from tests.builders import SYNC, at

FIRST = at("2026-03-02 08:00")
RULE = Cause(CauseKind.RULE, "costs:1")
UNDO = Cause(CauseKind.UNDO, "import:1")

Story = tuple[OrderFact, ...]
"""One order as its platform tells it, version after version; each has a later time of change."""


@dataclass(frozen=True)
class Step:
    """One thing that happens to a book."""

    kind: str
    order: int = 0
    version: int = 0
    number: int = 0


_cents = st.integers(1, 20_000).map(lambda cents: cents * 100)
_taxes = st.integers(0, 999).map(lambda cents: cents * 100)
_statuses = st.sampled_from(
    [FinancialStatus.PAID, FinancialStatus.PAID, FinancialStatus.PENDING, FinancialStatus.PARTIALLY_REFUNDED, FinancialStatus.VOIDED]
)
_percent = st.integers(0, 100)


@st.composite
def _event(draw: st.DrawFn, lines: tuple[LineFact, ...], number: int, when: datetime) -> SaleFact:
    """Draw one later event: an edit, a refund with or without restock, goodwill, a write-off."""
    line = draw(st.sampled_from(lines))
    units = draw(st.integers(1, 3))
    net, tax, discount = units * line.unit_price, draw(st.integers(0, 500)) * 100, draw(st.integers(0, 300)) * 100
    key = f"e{number}"
    what = draw(st.sampled_from(["add", "remove", "refund", "restock", "goodwill", "shipping", "write-off"]))
    if what == "add":
        return SaleFact(key, when, SaleKind.EDIT, SaleType.PRODUCT, net - discount, line.external_id, units, discount, tax)
    if what == "remove":
        return SaleFact(key, when, SaleKind.EDIT, SaleType.PRODUCT, discount - net, line.external_id, -units, -discount, -tax)
    if what == "goodwill":
        return SaleFact(key, when, SaleKind.REFUND, SaleType.ADJUSTMENT, -tax - 100)
    if what == "shipping":
        return SaleFact(key, when, SaleKind.REFUND, SaleType.SHIPPING, -100)
    if what == "write-off":
        return SaleFact(key, when, SaleKind.ADJUSTMENT, SaleType.PRODUCT, 0, line.external_id, -units)
    kind = draw(st.sampled_from([SaleKind.RETURN, SaleKind.REFUND]))
    return SaleFact(key, when, kind, SaleType.PRODUCT, discount - net, line.external_id, -units, -discount, -tax, what == "restock")


@st.composite
def _story(draw: st.DrawFn, number: int) -> Story:
    placed = FIRST + timedelta(hours=draw(st.integers(0, 24 * 12)))
    lines = tuple(
        LineFact(f"l{i}", 3, draw(_cents), draw(st.sampled_from(["mug", "cap", None])), unit_cost=draw(st.none() | st.integers(0, 100_000)))
        for i in range(draw(st.integers(1, 2)))
    )
    sales = [
        SaleFact(f"s{line.external_id}", placed, SaleKind.ORDER, SaleType.PRODUCT, 3 * line.unit_price, line.external_id, 3, 0, draw(_taxes))
        for line in lines
    ]
    sales.append(SaleFact("ship", placed, SaleKind.ORDER, SaleType.SHIPPING, draw(st.integers(0, 900)) * 100))
    charged = sum(sale.net + sale.tax for sale in sales)
    fee = draw(st.none() | st.integers(0, 300).map(lambda cents: cents * 100))
    payment = PaymentFact("p", placed, PaymentKind.SALE, PaymentStatus.SUCCESS, charged, draw(st.sampled_from(["stripe", "cash", "gift_card"])), fee)
    currency, customer = draw(st.sampled_from(["EUR", "USD"])), draw(st.sampled_from([None, b"a" * 16, b"b" * 16]))
    channel, country = draw(st.sampled_from(["online", "pos"])), draw(st.sampled_from(["DE", "FR", ""]))
    versions, when = [], placed
    for version in range(draw(st.integers(1, 4))):
        if version:
            when += timedelta(hours=draw(st.integers(0, 100)))
            sales = [*sales, draw(_event(lines, version, when))]
        status = draw(_statuses)
        versions.append(
            OrderFact(
                "shop", f"o{number}", f"#{number}", placed, currency, status, channel, lines, tuple(sales), (payment,), customer=customer,
                country=country, updated_at=FIRST + timedelta(days=20, hours=version), shipped=True,
            )
        )  # fmt: skip
    return tuple(versions)


stories = st.integers(1, 4).flatmap(lambda count: st.tuples(*(_story(number) for number in range(count))))


@st.composite
def histories(draw: st.DrawFn, *, closing: bool = True) -> tuple[tuple[Story, ...], list[Step]]:
    """Draw stories, and steps that tell them out of order with rule changes, undone imports and closed days between."""
    told = draw(stories)
    which = st.integers(0, len(told) - 1)
    heard = which.flatmap(lambda order: st.builds(Step, st.just("record"), st.just(order), st.integers(0, len(told[order]) - 1)))
    costs = st.builds(Step, st.just("costs"), number=_percent)
    steps = [heard, heard, heard, costs, st.builds(Step, st.just("withdraw"), which)]
    if closing:
        steps.append(st.builds(Step, st.just("close"), number=st.integers(0, 25)))
    return told, draw(st.lists(st.one_of(steps), min_size=1, max_size=9))


def take(store: Store, told: tuple[Story, ...], step: Step) -> None:
    """Do one step of a history to a store."""
    if step.kind == "record":
        record(store, [told[step.order][step.version]], cause=SYNC)
    elif step.kind == "costs":
        CostDefaults.objects.update(cogs_percentage=Decimal(step.number))
        costs_changed(store)
        repost(store, cause=RULE)
    elif step.kind == "withdraw":
        ids = list(Order.objects.filter(store=store, external_id=f"o{step.order}", withdrawn_at=None).values_list("pk", flat=True))
        withdraw(store, ids, cause=UNDO, now=FIRST + timedelta(days=30))
    else:
        last: date = FIRST.date() + timedelta(days=step.number)
        books = Book.objects.filter(pk=store.pk)
        closed = books.get().closed_through
        books.update(closed_through=max(last, closed) if closed else last)


def finish(store: Store, told: tuple[Story, ...], percentage: int = 40) -> None:
    """Tell the last version of every order, under one last rule, so that all histories of the same stories end alike."""
    record(store, [story[-1] for story in told], cause=SYNC)
    take(store, told, Step("costs", number=percentage))
