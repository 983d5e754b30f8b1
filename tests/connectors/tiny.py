"""Describe a platform as small as one can be: it lets in by consent or by a key, and has nothing to read."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
import responses

from connectors import registry
from connectors.faults import Denied, Fault, NeedsReauth, RetryLater
from connectors.pacing import Unpaced
from connectors.spec import AccountInfo, Connector, Grant, Json, Key, Request, Response, Send, Setting

BASE = "https://north.tiny.example"


class TinyConsent:
    """Ask on /ask, exchange on /token."""

    settings = (Setting(name="client_id", label="Client id"), Setting(name="client_secret", label="Client secret", secret=True))

    def address(
        self, base: str, *, state: str, redirect: str, challenge: str, secrets: Mapping[str, str], scopes: Sequence[str]
    ) -> str:  # fmt: skip
        return f"{base}/ask?" + urlencode(
            {"state": state, "redirect": redirect, "challenge": challenge, "id": secrets["client_id"], "scope": ",".join(scopes)}
        )

    def check(self, query: Mapping[str, str], *, account: str, secrets: Mapping[str, str], now: datetime) -> str:
        if "error" in query:
            raise Denied("You pressed “Cancel” on Tiny's page. Nothing was connected.")
        return query["code"]

    def exchange(self, code: str, *, redirect: str, verifier: str, secrets: Mapping[str, str]) -> Request:
        form = {"code": code, "redirect": redirect, "verifier": verifier, "secret": secrets["client_secret"]}
        return Request(path="/token", method="POST", form=form)

    def granted(self, answer: Json, *, now: datetime) -> Grant:
        ends = now + timedelta(seconds=answer["seconds"]) if "seconds" in answer else None
        return Grant(secrets={"token": answer["token"], "again": answer.get("again", "")}, scopes=("read_things",), expires_at=ends)

    def refresh(self, secrets: Mapping[str, str]) -> Request | None:
        return Request(path="/token", method="POST", form={"again": secrets["again"]}) if secrets.get("again") else None


def classify(response: Response) -> Fault | None:
    if response.status == 401:
        return NeedsReauth("Tiny no longer takes this token. Connect the account again.")
    return RetryLater(f"Tiny answered {response.status}.") if response.status >= 400 else None


def probe(send: Send) -> AccountInfo:
    answer: dict[str, Any] = send(Request(path="/me")).json()
    currency, zone = answer.get("currency", "EUR"), answer.get("zone", "Europe/Berlin")
    return AccountInfo(ref=answer["ref"], name=answer["name"], currency=currency, zone=zone, scopes=tuple(answer["scopes"]))


def account_ref(text: str) -> str:
    if not text.isascii() or not text.isalpha():
        raise Denied("That is no account of Tiny's: type its name, such as north.")
    return text.lower()


TINY = Connector(
    platform="tiny", label="Tiny", account_label="Account", account_ref=account_ref, base_url=lambda account: f"https://{account}.tiny.example",
    hosts=("*.tiny.example",), scopes=("read_things", "read_more"), consent=TinyConsent(),
    keys=(
        Key(
            name="token", label="Paste a token", settings=(Setting(name="token", label="Token", secret=True),),
            granted=lambda told: Grant(secrets={"token": told["token"]}),
        ),
        Key(
            name="client", label="Client id and secret", settings=TinyConsent.settings,
            fetch=lambda told: Request(path="/token", method="POST", form=dict(told)),
        ),
    ),
    headers=lambda secrets: {"X-Token": secrets["token"]}, pace=Unpaced(), classify=classify, probe=probe, streams=(),
)  # fmt: skip


@contextmanager
def tiny_answers() -> Iterator[responses.RequestsMock]:
    """Know the platform Tiny, and answer in its name."""
    with pytest.MonkeyPatch.context() as patch, responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        patch.setitem(registry.CONNECTORS, "tiny", TINY)
        mock.get(f"{BASE}/me", json={"ref": "north", "name": "North & Co", "scopes": ["read_things"]})
        mock.post(f"{BASE}/token", json={"token": "first", "again": "next", "seconds": 3600})
        yield mock
