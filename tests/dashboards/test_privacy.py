"""An owner asks for a person's copy or erasure, sees first what it is about, follows it, and passes the copy on while it is kept."""

import zipfile
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from connectors.models import PrivacyCase, PrivacyCopy
from connectors.privacy import cases
from connectors.privacy.tasks import keep_privacy
from ledger.models import Customer, Finding, Store
from ledger.people import Role
from profitpeek.jobs.models import Job
from tests.builders import a_store
from tests.connectors import shopify_files
from tests.connectors.people import ask_by_platform, bought, changes, connect, done, everything, tell, tell_file
from tests.dashboards.people import a_person, browser_of, signed_in, text_of

pytestmark = pytest.mark.django_db
ANN = "ann@example.com"


@pytest.fixture
def shop(tmp_path: Path) -> Store:
    """A shop whose file told two orders of Ann, and whose connection told one of them and one of somebody else."""
    store = a_store(slug="shop")
    tell_file(store, tmp_path, shopify_files.an_order(1001, Email=ANN), shopify_files.an_order(1003, Email=ANN))
    tell(connect(store), bought(1001, 42), bought(1002, 43))
    return store


@pytest.fixture
def owner(shop: Store) -> Client:
    return signed_in(shop)


def look(owner: Client, **told: str) -> str:
    """Ask what is held of somebody and return the address of the page that says it."""
    answer = owner.post("/shop/privacy", {"kind": "erase_person", "email": "", "orders": "", "customer": "", **told})
    assert answer.status_code == 302, text_of(answer)
    return answer["Location"]


def test_what_would_be_erased_is_shown_first_and_nothing_is_done(shop: Store, owner: Client) -> None:
    before = everything()
    address = look(owner, orders="#1001")
    page = text_of(owner.get(address))
    assert "Nothing is done yet" in page
    assert "Customers, each known by a keyed hash 2 Orders 2 Pages received from platforms that tell of these orders 1" in page
    assert "Their orders: #1001 , #1003 ." in page
    assert (changes(before, everything()), Job.objects.filter(kind="privacy-case").count(), "example.com" in address) == ({}, 0, False)
    assert "Nobody has asked yet" in text_of(owner.get("/shop/privacy"))


def test_an_owner_erases_a_person_and_follows_it(shop: Store, owner: Client) -> None:
    address = look(owner, email="ANN@example.com")
    assert "are known by the customer’s number on its platform, which an e-mail address does not tell" in text_of(owner.get(address))
    answer = owner.post(f"{address}/confirm", follow=True)
    assert "It is being done" in text_of(answer)
    assert 'data-live="2"' in answer.content.decode()
    case = done(PrivacyCase.objects.get())
    page = text_of(owner.get(address))
    assert "Who bought is nobody now; orders, amounts and every figure stay as they were." in page
    assert "Customers, each known by a keyed hash 2 Records as a platform told them 1 Rows as files told them 2" in page
    assert Customer.objects.filter(store=shop, erased_at=None).count() == 1
    listed = text_of(owner.get("/shop/privacy"))
    assert f"Erasure of a person no. {case.pk} done owner@example.com" in listed
    assert "the buyer was cut out on" in text_of(owner.get("/shop/orders/1001"))
    assert "the buyer was cut out on" not in text_of(owner.get("/shop/orders/1002"))


def test_what_was_looked_at_can_be_left_and_is_forgotten(owner: Client) -> None:
    address = look(owner, customer="42")
    assert "what you looked for is forgotten" in text_of(owner.post(f"{address}/forget", follow=True))
    assert PrivacyCase.objects.count() == 0
    look(owner, customer="42")
    cases.forget(now=timezone.now() + timedelta(days=1, minutes=1))
    assert PrivacyCase.objects.count() == 0


