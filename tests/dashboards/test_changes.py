"""Why figures changed between two moments: then, now, and the difference by cause, which sums to it exactly."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from connectors.models import Connection, FileImport
from dashboards.pages import changes_page
from ledger import accounts
from ledger.book.reposting import restate
from ledger.cause import Cause
from ledger.kinds import Basis, CauseKind
from ledger.models import DayTotal, FeeRule, ManualCost, Store
from ledger.rules import rules
from tests.builders import a_line, a_refund, a_store, an_order, at, book_of, day, write
from tests.dashboards.people import signed_in, text_of

pytestmark = pytest.mark.django_db

MARCH = "from=2026-03-01&to=2026-03-31"


@pytest.fixture
def shop() -> Store:
    """Open a store whose March was imported, corrected by a sync, charged with a rent, and restated by a fee rule."""
    store = a_store(slug="shop")
    row = FileImport(store=store, kind="order-lines", template={}, filename="march.csv", started_at=at("2026-03-04 12:00"))
    row.save()
    write(store, an_order("1001", lines=[a_line("1", price="100.00", cost="30.00")]), an_order("1002"), cause=Cause(CauseKind.IMPORT, row.cause_ref))
    write(store, an_order("1002", then=[a_refund("20.00", when="2026-03-20 12:00")]), cause=Cause(CauseKind.SYNC, "sync:1"))
    rent = ManualCost(
        category="operating", label="rent", amount=Decimal(31), currency="EUR", effective_from=day("2026-03-01"), effective_to=day("2026-03-31")
    )
    rules.change(store, add=[rent], actor="ann", now=at("2026-04-01 12:00"))
    rules.change(store, add=[FeeRule(percentage=2)], actor="ann", now=at("2026-04-01 12:00"))
    restate(store, cause=Cause(CauseKind.RULE, "repost", "ann"))
    return store


@pytest.fixture
def browser(shop: Store) -> Client:
    """Return a browser of the store's owner."""
    return signed_in(shop)


def causes(answer: Any) -> list[tuple[str, str, str]]:
    """Return the causes a page lists: in words, about what, and what they added to net profit."""
    return [(cause.words, cause.about, f"{cause.profit.normalize():f}") for cause in answer.context["page"].causes]


def test_the_difference_is_told_by_cause_and_sums_to_it(browser: Client) -> None:
    answer = browser.get(f"/shop/changes?{MARCH}&after=1")
    assert causes(answer) == [
        ("Costs changed", "orders restated after changes of costs", "1.95"),
        ("Costs changed", "operating:rent: 31 EUR once, spread over its days from 1 Mar 2026 through 31 Mar 2026", "-31"),
        ("Fetched from a platform", "sync:1", "-20"),
    ]  # fmt: skip
    profit = next(line for line in answer.context["page"].lines if line.key == "net_profit")
    assert (profit.then, profit.now, profit.difference) == (Decimal("95.05"), Decimal("46.00"), Decimal("-49.05"))
    assert answer.context["page"].astray == []
    assert "The causes sum to the difference, line by line." in text_of(answer)


@pytest.mark.parametrize("query", ["after=0", "after=0&basis=order", "after=1&through=2", "after=2&through=3&basis=order", ""])
def test_causes_sum_to_the_difference_on_every_line(browser: Client, query: str) -> None:
    page = browser.get(f"/shop/changes?{MARCH}&{query}").context["page"]
    assert [line.key for line in page.lines if line.by_causes != line.difference] == []
    assert sum(cause.profit for cause in page.causes) == page.lines[-1].difference != 0


def test_causes_lead_to_their_files_and_their_entries(shop: Store, browser: Client) -> None:
    answer = browser.get(f"/shop/changes?{MARCH}&after=0&through=1")
    (cause,) = answer.context["page"].causes
    assert (cause.words, cause.about, cause.address) == ("File imported", "march.csv", f"/shop/imports/{FileImport.objects.get(store=shop).pk}")
    assert browser.get(cause.batches[0].address).context["page"].figure == cause.profit


