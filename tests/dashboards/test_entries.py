"""A figure opened: its definition, the entries beneath it, their sums, and files of them; they tie to the figure to the last digit."""

import csv
import io
from datetime import timedelta
from decimal import Decimal
from itertools import accumulate
from typing import Any

import openpyxl
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from dashboards.files.entries_files import entries_csv
from dashboards.forms.entries_form import OPENED, Asked
from dashboards.forms.scope import Scope
from dashboards.metrics import METRICS
from dashboards.opening import entries_url
from dashboards.ratios import RATIOS, figure_of, ratio
from ledger import accounts
from ledger.book import journal
from ledger.book.sought import written
from ledger.kinds import Basis
from ledger.models import DayTotal, FeeRule, ManualCost, Store
from ledger.people import Role
from ledger.periods import By, Period
from ledger.rules import rules
from ledger.statements import STATEMENT_KEYS, Statement, profit
from tests.builders import a_line, a_refund, a_store, an_order, at, book_of, day, ecb, write
from tests.dashboards.people import signed_in, text_of

pytestmark = pytest.mark.django_db

SPAN = Period(day("2026-03-01"), day("2026-04-30"))
DAYS = "from=2026-03-01&to=2026-04-30"


@pytest.fixture
def shop() -> Store:
    """Open a store with two channels and countries, a refund a month later, a rent, a foreign order, and a fee that was corrected."""
    store = a_store(slug="shop")
    ecb(("USD", "2026-03-03", "1.0864"))
    sold = a_line("1", price="100.00", cost="30.00")
    write(store, an_order("1001", lines=[sold], tax="19.00", fee="3.00", customer="ann", then=[a_refund("100.00", when="2026-04-02 12:00")]))
    write(store, an_order("1002", shipping="5.00", channel="pos", country="FR"), an_order("1003", currency="USD"))
    write(store, an_order("1001", lines=[sold], tax="19.00", fee="3.10", customer="ann", then=[a_refund("100.00", when="2026-04-02 12:00")]))
    rent = ManualCost(
        category="operating", label="rent", amount=Decimal(62), currency="EUR", effective_from=day("2026-03-01"), effective_to=day("2026-03-31")
    )
    rules.change(store, add=[rent], actor="ann", now=at("2026-05-01 12:00"))
    return store


@pytest.fixture
def browser(shop: Store) -> Client:
    """Return a browser of the store's owner."""
    return signed_in(shop)


def statement(store: Store, basis: Basis = Basis.EVENT) -> Statement:
    """Return the statement of March and April."""
    return profit(store.book, [SPAN], basis=basis)[0]


def listed(answer: Any) -> list[tuple[str, str, str, str]]:
    """Return the entries a page lists: day, source, account, amount."""
    return [(f"{row.day}", row.source, row.entry.account, f"{row.entry.amount.normalize():f}") for row in answer.context["page"].rows]


@pytest.mark.parametrize("basis", ["event", "order"])
def test_every_figure_opens_to_entries_that_sum_to_it(shop: Store, browser: Client, basis: str) -> None:
    whole = statement(shop, Basis.ORDER if basis == "order" else Basis.EVENT)
    counts = {line.key: Decimal(getattr(whole, line.key)) for line in accounts.STATISTICS}
    for key in [key for key in OPENED if key not in RATIOS]:
        expected = counts[key] if key in counts else figure_of(whole, key)
        answer = browser.get(f"/shop/entries?line={key}&{DAYS}&basis={basis}")
        page = answer.context["page"]
        of_rows, of_accounts = sum(row.entry.amount for row in page.rows), sum(part.amount for part in page.by_account)
        of_origins = sum(page.beneath.by_origin.values())
        assert (key, page.figure, page.beneath.of_entries, of_rows, of_accounts, of_origins) == (key, *[expected] * 5)
        running = [row.entry.running for row in page.rows[-1:]]
        assert (page.astray, running, "= the figure." in text_of(answer)) == ([], [expected] * len(running), bool(running))


