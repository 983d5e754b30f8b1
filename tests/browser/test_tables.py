"""Look at the tables: nothing hidden below, a sign of what is hidden beside, reasons in sight, and a code that a camera can read."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from playwright.sync_api import Page

from tests.dashboards.people import PASSWORD

HIDDEN_BELOW = "region => region.scrollHeight - region.clientHeight"
TO_THE_END = "region => { region.scrollLeft = region.scrollWidth; }"
BEYOND = "(spans, width) => spans.filter(span => span.getBoundingClientRect().right > width || span.getBoundingClientRect().left < 0).length"


@pytest.mark.parametrize("width", [390, 1280])
def test_a_statement_is_whole_and_fades_where_it_goes_on(tab: Callable[..., Page], width: int) -> None:
    page = tab("/shop/pnl?from=2025-07-01&to=2026-06-30", width=width)
    region = page.get_by_role("region", name="profit and loss by month")
    page.wait_for_selector(".scroll.more .statement")
    assert region.evaluate(HIDDEN_BELOW) <= 1
    assert "gradient" in region.evaluate("region => getComputedStyle(region).maskImage")
    region.evaluate(TO_THE_END)
    page.wait_for_selector(".scroll:not(.more) .statement")


@pytest.mark.parametrize("width", [390, 1280, 1440])
def test_the_reasons_on_an_order_s_page_are_in_sight(tab: Callable[..., Page], width: int) -> None:
    page = tab("/shop/orders/%231001", width=width)
    reasons = page.locator(".why span")
    assert reasons.all_inner_texts() == ["Why this cost: stated with the order", "Why this fee: stated by the processor"]
    assert reasons.evaluate_all(BEYOND, width) == 0


def test_a_phone_lists_orders_as_summaries_and_the_whole_table_on_request(tab: Callable[..., Page]) -> None:
    page = tab("/shop/orders", width=390)
    region = page.get_by_role("region", name="Orders of")
    assert (region.count(), page.locator(".summaries .flag").first.is_visible()) == (0, True)
    page.locator(".summaries details > summary").first.click()
    assert page.locator(".summaries dl").first.is_visible()
    page.get_by_role("link", name="Show the full table").click()
    assert (region.is_visible(), page.locator(".summaries").count()) == (True, 0)


def test_the_list_of_orders_fits_a_desk(tab: Callable[..., Page]) -> None:
    page = tab("/shop/orders", width=1280)
    region = page.get_by_role("region", name="Orders of")
    assert region.evaluate("region => region.scrollWidth - region.clientWidth") == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_code_for_an_authenticator_stands_on_white(tab: Callable[..., Page], theme: str) -> None:
    page = tab("/accounts/2fa/totp/activate/", theme=theme)
    page.locator("[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    code = page.locator("img[src^='data:image/svg']")
    assert code.evaluate("image => getComputedStyle(image).backgroundColor") == "rgb(255, 255, 255)"


def test_a_table_is_sorted_by_a_heading_with_its_sum_last_and_its_parts_beneath_it(tab: Callable[..., Page]) -> None:
    page = tab("/shop/pnl/costs?from=2026-01-01&to=2026-03-31&compare=none")
    table = page.locator("table.broken-down").first
    names = table.locator("tbody th")
    as_it_was = names.all_inner_texts()
    button = table.get_by_role("button", name="All", exact=True)
    button.focus()
    page.keyboard.press("Enter")
    heading = table.locator("th", has=page.get_by_role("button", name="All", exact=True))
    assert heading.get_attribute("aria-sort") == "descending"
    costs = [row.split("\t") for row in table.locator("tbody tr:not(.part, .sum)").all_inner_texts()]
    amounts = [Decimal(cells[3].replace("−", "-").replace(",", "")) for cells in costs]
    assert (amounts, len(amounts) > 1) == (sorted(amounts, reverse=True), True)
    assert table.locator("tbody tr").last.get_attribute("class") == "sum"
    assert [name for name in names.all_inner_texts() if name in as_it_was] != as_it_was
    parts = table.locator("tbody tr").evaluate_all("rows => rows.map(row => row.className)")
    assert "part" not in parts[0]
    button.click()
    assert heading.get_attribute("aria-sort") == "ascending"
    button.click()
    assert (heading.get_attribute("aria-sort"), names.all_inner_texts()) == (None, as_it_was)
