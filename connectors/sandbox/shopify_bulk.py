"""Run bulk operations: refuse, queue, write JSONL to a file, and tell how far it is."""

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from graphql import GraphQLSchema

from connectors.sandbox.shopify_bulk_rules import refusals
from connectors.sandbox.shopify_execute import Asking, run
from connectors.sandbox.shopify_money import stamp
from connectors.sandbox.shopify_pages import gid
from connectors.sandbox.shopify_schema import check

AT_ONCE = 5
URL_LIFE = timedelta(days=7)
CHUNK = 500
POLLS_TO_RUN, POLLS_TO_END, SECONDS_TO_END = 1, 2, timedelta(seconds=2)
"""An operation runs from its first poll on and is told as finished from its second one, or after so long."""
ENDED = ("COMPLETED", "FAILED", "CANCELED", "EXPIRED")
PATIENCE = 5
"""Seconds for which a poll that is due to tell of the end waits for it, so that small operations end when they are said to."""
FIRST_ID = 7_000_000_000_000

Ask = Callable[[], Asking]


@dataclass(slots=True)
class Operation:
    """One bulk operation."""

    number: int
    query: str
    grouped: bool
    created_at: datetime
    path: Path
    client_id: str
    polls: int = 0
    written: threading.Event = field(default_factory=threading.Event)
    canceled: bool = False
    completed_at: datetime | None = None
    objects: int = 0
    roots: int = 0
    size: int = 0
    error: str | None = None
    fail_after: int | None = None
    """Trouble: fail once so many roots are written whole, and the next one in part."""

    @property
    def status(self) -> str:
        """Return Shopify's word for how far it is."""
        if self.canceled:
            return "CANCELED" if self.written.is_set() else "CANCELING"
        if self.completed_at is not None:
            return "FAILED" if self.error else "COMPLETED"
        return "RUNNING" if self.polls >= POLLS_TO_RUN else "CREATED"


