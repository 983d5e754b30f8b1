"""Hold the sandbox's Shopify to its scopes: what was not granted is refused, and old orders are not there."""

import gzip
import json
from datetime import timedelta

import pytest

from connectors.sandbox.shopify_access import KNOWN_SCOPES, NEEDS
from connectors.sandbox.shopify_schema import pruned_schema
from connectors.sandbox.world import World
from tests.sandbox.conftest import NOW, Caller
from tests.sandbox.test_shopify_schema import SHARED

TABLE = SHARED / "schemas" / "shopify-admin-2026-10.required-access.json.gz"


@pytest.mark.skipif(not TABLE.exists(), reason="Shopify's own table of scopes is not at hand")
def test_scopes_are_those_of_shopifys_own_table() -> None:
    types = pruned_schema().type_map
    theirs = {}
    for row in json.loads(gzip.decompress(TABLE.read_bytes())):
        kind, field = row["typeName"], row.get("fieldName")
        if kind in types and kind != "Mutation" and (field is None or field in types[kind].fields):
            theirs[f"{kind}.{field}" if field else kind] = set(row["offlineScopes"])
    assert set(NEEDS) == set(theirs)
    strange = {name: set(scopes) - theirs[name] for name, scopes in NEEDS.items() if not set(scopes) <= theirs[name]}
    assert strange == {}


def with_scopes(caller: Caller, *scopes: str) -> str:
    return caller.shop.tokens.permanent(frozenset(scopes))


def test_a_field_that_must_be_there_takes_all_data_with_it_when_denied(caller: Caller) -> None:
    said = caller.post("{ orders(first: 1) { nodes { id } } }", token=with_scopes(caller, "read_products")).json()
    assert said["data"] is None
    assert said["errors"] == [
        {
            "message": "Access denied for orders field. Required access: `read_orders` access scope.",
            "locations": [{"line": 1, "column": 3}], "path": ["orders"],
            "extensions": {
                "code": "ACCESS_DENIED", "documentation": "https://shopify.dev/api/usage/access-scopes",
                "requiredAccess": "`read_orders` access scope.",
            },
        }
    ]  # fmt: skip


def test_a_field_that_may_be_null_is_null_when_denied_and_the_rest_is_answered(caller: Caller) -> None:
    token = with_scopes(caller, "read_orders", "read_all_orders")
    said = caller.post('{ orders(first: 2, query: "name:#1001 OR name:#1002", sortKey: ID) { nodes { name customer { id } } } }', token=token).json()
    assert said["data"] == {"orders": {"nodes": [{"name": "#1001", "customer": None}, {"name": "#1002", "customer": None}]}}
    assert [(error["path"], error["extensions"]["code"]) for error in said["errors"]] == [
        (["orders", "nodes", 0, "customer"], "ACCESS_DENIED"), (["orders", "nodes", 1, "customer"], "ACCESS_DENIED"),
    ]  # fmt: skip


def test_a_scope_to_write_is_enough_to_read(caller: Caller) -> None:
    assert "errors" not in caller.post("{ products(first: 1) { nodes { id } } }", token=with_scopes(caller, "write_products")).json()


def test_without_read_all_orders_only_sixty_days_exist(caller: Caller, business: World) -> None:
    token = with_scopes(caller, *(KNOWN_SCOPES - {"read_all_orders"}))
    since = NOW - timedelta(days=60)
    orders = list(business.orders(NOW))
    recent = [order for order in orders if order.created_at >= since]
    assert 0 < len(recent) < len(orders)
    ask = "query Q($id: ID!) { ordersCount(limit: null) { count } order(id: $id) { id } }"
    old = f"gid://shopify/Order/{orders[0].id}"
    said = caller.post(ask, token=token, id=old).json()
    assert said["data"] == {"ordersCount": {"count": len(recent)}, "order": None}
    assert "errors" not in said
    assert caller.data(ask, id=old) == {"ordersCount": {"count": len(orders)}, "order": {"id": old}}


def test_a_wrong_token_is_refused(caller: Caller) -> None:
    answer = caller.post("{ shop { name } }", token="shpat_wrong")
    assert (answer.status_code, answer.json()) == (
        401, {"errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"},
    )  # fmt: skip


def test_versions_that_are_over_fall_forward_and_unknown_ones_are_not_found(caller: Caller) -> None:
    text = "{ shop { name } }"
    served = {version: caller.post(text, version=version).headers.get("X-Shopify-API-Version") for version in ("2026-10", "2026-07", "2025-10")}
    assert served == {"2026-10": "2026-10", "2026-07": "2026-07", "2025-10": "2026-01"}
    assert caller.post(text, version="2031-01").status_code == 404


def test_a_body_that_is_no_query_is_refused(caller: Caller) -> None:
    address = f"{caller.shop.base_url}/admin/api/2026-10/graphql.json"
    answers = [caller.session.post(address, data=body, headers={"X-Shopify-Access-Token": caller.token}, timeout=5) for body in ("{", "[]", "{}")]
    assert [(answer.status_code, answer.json()) for answer in answers] == [
        (400, {"errors": {"query": "Required parameter missing or invalid"}})
    ] * 3  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{ orders { nodes { id } } }", "you must provide one of first or last"),
        ("{ orders(first: 1, last: 1) { nodes { id } } }", "providing both first and last is not supported"),
        ("{ orders(first: 251) { nodes { id } } }", "first cannot exceed 250"),
        ('{ orders(first: 1, after: "x") { nodes { id } } }', "Invalid cursor for current pagination sort: x"),
        ("{ orders(first: 1, query: \"updated_at:>'yesterday'\") { nodes { id } } }", "Invalid timestamp for query filter of orders."),
        ('{ orders(first: 1, query: "(name:1") { nodes { id } } }', "Search lacks a closing bracket of orders"),
    ],
)
def test_questions_the_schema_allows_and_shopify_does_not_are_refused(caller: Caller, text: str, message: str) -> None:
    said = caller.ask(text)
    assert (said["data"], said["errors"][0]["message"], said["errors"][0]["extensions"]) == (None, message, {"code": "BAD_REQUEST"})


def test_a_field_that_searches_do_not_know_is_ignored_and_said(caller: Caller) -> None:
    said = caller.ask('{ orders(first: 2, sortKey: ID, query: "colour:red name:#1001") { nodes { name } } }')
    assert said["data"]["orders"]["nodes"] == [{"name": "#1001"}]
    assert said["extensions"]["search"] == [
        {
            "path": ["orders"], "query": "colour:red name:#1001",
            "warnings": [{"field": "colour", "message": "Invalid search field for this query.", "code": "invalid_field"}],
        }
    ]  # fmt: skip


def test_variables_are_checked_as_the_schema_says(caller: Caller) -> None:
    said = caller.ask("query Q($id: ID!) { order(id: $id) { id } }")
    assert "data" not in said
    assert said["errors"] == [
        {
            "message": "Variable $id of type ID! was provided invalid value", "locations": [{"line": 1, "column": 9}],
            "extensions": {"code": "INVALID_VARIABLE", "value": None, "problems": [{"path": [], "explanation": "Expected value to not be null"}]},
        }
    ]  # fmt: skip
