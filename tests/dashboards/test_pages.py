"""Check what the pages say: exact figures, files, refused input, empty states."""

import csv
import re
from datetime import date
from decimal import Decimal

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from dashboards.files.exports import number, safe
from dashboards.pages.start import end
from dashboards.pages.statement_table import period_label
from dashboards.templatetags.money import amount, money, percent
from ledger.models import Membership, Store
from ledger.periods import By, Period
from tests.builders import a_line, a_refund, a_store, an_order, write
from tests.dashboards.people import a_person, browser_of, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Store:
    """Open a store with two orders: 100.00 sold at a cost of 30.00 in March, 50.00 refunded in April."""
    store = a_store(slug="shop")
    write(
        store,
        an_order("1001", lines=[a_line("1", price="100.00", cost="30.00")], tax="19.00", fee="3.00"),
        an_order("A/7", lines=[a_line("1", price="50.00", cost="20.00")], fee="1.50", then=[a_refund("50.00", when="2026-04-02 12:00")]),
    )
    return store


def words(content: bytes) -> str:
    """Return a page's text, one space between words."""
    return " ".join(re.sub(r"<[^>]+>", " ", content.decode()).replace("&amp;", "&").split())


def test_the_statement_shows_exact_figures(shop: Store) -> None:
    page = words(signed_in(shop).get("/shop/pnl").content)
    assert "Line Total % of net revenue Mar 2026 1–2 Apr 2026" in page
    assert "Gross sales 150.00 150.0 % 150.00 0.00" in page
    assert "Returns −50.00 −50.0 % 0.00 −50.00" in page
    assert "Net revenue 100.00 100.0 % 150.00 −50.00" in page
    assert "COGS −50.00" in page
    assert "COGS −50.00 −50.0 % −50.00 0.00 Product −50.00" in page
    assert "Payment, marketplace and dispute fees −4.50 −4.5 % −4.50 0.00" in page
    assert "Tax and duty collected 19.00 19.00 0.00" in page
    assert "Orders 2 2 0" in page
    assert "before income tax, interest and depreciation" in page
    assert "through batch 1, recorded" in page
    assert "no orders held" in page
    assert "Net margin, of total sales (tax and shipping included)" in page


def test_lines_add_up_to_the_sums_on_every_column(shop: Store) -> None:
    rows = list(csv.DictReader(signed_in(shop).get("/shop/pnl.csv").content.decode().splitlines()))
    profit = {row["line"]: Decimal(row["total"]) for row in rows if row["section"] == "Profit" and not row["account"]}
    sums = {"Net revenue", "Gross profit (CM1)", "Contribution after fulfilment and fees (CM2)", "Contribution after marketing (CM3)", "Net profit"}
    assert profit["Net profit"] == sum(value for line, value in profit.items() if line not in sums)
    for line in profit:
        accounts = [Decimal(row["total"]) for row in rows if row["section"] == "Profit" and row["line"] == line and row["account"]]
        assert line in sums or sum(accounts) == profit[line]


def test_the_address_chooses_range_columns_and_basis(shop: Store) -> None:
    page = words(signed_in(shop).get("/shop/pnl?from=2026-03-01&to=2026-03-31&by=month&basis=order").content)
    assert "counted on the day the order was placed" in page
    assert "Returns −50.00 −50.0 % −50.00" in page


def test_the_file_holds_the_page_s_view(shop: Store) -> None:
    answer = signed_in(shop).get("/shop/pnl.csv?from=2026-03-01&to=2026-04-30")
    assert answer["Content-Disposition"] == 'attachment; filename="shop-profit-2026-03-01-2026-04-30-by-month-event.csv"'
    rows = list(csv.reader(answer.content.decode().splitlines()))
    assert rows[0] == ["section", "line", "account", "unit", "Mar 2026", "Apr 2026", "total", "share of net revenue"]
    assert ["Profit", "Gross sales", "", "EUR", "150", "0", "150", "1.5"] in rows
    assert ["Profit", "Gross sales", "sales:gross", "EUR", "150", "0", "150", "1.5"] in rows


BAD = [
    "from=yesterday", "from=2026-05-01&to=2026-03-01", "to=9999-12-31", "from=0001-01-01", "by=fortnight", "basis=cash",
    "from=2027-01-01", "from=%00", "from=2026-02-30",
]  # fmt: skip


@pytest.mark.parametrize("query", BAD)
def test_refused_input_is_named_and_the_default_shown(shop: Store, query: str) -> None:
    client = signed_in(shop)
    answer = client.get(f"/shop/pnl?{query}")
    assert answer.status_code == 200
    assert 'role="alert"' in answer.content.decode()
    assert "Gross sales 150.00 150.0 % 150.00 0.00" in words(answer.content)
    assert client.get(f"/shop/pnl.csv?{query}").status_code == 400


