"""Test what production refuses to start with, and that it says the way out."""

import os
import subprocess
import sys

import pytest
from cryptography.fernet import Fernet

from profitpeek.environment import BASE_DIR
from profitpeek.production import NEW_FIELD_KEY, NEW_SECRET_KEY, refusals

SOUND = {
    "PROFITPEEK_ENV": "production",
    "SECRET_KEY": "k3y" * 20,
    "FIELD_KEYS": f"{Fernet.generate_key().decode()},{Fernet.generate_key().decode()}",
    "ALLOWED_HOSTS": "shop.example.com",
    "SITE_URL": "https://shop.example.com",
}
REMOTE = "postgresql://u:p@db.example.com:5432/x"


def test_sound_installation_is_not_refused_with_the_embedded_server_either() -> None:
    assert refusals(SOUND) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"SECRET_KEY": ""}, f"SECRET_KEY is not set. Make one with: {NEW_SECRET_KEY}"),
        ({"SECRET_KEY": "short"}, f"SECRET_KEY has 5 characters, fewer than 50. Make a better one with: {NEW_SECRET_KEY}"),
        ({"FIELD_KEYS": " , "}, f"FIELD_KEYS is not set. Make a key with: {NEW_FIELD_KEY}"),
        ({"FIELD_KEYS": SOUND["FIELD_KEYS"] + ",abc"}, f"FIELD_KEYS: key 3 of 3 is not a Fernet key. Make one with: {NEW_FIELD_KEY}"),
        ({"ALLOWED_HOSTS": ""}, "ALLOWED_HOSTS is not set. Name the hosts people use, such as profitpeek.example.com."),
        (
            {"ALLOWED_HOSTS": "shop.example.com,*"},
            "ALLOWED_HOSTS is '*', which lets anybody put their own host into our links. Name the hosts people use.",
        ),
        ({"SITE_URL": ""}, "SITE_URL is not set. Give the address people use, such as https://profitpeek.example.com."),
        (
            {"SITE_URL": "http://shop.example.com"},
            "SITE_URL is 'http://shop.example.com', not an https:// address. Sign-ins must not travel in the clear: "
            "put a proxy with a certificate in front.",
        ),
        ({"DEBUG": "True"}, "DEBUG is on, which shows strangers the code and its settings with every error. Remove DEBUG."),
        (
            {"DATABASE_URL": REMOTE},
            "DATABASE_URL leads to db.example.com without TLS. Add ?sslmode=verify-full&sslrootcert=… (or require) to it; if nobody else "
            "can listen on the way, as between containers of one machine, set DATABASE_TLS=off-inside-private-network.",
        ),
        (
            {"DATABASE_URL": f"{REMOTE}?sslmode=require", "DATABASE_TLS": "off"},
            "DATABASE_TLS is 'off'. The only value it can have is off-inside-private-network; otherwise remove it.",
        ),
        (
            {"DATABASE_URL": f"{REMOTE}?sslmode=require&pool=true"},
            "DATABASE_URL asks for a connection pool, with which the worker never starts. Remove pool from it; connections are kept open anyway.",
        ),
        (
            {"EMBEDDED_POSTGRES": "off"},
            "DATABASE_URL is not set, and this installation has no database server of its own (EMBEDDED_POSTGRES=off). Name one.",
        ),
        ({"PROFITPEEK_ENV": "prod"}, "PROFITPEEK_ENV is 'prod', which means nothing here. Set it to production, or to local on your own machine."),
    ],
)
def test_unsafe_installation_is_refused_with_the_way_out(change: dict[str, str], message: str) -> None:
    assert refusals(SOUND | change) == [message]


@pytest.mark.parametrize(
    "url",
    [
        f"{REMOTE}?sslmode=require",
        f"{REMOTE}?sslmode=verify-full&sslrootcert=/etc/ca.pem",
        "postgresql://u:p@localhost/x",
        "postgresql://u:p@127.0.0.1:6000/x",
        "postgresql://u:p@[::1]:5432/x",
        "postgresql://u@/x?host=/var/run/postgresql",
        "postgresql:///x",
    ],
)
def test_database_of_this_machine_or_with_tls_is_fine(url: str) -> None:
    assert refusals(SOUND | {"DATABASE_URL": url}) == []


@pytest.mark.parametrize(
    "url",
    [
        f"{REMOTE}?sslmode=prefer",
        "postgresql://u:p@localhost:1,10.0.0.7:2/x",
        "postgresql://u@/x?host=10.0.0.7",
        "postgresql://u@localhost/x?hostaddr=10.0.0.7",
        "postgresql://u@[2001:db8::7]/x",
    ],
)
def test_remote_database_without_tls_is_found_however_it_is_named(url: str) -> None:
    [message] = refusals(SOUND | {"DATABASE_URL": url})
    assert "without TLS" in message
    assert refusals(SOUND | {"DATABASE_URL": url, "DATABASE_TLS": "off-inside-private-network"}) == []


def test_own_machine_is_asked_for_nothing_but_a_database_that_works() -> None:
    assert refusals({}) == []
    assert refusals({"DATABASE_URL": REMOTE, "DEBUG": "1"}) == []
    assert len(refusals({"DATABASE_URL": f"{REMOTE}?pool=1"})) == 1


def test_every_program_refuses_with_all_reasons_and_no_traceback() -> None:
    kept = {name: value for name, value in os.environ.items() if name not in (*SOUND, "DATABASE_URL", "DJANGO_SETTINGS_MODULE")}
    environment = {**kept, "PROFITPEEK_ENV": "production", "PROFITPEEK_ENV_FILE": os.devnull, "SITE_URL": "https://shop.example.com"}
    expected = (
        "ProfitPeek does not start like this:\n"
        f"- SECRET_KEY is not set. Make one with: {NEW_SECRET_KEY}\n"
        f"- FIELD_KEYS is not set. Make a key with: {NEW_FIELD_KEY}\n"
        "- ALLOWED_HOSTS is not set. Name the hosts people use, such as profitpeek.example.com.\n"
    )
    gunicorn = ["-m", "gunicorn", "--config", "python:profitpeek.web_server", "profitpeek.wsgi:application"]
    for program, status in ((["manage.py", "migrate"], 1), (["-c", "import profitpeek.wsgi"], 3), (gunicorn, 1)):
        done = subprocess.run([sys.executable, *program], cwd=BASE_DIR, env=environment, capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, done.stderr) == (status, expected)


def test_web_server_without_a_database_says_what_to_start_instead() -> None:
    environment = {**os.environ, "PROFITPEEK_ENV_FILE": os.devnull, "DATABASE_URL": ""}
    done = subprocess.run(
        [sys.executable, "-c", "import profitpeek.wsgi"], cwd=BASE_DIR, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (
        3,
        "DATABASE_URL is not set. Name a database, or start `manage.py serve`, which has its own.\n",
    )
