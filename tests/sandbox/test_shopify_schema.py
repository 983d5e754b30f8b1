"""Hold the sandbox's schema equal to Shopify's, and its refusals to Shopify's words."""

import gzip
import json
import re
from functools import cache
from pathlib import Path

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    Undefined,
    build_client_schema,
    is_introspection_type,
    is_specified_scalar_type,
)

from connectors.sandbox.shopify_schema import check, pruned_schema, validate
from tests.sandbox.shopify_documents import all_names, document

SHARED = Path(__file__).resolve().parents[3] / "shared"
FULL = SHARED / "schemas" / "shopify-admin-2026-10.introspection-min.json.gz"
NOTES = SHARED / "platforms" / "shopify.md"
needs_shopifys_own = pytest.mark.skipif(not FULL.exists(), reason="Shopify's own schema is not at hand")


@cache
def shopifys_own() -> GraphQLSchema:
    """Build Shopify's own schema, which six deprecated fields of its own make invalid in the eyes of the validator."""
    said = json.loads(gzip.decompress(FULL.read_bytes()))
    return build_client_schema(said.get("data", said), assume_valid=True)


def queries_of_the_notes() -> list[str]:
    """Return each query the notes on Shopify write down, with the fragment they share."""
    text = NOTES.read_text()
    money = re.search(r"`(fragment M on .+?)`", text)
    assert money
    blocks = "\n".join(re.findall(r"```graphql\n(.+?)```", text, re.S))
    orders = re.search(r"query PPOrders.+?(?=\nquery )", blocks, re.S)
    assert orders
    rest = [line for line in blocks.split("\n") if re.match(r"query PP(Shop|Balance|Payouts|Variants|Inventory|Customers|Markets)\b", line)]
    single = re.search(r"query PPOrderMoney.+?(?=\nquery )", blocks, re.S)
    assert single
    return [orders.group() + money.group(1), single.group() + money.group(1), *rest]


@pytest.mark.parametrize("name", all_names())
def test_document_is_valid(name: str) -> None:
    assert validate(document(name)) == []


@needs_shopifys_own
@pytest.mark.parametrize("name", all_names())
def test_document_is_valid_at_shopify(name: str) -> None:
    assert validate(document(name), shopifys_own()) == []


@pytest.mark.skipif(not NOTES.exists(), reason="the notes on Shopify are not at hand")
@pytest.mark.parametrize("number", range(9))
def test_query_of_the_notes_is_valid(number: int) -> None:
    queries = queries_of_the_notes()
    assert len(queries) == 9
    assert validate(queries[number]) == []


@needs_shopifys_own
def test_every_type_field_and_argument_is_as_in_shopifys_own_schema() -> None:
    ours, theirs, wrong = pruned_schema(), shopifys_own(), []
    for name, kind in ours.type_map.items():
        if is_introspection_type(kind) or is_specified_scalar_type(kind):
            continue
        real = theirs.type_map.get(name)
        if type(real) is not type(kind):
            wrong.append(name)
            continue
        if isinstance(kind, GraphQLEnumType):
            wrong += [f"{name}.{value}" for value in kind.values if value not in real.values]
        if isinstance(kind, GraphQLUnionType):
            wrong += [f"{name} = {member.name}" for member in kind.types if member.name not in {other.name for other in real.types}]
        if isinstance(kind, GraphQLInputObjectType):
            wrong += [
                f"{name}.{key}" for key, field in kind.fields.items() if key not in real.fields or str(field.type) != str(real.fields[key].type)
            ]
            wrong += [f"{name}.{key} is required" for key, field in real.fields.items() if str(field.type).endswith("!") and key not in kind.fields]
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            wrong += [f"{name} implements {face.name}" for face in kind.interfaces if face.name not in {other.name for other in real.interfaces}]
            wrong += [problem for key in kind.fields for problem in differences(f"{name}.{key}", kind.fields[key], real.fields.get(key))]
    assert wrong == []


def differences(name: str, ours, theirs) -> list[str]:
    """Return how a field differs from Shopify's: its type, its arguments, their defaults, and required ones left out."""
    if theirs is None:
        return [name]
    wrong = [] if str(ours.type) == str(theirs.type) else [f"{name}: {ours.type}"]
    for key, argument in ours.args.items():
        real = theirs.args.get(key)
        if real is None or (str(argument.type), argument.default_value) != (str(real.type), real.default_value):
            wrong.append(f"{name}({key})")
    wrong += [f"{name}({key}) is required" for key, real in theirs.args.items() if key not in ours.args and _required(real)]
    return wrong + ([f"{name} is deprecated"] if bool(ours.deprecation_reason) != bool(theirs.deprecation_reason) else [])


def _required(argument) -> bool:
    return str(argument.type).endswith("!") and argument.default_value is Undefined


def test_unknown_field_is_refused_in_shopifys_words() -> None:
    checked = check("query Mine {\n  orders(first: 1) { nodes { id profit } }\n}")
    assert list(checked.errors) == [
        {
            "message": "Field 'profit' doesn't exist on type 'Order'",
            "locations": [{"line": 2, "column": 33}],
            "path": ["query Mine", "orders", "nodes", "profit"],
            "extensions": {"code": "undefinedField", "typeName": "Order", "fieldName": "profit"},
        }
    ]


def test_unknown_argument_is_refused_in_shopifys_words() -> None:
    checked = check("{ orders(first: 1, since: 3) { nodes { id } } }")
    assert list(checked.errors) == [
        {
            "message": "Field 'orders' doesn't accept argument 'since'",
            "locations": [{"line": 1, "column": 20}],
            "path": ["query", "orders", "since"],
            "extensions": {"code": "argumentNotAccepted", "name": "orders", "typeName": "Field", "argumentName": "since"},
        }
    ]


def test_missing_argument_is_refused_in_shopifys_words() -> None:
    checked = check("fragment F on QueryRoot { order { id } }\nquery { ...F }")
    assert list(checked.errors) == [
        {
            "message": "Field 'order' is missing required arguments: id",
            "locations": [{"line": 1, "column": 27}],
            "path": ["fragment F", "order"],
            "extensions": {"code": "missingRequiredArguments", "className": "Field", "name": "order", "arguments": "id"},
        }
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{ shop }", "Field must have selections (field 'shop' returns Shop but has no selections. Did you mean 'shop { ... }'?)"),
        ("{ shop { name { first } } }", "Selections can't be made on scalars (field 'name' returns String but has selections)"),
        ("{ orders(first: 1) { ...Nowhere } }", "Unknown fragment 'Nowhere'."),
        ("query Q { order(id: $id) { id } }", "Variable '$id' is not defined by operation 'Q'."),
        ("{ shop { name }", "Syntax Error: Expected Name, found <EOF>."),
    ],
)
def test_other_faults_are_refused(text: str, message: str) -> None:
    assert validate(text) == [message]
