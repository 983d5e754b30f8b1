"""Test `manage.py connect`: what it takes, what it says, and what it keeps."""

from collections.abc import Iterator
from io import StringIO

import pytest
import responses
from django.core.management import CommandError, call_command

from connectors.connections import kept
from connectors.models import Connection
from tests.builders import a_store
from tests.connectors.tiny import BASE, tiny_answers

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def answers() -> Iterator[responses.RequestsMock]:
    """Open a store, know the platform Tiny, and answer in its name."""
    a_store(slug="shop")
    with tiny_answers() as mock:
        yield mock


def connect(*options: str) -> str:
    out = StringIO()
    call_command("connect", "shop", "tiny", "--account", "North", *options, stdout=out)
    return out.getvalue()


def test_a_token_connects_and_it_says_as_whom() -> None:
    said = connect("--token", "pasted")
    assert said.splitlines() == [
        "Shop is connected to North & Co (north), which sells in EUR and lives in Europe/Berlin.",
        "Not granted, so not read: read_more.",
        "The worker reads it from now on; at once and in the foreground: manage.py sync shop",
    ]
    assert kept(Connection.objects.get()).secrets == {"token": "pasted", "way": "token"}


def test_a_secret_is_read_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", StringIO("hush\n"))
    connect("--client-id", "app", "--client-secret", "-")
    assert kept(Connection.objects.get()).secrets["client_secret"] == "hush"


@pytest.mark.parametrize("options", [[], ["--client-id", "app"], ["--token", "x", "--client-id", "app"]])
def test_too_little_or_too_much_says_what_to_give(options: list[str]) -> None:
    with pytest.raises(CommandError, match="To connect Tiny, give --token; or --client-id and --client-secret"):
        connect(*options)


def test_what_the_platform_refuses_is_said_and_nothing_is_kept(answers: responses.RequestsMock) -> None:
    answers.replace(responses.GET, f"{BASE}/me", status=401)
    with pytest.raises(CommandError, match="Tiny no longer takes this token"):
        connect("--token", "pasted")
    assert Connection.objects.count() == 0


def test_a_foreign_address_is_refused() -> None:
    with pytest.raises(CommandError, match="not among SANDBOX_HOSTS"):
        connect("--token", "pasted", "--base-url", "https://evil.example/shop")
