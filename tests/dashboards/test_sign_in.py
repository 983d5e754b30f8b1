"""Check signing in and out: second factors, sessions, limits on attempts, and what goes without a mail server."""

import base64
import hmac
import re
import time
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.cache import cache, caches
from django.test import Client
from django.urls import reverse
from fido2.cose import ES256
from fido2.webauthn import (
    Aaguid,
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorAttestationResponse,
    AuthenticatorData,
    CollectedClientData,
    RegistrationResponse,
)  # fmt: skip

from dashboards.models import CacheEntry
from dashboards.templatetags.browsers import browser_name
from ledger.people import Role
from tests.builders import a_store
from tests.dashboards.people import EMAIL, PASSWORD, a_person, browser_of

pytestmark = pytest.mark.django_db

SIGN_IN = "/accounts/login/"


def text_of(answer: Any) -> str:
    """Return a page's words."""
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def signed_in_by_password() -> Client:
    """Return a browser in which the person has typed their password."""
    client = Client()
    assert client.post(SIGN_IN, {"login": EMAIL, "password": PASSWORD})["Location"] == "/"
    return client


def confirmed() -> Client:
    """Return a browser in which the password was typed once more, as the second factor's pages want it."""
    browser = signed_in_by_password()
    browser.post("/accounts/reauthenticate/", {"password": PASSWORD})
    return browser


