"""Reckon what a query costs as Shopify's own answers were found to: a list by the logarithm of its size, an object one point, money none."""

import math
from typing import Any

from graphql import GraphQLSchema, get_named_type, parse

FREE = ("MoneyBag", "MoneyV2", "PageInfo")


def query_cost(document: str, schema: GraphQLSchema, *, first: int = 1) -> int:
    """Return the points of a query whose variable `first` is given."""
    parsed = parse(document)
    fragments = {each.name.value: each for each in parsed.definitions if each.kind == "fragment_definition"}

    def number(node: Any) -> int | None:
        for argument in node.arguments or ():
            if argument.name.value == "first":
                return first if argument.value.kind == "variable" else int(argument.value.value)
        return None

    def weight(size: int) -> int:
        return max(1, math.floor(2 * math.log(size)))

    def cost_of(selections: Any, kind: Any) -> int:
        total, dearest = 0, 0
        for node in selections.selections:
            if node.kind == "field":
                total += 0 if node.name.value.startswith("__") else cost_of_field(node, kind)
            elif node.kind == "fragment_spread":
                fragment = fragments[node.name.value]
                total += cost_of(fragment.selection_set, schema.get_type(fragment.type_condition.name.value))
            else:
                dearest = max(dearest, cost_of(node.selection_set, schema.get_type(node.type_condition.name.value)))
        return total + dearest

    def cost_of_field(node: Any, kind: Any) -> int:
        returned = get_named_type(kind.fields[node.name.value].type)
        if node.selection_set is None or returned.name in FREE:
            return 0
        if returned.name == "Count":
            return 10
        size = number(node)
        if returned.name.endswith("Connection"):
            child = 1 + cost_of(next(each.selection_set for each in node.selection_set.selections if each.name.value == "nodes"), record_of(returned))
            return 2 + weight(size or 1) * child
        child = 1 + cost_of(node.selection_set, returned)
        return child if size is None else weight(size) * child

    def record_of(connection: Any) -> Any:
        return get_named_type(connection.fields["nodes"].type)

    operation = next(each for each in parsed.definitions if each.kind == "operation_definition")
    return cost_of(operation.selection_set, schema.query_type)
