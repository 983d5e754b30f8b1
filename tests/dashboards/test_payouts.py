"""Payouts are listed with what their rows add up to, and each opens down to its rows and to why it differs from what orders say."""

import csv
import io
from io import BytesIO

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from msgspec import structs
from openpyxl import load_workbook

from ledger.charges import balance
from ledger.charges.disputes import record_disputes
from ledger.facts import BalanceFact, DisputeFact, PayoutFact
from ledger.kinds import BalanceMeaning
from ledger.models import Payout, Store
from tests.builders import a_line, a_payment, a_store, an_order, at, money, write
from tests.dashboards.people import signed_in, text_of

pytestmark = pytest.mark.django_db
M = BalanceMeaning
NOW = at("2026-03-20 12:00")


@pytest.fixture
def store() -> Store:
    return a_store(slug="mugs", zone="Europe/Berlin")


@pytest.fixture
def owner(store: Store) -> Client:
    return signed_in(store)


def a_row(
    type: str, meaning: M, amount: str, fee: str = "0", *, key: str, order: str = "", payment: str = "", payout: str = "",
    when: str = "2026-03-03 12:00",
) -> BalanceFact:  # fmt: skip
    return BalanceFact("shopify_payments", key, at(when), type, meaning, money(amount), money(fee), "EUR", order, payment, payout)


def sell(store: Store, number: str, amount: str, when: str = "2026-03-03 12:00") -> None:
    price = [a_line("1", price=amount, cost="1.00")]
    paid = a_payment(amount, external_id=f"p{number}", gateway="shopify_payments", when=when)
    write(store, an_order(number, when=when, lines=price, payments=[paid], platform="shopify"))


def a_payout(key: str, amount: str, when: str, status: str = "PAID") -> PayoutFact:
    return PayoutFact("shopify_payments", key, at(when), status, money(amount), "EUR", (("charges", money(amount)),))


def tell(store: Store) -> None:
    """Tell of two payouts that tie, one that differs, one that failed, and of what is on the way; and of disputes."""
    sell(store, "1001", "100.00")
    sell(store, "1002", "50.00", "2026-03-04 12:00")
    sell(store, "1003", "80.00", "2026-03-04 13:00")
    rows = [
        a_row("CHARGE", M.CHARGE, "100.00", "2.00", key="b1", order="1001", payment="p1001", payout="1"),
        a_row("TRANSFER", M.PAYOUT, "-98.00", key="b2", payout="1"),
        a_row("CHARGE", M.CHARGE, "50.00", "1.00", key="b3", order="1002", payment="p1002", payout="2", when="2026-03-04 12:00"),
        a_row("CHARGE", M.CHARGE, "80.00", "2.00", key="b4", order="1003", payment="p1003", when="2026-03-04 13:00"),
        a_row("CHARGE", M.CHARGE, "20.00", "0.50", key="b5", order="9", payment="p9", payout="2", when="2026-03-04 14:00"),
        a_row("RESERVED_FUNDS", M.TRANSFER, "-15.00", key="b6", payout="2", when="2026-03-04 15:00"),
        a_row("MOON_DUST", M.UNKNOWN, "-3.00", key="b7", payout="3", when="2026-03-05 12:00"),
        a_row("ADVANCE_FUNDING", M.FINANCING, "500.00", key="b8", payout="4", when="2026-03-06 12:00"),
        structs.replace(
            a_row("DISPUTE_WITHDRAWAL", M.DISPUTE, "-100.00", "15.00", key="b9", order="1001", when="2026-03-10 12:00"), dispute="5"
        ),
    ]  # fmt: skip
    balance.record_balance(store, rows, cause_ref="connection:1", now=NOW)
    payouts = [
        a_payout("1", "98.00", "2026-03-05 09:00"), a_payout("2", "53.50", "2026-03-06 09:00"), a_payout("3", "10.00", "2026-03-07 09:00"),
        a_payout("4", "500.00", "2026-03-08 09:00", "FAILED"),
    ]  # fmt: skip
    balance.record_payouts(store, payouts, now=NOW)
    opened = DisputeFact(
        "shopify_payments", "5", True, money("100.00"), "EUR", "#1001", at("2026-03-31 12:00"), "NEEDS_RESPONSE", "CHARGEBACK", "FRAUDULENT", NOW
    )
    record_disputes(store, [opened, structs.replace(opened, external_id="6", wants_answer=False, status="WON", order="")], now=NOW)