def test_a_ratio_opens_to_the_figures_it_is_reckoned_from(shop: Store, browser: Client) -> None:
    for key in RATIOS:
        page = browser.get(f"/shop/entries?line={key}&{DAYS}").context["page"]
        assert (page.figure, page.why_unknown, page.rows) == (*ratio(shop, key, statement(shop)), [])
        for part in page.parts:
            assert browser.get(part.url).context["page"].figure == part.amount


def test_a_ratio_that_is_not_known_says_why(shop: Store, browser: Client) -> None:
    text = text_of(browser.get(f"/shop/entries?line=mer&{DAYS}"))
    assert "— no figure Not known: nothing was spent on marketing." in text


def test_net_profit_is_listed_down_to_its_sources(shop: Store, browser: Client) -> None:
    answer = browser.get("/shop/entries?line=net_profit&from=2026-03-03&to=2026-03-03")
    assert listed(answer) == [
        ("2026-03-03", "order #1001", "sales:gross", "100"),
        ("2026-03-03", "order #1001", "cogs:product", "-30"),
        ("2026-03-03", "order #1001", "fees:payment", "-3"),
        ("2026-03-03", "order #1002", "sales:gross", "50"),
        ("2026-03-03", "order #1002", "sales:shipping", "5"),
        ("2026-03-03", "order #1002", "cogs:product", "-20"),
        ("2026-03-03", "order #1002", "fulfilment:shipping", "-5"),
        ("2026-03-03", "order #1002", "fees:payment", "-1.9"),
        ("2026-03-03", "order #1003", "sales:gross", "46.02"),
        ("2026-03-03", "order #1003", "cogs:product", "-18.41"),
        ("2026-03-03", "order #1003", "fees:payment", "-1.63"),
        ("2026-03-03", "order #1001", "fees:payment", "3"),
        ("2026-03-03", "order #1001", "fees:payment", "-3.1"),
        ("2026-03-03", "operating:rent: 62 EUR once, spread over its days", "operating:rent", "-2"),
    ]
    text = text_of(answer)
    assert "14 entries sum to €118.98 = the figure." in text
    assert "takes back what was booked before" in text
    assert "$50.00 0.9204712813" in text
    assert 'href="/shop/orders/%231001"' in answer.content.decode()


def test_sums_by_source_tell_orders_from_costs_entered_by_hand(browser: Client) -> None:
    page = browser.get(f"/shop/entries?line=net_profit&{DAYS}").context["page"]
    assert {origin.value: amount for origin, amount in page.beneath.by_origin.items()} == {
        "orders": Decimal("20.98"), "costs entered by hand": Decimal(-62)
    }  # fmt: skip


def test_a_count_opens_to_the_entries_of_the_count(browser: Client) -> None:
    answer = browser.get(f"/shop/entries?line=new_customers&{DAYS}")
    assert listed(answer) == [("2026-03-03", "first order of a customer, #1001", "stat:new_customers", "1")]
    assert "1 entry sums to 1 = the figure." in text_of(answer)


@pytest.mark.parametrize(
    ("query", "revenue"),
    [("channel=pos", "55"), ("channel=online", "46.02"), ("country=FR", "55"), ("country=de", "46.02"), ("country=US", "0")],
)
def test_a_channel_or_a_country_narrows_a_figure(browser: Client, query: str, revenue: str) -> None:
    page = browser.get(f"/shop/entries?line=net_revenue&{DAYS}&{query}").context["page"]
    assert (page.figure, page.beneath.of_entries, page.astray) == (Decimal(revenue), Decimal(revenue), [])


def test_an_account_opens_with_the_meaning_of_its_line(browser: Client) -> None:
    text = text_of(browser.get(f"/shop/entries?account=operating:rent&{DAYS}"))
    assert "On the line Operating costs : Rent, salaries, subscriptions and the like, as entered by hand." in text
    assert "31 entries sum to −€62.00 = the figure." in text


