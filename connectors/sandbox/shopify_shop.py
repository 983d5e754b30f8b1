"""Hold one shop of the sandbox's Shopify, and answer what is posted to its GraphQL address."""

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import msgspec
from graphql import GraphQLError, GraphQLSchema

from connectors.sandbox import shopify_root  # noqa: F401  importing it registers what answers the root's fields
from connectors.sandbox.answers import Answer, as_json
from connectors.sandbox.clock import Clock
from connectors.sandbox.shopify_bell import Bell
from connectors.sandbox.shopify_bucket import Bucket
from connectors.sandbox.shopify_bulk import BulkDesk
from connectors.sandbox.shopify_cost import Reckoning, operation_of, size_asked
from connectors.sandbox.shopify_courier import Courier
from connectors.sandbox.shopify_execute import Asking, run
from connectors.sandbox.shopify_pages import Table
from connectors.sandbox.shopify_schema import check, pruned_schema, refused_variable
from connectors.sandbox.shopify_tokens import App, TokenOffice
from connectors.sandbox.shopify_world import WorldRows
from connectors.sandbox.troubles import GRAPHQL, Trouble, Troubles

MOST_POINTS = 1000
PLANS = {"standard": 100, "advanced": 200, "plus": 1000, "enterprise": 2000}
"""Plan → points restored each second; the bucket holds twenty seconds' worth."""
ALL_ORDERS, RECENT = "read_all_orders", timedelta(days=60)
LIMITS_PAGE = "https://shopify.dev/api/usage/rate-limits"


class View(Protocol):
    """A shop's rows as of one moment."""

    def shop(self) -> dict[str, Any]:
        """Return the shop itself."""

    def account(self) -> dict[str, Any] | None:
        """Return the Shopify Payments account; None for a shop without."""

    def table(self, kind: str) -> Table:
        """Return all rows of a type."""

    def row(self, kind: str, number: int) -> dict[str, Any] | None:
        """Return one row by the number of its id."""


