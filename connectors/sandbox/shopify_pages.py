"""Cut lists and tables of rows into pages with cursors, as Shopify's connections do."""

import base64
import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Protocol

from graphql import FieldNode, GraphQLError

from connectors.sandbox.shopify_search import Fact, search_for

LIMIT = 250
Key = tuple[Any, int]
"""What a table is sorted by, and the id that settles ties."""


class Table(Protocol):
    """Rows of one kind that can be sorted and searched."""

    @property
    def kind(self) -> str:
        """Return Shopify's type."""

    @property
    def sort_fields(self) -> Mapping[str, str]:
        """Return the search field that each sort key orders."""

    def keys(self, sort_key: str) -> Sequence[Key]:
        """Return the keys of all rows in ascending order."""

    def there(self, number: int) -> bool:
        """Tell whether a row may be seen."""

    def facts(self, number: int) -> Mapping[str, Fact]:
        """Return what a row can be searched by."""

    def row(self, number: int) -> dict[str, Any]:
        """Return one row."""


def gid(kind: str, number: int) -> str:
    """Return a row's global id."""
    return f"gid://shopify/{kind}/{number}"


def number_of(global_id: str, kind: str | None = None) -> int | None:
    """Return the number at the end of a global id; None for another kind's, or none at all."""
    head, _, tail = global_id.removeprefix("gid://shopify/").partition("/")
    tail = tail.partition("?")[0]
    return int(tail) if tail.isdigit() and kind in (None, head) else None


def bad_request(message: str) -> GraphQLError:
    """Return the error for a question that the schema allows and Shopify does not."""
    return GraphQLError(message, extensions={"code": "BAD_REQUEST"})


def _window(arguments: Mapping[str, Any]) -> tuple[int, bool]:
    """Return how many rows are asked for, and whether from the end."""
    first, last = arguments.get("first"), arguments.get("last")
    if first is None and last is None:
        raise bad_request("you must provide one of first or last")
    if first is not None and last is not None:
        raise bad_request("providing both first and last is not supported")
    size, name = (first, "first") if first is not None else (last, "last")
    if not isinstance(size, int) or size < 0:
        raise bad_request(f"{name} must be zero or greater")
    if size > LIMIT:
        raise bad_request(f"{name} cannot exceed {LIMIT}")
    return size, first is None


def _connection(rows: list[dict[str, Any]], cursors: Sequence[str], *, more: bool, before: bool) -> dict[str, Any]:
    return {
        "nodes": rows,
        "edges": lambda: [{"node": row, "cursor": cursor} for row, cursor in zip(rows, cursors, strict=True)],
        "pageInfo": {
            "hasNextPage": more, "hasPreviousPage": before,
            "startCursor": cursors[0] if cursors else None, "endCursor": cursors[-1] if cursors else None,
        },
    }  # fmt: skip


def _encode(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).decode()


def _decode(cursor: str) -> Any:
    try:
        return json.loads(base64.urlsafe_b64decode(cursor.encode()))
    except ValueError:
        raise bad_request(f"Invalid cursor for current pagination sort: {cursor}") from None


def page_of(asking: Any, rows: list[dict[str, Any]], arguments: Mapping[str, Any], node: FieldNode) -> dict[str, Any]:
    """Return a page of rows that hang on another row. Bulk operations get them all."""
    if asking.whole:
        return _connection(rows, ["" for _ in rows], more=False, before=False)
    size, from_end = _window(arguments)
    rows = rows[::-1] if arguments.get("reverse") else rows
    start, stop = 0, len(rows)
    if arguments.get("after") and not asking.repeat:
        start = int(_decode(arguments["after"])["place"]) + 1
    if arguments.get("before"):
        stop = int(_decode(arguments["before"])["place"])
    start, stop = (max(start, stop - size), stop) if from_end else (start, min(stop, start + size))
    taken = rows[start:stop]
    asking.sizes[id(node)] = max(asking.sizes.get(id(node), 0), len(taken))
    cursors = [_encode({"place": place}) for place in range(start, stop)] if taken else []
    return _connection(taken, cursors, more=stop < len(rows) or (asking.repeat and bool(taken)), before=start > 0)


