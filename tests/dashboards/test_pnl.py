"""The P&L beside its figures by period: what it compares, what differs between the bases, its tabs, its files and its sheet."""

import csv
import re
from decimal import Decimal
from html import unescape
from io import BytesIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from openpyxl import load_workbook
from plotly import graph_objects

from dashboards.charts import cost_share_chart, margin_chart
from dashboards.delta import Delta
from dashboards.forms.scope import Compare, Scope
from dashboards.pages import start
from dashboards.pages.breakdown_tables import cost_grids, revenue_grids
from dashboards.pages.grid import Grid
from dashboards.pages.statement_table import Row, Table, statement_table
from ledger.kinds import Basis
from ledger.models import ManualCost, Store
from ledger.periods import By
from ledger.rules import rules
from ledger.statements import Span, profit, profit_of
from tests.builders import a_line, a_refund, a_store, an_order, at, book_of, day, write
from tests.dashboards.people import signed_in, text_of
from tests.dashboards.scopes import a_scope, span

pytestmark = pytest.mark.django_db

MARCH = "from=2026-03-01&to=2026-03-31&by=month&basis=event"


@pytest.fixture
def shop() -> Store:
    """Open a store that sold mugs and cups in February and March over two channels, and gave some back in April."""
    store = a_store(slug="shop")
    mug, cup = (a_line(name, price=price, cost=cost) for name, price, cost in (("mug", "100.00", "30.00"), ("cup", "50.00", "20.00")))
    write(
        store,
        an_order("1", lines=[mug], shipping="5.00", fee="3.00", when="2026-02-10 12:00", channel="online", country="DE"),
        an_order("2", lines=[mug, cup], discount="15.00", tax="19.00", fee="4.00", channel="online", country="FR", then=[
            a_refund("45.00", line="cup", discount="5.00", when="2026-04-02 12:00"),
        ]),
        an_order("3", lines=[cup], fee="1.50", when="2026-03-20 12:00", channel="amazon", country=""),
    )  # fmt: skip
    rent = ManualCost(
        category="operating", label="rent", amount=Decimal(31), currency="EUR", basis="month", effective_from=day("2026-03-01"),
        effective_to=day("2026-03-31"),
    )  # fmt: skip
    ads = ManualCost(
        category="marketing", label="meta-ads", amount=Decimal(10), currency="EUR", basis="once", effective_from=day("2026-03-05"),
        effective_to=day("2026-03-05"),
    )  # fmt: skip
    rules.change(store, add=[rent, ads], actor="ann@example.com", now=at("2026-05-01 12:00"))
    store.book.refresh_from_db()
    return store


def march(compare: Compare = Compare.PREVIOUS, by: By = By.MONTH, basis: str = "event") -> Scope:
    """Ask for March, compared with February."""
    return a_scope("2026-03-01", "2026-03-31", by, basis=basis, compare=compare)


def row_of(table: Table, key: str) -> Row:
    """Find a row of a statement."""
    return next(row for _, rows in table.sections() for row in rows if row.key == key)


def compared(row: Row) -> tuple[Any, ...]:
    """Return a row's total, what it is compared with, the change, and the word for it."""
    assert row.delta is not None
    share = row.delta.share
    return row.total, row.compared, row.delta.change, None if share is None else round(share, 4), row.delta.verdict


def test_statements_of_any_spans_are_those_of_their_days(shop: Store) -> None:
    spans = [
        Span(span("2026-03-01", "2026-03-31"), Basis.EVENT), Span(span("2026-03-01", "2026-03-31"), Basis.ORDER),
        Span(span("2026-02-01", "2026-04-30"), Basis.EVENT), Span(span("2020-01-01", "2020-01-01"), Basis.EVENT),
    ]  # fmt: skip
    profit_of(shop.book, spans)  # names of a person's own accounts are read once and then known
    with CaptureQueriesContext(connection) as asked:
        found = profit_of(shop.book, spans)
    assert len(asked) == 1
    assert found == [profit(shop.book, [one.period], basis=one.basis)[0] for one in spans]


