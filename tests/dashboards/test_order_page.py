"""Check an order's page: its profit in steps, its story in time, why it cost what it cost, its entries, and its rows as imported."""

from datetime import UTC, datetime
from decimal import Decimal
from html import unescape
from io import BytesIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone
from msgspec.structs import replace

from connectors.files.uploads import import_received
from connectors.models import FileImport, RawPayload
from connectors.platforms.files.template import load
from connectors.reading.archive import keys_of
from connectors.tasks import submit_file
from dashboards.pages.order_page import order_pages, steps
from ledger import accounts
from ledger.book.reposting import restate
from ledger.cause import Cause
from ledger.charges.charges import ChargeFact, record_charges
from ledger.facts import TouchFact
from ledger.kinds import CauseKind, ChargeKind, Evidence, FinancialStatus, Journey, TouchKind
from ledger.models import CogsRule, Store
from ledger.orders.order_question import Flag
from ledger.orders.orders_view import order_profit
from ledger.rules import rules
from tests.builders import a_cost, a_line, a_refund, a_store, an_edit, an_order, day, money, write
from tests.dashboards.people import EMAIL, browser_of, signed_in, text_of

pytestmark = pytest.mark.django_db

LINES = b"""order,date,sku,title,quantity,unit_price,customer,country
1001,2026-03-03 10:00,MUG,Mug,2,12.50,ann@example.com,Germany
1001,2026-03-03 10:00,shipping,Postage,1,4.90,ann@example.com,Germany
1002,2026-03-04,MUG,Mug,1,12.50,,FR
"""


@pytest.fixture
def shop() -> Store:
    """Open a store."""
    return a_store(slug="shop")


def page_of(store: Store, number: str) -> str:
    """Return the words of an order's page."""
    known = User.objects.filter(email=EMAIL).first()
    client = browser_of(known) if known else signed_in(store)
    answer = client.get(reverse("order", args=[store.slug, number]))
    assert answer.status_code == 200
    return unescape(text_of(answer))


def imported(store: Store, body: bytes = LINES, filename: str = "march.csv") -> FileImport:
    """Import a file of order lines as a person does in the browser."""
    row = submit_file(store, BytesIO(body), load("generic-order-lines"), filename=filename, actor="ann@example.com", now=timezone.now())
    import_received(row, progress=lambda step, done, whole: None, guard=lambda: None)
    return row


def test_profit_is_told_in_a_sentence_and_in_steps(shop: Store) -> None:
    write(shop, an_order("1", lines=[a_line("1", price="100.00", cost="30.00")], tax="19.00", fee="3.00"))
    page = page_of(shop, "#1")
    assert "The customer paid €119.00, of which €19.00 is tax; it cost €33.00, and €67.00 is left: 56.3 % of total sales" in page
    assert (
        "Revenue, tax and shipping included 119.00 COGS −30.00 Shipping 0.00 Tax and duty collected −19.00 Payment fees −3.00 Other fees 0.00 "
        "Marketing linked to this order 0.00 Share of advertising not attributed yet Profit 67.00" in page
    )
    [order] = order_profit(shop, "1")
    assert [(step.label, step.start, step.width) for step in steps(order) if step.width] == [
        ("Revenue, tax and shipping included", 0, 1000), ("COGS", 747, 253), ("Tax and duty collected", 588, 159), ("Payment fees", 563, 25),
        ("Profit", 0, 563),
    ]  # fmt: skip


def test_a_loss_is_called_one_and_its_bar_lies_left_of_nothing(shop: Store) -> None:
    write(shop, an_order("1", lines=[a_line("1", price="20.00", cost="50.00")], fee="0"))
    assert "it cost €50.00, and €30.00 was lost: −150.0 % of total sales" in page_of(shop, "1")
    [order] = order_profit(shop, "1")
    drawn = {step.label: (step.start, step.width) for step in steps(order) if step.width}
    assert drawn == {"Revenue, tax and shipping included": (600, 400), "COGS": (0, 1000), "Profit": (0, 600)}