def test_entries_are_paged_and_the_running_sum_goes_on(shop: Store, browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "PAGE", 5)
    address, running, seen = f"/shop/entries?line=net_profit&{DAYS}&basis=order", [], 0
    while address:
        answer = browser.get(address)
        rows = answer.context["page"].rows
        seen += len(rows)
        running.append(rows[-1].entry.running)
        address = f"/shop/entries?{answer.context['following']}" if answer.context["following"] else ""
    count = browser.get(f"/shop/entries?line=net_profit&{DAYS}&basis=order").context["page"].beneath.entries
    assert (seen, running[-1]) == (count, statement(shop, Basis.ORDER).net_profit)
    assert "First page" in text_of(answer)


def test_a_figure_with_too_many_entries_is_parted_into_days(shop: Store, browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "MOST_SUMMED", 10)
    answer = browser.get(f"/shop/entries?line=net_profit&{DAYS}")
    page = answer.context["page"]
    assert (page.beneath.entries, page.figure, len(page.by_period)) == (None, statement(shop).net_profit, 61)
    assert sum(part.amount for part in page.by_period) == page.figure
    assert browser.get(page.by_period[1].url).context["page"].figure == page.by_period[1].amount
    assert "entries lie beneath it. Their sum is read from the totals of each day" in text_of(answer)
    refused = browser.get(f"/shop/entries.csv?line=net_profit&{DAYS}")
    assert refused.status_code == 400


def test_the_running_sum_of_too_many_entries_ends_at_the_figure(shop: Store, browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "MOST_SUMMED", 10)
    monkeypatch.setattr(journal, "PAGE", 7)
    address, listed_of_all = f"/shop/entries?line=net_profit&{DAYS}", []
    while address:
        answer = browser.get(address)
        listed_of_all += answer.context["page"].rows
        address = f"/shop/entries?{answer.context['following']}" if answer.context["following"] else ""
    sums = list(accumulate(row.entry.amount for row in listed_of_all))
    assert [row.entry.running for row in listed_of_all] == sums
    assert (len(sums) > 10, sums[-1]) == (True, statement(shop).net_profit)


def test_no_entry_is_read_where_orders_alone_are_too_many(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.book.beneath.MOST_SUMMED", 2)
    with CaptureQueriesContext(connection) as asked:
        page = browser.get(f"/shop/entries?line=orders&{DAYS}").context["page"]
    assert (page.figure, page.beneath.entries) == (Decimal(3), None)
    assert [query for query in asked if "AS origin" in query["sql"]] == []


def test_entries_that_do_not_sum_to_the_figure_are_an_error_in_words(shop: Store, browser: Client) -> None:
    DayTotal.objects.filter(book_id=shop.pk, basis=Basis.EVENT, account=accounts.COGS_PRODUCT, day=day("2026-03-03"), channel=1).update(amount=0)
    answer = browser.get("/shop/entries?line=cogs&from=2026-03-03&to=2026-03-03")
    text = text_of(answer)
    assert "The entries do not sum to the figure" in text
    assert "= the figure." not in text
    assert "manage.py books rebuild shop" in text
    assert [(each.account, each.entries) for each in answer.context["page"].astray] == [("cogs:product", Decimal("-68.41"))]


def test_entries_of_one_batch_are_what_it_added(shop: Store, browser: Client) -> None:
    answer = browser.get(f"/shop/entries?line=fees&{DAYS}&batch=3")
    assert [row[3] for row in listed(answer)] == ["3", "-3.1"]
    assert "2 of the 2 entries of batch 3 are on these accounts and days, and sum to it." in text_of(answer)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("line=fortune", "There is no figure of that name."),
        ("account=operating:secret", "Shop has no account “operating:secret”."),
        ("channel=moon", "Shop has no channel “moon”."),
        ("country=DEU", "A country is two letters, such as DE."),
        ("channel=pos&country=DE", "Choose a channel or a country: no totals are kept of both at once."),
        ("from=2026-04-01&to=2026-03-01", "The span ends (2026-03-01) before it starts (2026-04-01)."),
        ("basis=moon", "Figures count on the day it happened (event) or the day the order was placed (order)."),
        ("batch=0", "Ensure this value is greater than or equal to 1."),
        ("batch=1&line=margin", "A ratio has no entries of its own."),
    ],
)
def test_what_cannot_be_opened_is_said(browser: Client, query: str, told: str) -> None:
    answer = browser.get(f"/shop/entries?{query}")
    assert answer.status_code == 200
    assert told in text_of(answer)
    assert "Net profit of the last 30 days is shown instead." in text_of(answer)
    refused = browser.get(f"/shop/entries.csv?{query}")
    assert (refused.status_code, told in refused.content.decode()) == (400, True)


