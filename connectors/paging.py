"""Find the next page in an answer: the ways in which platforms page."""

from collections.abc import Sequence

from msgspec.structs import replace

from connectors.faults import BadPayload
from connectors.spec import Json, Request


def at(answer: object, path: Sequence[str]) -> object:
    """Return what stands at a path of names; raise BadPayload where the answer has no such place."""
    here = answer
    for name in path:
        if not isinstance(here, dict) or name not in here:
            raise BadPayload(f"The answer has no “{'.'.join(path)}”.")
        here = here[name]
    return here


class GraphQLPages:
    """Page by a connection's `pageInfo`, whose end cursor becomes the variable `after`."""

    def __init__(self, *path: str) -> None:
        self.path = ("data", *path, "pageInfo")

    def next(self, request: Request, answer: Json) -> Request | None:
        """Return the request with the end cursor; None when there is no next page."""
        info = at(answer, self.path)
        if not isinstance(info, dict) or not isinstance(info.get("hasNextPage"), bool):
            raise BadPayload("The answer does not say whether there is a next page.")
        if not info["hasNextPage"]:
            return None
        if not isinstance(info.get("endCursor"), str) or not info["endCursor"]:
            raise BadPayload("The answer has a next page and does not say where.")
        return _with_variable(request, "after", info["endCursor"])

    def resized(self, request: Request, size: int) -> Request:
        """Return the request with another variable `first`."""
        return replace(_with_variable(request, "first", size), size=size)


def _with_variable(request: Request, name: str, value: object) -> Request:
    body = request.body or {}
    return replace(request, body={**body, "variables": {**body.get("variables", {}), name: value}})


class OnePage:
    """Be the paginator of what comes whole."""

    def next(self, request: Request, answer: Json) -> Request | None:
        """Return None."""
        return None

    def resized(self, request: Request, size: int) -> Request:
        """Return the request as it is: what comes whole has no size."""
        return request
