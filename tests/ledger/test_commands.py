"""The ledger's commands: exact figures, clear refusals, and exit status by exception."""

import json
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from ledger.models import CostDefaults, DayTotal, Membership, Store
from tests.builders import a_line, a_payment, a_refund, a_store, an_order, book_of, write

pytestmark = pytest.mark.django_db
MARCH = ("--from", "2026-03-01", "--to", "2026-03-31")


def run(*arguments: str) -> str:
    """Run a command and return what it printed."""
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def told(*arguments: str) -> Any:
    """Run a command with --json and read it."""
    return json.loads(run(*arguments, "--json"))


def a_known_store() -> Store:
    """Open a store with one order of 50.00 and one with a refund."""
    store = a_store(slug="shop")
    write(store, an_order("1001", tax="9.50", shipping="5.00"))
    write(store, an_order("1002", lines=[a_line(cost="12.00")], fee="1.10", then=[a_refund("20.00", when="2026-04-02 12:00")]))
    return store


def test_create_store_makes_an_owner_who_can_sign_in():
    answer = told("create_store", "shop", "--name", "Shop", "--currency", "eur", "--timezone", "Europe/Berlin", "--owner", "ann@example.com")
    owner = User.objects.get(username="ann@example.com")
    assert answer.pop("password") and owner.has_usable_password()
    assert answer == {"store": "shop", "name": "Shop", "currency": "EUR", "timezone": "Europe/Berlin", "owner": "ann@example.com"}
    assert Membership.objects.get(user=owner).role == "owner"
    again = told("create_store", "two", "--name", "Two", "--currency", "USD", "--timezone", "UTC", "--owner", "Ann@example.com")
    assert again["password"] is None
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    ("slug", "currency", "zone", "owner", "said"),
    [
        ("shop", "EUR", "UTC", "a@example.com", "There already is a store “shop”"),
        ("new", "XYZ", "UTC", "a@example.com", "not an ISO 4217 currency"),
        ("new", "EUR", "Mars/Base", "a@example.com", "not an IANA time zone"),
        ("new", "EUR", "UTC", "nobody", "no e-mail address"),
    ],
)
def test_create_store_refuses_and_leaves_nothing(slug, currency, zone, owner, said):
    a_store(slug="shop")
    with pytest.raises(CommandError, match=said):
        run("create_store", slug, "--name", "New", "--currency", currency, "--timezone", zone, "--owner", owner)
    assert list(Store.objects.values_list("slug", flat=True)) == ["shop"]
    assert not User.objects.exists()


def test_pnl_as_json():
    a_known_store()
    answer = told("pnl", "shop", *MARCH)
    assert answer.pop("recorded_at")
    assert answer == {
        "store": "shop", "currency": "EUR", "basis": "event", "from": "2026-03-01", "to": "2026-03-31",
        "gross_sales": "100.00", "discounts": "0.00", "returns": "0.00", "shipping_charged": "5.00", "other_income": "0.00",
        "net_revenue": "105.00", "cogs": "-32.00", "gross_profit": "73.00", "fulfilment": "-5.00", "fees": "-3.27", "cm2": "64.73",
        "marketing": "0.00", "cm3": "64.73", "operating": "0.00", "net_profit": "64.73",
        "memo": {"tax": "9.50", "gift_cards": "0.00", "unpaid": "0.00"},
        "orders": 2, "units": 2, "returned_units": 0, "new_customers": 0, "estimated_share": "0.1870",
        "through_batch": 2, "held_orders": 0, "restating": False,
    }  # fmt: skip


def test_pnl_by_month_on_both_bases_and_as_of():
    a_known_store()
    span = ("--from", "2026-03-01", "--to", "2026-04-30", "--by", "month")
    assert [part["net_profit"] for part in told("pnl", "shop", *span)["periods"]] == ["64.73", "-20.00"]
    assert [part["net_profit"] for part in told("pnl", "shop", *span, "--basis", "order")["periods"]] == ["44.73", "0.00"]
    then = told("pnl", "shop", *span, "--as-of", "seq:1")
    assert (then["net_profit"], then["orders"], then["through_batch"]) == ("27.83", 1, 1)
    assert told("pnl", "shop", *span, "--as-of", "2020-01-01T00:00")["orders"] == 0


def test_pnl_as_text_has_months_as_columns_and_many_days_as_rows():
    a_known_store()
    text = run("pnl", "shop", "--from", "2026-03-01", "--to", "2026-04-30", "--by", "month")
    header = next(line for line in text.splitlines() if "2026-03 " in line)
    assert header.split() == ["2026-03", "2026-04", "Total"]
    assert "before income tax, interest and depreciation" in text
    row = next(line for line in text.splitlines() if line.startswith("Net profit"))
    assert row.split()[-3:] == ["64.73", "-20.00", "44.73"]
    assert "Through batch 2" in text
    days = run("pnl", "shop", *MARCH, "--by", "day").splitlines()
    assert sum(line.startswith("2026-03-") for line in days) == 31
    assert next(line for line in days if line.startswith("2026-03-03")).split()[11] == "64.73"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nowhere", *MARCH), "no store “nowhere”. Stores: shop"),
        (("shop", "--from", "2026-03-02", "--to", "2026-03-01"), "ends .* before it starts"),
        (("shop", "--from", "March", "--to", "2026-03-01"), "no date"),
        (("shop", *MARCH, "--as-of", "seq:9"), "no batch 9; the last one is 2"),
        (("shop", *MARCH, "--as-of", "noon"), "neither a batch"),
    ],
)
def test_pnl_says_what_is_wrong(arguments, said):
    a_known_store()
    with pytest.raises(CommandError, match=said):
        run("pnl", *arguments)