def test_the_story_is_told_in_the_order_of_time(shop: Store) -> None:
    write(
        shop,
        an_order(
            "1", lines=[a_line("1", price="50.00", cost="20.00"), a_line("2", price="10.00", cost="1.00")], fee="1.00", codes=["SPRING"],
            costs=[a_cost(accounts.FEES_DISPUTE, "-15.00", when="2026-03-20 09:00")],
            then=[a_refund("50.00", restocked=True, when="2026-03-10 12:00"), an_edit("5.00", line="2", when="2026-03-04 08:00")],
        ),
    )  # fmt: skip
    told = [ChargeFact(ChargeKind.LABEL, "1", "1Z3", money("4.90"), "EUR", day("2026-03-05"))]
    record_charges(shop, told, cause_ref="import:99", actor="ann", now=timezone.now())
    [page] = order_pages(shop, "1")
    assert [(moment.what, moment.detail, moment.amount) for moment in page.moments if not moment.learnt] == [
        ("Placed", "on Online with the code SPRING", Decimal("60.00")),
        ("Paid", "through stripe", Decimal("60.00")),
        ("Order edited", "1 × Thing 2", Decimal("5.00")),
        ("Shipping label", "1Z3, booked", Decimal("-4.90")),
        ("Refunded", "1 × Thing 1, put back into stock", Decimal("-50.00")),
        ("Dispute fee", "stated by shop", Decimal("-15.00")),
    ]  # fmt: skip
    learnt = [(moment.what, moment.detail, moment.amount) for moment in page.moments if moment.learnt]
    assert learnt == [("Synced", "sync:1, batch 1", Decimal("-3.00")), ("Imported", "import:99 by ann, batch 2", Decimal("-4.90"))]
    assert page.order.flags == {Flag.LOSS, Flag.REFUNDED, Flag.EDITED, Flag.DISPUTED}


def test_restating_names_the_change_of_costs_it_came_from(shop: Store) -> None:
    write(shop, an_order("1", lines=[a_line("1", price="50.00")], fee="0"))
    rule = CogsRule(percentage=30, effective_from=None, effective_to=None)
    rules.change(shop, add=[rule], actor="ann", reason="New supplier", now=timezone.now())
    restate(shop, cause=Cause(CauseKind.RULE, "repost"))
    [page] = order_pages(shop, "1")
    last = page.moments[-1]
    assert (last.what, last.detail, last.amount) == ("Costs restated", "after “New supplier” by ann, batch 2", Decimal("5.00"))


def test_entries_that_no_longer_stand_are_folded_with_their_reversals(shop: Store) -> None:
    write(shop, an_order("1", lines=[a_line("1", price="50.00")], fee="0"))
    rules.change(shop, add=[CogsRule(percentage=30)], actor="ann", reason="New supplier", now=timezone.now())
    restate(shop, cause=Cause(CauseKind.RULE, "repost"))
    [page] = order_pages(shop, "1")
    assert [(line.label, line.total, len(line.entries)) for line in page.booked] == [
        ("Gross sales", Decimal("50.00"), 1), ("COGS", Decimal("-15.00"), 1), ("Beside profit", None, 2),
    ]  # fmt: skip
    [one] = page.undone
    assert (one.entry.account, one.entry.amount, one.entry.seq, one.reversed_by.seq) == ("cogs:product", Decimal("-20.00"), 1, 2)
    assert page.order.entries_profit == page.order.columns["profit"] == Decimal("35.00")
    text = page_of(shop, "1")
    assert "1 entry that no longer stands, with its reversal" in text
    assert "those in profit add up to 35.00" in text


