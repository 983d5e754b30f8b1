"""Use the pages without a mouse, and in the theme one chose or the system has."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

GROUND = "getComputedStyle(document.body).backgroundColor"


def focused(page: Page) -> str:
    """Return the words of what has the focus."""
    return " ".join(str(page.evaluate("document.activeElement.innerText")).split())


def press_until(page: Page, words: str, *, key: str = "Tab", most: int = 25) -> None:
    """Press a key until the element with these words has the focus."""
    for _ in range(most):
        page.keyboard.press(key)
        if focused(page) == words:
            return
    pytest.fail(f"{most} times {key} never reached {words!r}")


def test_the_first_stop_skips_to_the_content(tab: Callable[..., Page]) -> None:
    page = tab("/shop/pnl")
    page.keyboard.press("Tab")
    assert focused(page) == "Skip to content"
    assert page.get_by_role("link", name="Skip to content").is_visible()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_the_tab_key_walks_the_menu_from_top_to_bottom(tab: Callable[..., Page]) -> None:
    page = tab("/shop/orders")
    stops = []
    for _ in range(14):
        page.keyboard.press("Tab")
        stops.append(focused(page))
    assert stops == [
        "Skip to content",
        "ProfitPeek",
        "Store: Shop",
        "Today",
        "P&L",
        "Orders",
        "Payouts",
        "Costs",
        "Imports",
        "Connections",
        "Data",
        "People",
        "Privacy",
        "Admin",
    ]


@pytest.mark.parametrize("width", [390, 1280])
def test_the_theme_is_switched_by_keyboard_and_survives_a_reload(tab: Callable[..., Page], width: int) -> None:
    page = tab("/shop/orders?held=1", width=width, color_scheme="light")
    light = page.evaluate(GROUND)
    if width < 1000:
        press_until(page, "Menu")
        page.keyboard.press("Enter")
    press_until(page, "Account: owner@example.com")
    page.keyboard.press("Enter")
    press_until(page, "Dark")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.url.endswith("/shop/orders?held=1")
    assert page.get_by_role("button", name="Dark", pressed=True, include_hidden=True).count() == 1
    dark = page.evaluate(GROUND)
    page.reload()
    assert (page.evaluate(GROUND), dark != light) == (dark, True)


def test_escape_closes_a_menu_and_returns_the_focus(tab: Callable[..., Page]) -> None:
    page = tab("/shop/orders")
    page.locator("details.account > summary").click()
    press_until(page, "Security")
    page.keyboard.press("Escape")
    assert page.locator("details.account").get_attribute("open") is None
    assert focused(page) == "Account: owner@example.com"


def test_without_a_choice_the_system_decides_even_without_javascript(tab: Callable[..., Page]) -> None:

    def ground(theme: str, system: str) -> str:
        return str(tab("/shop/orders", theme=theme, color_scheme=system, java_script_enabled=False).evaluate(GROUND))

    light, dark = ground("", "light"), ground("", "dark")
    assert light != dark
    assert [ground("light", system) for system in ("light", "dark")] == [light, light]
    assert [ground("dark", system) for system in ("light", "dark")] == [dark, dark]
