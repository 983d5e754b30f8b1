"""Check what charts and tiles say: exact points, gaps where nothing is booked, and words for the finding."""

import json
from datetime import date
from decimal import Decimal

import pytest
from plotly import graph_objects

from dashboards.charts import Chart, Sparkline, profit_chart, sparkline
from dashboards.pages.statement_table import Table, statement_table
from dashboards.pages.tiles import tiles
from ledger.models import Store
from tests.builders import a_line, a_refund, a_store, an_order, write
from tests.dashboards.people import signed_in
from tests.dashboards.scopes import a_scope

pytestmark = pytest.mark.django_db

LONG_AFTER = date(2027, 1, 1)


@pytest.fixture
def shop() -> Store:
    """Open a store that made 67.00 in March, lost 50.00 in April, and has nothing booked in May."""
    store = a_store(slug="shop")
    sold = an_order("1001", lines=[a_line("1", price="100.00", cost="30.00")], fee="3.00", then=[a_refund("50.00", when="2026-04-02 12:00")])
    write(store, sold)
    return store


def table_of(store: Store) -> Table:
    """Return the statement of March to May by month."""
    return statement_table(store, a_scope("2026-03-01", "2026-05-31"))


def chart_of(store: Store, *, today: date = LONG_AFTER) -> Chart:
    """Return the chart of March to May by month."""
    return profit_chart(table_of(store), today=today)


def test_profits_losses_and_gaps_are_drawn_as_what_they_are(shop: Store) -> None:
    profit, loss, revenue = chart_of(shop).figure["data"]
    assert (profit["name"], profit["x"], profit["y"]) == ("Net profit", ["Mar 2026", "Apr 2026", "May 2026"], [67.0, None, None])
    assert (loss["name"], loss["y"]) == ("Net loss", [None, -50.0, None])
    assert (revenue["name"], revenue["y"], revenue["connectgaps"]) == ("Net revenue", [100.0, -50.0, None], False)
    assert revenue["customdata"] == ["€100.00", "−€50.00", ""]


def test_plotly_knows_every_property_of_the_figure(shop: Store) -> None:
    figure = chart_of(shop).figure
    assert len(graph_objects.Figure(figure).data) == 3
    with pytest.raises(ValueError, match="Invalid property"):
        graph_objects.Figure({**figure, "layout": {**figure["layout"], "colour": "red"}})


def test_the_finding_is_said_in_words(shop: Store) -> None:
    assert chart_of(shop).finding == (
        "Net profit came to €17.00. The best month was Mar 2026 (€67.00), the worst Apr 2026 (−€50.00). 1 of 2 months made a loss."
    )
    single = profit_chart(statement_table(shop, a_scope("2026-03-01", "2026-03-31")), today=LONG_AFTER)
    assert single.finding == "Net profit came to €67.00, all of it in one month: Mar 2026."


def test_a_range_without_figures_has_no_drawing(shop: Store) -> None:
    nothing = profit_chart(statement_table(shop, a_scope("2026-05-01", "2026-05-31")), today=LONG_AFTER)
    assert (nothing.finding, nothing.has_figures, chart_of(shop).has_figures) == ("Nothing is booked in this range.", False, True)
    client = signed_in(shop)
    page = client.get("/shop/pnl?from=2026-05-01&to=2026-05-31").content.decode()
    assert ("Nothing is booked in this range." in page, "data-figure" in page, "plotly" in page) == (True, False, False)
    assert "data-figure" in client.get("/shop/pnl").content.decode()


def test_a_period_that_is_not_over_is_hatched_and_said_to_be(shop: Store) -> None:
    chart = chart_of(shop, today=date(2026, 4, 30))
    assert [bars["marker"]["pattern"]["shape"] for bars in chart.figure["data"][:2]] == [["", "/", ""], ["", "/", ""]]
    assert chart.finding.endswith("The hatched month is not over yet.")
    assert "hatched" not in chart_of(shop, today=date(2026, 5, 1)).finding


def test_a_period_that_is_not_over_is_never_the_worst(shop: Store) -> None:
    write(shop, an_order("1002", lines=[a_line("1", price="10.00", cost="2.00")], fee="1.00", when="2026-02-10 12:00"))
    table = statement_table(shop, a_scope("2026-02-01", "2026-04-02"))
    assert profit_chart(table, today=date(2026, 4, 10)).finding == (
        "Net profit came to €24.00. The best month that is over was Mar 2026 (€67.00), the worst Feb 2026 (€7.00). The hatched month is not over yet."
    )
    assert "the worst 1–2 Apr 2026 (−€50.00)" in profit_chart(table, today=date(2026, 5, 1)).finding


def test_the_table_holds_the_same_numbers_and_dashes_for_gaps(shop: Store) -> None:
    assert [(heading, [value for _, value in cells]) for heading, cells in chart_of(shop).by_heading] == [
        ("Mar 2026", [Decimal("100.0000"), Decimal("67.0000")]),
        ("Apr 2026", [Decimal("-50.0000"), Decimal("-50.0000")]),
        ("May 2026", [None, None]),
    ]
    assert chart_of(shop).kinds == [("Net revenue", "money"), ("Net profit", "money")]
    page = signed_in(shop).get("/shop/pnl?from=2026-03-01&to=2026-05-31").content.decode()
    assert '<th scope="row">May 2026</th><td class=""><span class="missing">' in page


def test_no_text_can_end_the_data_block() -> None:
    chart = Chart("key", "", "", {"data": [{"name": "</script><b>&"}]}, [], [], "EUR")
    assert not set("<>&") & set(chart.json)
    assert json.loads(chart.json)["data"] == [{"name": "</script><b>&"}]


@pytest.mark.parametrize(
    ("values", "drawn"),
    [
        (["1", "2", "3"], Sparkline("M0.0 30.0L50.0 15.0L100.0 0.0", None)),
        (["-1", None, "1"], Sparkline("M0.0 30.0M100.0 0.0", 15.0)),
        (["5", "5"], Sparkline("M0.0 30.0L100.0 30.0", None)),
        (["5", None], None),
    ],
)
def test_sparklines_break_where_a_value_is_missing(values: list[str | None], drawn: Sparkline | None) -> None:
    assert sparkline([None if value is None else Decimal(value) for value in values]) == drawn


def test_tiles_name_the_figures_that_are_read_first(shop: Store) -> None:
    said = [(tile.label, tile.value, tile.note) for tile in tiles(table_of(shop))]
    assert said == [
        ("Net profit", "€17.00", "nothing in it is estimated"),
        ("Net margin", "34.0\u00a0%", "of total sales (tax and shipping included)"),
        ("Net revenue", "€50.00", "after discounts and returns, without tax"),
        ("Gross profit (CM1)", "€20.00", "40.0\u00a0% of net revenue, after COGS"),
        ("Contribution (CM2)", "€17.00", "34.0\u00a0% of net revenue, after fulfilment and fees"),
    ]
