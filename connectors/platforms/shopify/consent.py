"""Connect shops: by Shopify's own pages with tokens that expire, by an app's client credentials, or by a pasted token."""

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from connectors.faults import BadPayload, Denied
from connectors.spec import Grant, Json, Key, Request, Setting

SHOP = re.compile(r"[a-z0-9][a-z0-9-]*\.myshopify\.com")
TOKEN_PATH = "admin/oauth/access_token"  # noqa: S105  an address, not a secret
FRESH = timedelta(seconds=90)
"""How old, or how far ahead of our clock, an answer from Shopify's page may be."""
LONGEST = timedelta(days=3_650)

CLIENT = (
    Setting(name="client_id", label="Client ID", help="Of your app in Shopify's Dev Dashboard, under Settings."),
    Setting(name="client_secret", label="Client secret", secret=True, help="Beside the client ID."),
)


def account_ref(typed: str) -> str:
    """Return a shop's domain as Shopify has it; raise Denied with what to type when it cannot be one."""
    domain = re.sub(r"^https?://", "", typed.strip().lower()).partition("/")[0]
    if domain and "." not in domain:
        domain += ".myshopify.com"
    if not SHOP.fullmatch(domain):
        raise Denied(f"“{typed.strip()[:80]}” is no shop's domain. Type the one that ends in .myshopify.com, as under Settings, Domains in Shopify.")
    return domain


def headers(secrets: Mapping[str, str]) -> Mapping[str, str]:
    """Return the header that carries the access token; none where there is no token yet."""
    return {"X-Shopify-Access-Token": secrets["access_token"]} if "access_token" in secrets else {}


class ShopifyConsent:
    """Let the shop's owner grant access on Shopify's own page; the token lasts an hour and is renewed."""

    settings: tuple[Setting, ...] = CLIENT

    def address(self, base: str, *, state: str, redirect: str, challenge: str, secrets: Mapping[str, str], scopes: Sequence[str]) -> str:
        """Return the address of Shopify's page. Shopify takes no challenge."""
        query = {"client_id": secrets["client_id"], "scope": ",".join(scopes), "redirect_uri": redirect, "state": state}
        return f"{base}/admin/oauth/authorize?{urlencode(query)}"

    def check(self, query: Mapping[str, str], *, account: str, secrets: Mapping[str, str], now: datetime) -> str:
        """Return the code of an answer that Shopify signed for this shop just now; raise Denied for any other."""
        if query.get("error"):
            raise Denied("Access was not granted on Shopify's page. Press “Connect” again when you want to.")
        if not is_signed(query, secrets["client_secret"]):
            raise Denied("The answer is not signed with your app's client secret. Check the secret, and connect again.")
        if query.get("shop") != account or not SHOP.fullmatch(account):
            raise Denied(f"Shopify answered for {query.get('shop', 'no shop')[:100]}, not for {account}. Sign in to that shop, and connect again.")
        if abs(_time(query.get("timestamp", "")) - now) > FRESH:
            raise Denied("Shopify's answer is not from just now. Connect again; if it stays so, this server's clock is wrong.")
        if not query.get("code"):
            raise Denied("Shopify's answer holds no code. Connect again.")
        return query["code"]

    def exchange(self, code: str, *, redirect: str, verifier: str, secrets: Mapping[str, str]) -> Request:
        """Return the request that changes a code for a token that expires and one that renews it."""
        return _ask_for_token(secrets, code=code, expiring="1")

    def granted(self, answer: Json, *, now: datetime) -> Grant:
        """Read the tokens of an answer; raise BadPayload when there is none in it."""
        token, lasts, renews = answer.get("access_token"), answer.get("expires_in"), answer.get("refresh_token")
        if not isinstance(token, str) or not token:
            raise BadPayload("Shopify's answer holds no access token.")
        if lasts is not None and not (isinstance(lasts, int) and 0 < lasts <= LONGEST.total_seconds()):
            raise BadPayload("Shopify's answer does not tell how long its access token lasts.")
        secrets = {"access_token": token} | ({"refresh_token": renews} if isinstance(renews, str) and renews else {})
        scopes = tuple(scope for scope in str(answer.get("scope", "")).split(",") if scope)
        return Grant(secrets=secrets, scopes=scopes, expires_at=None if lasts is None else now + timedelta(seconds=lasts))

    def refresh(self, secrets: Mapping[str, str]) -> Request | None:
        """Return the request for fresh tokens: by the refresh token, which is renewed as well, else by the app's own credentials."""
        if secrets.get("refresh_token"):
            return _ask_for_token(secrets, grant_type="refresh_token", refresh_token=secrets["refresh_token"])
        return by_credentials(secrets) if secrets.get("client_secret") else None


def _ask_for_token(secrets: Mapping[str, str], **told: str) -> Request:
    form = {"client_id": secrets["client_id"], "client_secret": secrets["client_secret"], **told}
    return Request(method="POST", path=TOKEN_PATH, form=form, headers={"Accept": "application/json"})


def by_credentials(secrets: Mapping[str, str]) -> Request:
    """Return the request for a token of a day, for an app of the shop's own organisation."""
    return _ask_for_token(secrets, grant_type="client_credentials")


def is_signed(query: Mapping[str, str], secret: str) -> bool:
    """Tell whether the parameters of an address were signed with an app's secret."""
    signed = sorted((name, value) for name, value in query.items() if name not in ("hmac", "signature"))
    plain, encoded = "&".join(f"{name}={value}" for name, value in signed), urlencode(signed)
    given = query.get("hmac", "").encode()
    # Shopify's libraries sign the parameters as they are, or as an address writes them; the two differ only by special characters
    return any(hmac.compare_digest(hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest().encode(), given) for text in (plain, encoded))


def _time(stamp: str) -> datetime:
    try:
        return datetime.fromtimestamp(int(stamp), UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise Denied("Shopify's answer does not tell its time. Connect again.") from error


def missing(wanted: Sequence[str], granted: Sequence[str]) -> tuple[str, ...]:
    """Return the scopes that were not granted; the right to write a thing includes that to read it."""
    have = {*granted, *(scope.replace("write_", "read_", 1) for scope in granted if scope.startswith("write_"))}
    return tuple(scope for scope in wanted if scope not in have)


CREDENTIALS = Key(name="credentials", label="Client ID and secret of an app of your own organisation", settings=CLIENT, fetch=by_credentials)
PASTED = Key(
    name="token", label="Admin API access token",
    settings=(
        Setting(
            name="access_token", label="Admin API access token", secret=True,
            help="Begins with shpat_. Of a custom app made in Shopify's admin before 2026; such tokens stay valid.",
        ),
    ),
    granted=lambda secrets: Grant(secrets={"access_token": secrets["access_token"]}),
)  # fmt: skip
