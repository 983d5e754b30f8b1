"""Install an app as its owner does, and hold every grant of the sandbox's Shopify to its rules."""

import base64
import hashlib
import hmac
import json
import re
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from connectors.sandbox.shopify_shop import Shop
from connectors.sandbox.shopify_tokens import EXCHANGE, ID_TOKEN, OFFLINE, signature
from tests.sandbox.conftest import APP, DOMAIN, NOW, Caller

BACK = "http://127.0.0.1:9/back?next=1"
WANTED = "read_orders,read_products"
KEYS = {"client_id": APP.client_id, "client_secret": APP.client_secret}


def consent(shop: Shop, **changed: str) -> requests.Response:
    asked = {"client_id": APP.client_id, "scope": WANTED, "redirect_uri": BACK, "state": "s t&1", **changed}
    return requests.get(f"{shop.base_url}/admin/oauth/authorize", params=asked, timeout=5, allow_redirects=False)


def install(shop: Shop) -> dict[str, str]:
    """Read the consent page, press its button, and return what came back in the address."""
    page = consent(shop).text
    form = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.replace("&amp;", "&")))
    action = re.search(r'action="([^"]+)"', page)
    assert action
    answer = requests.post(action.group(1), data=form, timeout=5, allow_redirects=False)
    assert answer.status_code == 302
    parts = urlsplit(answer.headers["Location"])
    assert (parts.netloc, parts.path) == ("127.0.0.1:9", "/back")
    return {key: values[0] for key, values in parse_qs(parts.query).items()}


def grant(shop: Shop, **asked: str) -> requests.Response:
    return requests.post(f"{shop.base_url}/admin/oauth/access_token", json={**KEYS, **asked}, timeout=5)


def works(caller: Caller, token: str) -> bool:
    return caller.post("{ shop { name } }", token=token).status_code == 200


def test_consent_page_lists_what_is_asked_for_and_works_without_scripts(shop: Shop) -> None:
    answer = consent(shop)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert re.findall(r"<code>([^<]+)</code>", answer.text) == ["read_orders", "read_products"]
    assert '<button type="submit">Install app</button>' in answer.text
    assert "<script" not in answer.text


def test_installing_sends_the_owner_back_with_a_signed_code(shop: Shop) -> None:
    query = install(shop)
    assert set(query) == {"next", "code", "hmac", "host", "shop", "state", "timestamp"}
    assert (query["shop"], query["state"], query["timestamp"]) == (DOMAIN, "s t&1", str(int(NOW.timestamp())))
    message = "&".join(f"{key}={query[key]}" for key in sorted({"code", "host", "shop", "state", "timestamp"}))
    assert query["hmac"] == hmac.new(APP.client_secret.encode(), message.encode(), hashlib.sha256).hexdigest()


def test_signature_is_the_one_that_shopify_publishes() -> None:
    query = {
        "code": "0907a61c0c8d55e99db179b68161bc00", "shop": "some-shop.myshopify.com", "state": "0.6784241404160823", "timestamp": "1337178173",
    }  # fmt: skip
    assert signature(query, "hush") == "700e2dadb827fcc8609e9d5ce208b2e9cdaab9df07390d2cbca10d7c328fc4bf"


def test_who_granted_the_same_before_is_sent_back_at_once(shop: Shop) -> None:
    install(shop)
    assert consent(shop).status_code == 302
    assert consent(shop, scope="read_orders").status_code == 200


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"client_id": "another"}, "Could not find Shopify API application with that api_key"),
        ({"redirect_uri": "https://elsewhere.example/back"}, "The redirect_uri is not whitelisted"),
        ({"redirect_uri": "http://127.0.0.1:9/backwards"}, "The redirect_uri is not whitelisted"),
        ({"scope": "read_orders,read_minds"}, "invalid_scope: read_minds"),
    ],
)
def test_a_wrong_question_for_consent_shows_an_error_and_sends_nobody_away(shop: Shop, changed: dict[str, str], said: str) -> None:
    answer = consent(shop, **changed)
    assert answer.status_code == 400
    assert said in answer.text


def test_a_code_gives_an_expiring_pair_once(shop: Shop, caller: Caller) -> None:
    code = install(shop)["code"]
    said = grant(shop, code=code, expiring="1").json()
    assert {key: said[key] for key in ("scope", "expires_in", "refresh_token_expires_in")} == {
        "scope": WANTED, "expires_in": 3600, "refresh_token_expires_in": 7_776_000,
    }  # fmt: skip
    assert works(caller, said["access_token"])
    again = grant(shop, code=code, expiring="1")
    assert (again.status_code, again.json()["error"]) == (400, "invalid_request")


def test_a_code_without_expiring_gives_a_permanent_token(shop: Shop, caller: Caller) -> None:
    said = requests.post(f"{shop.base_url}/admin/oauth/access_token", data={**KEYS, "code": install(shop)["code"]}, timeout=5).json()
    assert set(said) == {"access_token", "scope"}
    caller.sandbox.clock.advance(10 * 365 * 86_400)
    assert works(caller, said["access_token"])


