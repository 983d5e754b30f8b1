"""Today: exact figures on the cards, the course of profit, marketing against its break-even, what needs attention, and every empty state."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from plotly import graph_objects

from connectors.models import FileImport
from dashboards.charts import daily_chart, waterfall_chart
from dashboards.pages.start import end
from dashboards.pages.statement_table import Table, statement_table
from dashboards.pages.today_page import KPIS
from ledger import findings
from ledger.models import Finding, ManualCost, Store
from ledger.people import Role
from ledger.periods import By
from ledger.rules import rules
from tests.builders import a_line, a_refund, a_store, an_order, at, day, write
from tests.dashboards.people import a_person, browser_of, signed_in, text_of
from tests.dashboards.scopes import a_scope

pytestmark = pytest.mark.django_db

WEEKS = "from=2026-03-01&to=2026-03-14"


@pytest.fixture
def shop() -> Store:
    """Open a store that sells from 1 to 10 March, but not on the 8th, gives back a unit on the 9th, and pays an influencer."""
    store = a_store(slug="shop")
    sold = [
        an_order(str(number), lines=[a_line("1", price="100.00", cost="30.00")], fee="3.00", when=f"2026-03-{number:02} 12:00")
        for number in range(1, 11) if number != 8
    ]  # fmt: skip
    back = an_order("99", lines=[a_line("1", price="150.00", cost="50.00")], fee="4.00", when="2026-02-20 12:00",
                    then=[a_refund("150.00", when="2026-03-09 12:00")])  # fmt: skip
    write(store, *sold, back)
    paid = ManualCost(
        category="marketing", label="influencer", amount=Decimal(90), currency="EUR", effective_from=day("2026-03-02"), effective_to=day("2026-03-02")
    )
    rules.change(store, add=[paid], actor="ann", now=at("2026-03-10 12:00"))
    return store


@pytest.fixture
def browser(shop: Store) -> Client:
    """Return a browser of the store's owner, whose first steps are done."""
    owner = a_person(shop)
    end(shop, by=owner, now=timezone.now())
    return browser_of(owner)


def table_of(store: Store) -> Table:
    """Return the statement of the first two weeks of March, day by day."""
    return statement_table(store, a_scope("2026-03-01", "2026-03-14", By.DAY))


def shown(answer: Any, key: str) -> Any:
    """Return one card of the page."""
    return next(kpi for kpi in answer.context["kpis"] if kpi.key == key)


def test_cards_carry_exact_figures_compared_with_the_days_before(browser: Client) -> None:
    answer = browser.get(f"/shop/today?{WEEKS}&compare=previous")
    assert [(kpi.key, kpi.value, kpi.compared) for kpi in answer.context["kpis"]] == [
        ("net_revenue", Decimal(750), Decimal(150)), ("cm2", Decimal(453), Decimal(96)), ("marketing", Decimal(-90), Decimal(0)),
        ("cm3", Decimal(363), Decimal(96)), ("net_profit", Decimal(363), Decimal(96)), ("margin", Decimal("0.484"), Decimal("0.64")),
    ]  # fmt: skip
    text = text_of(answer)
    assert "↑ +400.0 % better from €150.00 all actual" in text.replace("\u00a0", " ")
    assert "n/a worse from €0.00" in text
    assert "of total sales (tax and shipping included)" in text


def test_every_card_opens_what_it_shows(browser: Client) -> None:
    answer = browser.get(f"/shop/today?{WEEKS}&basis=order&compare=previous")
    for key in KPIS:
        kpi = shown(answer, key)
        assert browser.get(kpi.address).context["page"].figure == kpi.value
        assert browser.get(kpi.compared_address).context["page"].figure == kpi.compared


def test_a_card_says_how_much_of_it_is_estimated(shop: Store, browser: Client) -> None:
    write(shop, an_order("200", when="2026-03-05 12:00"))
    answer = browser.get("/shop/today?from=2026-03-05&to=2026-03-05&compare=none")
    found = {kpi.key: kpi.estimated_share for kpi in answer.context["kpis"]}
    assert (found["net_revenue"], found["marketing"], found["cm2"]) == (Decimal(0), None, Decimal("0.1062"))
    assert "10.6 % estimated" in text_of(answer).replace("\u00a0", " ")


def test_days_are_bars_with_gaps_and_today_is_hatched_and_in_no_mean(shop: Store) -> None:
    chart = daily_chart(table_of(shop), [Decimal(1)] * 6, today=date(2026, 3, 10))
    profit, loss, mean = chart.figure["data"]
    assert profit["y"] == [67.0, None, 67.0, 67.0, 67.0, 67.0, 67.0, None, None, 67.0, None, None, None, None]
    assert [place for place, value in enumerate(loss["y"]) if value is not None] == [1, 8]
    assert [place for place, shape in enumerate(profit["marker"]["pattern"]["shape"]) if shape] == [9]
    assert [None if value is None else f"{value:.2f}" for value in mean["y"]] == [
        "10.43", "7.00", "16.43", "25.86", "35.29", "44.71", "54.14", None, "42.00", None, None, None, None, None,
    ]  # fmt: skip
    assert chart.finding.endswith("The hatched day is not over yet. The last seven full days made €42.00 a day.")


def test_a_course_ends_with_the_last_day_that_is_over(shop: Store) -> None:
    seen = a_scope("2026-03-01", "2026-03-03", By.DAY)
    table = statement_table(shop, seen)
    revenue = next(row for row in table.lines if row.key == "net_revenue")
    assert table.known(revenue) == [100, 100, 100]
    assert statement_table(shop, replace(seen, today=day("2026-03-03"))).over(revenue) == [100, 100]
    assert statement_table(shop, replace(seen, today=day("2026-03-04"))).over(revenue) == [100, 100, 100]