def page_of_table(asking: Any, table: Table, arguments: Mapping[str, Any], node: FieldNode, default_sort: str = "ID") -> dict[str, Any]:
    """Return a page of a table: searched, sorted, and cut by cursors that stay where they are when rows are added."""
    sort_key = arguments.get("sortKey") or default_sort
    if sort_key not in table.sort_fields:
        raise bad_request(f"The sandbox does not sort {table.kind} by {sort_key}")
    found = _found(asking, table, sort_key, arguments.get("query"), node)
    if asking.whole:
        low, high = asking.part or (0, None)
        taken = list(islice(found(None, bool(arguments.get("reverse"))), low, high))
        return _connection([table.row(number) for _, number in taken], ["" for _ in taken], more=False, before=False)
    size, from_end = _window(arguments)
    reverse = bool(arguments.get("reverse")) != from_end
    bound = arguments.get("before") if from_end else arguments.get("after")
    passed = None if not bound or asking.repeat else _key(_decode(bound))
    taken = list(islice(found(passed, reverse), size + 1))
    more, taken = len(taken) > size, taken[:size]
    if from_end:
        taken = taken[::-1]
    asking.sizes[id(node)] = max(asking.sizes.get(id(node), 0), len(taken))
    cursors = [_encode({"last_id": number, "last_value": _plain(value)}) for value, number in taken]
    ahead, behind = (bool(bound), more) if from_end else (more, bool(bound))
    if asking.repeat and taken:
        ahead = True
    return _connection([table.row(number) for _, number in taken], cursors, more=ahead, before=behind)


def count_of(asking: Any, table: Table, arguments: Mapping[str, Any], node: FieldNode) -> dict[str, Any]:
    """Return how many rows of a table are found, up to the limit that Shopify counts to (10,000 unless told otherwise)."""
    found = sum(1 for _ in _found(asking, table, _narrowest(table, arguments.get("query")), arguments.get("query"), node)(None, False))
    limit = arguments.get("limit", 10_000)
    return {"count": found if limit is None else min(found, limit), "precision": "EXACT" if limit is None or found <= limit else "AT_LEAST"}


def _narrowest(table: Table, text: str | None) -> str:
    """Return the sort key that a search narrows, so that the rows it leaves out need not be looked at."""
    try:
        search = search_for(text)
    except ValueError:
        return "ID"
    return next((key for key, field in table.sort_fields.items() if search.bounds(field) != (None, None)), "ID")


Found = Callable[[Key | None, bool], Iterator[Key]]


def _found(asking: Any, table: Table, sort_key: str, text: str | None, node: FieldNode) -> Found:
    """Return what walks the keys of the rows that a search finds, from behind a key on."""
    name = node.alias.value if node.alias else node.name.value
    try:
        search = search_for(text)
    except ValueError as error:
        raise bad_request(f"{error} of {name}") from None
    low, high = search.bounds(table.sort_fields[sort_key])

    def walk(passed: Key | None, reverse: bool) -> Iterator[Key]:
        keys = table.keys(sort_key)
        start = 0 if low is None else bisect_left(keys, low, key=_first)
        stop = len(keys) if high is None else bisect_right(keys, high, key=_first)
        if passed is not None:
            start, stop = (start, min(stop, bisect_left(keys, passed))) if reverse else (max(start, bisect_right(keys, passed)), stop)
        for place in range(stop - 1, start - 1, -1) if reverse else range(start, stop):
            key = keys[place]
            if table.there(key[1]) and (not text or _matches(search, table, key[1], name)):
                yield key
        if search.unknown:
            warnings = [
                {"field": each, "message": "Invalid search field for this query.", "code": "invalid_field"} for each in sorted(search.unknown)
            ]
            asking.search.append({"path": [name], "query": text, "warnings": warnings})

    return walk


def _first(key: Key) -> Any:
    value = key[0]
    return value.replace(microsecond=0) if isinstance(value, datetime) else value


def _matches(search: Any, table: Table, number: int, name: str) -> bool:
    try:
        return bool(search.matches(table.facts(number)))
    except ValueError as error:
        raise bad_request(f"{error} for query filter of {name}.") from None


def _plain(value: Any) -> Any:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value


def _key(cursor: Any) -> Key:
    value = cursor["last_value"]
    if isinstance(value, str) and value[:4].isdigit() and "T" in value:
        value = datetime.fromisoformat(value)
    return value, int(cursor["last_id"])