def test_labels_of_another_store_are_no_accounts_here(shop: Store, browser: Client) -> None:
    cost = ManualCost(category="operating", label="secret", basis="month", amount=Decimal(100), currency="EUR", effective_from=day("2026-03-01"))
    rules.change(a_store(slug="other"), add=[cost], actor="bo", now=at("2026-05-01 12:00"))
    assert "Shop has no account “operating:secret”." in text_of(browser.get("/shop/entries?account=operating:secret"))


def test_an_address_that_was_tampered_with_shows_the_first_page(browser: Client) -> None:
    for after in ("x", "2026-03-03~1", "2026-03-03~99999999999999999999~1~1~1~1~0~0", "2026-13-03~1~1~1~1~1~0~0"):
        answer = browser.get("/shop/entries", {"line": "fees", "from": "2026-03-01", "to": "2026-04-30", "after": after})
        assert (len(answer.context["page"].rows), answer.context["first_page"]) == (5, "")


@pytest.mark.parametrize("line", ["fees", "net_profit", "orders"])
def test_a_place_outside_of_the_days_begins_no_running_sum(browser: Client, line: str) -> None:
    whole = browser.get(f"/shop/entries?line={line}&{DAYS}").context["page"].rows
    within = {"line": line, "from": "2026-03-04", "to": "2026-04-30"}
    known = [row.entry for row in browser.get("/shop/entries", within).context["page"].rows]
    assert whole[0].day < day("2026-03-04")
    for place in (written(whole[0].entry.key), "1990-01-01~1~1~1~1~1~1~0", "2099-01-01~1~1~1~1~1~1~0"):
        answer = browser.get("/shop/entries", {**within, "after": place})
        assert ([row.entry for row in answer.context["page"].rows], answer.context["first_page"]) == (known, "")


def test_the_csv_file_holds_every_entry_unrounded_and_no_formula(shop: Store, browser: Client) -> None:
    write(shop, an_order("=1+1"))
    answer: Any = browser.get(f"/shop/entries.csv?line=fees&{DAYS}")
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))
    assert sum(Decimal(row["amount"]) for row in rows) == statement(shop).lines["fees"]
    assert answer["Content-Disposition"] == 'attachment; filename="shop-fees-2026-03-01-2026-04-30-entries.csv"'
    assert rows[2] == {
        "day": "2026-03-03", "source": "order #1003", "account": "fees:payment", "amount": "-1.63", "currency": "EUR", "estimated": "estimated",
        "original amount": "", "original currency": "USD", "rate": "0.9204712813", "batch": "2", "event day": "2026-03-03", "note": "",
    }  # fmt: skip


def test_a_file_is_read_page_by_page_and_misses_nothing(shop: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboards.files.entries_files.AT_ONCE", 3)
    asked = Asked("net_profit", "", Scope((SPAN,), By.MONTH, SPAN.last), None, "", None)
    lines = list(csv.DictReader(entries_csv(shop, asked, through=book_of(shop).last_seq)))
    assert sum(Decimal(row["amount"]) for row in lines) == statement(shop).net_profit
    assert sum(Decimal(row["amount"]) for row in csv.DictReader(entries_csv(shop, asked, through=1))) == Decimal("-33.00")


def test_the_workbook_holds_numbers_and_text(shop: Store, browser: Client) -> None:
    write(shop, an_order("=1+1"))
    answer: Any = browser.get(f"/shop/entries.xlsx?line=orders&{DAYS}")
    sheet = openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content)))["Entries"]
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[0][:4] == ("day", "source", "account", "amount")
    assert [row[1:4] for row in rows[1:]] == [(f"order #{name}", "stat:orders", 1) for name in ("1001", "1002", "1003", "=1+1")]