def test_every_figure_is_compared_and_said_to_be_better_or_worse(shop: Store) -> None:
    table = statement_table(shop, march())
    assert compared(row_of(table, "net_revenue")) == (Decimal(185), Decimal(105), Decimal(80), Decimal("0.7619"), "better")
    assert compared(row_of(table, "cogs")) == (Decimal(-70), Decimal(-30), Decimal(-40), Decimal("1.3333"), "worse")
    assert compared(row_of(table, "discounts")) == (Decimal(-15), Decimal(0), Decimal(-15), None, "worse")
    assert compared(row_of(table, "orders")) == (Decimal(2), Decimal(1), Decimal(1), Decimal(1), "better")
    assert compared(row_of(table, "tax"))[-1] == ""
    # 185.00 − 70.00 − 5.50 − 10.00 − 31.00, against 105.00 − 30.00 − 5.00 − 3.00
    assert compared(row_of(table, "net_profit")) == (Decimal("68.5"), Decimal(67), Decimal("1.5"), Decimal("0.0224"), "better")
    assert [(one.label, one.total, one.compared) for one in row_of(table, "marketing").accounts] == [
        ("marketing:meta-ads", Decimal(-10), Decimal(0))
    ]  # fmt: skip


def test_the_changes_of_the_lines_add_up_to_the_change_of_net_profit(shop: Store) -> None:
    table = statement_table(shop, march())
    assert sum(row.delta.change or 0 for row in table.lines if row.delta and not row.is_sum) == Decimal("1.5")


def test_what_was_not_booked_is_not_known_to_have_been_zero(shop: Store) -> None:
    table = statement_table(shop, a_scope("2026-02-01", "2026-02-28", compare=Compare.PREVIOUS))
    assert (table.is_compared_booked, compared(row_of(table, "net_revenue"))) == (False, (Decimal(105), None, None, None, ""))
    page = text_of(signed_in(shop).get("/shop/pnl?from=2026-02-01&to=2026-02-28&compare=previous"))
    assert "Compared with 1 Jan 2026 to 31 Jan 2026: nothing is booked in those days" in page
    assert "Net revenue 105.00 100.0 % — no figure — no figure — no figure 105.00" in page


def test_the_page_shows_both_figures_the_change_and_a_word(shop: Store) -> None:
    page = text_of(signed_in(shop).get(f"/shop/pnl?{MARCH}"))
    assert "Net revenue 185.00 100.0 % 105.00 +80.00 ↑ +76.2 % better 185.00" in page
    assert "Discounts −15.00 −8.1 % 0.00 −15.00 ↑ n/a worse −15.00" in page
    assert "Orders 2 1 +1 ↑ +100.0 % better 2" in page
    assert "Net margin, of total sales (tax and shipping included) 33.6 % 63.8 % −30.2 points ↓ −30.2 points worse 33.6 %" in page
    assert "against 1 Feb – 28 Feb 2026" in page
    assert "Compared days" not in text_of(signed_in(shop, email="b@example.com").get(f"/shop/pnl?{MARCH}&compare=none"))


def test_the_bridge_between_the_bases_ties_to_net_profit_on_both(shop: Store) -> None:
    for basis in ("event", "order"):
        table = statement_table(shop, march(basis=basis))
        assert [(step.label, step.by_order, step.difference, step.by_event) for step in table.bridge] == [
            ("Returns", Decimal(-45), Decimal(45), Decimal(0)), ("Net profit", Decimal("23.5"), Decimal(45), Decimal("68.5")),
        ]  # fmt: skip
    lines = sum(step.difference for step in table.bridge[:-1])
    assert lines == table.bridge[-1].difference == Decimal(45)
    assert "Returns −45.00 +45.00 0.00" in text_of(signed_in(shop).get(f"/shop/pnl?{MARCH}"))


def test_days_on_which_both_bases_agree_say_so(shop: Store) -> None:
    page = text_of(signed_in(shop).get("/shop/pnl?from=2026-02-01&to=2026-04-30"))
    assert "Over these days both bases give the same" in page