def test_a_request_is_confirmed_once(owner: Client) -> None:
    address = look(owner, customer="42")
    owner.post(f"{address}/confirm")
    for action, said in (
        ("confirm", "Nothing was done. It has been confirmed already."),
        ("forget", "Nothing was done. It has been confirmed, so it is done and stays in the list."),
    ):
        assert said in text_of(owner.post(f"{address}/{action}", follow=True))
    assert owner.post(f"{address}/explode").status_code == 404
    done(PrivacyCase.objects.get())
    assert "There is nothing left to try again." in text_of(owner.post(f"{address}/again", follow=True))


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({}, "Say whom it is about: an e-mail address, the number of an order, or the customer’s number on the platform."),
        ({"email": "ann"}, "Enter a valid email address."),
        ({"orders": " ".join(map(str, range(501)))}, "Those are 501 numbers; give at most 500 at once. One order of a buyer is enough."),
        ({"kind": "erase_account"}, "Select a valid choice. erase_account is not one of the available choices."),
    ],
)
def test_a_request_about_nobody_is_refused(owner: Client, told: dict[str, str], said: str) -> None:
    answer = owner.post("/shop/privacy", {"kind": "erase_person", **told})
    assert (answer.status_code, PrivacyCase.objects.count()) == (200, 0)
    assert said in text_of(answer)


def test_the_copy_is_passed_on_by_an_owner_while_it_is_kept(shop: Store, owner: Client) -> None:
    address = look(owner, kind="data_request", orders="1001")
    owner.post(f"{address}/confirm")
    case = done(PrivacyCase.objects.get())
    assert "Download the copy" in text_of(owner.get(address))
    answer = owner.get(f"{address}/copy.zip")
    assert (answer["Content-Type"], answer["Content-Disposition"]) == (
        "application/zip", f'attachment; filename="shop-personal-data-{case.pk}.zip"'
    )  # fmt: skip
    assert "no-store" in answer["Cache-Control"]
    assert "#1003" in zipfile.ZipFile(BytesIO(answer.content)).read("orders.csv").decode()
    analyst = browser_of(a_person(shop, email="analyst@example.com", role=Role.ANALYST))
    stranger = signed_in(a_store(slug="other"), email="other@example.com")
    assert [client.get(f"{address}/copy.zip").status_code for client in (analyst, stranger, Client())] == [403, 404, 302]
    PrivacyCopy.objects.update(expires_at=timezone.now())
    assert (owner.get(f"{address}/copy.zip").status_code, "The copy has been deleted." in text_of(owner.get(address))) == (404, True)
    cases.forget(now=timezone.now())
    assert PrivacyCopy.objects.count() == 0


def test_a_case_of_one_store_is_not_found_in_another(shop: Store, owner: Client) -> None:
    case = ask_by_platform(connect(a_store(slug="other")))
    assert [owner.get(f"/shop/privacy/{case.pk}{rest}").status_code for rest in ("", "/copy.zip")] == [404, 404]
    assert owner.post(f"/shop/privacy/{case.pk}/again").status_code == 404
    assert "Erasure" not in text_of(owner.get("/shop/privacy")).partition("A request that came by mail")[0]


def test_what_a_platform_asked_is_listed_with_when_it_is_due(shop: Store, owner: Client) -> None:
    case = ask_by_platform(shop.connections.get())
    received, due = "2026-03-01T09:00Z", "2026-03-31T09:00Z"
    PrivacyCase.objects.filter(pk=case.pk).update(state="failed", problem="It broke.", received_at=received, due_at=due, done_at=None)
    assert "not done Shopify 1 Mar 2026, 09:00 31 Mar 2026 late —" in text_of(owner.get("/shop/privacy"))
    assert "It is not done. It broke. It is due by 31 March 2026, which is over." in text_of(owner.get(f"/shop/privacy/{case.pk}"))
    assert "It is being done" in text_of(owner.post(f"/shop/privacy/{case.pk}/again", follow=True))


def test_a_request_whose_work_is_gone_is_asked_for_again_and_told(shop: Store) -> None:
    case = ask_by_platform(shop.connections.get())
    PrivacyCase.objects.filter(pk=case.pk).update(state="open", job=None)
    keep_privacy(type("Nobody", (), {"actor": ""})())
    case.refresh_from_db()
    assert (case.job is not None, Finding.objects.get(kind="privacy_request").message.count("asked for again")) == (True, 1)
    assert done(case).state == "done"
    assert Finding.objects.get(kind="privacy_request").resolved_at is not None
