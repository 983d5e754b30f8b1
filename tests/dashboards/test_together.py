"""Several stores at once: only one's own, side by side in one currency, adding up to their sum, each figure opening its own entries."""

import csv
import re
from decimal import Decimal
from io import BytesIO, StringIO

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from openpyxl import load_workbook

from dashboards.pages.together import Together, combinable
from ledger.models import Store
from ledger.people import Role, set_role
from ledger.stores import RESERVED
from tests.builders import a_line, a_store, an_order, ecb, write
from tests.dashboards.people import a_person, browser_of, signed_in, text_of

pytestmark = pytest.mark.django_db
MARCH = "from=2026-03-01&to=2026-03-31&basis=event"
EARLIER = f"{MARCH}&compare=custom&compare_from=2026-02-01&compare_to=2026-02-28"


@pytest.fixture
def shops() -> list[Store]:
    """Open two stores in euro and one in dollars, with an order each in March, and one in February for the first."""
    mugs, plates, states = a_store(slug="mugs"), a_store(slug="plates"), a_store(slug="states", currency="USD")
    write(
        mugs, an_order("1", lines=[a_line(price="100.00", cost="30.00")], fee="2.00"),
        an_order("0", lines=[a_line(price="40.00", cost="30.00")], fee="1.00", when="2026-02-10 12:00"),
    )  # fmt: skip
    write(plates, an_order("1", lines=[a_line(price="10.00", cost="30.00")], fee="0.50"))
    write(states, an_order("1", lines=[a_line(price="110.33", cost="11.00")], fee="1.10", currency="USD"))
    ecb(("USD", "2026-03-03", "1.1"), ("USD", "2026-02-10", "1.2"))
    return [mugs, plates, states]


def statement(client: Client, query: str = MARCH) -> dict[str, list[str]]:
    """Return the lines of the side-by-side statement as its file tells them: the figures of the stores, then the total."""
    read = csv.reader(StringIO(client.get(f"/stores/pnl.csv?{query}").content.decode()))
    return {row[1]: row[4 : 4 + len(row) - 4] for row in read if row[2] in ("", "account")}


def test_the_stores_stand_side_by_side_and_add_up_in_one_currency(shops: list[Store]) -> None:
    found = statement(signed_in(*shops))
    assert found["line"][:4] == ["Mugs", "Plates", "States", "total"]
    assert found["Gross sales"][:4] == ["100", "10", "100.3", "210.3"]
    assert found["Net profit"][:4] == ["68", "-20.5", "89.3", "136.8"]
    for line in ("Gross sales", "COGS", "Net revenue", "Net profit", "Orders"):
        assert sum(Decimal(value) for value in found[line][:3]) == Decimal(found[line][3])
    in_dollars = statement(signed_in(*shops, email="other@example.com"), f"{MARCH}&currency=USD")
    assert in_dollars["Gross sales"][:4] == ["110", "11", "110.33", "231.33"]


def test_only_the_stores_of_the_person_are_read_and_another_one_answers_like_none(shops: list[Store]) -> None:
    mugs, plates, states = shops
    client = signed_in(mugs, plates)
    assert statement(client)["line"][:3] == ["Mugs", "Plates", "total"]
    assert "States" not in text_of(client.get(f"/stores/today?{MARCH}")) + text_of(client.get(f"/stores/pnl?{MARCH}"))
    for page in ("today", "pnl", "pnl.csv", "pnl.xlsx"):
        answers = {client.get(f"/stores/{page}?{MARCH}&stores={slug}").status_code for slug in ("states", "mugs,states", "nowhere")}
        assert answers == {404}
    set_role(states, a_person(email="third@example.com"), Role.VIEWER)


def test_some_of_the_stores_are_chosen_by_the_address_however_it_is_written(shops: list[Store]) -> None:
    client = signed_in(*shops)
    assert statement(client, f"{MARCH}&stores=plates,mugs")["line"][:3] == ["Mugs", "Plates", "total"]
    assert statement(client, f"{MARCH}&stores=plates&stores=mugs")["line"][:3] == ["Mugs", "Plates", "total"]
    shown = client.get(f"/stores/today?{MARCH}&stores=plates,mugs").content.decode()
    assert "2 of 3 stores" in shown
    links = re.findall(r'href="(\?[^"]*|/stores/[^"]*)"', shown)
    assert [link for link in links if "stores=mugs%2Cplates" not in link and link != "/stores/today"] == []


def test_a_page_of_today_has_their_sum_and_a_row_for_each_that_leads_into_it(shops: list[Store]) -> None:
    shown = signed_in(*shops).get(f"/stores/today?{EARLIER}").content.decode()
    words = " ".join(re.sub(r"<[^>]+>", " ", shown).split())
    assert "€136.80" in words
    rows = re.findall(r'<th scope="row"><a href="([^"]+)">([^<]+)</a>', shown)
    assert [name for _, name in rows] == ["States", "Mugs", "Plates"]
    assert [address.split("?")[0] for address, _ in rows] == ["/states/today", "/mugs/today", "/plates/today"]
    assert all("from=2026-03-01&to=2026-03-31&basis=event&compare=custom" in address.replace("&amp;", "&") for address, _ in rows)
    assert "1 of 3 stores is converted into EUR" in words
    assert "States: Converted from USD into EUR, each day at its own rate of the European Central Bank." in words


