"""The admin as a whole: one door, a policy of its own, pages of ours only, and what the superuser may do to accounts.

It runs twice: with unfold, and without it in a process of its own (tests/platform/test_plain_admin.py).
"""

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from ledger.people import Role
from tests.builders import a_store, an_order, write
from tests.dashboards.people import PASSWORD, a_person, browser_of, signed_in

pytestmark = pytest.mark.django_db

STRICT = {
    "default-src": ["'self'"], "script-src": ["'self'"], "style-src": ["'self'"], "img-src": ["'self'", "data:"], "object-src": ["'none'"],
    "base-uri": ["'none'"], "form-action": ["'self'"], "frame-ancestors": ["'none'"],
}  # fmt: skip
OF_UNFOLD = {**STRICT, "script-src": ["'self'", "'unsafe-eval'"], "style-src": ["'self'", "'unsafe-inline'"]}
EXPECTED = STRICT if settings.PLAIN_ADMIN else OF_UNFOLD


def policy(answer: Any) -> dict[str, list[str]]:
    """Return the answer's policy by directive (django-csp writes them in no order)."""
    return {name: sources for name, *sources in (part.split() for part in answer["Content-Security-Policy"].split(";"))}


def root() -> Client:
    """Return the browser of whoever runs the installation."""
    return browser_of(a_person(email="root@example.com", superuser=True))


def test_pages_of_the_admin_have_a_policy_of_their_own_and_no_other_page_has() -> None:
    store = a_store(slug="mine")
    client = signed_in(store)
    for address in ("/admin/", "/admin/ledger/store/", f"/admin/ledger/store/{store.pk}/change/"):
        assert (client.get(address).status_code, policy(client.get(address))) == (200, EXPECTED), address
    for address, status in (("/mine/pnl", 200), ("/nobodys/pnl", 404), ("/accounts/password/change/", 200)):
        answer = client.get(address)
        assert (answer.status_code, policy(answer)) == (status, STRICT), address


def test_refusals_and_errors_in_the_admin_are_the_sites_pages_under_its_policy() -> None:
    client = signed_in(a_store(slug="mine"))
    for address, status in (
        ("/admin/nowhere/", 404), ("/admin/ledger/nothing/", 404), ("/admin/ledger/costdefaults/", 403), ("/admin/ledger/store/9999/change/", 302),
    ):  # fmt: skip
        answer = client.get(address)
        assert (answer.status_code, policy(answer)) == (status, STRICT), address
    forged = Client(enforce_csrf_checks=True)
    forged.force_login(User.objects.get(email="owner@example.com"), backend="django.contrib.auth.backends.ModelBackend")
    answer = forged.post("/admin/ledger/manualcost/add/", {})
    assert (answer.status_code, policy(answer)) == (403, STRICT)


def test_a_stranger_is_sent_to_the_sites_sign_in_and_back(client: Client) -> None:
    for address in ("/admin/", "/admin/ledger/store/", "/admin/nowhere/", "/admin/jsi18n/", "/admin/autocomplete/"):
        assert client.get(address, follow=True).redirect_chain[-1] == (f"/accounts/login/?next={address}", 302), address


def test_nothing_posted_to_the_admins_own_sign_in_is_read() -> None:
    a_person(email="root@example.com", superuser=True)
    form = {"username": "root@example.com", "password": PASSWORD, "next": "/admin/"}
    stranger, owner = Client(), signed_in(a_store())
    assert stranger.post("/admin/login/", form)["Location"] == "/accounts/login/?next=/admin/"
    assert "_auth_user_id" not in stranger.session
    # Somebody who is in already could otherwise become another without their second factor.
    assert owner.post("/admin/login/", form)["Location"] == "/admin/"
    assert User.objects.get(pk=owner.session["_auth_user_id"]).email == "owner@example.com"


def test_a_person_without_a_role_that_edits_is_told_who_may() -> None:
    client = signed_in(a_store(), role=Role.VIEWER)
    answer = client.get("/admin/", follow=True)
    assert answer.status_code == 403
    assert "owners and cost editors" in answer.content.decode()


def test_passwords_are_changed_and_sessions_ended_by_the_site() -> None:
    client = signed_in(a_store())
    for address in ("/admin/password_change/", "/admin/password_change/done/"):
        assert client.get(address)["Location"] == "/accounts/password/change/"
    assert client.post("/admin/logout/")["Location"] == "/accounts/login/"
    assert "_auth_user_id" not in client.session


