"""A book read in the admin: batches, entries and running sums, by page, of one's own stores, and nothing to be changed."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from ledger import accounts
from ledger.book import journal
from ledger.book.sought import Sought
from ledger.kinds import Basis, SourceKind
from ledger.models import Batch, CostChange, DayTotal, Entry, FeeRule, ManualCost, Order, Store
from ledger.rules import rules
from tests.builders import a_store, an_order, at, book_of, day, write
from tests.dashboards.people import a_person, browser_of, text_of

pytestmark = pytest.mark.django_db

NOW = at("2026-03-03 12:00")
MARCH = "first=2026-03-01&last=2026-03-31"


@pytest.fixture
def store() -> Store:
    """Open a store with two orders, each written by a batch of its own, and a third on another day."""
    store = a_store(slug="shop")
    write(store, an_order("1"))
    write(store, an_order("2", when="2026-03-04 12:00"))
    write(store, an_order("3", when="2026-02-01 12:00"))
    return store


def pages(store: Store) -> str:
    """Return where a book's pages are."""
    return f"/admin/ledger/book/{store.pk}"


def rows(answer: Any) -> list[tuple[str, ...]]:
    """Return the entries a page lists: day, account, source, amount and running sum."""
    return [(f"{row['day']}", row["account"], row["source"], row["amount"], row["running"] or "") for row in answer.context["entries"]]


def test_batches_are_listed_newest_first_with_what_they_added(store: Store, editor: Client) -> None:
    page = editor.get(f"{pages(store)}/batches/")
    found = [(batch.seq, batch.cause, batch.cause_ref, batch.entries, profit) for batch, profit in page.context["batches"]]
    assert found == [(3, "sync", "sync:1", 5, "28.25"), (2, "sync", "sync:1", 5, "28.25"), (1, "sync", "sync:1", 5, "28.25")]
    assert page.context["older"] == ""


def test_batches_are_paged_by_their_number(store: Store, editor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "PAGE", 2)
    monkeypatch.setattr("ledger.admin.ledger_pages.PAGE", 2)
    first = editor.get(f"{pages(store)}/batches/")
    assert ([batch.seq for batch, _ in first.context["batches"]], first.context["older"]) == ([3, 2], f"{pages(store)}/batches/?before=2")
    older = editor.get(first.context["older"])
    assert ([batch.seq for batch, _ in older.context["batches"]], older.context["older"]) == ([1], "")
    assert [batch.seq for batch, _ in editor.get(f"{pages(store)}/batches/?before=x").context["batches"]] == [3, 2]


def test_large_batches_are_added_up_on_their_own_page_only(store: Store, editor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "MOST_SUMMED", 9)
    page = editor.get(f"{pages(store)}/batches/")
    assert [profit for _, profit in page.context["batches"]] == ["28.25", "", ""]
    assert "Too many entries to add up in a list: open the batch." in page.content.decode()


def test_a_batch_shows_its_sums_and_entries(store: Store, editor: Client) -> None:
    page = editor.get(f"{pages(store)}/batches/1/")
    assert [(each.account, amount, each.in_profit) for each, amount in page.context["sums"]] == [
        ("cogs:product", "−20.00", True), ("fees:payment", "−1.75", True), ("sales:gross", "50.00", True),
        ("stat:orders", "1", False), ("stat:units", "1", False),
    ]  # fmt: skip
    assert page.context["profit"] == "28.25"
    assert [row[:4] for row in rows(page)][:2] == [
        ("2026-03-03", "sales:gross", "order #1", "50.00"), ("2026-03-03", "cogs:product", "order #1", "−20.00")
    ]  # fmt: skip
    assert editor.get(f"{pages(store)}/batches/99/").status_code == 404


def test_entries_of_an_account_carry_a_running_sum_over_pages(store: Store, editor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "PAGE", 1)
    monkeypatch.setattr("ledger.admin.ledger_pages.PAGE", 1)
    first = editor.get(f"{pages(store)}/entries/?account={accounts.SALES_GROSS}&first=2026-02-01&last=2026-03-31")
    second = editor.get(f"{pages(store)}/entries/{first.context['following']}")
    third = editor.get(f"{pages(store)}/entries/{second.context['following']}")
    assert [rows(page) for page in (first, second, third)] == [
        [("2026-02-01", "sales:gross", "order #3", "50.00", "50.00")],
        [("2026-03-03", "sales:gross", "order #1", "50.00", "100.00")],
        [("2026-03-04", "sales:gross", "order #2", "50.00", "150.00")],
    ]
    assert (third.context["following"], third.context["first_page"]) == (
        "", f"?account={accounts.SALES_GROSS}&first=2026-02-01&last=2026-03-31"
    )  # fmt: skip


