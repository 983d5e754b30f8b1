"""Ask Shopify: make requests of GraphQL documents, and find the records in answers."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from connectors.faults import BadPayload
from connectors.paging import GraphQLPages, at
from connectors.platforms.shopify.queries import VERSION
from connectors.platforms.shopify.shape import tail
from connectors.spec import Json, Request, Window

PATH = f"admin/api/{VERSION}/graphql.json"


def ask(document: str, *, size: int | None = None, **variables: Any) -> Request:
    """Return the request of a document; with a size, it is asked for that many records at once."""
    if size is not None:
        variables["first"] = size
    return Request(method="POST", path=PATH, body={"query": document, "variables": variables}, size=size)


def records(*path: str) -> Callable[[Json], Sequence[Json]]:
    """Return what takes the records of a connection from an answer; it raises BadPayload where they are missing."""

    def take(answer: Json) -> Sequence[Json]:
        found = at(answer, ("data", *path, "nodes"))
        if not isinstance(found, list) or not all(isinstance(record, dict) for record in found):
            raise BadPayload(f"The answer has no list of {path[-1]}.")
        return found

    return take


def payments_records(name: str) -> Callable[[Json], Sequence[Json]]:
    """Return what takes records of Shopify Payments from an answer; a shop without Shopify Payments has none."""
    take = records("shopifyPaymentsAccount", name)
    return lambda answer: [] if has_no_payments(answer) else take(answer)


def has_no_payments(answer: Json) -> bool:
    """Tell whether the shop has no account with Shopify Payments."""
    return at(answer, ("data", "shopifyPaymentsAccount")) is None


class PaymentsPages(GraphQLPages):
    """Page through records of Shopify Payments, where the shop has it."""

    def next(self, request: Request, answer: Json) -> Request | None:
        """Return the request of the next page; None at the end."""
        return None if has_no_payments(answer) else super().next(request, answer)


def changed_within(window: Window, *, field: str = "updated_at") -> str:
    """Write a window as Shopify's search has it. Times are quoted and in UTC; which status an order has does not matter."""
    terms = [f"{field}:<'{_written(window.until)}'"]
    if window.since is not None:
        terms.insert(0, f"{field}:>='{_written(window.since)}'")
    return " AND ".join(terms)


def _written(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def time_of(record: Json, field: str = "updatedAt") -> datetime:
    """Return the time of change of a record; raise BadPayload when it has none."""
    text = record.get(field)
    try:
        found = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError as error:
        raise BadPayload(f"“{text}” is not a time.", record=str(record.get("id", ""))) from error
    if found is None or found.tzinfo is None:
        raise BadPayload(f"The record has no {field}.", record=str(record.get("id", "")))
    return found


def identity(record: Json) -> str:
    """Return the number of a record, which is what facts call it; raise BadPayload when it has none."""
    found = record.get("id")
    if not isinstance(found, str) or not tail(found):
        raise BadPayload("The record has no id.")
    return tail(found)


def gid(kind: str, number: str) -> str:
    """Return what Shopify calls the record of a kind with a number."""
    return f"gid://shopify/{kind}/{number}"
