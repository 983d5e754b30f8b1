"""Go the way of a newcomer in a browser: from the printed link to a profit page, and see a cost move it."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, Page

from dashboards import first_account
from ledger.models import Store
from profitpeek.jobs.models import Job
from profitpeek.jobs.running import run
from tests.browser.conftest import Site, violations
from tests.dashboards.people import EMAIL, PASSWORD

HEADER = "order,date,sku,title,quantity,unit_price,customer,country"
NET_PROFIT = "tr:has(th:has-text('Net profit')) td.total"


@pytest.fixture
def newcomer(chromium: Browser, live_server: Any, transactional_db: None) -> Iterator[Page]:
    """Open a browser of somebody without an account, on an installation that nobody runs yet."""
    site = Site(live_server.url, "", chromium, Store())
    context = site.context(signed_in=False)
    yield site.page(context)
    context.close()
    assert site.complaints == []


@pytest.fixture
def clean() -> Callable[[Page], None]:
    """Check a page with axe in both themes."""

    def check(page: Page) -> None:
        for theme in ("light", "dark"):
            page.context.add_cookies([{"name": "theme", "value": theme, "url": page.url}])
            page.reload()
            assert violations(page) == []

    return check


def an_export(folder: Path) -> Path:
    """Write the file a shop exports: two mugs and a bowl of last week, 100.00 in all."""
    day = timezone.now().date() - timedelta(days=7)
    rows = [f"1001,{day} 10:00,MUG,Mug,2,30.00,ann@example.com,Ireland", f"1002,{day} 11:00,BOWL,Bowl,1,40.00,,Germany"]
    path = folder / "march.csv"
    path.write_text("\n".join([HEADER, *rows]) + "\n")
    return path


def work() -> None:
    """Do what waits in the background, as the worker would."""
    while (job := Job.objects.filter(state=Job.State.WAITING).order_by("pk").first()) is not None:
        run(job.pk)


def mend(page: Page, what: str, values: dict[str, str]) -> None:
    """Close a gap on the list of first steps: type, look at what it changes, save."""
    gap = page.locator(".gaps li", has_text=what)
    for label, value in values.items():
        gap.get_by_label(label).fill(value)
    gap.get_by_role("button", name="See what it changes").click()
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/start")
    work()


def test_from_the_printed_link_to_a_profit_that_moves_with_its_costs(newcomer: Page, clean: Callable[[Page], None], tmp_path: Path) -> None:
    page = newcomer
    page.goto(reverse("first_account", args=[first_account.issue(now=timezone.now())]))
    clean(page)
    page.get_by_label("E-mail address").fill(EMAIL)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("The same password again").fill(PASSWORD)
    page.get_by_role("button", name="Make the account").click()

    page.wait_for_url("**/stores/new")
    assert page.get_by_label("Currency").input_value() == "GBP"  # guessed from en-GB
    clean(page)
    page.get_by_label("Name", exact=True).fill("Mug shop")
    page.get_by_label("Currency").fill("EUR")
    page.get_by_label("Time zone").select_option("Europe/Dublin")
    page.get_by_role("button", name="Open the store").click()

    page.wait_for_url("**/mug-shop/start")
    assert page.get_by_text("2 of 6 steps done").is_visible()
    clean(page)
    page.get_by_role("link", name="Choose a file").click()
    page.get_by_label("Drop files here").set_input_files(an_export(tmp_path))
    page.get_by_role("button", name="Upload and look").click()
    page.get_by_role("heading", name="march.csv").wait_for()
    page.goto("/mug-shop/start")
    assert page.get_by_text("march.csv was looked at; nothing of it is taken yet.").is_visible()
    page.get_by_role("link", name="Decide about march.csv").click()
    page.get_by_role("button", name="Take this file").click()
    page.goto("/mug-shop/start")
    assert page.get_by_text("march.csv: waiting to begin.").is_visible()
    clean(page)
    work()

    page.goto("/mug-shop/today")
    assert page.get_by_text("3 of 6 first steps done.").is_visible()
    page.get_by_role("link", name="Mend the worst cost gaps").click()
    assert page.locator(".gaps h3").all_inner_texts() == ["Mug (MUG)", "Bowl (BOWL)", "Fees of the unnamed gateway"]
    clean(page)
    mend(page, "Mug (MUG)", {"Cost of one unit, EUR": "12"})
    assert page.locator(".gaps h3").all_inner_texts() == ["Bowl (BOWL)", "Fees of the unnamed gateway"]
    page.get_by_role("button", name="Open the profit page").click()

    page.wait_for_url("**/mug-shop/pnl?**")
    # 100.00 − 2 × 12.00 − 40 % of 40.00 − 2.9 % of each charge − 2 × 0.30
    assert page.locator(NET_PROFIT).first.inner_text() == "56.50"
    clean(page)
    page.goto("/mug-shop/start")
    mend(page, "Bowl (BOWL)", {"Cost of one unit, EUR": "10"})
    page.goto("/mug-shop/pnl")
    assert page.locator(NET_PROFIT).first.inner_text() == "62.50"