def test_a_page_that_begins_within_a_day_goes_on_with_its_sum(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "PAGE", 1)
    write(store, an_order("4"), an_order("5"))
    sought, after, found = Sought(store.pk, day("2026-03-01"), day("2026-03-31"), accounts=(accounts.SALES_GROSS,)), None, []
    for _ in range(4):
        page = journal.entries(sought, after=after)
        after = page[0].key
        found.append((str(after[0]), page[0].running))
    assert found == [("2026-03-03", Decimal(50)), ("2026-03-03", Decimal(100)), ("2026-03-03", Decimal(150)), ("2026-03-04", Decimal(200))]


def test_entries_of_an_order_add_up_to_its_profit(store: Store, editor: Client) -> None:
    page = editor.get(f"{pages(store)}/entries/?order=1")
    assert rows(page) == [
        ("2026-03-03", "sales:gross", "order #1", "50.00", "50.00"),
        ("2026-03-03", "cogs:product", "order #1", "−20.00", "30.00"),
        ("2026-03-03", "fees:payment", "order #1", "−1.75", "28.25"),
        ("2026-03-03", "stat:orders", "order #1", "1", "28.25"),
        ("2026-03-03", "stat:units", "order #1", "1", "28.25"),
    ]
    source = f"{SourceKind.ORDER.value}:{Order.objects.get(number='#1').pk}"
    assert rows(editor.get(f"{pages(store)}/entries/?source={source}")) == rows(page)


def test_entries_of_days_alone_have_no_sum(store: Store, editor: Client) -> None:
    page = editor.get(f"{pages(store)}/entries/?first=2026-03-03&last=2026-03-03")
    assert [row[4] for row in rows(page)] == [""] * 5
    assert "Choose an account or an order to see a running sum." in text_of(page)


def test_reversals_and_revisions_are_marked(store: Store, editor: Client) -> None:
    write(store, an_order("1", fee="2.00"))
    page = editor.get(f"{pages(store)}/entries/?order=1&account={accounts.FEES_PAYMENT}")
    assert rows(page) == [
        ("2026-03-03", "fees:payment", "order #1", "−1.75", "−1.75"),
        ("2026-03-03", "fees:payment", "order #1", "1.75", "0.00"),
        ("2026-03-03", "fees:payment", "order #1", "−2.00", "−2.00"),
    ]
    assert [(row["reverses"], row["revision"], row["estimated"]) for row in page.context["entries"]] == [
        (False, 1, True), (True, 1, True), (False, 2, False)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("query", "field", "told"),
    [
        ("order=77", "order", "Shop has no order with the number “77”."),
        ("first=2026-03-02&last=2026-03-01", "last", "Choose at most 366 days, the first before the last."),
        ("first=2020-01-01&last=2026-03-01", "last", "Choose at most 366 days, the first before the last."),
        ("last=0001-01-05", "last", "Choose at most 366 days, the first before the last."),
        ("first=x", "first", "Enter a valid date."),
        ("account=9999", "account", "Select a valid choice. 9999 is not one of the available choices."),
    ],
)
def test_what_cannot_be_shown_is_said(store: Store, editor: Client, query: str, field: str, told: str) -> None:
    page = editor.get(f"{pages(store)}/entries/?{query}")
    assert (page.status_code, page.context["form"].errors[field], page.context["entries"]) == (200, [told], [])


def test_a_reference_with_a_zero_character_finds_nothing(store: Store, editor: Client) -> None:
    page = editor.get(f"{pages(store)}/batches/", {"ref": "costs:\0"})
    assert (page.status_code, page.context["batches"], page.context["ref"]) == (200, [], "costs:")


@pytest.mark.parametrize("after", ["x", "2026-03-03~1", "2026-03-03~99999999999999999999~1~1~1~1~0~0", "2026-13-03~1~1~1~1~1~0~0"])
def test_an_address_that_was_tampered_with_shows_the_first_page(store: Store, editor: Client, after: str) -> None:
    page = editor.get(f"{pages(store)}/entries/", {"order": "1", "after": after})
    assert (len(rows(page)), page.context["first_page"]) == (5, "")


def test_long_spans_are_read_without_missing_a_day(store: Store) -> None:
    found = journal.entries(Sought(store.pk, day("2025-06-01"), day("2026-05-31")))
    assert [str(row.key[0]) for row in found] == ["2026-02-01"] * 5 + ["2026-03-03"] * 5 + ["2026-03-04"] * 5


