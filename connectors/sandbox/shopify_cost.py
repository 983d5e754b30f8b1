"""Reckon what a query costs, as Shopify does: objects one point, scalars and money none, a connection by its size."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLCompositeType,
    GraphQLSchema,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    is_leaf_type,
)

MONEY = {"MoneyBag", "MoneyV2", "PageInfo", "Count"}
"""Objects that cost nothing, with all they hold."""
CONNECTION = 2
COUNT_FIELD = MUTATION = 10

Size = Callable[[FieldNode], int]


def operation_of(document: DocumentNode, name: str | None) -> OperationDefinitionNode | None:
    """Return the operation to execute: the named one, or the only one."""
    operations = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    named = [each for each in operations if name is None or (each.name and each.name.value == name)]
    return named[0] if len(named) == 1 else None


def size_asked(variables: Mapping[str, Any]) -> Size:
    """Return the page size each connection asks for."""

    def size(node: FieldNode) -> int:
        for argument in node.arguments or ():
            if argument.name.value in ("first", "last"):
                value = argument.value
                asked = variables.get(value.name.value) if isinstance(value, VariableNode) else None
                if isinstance(value, IntValueNode):
                    asked = int(value.value)
                if isinstance(asked, int):
                    return asked
        return 0

    return size


class Reckoning:
    """Walk one operation and add up its points. `size` says how many rows a connection's field asks for or gave."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, size: Size) -> None:
        self.schema, self.size = schema, size
        self.fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}

    def cost(self, operation: OperationDefinitionNode) -> int:
        """Return the points of an operation."""
        if operation.operation.value == "mutation":
            return MUTATION * len(operation.selection_set.selections)
        root = self.schema.query_type
        return self._selections(root, operation.selection_set) if root else 0

    def _selections(self, parent: Any, selections: SelectionSetNode | None) -> int:
        """Add up a selection, what its fragments ask for on whatever type included."""
        total = 0
        for node in selections.selections if selections else ():
            if isinstance(node, FieldNode):
                total += self._field(parent, node)
                continue
            source: Any = self.fragments[node.name.value] if isinstance(node, FragmentSpreadNode) else node
            condition = source.type_condition
            total += self._selections(self.schema.get_type(condition.name.value) if condition else parent, source.selection_set)
        return total

    def _field(self, parent: GraphQLCompositeType, node: FieldNode) -> int:
        field = getattr(parent, "fields", {}).get(node.name.value)
        if field is None:
            return 0
        kind = get_named_type(field.type)
        if parent is self.schema.query_type and kind.name == "Count":
            return COUNT_FIELD
        if is_leaf_type(kind) or kind.name in MONEY:
            return 0
        inner = self._selections(kind, node.selection_set)
        if kind.name.endswith("Connection"):
            return CONNECTION + _weight(self.size(node)) * inner
        return inner if kind.name.endswith("Edge") else 1 + inner


def _weight(size: int) -> int:
    """Return how often the rows of a page count: little more than twice the logarithm of its size."""
    return max(1, math.floor(2 * math.log(size))) if size else 0