def code_of(secret: str) -> str:
    """Return what an authenticator app shows now (RFC 6238)."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.digest(key, int(time.time() // 30).to_bytes(8, "big"), "sha1")
    start = digest[-1] & 15
    return f"{(int.from_bytes(digest[start : start + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06}"


def a_key() -> dict[str, Any]:
    """Return what a browser would have registered for a security key."""
    public = AttestedCredentialData.create(Aaguid.NONE, b"blue", ES256({1: 2, 3: -7, -1: 1, -2: b"x" * 32, -3: b"y" * 32}))
    data = AuthenticatorData.create(b"h" * 32, AuthenticatorData.FLAG.UP | AuthenticatorData.FLAG.AT, 0, public)
    made = AuthenticatorAttestationResponse(
        client_data=CollectedClientData.create(type="webauthn.create", challenge=b"c" * 16, origin="https://testserver"),
        attestation_object=AttestationObject.create("none", data, {}),
    )
    return dict(RegistrationResponse(raw_id=b"blue", response=made))


def with_an_app(browser: Client) -> str:
    """Turn an authenticator app on and return its secret."""
    secret: str = browser.get("/accounts/2fa/totp/activate/").context["form"].secret
    browser.post("/accounts/2fa/totp/activate/", {"code": code_of(secret)})
    cache.clear()  # a code counts once, and the step of the activation is not over
    return secret


def test_an_authenticator_app_is_asked_for_after_the_password() -> None:
    person = a_person(a_store(slug="shop"))
    secret = with_an_app(confirmed())
    kept = Authenticator.objects.get(user=person, type="totp")
    assert secret not in str(kept.data)
    assert Authenticator.objects.filter(user=person, type="recovery_codes").exists()
    again = Client()
    assert again.post(SIGN_IN, {"login": EMAIL, "password": PASSWORD})["Location"] == "/accounts/2fa/authenticate/"
    assert again.get("/shop/pnl").status_code == 302
    assert "Incorrect code" in text_of(again.post("/accounts/2fa/authenticate/", {"code": "000000"}))
    assert again.post("/accounts/2fa/authenticate/", {"code": code_of(secret)})["Location"] == "/"
    assert again.get("/shop/pnl").status_code == 200


@pytest.mark.parametrize("with_a_key", [False, True])
def test_the_second_step_names_recovery_codes_and_offers_a_key_to_who_has_one(with_a_key: bool) -> None:
    person = a_person()
    with_an_app(confirmed())
    if with_a_key:
        Authenticator.objects.create(user=person, type="webauthn", data={"name": "Blue", "credential": a_key()})
    browser = Client()
    browser.post(SIGN_IN, {"login": EMAIL, "password": PASSWORD})
    page = text_of(browser.get("/accounts/2fa/authenticate/"))
    assert "One of your recovery codes goes in the same field." in page
    assert ("Use a security key" in page) is with_a_key


def test_a_recovery_code_stands_in_for_the_app_once() -> None:
    a_person(a_store(slug="shop"))
    owner = confirmed()
    with_an_app(owner)
    code = owner.get("/accounts/2fa/recovery-codes/").context["unused_codes"][0]
    for expected in ("/", None):
        browser = Client()
        browser.post(SIGN_IN, {"login": EMAIL, "password": PASSWORD})
        assert browser.post("/accounts/2fa/authenticate/", {"code": code}).get("Location") == expected


def test_the_second_factor_s_pages_ask_for_the_password_again() -> None:
    browser = browser_of(a_person())
    for page in ("mfa_activate_totp", "mfa_add_webauthn"):
        assert browser.get(reverse(page))["Location"].startswith("/accounts/reauthenticate/?next=")


@pytest.mark.parametrize("name", ["account_login", "mfa_add_webauthn"])
def test_passkeys_work_by_script_files_alone(name: str) -> None:
    browser = Client()
    if name != "account_login":
        a_person()
        browser = confirmed()
    page = browser.get(reverse(name)).content.decode()
    scripts = re.findall(r"<script([^>]*)>(.*?)</script>", page, re.DOTALL)
    assert 'src="/static/js/webauthn_problems.js"' in page
    assert [tag for tag, body in scripts if "src=" not in tag and 'type="application/json"' not in tag] == []
    assert [tag for tag, body in scripts if "src=" in tag and body.strip()] == []
    assert "style=" not in page


def test_a_passkey_is_offered_by_the_server_at_sign_in(client: Client) -> None:
    answer = client.get("/accounts/2fa/webauthn/login/", headers={"accept": "application/json"})
    assert answer.json()["request_options"]["publicKey"]["rpId"] == "testserver"


def test_changing_the_password_signs_other_sessions_out() -> None:
    a_person(a_store(slug="shop"))
    here, elsewhere = signed_in_by_password(), signed_in_by_password()
    new = "another password 9"
    here.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new})
    assert (here.get("/shop/pnl").status_code, elsewhere.get("/shop/pnl").status_code) == (200, 302)


def test_sessions_are_listed_and_the_others_signed_out() -> None:
    a_person(a_store(slug="shop"))
    here, elsewhere = signed_in_by_password(), signed_in_by_password()
    assert here.get("/accounts/sessions/").context["session_count"] == 2
    here.post("/accounts/sessions/")
    assert (here.get("/shop/pnl").status_code, elsewhere.get("/shop/pnl").status_code) == (200, 302)


LINUX, ANDROID, WINDOWS = "X11; Linux x86_64", "Linux; Android 15; Pixel 9", "Windows NT 10.0; Win64; x64"
CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0"


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        (f"Mozilla/5.0 ({LINUX}) {CHROME} Safari/537.36", "Chrome on Linux"),
        (f"Mozilla/5.0 ({ANDROID}) {CHROME} Mobile Safari/537.36", "Chrome on Android"),
        (f"Mozilla/5.0 ({WINDOWS}) {CHROME} Safari/537.36 Edg/142.0.0.0", "Edge on Windows"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox on Linux"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1 Version/26.0 Safari/604.1", "Safari on iPhone"),
        ("ledger-bot 2.1", "ledger-bot 2.1"),
        ("", "Unnamed browser"),
    ],
)
def test_a_session_is_named_by_its_browser_and_system(sent: str, shown: str) -> None:
    assert browser_name(sent) == shown


def test_signing_out_is_a_post() -> None:
    a_person(a_store(slug="shop"))
    browser = signed_in_by_password()
    assert browser.get("/accounts/logout/").status_code == 200
    assert browser.get("/shop/pnl").status_code == 200
    assert browser.post("/accounts/logout/")["Location"] == SIGN_IN
    assert browser.get("/shop/pnl").status_code == 302
    assert Session.objects.count() == 0


def test_the_session_gets_a_new_key_at_sign_in() -> None:
    a_person()
    browser = Client()
    browser.cookies["sessionid"] = "planted-by-somebody-else"
    browser.post(SIGN_IN, {"login": EMAIL, "password": PASSWORD})
    cookie = browser.cookies["sessionid"]
    assert cookie.value != "planted-by-somebody-else"
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")


def test_a_session_lasts_two_weeks_when_remembered_and_ends_with_the_browser_otherwise() -> None:
    a_person()
    ages = []
    for remember in ("on", ""):
        browser = Client()
        browser.post(SIGN_IN, {"login": EMAIL, "password": PASSWORD, "remember": remember})
        ages.append(browser.cookies["sessionid"]["max-age"])
    assert ages == [14 * 24 * 60 * 60, ""]


def test_a_deactivated_person_is_out_at_once() -> None:
    person = a_person(a_store(slug="shop"))
    browser = signed_in_by_password()
    User.objects.filter(pk=person.pk).update(is_active=False)
    assert browser.get("/shop/pnl")["Location"].startswith(SIGN_IN)
    assert browser.get("/admin/")["Location"].startswith("/admin/login/")
    assert Client().post(SIGN_IN, {"login": EMAIL, "password": PASSWORD})["Location"] == "/accounts/inactive/"


def test_the_admin_has_no_door_of_its_own() -> None:
    a_person(superuser=True, email="root@example.com")
    answer = Client().post("/admin/login/?next=/admin/", {"username": "root@example.com", "password": PASSWORD})
    assert answer["Location"] == f"{SIGN_IN}?next=/admin/"


def test_attempts_are_limited_over_all_processes() -> None:
    a_person()
    for _ in range(5):
        Client().post(SIGN_IN, {"login": EMAIL, "password": "wrong"})
    caches["process"].clear()
    assert CacheEntry.objects.filter(cache_key__contains="login_failed").count() == 2
    refused = Client().post(SIGN_IN, {"login": EMAIL, "password": PASSWORD})
    assert "Too many failed attempts to sign in. Try again in 5 minutes." in text_of(refused)


def test_without_a_mail_server_a_forgotten_password_names_the_command(client: Client) -> None:
    person = a_person()
    page = client.get("/accounts/password/reset/")
    assert "manage.py changepassword" in text_of(page)
    assert "<form" not in page.content.decode().split("<main", 1)[1].split("</main>", 1)[0]
    client.post("/accounts/password/reset/", {"email": person.email})
    assert mail.outbox == []
    assert "sends no mail and cannot confirm a new address" in text_of(browser_of(person).get("/accounts/email/"))
    for address in ("/accounts/confirm-email/", "/accounts/password/reset/done/"):
        page = text_of(client.get(address))
        assert "no mail server" in page
        assert "sent" not in page


def test_without_a_mail_server_everybody_is_told_how_their_address_can_change() -> None:
    shop = a_store(slug="shop")
    told = {
        person.email: text_of(browser_of(person).get("/accounts/email/"))
        for person in (a_person(email="root@example.com", superuser=True), a_person(shop), a_person(shop, email="v@example.com", role=Role.VIEWER))
    }
    assert "manage.py createsuperuser --username new@example.com" in told["root@example.com"]
    assert "People of Shop" in told[EMAIL]
    assert "The owner of your store can invite your new address" in told["v@example.com"]


def test_with_a_mail_server_the_link_sets_a_new_password(client: Client, settings: Any) -> None:
    settings.MAIL_CONFIGURED, settings.SITE_URL = True, "https://shop.example.com"
    person = a_person()
    client.post("/accounts/password/reset/", {"email": "stranger@example.com"})
    assert mail.outbox == []
    client.post("/accounts/password/reset/", {"email": EMAIL.upper()})
    found = re.search(r"https://shop\.example\.com(/\S+)", mail.outbox[0].body)
    assert found
    assert mail.outbox[0].to == [EMAIL]
    form = client.get(found[1])["Location"]
    client.post(form, {"password1": "another password 9", "password2": "another password 9"})
    person.refresh_from_db()
    assert person.check_password("another password 9")
    assert Client().get(found[1]).context["token_fail"] is True


def test_a_new_address_counts_once_it_is_confirmed(settings: Any) -> None:
    settings.MAIL_CONFIGURED = settings.ACCOUNT_CHANGE_EMAIL = True
    settings.SITE_URL = "https://shop.example.com"
    person = a_person()
    EmailAddress.objects.create(user=person, email=EMAIL, primary=True, verified=True)
    browser = signed_in_by_password()
    browser.post("/accounts/email/", {"email": "new@example.com", "action_add": ""})
    person.refresh_from_db()
    assert person.email == EMAIL
    found = re.search(r"https://shop\.example\.com(/\S+)", mail.outbox[-1].body)
    assert found
    browser.post(found[1])
    person.refresh_from_db()
    assert person.email == "new@example.com"