def test_the_running_sum_of_an_account_is_that_of_its_totals(store: Store) -> None:
    found = journal.entries(Sought(store.pk, day("2026-02-01"), day("2026-03-31"), accounts=(accounts.COGS_PRODUCT,)))
    totals = DayTotal.objects.filter(book_id=store.pk, basis=Basis.EVENT, account=accounts.COGS_PRODUCT).values_list("amount", flat=True)
    assert found[-1].running == sum(totals) == Decimal(-60)


def test_a_change_of_rules_leads_to_what_it_wrote(store: Store, editor: Client) -> None:
    rent = ManualCost(
        category="operating", label="rent", amount=Decimal(31), currency="EUR", effective_from=day("2026-03-01"), effective_to=day("2026-03-01")
    )
    paid = rules.change(store, add=[rent], actor="x", now=NOW)
    fee = rules.change(store, add=[FeeRule(percentage=2)], actor="x", now=NOW)
    ref = f"costs:{paid.pk}"
    assert f'href="{pages(store)}/batches/?ref=costs%3A{paid.pk}"' in editor.get(f"/admin/ledger/costchange/{paid.pk}/change/").content.decode()
    page = editor.get(f"{pages(store)}/batches/?ref={ref}")
    assert [(batch.cause_ref, profit) for batch, profit in page.context["batches"]] == [(ref, "−31.00")]
    assert f'href="{pages(store)}/batches/?ref=repost"' in editor.get(f"/admin/ledger/costchange/{fee.pk}/change/").content.decode()
    seq = Batch.objects.get(book_id=store.pk, cause_ref=ref).seq
    assert [row[1:4] for row in rows(editor.get(f"{pages(store)}/batches/{seq}/"))] == [("operating:rent", str(rent), "−31.00")]


def test_the_lists_lead_to_the_books_of_one_s_own_stores(store: Store, editor: Client) -> None:
    other = a_store(slug="undisclosed")
    rules.change(store, add=[FeeRule(percentage=2)], actor="x", now=NOW)
    page = editor.get("/admin/ledger/costchange/").content.decode()
    assert (f'href="{pages(store)}/batches/"' in page, f"{pages(other)}/" in page) == (True, False)
    owner = browser_of(a_person(store, email="owner@example.com"))
    assert f'href="{pages(store)}/entries/"' in owner.get("/admin/ledger/book/").content.decode()


@pytest.mark.parametrize("page", ["batches/", "batches/1/", "entries/"])
def test_books_of_another_store_are_absent_and_nothing_is_posted(store: Store, editor: Client, page: str) -> None:
    other = a_store(slug="undisclosed")
    write(other, an_order("9"))
    foreign, absent = (editor.get(f"/admin/ledger/book/{pk}/{page}") for pk in (other.pk, 987654))
    assert (foreign.status_code, absent.status_code) == (404, 404)
    assert "ndisclosed" not in foreign.content.decode()
    before = (Entry.objects.count(), Batch.objects.count(), CostChange.objects.count(), book_of(store).last_seq)
    assert editor.post(f"{pages(store)}/{page}").status_code == 405
    assert (Entry.objects.count(), Batch.objects.count(), CostChange.objects.count(), book_of(store).last_seq) == before


def test_sources_of_another_store_are_not_told(store: Store, editor: Client) -> None:
    other = a_store(slug="undisclosed")
    write(other, an_order("secret"))
    foreign = Order.objects.get(store=other)
    page = editor.get(f"{pages(store)}/entries/?source={SourceKind.ORDER.value}:{foreign.pk}")
    assert (rows(page), "secret" in page.content.decode()) == ([], False)
    assert editor.get(f"{pages(store)}/entries/?order=secret").context["form"].errors["order"] == ["Shop has no order with the number “secret”."]


def test_labels_of_another_store_are_not_told(store: Store, editor: Client) -> None:
    for each, label in ((store, "rent"), (a_store(slug="other"), "secret-agency")):
        cost = ManualCost(
            category="operating", label=label, basis="month", amount=Decimal(100), currency="EUR", effective_from=day("2026-03-01")
        )  # fmt: skip
        rules.change(each, add=[cost], actor="bo", now=NOW)
    offered = [name for _, name in editor.get(f"{pages(store)}/entries/").context["form"].fields["account"].choices]
    assert offered == ["every account", *accounts.NAMES.values(), "operating:rent"]
