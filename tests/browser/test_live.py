"""Watch open pages follow what is recorded: figures come by themselves, and nothing that a person is using is taken from them."""

from collections.abc import Callable

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone
from playwright.sync_api import Page, expect

from connectors.models import Connection, ParkedRecord, SyncCursor, SyncRun
from ledger.models import Order
from tests.browser.conftest import Site, violations
from tests.builders import a_line, an_order, write

HIDE = """() => {
    let isHidden = false;
    Object.defineProperty(document, 'hidden', { get: () => isHidden });
    window.hide = (hidden) => { isHidden = hidden; document.dispatchEvent(new Event('visibilitychange')); };
}"""


def sell(site: Site, number: str, when: str) -> None:
    """Record an order of 100.00 that cost 40.00."""
    write(site.shop, an_order(number, lines=[a_line("1", price="100.00", cost="40.00")], when=when))


def asked(page: Page) -> list[str]:
    """Return the addresses a page asks for from now on, as a list that grows."""
    addresses: list[str] = []
    page.on("request", lambda request: addresses.append(request.url))
    return addresses


def test_an_order_appears_on_today_and_on_its_list_and_nothing_in_use_is_lost(site: Site, tab: Callable[..., Page]) -> None:
    today, orders = tab("/shop/today"), tab("/shop/orders")
    kpi = today.locator("[data-kpi=net_profit] .value")
    before = kpi.inner_text()
    numbers = today.locator("figure details").first
    numbers.locator("summary").click()
    today.locator(".scope-menu summary").first.click()
    first_day = today.get_by_label("From", exact=True)
    known_day = first_day.input_value()
    first_day.fill("2026-01-02")
    orders.get_by_label("Number or id").fill("100")
    expect(orders.locator(".live-state")).to_have_text("Live")

    sell(site, "1005", "2026-04-08 12:00")
    expect(orders.locator(".orders tbody th").first).to_have_text("#1005")
    expect(orders.locator("#live [role=status]")).to_contain_text(", 1 new order")
    assert (orders.get_by_label("Number or id").input_value(), orders.evaluate("document.activeElement.id")) == ("100", "id_q")
    expect(kpi).not_to_have_text(before)
    assert (first_day.input_value(), numbers.get_attribute("open")) == ("2026-01-02", "")
    assert first_day.evaluate("field => field === document.activeElement")
    expect(today.locator(".live-told")).to_have_text("newer figures wait until you have finished here")
    # What waited comes when they have finished. The days of the page end with the new order's.
    lead = today.locator(".scope .scope-said").first
    assert "8 Apr" not in lead.inner_text()
    first_day.fill(known_day)
    first_day.blur()
    expect(lead).to_contain_text("8 Apr")
    expect(today.locator(".live-told")).to_have_text("")
    # The drawing is the new one's, and the table beneath it is still open.
    assert "8 Apr" in today.locator(".drawing").first.evaluate("drawing => JSON.stringify(drawing.data.map(one => one.x))")
    assert (numbers.get_attribute("open"), numbers.locator("table .sort-by").count() > 0) == ("", True)
    for page in (today, orders):
        assert violations(page) == []


def test_a_page_deep_in_the_list_tells_of_newer_orders_and_stays_as_it_is(site: Site, tab: Callable[..., Page]) -> None:
    newest = Order.objects.filter(store=site.shop).order_by("-day", "-pk")[0]
    page = tab(f"/shop/orders?after={newest.day}_{newest.pk}")
    shown = page.locator(".orders tbody th").all_inner_texts()
    sell(site, "1005", "2026-04-08 12:00")
    sell(site, "1006", "2026-04-08 13:00")
    link = page.locator(".live-told a")
    expect(link).to_have_text("2 newer orders")
    assert page.locator(".orders tbody th").all_inner_texts() == shown
    link.click()
    expect(page.locator(".orders tbody th").first).to_have_text("#1006")


def test_a_page_that_is_hidden_or_paused_or_signed_out_asks_nothing(site: Site, tab: Callable[..., Page]) -> None:
    page = tab("/accounts/sessions/")
    page.add_init_script(f"({HIDE})()")
    page.goto("/shop/orders")
    addresses = asked(page)
    with page.expect_response("**/shop/pulse*") as unmoved:
        pass
    assert unmoved.value.status == 304
    page.evaluate("hide(true)")
    addresses.clear()
    page.wait_for_timeout(3_500)
    assert addresses == []
    with page.expect_response("**/shop/pulse*"):
        page.evaluate("hide(false)")
    page.get_by_role("button", name="Pause").click()
    addresses.clear()
    page.wait_for_timeout(3_500)
    assert addresses == []
    # The switch is remembered; the page still says of when its figures are.
    page.reload()
    expect(page.locator(".live-state")).to_have_text("Paused")
    Session.objects.all().delete()
    page.get_by_role("button", name="Follow again").click()
    expect(page.locator(".live-state")).to_have_text("You are signed out")
    assert page.get_by_role("button", name="Pause").count() == 0
    addresses.clear()
    page.wait_for_timeout(3_500)
    assert addresses == []


def test_connections_follow_and_their_buttons_still_work(site: Site, tab: Callable[..., Page]) -> None:
    now = timezone.now()
    account = Connection.objects.create(store=site.shop, platform="shopify", account_ref="a.example.com", label="Mugs", connected_at=now)
    SyncCursor.objects.create(connection=account, stream="orders", done=120, whole=900)
    SyncRun.objects.create(connection=account, stream="orders", mode="backfill", started_at=now, heartbeat_at=now)
    ParkedRecord.objects.create(connection=account, stream="orders", external_id="1", body=b"", reason="It has no day.", first_at=now, last_at=now)
    page = tab(f"/shop/connections/{account.pk}")
    bar = page.get_by_role("progressbar", name="Orders read")
    assert bar.get_attribute("value") == "120"
    SyncCursor.objects.update(done=450)
    expect(bar).to_have_attribute("value", "450")
    # A part that comes anew brings a form, whose token is good.
    ParkedRecord.objects.all().delete()
    expect(page.get_by_role("heading", name="Not understood")).to_have_count(0)
    ParkedRecord.objects.create(connection=account, stream="orders", external_id="2", body=b"", reason="It has no day.", first_at=now, last_at=now)
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".messages")).to_contain_text("What was not understood is tried again.")


@pytest.mark.parametrize("path", ["/shop/today", "/shop/orders", "/shop/connections"])
def test_without_javascript_a_page_says_of_when_it_is(tab: Callable[..., Page], path: str) -> None:
    page = tab(path, java_script_enabled=False)
    assert page.locator("#live").inner_text().split(" of ")[0] in ("Figures", "As")
    assert page.get_by_role("button", name="Pause").count() == 0