def test_order_says_what_it_earned_and_why():
    a_known_store()
    (order,) = told("order", "shop", "1001")["orders"]
    assert order["columns"] == {
        "revenue": "64.50", "cogs": "-20.00", "shipping": "-5.00", "tax": "-9.50", "payment_fees": "-2.17", "other_fees": "0.00",
        "fees": "-11.67", "marketing_costs": "0.00", "profit": "27.83",
    }  # fmt: skip
    assert (order["margin"], order["margin_base"], order["margin_basis"]) == ("43.1473", "64.50", "of total sales (tax and shipping included)")
    (line,) = order["lines"]
    assert (line["unit_price"], line["unit_cost"], line["estimated"]) == ("50.00", "20.00", True)
    assert line["why"] == "default COGS percentage: 40 % of the list price 50.00 (estimated)"
    (payment,) = order["payments"]
    assert (payment["amount"], payment["fee"], payment["estimated"]) == ("64.50", "-2.17", True)
    assert {entry["account"]: entry["amount"] for entry in order["entries"]} == {
        "sales:gross": "50.00", "stat:units": "1", "cogs:product": "-20.00", "memo:tax": "9.50", "sales:shipping": "5.00",
        "fulfilment:shipping": "-5.00", "fees:payment": "-2.17", "stat:orders": "1",
    }  # fmt: skip
    assert {(entry["seq"], entry["cause"], entry["cause_ref"]) for entry in order["entries"]} == {(1, "sync", "sync:1")}


def test_order_margin_can_be_of_net_revenue():
    store = a_known_store()
    Store.objects.filter(pk=store.pk).update(margin_basis=Store.MarginBasis.NET_REVENUE)
    (order,) = told("order", "shop", "1001")["orders"]
    assert (order["margin"], order["margin_base"]) == ("50.6000", "55.00")


def test_order_as_text_shows_reversals_and_every_order_with_the_number():
    store = a_known_store()
    write(store, an_order("1001", lines=2, platform="other", payments=[a_payment("100.00", gateway="cash")]))
    write(store, an_order("1002", lines=[a_line(cost="13.00")], fee="1.10"))
    assert run("order", "shop", "#1001").count("Order #1001") == 2
    assert "no fee on cash" in run("order", "shop", "1001")
    text = run("order", "shop", "1002")
    assert "stated with the order" in text and "stated by the processor" in text
    assert [line.split()[-1] for line in text.splitlines() if "cogs:product" in line] == ["-12.00", "12.00", "-13.00"]
    with pytest.raises(CommandError, match="“shop” has no order 7"):
        run("order", "shop", "7")


def test_books_audit_finds_a_wrong_total_and_rebuild_mends_it():
    a_known_store()
    assert told("books", "audit", "shop")["ok"] is True
    DayTotal.objects.filter(account=1).update(amount=1)
    with pytest.raises(CommandError, match="1 of 10 invariants do not hold for “shop”"):
        run("books", "audit", "shop")
    assert told("books", "rebuild", "shop")["rows"] > 0
    assert "FAILED" not in run("books", "audit", "shop")


def test_books_repost_and_explain_what_it_changed():
    store = a_known_store()
    assert told("books", "repost", "shop") == {"store": "shop", "entries": 0, "through_batch": 2}
    CostDefaults.objects.update(cogs_percentage="30")
    assert told("books", "repost", "shop") == {"store": "shop", "entries": 2, "through_batch": 3}
    answer = told("books", "explain", "shop", "--from", "2")
    (change,) = answer["changes"]
    assert change.pop("recorded_at")
    assert change == {
        "seq": 3, "cause": "correction", "cause_ref": "repost", "actor": "", "month": "2026-03-01", "account": "cogs:product",
        "line": "cogs", "added": "-15.00", "reversed": "20.00", "net": "5.00", "entries": 2,
    }  # fmt: skip
    assert (answer["from"], answer["to"], answer["totals"], answer["net_profit"]) == (2, 3, {"cogs": "5.00"}, "5.00")
    assert "correction repost" in run("books", "explain", "shop", "--from", "seq:2", "--to", "3")
    assert "Nothing." in run("books", "explain", "shop", "--from", str(book_of(store).last_seq))
    with pytest.raises(CommandError, match=r"ends .* before it starts"):
        run("books", "explain", "shop", "--from", "3", "--to", "2")
