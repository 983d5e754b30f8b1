"""Test that log lines name their request, and hold nothing that opens a door."""

import json
import logging
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory, override_settings
from django.urls import path

from profitpeek import logs
from profitpeek.request_log import id_of

TOKEN = "AsyZN1du2c7HSNONMmoX8GDN6sCP5n_D.rXfusjDBsAsv0ElzbV6jYbbH8sFm7K1n6tSsjV_xIrg"


def fails(request: HttpRequest) -> HttpResponse:
    """Fail as a page does whose author has forgotten something."""
    raise ValueError("no rate for ann@example.com, password=hunter22")


urlpatterns = [path("fails", fails), path("<slug:slug>/fine", lambda request, slug: HttpResponse("fine"))]
handler500 = "profitpeek.request_log.server_error"


@pytest.fixture
def lines() -> Iterator[Any]:
    """Log as production does, and return what was written, a value a line."""
    stream = StringIO()
    logs.configure({"json": True, "level": "INFO"})
    root = logging.getLogger()
    ours = next(each for each in root.handlers if isinstance(each.formatter, structlog.stdlib.ProcessorFormatter))
    assert isinstance(ours, logging.StreamHandler)
    ours.setStream(stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logs.configure(settings.LOGGING)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (f"GET /accounts/first/{TOKEN} 410", "GET /accounts/first/[removed] 410"),
        (f"/accounts/invitation/{TOKEN}", "/accounts/invitation/[removed]"),
        ("/accounts/password/reset/key/3-c9t2a1-0f3b/", "/accounts/password/reset/key/[removed]/"),
        ("/accounts/confirm-email/MQ:1u2Xyz:abc/", "/accounts/confirm-email/[removed]/"),
        ("/hooks/shopify-7f3a", "/hooks/[removed]"),
        ("POST /webhooks/shopify/plain-as-a-name 401", "POST /webhooks/shopify/[removed] 401"),
        (f"/a/page/nobody/knows/{TOKEN}", "/a/page/nobody/knows/[removed]"),
        ("/callback?code=abc&state=def failed", "/callback?[removed] failed"),
        ("/callback?token?=abc and /x??code=abc", "/callback?token?[removed] and /x??[removed]"),
        ("to ann.lee+shop@mail.example.com, bob@example.com", "to [address], [address]"),
        ("postgresql://ann:pa55@db.example.com/x", "postgresql://[removed]@db.example.com/x"),
        ("sent 'Authorization: Bearer abcdefghijk'", "sent 'Authorization: Bearer [removed]'"),
        ('{"api_key": "sk_live_1234"}', '{"api_key": "[removed]"}'),
        ("Key (email)=(ann@example.com) exists", "Key (email)=([address]) exists"),
        ("/my-rather-long-store-name-2026/pnl", "/my-rather-long-store-name-2026/pnl"),
        ("Was it 3 o'clock? I think so", "Was it 3 o'clock? I think so"),
    ],
)
def test_text_loses_its_secrets_and_keeps_the_rest(said: str, kept: str) -> None:
    assert logs.cleaned(said) == kept


HOSTILE = ["a", "a.", "a@", "a@b.", "a?", "/?a", "a?b", "/1A", "/key/", "bearer ", "secret = ", "token", "://a:", " "]


@pytest.mark.timeout(5)
@pytest.mark.parametrize("again", HOSTILE)
def test_text_made_to_be_slow_to_read_is_cut_and_read(again: str) -> None:
    assert len(logs.cleaned(again * (200_000 // len(again)))) < 40_000
    # Right under the limit nothing is cut, and reading it is as quick.
    for _ in range(20):
        logs.cleaned(again * (logs.LONGEST // len(again)))


def test_very_long_text_keeps_its_beginning_and_its_end_and_no_half_secret() -> None:
    half = logs.LONGEST // 2
    beginning = "began " + "x" * (half - 30) + " postgresql://ann:pa55"
    said = beginning + "word@db.example.com/x" + " y" * half + " Bearer abcdefghijk" + " z" * ((half - 15) // 2) + " ended with ann@example.com"
    kept = logs.cleaned(said)
    assert kept.startswith("began xxx")
    assert kept.endswith(" z ended with [address]")
    assert " characters left out] " in kept
    assert "pa55" not in kept
    assert "abcdefghijk" not in kept
    assert len(kept) < logs.LONGEST + 40


def test_text_of_the_greatest_length_is_whole() -> None:
    assert logs.cleaned("a b " * (logs.LONGEST // 4)) == "a b " * (logs.LONGEST // 4)


def test_values_under_names_of_secrets_are_never_written(lines: Any) -> None:
    structlog.get_logger("ledger.x").info(
        "kept", password="a", api_key="b", email="ann@example.com", headers={"Cookie": "c", "Accept": "d"}, number=7
    )
    [line] = lines()
    wanted = ("event", "password", "api_key", "email", "headers", "number", "level", "logger")
    assert {name: line[name] for name in wanted} == {
        "event": "kept", "password": "[removed]", "api_key": "[removed]", "email": "[removed]",
        "headers": {"Cookie": "[removed]", "Accept": "d"}, "number": 7, "level": "info", "logger": "ledger.x",
    }  # fmt: skip


def test_lines_of_other_libraries_have_the_same_form(lines: Any) -> None:
    with structlog.contextvars.bound_contextvars(request_id="r-1"):
        logging.getLogger("urllib3").warning("retry %s of %s", 1, "https://ann:pa55@example.com/x?token=y")
    [line] = lines()
    assert (line["event"], line["request_id"], line["logger"]) == ("retry 1 of https://[removed]@example.com/x?[removed]", "r-1", "urllib3")


@override_settings(ROOT_URLCONF=__name__)
def test_answered_request_is_one_line_with_its_id_person_and_store(lines: Any) -> None:
    answer = Client().get("/mugs/fine?token=secret", headers={"X-Request-ID": "proxy-7.a_b"})
    [line] = lines()
    assert answer["X-Request-ID"] == "proxy-7.a_b"
    assert {name: line[name] for name in ("event", "request_id", "method", "path", "status", "store")} == {
        "event": "request", "request_id": "proxy-7.a_b", "method": "GET", "path": "/mugs/fine", "status": 200, "store": "mugs",
    }  # fmt: skip
    assert "secret" not in json.dumps(line)


@override_settings(ROOT_URLCONF=__name__)
def test_failed_request_shows_the_id_under_which_the_log_explains_it(lines: Any) -> None:
    answer = Client(raise_request_exception=False).get("/fails")
    shown = answer["X-Request-ID"]
    failure, request = lines()
    assert answer.status_code == 500
    assert shown in answer.content.decode()
    assert (failure["request_id"], request["request_id"], request["status"]) == (shown, shown, 500)
    assert failure["exception"].endswith("ValueError: no rate for [address], password=[removed]")


@pytest.mark.parametrize("given", ["", "a" * 65, "two words", "line\nbreak", "<b>", "ü"])
def test_request_id_that_is_long_or_odd_is_replaced(given: str) -> None:
    made = id_of(RequestFactory().get("/", headers={"X-Request-ID": given}))
    assert len(made) == 32
    assert made.isalnum()
