"""Check the list of orders: its figures and flags, what narrows and sorts it, how it pages, its files, and how margins are spread."""

import csv
import io
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs

import openpyxl
import pytest
from django.db import connection
from django.test import Client
from msgspec.structs import replace
from plotly import graph_objects

from ledger import accounts
from ledger.facts import TouchFact
from ledger.kinds import Evidence, FinancialStatus, Journey, TouchKind
from ledger.models import Store
from ledger.orders import order_list
from ledger.orders.order_list import every_row, margins_of, page_of
from ledger.orders.order_question import Choice, Flag, Key, Question, Sort
from tests.builders import a_cost, a_line, a_refund, a_store, an_edit, an_order, at, write
from tests.dashboards.people import signed_in, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Store:
    """Open a store with an order for each flag: profits 67.00, −21.50, 18.80, 40.00, −8.50, 96.00 and one that is held."""
    store = a_store(slug="shop")
    write(
        store,
        an_order("1001", lines=[a_line("1", price="100.00", cost="30.00")], tax="19.00", fee="3.00", when="2026-03-01 12:00"),
        an_order(
            "1002", lines=[a_line("1", price="50.00", cost="20.00")], fee="1.50", then=[a_refund("50.00", when="2026-04-02 12:00")],
            when="2026-03-02 12:00", channel="pos", country="FR",
        ),
        an_order("1003", lines=[a_line("1", price="50.00", cost=None)], fee="1.20", gateway="PayPal", when="2026-03-03 12:00", shipping="0"),
        an_order(
            "1004", lines=[a_line("1", price="50.00", cost="10.00")], fee="0", then=[an_edit("10.00", line="1", quantity=1)],
            codes=["SPRING"], when="2026-03-04 12:00",
        ),
        an_order(
            "1005", lines=[a_line("1", price="10.00", cost="3.50")], fee="0", costs=[a_cost(accounts.FEES_DISPUTE, "-15.00")],
            when="2026-03-05 12:00",
        ),
        an_order("1006", lines=[a_line("1", price="100.00", cost="4.00")], fee="0", when="2026-03-05 13:00"),
        an_order("1007", lines=[a_line("1", cost="1.00")], currency="USD", when="2026-03-06 12:00"),
    )  # fmt: skip
    return store


def numbers(client: Client, query: str = "") -> list[str]:
    """Return the numbers of the orders on a page, without the #."""
    answer = client.get(f"/shop/orders?{query}")
    assert answer.status_code == 200
    return [row.order.number.removeprefix("#") for row in answer.context["listing"].rows]


def test_each_order_shows_its_figures_and_what_is_special_about_it(shop: Store) -> None:
    page = text_of(signed_in(shop).get("/shop/orders?wide=1"))
    assert "#1001 1 Mar 2026 Online, DE 119.00 −30.00 −22.00 67.00 56.3" in page
    assert "#1002 2 Mar 2026 Pos, FR 0.00 −20.00 −1.50 −21.50 — no figure loss refunded" in page
    assert "#1003 3 Mar 2026 Online, DE 50.00 −20.00 −1.20 28.80 57.6 % no cost" in page
    assert "#1004 4 Mar 2026 Online, DE 60.00 −20.00 0.00 40.00 66.7 % edited" in page
    assert "#1005 5 Mar 2026 Online, DE 10.00 −3.50 −15.00 −8.50 −85.0 % loss disputed" in page
    assert "#1007 6 Mar 2026 Online, DE — no figure — no figure — no figure — no figure — no figure held: exchange rate missing" in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", "1007 1006 1005 1004 1003 1002 1001"), ("flag=loss", "1005 1002"), ("flag=estimated", "1003"), ("flag=no-cost", "1003"),
        ("flag=refunded", "1002"), ("flag=disputed", "1005"), ("flag=edited", "1004"), ("flag=held", "1007"), ("held=1", "1007"),
        ("flag=loss&flag=disputed", "1005"), ("q=1004", "1004"), ("q=%231004", "1004"), ("q=nothing", ""), ("channel=2", "1002"),
        ("country=fr", "1002"), ("country=France", "1002"), ("gateway=paypal", "1003"), ("code=spring", "1004"),
        ("from=2026-03-03&to=2026-03-04", "1004 1003"), ("from=2026-03-05", "1007 1006 1005"), ("to=2026-03-01", "1001"),
        ("sort=day", "1001 1002 1003 1004 1005 1006 1007"), ("sort=-profit", "1006 1001 1004 1003 1005 1002 1007"),
        ("sort=profit", "1002 1005 1003 1004 1001 1006 1007"), ("sort=-revenue&flag=loss", "1005 1002"),
        ("sort=-margin", "1006 1004 1003 1001 1005 1007 1002"), ("sort=margin", "1005 1001 1003 1004 1006 1002 1007"),
        ("sort=-profit&country=DE&from=2026-03-04&to=2026-03-05", "1006 1004 1005"),
    ],
)  # fmt: skip
def test_the_address_narrows_and_sorts_the_list(shop: Store, query: str, found: str) -> None:
    assert " ".join(numbers(signed_in(shop), query)) == found


