"""Check whom an invitation lets in, for how long, and where its link lies meanwhile."""

import json
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from cryptography.fernet import Fernet
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client
from django.urls import reverse

from dashboards.accounts import accounts_of
from dashboards.models import Invitation
from ledger.models import Membership, Store
from ledger.people import Role, remove_member, set_role
from tests.builders import a_store
from tests.dashboards.people import CHOSEN, PASSWORD, a_person, browser_of, invite, link_in, roles, signed_in, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Store:
    """Open the store people are invited to."""
    return a_store(slug="shop")


def test_an_address_that_was_never_confirmed_is_nobodys(shop: Store, client: Client) -> None:
    mallory = a_person(shop, email="mallory@example.com", role=Role.VIEWER)
    EmailAddress.objects.create(user=mallory, email="boss@example.com", verified=False)
    link = invite(signed_in(shop), email="boss@example.com", role="owner")
    hers = browser_of(mallory)
    assert "You are signed in as mallory@example.com, but the invitation is for boss@example.com." in text_of(hers.get(link))
    hers.post(link, CHOSEN)
    assert roles(shop)["mallory@example.com"] == "viewer"
    assert client.post(link, CHOSEN)["Location"] == "/shop/today"
    assert roles(shop)["boss@example.com"] == "owner"


def test_nobody_takes_an_unconfirmed_address_as_their_own(shop: Store, settings: Any) -> None:
    settings.MAIL_CONFIGURED = settings.ACCOUNT_CHANGE_EMAIL = True
    settings.ACCOUNT_EMAIL_VERIFICATION = "optional"
    mallory = a_person(shop, email="mallory@example.com", role=Role.VIEWER)
    EmailAddress.objects.create(user=mallory, email="mallory@example.com", primary=True, verified=False)
    hers = Client()
    hers.post("/accounts/login/", {"login": "mallory@example.com", "password": PASSWORD})
    hers.post("/accounts/reauthenticate/", {"password": PASSWORD})
    hers.post("/accounts/email/", {"action_add": "", "email": "boss@example.com"})
    assert EmailAddress.objects.filter(user=mallory, email="boss@example.com", verified=False).exists()
    hers.post("/accounts/email/", {"action_primary": "", "email": "boss@example.com"})
    assert not accounts_of("boss@example.com").exists()


def test_a_confirmed_second_address_accepts_and_counts_as_a_member(shop: Store) -> None:
    ann = a_person(a_store(slug="hers"), email="ann@example.com")
    EmailAddress.objects.create(user=ann, email="ann@work.example.com", verified=True)
    owner = signed_in(shop)
    link = invite(owner, email="ann@work.example.com")
    browser_of(ann).post(link)
    assert roles(shop)["ann@example.com"] == "viewer"
    assert "is a member of Shop already." in text_of(owner.post("/shop/people", {"email": "ann@work.example.com", "role": "owner"}))


def in_the_admin(owner: Client, member: Membership) -> None:
    """Remove a member where the admin does it."""
    owner.post(reverse("admin:ledger_membership_delete", args=[member.pk]), {"post": "yes"})


def on_the_page(owner: Client, member: Membership) -> None:
    """Remove a member where the site does it."""
    owner.post(f"/shop/people/{member.pk}/remove")


@pytest.mark.parametrize("remove", [on_the_page, in_the_admin])
def test_a_removed_member_does_not_come_back_by_an_older_invitation(shop: Store, remove: Any) -> None:
    owner = signed_in(shop)
    links = [invite(owner, email=address) for address in ("ANN@example.com", "ann@work.example.com", "bob@example.com")]
    ann = a_person(shop, email="Ann@example.com", role=Role.VIEWER)
    EmailAddress.objects.create(user=ann, email="Ann@work.example.com", verified=True)
    EmailAddress.objects.create(user=ann, email="bob@example.com", verified=False)
    remove(owner, Membership.objects.get(user=ann))
    assert roles(shop) == {"owner@example.com": "owner"}
    hers = browser_of(ann)
    for link in links[:2]:
        assert "This invitation was taken back Ask owner@example.com" in text_of(hers.post(link))
    assert roles(shop) == {"owner@example.com": "owner"}
    # Saying that Bob's address is hers has not taken his invitation from him.
    assert Client().post(links[2], CHOSEN)["Location"] == "/shop/today"


def test_deleting_an_account_takes_its_invitations_back(shop: Store) -> None:
    owner = signed_in(shop)
    link = invite(owner, email="ann@example.com")
    a_person(shop, email="ann@example.com", role=Role.VIEWER).delete()
    assert "This invitation was taken back" in text_of(Client().get(link))


@pytest.mark.parametrize("end", ["removed", "demoted", "inactive", "deleted"])
def test_an_invitation_ends_with_the_power_of_who_made_it_and_another_owner_renews_it(shop: Store, client: Client, end: str) -> None:
    second = signed_in(shop)
    former = a_person(shop, email="former@example.com")
    link = invite(browser_of(former))
    if end == "removed":
        remove_member(shop, former)
    elif end == "demoted":
        set_role(shop, former, Role.ANALYST)
    elif end == "inactive":
        User.objects.filter(pk=former.pk).update(is_active=False)
    else:
        former.delete()
    answer = client.post(link, CHOSEN)
    assert answer.status_code == 410
    assert "This invitation is no longer good Its maker is not an owner of Shop now. Ask owner@example.com for a new link." in text_of(answer)
    assert not User.objects.filter(email="new@example.com").exists()
    renewed = link_in(second.post(f"/shop/people/invitations/{Invitation.objects.get().pk}/renew", follow=True).content.decode())
    assert client.post(renewed, CHOSEN)["Location"] == "/shop/today"


def test_an_invitation_of_the_superuser_lets_in(shop: Store, client: Client) -> None:
    link = invite(browser_of(a_person(email="root@example.com", superuser=True)))
    assert client.post(link, CHOSEN)["Location"] == "/shop/today"


def test_a_link_that_waits_to_be_shown_lies_sealed_in_the_session(shop: Store) -> None:
    owner = signed_in(shop)
    owner.post("/shop/people", {"email": "new@example.com", "role": "viewer"})
    assert "/accounts/invitation/" not in json.dumps(dict(owner.session.items()))
    page = owner.get("/shop/people")
    assert link_in(page.content.decode())
    assert "no-store" in page["Cache-Control"]


def test_a_link_sealed_with_keys_that_are_gone_is_not_shown(shop: Store, settings: Any) -> None:
    owner = signed_in(shop)
    owner.post("/shop/people", {"email": "new@example.com", "role": "viewer"})
    settings.FIELD_KEYS = [Fernet.generate_key().decode()]
    page = owner.get("/shop/people")
    assert page.status_code == 200
    assert "/accounts/invitation/" not in page.content.decode()


def test_a_mailed_link_leads_to_the_site_whatever_host_the_request_named(shop: Store, settings: Any) -> None:
    settings.MAIL_CONFIGURED, settings.SITE_URL = True, "https://shop.example.com"
    settings.ALLOWED_HOSTS = ["shop.example.com"]
    signed_in(shop).post("/shop/people", {"email": "new@example.com", "role": "viewer"}, headers={"host": "shop.example.com:8666"})
    assert "8666" not in str(mail.outbox[0].body)
    assert link_in(str(mail.outbox[0].body))