def test_each_stores_figure_opens_its_own_entries_and_they_sum_to_it(shops: list[Store]) -> None:
    client = signed_in(*shops)
    shown = client.get(f"/stores/pnl?{MARCH}").content.decode().replace("&amp;", "&")
    opened = re.findall(r'<a href="(/(\w+)/entries\?line=gross_sales&[^"]+)">([^<]+)</a>', shown)
    assert [(slug, figure) for _, slug, figure in opened] == [("mugs", "100.00"), ("plates", "10.00"), ("states", "100.30")]
    told = [text_of(client.get(address)) for address, _, _ in opened]
    assert "€100.00" in told[0]
    assert "$110.33" in told[2]
    assert "In EUR it comes to €100.30 ." in told[2]


def test_a_store_without_a_rate_is_a_dash_and_not_in_the_sum_and_the_page_says_so(shops: list[Store]) -> None:
    write(shops[2], an_order("9", lines=[a_line(price="50.00")], when="2026-06-10 12:00", currency="USD"))
    client = signed_in(*shops)
    june = "from=2026-06-01&to=2026-06-30&basis=event"
    assert statement(client, june)["Gross sales"][:4] == ["0", "0", "", "0"]
    assert statement(client, june)["Orders"][:4] == ["0", "0", "1", "1"]
    assert "There is no rate for 10 Jun 2026: what is booked then is in no figure." in text_of(client.get(f"/stores/pnl?{june}"))


def test_the_demo_is_never_mixed_with_ones_own(shops: list[Store]) -> None:
    demo = a_store(slug="demo")
    Store.objects.filter(pk=demo.pk).update(is_demo=True)
    client = signed_in(*shops, demo)
    assert statement(client)["line"][:4] == ["Mugs", "Plates", "States", "total"]
    assert client.get(f"/stores/pnl?{MARCH}&stores=demo").status_code == 404
    assert [store.slug for store in combinable(list(Store.objects.filter(is_demo=True)))] == ["demo"]


def test_the_switcher_offers_all_stores_to_whoever_has_several(shops: list[Store]) -> None:
    several, one = signed_in(*shops), signed_in(shops[0], email="one@example.com")
    assert 'href="/stores/today"' in several.get("/mugs/today").content.decode()
    assert 'href="/stores/today"' not in one.get("/mugs/today").content.decode()
    assert 'href="/stores/today"' in several.get("/").content.decode()


def test_whoever_has_no_store_is_sent_to_the_list(shops: list[Store]) -> None:
    answer = browser_of(a_person(email="nobody@example.com")).get("/stores/today")
    assert (answer.status_code, answer["Location"]) == (302, "/")


def test_stores_without_anything_booked_say_so() -> None:
    client = signed_in(a_store(slug="mugs"), a_store(slug="plates"))
    assert "Nothing is booked yet in any of these stores" in text_of(client.get("/stores/today"))
    assert "Nothing is booked yet in any of these stores" in text_of(client.get("/stores/pnl"))
    assert client.get("/stores/pnl.csv").status_code == 400


def test_a_workbook_says_which_stores_and_at_which_rates(shops: list[Store]) -> None:
    sheet = load_workbook(BytesIO(signed_in(*shops).get(f"/stores/pnl.xlsx?{MARCH}").content)).worksheets[0]
    told = {row[0].value: row[1].value for row in sheet.iter_rows(max_row=8)}
    assert (told["Stores"], told["Currency"]) == ("Mugs, Plates, States", "EUR")
    assert told["Rates, States"] == "Converted from USD into EUR, each day at its own rate of the European Central Bank."


def test_the_stores_settings_hold_together_where_they_agree() -> None:
    first, second = a_store(slug="a", currency="USD"), a_store(slug="b")
    for store in (first, second):
        store.fiscal_year_start_month = 4
    second.week_starts_on_sunday = True
    one = Together([first, second], [first, second]).as_one()
    assert (one.currency, one.fiscal_year_start_month, one.week_starts_on_sunday) == ("EUR", 4, False)
    assert "stores" in RESERVED


@pytest.mark.django_db(transaction=True)
def test_questions_grow_with_the_stores_and_never_with_their_orders(shops: list[Store]) -> None:
    client = signed_in(*shops)
    counts = []
    for number in range(2):
        for store in shops:
            write(store, *(an_order(f"{number}-{place}", currency=store.currency) for place in range(1 + 30 * number)))
        for page in ("today", "pnl"):
            with CaptureQueriesContext(connection) as asked:
                assert client.get(f"/stores/{page}?{EARLIER}").status_code == 200
            counts.append(len(asked.captured_queries))
    assert counts[:2] == counts[2:]
