"""Find every address of the project, and ask for it as every kind of person."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from django.contrib import admin
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from ledger.models import Store
from ledger.people import Role, set_role
from tests.dashboards.people import a_person

STRANGER, OUTSIDER, SUPERUSER = "stranger", "outsider", "superuser"
WHO = (STRANGER, "viewer", "analyst", "cost_editor", "owner", OUTSIDER, SUPERUSER)
STAFF = {"cost_editor", "owner", OUTSIDER, SUPERUSER}


class Row(NamedTuple):
    """An address to ask for, and the answers to GET and POST: one for everybody, or one for each of WHO."""

    address: str
    get: str
    post: str

    def expected(self, method: str) -> dict[str, str]:
        """Return the answer each kind of person should get."""
        answers = (self.get if method == "GET" else self.post).split()
        return dict(zip(WHO, answers * len(WHO) if len(answers) == 1 else answers, strict=False))

    @staticmethod
    def in_files(route: str, address: str, get: str) -> "dict[str, Row]":
        """Return the rows of a page that is only read, and of the files that hold the same."""
        return {f"{route}{end}": Row(f"{address}{end}", get, "405") for end in ("", ".csv", ".xlsx")}


class Policy(NamedTuple):
    """Who works with a model's rows in the admin, and what else than reading they may do there."""

    who: frozenset[str]
    adds: bool = False
    deletes: bool = False
    saves: str = "200"
    """The answer to a changed row without any field: 200 with its errors, 302 where nothing is required, 403 where rows are only read."""


def routes(resolver: URLResolver | None = None, before: str = "") -> Iterator[str]:
    """Yield every route of the project as it is written."""
    for pattern in (resolver or get_resolver()).url_patterns:
        # The admin's pattern of its apps' pages names them all; the table does not.
        route = before + re.sub(r"\(\?P<app_label>[^)]*\)", "<app_label>", str(pattern.pattern))
        if isinstance(pattern, URLPattern):
            yield route
        else:
            yield from routes(pattern, route)


KINDS = {"": "list", "add/": "add", "<path:object_id>/": "old"} | {f"<path:object_id>/{kind}/": kind for kind in ("history", "delete", "change")}
"""What Django's admin offers for every model."""


def model_routes() -> dict[str, tuple[str, str]]:
    """Return the admin's standard routes of every registered model: its label, and what is done there."""
    models = [model._meta for model in admin.site._registry]
    return {f"admin/{meta.app_label}/{meta.model_name}/{rest}": (meta.label_lower, kind) for meta in models for rest, kind in KINDS.items()}


def rows_of(policies: dict[str, Policy], keys: dict[str, Any]) -> dict[str, Row]:
    """Return what the admin's standard routes should answer; `keys` names a row of the walked store for each model."""
    return {
        route: _row(policies[label], kind, route.replace("<path:object_id>", str(keys[label])))
        for route, (label, kind) in model_routes().items()
    }  # fmt: skip


def _row(policy: Policy, kind: str, address: str) -> Row:
    def answers(allowed: str) -> str:
        return " ".join(_answer(policy, kind, who, allowed) for who in WHO)

    get = {"list": "200", "add": "200" if policy.adds else "403", "delete": "200" if policy.deletes else "403", "old": "302"}.get(kind, "200")
    return Row(f"/{address}", answers(get), answers(policy.saves if kind == "change" else get))


def _answer(policy: Policy, kind: str, who: str, allowed: str) -> str:
    if who not in STAFF:
        return "door"
    if kind == "old":
        return "302"
    if who not in policy.who:
        # The history looks for the row first, and some rows are not even found.
        return "302/403" if kind == "history" else "403"
    # Somebody else's row is not there: the admin says so and goes to its index.
    elsewhere = who == OUTSIDER and kind in ("history", "delete", "change") and allowed != "403"
    return "302" if elsewhere else allowed


def somebody(who: str, walked: Store, other: Store) -> User | None:
    """Make one kind of person; a stranger is nobody."""
    if who == STRANGER:
        return None
    person = a_person(email=f"{who}@example.com", superuser=who == SUPERUSER)
    if who != SUPERUSER:
        set_role(other if who == OUTSIDER else walked, person, Role.OWNER if who == OUTSIDER else Role(who))
    return person


def ask(session: Client, method: str, address: str) -> HttpResponse:
    """Ask as somebody, and take back whatever the answer changed."""
    client = Client(raise_request_exception=True)
    client.handler = session.handler  # the same server, which need not start again for every question
    client.cookies.update(session.cookies)
    with transaction.atomic():
        answer: Any = client.generic(method, address)
        transaction.set_rollback(True)
    return answer


def told(answer: HttpResponse) -> str:
    """Put an answer into the table's words: a status, or where a refused person is sent."""
    sent = answer.get("Location", "")
    for word, address in (("in", "/accounts/login/"), ("door", "/admin/login/"), ("again", "/accounts/reauthenticate/")):
        if answer.status_code == 302 and sent.startswith(address):
            return word
    return str(answer.status_code)


def text_of(answer: HttpResponse) -> str:
    """Return all an answer tells: its body and where it leads."""
    body = b"" if answer.streaming else answer.content
    return (body.decode() + answer.get("Location", "")).lower()