def test_pages_of_libraries_are_left_out() -> None:
    left_out = {model._meta.label for model in apps.get_models() if model not in admin.site._registry}
    assert {"django_q.Schedule", "django_q.OrmQ", "django_q.Success", "django_q.Failure", "auth.Group", "account.EmailAddress"} <= left_out
    with pytest.raises(NoReverseMatch):
        reverse("admin:view_on_site", args=[1, 1])
    client = root()
    for address in ("/admin/django_q/schedule/", "/admin/auth/group/", "/admin/doc/", "/admin/r/1/1/", "/admin/search/"):
        assert client.get(address).status_code == 404, address


def test_every_list_and_form_opens_for_the_superuser() -> None:
    store = a_store(slug="mine")
    write(store, an_order("1"))
    client = root()
    for model, page in admin.site._registry.items():
        address = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        assert client.get(address).status_code == 200, address
        assert client.get(f"{address}add/").status_code in (200, 403), address
        for row in page.get_queryset(client.get(address).wsgi_request)[:1]:
            assert client.get(f"{address}{row.pk}/change/").status_code == 200, address


def test_lists_say_their_units_and_what_is_missing() -> None:
    client = signed_in(a_store())
    text = client.get("/admin/ledger/product/").content.decode()
    assert "share of a product&#x27;s list price, tax removed" in text
    if not settings.PLAIN_ADMIN:
        assert "Products appear here with the first orders that sold them." in text
        assert "Nothing matches this search" in client.get("/admin/ledger/product/?q=teapot").content.decode()


def test_an_account_is_deactivated_but_not_ones_own() -> None:
    client, ann = root(), a_person(email="ann@example.com")
    form = {"first_name": "Ann", "last_name": "", "is_active": ""}
    assert client.post(f"/admin/auth/user/{ann.pk}/change/", {**form, "is_superuser": "on", "email": "x@example.com"}).status_code == 302
    ann.refresh_from_db()
    assert (ann.first_name, ann.is_active, ann.is_superuser, ann.email) == ("Ann", False, False, "ann@example.com")
    me = User.objects.get(email="root@example.com")
    assert client.post(f"/admin/auth/user/{me.pk}/change/", form).status_code == 302
    me.refresh_from_db()
    assert (me.first_name, me.is_active, me.is_superuser) == ("Ann", True, True)
    assert [client.get(f"/admin/auth/user/{place}").status_code for place in ("add/", f"{ann.pk}/delete/")] == [403, 403]


def test_a_password_is_set_for_somebody_who_forgot_it() -> None:
    client, ann = root(), a_person(email="ann@example.com")
    new = {"password1": "another long one 8", "password2": "another long one 8", "usable_password": "true", "set-password": ""}
    assert client.get(f"/admin/auth/user/{ann.pk}/password/").status_code == 200
    assert client.post(f"/admin/auth/user/{ann.pk}/password/", new).status_code == 302
    ann.refresh_from_db()
    assert ann.check_password("another long one 8")


def test_a_lost_second_factor_is_deleted_and_its_secret_never_shown() -> None:
    client, ann = root(), a_person(email="ann@example.com")
    factor = Authenticator.objects.create(user=ann, type=Authenticator.Type.TOTP, data={"secret": "NEVERSHOWN"})
    for address in ("", f"{factor.pk}/change/", f"{factor.pk}/delete/"):
        answer = client.get(f"/admin/mfa/authenticator/{address}")
        assert (answer.status_code, "NEVERSHOWN" in answer.content.decode()) == (200, False), address
    client.post(f"/admin/mfa/authenticator/{factor.pk}/delete/", {"post": "yes"})
    assert not Authenticator.objects.exists()


def test_deleting_a_session_signs_its_browser_out() -> None:
    client, other = root(), signed_in(a_store(slug="mine"))
    key = other.session.session_key
    row, _ = UserSession.objects.update_or_create(
        session_key=key, defaults={"user": User.objects.get(email="owner@example.com"), "ip": "127.0.0.1", "last_seen_at": timezone.now()}
    )
    assert key not in client.get(f"/admin/usersessions/usersession/{row.pk}/change/").content.decode()
    client.post("/admin/usersessions/usersession/", {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"})
    assert other.get("/mine/pnl").status_code == 302
