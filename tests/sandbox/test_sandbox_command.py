"""Start the sandbox as developers do, connect to what it prints, and stop it."""

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from django.core.management import CommandError, call_command

from connectors.sandbox.server import Sandbox
from connectors.sandbox.serving import open_shop
from connectors.sandbox.shopify_shop import Shop
from tests.sandbox.conftest import NOW

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def started() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start `manage.py sandbox` and return it with all that it says."""
    command = [sys.executable, "manage.py", "sandbox", "--port", "0", "--days", "3", "--orders-per-day", "2", "--scenario", "exchanges"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            assert process.stdout is not None
            said = ""
            for line in process.stdout:
                said += line
                if "Ctrl-C" in line:
                    break
            yield process, said
        finally:
            process.kill()


def test_the_command_serves_a_shop_with_what_it_prints_until_it_is_stopped(started: tuple[subprocess.Popen[str], str]) -> None:
    process, said = started
    found = {name.lower(): value for name, value in re.findall(r"^  (Shop|Address|Client ID|Client secret) +(\S+)$", said, re.MULTILINE)}
    assert f"--account {found['shop']} --base-url {found['address']}" in said
    asked = {"client_id": found["client id"], "client_secret": found["client secret"], "grant_type": "client_credentials"}
    token = requests.post(f"{found['address']}/admin/oauth/access_token", json=asked, timeout=20).json()["access_token"]
    answer = requests.post(
        f"{found['address']}/admin/api/2026-10/graphql.json", json={"query": "{ shop { myshopifyDomain } }"},
        headers={"X-Shopify-Access-Token": token}, timeout=20,
    )  # fmt: skip
    assert answer.json()["data"] == {"shop": {"myshopifyDomain": found["shop"]}}
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CommandError, match=rf"Port {port} cannot be listened on: Address already in use\. Name another with --port\."):
            call_command("sandbox", port=port, days=1, orders_per_day=1)


@pytest.mark.parametrize("option", [{"days": 0}, {"orders_per_day": 0}, {"speed": -1}])
def test_a_business_that_cannot_live_is_refused(option: dict[str, int]) -> None:
    with pytest.raises(CommandError, match="A business lives at least one day"):
        call_command("sandbox", port=0, **option)


def test_the_same_seed_opens_the_same_shop() -> None:
    seen = []
    for seed in (3, 3, 4):
        sandbox, shop = open_shop(seed=seed, days=5, orders_per_day=3, now=NOW)
        seen.append((shop.tokens.app.client_id, shop.tokens.app.client_secret, list(shop.rows.index.orders), shop.rows.index.changes))
        sandbox.close()
    assert seen[0] == seen[1]
    assert seen[0][:2] != seen[2][:2]


def test_the_business_lives_on_while_it_is_served() -> None:
    sandbox, shop = open_shop(days=5, orders_per_day=3, now=NOW)
    index = shop.rows.index
    assert min(index.created) < NOW.timestamp() < max(index.created)
    sandbox.close()


def opened(state: Path, now: datetime, **changed: Any) -> tuple[Sandbox, Shop]:
    return open_shop(**{"days": 5, "orders_per_day": 3, "now": now, "state": state, **changed})


def test_a_shop_and_what_it_granted_outlive_a_restart(tmp_path: Path) -> None:
    state = tmp_path / "sandbox.json"
    sandbox, shop = opened(state, NOW)
    asked = {"client_id": shop.tokens.app.client_id, "client_secret": shop.tokens.app.client_secret}
    code = shop.tokens.code(frozenset({"read_orders"}), "http://localhost/back")
    first = shop.tokens.grant({**asked, "code": code, "expiring": "1"})
    second = shop.tokens.grant({**asked, "grant_type": "refresh_token", "refresh_token": first.refresh})
    orders, changes = list(shop.rows.index.orders), shop.rows.index.changes
    sandbox.close()
    assert state.stat().st_mode & 0o777 == 0o600

    again, kept = opened(state, NOW + timedelta(days=3))
    assert (list(kept.rows.index.orders), kept.rows.index.changes) == (orders, changes)
    assert kept.tokens.installed == {"read_orders"}
    # the former refresh token gives the same pair until that is used
    third = kept.tokens.grant({**asked, "grant_type": "refresh_token", "refresh_token": first.refresh})
    assert (third.access, third.refresh) == (second.access, second.refresh)
    fourth = kept.tokens.grant({**asked, "grant_type": "refresh_token", "refresh_token": second.refresh})
    assert fourth.access not in (first.access, second.access)
    assert kept.tokens.find(fourth.access) is not None
    kept.uninstall()
    again.close()

    last, gone = opened(state, NOW + timedelta(days=3))
    assert (gone.tokens.installed, gone.tokens.find(fourth.access)) == (None, None)
    last.close()


@pytest.mark.parametrize("spoil", [lambda state: state.write_text("{"), lambda state: state.unlink()])
def test_a_state_that_cannot_be_read_is_begun_anew(tmp_path: Path, spoil: Callable[[Path], object]) -> None:
    state = tmp_path / "sandbox.json"
    opened(state, NOW)[0].close()
    spoil(state)
    sandbox, shop = opened(state, NOW + timedelta(days=1))
    assert min(shop.rows.index.created) > (NOW - timedelta(days=5)).timestamp()
    sandbox.close()


def test_a_state_of_another_business_is_not_taken_over(tmp_path: Path) -> None:
    state = tmp_path / "sandbox.json"
    sandbox, shop = opened(state, NOW)
    token = shop.tokens.permanent(frozenset({"read_orders"}))
    sandbox.close()
    other, another = opened(state, NOW, seed=2)
    assert another.tokens.find(token) is None
    other.close()


def test_a_state_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"nowhere/sandbox\.json cannot be written: No such file or directory\. Name another file with --state\."):
        call_command("sandbox", port=0, days=1, orders_per_day=1, state=tmp_path / "nowhere" / "sandbox.json")