def listed(client: Client, query: str = "") -> list[list[str]]:
    answer = client.get(f"/mugs/payouts.csv?{query}")
    assert (answer.status_code, answer["Content-Disposition"]) == (200, 'attachment; filename="mugs-payouts.csv"')
    return list(csv.reader(io.StringIO(answer.content.decode())))


def test_payouts_are_listed_sorted_narrowed_and_saved(store: Store, owner: Client) -> None:
    tell(store)
    head, *lines = listed(owner)
    assert head[5:] == ["payments", "refunds", "fees", "other", "paid out", "rows add up to", "difference"]
    assert [[line[2], line[3], *line[5:]] for line in lines] == [
        ["4", "failed", "0", "0", "0", "500", "500", "500", "0"],
        ["3", "paid", "0", "0", "0", "-3", "10", "-3", "13"],
        ["2", "paid", "70", "0", "-1.5", "-15", "53.5", "53.5", "0"],
        ["1", "paid", "100", "0", "-2", "0", "98", "98", "0"],
    ]
    assert [line[2] for line in listed(owner, "sort=net")[1:]] == ["3", "2", "1", "4"]
    assert [line[2] for line in listed(owner, "status=FAILED")[1:]] == ["4"]
    assert [line[2] for line in listed(owner, "differing=on")[1:]] == ["3"]
    assert [line[2] for line in listed(owner, "from=2026-03-06&to=2026-03-07")[1:]] == ["3", "2"]
    sheet = load_workbook(BytesIO(owner.get("/mugs/payouts.xlsx").content)).active
    assert sheet is not None
    assert [cell.value for cell in sheet[4]][5:] == [70, 0, -1.5, -15, 53.5, 53.5, 0]
    assert owner.get("/mugs/payouts.csv?from=2026-03-07&to=2026-03-06").status_code == 400
    assert "The last day lies before the first." in text_of(owner.get("/mugs/payouts?from=2026-03-07&to=2026-03-06"))
    assert "No payout matches." in text_of(owner.get("/mugs/payouts?status=x"))


def test_the_list_tells_what_is_on_the_way_held_back_lent_disputed_and_not_booked(store: Store, owner: Client) -> None:
    tell(store)
    text = text_of(owner.get("/mugs/payouts?from=2026-03-01&to=2026-03-31"))
    assert "€−37.00 moved 4 Mar 2026 and later" in text.replace("-€37.00", "€−37.00").replace("−€37.00", "€−37.00")
    for said in (
        "€15.00 kept back by the processor", "€500.00 received and not paid back", "€500.00 payouts that failed, with none paid since",
        "1 differs from its rows", "needs your answer", "31 Mar 2026", "fraudulent €100.00 €15.00", "moon dust", "Told by processors −€5.00",
    ):  # fmt: skip
        assert said in text, said


