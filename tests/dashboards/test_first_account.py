"""Check that the first account is made once, by the link only, and that nobody signs up afterwards."""

import re
import threading
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from dashboards import first_account
from dashboards.links import LinkRefused
from dashboards.models import FirstAccountLink
from ledger.models import Store
from ledger.people import Role
from ledger.stores import open_store
from profitpeek.management.commands.serve import Command as Serve
from tests.builders import a_store
from tests.dashboards.people import a_person, browser_of, signed_in

pytestmark = pytest.mark.django_db

ANN = {"email": "Ann@example.com", "password": "a chosen password 8", "again": "a chosen password 8"}


def a_link() -> str:
    """Return the path of a link the command prints."""
    out = StringIO()
    call_command("first_account", stdout=out)
    assert out.getvalue().startswith("http://localhost:8000/accounts/first/")
    return out.getvalue().strip().removeprefix("http://localhost:8000")


def text_of(answer: Any) -> str:
    """Return a page's words."""
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def test_the_link_makes_the_account_that_runs_the_installation(client: Client) -> None:
    link = a_link()
    assert "Make the first account" in text_of(client.get(link))
    answer = client.post(link, ANN)
    assert (answer.status_code, answer["Location"]) == (302, "/stores/new")
    ann = User.objects.get()
    assert (ann.email, ann.is_superuser, ann.is_staff) == ("ann@example.com", True, True)
    assert client.get("/admin/").status_code == 200
    assert FirstAccountLink.objects.count() == 0


def test_afterwards_no_link_works_and_none_is_made(client: Client) -> None:
    one, two = a_link(), a_link()
    client.post(two, ANN)
    for link in (one, two):
        answer = Client().post(link, ANN | {"email": "eve@example.com"})
        assert answer.status_code == 410
        assert "The first account has been made already" in text_of(answer)
    with pytest.raises(CommandError, match="made already"):
        a_link()
    assert User.objects.count() == 1


def test_make_run_prints_the_link_until_somebody_runs_the_installation(client: Client) -> None:
    announced = []
    for _ in range(2):
        out = StringIO()
        Serve(stdout=out)._announce("127.0.0.1", 8000)
        announced.append(re.findall(r"http://localhost:8000(/accounts/first/\S+)", out.getvalue()))
        if announced[-1]:
            client.post(announced[-1][0], ANN)
    assert ([len(links) for links in announced], User.objects.get().is_superuser) == ([1, 0], True)


def test_an_expired_link_says_how_to_get_another(client: Client) -> None:
    link = a_link()
    FirstAccountLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    answer = client.post(link, ANN)
    assert answer.status_code == 410
    assert "On the server, run “manage.py first_account” for a new one." in text_of(answer)
    assert User.objects.count() == 0


def test_a_changed_link_is_refused(client: Client) -> None:
    assert client.post(a_link() + "x", ANN).status_code == 410
    assert User.objects.count() == 0


def test_the_demo_s_account_does_not_count_and_is_not_offered() -> None:
    demo = open_store(slug="demo", name="Demo", currency="EUR", zone="UTC", is_demo=True)
    browser = signed_in(demo, email="demo@example.com")
    link = a_link()
    assert "Or use the account you have" not in text_of(browser.get(link))
    browser.post(link, {"use": "mine"})
    assert not User.objects.get(email="demo@example.com").is_superuser
    assert browser.post(link, ANN)["Location"] == "/stores/new"
    assert "Open the demo store" in text_of(browser.get("/stores/new"))
    assert browser.get("/demo/pnl").status_code == 200


def test_an_owner_made_on_the_server_may_run_the_installation_too() -> None:
    owner = signed_in(a_store(slug="shop"), email="ann@example.com")
    link = a_link()
    assert "This address has an account already." in text_of(Client().post(link, ANN))
    assert "You are signed in as ann@example.com." in text_of(owner.get(link))
    assert owner.post(link, {"use": "mine"})["Location"] == "/"
    ann = User.objects.get()
    assert (ann.is_superuser, ann.is_staff) == (True, True)


@pytest.mark.parametrize("sent", [{}, {"email": "x@example.com"}, {"email": "x@example.com", "password": "a b c d e f g"}])
def test_signing_up_is_closed(client: Client, sent: dict[str, str]) -> None:
    page = client.post("/accounts/signup/", sent) if sent else client.get("/accounts/signup/")
    assert "Sign-up is closed" in text_of(page)
    assert User.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_of_two_people_with_two_links_one_wins() -> None:
    for _ in range(5):
        tokens = [first_account.issue(now=timezone.now()) for _ in range(2)]
        together, outcomes = threading.Barrier(2), []

        def race(token: str, together: threading.Barrier = together, outcomes: list[str] = outcomes) -> None:
            together.wait(timeout=10)
            try:
                first_account.make_first_account(token, email=f"{token[:9]}@example.com".lower(), password="a b c", now=timezone.now())
                outcomes.append("made")
            except LinkRefused as refusal:
                outcomes.append(refusal.title)
            finally:
                connection.close()

        threads = [threading.Thread(target=race, args=[token]) for token in tokens]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=30)
        assert sorted(outcomes) == ["The first account has been made already", "made"]
        assert User.objects.filter(is_superuser=True).count() == 1
        User.objects.all().delete()


def a_new_store(**changed: str) -> dict[str, str]:
    """Fill in the form of a new store."""
    return {"name": "Harbour Pottery", "slug": "", "currency": "eur", "zone": "Europe/Dublin"} | changed


def test_the_superuser_opens_a_store_and_owns_it() -> None:
    root = a_person(email="root@example.com", superuser=True)
    answer = browser_of(root).post("/stores/new", a_new_store())
    assert answer["Location"] == "/harbour-pottery/start"
    store = Store.objects.get()
    assert (store.currency, store.zones.get().zone, store.memberships.get().user, store.memberships.get().role) == (
        "EUR", "Europe/Dublin", root, Role.OWNER,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"name": ""}, "Give the store's name"),
        ({"currency": "XYZ"}, "is not an ISO 4217 currency code"),
        ({"zone": ""}, "Choose the store's time zone."),
        ({"slug": "shop"}, "There already is a store with the short name “shop”."),
        ({"name": "店"}, "none can be made from the store's name"),
        ({"slug": "a b"}, "has only letters a to z"),
        ({"slug": "admin"}, "“admin” cannot be a store's short name: addresses that begin with /admin are ProfitPeek's own. Choose another."),
        ({"name": "Static"}, "“static” cannot be a store's short name"),
    ],
)
def test_what_makes_no_store_is_named(changed: dict[str, str], said: str) -> None:
    a_store(slug="shop")
    answer = browser_of(a_person(email="root@example.com", superuser=True)).post("/stores/new", a_new_store(**changed))
    assert said in text_of(answer).replace("&#x27;", "'")
    assert Store.objects.count() == 1
