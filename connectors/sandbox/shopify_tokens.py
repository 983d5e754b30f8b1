"""Give out access tokens as Shopify does: by authorization code, refresh, client credentials and token exchange."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from msgspec import Struct

from connectors.sandbox.shopify_access import KNOWN_SCOPES

ACCESS_LIFE, REFRESH_LIFE, CREDENTIALS_LIFE, CODE_LIFE = timedelta(hours=1), timedelta(days=90), timedelta(hours=24), timedelta(minutes=10)
REUSE_WINDOW = timedelta(days=30)
"""How long a refresh token that was used may be used again, as long as what it gave was not used."""
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
OFFLINE = "urn:shopify:params:oauth:token-type:offline-access-token"
ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"  # noqa: S105  a name, not a secret


@dataclass(frozen=True, slots=True)
class App:
    """One app as it is registered with Shopify."""

    client_id: str
    client_secret: str
    name: str = "ProfitPeek"
    redirects: tuple[str, ...] = ("http://127.0.0.1", "http://localhost", "http://testserver")
    """What redirect addresses must begin with: scheme, host and, where one is named, port and path."""
    own_shop: bool = True
    """It belongs to the shop's own organisation, so that client credentials are enough."""
    scopes: frozenset[str] = KNOWN_SCOPES
    """What it has in a shop of its own organisation."""

    def allows(self, redirect: str) -> bool:
        """Tell whether an address may be sent back to."""
        return any(redirect.startswith(start) and redirect[len(start) : len(start) + 1] in ("", "/", ":", "?") for start in self.redirects)


@dataclass(slots=True)
class Token:
    """One access token, with the refresh token that came with it."""

    access: str
    scopes: frozenset[str]
    client_id: str
    issued_at: datetime
    expires_at: datetime | None = None
    refresh: str | None = None
    refresh_expires_at: datetime | None = None
    parent: "Token | None" = None
    """The token whose refresh token gave this one."""
    child: "Token | None" = None
    used: bool = False
    revoked: bool = False

    def said(self, now: datetime) -> dict[str, Any]:
        """Return the token as the token address answers it."""
        answer: dict[str, Any] = {"access_token": self.access, "scope": ",".join(sorted(self.scopes))}
        if self.expires_at is not None:
            answer["expires_in"] = max(0, int((self.expires_at - now).total_seconds()))
        if self.refresh is not None and self.refresh_expires_at is not None:
            answer |= {"refresh_token": self.refresh, "refresh_token_expires_in": int((self.refresh_expires_at - now).total_seconds())}
        return answer


class Granted(Struct):
    """One token as it is kept: what it came from and led to by name."""

    access: str
    scopes: frozenset[str]
    client_id: str
    issued_at: datetime
    expires_at: datetime | None
    refresh: str | None
    refresh_expires_at: datetime | None
    parent: str | None
    child: str | None
    used: bool


class Grants(Struct):
    """All that a shop has granted."""

    tokens: list[Granted]
    made: int
    installed: frozenset[str] | None