def test_a_payout_opens_down_to_why_it_differs_from_what_orders_say(store: Store, owner: Client) -> None:
    tell(store)
    second = Payout.objects.get(external_id="2")
    text = text_of(owner.get(f"/mugs/payouts/{second.pk}"))
    for said in (
        "Expected from orders payments less refunds of the days of this payout 130.00",
        "paid in the days of this payout, and not in any payout that is known yet (1) −80.00", "or tell no such payment (1) 20.00",
        "what the processor kept of each row −1.50", "held back for a while, or given free again (1) −15.00", "Of it unexplained nothing 0.00",
        "as the processor reports it 53.50", "order 9",
    ):  # fmt: skip
        assert said in text, said
    rows = list(csv.reader(io.StringIO(owner.get(f"/mugs/payouts/{second.pk}.csv").content.decode())))
    assert [row[2:9] for row in rows[1:]] == [
        ["CHARGE", "payment", "#1002", "EUR", "50", "1", "49"], ["CHARGE", "payment", "9", "EUR", "20", "0.5", "19.5"],
        ["RESERVED_FUNDS", "money on its way, such as a reserve", "", "EUR", "-15", "0", "-15"],
    ]  # fmt: skip
    failed, differing = Payout.objects.get(external_id="4"), Payout.objects.get(external_id="3")
    assert "This payout did not reach your bank." in text_of(owner.get(f"/mugs/payouts/{failed.pk}?page=x"))
    assert "€13.00 is in no row that was read" in text_of(owner.get(f"/mugs/payouts/{differing.pk}?page=2"))


def test_an_orders_page_says_in_which_payout_its_money_came(store: Store, owner: Client) -> None:
    tell(store)
    first = Payout.objects.get(external_id="1")
    answer = owner.get("/mugs/orders/1001")
    assert f'<a href="/mugs/payouts/{first.pk}">5 Mar 2026</a>' in answer.content.decode()
    assert "Chargeback, or one that was won, dispute withdrawal on the way" in text_of(answer)


def test_today_leads_to_payouts_that_failed_or_differ(store: Store, owner: Client) -> None:
    tell(store)
    page = owner.get("/mugs/today").content.decode()
    assert "Shopify Payments’s payout of 500.00 EUR of 8 March 2026 did not reach your bank (failed)." in page
    assert "Shopify Payments’s payout of 10.00 EUR of 7 March 2026 do not add up to it" in page
    assert page.count('href="/mugs/payouts"') == 5  # navigation, the two, the dispute, and rows that are in no figure


def test_payouts_of_another_store_are_not_there(store: Store, owner: Client) -> None:
    tell(store)
    other = a_store(slug="cups", zone="Pacific/Kiritimati")
    stranger = signed_in(other, email="other@example.com")
    balance.record_payouts(other, [a_payout("1", "7.00", "2026-03-05 09:00")], now=NOW)
    mine = Payout.objects.get(store=store, external_id="1")
    answers = [stranger.get(f"/cups/payouts/{mine.pk}{end}").status_code for end in ("", ".csv", ".xlsx")]
    assert answers == [404, 404, 404]
    assert "98.00" not in text_of(stranger.get("/cups/payouts"))
    assert "No row of this payout has been read yet" in text_of(stranger.get(f"/cups/payouts/{Payout.objects.get(store=other).pk}"))


def test_before_anything_is_told_the_page_says_what_to_do(owner: Client) -> None:
    assert "No payouts yet" in text_of(owner.get("/mugs/payouts"))


def test_payouts_take_as_many_queries_however_many_there_are(store: Store, owner: Client) -> None:
    def counted() -> tuple[int, int]:
        found = []
        for address in ("payouts", f"payouts/{Payout.objects.get(external_id='2').pk}"):
            owner.get(f"/mugs/{address}")
            with CaptureQueriesContext(connection) as queries:
                owner.get(f"/mugs/{address}")
            found.append(len(queries))
        return found[0], found[1]

    tell(store)
    few = counted()
    more = [
        a_row("CHARGE", M.CHARGE, "1.00", key=f"m{n}", order="1002", payment=f"m{n}", payout=f"m{n}" if n % 3 else "2") for n in range(30)
    ]  # fmt: skip
    balance.record_balance(store, more, cause_ref="connection:1", now=NOW)
    balance.record_payouts(store, [a_payout(f"m{n}", "1.00", f"2026-03-{n % 9 + 1:02} 09:00") for n in range(30)], now=NOW)
    assert counted() == few