def cells_of(grid: Grid) -> dict[str, list[Any]]:
    """Return a table's rows by name; of a change, its share."""
    return {
        row.label: [round(value.share, 4) if isinstance(value, Delta) and value.share is not None else
                    None if isinstance(value, Delta) else round(value, 4) if value is not None else None for value in row.cells]
        for row in grid.rows
    }  # fmt: skip


def numbers(*texts: str) -> list[Decimal | None]:
    """Read numbers; a dot is none."""
    return [None if text == "." else Decimal(text) for text in texts]


def test_revenue_by_channel_product_and_country_ties_to_net_revenue(shop: Store) -> None:
    channels, products, countries = revenue_grids(shop, march())
    assert [column.label for column in channels.columns] == [
        "Gross sales", "Discounts", "Returns", "Shipping charged", "Other income", "Net revenue", "Share", "Compared days", "Change",
    ]  # fmt: skip
    assert cells_of(channels) == {
        "Online": numbers("150", "-15", "0", "0", "0", "135", "0.7297", "105", "0.2857"),
        "Amazon": numbers("50", "0", "0", "0", "0", "50", "0.2703", "0", "."),
        "All": numbers("200", "-15", "0", "0", "0", "185", "1", "105", "0.7619"),
    }
    assert cells_of(products) == {
        "Thing cup": numbers("2", "100", "-5", "0", "95", "0.5135", "0", "."),
        "Thing mug": numbers("1", "100", "-10", "0", "90", "0.4865", "100", "-0.1"),
        "Shipping charged and other income": numbers(".", ".", ".", ".", "0", "0", "5", "-1"),
        "All": numbers(".", "200", "-15", "0", "185", "1", "105", "0.7619"),
    }
    assert cells_of(countries) == {
        "France": numbers("150", "-15", "0", "0", "0", "135", "0.7297", "0", "."),
        "Country not known": numbers("50", "0", "0", "0", "0", "50", "0.2703", "0", "."),
        "Germany": numbers("0", "0", "0", "0", "0", "0", "0", "105", "-1"),
        "All": numbers("200", "-15", "0", "0", "0", "185", "1", "105", "0.7619"),
    }