def test_a_connection_and_corrections_of_closed_days_are_told_in_words(shop: Store, browser: Client) -> None:
    row = Connection.objects.create(
        store=shop, platform="shopify", account_ref="north.myshopify.com", label="North", connected_at=at("2026-04-01 12:00")
    )
    book = book_of(shop)
    last, file = book.last_seq, FileImport.objects.get(store=shop)
    book.closed_through = day("2026-02-28")
    book.save()
    write(shop, an_order("1003", when="2026-02-03 12:00"), cause=Cause(CauseKind.SYNC, row.cause_ref))
    write(shop, an_order("1004"), cause=Cause(CauseKind.SYNC, row.cause_ref))
    write(shop, an_order("1005", when="2026-02-03 12:00"), cause=Cause(CauseKind.UNDO, f"undo of {file.cause_ref}"))
    page = browser.get(f"/shop/changes?{MARCH}&after={last}").context["page"]
    at_row, at_file = f"/shop/connections/{row.pk}", f"/shop/imports/{file.pk}"
    assert sorted((cause.words, cause.about, cause.address) for cause in page.causes) == [
        ("Correction of a closed day", "North on Shopify", at_row), ("Correction of a closed day", "march.csv", at_file),
        ("Fetched from a platform", "North on Shopify", at_row),
    ]  # fmt: skip


def test_other_days_are_not_explained(browser: Client) -> None:
    answer = browser.get("/shop/changes?from=2026-05-01&to=2026-05-31&after=0")
    assert (causes(answer), "What was written is about other days." in text_of(answer)) == ([], True)


def test_nothing_between_two_moments_is_said(shop: Store, browser: Client) -> None:
    last = book_of(shop).last_seq
    assert "Nothing changed" in text_of(browser.get(f"/shop/changes?{MARCH}&after={last}"))
    assert "Nothing changed" in text_of(browser.get(f"/shop/changes?{MARCH}&since=2026-01-01&until=2026-01-02"))


def test_too_much_between_two_moments_is_refused_in_words(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes_page, "MOST_ENTRIES", 5)
    assert "Too much lies between the two moments" in text_of(browser.get(f"/shop/changes?{MARCH}&after=0"))


def test_causes_that_do_not_sum_to_the_difference_are_an_error(shop: Store, browser: Client) -> None:
    DayTotal.objects.filter(book_id=shop.pk, basis=Basis.EVENT, account=accounts.FEES_PAYMENT).update(amount=0)
    text = text_of(browser.get(f"/shop/changes?{MARCH}&after=1"))
    assert "The causes do not sum to the difference" in text
    assert "line by line" not in text


@pytest.mark.parametrize(
    ("query", "told"),
    [("after=3&through=1", "The earlier moment lies after the later one."), ("since=x", "Give the earlier day as year-month-day.")],
)
def test_moments_that_cannot_be_are_refused(browser: Client, query: str, told: str) -> None:
    text = text_of(browser.get(f"/shop/changes?{query}"))
    assert told in text
    assert "What changed in the last seven days is shown instead." in text


def test_pages_lead_here_with_their_days(browser: Client) -> None:
    for page in ("today", "pnl", "entries"):
        address = 'href="/shop/changes?from=2026-03-01&amp;to=2026-03-31&amp;basis=order'
        assert address in browser.get(f"/shop/{page}?{MARCH}&basis=order").content.decode(), page


@pytest.mark.parametrize("query", ["since=9999-12-31", "until=9999-12-31", "since=0001-01-01"])
def test_an_evening_beyond_every_calendar_is_refused_in_words(browser: Client, query: str) -> None:
    answer = browser.get(f"/shop/changes?{query}")
    assert answer.status_code == 200
    assert answer.context["problems"] != []
