"""Connect shops: what is asked of Shopify's page, which answers are taken, and how tokens are got and renewed."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from connectors.faults import BadPayload, Denied
from connectors.platforms.shopify.connector import SHOPIFY
from connectors.platforms.shopify.consent import CREDENTIALS, PASTED, ShopifyConsent, account_ref, headers, is_signed, missing

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
CONSENT = ShopifyConsent()
APP = {"client_id": "app", "client_secret": "hush"}
VECTOR = {
    "code": "0907a61c0c8d55e99db179b68161bc00", "shop": "some-shop.myshopify.com", "state": "0.6784241404160823", "timestamp": "1337178173",
    "hmac": "700e2dadb827fcc8609e9d5ce208b2e9cdaab9df07390d2cbca10d7c328fc4bf",
}  # fmt: skip
ANSWERED = datetime.fromtimestamp(1337178173, UTC)


def check(query: dict[str, str] = VECTOR, *, account: str = "some-shop.myshopify.com", now: datetime = ANSWERED) -> str:
    return CONSENT.check(query, account=account, secrets=APP, now=now)


def test_the_answer_that_shopify_documents_is_taken() -> None:
    assert check() == VECTOR["code"]


@pytest.mark.parametrize("name", ["code", "shop", "state", "timestamp", "hmac"])
def test_an_answer_with_anything_changed_is_refused(name: str) -> None:
    with pytest.raises(Denied, match="not signed"):
        check({**VECTOR, name: VECTOR[name].replace("0", "1", 1) if "0" in VECTOR[name] else VECTOR[name] + "x"})


def test_an_answer_for_another_shop_is_refused_though_it_is_signed() -> None:
    with pytest.raises(Denied, match="for some-shop"):
        check(account="other-shop.myshopify.com")


@pytest.mark.parametrize("seconds", [-90, 0, 90])
def test_an_answer_of_up_to_ninety_seconds_is_taken(seconds: int) -> None:
    assert check(now=ANSWERED + timedelta(seconds=seconds)) == VECTOR["code"]


@pytest.mark.parametrize("seconds", [-91, 91])
def test_an_older_answer_is_refused_and_the_clock_is_named(seconds: int) -> None:
    with pytest.raises(Denied, match="clock"):
        check(now=ANSWERED + timedelta(seconds=seconds))


def test_a_person_who_says_no_is_told_how_to_go_on() -> None:
    with pytest.raises(Denied, match="Press “Connect” again"):
        check({"error": "access_denied", "state": "x"})


def test_an_answer_signed_as_an_address_writes_it_is_taken_too() -> None:
    # reckoned with: printf 'host=YQ%%3D%%3D&shop=a.myshopify.com' | openssl dgst -sha256 -hmac hush
    query = {"shop": "a.myshopify.com", "host": "YQ==", "hmac": "265f3b85782191c9abf2af1bcb421022cc2c606b200dc781575fc6194ec04c5e"}
    assert is_signed(query, "hush")
    assert not is_signed(query, "other")
    assert not is_signed({**query, "shop": "b.myshopify.com"}, "hush")


def test_the_address_asks_for_the_scopes_and_binds_the_state() -> None:
    address = CONSENT.address(
        "https://demo.myshopify.com", state="s1", redirect="https://us.example/back", challenge="", secrets=APP,
        scopes=("read_orders", "read_products"),
    )  # fmt: skip
    parts = urlsplit(address)
    assert (parts.netloc, parts.path) == ("demo.myshopify.com", "/admin/oauth/authorize")
    assert parse_qs(parts.query) == {
        "client_id": ["app"], "scope": ["read_orders,read_products"], "redirect_uri": ["https://us.example/back"], "state": ["s1"]
    }  # fmt: skip


def test_the_secret_is_in_no_address() -> None:
    address = CONSENT.address("https://demo.myshopify.com", state="s", redirect="r", challenge="", secrets=APP, scopes=())
    assert "hush" not in address


def test_a_code_is_changed_for_a_token_that_expires() -> None:
    request = CONSENT.exchange("c1", redirect="", verifier="", secrets=APP)
    assert (request.method, request.path) == ("POST", "admin/oauth/access_token")
    assert request.form == {"client_id": "app", "client_secret": "hush", "code": "c1", "expiring": "1"}
    answer = {
        "access_token": "a1",
        "scope": "read_orders,write_products",
        "expires_in": 3600,
        "refresh_token": "r1",
        "refresh_token_expires_in": 7776000,
    }
    grant = CONSENT.granted(answer, now=NOW)
    assert grant.secrets == {"access_token": "a1", "refresh_token": "r1"}
    assert (grant.scopes, grant.expires_at) == (("read_orders", "write_products"), NOW + timedelta(hours=1))


def test_the_refresh_token_is_renewed_with_the_access_token() -> None:
    request = CONSENT.refresh({**APP, "access_token": "a1", "refresh_token": "r1"})
    assert request is not None
    assert request.form == {"client_id": "app", "client_secret": "hush", "grant_type": "refresh_token", "refresh_token": "r1"}
    assert CONSENT.granted({"access_token": "a2", "refresh_token": "r2", "expires_in": 3600}, now=NOW).secrets == {
        "access_token": "a2",
        "refresh_token": "r2",
    }


def test_an_app_of_the_own_organisation_asks_for_a_token_of_a_day_again_and_again() -> None:
    assert CREDENTIALS.fetch is not None
    first, again = CREDENTIALS.fetch(APP), CONSENT.refresh({**APP, "access_token": "a1"})
    assert first == again
    assert first.form == {"client_id": "app", "client_secret": "hush", "grant_type": "client_credentials"}


def test_a_pasted_token_is_a_grant_that_never_ends_and_is_never_renewed() -> None:
    assert PASTED.granted is not None
    grant = PASTED.granted({"access_token": "shpat_1"})
    assert (grant.secrets, grant.expires_at) == ({"access_token": "shpat_1"}, None)
    assert CONSENT.refresh({"access_token": "shpat_1"}) is None


@pytest.mark.parametrize("answer", [{}, {"access_token": ""}, {"access_token": "a", "expires_in": "soon"}, {"access_token": "a", "expires_in": -5}])
def test_an_answer_without_a_token_or_its_life_is_refused(answer: dict[str, object]) -> None:
    with pytest.raises(BadPayload):
        CONSENT.granted(answer, now=NOW)


def test_the_token_travels_in_its_header_and_nothing_else_does() -> None:
    assert headers({**APP, "access_token": "a1", "refresh_token": "r1"}) == {"X-Shopify-Access-Token": "a1"}
    assert headers({}) == {}


@pytest.mark.parametrize("typed", ["demo", " Demo.myshopify.com ", "https://demo.myshopify.com/admin", "demo.myshopify.com"])
def test_a_shop_may_be_typed_as_people_type_it(typed: str) -> None:
    assert account_ref(typed) == "demo.myshopify.com"


@pytest.mark.parametrize(
    "typed", ["", "demo.example.com", "demo.myshopify.com.evil.example", "-demo", "demo_shop", "a b", "demo.myshopify.com@evil.example"]
)
def test_what_is_no_shop_is_refused_with_what_to_type(typed: str) -> None:
    with pytest.raises(Denied, match=r"ends in \.myshopify\.com"):
        account_ref(typed)


def test_the_right_to_write_includes_the_right_to_read() -> None:
    assert missing(("read_orders", "read_products", "read_customers"), ("write_orders", "read_customers")) == ("read_products",)


def test_the_connector_offers_its_own_pages_and_two_keys() -> None:
    assert [key.name for key in SHOPIFY.keys] == ["credentials", "token"]
    assert [setting.name for setting in SHOPIFY.consent.settings if setting.secret] == ["client_secret"]  # type: ignore[union-attr]
