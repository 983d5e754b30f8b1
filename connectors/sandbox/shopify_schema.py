"""Read Shopify's schema and say, in Shopify's words, what is wrong with a document."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    InlineFragmentNode,
    Node,
    OperationDefinitionNode,
    VisitorAction,
    assert_valid_schema,
    build_schema,
    get_named_type,
    is_leaf_type,
    is_required_argument,
    parse,
    print_ast,
    specified_rules,
)
from graphql import validate as graphql_validate
from graphql.validation import (
    FieldsOnCorrectTypeRule,
    KnownArgumentNamesRule,
    ProvidedRequiredArgumentsRule,
    ScalarLeafsRule,
)

API_VERSION = "2026-10"
PRUNED = Path(__file__).with_name("shopify.graphql")


@dataclass(frozen=True, slots=True)
class Checked:
    """Hold a parsed document with the errors Shopify would answer; no errors means that it may be executed."""

    document: DocumentNode | None
    errors: tuple[dict[str, Any], ...]


@lru_cache(maxsize=1)
def pruned_schema() -> GraphQLSchema:
    """Build the schema of what the sandbox serves, once per process."""
    schema = build_schema(PRUNED.read_text(encoding="utf-8"))
    assert_valid_schema(schema)
    return schema


def validate(document: str, schema: GraphQLSchema | None = None) -> list[str]:
    """Return what Shopify would complain about in a document, one message each; an empty list means that it is valid."""
    return [str(error["message"]) for error in check(document, schema).errors]


def check(document: str, schema: GraphQLSchema | None = None) -> Checked:
    """Parse and validate a document; the answer is kept, since clients send the same few documents again and again."""
    return _check(document, schema or pruned_schema())


@lru_cache(maxsize=512)
def _check(document: str, schema: GraphQLSchema) -> Checked:
    try:
        parsed = parse(document)
    except GraphQLSyntaxError as error:
        return Checked(None, (_as_json(error),))
    return Checked(parsed, tuple(_as_json(error) for error in graphql_validate(schema, parsed, RULES)))


def refused_variable(error: GraphQLError, operation: OperationDefinitionNode, variables: dict[str, Any]) -> dict[str, Any]:
    """Return what Shopify says of a variable that does not fit its type; another error as it is."""
    for definition in operation.variable_definitions or ():
        name = definition.variable.name.value
        if error.path is None and error.message.startswith((f"Variable '${name}'", f'Variable "${name}"')):
            value = variables.get(name)
            explanation = "Expected value to not be null" if value is None else error.message.partition(": ")[2]
            extensions = {"code": "INVALID_VARIABLE", "value": value, "problems": [{"path": [], "explanation": explanation}]}
            message = f"Variable ${name} of type {print_ast(definition.type)} was provided invalid value"
            return {"message": message, "locations": _as_json(error).get("locations", []), "extensions": extensions}
    return dict(error.formatted)


def _as_json(error: GraphQLError) -> dict[str, Any]:
    """Return an error as Shopify prints it: the path of names that led to it instead of a list of rows."""
    said: dict[str, Any] = {"message": error.message}
    if error.locations:
        said["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    extensions = dict(error.extensions or {})
    path = extensions.pop("path", None)
    if path:
        said["path"] = path
    if extensions:
        said["extensions"] = extensions
    return said


def _names_down_to(node: Node, ancestors: Sequence[Any]) -> list[str]:
    """Return the names from the operation down to a node, as Shopify's refusals give them."""
    names = []
    for step in (*ancestors, node):
        if isinstance(step, OperationDefinitionNode):
            names.append(step.operation.value + (f" {step.name.value}" if step.name else ""))
        elif isinstance(step, FieldNode):
            names.append(step.alias.value if step.alias else step.name.value)
        elif isinstance(step, InlineFragmentNode):
            names.append("..." + (f" on {step.type_condition.name.value}" if step.type_condition else ""))
        elif step is not node and getattr(step, "kind", "") == "fragment_definition":
            names.append(f"fragment {step.name.value}")
    return names


class _UnknownField(FieldsOnCorrectTypeRule):
    """Refuse a field its type does not have."""

    def enter_field(self, node: FieldNode, _key: Any, _parent: Any, _path: Any, ancestors: list[Any]) -> None:
        """Report the field with the type it was asked of."""
        parent = self.context.get_parent_type()
        if parent and not self.context.get_field_def():
            name = node.name.value
            extensions = {"code": "undefinedField", "typeName": parent.name, "fieldName": name, "path": _names_down_to(node, ancestors)}
            self.report_error(GraphQLError(f"Field '{name}' doesn't exist on type '{parent.name}'", node, extensions=extensions))


class _UnknownArgument(KnownArgumentNamesRule):
    """Refuse an argument its field does not have; directives are judged as everywhere."""

    def enter_argument(self, node: Any, _key: Any, _parent: Any, _path: Any, ancestors: list[Any]) -> None:
        """Report the argument with the field it was given to."""
        context, field = self.context, self.context.get_field_def()
        if field and not context.get_argument() and context.get_parent_type() and isinstance(ancestors[-1], FieldNode):
            asked, name = ancestors[-1].name.value, node.name.value
            path = [*_names_down_to(node, ancestors), name]
            extensions = {"code": "argumentNotAccepted", "name": asked, "typeName": "Field", "argumentName": name, "path": path}
            self.report_error(GraphQLError(f"Field '{asked}' doesn't accept argument '{name}'", node, extensions=extensions))


class _MissingArgument(ProvidedRequiredArgumentsRule):
    """Refuse a field without an argument it must have."""

    def leave_field(self, node: FieldNode, _key: Any, _parent: Any, _path: Any, ancestors: list[Any]) -> VisitorAction:
        """Report all missing arguments of a field in one sentence."""
        field = self.context.get_field_def()
        given = {argument.name.value for argument in node.arguments or ()}
        missing = [name for name, argument in (field.args if field else {}).items() if is_required_argument(argument) and name not in given]
        if missing:
            name, names = node.name.value, ", ".join(missing)
            path = _names_down_to(node, ancestors)
            extensions = {"code": "missingRequiredArguments", "className": "Field", "name": name, "arguments": names, "path": path}
            self.report_error(GraphQLError(f"Field '{name}' is missing required arguments: {names}", node, extensions=extensions))
        return None


class _Selections(ScalarLeafsRule):
    """Refuse an object without a selection, and a scalar with one."""

    def enter_field(self, node: FieldNode, _key: Any, _parent: Any, _path: Any, ancestors: list[Any]) -> None:
        """Report the field with its type."""
        kind = self.context.get_type()
        if kind is None or is_leaf_type(get_named_type(kind)) == (node.selection_set is None):
            return
        name, kind_name = node.name.value, get_named_type(kind).name
        text = f"Field must have selections (field '{name}' returns {kind_name} but has no selections. Did you mean '{name} {{ ... }}'?)"
        if node.selection_set:
            text = f"Selections can't be made on scalars (field '{name}' returns {kind_name} but has selections)"
        extensions = {"code": "selectionMismatch", "nodeName": f"field '{name}'", "typeName": kind_name, "path": _names_down_to(node, ancestors)}
        self.report_error(GraphQLError(text, node, extensions=extensions))


_IN_SHOPIFYS_WORDS: dict[Any, Any] = {
    FieldsOnCorrectTypeRule: _UnknownField,
    KnownArgumentNamesRule: _UnknownArgument,
    ProvidedRequiredArgumentsRule: _MissingArgument,
    ScalarLeafsRule: _Selections,
}
RULES = tuple(_IN_SHOPIFYS_WORDS.get(rule, rule) for rule in specified_rules)
