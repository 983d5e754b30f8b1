"""Click through every figure of Today and of the P&L: each opens to entries that sum to it, to the last digit."""

import re
from collections.abc import Callable
from decimal import Decimal

import pytest
from playwright.sync_api import Page

from ledger.models import ManualCost
from ledger.rules import rules
from tests.browser.conftest import Site
from tests.builders import at, day

FIGURES = "a[href*='/entries?']"
UNOPENED = (
    """cells => cells.filter(cell => /[0-9]/.test(cell.innerText) && !cell.querySelector("a[href*='/entries?']")).map(cell => cell.innerText)"""
)
ALL_OPEN = "details => details.forEach(one => { one.open = true })"


@pytest.fixture
def busy(site: Site) -> Site:
    """Give the store marketing and a rent, so that every line of its statement has something beneath it."""
    costs = [
        ManualCost(
            category=category, label=label, amount=Decimal(amount), currency="EUR",
            effective_from=day("2026-01-20"), effective_to=day("2026-01-22"),
        )
        for category, label, amount in (("operating", "rent", "300.10"), ("marketing", "influencer", "99.99"))
    ]  # fmt: skip
    rules.change(site.shop, add=costs, actor="ann", now=at("2026-05-01 12:00"))
    return site


def number(text: str) -> Decimal | None:
    """Read a figure as a page writes it; None for a dash."""
    found = re.search(r"−?[^\d−]*[\d,]+(?:\.\d+)?", text)
    return Decimal(re.sub(r"[^\d.−]", "", found[0]).replace("−", "-")) if found else None


def opened(page: Page) -> tuple[Decimal | None, Decimal | None, str]:
    """Return the figure of the page, what the amounts in its table of entries sum to, and what it says of that."""
    figure = number(page.locator(".opened-value").inner_text())
    amounts = [number(text.split("\n")[-1]) or Decimal(0) for text in page.locator("table.entries tbody td.amount").all_inner_texts()]
    said = page.locator(".opened").inner_text()
    return figure, sum(amounts, Decimal(0)) if amounts else None, said


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "figures", "count"),
    [
        (
            "/shop/today?from=2026-02-01&to=2026-04-30&compare=custom&compare_from=2026-01-01&compare_to=2026-01-31",
            "[data-kpi] .value, .against, .facts dd", 14,
        ),
        ("/shop/pnl?from=2026-01-01&to=2026-04-30&by=quarter&compare=none", ".statement td:not(.share), .tile .value", 99),
    ],
)  # fmt: skip
def test_every_figure_opens_to_entries_that_sum_to_it(tab: Callable[..., Page], busy: Site, path: str, figures: str, count: int) -> None:
    page = tab(path)
    page.locator(".statement details").evaluate_all(ALL_OPEN)
    assert page.locator(figures).evaluate_all(UNOPENED) == []
    wrong, links = [], page.locator(f":is({', '.join(f'{one} {FIGURES}' for one in figures.split(', '))})")
    seen = links.count()
    for place in range(seen):
        link = links.nth(place)
        shown = number(link.inner_text())
        with page.context.expect_page() as waiting:
            link.click(modifiers=["ControlOrMeta"])
        other = waiting.value
        other.wait_for_load_state()
        figure, total, said = opened(other)
        is_ratio = other.get_by_role("heading", name="What it is reckoned from").count() == 1
        ties = "= the figure." in said or (total is None and "Nothing is booked on it" in said)
        if figure != shown or not (is_ratio or "Not known" in said or (ties and (total or Decimal(0)) == figure)):
            wrong.append((link.get_attribute("href"), shown, figure, total, said))
        other.close()
    assert wrong == []
    assert seen == count