def test_margin_of_net_revenue_leaves_tax_out_of_its_base(shop: Store) -> None:
    Store.objects.filter(pk=shop.pk).update(margin_basis=Store.MarginBasis.NET_REVENUE)
    shop.refresh_from_db()
    first = page_of(shop, Choice(named="1001")).orders[0]
    assert first.margin == Decimal("0.67000000")


BAD = {
    "flag=golden": "“golden” is not something that orders can be narrowed to.",
    "channel=9": "This store has no such channel.",
    "country=Atlantis": "“Atlantis” is not a country: give its two letters, such as DE, or its English name.",
    "sort=luck": "Orders are sorted by day, revenue, profit or margin.",
    "show=map": "Orders are shown as a list or by margins.",
    "from=2026-05-01&to=2026-03-01": "The last day lies before the first.",
    "from=yesterday": "Give the first day as year-month-day, such as 2026-01-31.",
    "after=nowhere": "The page asked for begins at no order.",
    "after=2026-03-03_x": "The page asked for begins at no order.",
    "before=1.5_3": "The page asked for begins at no order.",
    "sort=-profit&after=NaN_3": "The page asked for begins at no order.",
    "sort=-profit&after=1E999_3": "The page asked for begins at no order.",
    "sort=-profit&after=5_99999999999999999999": "The page asked for begins at no order.",
    "q=%00": "Null characters are not allowed.",
}


@pytest.mark.parametrize("query", BAD)
def test_what_is_refused_is_named_and_every_order_shown(shop: Store, query: str) -> None:
    client = signed_in(shop)
    answer = client.get(f"/shop/orders?{query}")
    assert BAD[query] in text_of(answer)
    assert len(answer.context["listing"].rows) == 7
    assert client.get(f"/shop/orders.csv?{query}").status_code == 400
    assert client.get(f"/shop/orders.xlsx?{query}").status_code == 400


def pages_of(store: Store, choice: Choice, **bound: Any) -> list[list[str]]:
    """Walk a list to its end by the keys of its pages."""
    found, key = [], None
    while True:
        page = page_of(store, choice, key, **bound)
        found.append([order.number for order in page.orders])
        if page.older is None:
            return found
        key = page.older


@pytest.fixture
def long() -> Store:
    """Open a store with 120 orders on four days, three of each profit, every tenth held."""
    store = a_store(slug="long")
    lines = [[a_line("1", price=f"{10 + number // 3}.00", cost="20.00")] for number in range(120)]
    write(
        store,
        *(
            an_order(f"{number:03}", lines=goods, fee="0", currency="USD" if number % 10 == 0 else "EUR", when=f"2026-03-0{1 + number // 30} 12:00")
            for number, goods in enumerate(lines)
        ),
    )
    return store