def test_the_number_of_queries_does_not_grow_with_entries(shop: Store, browser: Client) -> None:
    address = f"/shop/entries?line=net_profit&{DAYS}"
    browser.get(address)
    with CaptureQueriesContext(connection) as few:
        browser.get(address)
    write(shop, *(an_order(f"2{number:03}", when="2026-03-05 12:00") for number in range(20)))
    with CaptureQueriesContext(connection) as many:
        browser.get(address)
    assert len(many) == len(few)


def test_everybody_of_the_store_may_open_figures_but_only_editors_are_led_to_costs(shop: Store) -> None:
    address = "/shop/entries?account=operating:rent&from=2026-03-03&to=2026-03-03"
    viewer = signed_in(shop, email="viewer@example.com", role=Role.VIEWER).get(address).content.decode()
    editor = signed_in(shop, email="editor@example.com", role=Role.COST_EDITOR).get(address).content.decode()
    assert ("/admin/ledger/manualcost/" in viewer, "/admin/ledger/manualcost/" in editor) == (False, True)


def test_an_address_holds_the_whole_question(shop: Store) -> None:
    asked = {"first": SPAN.first, "last": SPAN.last, "basis": Basis.ORDER}
    assert entries_url(shop, line="cm2", **asked) == "/shop/entries?line=cm2&from=2026-03-01&to=2026-04-30&basis=order"
    assert entries_url(shop, account="operating:a b", channel="a&b", batch=7, **asked) == (
        "/shop/entries?account=operating:a%20b&from=2026-03-01&to=2026-04-30&basis=order&channel=a%26b&batch=7"
    )


def test_without_days_the_last_thirty_are_opened(browser: Client) -> None:
    period = browser.get("/shop/entries").context["asked"].period
    assert period.last - period.first == timedelta(days=29)


def test_every_term_of_the_pages_is_in_the_dictionary(browser: Client) -> None:
    assert {*OPENED, *STATEMENT_KEYS} - METRICS.keys() == set()
    page = browser.get("/shop/metrics").content.decode()
    assert [key for key in METRICS if f'id="{key}"' not in page] == []


def test_the_examples_of_the_dictionary_are_what_the_ledger_reckons() -> None:
    store = a_store(slug="example")
    goods = a_line("1", quantity=2)
    write(store, an_order("1001", lines=[goods], discount="10.00", tax="17.10", shipping="5.00", shipping_tax="0.95"))
    whole = profit(store.book, [SPAN])[0]
    for key in OPENED:
        if key in ("mer", *(line.key for line in accounts.STATISTICS)):
            continue
        value = ratio(store, key, whole)[0] if key in RATIOS else figure_of(whole, key)
        assert value is not None
        told = f"{value * 100:.1f} %" if key in ("margin", "estimated_share") else f"{value:.2f}"
        assert told.replace("-", "−") in METRICS[key].example, key
    assert [METRICS[line.key].example for line in accounts.STATISTICS] == [str(getattr(whole, line.key)) for line in accounts.STATISTICS]


def test_a_fee_rule_leaves_actual_fees_alone_and_marks_the_others(shop: Store, browser: Client) -> None:
    rules.change(shop, add=[FeeRule(percentage=2)], actor="ann", now=at("2026-05-01 12:00"))
    rows = browser.get("/shop/entries?line=fees&from=2026-03-03&to=2026-03-03").context["page"].rows
    assert {row.source for row in rows if row.entry.estimated} == {"order #1002", "order #1003"}
