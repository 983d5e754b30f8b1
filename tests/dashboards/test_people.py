"""Check the page of people and roles, and the invitations it makes."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.db import connection
from django.test import Client
from django.utils import timezone

from dashboards.invitations import accept_as_newcomer
from dashboards.links import LinkRefused
from dashboards.models import Invitation
from ledger.models import Membership, Store
from ledger.people import Role
from tests.builders import a_store
from tests.dashboards.people import CHOSEN, PASSWORD, a_person, browser_of, invite, link_in, roles, signed_in, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Store:
    """Open the store people are invited to."""
    return a_store(slug="shop")


def test_the_page_lists_members_with_what_their_roles_may_do(shop: Store) -> None:
    a_person(shop, email="ed@example.com", role=Role.COST_EDITOR)
    page = text_of(signed_in(shop).get("/shop/people"))
    assert "ed@example.com Role of ed@example.com" in page
    assert "owner@example.com you" in page
    assert "Analyst Sees every page and its files; changes nothing of the store." in page


def test_only_owners_and_the_superuser_open_it(shop: Store) -> None:
    answers = {role.value: signed_in(shop, email=f"{role}@example.com", role=role).get("/shop/people").status_code for role in Role}
    assert answers == {"owner": 200, "analyst": 403, "cost_editor": 403, "viewer": 403}
    assert browser_of(a_person(email="root@example.com", superuser=True)).get("/shop/people").status_code == 200


def test_an_owner_changes_and_removes_members(shop: Store) -> None:
    owner, ed = signed_in(shop), a_person(shop, email="ed@example.com", role=Role.VIEWER)
    pk = Membership.objects.get(user=ed).pk
    answer = owner.post(f"/shop/people/{pk}/role", {"role": "cost_editor"}, follow=True)
    assert "ed@example.com is cost editor of Shop now." in text_of(answer)
    assert User.objects.get(pk=ed.pk).is_staff
    assert "Nothing was changed: that is not one of the roles." in text_of(owner.post(f"/shop/people/{pk}/role", {"role": "king"}, follow=True))
    assert "Remove ed@example.com?" in text_of(owner.get(f"/shop/people/{pk}/remove"))
    assert "ed@example.com is no longer a member of Shop." in text_of(owner.post(f"/shop/people/{pk}/remove", follow=True))
    assert roles(shop) == {"owner@example.com": "owner"}
    assert not User.objects.get(pk=ed.pk).is_staff


def test_the_last_owner_stays_and_is_told_why(shop: Store) -> None:
    owner = signed_in(shop)
    pk = Membership.objects.get().pk
    for address, sent in ((f"/shop/people/{pk}/role", {"role": "viewer"}), (f"/shop/people/{pk}/remove", {})):
        assert "Shop would be left without an owner. Make somebody else an owner first." in text_of(owner.post(address, sent, follow=True))
    assert roles(shop) == {"owner@example.com": "owner"}


def test_an_owner_who_steps_down_is_sent_where_they_still_may_be(shop: Store) -> None:
    a_person(shop, email="second@example.com")
    owner = signed_in(shop)
    pk = Membership.objects.get(user__email="owner@example.com").pk
    assert owner.post(f"/shop/people/{pk}/role", {"role": "viewer"})["Location"] == "/"
    assert owner.get("/shop/people").status_code == 403


def test_members_of_another_store_are_out_of_reach(shop: Store) -> None:
    other = a_store(slug="other")
    stranger = Membership.objects.get(user=a_person(other, email="far@example.com"))
    invitation = Invitation.objects.get(pk=Invitation.objects.create(
        store=other, email="x@example.com", role="viewer", digest=b"1" * 32, created_at=timezone.now(), expires_at=timezone.now() + timedelta(days=1)
    ).pk)  # fmt: skip
    owner = signed_in(shop)
    for address in (f"{stranger.pk}/role", f"{stranger.pk}/remove", f"invitations/{invitation.pk}/renew", f"invitations/{invitation.pk}/revoke"):
        assert owner.post(f"/shop/people/{address}", {"role": "viewer"}).status_code == 404
    assert roles(other) == {"far@example.com": "owner"}
    assert Invitation.objects.get().revoked_at is None


def test_without_a_mail_server_the_link_is_shown_once_and_kept_as_a_digest(shop: Store) -> None:
    owner = signed_in(shop)
    link = invite(owner)
    assert link not in owner.get("/shop/people").content.decode()
    token = link.rsplit("/", 1)[1]
    assert token.encode() not in bytes(Invitation.objects.get().digest)
    assert len(Invitation.objects.get().digest) == 32
    assert mail.outbox == []


@pytest.mark.parametrize(("host", "warned"), [("localhost", True), ("testserver", False)])
def test_a_link_says_when_it_ends_and_whether_it_works_on_this_computer_only(shop: Store, host: str, warned: bool) -> None:
    owner = signed_in(shop)
    answer = owner.post("/shop/people", {"email": "new@example.com", "role": "viewer"}, follow=True, headers={"host": host})
    until = Invitation.objects.get().expires_at
    page = text_of(answer)
    assert f"works once, and until {until:%-d %b %Y, %H:%M} (UTC)." in page
    assert ("It works on this computer only" in page) is warned


def test_a_renewed_link_is_mailed_with_its_new_end(shop: Store, settings: Any) -> None:
    settings.MAIL_CONFIGURED = True
    owner = signed_in(shop)
    owner.post("/shop/people", {"email": "new@example.com", "role": "viewer"})
    made = Invitation.objects.get()
    Invitation.objects.update(expires_at=made.expires_at - timedelta(days=9))
    owner.post(f"/shop/people/invitations/{made.pk}/renew")
    assert f"until {Invitation.objects.get().expires_at:%-d %B %Y, %H:%M} UTC" in mail.outbox[-1].body
    assert len(mail.outbox) == 2


def test_a_newcomer_sets_a_password_and_is_a_member(shop: Store, client: Client) -> None:
    link = invite(signed_in(shop), role="cost_editor")
    assert "invites new@example.com to Shop as cost editor" in text_of(client.get(link))
    answer = client.post(link, CHOSEN)
    assert (answer.status_code, answer["Location"]) == (302, "/shop/today")
    assert client.get("/shop/today").status_code == 200
    new = User.objects.get(email="new@example.com")
    assert (new.is_staff, new.is_superuser, new.check_password(CHOSEN["password"])) == (True, False, True)
    assert new.emailaddress_set.get().verified is False
    assert roles(shop)["new@example.com"] == "cost_editor"
    assert Invitation.objects.get().accepted_by == new


@pytest.mark.parametrize(
    ("password", "again", "said"),
    [("short", "short", "too short"), ("password123", "password123", "too common"), ("a chosen password 8", "another", "The two passwords differ")],
)
def test_a_refused_password_is_explained_and_makes_nothing(shop: Store, client: Client, password: str, again: str, said: str) -> None:
    link = invite(signed_in(shop))
    answer = client.post(link, {"password": password, "again": again})
    assert answer.status_code == 200
    assert said in text_of(answer)
    assert 'href="#id_' in answer.content.decode()
    assert not User.objects.filter(email="new@example.com").exists()


def test_who_has_an_account_signs_in_and_joins(shop: Store, client: Client) -> None:
    ann = a_person(a_store(slug="hers"), email="Ann@example.com")
    link = invite(signed_in(shop), email="ann@example.com", role="analyst")
    assert f"/accounts/login/?next={link}" in client.get(link).content.decode()
    assert client.post(link, CHOSEN).status_code == 200
    assert User.objects.filter(email__iexact="ann@example.com").count() == 1
    hers = browser_of(ann)
    assert "Join Shop" in text_of(hers.get(link))
    assert hers.post(link)["Location"] == "/shop/today"
    assert roles(shop)["Ann@example.com"] == "analyst"


def test_an_invitation_is_for_its_address_only(shop: Store) -> None:
    link = invite(signed_in(shop))
    other = signed_in(email="other@example.com")
    assert "You are signed in as other@example.com, but the invitation is for new@example.com." in text_of(other.get(link))
    other.post(link, CHOSEN)
    assert roles(shop) == {"owner@example.com": "owner"}
    assert Invitation.objects.get().accepted_at is None


def test_accepting_never_changes_a_role_somebody_has(shop: Store) -> None:
    link = invite(signed_in(shop), email="ann@example.com", role="viewer")
    ann = a_person(shop, email="ann@example.com", role=Role.OWNER)
    browser_of(ann).post(link)
    assert roles(shop)["ann@example.com"] == "owner"


def test_a_link_works_once(shop: Store, client: Client) -> None:
    link = invite(signed_in(shop))
    client.post(link, CHOSEN)
    again = Client().get(link)
    assert again.status_code == 410
    assert "This invitation has been used If it was you, sign in. If not, tell owner@example.com." in text_of(again)


def test_an_expired_link_says_so_and_whom_to_ask(shop: Store, client: Client) -> None:
    link = invite(signed_in(shop))
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    answer = client.post(link, CHOSEN)
    assert answer.status_code == 410
    assert "This invitation has expired" in text_of(answer)
    assert "Ask owner@example.com for a new link." in text_of(answer)
    assert not User.objects.filter(email="new@example.com").exists()


def test_a_link_taken_back_says_so(shop: Store, client: Client) -> None:
    owner = signed_in(shop)
    link = invite(owner)
    address = f"/shop/people/invitations/{Invitation.objects.get().pk}/revoke"
    assert "its link lets nobody in" in text_of(owner.post(address, follow=True))
    assert "This invitation was taken back" in text_of(client.post(link, CHOSEN))
    assert not User.objects.filter(email="new@example.com").exists()


def test_an_accepted_invitation_can_be_neither_taken_back_nor_renewed(shop: Store, client: Client) -> None:
    owner = signed_in(shop)
    client.post(invite(owner), CHOSEN)
    pk = Invitation.objects.get().pk
    assert "cannot be taken back" in text_of(owner.post(f"/shop/people/invitations/{pk}/revoke", follow=True))
    assert "No new link" in text_of(owner.post(f"/shop/people/invitations/{pk}/renew", follow=True))
    assert Invitation.objects.get().revoked_at is None


def test_a_new_link_ends_the_old_one(shop: Store, client: Client) -> None:
    owner = signed_in(shop)
    old = invite(owner)
    Invitation.objects.update(expires_at=timezone.now() - timedelta(days=1))
    new = link_in(owner.post(f"/shop/people/invitations/{Invitation.objects.get().pk}/renew", follow=True).content.decode())
    assert "A newer link may have taken its place." in text_of(client.get(old))
    assert client.post(new, CHOSEN)["Location"] == "/shop/today"


CHANGES = [lambda link: link[:-1], lambda link: link + "x", lambda link: link.replace(".", ""), lambda _: "/accounts/invitation/x"]


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_link_is_not_looked_up_but_explained(shop: Store, client: Client, change: Any) -> None:
    answer = client.get(change(invite(signed_in(shop))))
    assert answer.status_code == 410
    assert "This link is not complete" in text_of(answer)


def test_nobody_is_invited_twice_nor_as_a_member(shop: Store) -> None:
    owner = signed_in(shop)
    invite(owner)
    assert "new@example.com has an invitation already." in text_of(owner.post("/shop/people", {"email": "New@example.com", "role": "owner"}))
    a_person(shop, email="Ed@example.com", role=Role.VIEWER)
    assert "ed@example.com is a member of Shop already." in text_of(owner.post("/shop/people", {"email": "ed@example.com", "role": "owner"}))
    assert "Give the e-mail address" in text_of(owner.post("/shop/people", {"role": "owner"}))
    assert Invitation.objects.count() == 1


def test_with_a_mail_server_the_link_is_sent_and_not_shown(shop: Store, client: Client, settings: Any) -> None:
    settings.MAIL_CONFIGURED, settings.SITE_URL = True, "https://shop.example.com/"
    owner = signed_in(shop)
    page = owner.post("/shop/people", {"email": "new@example.com", "role": "viewer"}, follow=True)
    assert "The invitation was sent to new@example.com." in text_of(page)
    assert "/accounts/invitation/" not in page.content.decode()
    sent = mail.outbox[0]
    assert (sent.to, sent.subject) == (["new@example.com"], "Invitation to Shop on ProfitPeek")
    assert sent.body.startswith("owner@example.com invites you to Shop on ProfitPeek, as viewer.")
    assert "\nhttps://shop.example.com/accounts/invitation/" in sent.body
    assert Invitation.objects.get().mailed_at is not None
    client.post(link_in(sent.body), CHOSEN)
    assert User.objects.get(email="new@example.com").emailaddress_set.get().verified is True


def test_a_mail_server_that_refuses_is_told_of_and_the_link_shown(shop: Store, settings: Any) -> None:
    settings.MAIL_CONFIGURED = True
    settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = "django.core.mail.backends.smtp.EmailBackend", "127.0.0.1", 9
    owner = signed_in(shop)
    page = owner.post("/shop/people", {"email": "new@example.com", "role": "viewer"}, follow=True)
    assert "The mail server did not take the message to new@example.com." in text_of(page)
    assert link_in(page.content.decode())
    assert Invitation.objects.get().mailed_at is None


@pytest.mark.django_db(transaction=True)
def test_two_browsers_with_one_link_make_one_account() -> None:
    a_store(slug="shop")
    token = invite(browser_of(a_person(Store.objects.get()))).rsplit("/", 1)[1]
    together, outcomes = threading.Barrier(2), []

    def open_it() -> None:
        together.wait(timeout=10)
        try:
            accept_as_newcomer(token, PASSWORD, now=timezone.now())
            outcomes.append("in")
        except LinkRefused as refusal:
            outcomes.append(refusal.title)
        finally:
            connection.close()

    threads = [threading.Thread(target=open_it) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sorted(outcomes) == ["This invitation has been used", "in"]
    assert User.objects.filter(email="new@example.com").count() == 1
