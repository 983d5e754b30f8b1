"""Amounts in another currency: each day at its own rate, adding up to the last digit, and never a zero for want of a rate."""

import csv
import re
from decimal import Decimal
from io import BytesIO, StringIO
from typing import Any

import pytest
from openpyxl import load_workbook

from dashboards.forms.scope import Scope
from dashboards.pages.breakdown_tables import cost_grids, revenue_grids
from dashboards.pages.statement_table import Row, Table, statement_table
from ledger.models import Store
from ledger.periods import By, Period
from ledger.rates import quoted_currencies
from ledger.statements import SUMS
from tests.builders import a_line, a_refund, a_store, an_order, day, ecb, write
from tests.dashboards.people import signed_in, text_of
from tests.dashboards.scopes import a_scope

pytestmark = pytest.mark.django_db
RATES = (("USD", "2026-03-03", "1.1034"), ("USD", "2026-03-04", "1.2"), ("USD", "2026-03-05", "1.5"), ("USD", "2026-03-10", "1.3333"))


@pytest.fixture
def shop() -> Store:
    """Open a store that sold on three days at three rates, over two channels and in two countries, and gave one thing back."""
    store = a_store(slug="shop")
    write(
        store,
        an_order("1", lines=[a_line("mug", price="33.33", cost="10.01")], shipping="5.55", fee="1.13", country="DE"),
        an_order("2", lines=[a_line("cup", price="10.01", cost="3.00")], fee="0.37", when="2026-03-04 12:00", channel="amazon", country="FR"),
        an_order("3", lines=[a_line("mug", price="33.33", cost="10.01")], fee="1.11", when="2026-03-05 12:00", country="FR", then=[
            a_refund("10.03", line="mug", when="2026-03-10 12:00"),
        ]),
    )  # fmt: skip
    ecb(*RATES)
    store.book.refresh_from_db()
    return store


def march(by: By = By.MONTH, currency: str = "USD", **more: Any) -> Scope:
    """Ask for March in a currency."""
    scope = a_scope("2026-03-01", "2026-03-31", by, **more)
    return Scope(**{name: getattr(scope, name) for name in Scope.__slots__ if name != "currency"}, currency=currency)


def rows(table: Table) -> dict[str, Row]:
    """Return the rows of a table by key."""
    return {row.key: row for _, some in table.sections() for row in some}


def test_a_days_total_is_converted_at_that_days_rate_and_rounded_to_the_cent(shop: Store) -> None:
    gross = rows(statement_table(shop, march(By.DAY)))["gross_sales"]
    assert [value for value in gross.cells if value] == [Decimal("36.78"), Decimal("12.01"), Decimal("50.00")]
    assert gross.total == Decimal("98.79")


def test_lines_add_up_to_sums_and_periods_to_the_whole_however_days_are_cut(shop: Store) -> None:
    tables = {by: rows(statement_table(shop, march(by))) for by in (By.DAY, By.WEEK, By.MONTH)}
    for found in tables.values():
        for key, lines in SUMS.items():
            assert found[key].total == sum((found[line].total or 0 for line in lines), Decimal(0))
        for row in found.values():
            if row.kind == "money":
                assert row.total == sum((value or 0 for value in row.cells), Decimal(0))
    totals = [{key: row.total for key, row in found.items()} for found in tables.values()]
    assert totals[0] == totals[1] == totals[2]


def test_counts_are_not_converted_and_no_figure_has_more_decimals_than_its_currency(shop: Store) -> None:
    found = rows(statement_table(shop, march()))
    assert (found["orders"].total, found["units"].total) == (3, 3)
    assert all(row.total == round(row.total, 2) for row in found.values() if row.kind == "money" and row.total is not None)


@pytest.mark.parametrize("grids", [revenue_grids, cost_grids])
def test_every_table_of_a_tab_adds_up_to_the_statement(shop: Store, grids: Any) -> None:
    statement, whole = statement_table(shop, march()), {}
    whole = {key: row.total for key, row in rows(statement).items()}
    for grid in grids(shop, march()):
        place = next(place for place, column in enumerate(grid.columns) if column.label in ("Net revenue", "All", "All costs", "Cost"))
        parts = [row.cells[place] for row in grid.rows if not (row.is_sum or row.is_part)]
        assert sum(parts, Decimal(0)) == grid.rows[-1].cells[place]
        assert grid.currency == "USD"
    if grids is revenue_grids:
        assert {grid.rows[-1].cells[[column.label for column in grid.columns].index("Net revenue")] for grid in grids(shop, march())} == {
            whole["net_revenue"]
        }


def test_a_day_without_a_rate_is_in_no_figure_and_the_page_says_which() -> None:
    store = a_store(slug="shop")
    write(store, an_order("1"), an_order("2", when="2026-05-20 12:00"))
    ecb(("USD", "2026-03-03", "1.5"), ("USD", "2026-04-01", "1.5"))
    store.book.refresh_from_db()
    shown = text_of(signed_in(store).get("/shop/pnl?from=2026-03-01&to=2026-05-31&by=month&currency=USD"))
    assert "There is no rate for 20 May 2026: what is booked then is in no figure." in shown
    scope = a_scope("2026-03-01", "2026-05-31", By.MONTH)
    table = statement_table(store, Scope(**{name: getattr(scope, name) for name in Scope.__slots__ if name != "currency"}, currency="USD"))
    gross = rows(table)["gross_sales"]
    assert (gross.cells, gross.total) == ([75, 0, None], 75)
    assert rows(table)["orders"].cells == [1, 0, 1]
    assert table.booked == [True, False, False]


