"""Charges of orders in the admin: what each comes to, commissions decided, waiting rows given to their orders."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from django.test import Client

from ledger import accounts
from ledger.audit import check_all
from ledger.kinds import ChargeKind, ChargeStatus
from ledger.models import OrderCharge, Partner, Store
from tests.builders import a_cost, a_store, an_order, book_of, write
from tests.dashboards.people import text_of
from tests.ledger.test_charges import a_charge, commission, tell
from tests.ledger_text import assert_entries

pytestmark = pytest.mark.django_db
LIST = "/admin/ledger/ordercharge/"


@pytest.fixture
def store() -> Store:
    store = a_store(slug="shop")
    write(store, an_order("1001"), an_order("1002"))
    return store


def act(editor: Client, action: str, *chosen: OrderCharge) -> str:
    """Do something to chosen charges and return what the page says."""
    answer = editor.post(LIST, {"action": action, "_selected_action": [charge.pk for charge in chosen]}, follow=True)
    return text_of(answer)


def listed(editor: Client, query: str = "") -> list[str]:
    """Return what the list says becomes of its charges, the latest first."""
    return re.findall(r"field-booked[^>]*>([^<]*)<", editor.get(LIST + query).content.decode())


def of(reference: str) -> OrderCharge:
    """Read a charge."""
    return OrderCharge.objects.get(reference=reference)


def test_the_list_says_what_becomes_of_each_charge(store: Store, editor: Client) -> None:
    write(store, an_order("1003", costs=[a_cost(accounts.FULFILMENT_SHIPPING, "-5.00")]), an_order("1004", test=True), an_order("1005"))
    tell(
        store, a_charge("1001"), commission(reference="N1", status=ChargeStatus.PENDING), commission(reference="N2", status=ChargeStatus.DENIED),
        a_charge(kind=ChargeKind.GIFT, reference="G"), a_charge("1003"), a_charge("1004"), a_charge("1005", currency="USD"), a_charge("9"),
        a_charge("1002-A", reference="T2"),
    )  # fmt: skip
    assert listed(editor) == [
        "waits for its order; is it #1002?", "waits for its order", "not booked yet: the order waits for a rate of USD", "not booked: a test order",
        "not booked: the platform states the label&#x27;s cost itself", "not booked: the product&#x27;s cost is the order&#x27;s COGS already",
        "not booked: denied", "not booked: not decided yet", "booked",
    ]  # fmt: skip


def test_commissions_are_decided_and_post_at_once(store: Store, editor: Client) -> None:
    tell(store, commission(status=ChargeStatus.PENDING), a_charge())
    assert "1 commission approved. 1 of the chosen are no commissions and stay as they are." in act(editor, "approve", of("N1"), of("T1"))
    assert_entries(store, "amount\n -5.00", only=("marketing",))
    assert "1 commission paid." in act(editor, "mark_paid", of("N1"))
    assert "1 commission denied." in act(editor, "deny", of("N1"))
    assert_entries(store, "amount", only=("marketing",), live=True)
    assert (of("N1").status, of("T1").status) == (ChargeStatus.DENIED, ChargeStatus.APPROVED)


def test_charges_are_taken_back(store: Store, editor: Client) -> None:
    tell(store, a_charge(), a_charge("9", reference="T2"))
    assert "2 charges taken back." in act(editor, "take_back", of("T1"), of("T2"))
    assert_entries(store, "amount", only=("fulfilment",), live=True)
    assert listed(editor) == []


@pytest.mark.parametrize("ref", ["001001", "1001-A", "SHOP1001", "Order 1001", "1001.1"])
def test_a_waiting_charge_is_given_to_the_order_that_is_suggested(store: Store, editor: Client, ref: str) -> None:
    tell(store, a_charge(ref), a_charge("77", reference="T2"))
    assert "1 charge given to the suggested orders; the others still wait." in act(editor, "find_orders", of("T1"), of("T2"))
    assert_entries(store, "source amount\n 1001 -6.20", only=("fulfilment",))
    assert listed(editor, "?matched=yes") == ["booked (order #1001)"]
    assert listed(editor, "?matched=no") == ["waits for its order"]
    # the same row of the same file again is the same charge
    assert tell(store, a_charge(ref)).unchanged == 1


def test_an_orders_usual_letters_are_tried(store: Store, editor: Client) -> None:
    write(store, an_order("MUG-5005-EU"))
    tell(store, a_charge("5005"))
    assert listed(editor) == ["waits for its order; is it #MUG-5005-EU?"]


def test_a_number_of_several_orders_is_suggested_to_none(store: Store, editor: Client) -> None:
    write(store, an_order("1001", platform="market"))
    tell(store, a_charge("1001"))
    assert listed(editor) == ["waits for its order"]


def test_the_list_is_filtered_and_searched(store: Store, editor: Client) -> None:
    ann = Partner.objects.create(store=store, name="Ann", kind=Partner.Kind.INFLUENCER)
    tell(store, a_charge("1001"), a_charge("1002", reference="T2"), commission(partner=ann))
    assert len(listed(editor, f"?partner={ann.pk}")) == len(listed(editor, "?q=T2")) == len(listed(editor, "?q=ann")) == 1
    assert len(listed(editor, "?q=1001")) == len(listed(editor, f"?kind={int(ChargeKind.LABEL)}")) == 2


def test_nothing_is_done_to_another_stores_charges(store: Store, editor: Client) -> None:
    other = a_store(slug="other")
    write(other, an_order("1001"))
    tell(other, commission(reference="X", status=ChargeStatus.PENDING))
    for action in ("approve", "take_back", "find_orders"):
        act(editor, action, of("X"))
    assert (of("X").status, of("X").removed_at) == (ChargeStatus.PENDING, None)
    assert listed(editor) == []


def test_a_partner_who_is_an_influencer_after_all_has_the_commissions_booked_so(
    store: Store, editor: Client, django_capture_on_commit_callbacks: Callable[..., AbstractContextManager[object]]
) -> None:
    ben = Partner.objects.create(store=store, name="Ben", kind=Partner.Kind.AFFILIATE)
    tell(store, commission(partner=ben), commission(order="9", partner=ben))
    assert_entries(store, "account amount\n marketing:affiliate -5.00", only=("marketing",))
    with django_capture_on_commit_callbacks(execute=True):
        editor.post(f"/admin/ledger/partner/{ben.pk}/change/", {"name": "Ben", "kind": "influencer", "note": ""})
    assert_entries(store, "account amount\n marketing:influencer -5.00", only=("marketing",), live=True)
    assert not any(check_all(book_of(store)).values())