class Refused(Exception):
    """A grant that is refused: an OAuth error with its status."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error, self.description, self.status = error, description, status


class TokenOffice:
    """Hold one shop's grants and tokens. All times are the wall's."""

    def __init__(self, domain: str, app: App, seed: str, wall: Callable[[], datetime]) -> None:
        self.domain, self.app, self._seed, self._wall = domain, app, seed, wall
        self._lock = threading.RLock()
        self._made = 0
        self._codes: dict[str, tuple[frozenset[str], str, datetime]] = {}
        self._tokens: dict[str, Token] = {}
        self._by_refresh: dict[str, Token] = {}
        self.installed: frozenset[str] | None = None
        """The scopes that the shop's owner granted last; None before, and after uninstalling."""
        self.changed: Callable[[], None] = _nothing
        """Called when something was granted, used for the first time, or taken back."""

    # What the consent page does

    def code(self, scopes: frozenset[str], redirect: str) -> str:
        """Grant scopes and return a code to be exchanged once within ten minutes."""
        with self._lock:
            code = self._secret("code")
            self._codes[code] = (scopes, redirect, self._wall() + CODE_LIFE)
            self.installed = scopes
            self.changed()
            return code

    def callback(self, redirect: str, code: str, state: str | None) -> str:
        """Return the address the owner is sent back to, signed by the app's secret."""
        host = base64.b64encode(f"admin.shopify.com/store/{self.domain.partition('.')[0]}".encode()).decode().rstrip("=")
        query = {"code": code, "host": host, "shop": self.domain, "timestamp": str(int(self._wall().timestamp()))}
        query |= {"state": state} if state is not None else {}
        query["hmac"] = signature(query, self.app.client_secret)
        return redirect + ("&" if "?" in redirect else "?") + urlencode(sorted(query.items()))

    # What the token address does

    def grant(self, asked: Mapping[str, Any]) -> Token:
        """Answer a request for a token. Raises Refused."""
        with self._lock:
            grant_type = asked.get("grant_type")
            if asked.get("client_id") != self.app.client_id:
                raise Refused("application_cannot_be_found", "No application matches the client id")
            if not hmac.compare_digest(str(asked.get("client_secret", "")).encode(), self.app.client_secret.encode()):
                raise Refused("invalid_client", "The client secret is wrong", 401)
            if grant_type == "client_credentials":
                return self._by_credentials()
            if grant_type == "refresh_token":
                return self._by_refresh_token(str(asked.get("refresh_token", "")))
            if grant_type == EXCHANGE:
                return self._by_exchange(asked)
            if asked.get("code"):
                return self._by_code(str(asked["code"]), expiring=str(asked.get("expiring", "0")) == "1")
            raise Refused("unsupported_grant_type", "Give a code, or a grant type that is known")

    def _by_code(self, code: str, *, expiring: bool) -> Token:
        found = self._codes.pop(code, None)
        if found is None or found[2] < self._wall():
            raise Refused("invalid_request", "The authorization code was not found or was already used")
        return self._issue(found[0], expiring=expiring)

    def _by_credentials(self) -> Token:
        if not self.app.own_shop:
            raise Refused("shop_not_permitted", "The app and the shop do not belong to one organisation")
        return self._issue(self.app.scopes if self.installed is None else self.installed, life=CREDENTIALS_LIFE)

    def _by_refresh_token(self, refresh: str) -> Token:
        """Give the next pair. The former refresh token gives that same pair again until it is used: an answer may have been lost."""
        token, now = self._by_refresh.get(refresh), self._wall()
        if token is None or token.revoked or token.refresh_expires_at is None or token.refresh_expires_at < now:
            raise Refused("invalid_grant", "The refresh token is not known, has expired or was revoked")
        if token.child is not None:
            if token.child.used or token.child.revoked or token.child.issued_at + REUSE_WINDOW < now:
                raise Refused("invalid_grant", "The refresh token was already used")
            return token.child
        token.child = self._issue(token.scopes, expiring=True)
        token.child.parent = token
        self._use(token)
        return token.child

    def _by_exchange(self, asked: Mapping[str, Any]) -> Token:
        expiring = str(asked.get("expiring", "0")) == "1"
        if asked.get("subject_token_type") == ID_TOKEN:
            self._check_session(str(asked.get("subject_token", "")))
            if self.installed is None:
                raise Refused("app_not_installed", "The app is not installed in the shop")
            return self._issue(self.installed, expiring=expiring)
        if asked.get("subject_token_type") != OFFLINE:
            raise Refused("invalid_request", "The subject token's type is not known")
        token = self._tokens.get(str(asked.get("subject_token", "")))
        if token is None or token.revoked or token.expires_at is not None or not expiring:
            raise Refused("invalid_subject_token", "Only a permanent token can be exchanged, and only for an expiring one")
        token.revoked = True
        return self._issue(token.scopes, expiring=True)

    def _check_session(self, jwt: str) -> None:
        try:
            head, body, signed = jwt.split(".")
            claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
            right = hmac.digest(self.app.client_secret.encode(), f"{head}.{body}".encode(), "sha256")
            valid = hmac.compare_digest(right, base64.urlsafe_b64decode(signed + "=" * (-len(signed) % 4)))
            valid &= claims["aud"] == self.app.client_id and claims["dest"].endswith(self.domain) and claims["exp"] > self._wall().timestamp()
        except (ValueError, KeyError, TypeError):
            valid = False
        if not valid:
            raise Refused("invalid_subject_token", "The session token is not valid")

    # Tokens

    def permanent(self, scopes: frozenset[str]) -> str:
        """Return a permanent token, as an app made in the admin has one."""
        with self._lock:
            self.installed = scopes
            return self._issue(scopes).access

    def find(self, access: str) -> Token | None:
        """Return a token that may be used now, and take it as used; None for one that may not."""
        with self._lock:
            token = self._tokens.get(access)
            if token is None or token.revoked or (token.expires_at is not None and token.expires_at <= self._wall()):
                return None
            self._use(token)
            return token

    def revoke_all(self) -> None:
        """Take every token back, as uninstalling the app does."""
        with self._lock:
            self.installed = None
            for token in self._tokens.values():
                token.revoked = True
            self.changed()

    def narrow(self, scopes: frozenset[str]) -> None:
        """Leave no token more than these scopes."""
        with self._lock:
            self.installed = None if self.installed is None else self.installed & scopes
            for token in self._tokens.values():
                token.scopes &= scopes
            self.changed()

    def _use(self, token: Token) -> None:
        """Take a token as used: the pair it replaced is over."""
        if token.used and token.parent is None:
            return
        token.used = True
        if token.parent is not None:
            token.parent.revoked, token.parent = True, None
        self.changed()

    def _issue(self, scopes: frozenset[str], *, expiring: bool = False, life: timedelta | None = None) -> Token:
        now = self._wall()
        token = Token(self._secret("shpat"), scopes, self.app.client_id, now)
        if expiring:
            token.expires_at, token.refresh, token.refresh_expires_at = now + ACCESS_LIFE, self._secret("shprt"), now + REFRESH_LIFE
            self._by_refresh[token.refresh] = token
        elif life is not None:
            token.expires_at = now + life
        self._tokens[token.access] = token
        self.changed()
        return token

    # Keeping

    def grants(self) -> Grants:
        """Return all that may still be used."""
        with self._lock:
            kept = [
                Granted(
                    token.access, token.scopes, token.client_id, token.issued_at, token.expires_at, token.refresh, token.refresh_expires_at,
                    token.parent.access if token.parent else None, token.child.access if token.child else None, token.used,
                )
                for token in self._tokens.values()
                if not token.revoked
            ]  # fmt: skip
            return Grants(kept, self._made, self.installed)

    def restore(self, grants: Grants) -> None:
        """Take back what was kept."""
        with self._lock:
            self._made, self.installed = grants.made, grants.installed
            for each in grants.tokens:
                self._tokens[each.access] = token = Token(
                    each.access, each.scopes, each.client_id, each.issued_at, each.expires_at, each.refresh, each.refresh_expires_at, used=each.used
                )
                if token.refresh is not None:
                    self._by_refresh[token.refresh] = token
            for each in grants.tokens:
                token = self._tokens[each.access]
                token.parent, token.child = self._tokens.get(each.parent or ""), self._tokens.get(each.child or "")

    def _secret(self, kind: str) -> str:
        self._made += 1
        made = hashlib.sha256(f"{self._seed}/{self.domain}/{kind}/{self._made}".encode()).hexdigest()[:32]
        return made if kind == "code" else f"{kind}_{made}"


def _nothing() -> None:
    """Do nothing."""


def signature(query: Mapping[str, str], secret: str) -> str:
    """Return the hex HMAC-SHA256 over parameters sorted and joined as `k=v&k=v`, the signature itself left out."""
    message = "&".join(f"{key}={value}" for key, value in sorted(query.items()) if key != "hmac")
    return hmac.new(secret.encode(), message.encode(), hashlib.sha256).hexdigest()