def test_a_refused_choice_shows_the_one_in_use(shop: Store) -> None:
    page = signed_in(shop).get("/shop/pnl?by=fortnight&from=2026-02-30").content.decode()
    assert '<option value="month" selected>' in page
    assert 'value="2026-02-30"' in page


def test_more_columns_than_anybody_reads_are_refused(shop: Store) -> None:
    client = signed_in(shop)
    assert "at most 60 are shown" in words(client.get("/shop/pnl?by=day&from=2020-01-01").content)
    assert client.get("/shop/pnl.csv?by=day&from=2020-01-01").status_code == 400


@pytest.mark.parametrize("query", ["from=2026-03-01&to=2026-03-02", "by=day", "by=week", "by=quarter", "by=year"])
def test_any_range_and_length_can_be_shown(shop: Store, query: str) -> None:
    answer = signed_in(shop).get(f"/shop/pnl?{query}")
    assert (answer.status_code, 'role="alert"' in answer.content.decode()) == (200, False)


def test_an_empty_store_says_the_next_step() -> None:
    store = a_store(slug="new")
    client = signed_in(store)
    assert "Nothing is recorded yet" in words(client.get("/new/pnl").content)
    assert client.get("/new/pnl?from=bad").status_code == 200
    assert client.get("/new/pnl?from=2026-01-01&to=2026-01-31").status_code == 200
    assert client.get("/new/pnl.csv").status_code == 400
    assert "No orders yet" in words(client.get("/new/orders").content)


@pytest.mark.parametrize("address", ["/new/pnl", "/new/pnl?from=2026-01-01&to=2026-01-31", "/new/orders"])
def test_an_empty_store_tells_owners_how_to_fill_it_and_others_whom_to_ask(address: str) -> None:
    store = a_store(slug="new")
    owner = signed_in(store).get(address).content.decode()
    viewer = signed_in(store, email="viewer@example.com", role=Membership.Role.VIEWER).get(address).content.decode()
    said = ["A file your shop exports is enough to begin", "/new/start", "An owner of the store can do that"]
    assert ([one in owner for one in said], [one in viewer for one in said]) == ([True, True, False], [False, False, True])
    assert 'class="filters"' not in owner + viewer


def test_held_orders_are_counted_listed_and_explained() -> None:
    store = a_store(slug="held")
    write(store, an_order("1"), an_order("2", currency="USD"))
    client = signed_in(store)
    page = words(client.get("/held/pnl").content)
    assert "1 order held for a missing exchange rate" in page
    assert "No exchange rate from USD to EUR" in page
    listed = words(client.get("/held/orders?held=1").content)
    assert "#2" in listed
    assert "#1 " not in listed
    assert "in no figure" in words(client.get(reverse("order", args=["held", "#2"])).content)


@pytest.mark.parametrize("given", ["#1001", "#A/7"])
def test_an_order_page_opens_for_any_number(shop: Store, given: str) -> None:
    address = reverse("order", kwargs={"slug": "shop", "number": given})
    assert "#" not in address
    assert f"Order {given}" in words(signed_in(shop).get(address).content)


def test_an_order_page_tells_what_the_profit_is_made_of(shop: Store) -> None:
    page = words(signed_in(shop).get(reverse("order", args=["shop", "#1001"])).content)
    assert "Revenue, tax and shipping included 119.00" in page
    assert "COGS −30.00" in page
    assert "Profit 67.00 Margin, of total sales (tax and shipping included) 56.3 %" in page
    assert "Thing 1 SKU-1 1 100.00 0.00 30.00 30.00 Why this cost: stated with the order" in page
    assert "sale, success stripe 119.00 −3.00 Why this fee: stated by the processor" in page
    assert "those in profit add up to 67.00" in page
    assert "fees:payment −3.00 3 Mar 2026" in page


def test_guessed_costs_and_fees_say_so() -> None:
    store = a_store(slug="guess")
    write(store, an_order())
    page = words(signed_in(store).get(reverse("order", args=["guess", "#1001"])).content)
    assert "default COGS percentage: 40 % of the list price 50.00 (estimated)" in page
    assert "default fee: percentage of the charge plus a fixed part (estimated)" in page


def test_an_unknown_number_is_not_there(shop: Store) -> None:
    client = signed_in(shop)
    assert client.get("/shop/orders/none").status_code == 404
    assert client.get("/shop/orders/%00").status_code == 404