class Shop:
    """One shop: its tokens, its bucket, its operations and subscriptions, its troubles, and the rows it shows."""

    def __init__(
        self, domain: str, rows: WorldRows, *, clock: Clock, app: App, folder: Path, plan: str = "standard", seed: str = "1",
        schema: GraphQLSchema | None = None,
    ) -> None:  # fmt: skip
        self.domain, self.rows, self.clock = domain, rows, clock
        self.schema = schema or pruned_schema()
        self.troubles = Troubles(clock.wall)
        self.tokens = TokenOffice(domain, app, seed, self.wall)
        self.bulk = BulkDesk(self.schema, folder, self.wall)
        self.bucket = Bucket(PLANS[plan], self.wall())
        self.bucket.available = self.bucket.most * 1000
        self.subscriptions: dict[str, dict[str, Any]] = {}
        self.subscribed = 0
        self.changed: Callable[[], None] = lambda: None
        """Called when subscriptions change."""
        self.lock = threading.RLock()
        self.base_url = ""
        self.former_secret = app.client_secret
        self._former_until: datetime | None = None
        """By the wall: until when the secret that held before goes on signing."""
        self.bell = Bell(self, rows, folder)
        self.courier = Courier(self)
        self.requests: deque[dict[str, Any]] = deque(maxlen=1000)
        """The last requests: their operation, status, and cost."""

    # Time

    def now(self) -> datetime:
        """Return the world's time as this shop's clock has it."""
        return self.clock.now() + self._off()

    def wall(self) -> datetime:
        """Return what this shop's clock on the wall shows."""
        return self.clock.wall() + self._off()

    def _off(self) -> timedelta:
        trouble = self.troubles.now("clock_off")
        return timedelta(seconds=trouble.settings.get("seconds", 600)) if trouble else timedelta()

    # Rows

    def asking(self, granted: frozenset[str], like: Asking | None = None) -> Asking:
        """Return what a document is executed with: now, or at the moment and in the troubles of another."""
        if like is None:
            return Asking(self, granted, now=self.now())
        return Asking(self, granted, now=like.now, enum_values=like.enum_values, silent=like.silent)

    def view(self, asking: Asking) -> View:
        """Return the rows that may be seen: without `read_all_orders` orders of the last 60 days only."""
        if asking.view is None:
            now = asking.now or self.now()
            lag = self.troubles.now("index_lag")
            since = None if ALL_ORDERS in asking.granted else now - RECENT
            asking.view = self.rows.view(now, since=since, lag=lag.settings.get("seconds", 10) if lag else 0)
        view: View = asking.view
        return view

    def uninstall(self) -> None:
        """Take the app out of the shop: its tokens, operations and subscriptions end, and it is told so."""
        with self.lock:
            self.tokens.revoke_all()
            self.bell.uninstalled()
            self.subscriptions.clear()
            self.changed()

    # The app's secret

    def rotate(self, secret: str, *, former_signs: int = 3600) -> None:
        """Give the app another secret; the former one goes on signing deliveries for so many seconds of the wall's."""
        self.former_secret, before = self.tokens.app.client_secret, self.tokens.app
        self._former_until = self.wall() + timedelta(seconds=former_signs)
        self.tokens.app = replace(before, client_secret=secret)
        self.bell.outbox.write("secret", secret)

    def signs_with_former_secret(self) -> bool:
        """Tell whether deliveries are still signed with the secret that held before."""
        return self._former_until is not None and self.wall() < self._former_until

    # GraphQL

    def graphql(self, access: str, body: bytes) -> Answer:
        """Answer a document that was posted with an access token."""
        try:
            asked = msgspec.json.decode(body)
            document, variables, name = str(asked["query"]), asked.get("variables") or {}, asked.get("operationName")
        except (msgspec.DecodeError, KeyError, TypeError, AttributeError):
            return as_json({"errors": {"query": "Required parameter missing or invalid"}}, 400)
        checked = check(document, self.schema)
        operation = operation_of(checked.document, name) if checked.document is not None else None
        called = operation.name.value if operation is not None and operation.name else None
        struck = self.troubles.strike(GRAPHQL, called)
        answer = self._before(struck)
        if answer is None:
            if "token_revoked" in struck:
                self.tokens.revoke_all()
            token = self.tokens.find(access)
            if token is None:
                said = "[API] Invalid API key or access token (unrecognized login or wrong password)"
                answer = as_json({"errors": said}, 401)
            elif checked.errors or checked.document is None:
                answer = as_json({"errors": list(checked.errors)})
            elif operation is None:
                answer = as_json({"errors": [{"message": "An operation name is required"}]})
            else:
                answer = self._paid(checked.document, operation, variables, token.scopes, struck)
        self._after(answer, struck)
        self.requests.append({"operation": called, "status": answer.status, "variables": variables, "troubles": sorted(struck)})
        return answer

    def _before(self, struck: Mapping[str, Trouble]) -> Answer | None:
        """Return the answer of a trouble that keeps a request from being looked at."""
        if "locked" in struck:
            status = struck["locked"].settings.get("status", 402)
            said = {402: "Unavailable Shop", 403: "Forbidden", 423: "Locked"}.get(status, "Unavailable Shop")
            return as_json({"errors": said}, status)
        if "rate_limited" in struck:
            return as_json({"errors": "Too Many Requests"}, 429, **{"Retry-After": f"{struck['rate_limited'].settings.get('retry_after', 2)}.0"})
        if "server_error" in struck:
            status = struck["server_error"].settings.get("status", 503)
            return Answer(status, b"<html><body><h1>Something went wrong</h1></body></html>", {"Content-Type": "text/html; charset=utf-8"})
        if "html" in struck:
            page = b"<!DOCTYPE html><html><head><title>Shopify</title></head><body>We are making some changes.</body></html>"
            return Answer(struck["html"].settings.get("status", 200), page, {"Content-Type": "text/html; charset=utf-8"})
        return None

    def _after(self, answer: Answer, struck: Mapping[str, Trouble]) -> None:
        """Do to an answer what troubles do."""
        if "cut_body" in struck:
            answer.keep = struck["cut_body"].settings.get("keep", len(answer.body) // 2)
        if "slow" in struck:
            answer.delay = struck["slow"].settings.get("milliseconds", 1000)

    def _paid(self, document: Any, operation: Any, variables: dict[str, Any], granted: frozenset[str], struck: Mapping[str, Trouble]) -> Answer:
        """Charge an operation and execute it."""
        asked = Reckoning(self.schema, document, size_asked(variables)).cost(operation)
        if asked > MOST_POINTS:
            return as_json({"errors": [_too_dear(asked)]})
        with self.lock:
            self.bucket.fill(self.wall())
            taken = "throttled" not in struck and self.bucket.take(asked)
        if not taken:
            error = {"message": "Throttled", "extensions": {"code": "THROTTLED", "documentation": LIMITS_PAGE}}
            return as_json({"errors": [error], "extensions": {"cost": self._cost(asked, None, empty="throttled" in struck)}})
        asking = self.asking(granted)
        _trouble(asking, struck)
        if "internal_error" in struck:
            said, actual = _internal_error(), asked
        else:
            said = self._executed(document, variables, operation, asking)
            actual = min(asked, Reckoning(self.schema, document, lambda node: asking.sizes.get(id(node), 0)).cost(operation))
            if "missing_field" in struck:
                _forget(said.get("data"), struck["missing_field"].settings)
        with self.lock:
            self.bucket.give_back(asked - actual)
            said.setdefault("extensions", {})["cost"] = self._cost(asked, actual)
        return as_json(said)

    def _executed(self, document: Any, variables: dict[str, Any], operation: Any, asking: Asking) -> dict[str, Any]:
        result = run(self.schema, document, variables, operation.name.value if operation.name else None, asking)
        said: dict[str, Any] = {}
        if result.errors:
            said["errors"] = [refused_variable(error, operation, variables) for error in result.errors]
        if result.data is not None or not _of_request(result.errors or []):
            said["data"] = result.data
        if asking.search:
            said["extensions"] = {"search": asking.search}
        return said

    def _cost(self, asked: int, actual: int | None, *, empty: bool = False) -> dict[str, Any]:
        status = {
            "maximumAvailable": self.bucket.most, "currentlyAvailable": 0 if empty else self.bucket.available // 1000,
            "restoreRate": self.bucket.restore,
        }  # fmt: skip
        return {"requestedQueryCost": asked, "actualQueryCost": actual, "throttleStatus": status}

    def close(self) -> None:
        """End what runs in the background and remove its files."""
        self.courier.close()
        self.bell.close()
        self.bulk.close()


def _trouble(asking: Asking, struck: Mapping[str, Trouble]) -> None:
    """Tell an execution which troubles it is in."""
    asking.repeat = "repeated_page" in struck
    if "unknown_value" in struck:
        settings = struck["unknown_value"].settings
        asking.enum_values = {settings["field"]: settings.get("value", "SOMETHING_NEW")}
    if "silent_field" in struck:
        asking.silent = frozenset(struck["silent_field"].settings["field"].split(","))
    if "bulk_failed" in struck:
        asking.bulk_fails_after = struck["bulk_failed"].settings.get("keep", 1)


def _of_request(errors: list[GraphQLError]) -> bool:
    """Tell whether a request failed before anything was executed, such as over its variables."""
    return all(error.path is None for error in errors)


def _too_dear(cost: int) -> dict[str, Any]:
    message = (
        f"Query cost is {cost}, which exceeds the single query max cost limit ({MOST_POINTS}).\n\n"
        "See https://shopify.dev/concepts/about-apis/rate-limits for more information on how the\ncost of a query is calculated.\n\n"
        "To query larger amounts of data with fewer limits, bulk operations should be used instead.\n"
        "See https://shopify.dev/tutorials/perform-bulk-operations-with-admin-api for usage details.\n"
    )
    extensions = {"code": "MAX_COST_EXCEEDED", "cost": cost, "maxCost": MOST_POINTS, "documentation": LIMITS_PAGE}
    return {"message": message, "extensions": extensions}


def _internal_error() -> dict[str, Any]:
    said = "Internal error. Looks like something went wrong on our end.\nRequest ID: 0000 (include this in support requests)."
    return {"errors": [{"message": said, "extensions": {"code": "INTERNAL_SERVER_ERROR", "requestId": "0000"}}]}


def _forget(data: Any, settings: Mapping[str, Any]) -> None:
    """Take a field away from one record of the first connection that is found."""
    if not isinstance(data, dict):
        return
    for value in data.values():
        if isinstance(value, dict) and ("nodes" in value or "edges" in value):
            rows = value.get("nodes") or [edge["node"] for edge in value.get("edges", ())]
            place = settings.get("record", 0)
            if place < len(rows):
                rows[place].pop(settings.get("field", "id"), None)
            return
        _forget(value, settings)