@pytest.mark.parametrize("sort", list(Sort))
@pytest.mark.parametrize("descending", [True, False])
def test_pages_by_key_hold_every_order_once_and_lead_back_the_same_way(long: Store, sort: Sort, descending: bool) -> None:
    choice = Choice(sort=sort, descending=descending)
    pages = pages_of(long, choice)
    assert [len(page) for page in pages] == [50, 50, 20]
    assert len({number for page in pages for number in page}) == 120
    second = page_of(long, choice, page_of(long, choice).older)
    assert second.older is not None
    assert second.newer is not None
    third = page_of(long, choice, second.older)
    assert third.newer is not None
    assert [order.number for order in page_of(long, choice, third.newer).orders] == pages[1]
    assert [order.number for order in page_of(long, choice, second.newer).orders] == pages[0]
    assert page_of(long, choice, second.newer).newer is None


def test_links_of_pages_keep_what_narrows_the_list(long: Store) -> None:
    client = signed_in(long)
    first = client.get("/long/orders?sort=-profit&from=2026-03-01").context["listing"]
    assert first.newer == ""
    assert {name: values[0] for name, values in parse_qs(first.older).items() if name != "after"} == {"sort": "-profit", "from": "2026-03-01"}
    second = client.get(f"/long/orders?{first.older}").context["listing"]
    back = client.get(f"/long/orders?{second.newer}").context["listing"]
    shown = [[row.order.number for row in one.rows] for one in (first, second, back)]
    assert (shown[0] == shown[2], set(shown[0]) & set(shown[1])) == (True, set())


def test_a_page_looks_through_no_more_than_its_bound_and_says_where_it_stopped(long: Store) -> None:
    held = Choice(country="FR")
    page = page_of(long, held, looked=40)
    assert (page.orders, page.looked_back_to) == ([], date(2026, 3, 3))
    assert page.older == Key(date(2026, 3, 3), page.older.id if page.older else 0)
    assert pages_of(long, held, looked=40) == [[], [], []]
    by_profit = page_of(long, Choice(sort=Sort.PROFIT), looked=40)
    assert (len(by_profit.orders), by_profit.looked_back_to, by_profit.older) == (40, date(2026, 3, 3), None)
    assert page_of(long, Choice(sort=Sort.PROFIT)).looked_back_to is None


def test_sorting_says_when_it_is_among_the_newest_orders_only(long: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order_list.page_of, "__kwdefaults__", {"looked": 40})
    client = signed_in(long)
    assert "back to 3 Mar 2026. Choose earlier days to sort older ones." in text_of(client.get("/long/orders?sort=-profit"))
    empty = text_of(client.get("/long/orders?country=FR"))
    assert "No order matches" in empty
    assert "Look further" in empty


def test_a_day_with_more_orders_than_a_page_is_read_from_the_index_that_lists_by_day(long: Store) -> None:
    plan = "\n".join(plan_of(long, Choice(), Key(date(2026, 3, 3), 2**40)))
    assert "order_by_day_and_id" in plan
    assert "Sort" not in plan


def plan_of(store: Store, choice: Choice, key: Key | None = None) -> list[str]:
    """Return the plan of a page where the planner may not read the whole table."""
    question = Question(store, choice, key)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
        cursor.execute("SET LOCAL enable_sort = off")
        cursor.execute(f"EXPLAIN {question.sql()}", question.values)
        return [row[0] for row in cursor.fetchall()]


def rows_of_csv(client: Client, query: str = "", slug: str = "shop") -> list[list[str]]:
    """Read the file of a view."""
    answer: Any = client.get(f"/{slug}/orders.csv?{query}")
    assert answer.status_code == 200
    return list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode())))


