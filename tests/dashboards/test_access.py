"""Check who sees which store: the one gate, walked through by every address."""

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from dashboards.access import stores_for
from dashboards.urls import urlpatterns
from tests.builders import a_store, an_order, write
from tests.dashboards.people import EMAIL, PASSWORD, signed_in

pytestmark = pytest.mark.django_db

NAMES = [pattern.name for pattern in urlpatterns]
OF_A_STORE = [pattern.name for pattern in urlpatterns if "slug" in pattern.pattern.converters]


def address_of(name: str, slug: str) -> str:
    """Return the address of a page, whatever it takes."""
    converters = next(pattern for pattern in urlpatterns if pattern.name == name).pattern.converters
    return reverse(name, kwargs={key: {"slug": slug, "number": "#1001"}[key] for key in converters})


def test_every_page_but_home_is_of_a_store() -> None:
    assert set(NAMES) - set(OF_A_STORE) == {"home"}


@pytest.mark.parametrize("name", NAMES)
def test_a_stranger_is_sent_to_sign_in(name: str, client: Client) -> None:
    a_store(slug="mine")
    address = address_of(name, "mine")
    answer = client.get(address)
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("account_login"))


@pytest.mark.parametrize("name", OF_A_STORE)
def test_a_store_that_is_not_yours_is_not_there(name: str) -> None:
    theirs, yours = a_store(slug="theirs"), a_store(slug="yours")
    write(theirs, an_order())
    write(yours, an_order())
    client = signed_in(yours)
    assert client.get(address_of(name, "yours")).status_code == 200
    refused, absent = client.get(address_of(name, "theirs")), client.get(address_of(name, "nobodys"))
    assert (refused.status_code, absent.status_code) == (404, 404)
    assert b"Theirs" not in refused.content
    assert refused.content.replace(b"theirs", b"") == absent.content.replace(b"nobodys", b"")


@pytest.mark.parametrize("name", NAMES)
def test_pages_are_only_read(name: str) -> None:
    client = signed_in(a_store(slug="mine"))
    assert client.post(address_of(name, "mine")).status_code == 405


def test_a_superuser_sees_every_store_and_a_member_their_own() -> None:
    one, two = a_store(slug="one"), a_store(slug="two")
    signed_in(two)
    people = get_user_model().objects
    assert list(stores_for(people.create_superuser(username="root", password=PASSWORD))) == [one, two]
    assert list(stores_for(people.get(email=EMAIL))) == [two]


def test_home_opens_the_only_store_lists_several_and_helps_with_none() -> None:
    one, two = a_store(slug="one"), a_store(slug="two")
    assert signed_in(one, email="a@example.com").get("/")["Location"] == "/one/pnl"
    several = signed_in(one, two, email="b@example.com").get("/").content.decode()
    assert 'href="/one/pnl"' in several
    assert 'href="/two/pnl"' in several
    assert "manage.py create_store" in signed_in(email="c@example.com").get("/").content.decode()


def test_sign_in_names_its_fields_and_says_what_failed(client: Client) -> None:
    page = client.get(reverse("account_login")).content.decode()
    assert '<html lang="en">' in page
    assert '<label for="id_login">' in page
    assert "style=" not in page
    wrong = client.post(reverse("account_login"), {"login": EMAIL, "password": "wrong"})
    assert 'role="alert"' in wrong.content.decode()
    assert 'href="#id_login"' in wrong.content.decode()


def test_signing_in_leads_home() -> None:
    signed_in(a_store(slug="mine"))
    answer = Client().post(reverse("account_login"), {"login": EMAIL, "password": PASSWORD})
    assert (answer.status_code, answer["Location"]) == (302, "/")