def test_a_code_is_good_for_ten_minutes(shop: Shop, caller: Caller) -> None:
    code = install(shop)["code"]
    caller.sandbox.clock.advance(601)
    assert grant(shop, code=code).status_code == 400


def test_a_token_expires_after_an_hour_and_its_refresh_token_gives_the_next(shop: Shop, caller: Caller) -> None:
    first = grant(shop, code=install(shop)["code"], expiring="1").json()
    caller.sandbox.clock.advance(3599)
    assert works(caller, first["access_token"])
    caller.sandbox.clock.advance(1)
    assert not works(caller, first["access_token"])
    second = grant(shop, grant_type="refresh_token", refresh_token=first["refresh_token"]).json()
    assert works(caller, second["access_token"])
    assert second["refresh_token"] != first["refresh_token"]


def test_a_lost_answer_to_a_refresh_can_be_asked_for_again_until_it_is_used(shop: Shop, caller: Caller) -> None:
    first = grant(shop, code=install(shop)["code"], expiring="1").json()
    second = grant(shop, grant_type="refresh_token", refresh_token=first["refresh_token"]).json()
    assert works(caller, first["access_token"])
    caller.sandbox.clock.advance(60)
    again = grant(shop, grant_type="refresh_token", refresh_token=first["refresh_token"]).json()
    assert (again["access_token"], again["refresh_token"], again["expires_in"]) == (second["access_token"], second["refresh_token"], 3540)
    assert works(caller, again["access_token"])
    refused = grant(shop, grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    assert not works(caller, first["access_token"])


def test_using_the_next_refresh_token_ends_the_former_one_too(shop: Shop) -> None:
    first = grant(shop, code=install(shop)["code"], expiring="1").json()
    second = grant(shop, grant_type="refresh_token", refresh_token=first["refresh_token"]).json()
    assert grant(shop, grant_type="refresh_token", refresh_token=second["refresh_token"]).status_code == 200
    assert grant(shop, grant_type="refresh_token", refresh_token=first["refresh_token"]).json()["error"] == "invalid_grant"


def test_a_refresh_token_ends_after_ninety_days(shop: Shop, caller: Caller) -> None:
    first = grant(shop, code=install(shop)["code"], expiring="1").json()
    caller.sandbox.clock.advance(90 * 86_400 + 1)
    assert grant(shop, grant_type="refresh_token", refresh_token=first["refresh_token"]).json()["error"] == "invalid_grant"


def test_client_credentials_give_a_token_for_a_day(shop: Shop, caller: Caller) -> None:
    said = grant(shop, grant_type="client_credentials").json()
    assert (said["expires_in"], "refresh_token" in said) == (86_400, False)
    caller.sandbox.clock.advance(86_400)
    assert not works(caller, said["access_token"])


def test_a_permanent_token_is_exchanged_for_an_expiring_pair_and_ends(shop: Shop, caller: Caller) -> None:
    asked = {"grant_type": EXCHANGE, "subject_token": caller.token, "subject_token_type": OFFLINE, "expiring": "1"}
    said = grant(shop, **asked).json()
    assert said["expires_in"] == 3600
    assert works(caller, said["access_token"])
    assert not works(caller, caller.token)
    assert grant(shop, **asked).json()["error"] == "invalid_subject_token"


def session_token(secret: str, **changed: object) -> str:
    claims = {"aud": APP.client_id, "dest": f"https://{DOMAIN}", "exp": int(NOW.timestamp()) + 60, **changed}
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in ({"alg": "HS256", "typ": "JWT"}, claims)]
    signed = hmac.digest(secret.encode(), b".".join(parts), "sha256")
    return b".".join([*parts, base64.urlsafe_b64encode(signed).rstrip(b"=")]).decode()


@pytest.mark.parametrize(
    ("token", "status"),
    [
        (session_token(APP.client_secret), 200),
        (session_token("another secret"), 400),
        (session_token(APP.client_secret, aud="another"), 400),
        (session_token(APP.client_secret, exp=int(NOW.timestamp()) - 1), 400),
        ("no token at all", 400),
    ],
)
def test_a_session_token_is_exchanged_only_when_it_is_signed_for_this_app_and_shop(shop: Shop, token: str, status: int) -> None:
    install(shop)
    assert grant(shop, grant_type=EXCHANGE, subject_token=token, subject_token_type=ID_TOKEN).status_code == status


@pytest.mark.parametrize(
    ("asked", "status", "error"),
    [
        ({"client_id": "another", "code": "x"}, 400, "application_cannot_be_found"),
        ({"client_secret": "wrong", "code": "x"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    ],
)
def test_a_wrong_request_for_a_token_is_refused(shop: Shop, asked: dict[str, str], status: int, error: str) -> None:
    answer = grant(shop, **asked)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_uninstalling_ends_every_token(caller: Caller) -> None:
    caller.data("mutation { appUninstall { app { title } userErrors { message } } }")
    assert not works(caller, caller.token)