def test_the_waterfall_runs_from_net_revenue_to_net_profit(shop: Store) -> None:
    chart = waterfall_chart(table_of(shop))
    (trace,) = chart.figure["data"]
    assert list(zip(trace["y"], trace["x"], trace["measure"], strict=True)) == [
        ("Net revenue", 750.0, "absolute"), ("COGS", -270.0, "relative"), ("Fees", -27.0, "relative"), ("Marketing", -90.0, "relative"),
        ("Net profit", 363.0, "total"),
    ]  # fmt: skip
    assert chart.finding == "Of €750.00 net revenue, €363.00 was left as net profit. COGS took most: €270.00."
    assert chart.by_heading[2] == ("Fees", [("money", Decimal("-27.0000")), ("money", Decimal("453.0000"))])


def test_a_loss_is_called_one(shop: Store) -> None:
    lost = statement_table(shop, a_scope("2026-03-02", "2026-03-02", By.DAY))
    assert waterfall_chart(lost).finding == "All costs together left a net loss of €23.00 on €100.00 net revenue. Marketing took most: €90.00."


def test_plotly_knows_every_property_of_the_figures(shop: Store) -> None:
    table = table_of(shop)
    for chart in (daily_chart(table, [], today=date(2026, 3, 10)), waterfall_chart(table)):
        assert graph_objects.Figure(chart.figure).data


def test_mer_stands_beside_its_break_even(browser: Client) -> None:
    text = text_of(browser.get(f"/shop/today?{WEEKS}"))
    assert "8.33" in text  # 750 ÷ 90
    assert "1.66" in text  # 750 ÷ 453
    assert "Marketing earned more than it cost." in text


def test_without_marketing_there_is_a_dash_and_why(browser: Client) -> None:
    text = text_of(browser.get("/shop/today?from=2026-03-03&to=2026-03-05"))
    assert "No MER: nothing was spent on marketing in these days." in text
    assert "Marketing earned more" not in text


def test_what_needs_attention_is_ordered_by_what_rests_on_it(shop: Store, browser: Client) -> None:
    now = timezone.now()
    write(shop, an_order("300", currency="USD"))
    findings.note(shop.pk, "sample", "small", "A small thing.", now=now, money=Decimal(10))
    findings.note(shop.pk, "sample", "large", "A large thing.", now=now, money=Decimal(900))
    findings.note(shop.pk, "sample", "grave", "A grave thing.", now=now, severity=Finding.Severity.ERROR, money=Decimal(1))
    findings.note(a_store(slug="other").pk, "sample", "foreign", "A foreign thing.", now=now, money=Decimal(999))
    items = browser.get("/shop/today").context["attention"]
    words = [item.words for item in items]
    assert words[:2] == ["A grave thing.", "1 order held for a missing exchange rate, in no figure until it is known."]
    assert words[2:] == ["A large thing.", "A small thing."]
    assert [item.money for item in items] == [Decimal(1), None, Decimal(900), Decimal(10)]


def test_who_edits_nothing_is_led_to_the_costs_page_only(shop: Store) -> None:
    findings.note(shop.pk, "sample", "large", "A large thing.", now=timezone.now(), money=Decimal(900), mend="feerule/add/")
    page = signed_in(shop, email="viewer@example.com", role=Role.VIEWER).get("/shop/today").content.decode()
    assert ("A large thing." in page, "/admin/" in page) == (True, False)


def test_an_empty_store_says_what_to_do_and_draws_nothing() -> None:
    page = signed_in(a_store(slug="shop")).get("/shop/today").content.decode()
    assert ("Nothing is recorded yet" in page, "plotly" in page) == (True, False)


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (FileImport.State.RUNNING, "The first file is being taken"),
        (FileImport.State.REFUSED, "The file was refused, and nothing is recorded yet"),
    ],
)
def test_a_first_file_under_way_or_refused_is_told(state: str, told: str) -> None:
    store, now = a_store(slug="shop"), timezone.now()
    FileImport(store=store, kind="order-lines", template={}, filename="a.csv", started_at=now, finished_at=now, state=state).save()
    assert told in text_of(signed_in(store).get("/shop/today"))


def test_days_that_cannot_be_shown_are_named_and_the_default_is_shown(browser: Client) -> None:
    text = text_of(browser.get("/shop/today?from=2026-02-30"))
    assert "Give the first day as year-month-day" in text
    assert "The last 30 days are shown instead." in text


def test_longer_ranges_are_drawn_by_longer_periods(browser: Client) -> None:
    assert [chart.key for chart in browser.get("/shop/today?from=2026-01-01&to=2026-12-31").context["charts"]] == ["profit", "waterfall"]
    assert [chart.key for chart in browser.get(f"/shop/today?{WEEKS}").context["charts"]] == ["daily", "waterfall"]


def test_a_store_opens_on_today(browser: Client) -> None:
    assert [browser.get(address)["Location"] for address in ("/", "/shop", "/shop/", "/shop/today/")] == ["/shop/today"] * 4


def test_the_number_of_queries_does_not_grow_with_days_or_orders(shop: Store, browser: Client) -> None:
    with CaptureQueriesContext(connection) as few:
        browser.get("/shop/today?from=2026-03-01&to=2026-03-02")
    write(shop, *(an_order(f"4{number:02}", when="2026-03-11 12:00") for number in range(20)))
    with CaptureQueriesContext(connection) as many:
        browser.get("/shop/today?from=2026-02-01&to=2026-04-30")
    assert len(many) == len(few)