def test_each_line_tells_its_discount_its_cost_and_why(shop: Store) -> None:
    write(shop, an_order("1", lines=[a_line("1", price="50.00", quantity=2)], discount="10.00", then=[a_refund("45.00")]))
    page = page_of(shop, "1")
    assert "Thing 1 SKU-1 2 50.00 10.00 20.00 40.00 Why this cost: default COGS percentage: 40 % of the list price 50.00 (estimated)" in page
    assert "(estimated); 1 came back" in page


def test_charges_of_files_are_listed_with_whether_they_are_booked(shop: Store) -> None:
    write(shop, an_order("1", lines=[a_line("1", cost="1.00")], costs=[a_cost(accounts.FULFILMENT_SHIPPING, "-6.00")]))
    told = [
        ChargeFact(ChargeKind.LABEL, "1", "1Z3", money("4.90"), "EUR"),
        ChargeFact(ChargeKind.FULFILMENT, "1", "box", money("1.20"), "EUR", day("2026-03-05")),
    ]
    record_charges(shop, told, cause_ref="import:99", actor="", now=timezone.now())
    page = page_of(shop, "1")
    assert "Shipping label the order's 1Z3 approved, not booked: the platform states the label's cost itself €4.90" in page
    assert "Packing and fulfilment 5 Mar 2026 box approved, booked €1.20" in page
    assert "Stated by shop for this order, in EUR; costs are negative" in page
    assert "Why this shipping cost: stated label cost" in page


def test_the_rows_are_shown_as_the_file_has_them_and_buyers_are_not(shop: Store) -> None:
    imported(shop)
    page = page_of(shop, "1001")
    assert "march.csv , imported" in page
    assert "the rows of this order as the file has them" in page
    assert "order date quantity unit_price sku title customer country 1001 2026-03-03 10:00 2 12.50 MUG Mug known by a keyed hash Germany" in page
    assert "1001 2026-03-03 10:00 1 4.90 shipping Postage known by a keyed hash Germany" in page
    assert "1002" not in page
    assert "ann@example.com Germany" not in page
    assert "Last changed by march.csv" in page
    assert "Imported march.csv by ann@example.com, batch 1" in page


def test_two_imports_of_one_order_are_both_shown_the_latest_first(shop: Store) -> None:
    imported(shop)
    imported(shop, LINES.replace(b"12.50", b"13.50"), "april.csv")
    page = page_of(shop, "1001")
    assert page.index("april.csv , imported") < page.index("march.csv , imported")
    assert "2 13.50 MUG" in page
    assert "2 12.50 MUG" in page


def test_an_archive_from_before_payloads_named_their_orders_is_searched(shop: Store) -> None:
    imported(shop)
    assert RawPayload.objects.get().keys == keys_of(["1001", "1002"])
    RawPayload.objects.update(keys=[])
    assert "1001 2026-03-03 10:00 2 12.50 MUG" in page_of(shop, "1001")


def test_what_can_no_longer_be_opened_is_said_in_words(shop: Store) -> None:
    imported(shop)
    payload = RawPayload.objects.get()
    RawPayload.objects.update(body=b"x" + bytes(payload.body))
    assert "is sealed with a key that is no longer in FIELD_KEYS" in page_of(shop, "1001")
    RawPayload.objects.all().delete()
    assert "No row of this order is in what this import kept" in page_of(shop, "1001")


def test_an_order_that_no_file_told_says_so(shop: Store) -> None:
    write(shop, an_order("1"))
    assert "No file told of this order." in page_of(shop, "1")


def test_what_keeps_an_order_out_of_the_figures_is_said(shop: Store) -> None:
    write(shop, an_order("1", currency="USD"), an_order("2", test=True), an_order("3", status=FinancialStatus.PENDING))
    assert "This order is in no figure: there is no exchange rate from USD for its day." in page_of(shop, "1")
    assert "A test order." in page_of(shop, "2")
    assert "Not counted as an order: pending, or worth nothing." in page_of(shop, "3")


