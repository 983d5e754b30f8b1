"""Somebody drops a file, sees what is in it, takes it, opens the profit it made, and undoes it; by keyboard too, and without a script."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from connectors.models import FileImport
from ledger.models import Order, Store
from profitpeek.jobs.models import Job
from tests.browser.conftest import Site, violations
from tests.dashboards.uploads import GENERIC, LABELS, latest, work

SOLD = GENERIC + "7001,2026-05-05 10:00,MUG,Mug,2,50.00,ann@example.com,DE\n7002,2026-05-06,MUG,Mug,1,50.00,,FR\n"
GERMAN = "Nr;Datum;Art;Menge;Preis\n7;03.03.2026;M;2;59,50\n"


@pytest.fixture
def sold(tmp_path: Path) -> Path:
    return written(tmp_path, "orders.csv", SOLD)


def written(folder: Path, name: str, text: str) -> Path:
    """Write a file as somebody has it on their disk."""
    path = folder / name
    path.write_text(text)
    return path


def give(page: Page, *paths: Path) -> None:
    """Choose files and upload them."""
    page.goto("/shop/imports")
    page.get_by_label("Drop files here, or choose them").set_input_files(paths)
    page.get_by_role("button", name="Upload and look").click()


def orders_of(store: Store) -> set[str]:
    """Return the orders that stand."""
    return set(Order.objects.filter(store=store, number__in=["7001", "7002"], withdrawn_at=None).values_list("number", flat=True))


def test_from_a_file_to_profit_and_back(site: Site, tab: Callable[..., Page], sold: Path) -> None:
    page = tab("/shop/orders")
    page.get_by_role("link", name="Imports").click()
    give(page, sold)
    expect(page.get_by_role("heading", name="Nothing is taken yet")).to_be_visible()
    expect(page.get_by_role("region", name="The first rows as they are understood").get_by_role("row")).to_have_count(3)
    assert orders_of(site.shop) == set()
    page.get_by_role("button", name="Take this file").click()
    expect(page.get_by_role("status").filter(has_text="Waiting for a worker")).to_be_visible()
    Job.objects.filter(pk=latest().job).update(step="recording orders", done=1, whole=2)
    address = page.url
    page.goto("/shop/orders")
    work()
    page.goto(address)
    expect(page.get_by_role("heading", name="What it changed in profit")).to_be_visible()
    expect(page.get_by_role("row", name="May 2026 0.00 +85.05 85.05")).to_be_visible()
    assert orders_of(site.shop) == {"7001", "7002"}
    page.get_by_role("link", name="May 2026").click()
    expect(page.get_by_role("row", name="Net profit").filter(has_text="85.05").first).to_be_visible()
    page.goto(address)
    page.get_by_role("link", name="Undo this import").click()
    expect(page.get_by_text("2 orders stand as this file told them last")).to_be_visible()
    page.get_by_role("button", name="Undo this import").click()
    expect(page.get_by_role("heading", name="Undoing")).to_be_visible()
    work()
    expect(page.get_by_text("This import was undone")).to_be_visible()  # the page follows by itself
    expect(page.get_by_role("row", name="May 2026 85.05 −85.05 0.00")).to_be_visible()
    assert orders_of(site.shop) == set()


def test_the_page_follows_the_work_and_tells_how_it_ended(tab: Callable[..., Page], sold: Path) -> None:
    page = tab("/shop/imports")
    give(page, sold)
    page.get_by_role("button", name="Take this file").click()
    expect(page.get_by_text("Waiting for a worker")).to_be_visible()
    Job.objects.filter(pk=latest().job).update(state="running", step="recording orders", done=1, whole=2, lease_until="2100-01-01T00:00:00Z")
    expect(page.get_by_text("Recording orders: 1 of 2")).to_be_visible()
    Job.objects.filter(pk=latest().job).update(state="waiting")
    work()
    expect(page.get_by_role("heading", name="Taken", exact=True)).to_be_visible()


def test_a_file_is_taken_without_a_script(tab: Callable[..., Page], sold: Path) -> None:
    page = tab("/shop/imports", java_script_enabled=False)
    give(page, sold)
    page.get_by_role("button", name="Take this file").click()
    expect(page.get_by_text("Waiting for a worker")).to_be_visible()
    work()
    expect(page.get_by_role("heading", name="What it changed in profit")).to_be_visible()  # the page reloads itself
    assert FileImport.objects.get().state == "done"


def test_columns_are_shown_as_they_would_be_read_while_they_are_chosen(tab: Callable[..., Page], tmp_path: Path) -> None:
    page = tab("/shop/imports")
    give(page, written(tmp_path, "laden.csv", GERMAN))
    page.get_by_label("What it holds").select_option("Order lines")
    page.get_by_role("button", name="Read it as this").click()
    first_rows = page.get_by_role("region", name="Times are the store's")
    expect(first_rows.get_by_role("cell", name="59.5")).to_be_visible()
    page.get_by_label("Decimal sign").select_option(".")
    expect(page.get_by_text("“59,50” is no amount; write it as 1234.50")).to_be_visible()
    page.get_by_label("Decimal sign").select_option(",")
    expect(first_rows.get_by_role("cell", name="59.5")).to_be_visible()
    page.get_by_role("button", name="Keep, and look at the whole file").click()
    expect(page.get_by_role("heading", name="Nothing is taken yet")).to_be_visible()


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_state_of_a_file_is_readable_and_keeps_to_the_screen(
    tab: Callable[..., Page], tmp_path: Path, sold: Path, theme: str, width: int
) -> None:
    page = tab("/shop/imports", theme=theme, width=width)
    # A page that waits would load itself anew while it is looked at: how far the work is stays unanswered here.
    page.route("**/progress", lambda route: None)
    wrong: list[str] = []

    def look(what: str) -> None:
        page.wait_for_load_state()
        # Words are wider until their font is there.
        wide = page.evaluate("document.fonts.ready.then(() => document.documentElement.scrollWidth)")
        wrong.extend([f"{what}: {each}" for each in violations(page)] + ([f"{what}: is {wide} wide"] if wide > width else []))

    look("nothing yet")
    for name, text in (("labels.csv", LABELS), ("wrong.csv", "Order,Cost\n1001,six\n"), ("strange.csv", "What,Is,This\n1,2,3\n")):
        give(page, written(tmp_path, name, text))
        look(name)
    give(page, sold)
    page.get_by_role("button", name="Take this file").click()
    look("being taken")
    work()
    page.goto(page.url)
    look("taken")
    page.get_by_role("link", name="Undo this import").click()
    look("undo")
    page.goto("/shop/imports")
    look("history")
    assert wrong == []