def test_the_csv_file_holds_the_whole_view_in_its_order(shop: Store, long: Store) -> None:
    client = signed_in(shop, long)
    rows = rows_of_csv(client, "sort=-profit&country=DE&to=2026-03-05")
    assert [row[0] for row in rows] == ["number", "#1006", "#1001", "#1004", "#1003", "#1005"]
    assert rows[0][11:] == [
        "revenue (EUR)", "COGS (EUR)", "shipping (EUR)", "tax (EUR)", "payment fees (EUR)", "other fees (EUR)",
        "marketing linked to the order (EUR)", "profit (EUR)", "margin of total sales (tax and shipping included)", "estimated share",
    ]  # fmt: skip
    assert rows[2] == [
        "#1001", "shop", "1001", "2026-03-01", "Online", "DE", "EUR", "paid", "", "", "",
        "119", "-30", "0", "-19", "-3", "0", "0", "67", "0.56302521", "0",
    ]  # fmt: skip
    held = rows_of_csv(client, "flag=held")[1]
    assert (held[8], held[11:]) == ("held: exchange rate missing", [""] * 10)
    assert len(rows_of_csv(client, slug="long")) == 121


def test_the_workbook_holds_the_same_as_numbers_and_texts(shop: Store) -> None:
    answer: Any = signed_in(shop).get("/shop/orders.xlsx?flag=loss&sort=profit")
    assert answer["Content-Disposition"] == 'attachment; filename="shop-orders.xlsx"'
    sheet = openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content))).active
    assert sheet is not None
    rows = [list(row) for row in sheet.iter_rows(values_only=True)]
    assert [row[0] for row in rows] == ["number", "#1002", "#1005"]
    assert rows[2][:10] == ["#1005", "shop", "1005", "2026-03-05", "Online", "DE", "EUR", "paid", "loss, disputed", None]
    assert rows[2][11:] == [10, -3.5, 0, 0, 0, -15, 0, -8.5, -0.85, 0]


