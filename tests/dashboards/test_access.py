"""Check who sees which store, and that sign-in leads there; `test_walk.py` tries every address."""

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.test import Client
from django.urls import reverse

from dashboards.access import EVERY_ROLE, OWNERS, roles_in, store_or_404, stores_for
from ledger.people import Role
from tests.builders import a_store
from tests.dashboards.people import EMAIL, PASSWORD, a_person, browser_of, signed_in

pytestmark = pytest.mark.django_db


def test_a_superuser_sees_every_store_and_a_member_their_own() -> None:
    one, two = a_store(slug="one"), a_store(slug="two")
    member, root = a_person(two, role=Role.ANALYST), a_person(email="root@example.com", superuser=True)
    assert [(store, store.role) for store in stores_for(root)] == [(one, "owner"), (two, "owner")]
    assert [(store, store.role) for store in stores_for(member)] == [(two, "analyst")]
    assert (roles_in(root, one), roles_in(member, one), roles_in(member, two)) == (EVERY_ROLE, frozenset(), {Role.ANALYST})


def test_the_role_shown_is_the_person_s_own_where_a_store_has_many_members() -> None:
    shop = a_store(slug="shop")
    a_person(shop, email="a@example.com")
    viewer = a_person(shop, email="b@example.com", role=Role.VIEWER)
    a_person(shop, email="c@example.com", role=Role.COST_EDITOR)
    assert [(store, store.role) for store in stores_for(viewer)] == [(shop, "viewer")]


def test_a_deactivated_superuser_sees_nothing() -> None:
    shop = a_store(slug="shop")
    root = a_person(email="root@example.com", superuser=True)
    root.is_active = False
    assert (list(stores_for(root)), roles_in(root, shop)) == ([], frozenset())


def test_a_store_of_others_is_not_there_and_a_role_too_small_is_refused_with_whom_to_ask() -> None:
    request = HttpRequest()
    request.user = a_person(a_store(slug="mine"), role=Role.VIEWER)
    a_store(slug="theirs")
    assert store_or_404(request, "mine").slug == "mine"
    with pytest.raises(PermissionDenied, match=r"for the owner of Mine\. Ask an owner"):
        store_or_404(request, "mine", roles=OWNERS)
    with pytest.raises(Http404):
        store_or_404(request, "theirs", roles=OWNERS)


def test_home_opens_the_only_store_lists_several_and_helps_with_none() -> None:
    one, two = a_store(slug="one"), a_store(slug="two")
    assert signed_in(one, email="a@example.com").get("/")["Location"] == "/one/today"
    several = signed_in(one, two, email="b@example.com").get("/").content.decode()
    assert 'href="/one/today"' in several
    assert 'href="/two/today"' in several
    assert "manage.py create_store" in signed_in(email="c@example.com").get("/").content.decode()


def test_home_lists_even_one_store_to_who_opens_stores() -> None:
    a_store(slug="one")
    page = browser_of(a_person(email="root@example.com", superuser=True)).get("/").content.decode()
    assert 'href="/one/today"' in page
    assert 'href="/stores/new"' in page


def test_a_store_is_found_by_what_people_type_and_our_own_addresses_stay_ours() -> None:
    browser = signed_in(a_store(slug="mine"))
    a_store(slug="theirs")
    sent = {"/mine": "/mine/today", "/mine/?by=week": "/mine/today?by=week", "/mine/pnl/": "/mine/pnl", "/mine/orders/": "/mine/orders"}
    assert {address: browser.get(address)["Location"] for address in sent} == sent
    assert [browser.get(address).status_code for address in ("/theirs", "/theirs/", "/nobodys", "/theirs/pnl/")] == [404] * 4
    assert (browser.get("/admin").status_code, browser.get("/admin")["Location"]) == (301, "/admin/")
    assert browser.get("/administration").status_code == 404


def test_sign_in_names_its_fields_and_says_what_failed(client: Client) -> None:
    page = client.get(reverse("account_login")).content.decode()
    assert '<html lang="en"' in page
    assert 'for="id_login"' in page
    assert "style=" not in page
    wrong = client.post(reverse("account_login"), {"login": EMAIL, "password": "wrong"})
    assert 'role="alert"' in wrong.content.decode()
    assert 'href="#id_login"' in wrong.content.decode()


def test_signing_in_leads_home() -> None:
    signed_in(a_store(slug="mine"))
    answer = Client().post(reverse("account_login"), {"login": EMAIL, "password": PASSWORD})
    assert (answer.status_code, answer["Location"]) == (302, "/")
