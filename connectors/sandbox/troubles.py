"""Cause troubles on demand: each strikes requests by their number, so that a test can say exactly when."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

GRAPHQL, OAUTH, DOWNLOAD, DELIVERY = "graphql", "oauth", "download", "delivery"
"""Where requests are counted, each by itself."""

KINDS: Mapping[str, tuple[str, str]] = {
    "token_revoked": (GRAPHQL, "401: the token was taken back"),
    "rate_limited": (GRAPHQL, "429 with Retry-After (retry_after seconds)"),
    "throttled": (GRAPHQL, "200 with THROTTLED and no data"),
    "server_error": (GRAPHQL, "a failing server (status, 503 unless told otherwise)"),
    "cut_body": (GRAPHQL, "the connection ends in the middle of the body (keep bytes, or half of it)"),
    "slow": (GRAPHQL, "an answer that takes its time (milliseconds)"),
    "repeated_page": (GRAPHQL, "every page is the first, and promises another"),
    "html": (GRAPHQL, "a page for people instead of JSON (status, 200 unless told otherwise)"),
    "internal_error": (GRAPHQL, "INTERNAL_SERVER_ERROR within a 200"),
    "unknown_value": (GRAPHQL, "an enum's value that no schema lists (field such as Order.displayFinancialStatus, value)"),
    "silent_field": (GRAPHQL, "fields that tell nothing, null or an empty list (field such as Order.agreements, several by commas)"),
    "missing_field": (GRAPHQL, "a record without a field it must have (field, record from 0 on)"),
    "clock_off": (GRAPHQL, "the shop's clock is off (seconds); counts for everything while it lasts"),
    "locked": (GRAPHQL, "the shop is closed (status 402, 403 or 423)"),
    "index_lag": (GRAPHQL, "searches find changes late (up to seconds)"),
    "bulk_failed": (GRAPHQL, "bulk operations end FAILED with keep rows whole and the next in part"),
    "oauth_error": (OAUTH, "the authorisation server fails (status)"),
    "download_cut": (DOWNLOAD, "a bulk file ends too early (keep bytes)"),
    "lost": (DELIVERY, "a delivery that is never sent"),
    "repeated": (DELIVERY, "a delivery that is sent again (copies)"),
    "late": (DELIVERY, "a delivery that is sent late (seconds)"),
    "out_of_order": (DELIVERY, "a delivery that others overtake: it waits up to so many seconds, each another while"),
    "forged": (DELIVERY, "a delivery of somebody else's besides, with a signature that is none"),
    "former_secret": (DELIVERY, "a delivery signed with the secret that held before"),
}
"""Kind of trouble → where its requests are counted, and what it does."""


@dataclass(slots=True)
class Trouble:
    """One trouble. It strikes `count` requests (None: all) from the `first` one on, counted from 1 since it was added, until it ends."""

    kind: str
    first: int = 1
    count: int | None = None
    operation: str | None = None
    """Only requests of this GraphQL operation, or deliveries of this topic, are counted and struck."""
    every: int = 1
    """Of those that it could strike, every so manieth."""
    ends_at: datetime | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    seen: int = 0
    struck: int = 0

    def meets(self, surface: str, operation: str | None, now: datetime) -> bool:
        """Count a request and tell whether it is struck."""
        if self._is_over(now) or KINDS[self.kind][0] != surface or (self.operation is not None and self.operation != operation):
            return False
        self.seen += 1
        strikes = self.seen >= self.first and (self.count is None or self.seen < self.first + self.count)
        strikes = strikes and (self.seen - self.first) % self.every == 0
        self.struck += strikes
        return strikes

    def _is_over(self, now: datetime) -> bool:
        return self.ends_at is not None and now >= self.ends_at

    def lasts(self, now: datetime) -> bool:
        """Tell whether the trouble has begun and not yet ended."""
        return not self._is_over(now) and self.seen + 1 >= self.first and (self.count is None or self.seen < self.first + self.count)

    def said(self) -> dict[str, Any]:
        """Return the trouble as the control pages show it."""
        return {
            "kind": self.kind, "first": self.first, "count": self.count, "operation": self.operation, "every": self.every,
            "ends_at": self.ends_at.isoformat() if self.ends_at else None, **self.settings,
            "seen": self.seen, "struck": self.struck,
        }  # fmt: skip


class Troubles:
    """Hold a shop's troubles. `wall` tells the time by which they end."""

    def __init__(self, wall: Callable[[], datetime]) -> None:
        self._wall = wall
        self._lock = threading.Lock()
        self._troubles: list[Trouble] = []

    def add(
        self, kind: str, *, first: int = 1, count: int | None = None, operation: str | None = None, lasts: int | None = None, every: int = 1,
        **settings: Any,
    ) -> Trouble:  # fmt: skip
        """Add a trouble that strikes `count` requests from the `first` after now on, of them every so manieth, for as many seconds as it `lasts`.

        Deliveries are counted as they are written. An unknown kind raises ValueError.
        """
        if kind not in KINDS:
            raise ValueError(f"No such trouble: {kind}. There are: {', '.join(KINDS)}.")
        ends_at = self._wall() + timedelta(seconds=lasts) if lasts is not None else None
        trouble = Trouble(kind, first, count, operation, max(every, 1), ends_at, settings)
        with self._lock:
            self._troubles.append(trouble)
        return trouble

    def clear(self, kind: str | None = None) -> None:
        """End troubles of a kind, or all of them."""
        with self._lock:
            self._troubles = [each for each in self._troubles if kind not in (None, each.kind)]

    def strike(self, surface: str, operation: str | None = None) -> dict[str, Trouble]:
        """Count a request and return what strikes it, by kind."""
        now = self._wall()
        with self._lock:
            return {each.kind: each for each in self._troubles if each.meets(surface, operation, now)}

    def now(self, kind: str) -> Trouble | None:
        """Return a trouble of a kind that lasts at this moment, without counting anything."""
        now = self._wall()
        with self._lock:
            return next((each for each in self._troubles if each.kind == kind and each.lasts(now)), None)

    def said(self) -> list[dict[str, Any]]:
        """Return all troubles as the control pages show them."""
        with self._lock:
            return [each.said() for each in self._troubles]
