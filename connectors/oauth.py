"""Send a person to a platform to let us in, and take the answer once, from the same person in the same session."""

import base64
import hashlib
import secrets as tokens
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
from django.contrib.auth.models import User
from msgspec import Struct

from connectors.addresses import base_url
from connectors.connections import connect
from connectors.faults import Denied
from connectors.http import Client
from connectors.models import Connection, ConsentRequest
from connectors.registry import find
from connectors.spec import Connector, Consent, Grant, Key, Setting
from ledger.models import Store
from ledger.sealing import seal, unseal

VALID = timedelta(minutes=15)
"""How long a person may take on the platform's pages."""
WAY = "way"
"""Among a connection's secrets: the name of the Key it was connected with; of the consent it is CONSENT."""
CONSENT = "consent"
OVER = "This question has been answered already, is more than 15 minutes old, or was asked from another browser. Press “Connect” again."


class Asked(Struct, frozen=True, kw_only=True):
    """What has to be remembered between the question and its answer."""

    secrets: Mapping[str, str]
    verifier: str


def forget(connection: Connection) -> None:
    """Delete the questions for consent of an account, with the secrets in them."""
    ConsentRequest.objects.filter(store=connection.store_id, platform=connection.platform, account_ref=connection.account_ref).delete()


def ask(
    store: Store, connector: Connector, *, account: str, foreign: str, told: Mapping[str, str], user: User, session: str, redirect: str,
    now: datetime,
) -> str:  # fmt: skip
    """Note a question for consent and return the address of the platform's page that asks it; raise Denied for what cannot be asked.

    `told` are the settings that the person typed; `redirect` is where the platform sends the person back to.
    """
    consent = _consent(connector)
    _refuse_strange(consent.settings, told)
    state, verifier = tokens.token_urlsafe(32), tokens.token_urlsafe(64)
    base = base_url(connector, account, foreign)
    ConsentRequest.objects.create(
        state_hash=_hashed(state), user=user, session_hash=_hashed(session), store=store, platform=connector.platform, account_ref=account,
        base_url=foreign, secrets=seal(msgspec.json.encode(Asked(secrets=told, verifier=verifier))), created_at=now, expires_at=now + VALID,
    )  # fmt: skip
    return consent.address(base, state=state, redirect=redirect, challenge=challenge_of(verifier), secrets=told, scopes=connector.scopes)


def challenge_of(verifier: str) -> str:
    """Return the PKCE challenge of a verifier (RFC 7636, S256)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def answered(
    query: Mapping[str, str], *, platform: str, user: User, session: str, redirect: str, actor: str, now: datetime
) -> Connection:  # fmt: skip
    """Take what a person came back with and connect the account; raise a Fault when it is not an answer to a question of this session."""
    row = _claimed(query.get("state", ""), platform=platform, user=user, session=session, now=now)
    connector = find(platform)
    consent = _consent(connector)
    asked = msgspec.json.decode(unseal(bytes(row.secrets)), type=Asked)
    code = consent.check(query, account=row.account_ref, secrets=asked.secrets, now=now)
    with Client(connector, base_url(connector, row.account_ref, row.base_url)) as client:
        answer = client.send(consent.exchange(code, redirect=redirect, verifier=asked.verifier, secrets=asked.secrets))
        grant = consent.granted(answer.json(), now=now)
    told = {**asked.secrets, WAY: CONSENT}
    return connect(row.store, connector, account=row.account_ref, foreign=row.base_url, secrets=told, grant=grant, actor=actor, now=now)


def _claimed(state: str, *, platform: str, user: User, session: str, now: datetime) -> ConsentRequest:
    """Take a question's answer: once, in time, of this person, session and platform."""
    mine = ConsentRequest.objects.filter(
        state_hash=_hashed(state), platform=platform, user=user, session_hash=_hashed(session), used_at=None, expires_at__gt=now
    )  # fmt: skip
    if not mine.update(used_at=now):
        raise Denied(OVER)
    return ConsentRequest.objects.select_related("store").get(state_hash=_hashed(state))


def store_asked_for(state: str, *, user: User) -> Store | None:
    """Return the store that a question of this person was about; None when there was no such question."""
    row = ConsentRequest.objects.select_related("store").filter(state_hash=_hashed(state), user=user).first()
    return row.store if row else None


def connect_with_key(
    store: Store, connector: Connector, key: Key, *, account: str, foreign: str, told: Mapping[str, str], actor: str, now: datetime
) -> Connection:  # fmt: skip
    """Connect an account with what a person pasted; raise a Fault when the platform does not take it."""
    _refuse_strange(key.settings, told)
    grant = granted_by_key(connector, key, account=account, foreign=foreign, told=told, now=now)
    return connect(store, connector, account=account, foreign=foreign, secrets={**told, WAY: key.name}, grant=grant, actor=actor, now=now)


def granted_by_key(connector: Connector, key: Key, *, account: str, foreign: str, told: Mapping[str, str], now: datetime) -> Grant:
    """Return what pasted secrets grant: as they are, or after asking the platform for a token."""
    if key.granted is not None:
        return key.granted(told)
    if key.fetch is None:
        raise ValueError(f"the key {key.name} neither grants nor asks")
    with Client(connector, base_url(connector, account, foreign)) as client:
        return _consent(connector).granted(client.send(key.fetch(told)).json(), now=now)


def forget_questions(*, now: datetime) -> int:
    """Delete questions nobody can answer any more; return how many."""
    return ConsentRequest.objects.filter(expires_at__lt=now).delete()[0]


def _refuse_strange(settings: Sequence[Setting], told: Mapping[str, str]) -> None:
    """Raise Denied for what no header or form can carry as it is: typographic quotes, line breaks and the like that a copy brought along."""
    for setting in settings:
        strange = next((sign for sign in told.get(setting.name, "") if not "!" <= sign <= "~"), None)
        if strange is not None:
            named, label = f"“{strange}”" if strange.isprintable() and strange != " " else "a space, a line break or the like", setting.label.lower()
            raise Denied(f"The {label} holds a character that no {label} has: {named}. Copy it again, by itself.")


def _consent(connector: Connector) -> Consent:
    if connector.consent is None:
        raise Denied(f"{connector.label} is connected with a key, not by its own pages.")
    return connector.consent


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
