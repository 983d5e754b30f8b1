"""Say why Shopify would refuse a bulk query, in the words it was seen to use."""

from dataclasses import dataclass, field
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSchema,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    get_nullable_type,
    is_list_type,
)

from connectors.sandbox.shopify_schema import check

MOST_CONNECTIONS, DEEPEST = 5, 2


@dataclass(slots=True)
class _Seen:
    """What was met on the way through a query."""

    connections: int = 0
    deepest: int = 0
    by_nodes: list[str] = field(default_factory=list)
    without_id: list[str] = field(default_factory=list)
    within_list: bool = False


def refusals(query: str, schema: GraphQLSchema) -> list[str]:
    """Return Shopify's objections to a bulk query; none means that it may run."""
    if not query.strip():
        return ["Invalid bulk query: syntax error, unexpected end of file"]
    checked = check(query, schema)
    if checked.document is None or checked.errors:
        return [f"Invalid bulk query: {error['message']}" for error in checked.errors]
    operations = [each for each in checked.document.definitions if isinstance(each, OperationDefinitionNode)]
    if len(operations) != 1 or operations[0].operation.value != "query":
        return ["Invalid operation type. Only `query` operations are supported."]
    fragments = {each.name.value: each for each in checked.document.definitions if isinstance(each, FragmentDefinitionNode)}
    seen, walk = _Seen(), _Walk(schema, fragments)
    roots = [node for node in operations[0].selection_set.selections if isinstance(node, FieldNode)]
    walk.selections(seen, schema.query_type, operations[0].selection_set, depth=0, in_list=False, parent=None)
    return [f"Bulk queries cannot contain a top level `{root.name.value}` field." for root in roots if root.name.value in ("node", "nodes")] + [
        said for said, holds in _rules(seen) if holds
    ]


def _rules(seen: _Seen) -> list[tuple[str, bool]]:
    by_nodes, without_id = ", ".join(f"'{name}'" for name in seen.by_nodes), ", ".join(seen.without_id)
    example = f"{seen.by_nodes[0] if seen.by_nodes else ''} {{ edges {{ node {{"
    return [
        ("Bulk queries must contain at least one connection.", seen.connections == 0),
        (f"Bulk queries cannot contain more than {MOST_CONNECTIONS} connections.", seen.connections > MOST_CONNECTIONS),
        (f"Bulk queries cannot contain connections with a nesting depth greater than {DEEPEST}.", seen.deepest - 1 > DEEPEST),
        (
            "All connection fields in a bulk query must select their contents using 'edges' > 'node', "
            f"e.g: '{example}'. Selecting via 'nodes' is not supported. Invalid connection fields: {by_nodes}.",
            bool(by_nodes),
        ),
        (
            "The parent 'node' field for a nested connection must select the 'id' field without an alias and must be of 'ID' return type. "
            f"Connection fields without 'id': {without_id}.",
            bool(without_id),
        ),
        ("Queries that contain a connection field within a list field are not currently supported.", seen.within_list),
    ]


class _Walk:
    """Go through selections and note what the rules ask about."""

    def __init__(self, schema: GraphQLSchema, fragments: dict[str, Any]) -> None:
        self.schema, self.fragments = schema, fragments

    def selections(self, seen: _Seen, kind: Any, selections: SelectionSetNode | None, *, depth: int, in_list: bool, parent: str | None) -> None:
        """Go through one selection. `parent` names the connection whose node it is."""
        for owner, node in self._fields(kind, selections):
            definition = owner.fields.get(node.name.value) if owner is not None else None
            if definition is None or node.selection_set is None:
                continue
            of, name = get_named_type(definition.type), node.name.value
            if of.name.endswith("Connection"):
                self._connection(seen, of, node, depth=depth, in_list=in_list, parent=parent, siblings=self._fields(kind, selections))
            else:
                lists = in_list or is_list_type(get_nullable_type(definition.type))
                self.selections(seen, of, node.selection_set, depth=depth, in_list=lists, parent=parent if name == "node" else None)

    def _connection(
        self, seen: _Seen, of: Any, node: FieldNode, *, depth: int, in_list: bool, parent: str | None, siblings: list[tuple[Any, FieldNode]]
    ) -> None:
        seen.connections += 1
        seen.deepest = max(seen.deepest, depth + 1)
        seen.within_list |= in_list
        has_id = any(each.name.value == "id" and each.alias is None for _, each in siblings)
        if parent is not None and not has_id and parent not in seen.without_id:
            seen.without_id.append(parent)
        for owner, child in self._fields(of, node.selection_set):
            if child.name.value == "nodes":
                seen.by_nodes.append(node.name.value)
            if child.name.value == "edges":
                edge = get_named_type(owner.fields["edges"].type)
                for _, inner in self._fields(edge, child.selection_set):
                    if inner.name.value == "node":
                        row = get_named_type(edge.fields["node"].type)
                        self.selections(seen, row, inner.selection_set, depth=depth + 1, in_list=False, parent=node.name.value)

    def _fields(self, kind: Any, selections: SelectionSetNode | None) -> list[tuple[Any, FieldNode]]:
        """Return the fields of a selection, those of its fragments included, with the type that owns each."""
        found: list[tuple[Any, FieldNode]] = []
        for node in selections.selections if selections else ():
            if isinstance(node, FieldNode):
                found.append((kind, node))
                continue
            source: Any = self.fragments[node.name.value] if isinstance(node, FragmentSpreadNode) else node
            owner = self.schema.get_type(source.type_condition.name.value) if source.type_condition else kind
            found += self._fields(owner, source.selection_set)
        return found
