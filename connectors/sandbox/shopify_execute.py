"""Execute documents by graphql-core over rows of plain dicts, quickly.

A row's values are what GraphQL answers already: texts, numbers, dicts, lists, or a function without arguments that
returns one of these when it is asked for. Whatever is plainly there is copied into the answer; whatever is not
(null where there must be something, a scope that is missing, an error) goes graphql-core's own way, which finds the words for it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    GraphQLEnumType,
    GraphQLError,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)
from graphql.execution import execute
from graphql.execution.executor import Executor
from graphql.execution.values import get_argument_values
from graphql.pyutils import Path, Undefined

from connectors.sandbox import shopify_access as access
from connectors.sandbox.shopify_pages import page_of


@dataclass(slots=True)
class Asking:
    """Hold one request's way through the rows: who asks, what is granted, and what was found on the way."""

    shop: Any
    """The shop's own state, for the resolvers of the root."""
    granted: frozenset[str]
    whole: bool = False
    """Answer connections whole, as bulk operations do."""
    sizes: dict[int, int] = field(default_factory=dict)
    """How many rows each connection's field gave at most, by the id of its node."""
    search: list[dict[str, Any]] = field(default_factory=list)
    """What the searches came to: sent back where something in them was not understood."""
    repeat: bool = False
    """Trouble: answer the first page for ever."""
    enum_values: Mapping[str, str] = field(default_factory=dict)
    """Trouble: values that no schema knows, by type and field."""
    silent: frozenset[str] = frozenset()
    """Trouble: fields, by type and name, that tell nothing: null, or an empty list."""
    part: tuple[int, int] | None = None
    """Which rows of a root connection a bulk operation is reading: from and up to."""
    now: datetime | None = None
    """The moment whose state is asked for; None before the shop has set it."""
    bulk_fails_after: int | None = None
    """Trouble: how many rows a bulk operation that begins now writes before it fails."""
    view: Any = None
    """The shop's rows as of that moment, made when they are first needed."""


class Unlisted(str):
    """A value of an enum that its schema does not list: platforms send them before they are documented."""


Resolver = Callable[[Asking, Any, dict[str, Any], FieldNode], Any]
RESOLVERS: dict[tuple[str, str], Resolver] = {}
"""Type and field → what answers it, where it is not simply in the row."""


def resolves(parent: str, name: str) -> Callable[[Resolver], Resolver]:
    """Register what answers a field."""

    def register(resolver: Resolver) -> Resolver:
        RESOLVERS[parent, name] = resolver
        return resolver

    return register


def run(
    schema: GraphQLSchema, document: DocumentNode, variables: dict[str, Any], operation: str | None, asking: Asking, *, plainly: bool = True
) -> ExecutionResult:
    """Execute an operation. Without `plainly` graphql-core walks every field itself, which is slower and must answer the same."""
    result = execute(
        schema, document, {}, asking, variables, operation, field_resolver=_resolve, executor_class=PlainExecutor if plainly else Executor
    )  # fmt: skip
    assert isinstance(result, ExecutionResult)  # noqa: S101  no resolver is a coroutine
    return result


def _resolve(source: Any, info: GraphQLResolveInfo, **arguments: Any) -> Any:
    asking: Asking = info.context
    scopes = access.denied(info.parent_type, info.field_name, info.return_type, asking.granted)
    if scopes:
        raise access.refusal(info.field_name, scopes)
    return _value(asking, info.parent_type.name, info.field_name, info.return_type, source, arguments, info.field_nodes[0])


def _value(asking: Asking, parent: str, name: str, kind: Any, source: Any, arguments: dict[str, Any], node: FieldNode) -> Any:
    """Return what a row says of a field."""
    unknown = asking.enum_values.get(f"{parent}.{name}")
    if unknown is not None:
        return Unlisted(unknown)
    if f"{parent}.{name}" in asking.silent:
        return _nothing(asking, kind, arguments, node)
    resolver = RESOLVERS.get((parent, name))
    value = resolver(asking, source, arguments, node) if resolver else source.get(name)
    if callable(value):
        value = value()
    if isinstance(value, list) and get_named_type(kind).name.endswith("Connection"):
        return page_of(asking, value, arguments, node)
    return value


def _nothing(asking: Asking, kind: Any, arguments: dict[str, Any], node: FieldNode) -> Any:
    """Return what a field of a type answers when it has nothing to tell."""
    if get_named_type(kind).name.endswith("Connection"):
        return page_of(asking, [], arguments, node)
    return [] if is_list_type(get_nullable_type(kind)) else None


MISS: Any = object()
"""What a copy returns where graphql-core must look itself."""
Copy = Callable[[Any], Any]
_PLAIN: dict[str, tuple[type, ...]] = {"Int": (int,), "Float": (int, float), "Boolean": (bool,), "JSON": (dict, list, str)}


