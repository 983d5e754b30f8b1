"""Look at every page in both themes, on a phone and on a desk: readable by everybody, nothing refused, nothing cut off."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import violations

OPEN = ["/accounts/login/", "/accounts/password/reset/"]
MINE = [
    "/", "/shop/today", "/shop/today?from=2026-01-01&to=2026-02-28&compare=previous&basis=order", "/shop/today?from=x", "/empty/today",
    "/shop/entries?line=net_profit&from=2026-01-01&to=2026-04-30", "/shop/entries?line=margin&from=2026-01-01&to=2026-04-30",
    "/shop/entries?line=fortune", "/shop/metrics", "/shop/changes?from=2026-01-01&to=2026-04-30&after=0", "/empty/changes",
    "/shop/pnl", "/shop/pnl?by=week&basis=order", "/shop/pnl?by=fortnight&from=x&compare=custom", "/empty/pnl",
    "/shop/pnl?from=2026-02-01&to=2026-02-28&by=week&compare=previous", "/shop/pnl/revenue?compare=year",
    "/shop/pnl/costs?from=2026-01-01&to=2026-03-31",
    "/shop/pnl/print?from=2026-02-01&to=2026-02-28&compare=previous", "/empty/pnl/revenue", "/shop/orders", "/shop/orders?q=nothing",
    "/shop/orders?flag=loss&flag=refunded&sort=-profit", "/shop/orders?show=margins", "/shop/orders?wide=1", "/shop/data", "/empty/data",
    "/empty/orders", "/shop/orders/%231001", "/shop/orders/%231004", "/shop/people", "/accounts/2fa/",
    "/shop/costs", "/shop/costs?from=2026-01-01&to=2026-12-31", "/shop/costs?from=x", "/empty/costs",
    "/stores/today", "/stores/today?stores=shop&compare=previous&from=2026-01-01&to=2026-02-28", "/stores/today?from=x", "/stores/pnl",
    "/stores/pnl?stores=empty", "/shop/pnl?currency=USD", "/shop/delete", "/shop/privacy",
    "/shop/start", "/empty/start", "/shop/payouts", "/shop/payouts?from=x", "/stores/demo", "/shop/imports", "/empty/imports",
    "/accounts/sessions/", "/accounts/email/", "/accounts/password/change/", "/accounts/logout/", "/stores/new", "/shop/nothing-here",
]  # fmt: skip
WIDTHS = (1280, 390)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("who", ["stranger", "member"])
def test_pages_are_readable_and_keep_to_the_screen(tab: Callable[..., Page], theme: str, who: str) -> None:
    page, wrong = tab(OPEN[0], theme=theme, signed_in=who == "member"), []
    for path in MINE if who == "member" else OPEN:
        page.set_viewport_size({"width": WIDTHS[0], "height": 800})
        page.goto(path)
        assert page.evaluate("document.documentElement.dataset.bsTheme") == theme
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            wrong += [f"{path} at {width}: {what}" for what in violations(page)]
            wrong += [f"{path}: is {wide} wide" for wide in [page.evaluate("document.documentElement.scrollWidth")] if wide > width]
        wrong += [f"{path}: refused {directive}" for directive in page.evaluate("window.refused")]
    assert wrong == []


def test_nothing_is_cut_off_at_320_pixels(tab: Callable[..., Page]) -> None:
    page = tab("/", width=320)
    widths = {}
    for path in MINE:
        page.goto(path)
        widths[path] = page.evaluate("document.documentElement.scrollWidth")
    assert {path: width for path, width in widths.items() if width > 320} == {}


def test_pages_work_without_javascript(tab: Callable[..., Page]) -> None:
    page = tab("/shop/pnl", java_script_enabled=False)
    assert page.get_by_role("link", name="Orders", exact=True).is_visible()
    assert page.locator(".statement").get_by_role("cell", name="1,340.00").first.is_visible()
    page.get_by_text("The drawing needs JavaScript").first.wait_for(state="visible")
    assert page.locator(".drawing").first.evaluate("drawing => drawing.clientHeight") < 80  # no hole where the drawing would be
    page.locator("details.account > summary").click()
    page.get_by_role("button", name="Dark").click()
    assert page.locator("html").get_attribute("data-bs-theme") == "dark"
    assert page.url.endswith("/shop/pnl")
