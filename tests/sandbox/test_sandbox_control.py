"""Steer the sandbox by HTTP: its clock, its shops' troubles, what was granted."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import requests

from connectors.sandbox.clock import Clock
from connectors.sandbox.server import Sandbox
from connectors.sandbox.shopify_world import WorldRows
from connectors.sandbox.world import World
from tests.sandbox.conftest import APP, DOMAIN, NOW, Caller


def control(sandbox: Sandbox, method: str, path: str, **asked) -> requests.Response:
    return requests.request(method, f"{sandbox.address}/sandbox/{path}", json=asked or None, timeout=5)


def test_the_state_tells_what_there_is(caller: Caller) -> None:
    said = control(caller.sandbox, "GET", "").json()
    assert said["clock"] == {"now": NOW.isoformat(), "wall": NOW.isoformat(), "speed": 1, "still": True}
    assert said["shops"][DOMAIN]["address"] == caller.shop.base_url
    assert said["shops"][DOMAIN]["troubles"] == []


def test_the_clock_is_set_and_advanced(caller: Caller) -> None:
    control(caller.sandbox, "POST", "clock", set="2026-02-01T12:00:00+01:00", advance=30)
    assert caller.sandbox.clock.now() == datetime(2026, 2, 1, 11, 0, 30, tzinfo=UTC)
    assert control(caller.sandbox, "POST", "clock", set="soon").status_code == 400


def test_troubles_are_added_and_ended(caller: Caller) -> None:
    path = f"shops/{DOMAIN}/troubles"
    added = control(caller.sandbox, "POST", path, kind="server_error", first=1, count=2, status=500)
    assert (added.status_code, added.json()) == (
        201, {"kind": "server_error", "first": 1, "count": 2, "operation": None, "every": 1, "ends_at": None, "status": 500, "seen": 0, "struck": 0},
    )  # fmt: skip
    assert caller.post("{ shop { name } }").status_code == 500
    assert control(caller.sandbox, "GET", path).json()["troubles"][0]["struck"] == 1
    control(caller.sandbox, "DELETE", path)
    assert caller.post("{ shop { name } }").status_code == 200
    refused = control(caller.sandbox, "POST", path, kind="rain")
    assert (refused.status_code, refused.json()["error"].split(".")[0]) == (400, "No such trouble: rain")


def test_requests_are_listed(caller: Caller) -> None:
    caller.post("query Mine($n: Int) { orders(first: $n) { nodes { id } } }", n=1)
    assert control(caller.sandbox, "GET", f"shops/{DOMAIN}/requests").json()["requests"] == [
        {"operation": "Mine", "status": 200, "variables": {"n": 1}, "troubles": []}
    ]


def test_scopes_are_narrowed_and_the_app_is_uninstalled(caller: Caller) -> None:
    text = "{ currentAppInstallation { accessScopes { handle } } }"
    control(caller.sandbox, "POST", f"shops/{DOMAIN}/scopes", scopes=["read_orders"])
    assert caller.data(text) == {"currentAppInstallation": {"accessScopes": [{"handle": "read_orders"}]}}
    control(caller.sandbox, "POST", f"shops/{DOMAIN}/uninstall")
    assert caller.post(text).status_code == 401


def test_what_is_not_there_is_not_found(caller: Caller) -> None:
    addresses = ("/", "/shops/nobody.myshopify.com/admin", f"/shops/{DOMAIN}/else", "/sandbox/else", f"/sandbox/shops/{DOMAIN}/else")
    assert [requests.get(caller.sandbox.address + address, timeout=5).status_code for address in addresses] == [404] * 5


def test_shops_keep_apart(sandbox: Sandbox, business_rows: WorldRows) -> None:
    first, second = (Caller(sandbox, sandbox.add_shop(f"{name}.myshopify.com", business_rows, app=APP)) for name in ("one", "two"))
    assert first.token != second.token
    assert first.post("{ shop { name } }", token=second.token).status_code == 401
    first.shop.troubles.add("server_error")
    assert (first.post("{ shop { name } }").status_code, second.post("{ shop { name } }").status_code) == (503, 200)
    first.session.close()
    second.session.close()


def test_many_callers_at_once_read_the_same_shop(caller: Caller, business: World) -> None:
    text = "query P($first: Int!, $after: String) { orders(first: $first, after: $after, sortKey: UPDATED_AT) { pageInfo { hasNextPage endCursor } nodes { id } } }"  # noqa: E501

    def read(size: int) -> list[str]:
        found, after, session = [], None, requests.Session()
        while True:
            answer = session.post(
                f"{caller.shop.base_url}/admin/api/2026-10/graphql.json", json={"query": text, "variables": {"first": size, "after": after}},
                headers={"X-Shopify-Access-Token": caller.token}, timeout=60,
            )  # fmt: skip
            page = answer.json()["data"]["orders"]
            found += [row["id"] for row in page["nodes"]]
            if not page["pageInfo"]["hasNextPage"]:
                session.close()
                return found
            after = page["pageInfo"]["endCursor"]

    with ThreadPoolExecutor(8) as pool:
        read_by_all = list(pool.map(read, (20, 33, 50, 70, 90, 110, 170, 250)))
    assert read_by_all == [[f"gid://shopify/Order/{change.order}" for change in business.changes(NOW)]] * 8


def test_a_running_clock_runs_as_fast_as_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    passed = [100]
    monkeypatch.setattr(time, "monotonic_ns", lambda: passed[0] * 10**9)
    clock = Clock(NOW, speed=3600)
    passed[0] += 2
    assert (clock.now(), clock.wall()) == (NOW + timedelta(hours=2), NOW + timedelta(seconds=2))
    clock.run(0)
    passed[0] += 50
    clock.advance(90)
    assert clock.now() == NOW + timedelta(hours=2, seconds=90)


def test_a_still_clock_moves_only_when_told_to() -> None:
    clock = Clock(NOW, still=True)
    assert (clock.now(), clock.wall()) == (NOW, NOW)
    clock.advance(5)
    assert (clock.now(), clock.wall()) == (NOW + timedelta(seconds=5), NOW + timedelta(seconds=5))