class PlainExecutor(Executor[Any]):
    """Copy what is plainly there; leave the rest to graphql-core."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._ways: dict[tuple[str, int], tuple[Any, list[tuple[str, Copy | None, Any]]]] = {}

    def execute_fields(
        self, parent_type: GraphQLObjectType, source_value: Any, path: Path | None, grouped_field_set: Any, position_context: Any
    ) -> Any:
        """Answer the fields of one object."""
        results: dict[str, Any] = {}
        for name, copy, details in self._fields(parent_type, grouped_field_set):
            if copy is not None:
                value = copy(source_value)
                if value is not MISS:
                    results[name] = value
                    continue
            value = self.execute_field(parent_type, source_value, details, Path(path, name, parent_type.name), position_context)
            if value is not Undefined:
                results[name] = value
        return results

    @staticmethod
    def complete_leaf_value(return_type: Any, result: Any) -> Any:
        """Answer a value that the schema does not list as it is."""
        return str(result) if isinstance(result, Unlisted) else Executor.complete_leaf_value(return_type, result)

    def _fields(self, parent: GraphQLObjectType, grouped: Any) -> list[tuple[str, Copy | None, Any]]:
        """Return how each field of a selection is copied from a row; None where graphql-core must see to it."""
        key = (parent.name, id(grouped))
        known = self._ways.get(key)
        if known is None:
            ways = [(name, self._way(parent, details), details) for name, details in grouped.items()]
            known = self._ways[key] = (grouped, ways)  # the set is kept so that its id stays its own
        return known[1]

    def _way(self, parent: GraphQLObjectType, details: Any) -> Copy | None:
        node = details[0].node
        name = node.name.value
        if name == "__typename":
            return _always(parent.name)
        definition = parent.fields.get(name)
        if definition is None or parent in (self.schema.query_type, self.schema.mutation_type):
            return None
        if access.denied(parent, name, definition.type, self.context_value.granted):
            return None
        asking, kind, complete = self.context_value, definition.type, self._copy(definition.type, details)
        troubled = f"{parent.name}.{name}" in asking.enum_values or f"{parent.name}.{name}" in asking.silent
        simple = (parent.name, name) not in RESOLVERS and not troubled
        if simple and not get_named_type(kind).name.endswith("Connection"):
            return _from_row(name, complete)
        arguments = get_argument_values(definition, node, self.variable_values, details[0].fragment_variable_values)
        return _from_resolver(asking, parent.name, name, kind, arguments, node, complete)

    def _copy(self, kind: Any, details: Any) -> Copy:
        """Return what copies a value of a type, or misses where it is not what the type says."""
        if is_non_null_type(kind):
            return _never_null(self._copy(kind.of_type, details))
        if is_list_type(kind):
            return _each(self._copy(kind.of_type, details))
        if is_leaf_type(kind):
            return _leaf(kind)
        return self._object(kind, details)

    def _object(self, kind: Any, details: Any) -> Copy:
        ways: dict[str, list[tuple[str, Copy | None, Any]] | None] = {}

        def fields_of(name: str) -> list[tuple[str, Copy | None, Any]] | None:
            runtime = self.schema.get_type(name)
            fits = runtime is kind or (is_abstract_type(kind) and is_object_type(runtime) and self.schema.is_sub_type(kind, runtime))
            if not fits or not is_object_type(runtime):
                return None
            return self._fields(runtime, self.collect_subfields(runtime, details).grouped_field_set)

        def copy(row: Any) -> Any:
            if row is None:
                return None
            name = kind.name if is_object_type(kind) else row.get("__typename", "")
            if name not in ways:
                ways[name] = fields_of(name)
            fields = ways[name]
            if fields is None:
                return MISS
            results = {}
            for key, inner, _ in fields:
                value = MISS if inner is None else inner(row)
                if value is MISS:
                    return MISS
                results[key] = value
            return results

        return copy


def _always(value: Any) -> Copy:
    return lambda _row: value


def _from_row(name: str, complete: Copy) -> Copy:
    def copy(row: Any) -> Any:
        value = row.get(name)
        return complete(value() if callable(value) else value)

    return copy


def _from_resolver(asking: Asking, parent: str, name: str, kind: Any, arguments: dict[str, Any], node: FieldNode, complete: Copy) -> Copy:
    def copy(row: Any) -> Any:
        try:
            return complete(_value(asking, parent, name, kind, row, arguments, node))
        except GraphQLError:
            return MISS  # graphql-core asks again and reports it at its place

    return copy


def _never_null(complete: Copy) -> Copy:
    def copy(value: Any) -> Any:
        return MISS if value is None else complete(value)

    return copy


def _each(complete: Copy) -> Copy:
    def copy(values: Any) -> Any:
        if values is None:
            return None
        results = [complete(value) for value in values]
        return MISS if MISS in results else results

    return copy


def _leaf(kind: Any) -> Copy:
    if isinstance(kind, GraphQLEnumType):
        names = kind.values
        return lambda value: value if value is None or value in names else str(value) if type(value) is Unlisted else MISS
    plain = _PLAIN.get(kind.name, (str,))
    return lambda value: value if value is None or type(value) in plain else MISS
