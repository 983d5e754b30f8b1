"""A share of net revenue and a change open what they are made of: the figure, what it is a share of, and what it was before."""

import re
from decimal import Decimal
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from ledger.models import ManualCost, Store
from ledger.rules import rules
from tests.builders import a_line, a_store, an_order, at, day, write
from tests.dashboards.people import signed_in, text_of

pytestmark = pytest.mark.django_db

MARCH = "from=2026-03-01&to=2026-03-31"
FEBRUARY = "compare=custom&compare_from=2026-02-01&compare_to=2026-02-28"
OPEN_CELL = re.compile(r'<td class="([^"]*)"><a href="([^"]+)">(.+?)</a></td>')


@pytest.fixture
def shop() -> Store:
    """Open a store that sold for 100.00 in February and for 150.00 in March, part of it at a till, and pays a rent in March."""
    store = a_store(slug="shop")
    write(store, an_order("1001", when="2026-02-10 12:00", lines=[a_line("1", price="100.00", cost="40.00")], fee="0"))
    write(store, an_order("1002", when="2026-03-10 12:00", lines=[a_line("1", price="90.00", cost="40.00")], fee="0"))
    write(store, an_order("1003", when="2026-03-11 12:00", channel="pos", lines=[a_line("1", price="60.00", cost="20.00")], fee="0"))
    rent = ManualCost(
        category="operating", label="rent", amount=Decimal(31), currency="EUR", effective_from=day("2026-03-01"), effective_to=day("2026-03-31")
    )
    rules.change(store, add=[rent], actor="ann", now=at("2026-05-01 12:00"))
    return store


@pytest.fixture
def browser(shop: Store) -> Client:
    """Return a browser of the store's owner."""
    return signed_in(shop)


def said(browser: Client, address: str) -> str:
    """Return what the card of an opened figure says."""
    return text_of(browser.get(f"/shop/entries?{address}"))


def test_every_share_and_every_change_of_a_statement_opens_a_page_that_says_it(browser: Client) -> None:
    page = browser.get(f"/shop/pnl?{MARCH}&{FEBRUARY}").content.decode()
    statement = page[page.index('<table class="statement">') : page.index("</table>")]
    assert re.findall(r'<td class="(?:share|compared)[^"]*">([^<]*\d[^<]*)</td>', statement) == []
    seen, wrong = 0, []
    for css, address, shown in OPEN_CELL.findall(statement):
        if not css.startswith(("share", "compared")):
            continue
        seen += 1
        figure = " ".join(re.sub(r"<[^>]+>", " ", unescape(shown)).split())
        answer = text_of(browser.get(unescape(address))).replace("€", "")
        # All of net revenue is 100 % of itself, and a change that rounds to nothing is none: their pages need not say so.
        if figure not in answer and (css, figure) not in [("share", "100.0 %"), ("compared ", "0.0 points")]:
            wrong.append((figure, unescape(address)))
    assert wrong == []
    assert seen == 99


def test_a_line_says_its_share_and_what_it_was(browser: Client) -> None:
    text = said(browser, f"line=cogs&{MARCH}&{FEBRUARY}")
    assert "−40.0 % of net revenue, €150.00 ." in text
    assert "From 1 Feb – 28 Feb 2026 it was −€40.00 . Change: −€20.00, ↑ +50.0 % worse ." in text


def test_a_ratio_says_what_it_was_and_has_no_share(browser: Client) -> None:
    text = said(browser, f"line=margin&{MARCH}&{FEBRUARY}")
    assert "From 1 Feb – 28 Feb 2026 it was 60.0 % . Change: ↓ −20.7 points worse ." in text
    assert "of net revenue," not in text


def test_a_channel_is_a_share_of_the_whole_store_and_compared_with_itself(browser: Client) -> None:
    text = said(browser, f"line=net_revenue&channel=pos&{MARCH}&{FEBRUARY}")
    assert "40.0 % of net revenue of the whole store, €150.00 ." in text
    assert "it was €0.00 . Change: +€60.00, ↑ n/a better ." in text


def test_days_in_which_nothing_is_booked_are_not_taken_for_zero(browser: Client) -> None:
    text = said(browser, f"line=cogs&{MARCH}&compare=year")
    assert "From 1 Mar – 31 Mar 2025 it was nothing that is known: nothing at all is booked in those days." in text


def test_nothing_is_compared_unless_the_address_says_so(browser: Client) -> None:
    text = said(browser, f"line=cogs&{MARCH}")
    assert "Not compared" in text
    assert "Change:" not in text


def test_a_batch_is_compared_with_nothing(browser: Client) -> None:
    text = said(browser, f"line=cogs&{MARCH}&{FEBRUARY}&batch=2")
    assert "Change:" not in text
    assert "of net revenue," not in text


def test_a_comparison_costs_one_more_query(browser: Client) -> None:
    address = f"/shop/entries?line=cogs&{MARCH}"
    browser.get(address)
    with CaptureQueriesContext(connection) as alone:
        browser.get(address)
    with CaptureQueriesContext(connection) as both:
        browser.get(f"{address}&{FEBRUARY}")
    assert len(both) == len(alone) + 1
