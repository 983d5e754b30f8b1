"""Ask the sandbox for whatever its schema allows, with whatever was granted, and find both ways of execution answer the same."""

from typing import Any

from graphql import get_named_type, is_abstract_type, is_leaf_type
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.sandbox.shopify_access import KNOWN_SCOPES
from connectors.sandbox.shopify_execute import run
from connectors.sandbox.shopify_schema import check, pruned_schema
from connectors.sandbox.shopify_shop import Shop

ROOTS = ("orders", "products", "inventoryItems", "customers", "locations", "markets", "shopifyPaymentsAccount", "shop")
DEEPEST = 7


def selection(draw: Any, kind: Any, depth: int) -> str:
    """Draw some of a type's fields, with what their arguments need, aliases now and then, and fragments on what it may be."""
    if is_abstract_type(kind):
        possible = pruned_schema().get_possible_types(kind)
        chosen = draw(st.lists(st.sampled_from(possible), min_size=1, max_size=2, unique_by=lambda each: each.name))
        return " ".join(["__typename", *(f"... on {each.name} {{ {selection(draw, each, depth)} }}" for each in chosen)])
    leaves = [name for name, field in kind.fields.items() if is_leaf_type(get_named_type(field.type))]
    inner = [name for name in kind.fields if name not in leaves] if depth < DEEPEST else []
    names = draw(st.lists(st.sampled_from(leaves), max_size=3, unique=True)) if leaves else []
    names += (
        draw(st.lists(st.sampled_from(inner), min_size=1 if kind.name.endswith(("Connection", "Edge")) else 0, max_size=2, unique=True))
        if inner
        else []
    )
    parts = [_field(draw, kind.fields[name], name, depth) for name in names]
    return " ".join(["__typename", *parts])


def _field(draw: Any, field: Any, name: str, depth: int) -> str:
    given_ = {key: value for key, value in (("first", draw(st.integers(0, 4))), ("names", '["on_hand", "available"]')) if key in field.args}
    if "reverse" in field.args and draw(st.booleans()):
        given_["reverse"] = "true"
    arguments = f"({', '.join(f'{key}: {value}' for key, value in given_.items())})" if given_ else ""
    of = get_named_type(field.type)
    alias = f"{draw(st.sampled_from(['', f'as{depth}{name}: ']))}"
    inside = "" if is_leaf_type(of) else f" {{ {selection(draw, of, depth + 1)} }}"
    return f"{alias}{name}{arguments}{inside}"


@st.composite
def documents(draw: Any) -> str:
    """Draw a document that asks one of the root's fields."""
    name = draw(st.sampled_from(ROOTS))
    return f"{{ {_field(draw, pruned_schema().query_type.fields[name], name, 0)} }}"


@given(text=documents(), granted=st.frozensets(st.sampled_from(sorted(KNOWN_SCOPES)), min_size=6))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_both_ways_of_execution_answer_the_same(shop: Shop, text: str, granted: frozenset[str]) -> None:
    parsed = check(text)
    if parsed.document is None or parsed.errors:
        # two fragments may ask for one name in two ways, which no schema allows
        assert all("conflict" in error["message"] for error in parsed.errors)
        return
    quick, slow = (run(shop.schema, parsed.document, {}, None, shop.asking(granted), plainly=plainly) for plainly in (True, False))
    assert quick.data == slow.data
    assert [(error.message, error.path) for error in quick.errors or ()] == [(error.message, error.path) for error in slow.errors or ()]
    assert {error.extensions["code"] for error in slow.errors or () if error.extensions} <= {"ACCESS_DENIED"}
    assert [error.message for error in slow.errors or () if not error.extensions] == []