def test_a_page_says_where_its_rates_come_from_and_keeps_the_currency_in_every_link(shop: Store) -> None:
    shown = signed_in(shop).get("/shop/pnl?from=2026-03-01&to=2026-03-31&currency=usd").content.decode()
    assert "Converted from EUR into USD, each day at its own rate of the European Central Bank." in shown
    assert "For one day an earlier rate stands in" not in shown
    links = re.findall(r'href="([^"]*from=2026[^"]*)"', shown)
    assert [link for link in links if "currency=USD" not in link and "/changes" not in link] == []
    assert len(links) > 30


def test_a_figure_opens_its_entries_in_the_books_currency_and_says_what_they_come_to(shop: Store) -> None:
    client = signed_in(shop)
    shown = text_of(client.get("/shop/entries?line=gross_sales&from=2026-03-01&to=2026-03-31&basis=event&currency=USD"))
    assert "€76.67" in shown
    assert "In USD it comes to $98.79 ." in shown
    assert "Entries are kept in EUR, the store’s currency, and sum to the figure above." in shown
    by_channel = text_of(client.get("/shop/entries?line=gross_sales&channel=amazon&from=2026-03-01&to=2026-03-31&basis=event&currency=USD"))
    assert "In USD it comes to $12.01 ." in by_channel


@pytest.mark.parametrize("key", ["margin", "estimated_share"])
def test_a_ratio_opens_what_the_statement_shows(shop: Store, key: str) -> None:
    write(shop, an_order("4", lines=[a_line("mug", price="90.00", cost="80.00")], when="2026-03-10 12:00"))
    shop.book.refresh_from_db()
    shown = f"{rows(statement_table(shop, march()))[key].total * 100:.1f} %"
    ours = f"{rows(statement_table(shop, march(currency='')))[key].total * 100:.1f} %"
    assert shown != ours
    opened = text_of(signed_in(shop).get(f"/shop/entries?line={key}&from=2026-03-01&to=2026-03-31&basis=event&currency=USD"))
    assert f"In USD it comes to {shown} ." in opened
    assert f"The figure {ours} " in opened
    assert "What it is reckoned from is listed in EUR, the store’s currency." in opened


def test_files_and_the_sheet_carry_the_currency_and_its_rates(shop: Store) -> None:
    client, query = signed_in(shop), "from=2026-03-01&to=2026-03-31&by=month&currency=USD"
    answer = client.get(f"/shop/pnl.csv?{query}")
    assert "shop-profit-2026-03-01-2026-03-31-by-month-event-USD.csv" in answer["Content-Disposition"]
    line = next(row for row in csv.reader(StringIO(answer.content.decode())) if row[1] == "Gross sales")
    assert line[3:6] == ["USD", "98.79", "98.79"]
    sheet = load_workbook(BytesIO(client.get(f"/shop/pnl.xlsx?{query}").content)).worksheets[0]
    told = {row[0].value: row[1].value for row in sheet.iter_rows(max_row=12)}
    assert told["Currency"] == "USD"
    assert told["Rates"] == "Converted from EUR into USD, each day at its own rate of the European Central Bank."
    assert "channels" not in told
    assert "in USD" in text_of(client.get(f"/shop/pnl/print?{query}"))
    assert "Gross sales (USD)" in client.get(f"/shop/pnl/revenue.csv?{query}").content.decode()


def test_a_currency_without_rates_is_refused_in_words(shop: Store) -> None:
    client = signed_in(shop)
    shown = text_of(client.get("/shop/pnl?currency=XYZ"))
    assert "Amounts cannot be shown in “XYZ”: there is no exchange rate to it. There are rates for USD." in shown
    assert client.get("/shop/pnl.csv?currency=XYZ").status_code == 400


def test_the_stores_own_currency_needs_no_rates() -> None:
    store = a_store(slug="shop")
    write(store, an_order("1"))
    client = signed_in(store)
    shown = client.get("/shop/pnl?currency=EUR").content.decode()
    assert "Converted from" not in shown
    assert "&currency=" not in shown
    assert "&amp;currency=" not in shown
    assert quoted_currencies() == []


def test_a_currency_that_is_quoted_no_more_is_not_offered(shop: Store) -> None:
    ecb(("HRK", "2025-12-30", "7.53"), ("SEK", "2026-03-09", "11.1"))
    assert quoted_currencies() == ["EUR", "SEK", "USD"]


def test_today_shows_its_cards_and_charts_in_the_currency(shop: Store) -> None:
    shown = text_of(signed_in(shop).get("/shop/today?from=2026-03-01&to=2026-03-31&currency=USD"))
    assert "Converted from EUR into USD" in shown
    assert "€" not in re.sub(r"Needs attention.*?Marketing against", "", shown)
    first, last = day("2026-03-01"), day("2026-03-31")
    assert rows(statement_table(shop, march()))["net_profit"].total == sum(
        (value or 0 for value in rows(statement_table(shop, march(By.DAY)))["net_profit"].cells), Decimal(0)
    )
    assert Period(first, last) == march().period