class BulkDesk:
    """Hold one shop's bulk operations."""

    def __init__(self, schema: GraphQLSchema, folder: Path, wall: Callable[[], datetime]) -> None:
        self.schema, self.folder, self.wall = schema, folder, wall
        self._lock = threading.RLock()
        self.operations: dict[int, Operation] = {}

    def start(
        self, query: str, *, grouped: bool, ask: Ask, client_id: str, fail_after: int | None = None
    ) -> tuple[Operation | None, list[dict[str, Any]]]:
        """Start an operation, or return the user errors it is refused with. `ask` makes what each chunk is read with."""
        said = refusals(query, self.schema)
        if said:
            return None, [{"field": ["query"], "message": message, "code": "INVALID"} for message in said]
        with self._lock:
            self._settle()
            running = [each for each in self.operations.values() if each.status not in ENDED and each.client_id == client_id]
            if len(running) >= AT_ONCE:
                ids = ", ".join(gid("BulkOperation", each.number) for each in running)
                message = f"A bulk query operation for this app and shop is already in progress: {ids}."
                return None, [{"field": None, "message": message, "code": "OPERATION_IN_PROGRESS"}]
            number = max(FIRST_ID + int(self.wall().timestamp()), max(self.operations, default=0) + 1)  # no two, over a restart either
            operation = Operation(number, query, grouped, self.wall(), self.folder / f"bulk-{number}.jsonl", client_id, fail_after=fail_after)
            self.operations[number] = operation
        threading.Thread(target=self._write, args=(operation, ask), daemon=True).start()
        return operation, []

    def poll(self, number: int) -> Operation | None:
        """Return an operation and bring it forward, as asking does."""
        operation = self.operations.get(number)
        if operation is None:
            return None
        with self._lock:
            operation.polls += 1
        if (operation.polls >= POLLS_TO_END or self._is_due(operation)) and operation.completed_at is None and operation.written.wait(PATIENCE):
            operation.completed_at = self.wall()
        return operation

    def all(self) -> list[Operation]:
        """Return every operation as it stands, without bringing any forward."""
        with self._lock:
            self._settle()
            return list(self.operations.values())

    def _settle(self) -> None:
        """End what is written and due: operations end though nobody asks."""
        for operation in self.operations.values():
            if operation.completed_at is None and operation.written.is_set() and self._is_due(operation):
                operation.completed_at = self.wall()

    def _is_due(self, operation: Operation) -> bool:
        return self.wall() - operation.created_at >= SECONDS_TO_END

    def cancel(self, number: int) -> tuple[Operation | None, list[dict[str, Any]]]:
        """Cancel an operation, or return why it cannot be."""
        operation = self.operations.get(number)
        if operation is None:
            return None, [{"field": ["id"], "message": "Bulk operation does not exist"}]
        if operation.status in ENDED:
            return operation, [{"field": None, "message": f"A bulk operation cannot be canceled when it is {operation.status.lower()}"}]
        operation.canceled, operation.completed_at = True, self.wall()
        return operation, []

    def file(self, number: int) -> Path | None:
        """Return the file of an operation that may still be fetched."""
        operation = self.operations.get(number)
        if operation is None or operation.completed_at is None or operation.completed_at + URL_LIFE < self.wall():
            return None
        return operation.path if operation.size else None

    # Writing

    def _write(self, operation: Operation, ask: Ask) -> None:
        """Write the file, chunk by chunk of roots."""
        partial = operation.path.with_suffix(".part")
        try:
            with partial.open("wb") as out:
                for lines, roots in self._chunks(operation, ask):
                    out.write(lines)
                    operation.roots += roots
                    operation.objects += lines.count(b"\n")
                    if operation.canceled:
                        break
            operation.size = partial.stat().st_size
            partial.rename(operation.path)
        except Exception:
            operation.error = "INTERNAL_SERVER_ERROR"
            raise
        finally:
            operation.written.set()

    def _chunks(self, operation: Operation, ask: Ask) -> Iterator[tuple[bytes, int]]:
        document = check(operation.query, self.schema).document
        if document is None:
            return
        start, left = 0, operation.fail_after
        while True:
            asking = ask()
            asking.whole, asking.part = True, (start, start + CHUNK)
            result = run(self.schema, document, {}, None, asking)
            if result.errors or result.data is None:
                denied = any((error.extensions or {}).get("code") == "ACCESS_DENIED" for error in result.errors or ())
                operation.error = "ACCESS_DENIED" if denied else "INTERNAL_SERVER_ERROR"
                return
            rows = [edge["node"] for root in _connections(result.data).values() for edge in root["edges"]]
            taken = rows if left is None else rows[:left] + [_torn(row) for row in rows[left : left + 1]]
            yield _lines(taken, grouped=operation.grouped), len(taken)
            if left is not None:
                left -= len(rows)
                if left < 0:
                    operation.error = "INTERNAL_SERVER_ERROR"
                    return
            if len(rows) < CHUNK:
                return
            start += CHUNK

    def said(self, operation: Operation, base: str) -> dict[str, Any]:
        """Return an operation as a row."""
        status, number = operation.status, operation.number
        url = f"{base}/bulk/{number}.jsonl" if operation.size and status in ENDED else None
        done = status in ENDED
        return {
            "__typename": "BulkOperation", "id": gid("BulkOperation", number), "status": status, "type": "QUERY", "query": operation.query,
            "errorCode": operation.error if status == "FAILED" else None, "createdAt": stamp(operation.created_at),
            "completedAt": stamp(operation.completed_at) if operation.completed_at and done else None,
            "objectCount": str(operation.objects), "rootObjectCount": str(operation.roots),
            "fileSize": str(operation.size) if operation.size and done else None,
            "url": url if status == "COMPLETED" else None, "partialDataUrl": url if status == "FAILED" else None,
        }  # fmt: skip

    def close(self) -> None:
        """Stop writing and remove the files."""
        for operation in self.operations.values():
            operation.canceled = True
            operation.written.wait(5)
            with suppress(FileNotFoundError):
                operation.path.unlink()


def _connections(row: dict[str, Any]) -> dict[str, Any]:
    """Return the connections of a row: what has edges and nothing else."""
    return {key: value for key, value in row.items() if isinstance(value, dict) and value.keys() == {"edges"}}


def _torn(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with the first half of its children: what is written when an operation fails amid them."""
    return row | {key: {"edges": value["edges"][: len(value["edges"]) // 2]} for key, value in _connections(row).items()}


def _lines(rows: list[dict[str, Any]], *, grouped: bool) -> bytes:
    """Return rows as lines, their children as lines of their own that name the parent."""
    families = [list(_family(row, None)) for row in rows]
    if grouped:
        flat = [line for family in families for _, line in family]
    else:
        deepest = max((depth for family in families for depth, _ in family), default=0)
        flat = [line for wanted in range(deepest + 1) for family in families for depth, line in family if depth == wanted]
    return b"".join(_json(line) + b"\n" for line in flat)


def _family(row: dict[str, Any], parent: str | None, depth: int = 0) -> Iterator[tuple[int, dict[str, Any]]]:
    nested = _connections(row)
    own = {key: value for key, value in row.items() if key not in nested}
    yield depth, own if parent is None else own | {"__parentId": parent}
    for connection in nested.values():
        for edge in connection["edges"]:
            yield from _family(edge["node"], row["id"], depth + 1)


def _json(line: dict[str, Any]) -> bytes:
    return msgspec.json.encode(line).replace(b"/", b"\\/")