# 13 in service; inside a test's transaction the snapshot is a savepoint, which counts twice instead of once. An order's
# page reads the order twice, as it is shown and as the cost rules see it, and every rule that could apply. Until the first steps are done,
# the strip above the statement asks a few more.
@pytest.mark.parametrize(("address", "most"), [("/shop/pnl", 14), ("/shop/pnl.csv", 13), ("/shop/orders", 14), ("/shop/orders/%231001", 32)])
def test_pages_ask_few_questions(shop: Store, address: str, most: int, django_assert_max_num_queries: object) -> None:
    owner = a_person(shop)
    end(shop, by=owner, now=timezone.now())
    client = browser_of(owner)
    with django_assert_max_num_queries(most):  # type: ignore[operator]
        assert client.get(address).status_code == 200


@pytest.mark.parametrize("address", ["/", "/shop/pnl", "/shop/orders", "/shop/orders/%231001", "/accounts/login/", "/accounts/logout/"])
def test_pages_carry_no_inline_style_or_script(shop: Store, address: str) -> None:
    page = signed_in(shop).get(address, follow=True).content.decode()
    assert not re.search(r"<script(?![^>]*(?: src=\"/|type=\"application/json\"))|<style|\sstyle=|\son\w+=|https?://", page)


def test_what_others_wrote_is_shown_as_text() -> None:
    store = a_store(slug="hostile")
    write(store, an_order("<b>1</b>"))
    client = signed_in(store)
    assert b"<b>1" not in client.get("/hostile/orders").content
    assert b"<b>1" not in client.get(reverse("order", args=["hostile", "#<b>1</b>"])).content


def test_figures_are_written_for_their_currency() -> None:
    assert (amount(Decimal("-1234.5"), "EUR"), amount(Decimal("1234.5"), "JPY"), amount(Decimal("1.2345"), "KWD")) == ("−1,234.50", "1,234", "1.234")
    assert amount(Decimal("-0.001"), "EUR") == "0.00"
    assert money(Decimal("-3"), "USD") == "−$3.00"
    assert percent(Decimal("-0.125")) == "−12.5\u00a0%"
    assert "—" in amount(None, "EUR")


def test_a_spreadsheet_reads_text_as_text_and_numbers_as_numbers() -> None:
    assert [safe(text) for text in ("=1+1", "+1", "-1", "@x", "\t=1", "plain")] == ["'=1+1", "'+1", "'-1", "'@x", "'\t=1", "plain"]
    assert [number(value) for value in (Decimal("-5.0000"), Decimal("100"), Decimal("-0.0"), None)] == ["-5", "100", "0", ""]


@pytest.mark.parametrize(
    ("first", "last", "by", "label"),
    [
        ("2026-03-01", "2026-03-31", By.MONTH, "Mar 2026"), ("2026-03-01", "2026-03-20", By.MONTH, "1–20 Mar 2026"),
        ("2026-03-30", "2026-04-05", By.WEEK, "30 Mar–5 Apr 2026"), ("2026-12-28", "2027-01-03", By.WEEK, "28 Dec 2026–3 Jan 2027"),
        ("2026-01-01", "2026-03-31", By.QUARTER, "Jan–Mar 2026"), ("2026-01-01", "2026-12-31", By.YEAR, "2026"),
        ("2026-04-01", "2027-03-31", By.YEAR, "Apr 2026–Mar 2027"), ("2026-03-01", "2026-03-01", By.MONTH, "1 Mar 2026"),
    ],
)  # fmt: skip
def test_periods_are_named_briefly(first: str, last: str, by: By, label: str) -> None:
    assert period_label(Period(date.fromisoformat(first), date.fromisoformat(last)), by) == label


@pytest.mark.parametrize(
    ("template", "context", "said"),
    [
        ("400.html", {}, "That could not be understood"), ("403.html", {"exception": "Ask Ann."}, "Ask Ann."),
        ("403.html", {}, "Your role does not allow it"), ("403_csrf.html", {}, "Nothing has changed."),
        ("500.html", {"request_id": "abc123"}, "Look for abc123 in the log"),
    ],
)  # fmt: skip
def test_error_pages_say_what_to_do_even_without_a_request(template: str, context: dict[str, str], said: str) -> None:
    page = render_to_string(template, context)
    assert said in words(page.encode())
    assert not re.search(r"<style|\sstyle=|https?://", page)


def test_a_form_without_its_token_is_refused_in_words(shop: Store) -> None:
    answer = Client(enforce_csrf_checks=True).post(reverse("account_login"), {"login": "owner@example.com"})
    assert (answer.status_code, "That was not sent" in answer.content.decode()) == (403, True)


def test_only_owners_are_offered_the_page_of_people(shop: Store) -> None:
    assert 'href="/shop/people"' in signed_in(shop).get("/shop/orders").content.decode()
    viewer = signed_in(shop, email="viewer@example.com", role=Membership.Role.VIEWER)
    assert 'href="/shop/people"' not in viewer.get("/shop/orders").content.decode()