def test_two_orders_with_one_number_are_both_shown(shop: Store) -> None:
    write(shop, an_order("7"))
    write(shop, an_order("7", platform="other"))
    page = page_of(shop, "7")
    assert "2 orders have this number." in page
    assert [order.platform for order in order_profit(shop, "7")] == ["shop", "other"]


def test_the_margin_on_the_page_is_the_one_in_the_list(shop: Store) -> None:
    write(shop, an_order("1", lines=[a_line("1", price="100.00", cost="30.00")], tax="19.00", fee="3.00", then=[a_refund("100.00", tax="19.00")]))
    assert [order.margin for order in order_profit(shop, "1")] == [None]
    assert "Margin, of total sales (tax and shipping included) — no figure" in page_of(shop, "1")


def test_orders_and_archives_of_other_stores_stay_theirs(shop: Store) -> None:
    other = a_store(slug="other")
    imported(other)
    write(shop, an_order("1001"))
    page = page_of(shop, "1001")
    assert ("march.csv" in page, "MUG" in page) == (False, False)


VISIT = TouchFact(datetime(2026, 3, 1, 9, tzinfo=UTC), TouchKind.FIRST_VISIT, Evidence.NONE, "direct", landing="/")
CLICKED = TouchFact(
    datetime(2026, 3, 2, 9, tzinfo=UTC), TouchKind.LAST_VISIT, Evidence.UTM, "google", "cpc", "brand", "mugs", "", ("gclid=g1",), "/products/mug",
    "google.example.org",
)  # fmt: skip


def came(store: Store, journey: Journey, *own: TouchFact, codes: tuple[str, ...] = (), updated: str | None = "2026-03-05 12:00") -> str:
    """Return what the page says of how the customer came."""
    write(store, replace(an_order("1001", platform="shopify", updated=updated, codes=codes), journey=journey, touches=own))
    return page_of(store, "1001").partition("How the customer came")[2].partition("Lines")[0]


def test_contacts_before_an_order_are_told_in_the_order_of_time_with_what_they_are_known_by(shop: Store) -> None:
    said = " ".join(came(shop, Journey.ENDS, VISIT, CLICKED, codes=("ANNA5",)).split())
    first, last, code = said.index("First visit Came directly"), said.index("Last visit google cpc · brand"), said.index("Used a discount code ANNA5")
    assert first < last < code
    assert "Nothing tells where from; to the home page" in said
    assert "Known by the link's own words (UTM): term “mugs”, Google ad click; from google.example.org to /products/mug" in said
    assert "whether there were others between them was not asked" in said


@pytest.mark.parametrize(
    ("journey", "updated", "words"),
    [
        (Journey.NOT_TOLD, None, "files do not say how customers came"),
        (Journey.NOT_TOLD, "2026-03-05 12:00", "Not told by Shopify. It tells of no visits for orders at a till"),
        (Journey.NOT_READY, "2026-03-05 12:00", "Not ready yet: Shopify takes minutes to a day"),
        (Journey.WHOLE, "2026-03-05 12:00", "Shopify knows of no visit before this order."),
    ],
)
def test_where_no_visit_is_told_the_page_says_why(shop: Store, journey: Journey, updated: str | None, words: str) -> None:
    assert words in came(shop, journey, updated=updated)


def test_the_page_asks_as_many_questions_for_a_long_story_as_for_a_short_one(shop: Store, django_assert_num_queries: Any) -> None:
    imported(shop)
    imported(shop, LINES.replace(b"1001", b"2001"), "short.csv")
    rules.change(shop, add=[CogsRule(percentage=30)], actor="ann", reason="New supplier", now=timezone.now())
    restate(shop, cause=Cause(CauseKind.RULE, "repost"))
    imported(shop, LINES.replace(b"12.50", b"13.50"), "april.csv")
    imported(shop, LINES.replace(b"12.50", b"14.50"), "may.csv")
    client = signed_in(shop)
    for number in ("1001", "2001"):
        with django_assert_num_queries(35):
            assert client.get(f"/shop/orders/{number}").status_code == 200
