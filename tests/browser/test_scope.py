"""The bar that says what a page shows, worked by hand and by keyboard; and the sheet that is printed."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import Site

FEBRUARY = "/shop/pnl?from=2026-02-01&to=2026-02-28&by=month&basis=event"


def test_days_are_chosen_compared_and_stepped_through_and_the_address_tells_all(tab: Callable[..., Page]) -> None:
    page = tab(FEBRUARY)
    page.get_by_role("link", name="Earlier: 1 Jan 2026 to 31 Jan 2026").click()
    expect(page).to_have_url(re.compile(r"from=2026-01-01&to=2026-01-31&by=month&basis=event$"))
    page.locator("summary", has_text="By month").click()
    page.get_by_label("Columns by").select_option("week")
    page.get_by_role("group", name="View").get_by_role("button", name="Show").click()
    expect(page.locator(".statement")).to_contain_text("26–31 Jan 2026")
    page.locator("summary", has_text="compared").click()
    page.get_by_role("combobox", name="Compare with").select_option("custom")
    page.get_by_label("These days, from").fill("2026-02-01")
    page.get_by_label("to", exact=True).fill("2026-02-28")
    page.get_by_role("button", name="Compare").click()
    expect(page).to_have_url(re.compile(r"compare=custom&match=date&compare_from=2026-02-01&compare_to=2026-02-28&by=week"))
    expect(page.locator(".statement thead")).to_contain_text("Compared days")
    page.go_back()
    expect(page.locator(".statement thead")).not_to_contain_text("Compared days")


def test_menus_of_the_bar_open_one_at_a_time_and_close_on_escape(tab: Callable[..., Page]) -> None:
    page = tab(FEBRUARY)
    range_menu, view_menu = page.locator("details.scope-menu").first, page.locator("details.scope-menu").last
    range_menu.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Last 12 months")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Last 12 months")).to_be_hidden()
    expect(range_menu.locator("summary")).to_be_focused()
    range_menu.locator("summary").click()
    view_menu.locator("summary").click()
    assert [range_menu.get_attribute("open"), view_menu.get_attribute("open")] == [None, ""]


def test_refused_days_are_shown_open_to_be_mended(tab: Callable[..., Page]) -> None:
    page = tab("/shop/pnl?from=2026-02-30")
    page.get_by_role("link", name="Give the first day as year-month-day").click()
    expect(page.get_by_label("From", exact=True)).to_be_visible()


def test_the_sheet_to_print_fits_one_page_of_a4(tab: Callable[..., Page], site: Site) -> None:
    page = tab(f"{FEBRUARY.replace('/pnl', '/pnl/print')}&compare=previous")
    sheet = page.pdf(format="A4", prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page[^s]", sheet)) == 1
    expect(page.locator(".statement")).to_contain_text("Net profit")