def test_files_escape_what_a_spreadsheet_would_calculate() -> None:
    store = a_store(slug="hostile")
    write(store, an_order("=1+1", lines=[a_line("1", cost="1.00")], codes=["=CMD()"]))
    client = signed_in(store)
    [row] = rows_of_csv(client, slug="hostile")[1:]
    assert (row[2], row[9]) == ("'=1+1", "'=CMD()")
    answer: Any = client.get("/hostile/orders.xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content))).active
    assert sheet is not None
    assert [(cell.value, cell.data_type) for cell in (sheet["C2"], sheet["J2"])] == [("=1+1", "s"), ("=CMD()", "s")]


def test_a_view_that_is_too_large_for_a_file_is_refused_rather_than_cut(long: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboards.views.orders.MOST_IN_CSV", 119)
    answer = signed_in(long).get("/long/orders.csv")
    said = "These are more than 119 orders, which is the most one CSV file holds. Choose fewer days."
    assert (answer.status_code, answer.content.decode()) == (400, said)
    assert signed_in(long, email="two@example.com").get("/long/orders.csv?to=2026-03-02").status_code == 200


def test_margins_are_counted_with_their_losses_apart(shop: Store) -> None:
    page = signed_in(shop).get("/shop/orders?show=margins")
    text = text_of(page)
    assert "Of 6 orders, 2 (33.3 %) lost money: together −€30.00." in text
    assert "1 has no margin: nothing is left of its sales." in text
    chart = page.context["chart"]
    orders, _, profit = (series.cells for series in chart.series)
    assert [row for row in zip(chart.headings, orders, profit, strict=True) if row[1]] == [
        ("below −50 %", 1, Decimal("-8.50")), ("50 % to 60 %", 2, Decimal("95.80")), ("60 % to 70 %", 1, Decimal("40.00")),
        ("90 % to 100 %", 1, Decimal("96.00")), ("No margin: nothing is left of their sales", 1, Decimal("-21.50")), ("All", 6, Decimal("201.80")),
    ]  # fmt: skip
    graph_objects.Figure(chart.figure)
    assert {bars["name"]: [count for count in bars["y"] if count] for bars in chart.figure["data"]} == {"Lost money": [1], "Made money": [2, 1, 1]}
    assert "2 orders that lost money, the worst first" in text
    assert numbers(signed_in(shop, email="two@example.com"), "flag=loss&sort=profit") == ["1002", "1005"]


def test_every_counted_order_is_in_one_bin_or_has_no_margin(long: Store) -> None:
    margins = margins_of(long, Choice())
    assert (sum(one.orders for one in margins.bins) + margins.without, margins.orders) == (108, 108)
    assert margins.profit == sum((order.profit for order in every_row(long, Choice(), most=200)), Decimal(0))
    narrowed = margins_of(long, Choice(flags=frozenset({Flag.LOSS})))
    assert (narrowed.orders, narrowed.losing) == (narrowed.losing, narrowed.orders)


def test_an_empty_store_shows_what_to_do_first_in_both_views() -> None:
    client = signed_in(a_store(slug="new"))
    assert ["No orders yet" in text_of(client.get(f"/new/orders{query}")) for query in ("", "?show=margins", "?flag=loss")] == [True, True, True]


def test_orders_of_another_store_are_in_no_list_file_or_margin(shop: Store) -> None:
    other = a_store(slug="other")
    write(other, an_order("9001"))
    client = signed_in(other)
    assert [len(rows_of_csv(client, slug="other")), margins_of(other, Choice()).orders] == [2, 1]
    assert "#9001" in text_of(client.get("/other/orders"))
    assert "1001" not in text_of(client.get("/other/orders"))


def test_unpaid_orders_say_why_they_do_not_count() -> None:
    store = a_store(slug="unpaid")
    write(store, an_order("1", status=FinancialStatus.PENDING))
    assert "not counted (pending)" in text_of(signed_in(store).get("/unpaid/orders"))


# Eleven in service; inside a test's transaction the snapshot is a savepoint, which counts twice instead of once.
@pytest.mark.parametrize(("query", "most"), [("", 15), ("?sort=-profit&flag=loss&gateway=paypal", 15), ("?show=margins", 15)])
def test_the_number_of_questions_does_not_grow_with_the_orders(
    shop: Store, long: Store, query: str, most: int, django_assert_max_num_queries: Any
) -> None:  # fmt: skip
    client = signed_in(shop, long)
    for slug in ("shop", "long"):
        with django_assert_max_num_queries(most):
            assert client.get(f"/{slug}/orders{query}").status_code == 200


def test_orders_are_found_by_where_their_customers_came_from_and_files_say_it(shop: Store) -> None:
    visits = [
        TouchFact(at("2026-03-01 09:00"), TouchKind.FIRST_VISIT, Evidence.UTM, "Newsletter"),
        TouchFact(at("2026-03-02 09:00"), TouchKind.MOMENT, Evidence.REFERRER, "blog.example.org"),
        TouchFact(at("2026-03-03 09:00"), TouchKind.LAST_VISIT, Evidence.NONE, "direct"),
    ]
    write(shop, replace(an_order("1008", when="2026-03-09 12:00"), journey=Journey.WHOLE, touches=tuple(visits)))
    write(shop, replace(an_order("1009", when="2026-03-10 12:00"), journey=Journey.ENDS, touches=(replace(visits[2], kind=TouchKind.ONLY_VISIT),)))
    client = signed_in(shop)
    assert (numbers(client, "source=newsletter"), numbers(client, "source=direct"), numbers(client, "source=bing")) == (
        ["1008"],
        ["1009", "1008"],
        [],
    )
    came = {row[0]: row[10] for row in rows_of_csv(client)}
    assert (came["#1008"], came["#1009"], came["#1001"]) == ("blog.example.org", "direct", "")
