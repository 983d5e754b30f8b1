"""Start a Chromium for the tests of this folder, signed in to a store of its own."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from ledger.models import Store
from tests.builders import a_line, a_refund, a_store, an_order, write
from tests.dashboards.people import a_person, browser_of

CHROMIUM = next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)
AXE = Path(__file__).with_name("axe.min.js")
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
MISSING = "NO BROWSER TEST RAN: there is no Chromium. Install it (Debian: apt install chromium) and run them again."


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder, and skip them, loudly, where there is no browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason=MISSING))


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """Launch the browser. Playwright keeps a loop running in this thread, which Django takes for asynchronous code."""
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*sandbox, "--force-color-profile=srgb"])
        yield browser
        browser.close()


@dataclass
class Site:
    """The running product, one person's way in, and everything a page did that it must not do."""

    address: str
    session: str
    chromium: Browser
    shop: Store
    complaints: list[str] = field(default_factory=list)

    def context(self, *, theme: str = "", width: int = 1280, signed_in: bool = True, **options: Any) -> BrowserContext:
        """Open a browser window of a person's own; what it complains about is collected."""
        context = self.chromium.new_context(base_url=self.address, viewport={"width": width, "height": 800}, locale="en-GB", **options)
        context.set_default_timeout(10_000)
        given = {settings.SESSION_COOKIE_NAME: self.session if signed_in else "", "theme": theme}
        context.add_cookies([{"name": name, "value": value, "url": self.address} for name, value in given.items() if value])
        context.add_init_script("window.refused = []; document.addEventListener('securitypolicyviolation', e => refused.push(e.violatedDirective))")
        return context

    def page(self, context: BrowserContext) -> Page:
        """Open a tab that reports errors of scripts and requests to anybody else."""
        page = context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))
        page.on("console", lambda line: self._console(page, line.type, line.text))
        page.on("request", lambda request: self._request(request.url))
        return page

    def _console(self, page: Page, kind: str, text: str) -> None:
        # A refused page is itself reported as a resource that failed to load; whether it should have been is another test's matter.
        if kind == "error" and not text.startswith("Failed to load resource: the server responded with a status of 40"):
            self.complaints.append(f"{page.url}: {text}")

    def _request(self, url: str) -> None:
        if urlsplit(url).scheme not in ("data", "blob") and not url.startswith(self.address):
            self.complaints.append(f"asked {url}")


def violations(page: Page) -> list[str]:
    """Run axe over a page and return what breaks WCAG 2.0 to 2.2, A and AA, with the place."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("standards => axe.run(document, {runOnly: standards, resultTypes: ['violations']})", STANDARDS)
    return [f"{one['id']}: {node['target']} {node['failureSummary']}" for one in found["violations"] for node in one["nodes"]]


@pytest.fixture
def site(chromium: Browser, live_server: Any, transactional_db: None) -> Site:
    """Serve a store with a profit, a loss, an order held for a rate and an empty month, and a second store without anything."""
    shop, empty = a_store(slug="shop"), a_store(slug="empty")
    write(
        shop,
        an_order("1001", lines=[a_line("1", price="1250.00", cost="430.00")], tax="237.50", fee="31.00", when="2026-01-12 12:00"),
        an_order(
            "A/7", lines=[a_line("1", price="50.00", cost="20.00")], fee="1.50", when="2026-01-20 12:00",
            then=[a_refund("50.00", when="2026-02-02 12:00")],
        ),
        an_order("1003", lines=[a_line("1", price="90.00")], when="2026-04-05 12:00"),
        an_order("1004", currency="USD", when="2026-04-06 12:00"),
    )  # fmt: skip
    client = browser_of(a_person(shop, empty))
    return Site(live_server.url, client.cookies[settings.SESSION_COOKIE_NAME].value, chromium, shop)


@pytest.fixture
def tab(site: Site) -> Iterator[Callable[..., Page]]:
    """Open tabs for a test, each in a window of its own, and fail if any did what pages must not do."""
    contexts = []

    def opened(path: str, **options: Any) -> Page:
        contexts.append(site.context(**options))
        page = site.page(contexts[-1])
        page.goto(path)
        return page

    yield opened
    for context in contexts:
        for page in context.pages:
            site.complaints += [f"{page.url}: refused {directive}" for directive in page.evaluate("window.refused")]
        context.close()
    assert site.complaints == []
