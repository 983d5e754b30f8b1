"""Look at the charts: drawn, named, in the theme's colours, and without a word to anybody else."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page

from tests.browser.conftest import Site

BARS = ".barlayer .point path"
HEIGHTS = "paths => paths.map(path => path.getBoundingClientRect().height).filter(height => height > 0).length"


def becomes(page: Page, expression: str, wanted: Callable[[Any], bool]) -> Any:
    """Ask the page until it answers as wanted; Playwright's own waiting would need what our policy forbids."""
    for _ in range(50):
        if wanted(found := page.evaluate(expression)):
            return found
        page.wait_for_timeout(100)
    raise AssertionError(f"{expression} stayed {found!r}")


def test_a_chart_is_drawn_named_and_offers_no_upload(tab: Callable[..., Page]) -> None:
    page = tab("/shop/pnl")
    page.wait_for_selector(BARS)
    chart = page.get_by_role("img", name="Net profit and net revenue by month.")
    assert chart.count() == 1
    assert page.locator(BARS).evaluate_all(HEIGHTS) == 3  # January and April made a profit, February a loss, March is a gap
    assert page.locator("[data-figure=profit-figure] .scatterlayer .point").count() == 3
    assert page.locator(".modebar, .modebar-btn").count() == 0
    assert "share chart" not in page.content().lower()
    chart.hover()
    page.wait_for_timeout(200)
    assert page.locator(".modebar-btn, [data-title*='Share'], [data-title*='loud']").count() == 0


def test_a_chart_takes_the_colours_of_the_theme_when_the_system_changes(tab: Callable[..., Page]) -> None:
    page = tab("/shop/pnl", color_scheme="light")
    colour = f"getComputedStyle(document.querySelector('{BARS}')).fill"
    page.wait_for_selector(BARS)
    light = page.evaluate(colour)
    page.emulate_media(color_scheme="dark")
    dark = becomes(page, colour, lambda now: now != light)
    assert (light, dark) == ("rgb(28, 134, 115)", "rgb(63, 191, 159)")


def test_a_chart_fits_the_window_it_is_in(tab: Callable[..., Page]) -> None:
    page = tab("/shop/pnl", width=1280)
    page.wait_for_selector(BARS)
    page.set_viewport_size({"width": 390, "height": 800})
    becomes(page, "document.querySelector('.main-svg').clientWidth", lambda width: width < 390)
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_scripts_for_charts_are_only_where_a_chart_is(tab: Callable[..., Page]) -> None:
    assert "plotly" not in tab("/shop/orders").content()
    assert "plotly" not in tab("/empty/pnl").content()


def test_the_vendored_styles_are_those_plotly_would_write(tab: Callable[..., Page], site: Site) -> None:
    """Load the same script where styles may be written, and compare: a newer plotly may bring other rules."""
    rules = "Array.from(document.getElementById('plotly.js-style-global').sheet.cssRules, rule => rule.cssText)"
    strict = tab("/shop/pnl").evaluate(rules)
    free = site.chromium.new_context(base_url=site.address, bypass_csp=True)
    page = free.new_page()
    page.goto("/accounts/login/")
    page.add_script_tag(url="/static/vendor/plotly/plotly-finance.min.js")
    written = page.evaluate(rules)
    free.close()
    assert (len(strict), strict) == (66, written)