def test_products_beyond_the_first_and_goods_without_one_are_rows_of_their_own(shop: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    write(shop, an_order("4", lines=[a_line("x", price="7.00", variant=None)], when="2026-03-21 12:00"))
    monkeypatch.setattr("dashboards.pages.breakdown_tables.MOST_PRODUCTS", 1)
    products = revenue_grids(shop, march(Compare.NONE))[1]
    assert cells_of(products) == {
        "Thing cup": numbers("2", "100", "-5", "0", "95", "0.4948"),
        "1 other products": numbers("1", "100", "-10", "0", "90", "0.4688"),
        "No product of the catalogue": numbers(".", "7", "0", "0", "7", "0.0365"),
        "All": numbers(".", "207", "-15", "0", "192", "1"),
    }


def test_costs_by_kind_channel_and_platform_tie_to_the_statement(shop: Store) -> None:
    write(shop, an_order("4", lines=[a_line("new", price="100.00")], fee="2.00", when="2026-03-22 12:00", channel="amazon"))
    kinds, channels, platforms = cost_grids(shop, march(Compare.NONE))
    assert cells_of(kinds) == {
        "COGS": numbers("-70", "-40", "-110", "0.386", "0.3636"),
        "cogs:product": numbers("-70", "-40", "-110", "0.386", "0.3636"),
        "Payment, marketplace and dispute fees": numbers("-7.5", "0", "-7.5", "0.0263", "0"),
        "fees:payment": numbers("-7.5", "0", "-7.5", "0.0263", "0"),
        "Marketing": numbers("-10", "0", "-10", "0.0351", "0"),
        "marketing:meta-ads": numbers("-10", "0", "-10", "0.0351", "0"),
        "Operating costs": numbers("-31", "0", "-31", "0.1088", "0"),
        "operating:rent": numbers("-31", "0", "-31", "0.1088", "0"),
        "All costs": numbers("-118.5", "-40", "-158.5", "0.5561", "0.2524"),
    }
    assert cells_of(channels) == {
        "Online": numbers("-50", "0", "-4", "0", "0", "-54", "0.4"),
        "Amazon": numbers("-60", "0", "-3.5", "0", "0", "-63.5", "0.4233"),
        "No channel: costs of days": numbers("0", "0", "0", "-10", "-31", "-41", "."),
        "All": numbers("-110", "0", "-7.5", "-10", "-31", "-158.5", "0.5561"),
    }
    assert cells_of(platforms) == {
        "Meta Ads": numbers("-10", "0.5714", "0.0351"),
        "Payment fees": numbers("-7.5", "0.4286", "0.0263"),
        "All of these": numbers("-17.5", "1", "0.0614"),
    }


def test_the_tabs_show_their_tables_and_link_to_each_other_with_the_same_days(shop: Store) -> None:
    client = signed_in(shop)
    revenue, costs = client.get(f"/shop/pnl/revenue?{MARCH}"), client.get(f"/shop/pnl/costs?{MARCH}")
    assert "Amazon 50.00 0.00 0.00 0.00 0.00 50.00 27.0 % 0.00 ↑ n/a better" in text_of(revenue)
    assert "Meta Ads −10.00 64.5 % 5.4 % 0.00 ↑ n/a worse" in text_of(costs)
    assert "Costs took 63.0 % of net revenue: COGS 37.8 %, Operating costs 16.8 %, Marketing 5.4 %, " in text_of(costs)
    link = f'href="/shop/pnl/costs?{MARCH}"'.replace("&", "&amp;")
    assert (link in revenue.content.decode(), link in costs.content.decode()) == (True, True)
    assert "Nothing is recorded yet" in text_of(signed_in(a_store(slug="new"), email="new@example.com").get("/new/pnl/costs"))
    assert "Nothing is booked in this range." in text_of(client.get("/shop/pnl/revenue?from=2020-01-01&to=2020-01-31"))


def test_shares_of_net_revenue_are_drawn_with_gaps_where_there_is_none(shop: Store) -> None:
    table = statement_table(shop, a_scope("2026-01-01", "2026-04-30", today="2026-04-30"))
    costs, margins = cost_share_chart(table, today=day("2026-04-30")), margin_chart(table, today=day("2026-04-30"))
    assert [(one["name"], [None if value is None else round(value, 4) for value in one["y"]]) for one in costs.figure["data"]] == [
        ("COGS", [None, 0.2857, 0.3784, None]), ("Shipping, packaging, fulfilment", [None, 0.0476, 0.0, None]),
        ("Payment, marketplace and dispute fees", [None, 0.0286, 0.0297, None]), ("Marketing", [None, 0.0, 0.0541, None]),
        ("Operating costs", [None, 0.0, 0.1676, None]),
    ]  # fmt: skip
    assert costs.figure["data"][0]["marker"]["pattern"]["shape"] == ["", "", "", "/"]
    assert [one.label for one in margins.series] == ["CM1", "CM2", "CM3", "Net profit"]
    assert (
        margins.finding == "Net profit was 36.9\u00a0% of net revenue. It was highest in Feb 2026 (63.8\u00a0%) and lowest in Mar 2026 (37.0\u00a0%)."
    )
    for chart in (costs, margins):
        assert len(graph_objects.Figure(chart.figure).data) == len(chart.series)
    nothing = statement_table(shop, a_scope("2020-01-01", "2020-01-31"))
    assert [chart(nothing, today=day("2026-04-30")).finding for chart in (cost_share_chart, margin_chart)] == ["Nothing is booked in this range."] * 2
    lost = statement_table(shop, a_scope("2026-04-01", "2026-04-30"))
    assert cost_share_chart(lost, today=day("2026-05-30")).finding == "There is no net revenue in this range, so nothing can be a share of it."


def test_the_file_holds_the_comparison_as_well(shop: Store) -> None:
    rows = list(csv.reader(signed_in(shop).get(f"/shop/pnl.csv?{MARCH}").content.decode().splitlines()))
    assert rows[0][-5:] == ["total", "share of net revenue", "total of the compared days", "change", "change as a share"]
    assert ["Profit", "Net revenue", "", "EUR", "185", "185", "1", "105", "80", "0.761905"] in rows
    assert ["Profit", "Discounts", "", "EUR", "-15", "-15", "-0.081081", "0", "-15", ""] in rows
    assert ["Profit", "Marketing", "marketing:meta-ads", "EUR", "-10", "-10", "-0.054054", "0", "-10", ""] in rows


def test_the_files_of_the_tabs_hold_their_tables(shop: Store) -> None:
    client = signed_in(shop)
    answer = client.get(f"/shop/pnl/revenue.csv?{MARCH}")
    assert answer["Content-Disposition"] == 'attachment; filename="shop-revenue-2026-03-01-2026-03-31-by-month-event.csv"'
    rows = list(csv.reader(answer.content.decode().splitlines()))
    assert rows[0][:3] == ["table", "channel", "Gross sales (EUR)"]
    assert ["Net revenue by channel", "Online", "150", "-15", "0", "0", "0", "135", "0.72973", "105", "0.285714"] in rows
    costs = list(csv.reader(client.get(f"/shop/pnl/costs.csv?{MARCH}").content.decode().splitlines()))
    assert ["Marketing and fees by platform", "Meta Ads", "-10", "0.645161", "0.054054", "0", ""] in costs


def test_the_workbook_holds_numbers_and_says_what_it_shows(shop: Store) -> None:
    answer = signed_in(shop).get(f"/shop/pnl.xlsx?{MARCH}")
    assert answer["Content-Disposition"] == 'attachment; filename="shop-profit-2026-03-01-2026-03-31-by-month-event.xlsx"'
    sheet = load_workbook(BytesIO(answer.content))["Profit and loss"]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    about = {row[0]: row[1] for row in rows[:8]}
    assert (about["Store"], about["Days"], about["Counted on"]) == ("Shop", "2026-03-01 to 2026-03-31, UTC time", "the day it happened")
    assert (about["Compared with"], about["Currency"]) == ("2026-02-01 to 2026-02-28", "EUR")
    assert about["Through batch"].startswith(f"{book_of(shop).last_seq}, recorded ")
    heads = next(row for row in rows if row[0] == "Line")
    assert heads == [
        "Line", "Account", "Section", "Total", "Share of net revenue", "Total of the compared days", "Change", "Change as a share", "Mar 2026",
    ]  # fmt: skip
    assert ["Net revenue", None, "Profit", 185, 1, 105, 80, round(80 / 105, 15), 185] in [
        [round(cell, 15) if isinstance(cell, float) else cell or None for cell in row] for row in rows
    ]  # fmt: skip
    assert ["Marketing", "marketing:meta-ads", "Profit", -10] in [row[:4] for row in rows]
    total = next(cell for row in sheet.iter_rows() for cell in row if cell.value == 185)
    assert (total.number_format, total.data_type) == ("#,##0.00", "n")


@pytest.mark.parametrize(("address", "sheets"), [
    ("/shop/pnl/revenue.xlsx", ["Net revenue by channel", "Net revenue by product", "Net revenue by country"]),
    ("/shop/pnl/costs.xlsx", ["Costs by kind", "Costs by channel", "Marketing and fees by platform"]),
])  # fmt: skip
def test_the_workbooks_of_the_tabs_have_a_sheet_per_table(shop: Store, address: str, sheets: list[str]) -> None:
    book = load_workbook(BytesIO(signed_in(shop).get(f"{address}?{MARCH}").content))
    assert book.sheetnames == sheets
    assert [row[0].value for row in book[sheets[0]].iter_rows()][:2] == ["Store", "Days"]


def test_names_that_look_like_formulas_stay_texts(shop: Store) -> None:
    write(shop, an_order("5", lines=[a_line("f", price="900.00")], when="2026-03-22 12:00", channel='=cmd|"/c calc"!A0'))
    client = signed_in(shop)
    sheet = load_workbook(BytesIO(client.get(f"/shop/pnl/revenue.xlsx?{MARCH}").content))["Net revenue by channel"]
    found = [cell for row in sheet.iter_rows() for cell in row if str(cell.value).lower().startswith("=cmd")]
    assert [cell.data_type for cell in found] == ["s"]
    rows = csv.reader(client.get(f"/shop/pnl/revenue.csv?{MARCH}").content.decode().splitlines())
    assert [row[1][:5].lower() for row in rows if "cmd" in row[1].lower()] == ["'=cmd"]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize("tab", ["pnl", "pnl/revenue", "pnl/costs"])
def test_a_file_of_what_cannot_be_shown_is_refused_in_words(shop: Store, tab: str, kind: str) -> None:
    answer = signed_in(shop).get(f"/shop/{tab}.{kind}?from=x&compare=custom")
    assert (answer.status_code, answer.content.decode().splitlines()) == (400, [
        "Give the first day as year-month-day, such as 2026-01-31.", "Give both the first and the last day to compare with.",
    ])  # fmt: skip


@pytest.mark.parametrize(("tab", "figures"), [("pnl", 103), ("pnl/revenue", 47), ("pnl/costs", 39)])
def test_every_figure_opens_the_entries_that_sum_to_it(shop: Store, tab: str, figures: int) -> None:
    client = signed_in(shop)
    html = client.get(f"/shop/{tab}?{MARCH}").content.decode()
    # Shares and changes open the same pages, which say them beside the figure (test_beside_figures.py).
    shown = re.findall(r'<td(?! class="share)[^>]*><a href="((?:(?!compare=)[^"])+)">([^<]+)</a>', html)
    assert len(shown) == figures
    opened = {address: client.get(unescape(address)) for address in {address for address, _ in shown}}
    assert {answer.status_code for answer in opened.values()} == {200}
    for address, figure in shown:
        told = re.search(r'class="[^"]*opened-value[^"]*"[^>]*>([^<]+)<', opened[address].content.decode())
        assert told is not None, address
        assert plain(told[1]) == plain(figure), address


def plain(figure: str) -> str:
    """Return a figure without its currency sign and spaces."""
    return re.sub(r"[€\s\u00a0]", "", figure)


def test_the_sheet_to_print_says_what_it_rests_on(shop: Store) -> None:
    client = signed_in(shop)
    page = text_of(client.get(f"/shop/pnl/print?{MARCH}"))
    assert "Net revenue 185.00 100.0 % 105.00 +80.00 ↑ +76.2 % better" in page
    assert "Counted on the day it happened Compared with 1 Feb 2026 to 28 Feb 2026 As of batch" in page
    assert "Estimated 0.0 % of the money that moved Held back nothing Printed" in page
    assert "Days are those of UTC" in page
    assert "marketing:meta-ads" not in page
    refused = client.get("/shop/pnl/print?from=x")
    assert (refused.status_code, refused["Location"]) == (302, "/shop/pnl?from=x")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("tab", "questions"), [("pnl", 13), ("pnl/revenue", 12), ("pnl/costs", 13)])
def test_a_page_asks_thirteen_questions_at_most_however_much_was_sold(tab: str, questions: int) -> None:
    store = a_store(slug="shop")
    client = signed_in(store)
    start.end(store, by=User.objects.get(), now=at("2026-05-01 12:00"))  # the strip of first steps asks questions of its own until then
    counts = []
    for number in range(2):
        sold = [an_order(f"{number}-{place}", lines=[a_line(str(place), cost="3.00")], channel=f"c{place}") for place in range(1 + number * 20)]
        write(store, *sold)
        for query in ("", f"{MARCH}&compare=year"):
            with CaptureQueriesContext(connection) as asked:
                client.get(f"/shop/{tab}?{query}")
            counts.append(sum(not query["sql"].startswith(("BEGIN", "COMMIT")) for query in asked.captured_queries))
    assert counts == [questions, questions - 1] * 2
