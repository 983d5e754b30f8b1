"""Say what Shopify's refusals mean. Many come with status 200, and some answers come in part."""

import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from math import ceil

import msgspec
from msgspec import Struct

from connectors.faults import BadPayload, Denied, Fault, NeedsReauth, QuotaUsedUp, RetryLater, TooBig
from connectors.spec import Response

AN_HOUR = 3_600.0
"""Until a shop is asked again that is locked, frozen or not there."""
A_WHILE = 2.0
MARGIN = 0.5
"""Seconds more than the points need, since other apps' queries and ours meet in the same second."""

OPTIONAL = frozenset({"customer", "customerJourneySummary", "defaultAddress", "retailLocation", "shippingAddress", "unitCost"})
"""Fields whose refusal leaves the rest of an answer good: what they would have told is not known then."""

SHOP_STATES = {
    402: "Shopify has frozen the shop, since its plan is not paid. ProfitPeek asks again every hour and goes on when it is open.",
    423: "Shopify has locked the shop. ProfitPeek asks again every hour and goes on when it is open.",
    404: "Shopify knows no such shop. Check the shop's domain, the one that ends in .myshopify.com; ProfitPeek asks again every hour.",
}
GRANT_LOST = frozenset({"invalid_grant", "invalid_request", "invalid_client", "invalid_subject_token", "application_cannot_be_found"})
_SCOPE = re.compile(r"`((?:read|write|unauthenticated)_\w+)`")


class _Error(Struct):
    message: str = ""
    path: list[str | int] | None = None
    extensions: dict[str, object] | None = None

    @property
    def code(self) -> str:
        return str((self.extensions or {}).get("code", ""))


class _Points(Struct, rename="camel"):
    currently_available: float
    restore_rate: float


class _Cost(Struct, rename="camel"):
    requested_query_cost: float
    throttle_status: _Points


class _Extensions(Struct):
    cost: _Cost | None = None


class _Answer(Struct):
    errors: list[_Error] | None = None
    data: msgspec.Raw = msgspec.Raw()
    extensions: _Extensions | None = None


class _Refusal(Struct):
    error: str = ""
    error_description: str = ""


_decode = msgspec.json.Decoder(_Answer).decode


def classify(response: Response) -> Fault | None:
    """Return the fault in an answer; None when it is good, or good but for parts that may be missing."""
    status = response.status
    if status == 200:
        return _of_answer(response)
    if status == 401:
        return NeedsReauth("Shopify no longer takes our access: the app was removed or its token revoked. Connect the shop again.")
    if status == 429:
        return RetryLater("Shopify asks for fewer requests.", after=_retry_after(response))
    if status in SHOP_STATES:
        return RetryLater(SHOP_STATES[status], after=AN_HOUR)
    if status == 403:
        return Denied("Shopify refuses this app access to the shop (403). In Shopify, look under Settings, Apps, whether it is allowed.")
    if status >= 500:
        return RetryLater(f"Shopify has a trouble of its own ({status}).")
    if status == 400 and (lost := _grant_lost(response)):
        return NeedsReauth(f"Shopify no longer renews our access ({lost}). Connect the shop again.")
    return BadPayload(f"Shopify answered {status}, which its interface does not document here.")


def _retry_after(response: Response) -> float:
    try:
        return max(A_WHILE, ceil(Decimal(response.headers.get("retry-after", ""))))
    except (InvalidOperation, ValueError, OverflowError):
        return A_WHILE


def _grant_lost(response: Response) -> str:
    try:
        refusal = msgspec.json.decode(response.content, type=_Refusal)
    except (msgspec.MsgspecError, RecursionError):
        return ""
    return refusal.error if refusal.error in GRANT_LOST else ""


def _of_answer(response: Response) -> Fault | None:
    try:
        answer = _decode(response.content)
    except msgspec.ValidationError:
        return BadPayload("Shopify's answer is not shaped as its interface documents.")
    except msgspec.DecodeError:
        return RetryLater("Shopify's answer was cut off.")
    except RecursionError:
        return BadPayload("Shopify's answer nests deeper than any answer does.")
    if not answer.errors:
        return None
    codes = {error.code for error in answer.errors}
    if "THROTTLED" in codes:
        return QuotaUsedUp("Shopify's budget of points for this app is used up for the moment.", after=_until_points(answer.extensions))
    if "MAX_COST_EXCEEDED" in codes:
        return TooBig(answer.errors[0].message or "The query costs more points than Shopify allows.")
    there = bytes(answer.data) not in (b"", b"null")
    needed = [error for error in answer.errors if not (there and _is_optional(error.path))]
    if not needed:
        return None
    return _of_errors(needed)


def _until_points(extensions: _Extensions | None) -> float:
    if extensions is None or extensions.cost is None or extensions.cost.throttle_status.restore_rate <= 0:
        return A_WHILE
    cost = extensions.cost
    missing = cost.requested_query_cost - cost.throttle_status.currently_available
    return max(0.0, missing / cost.throttle_status.restore_rate) + MARGIN


def _is_optional(path: Sequence[str | int] | None) -> bool:
    return path is not None and any(step in OPTIONAL for step in path)


def _of_errors(errors: Sequence[_Error]) -> Fault:
    """Return the fault of the errors that lie on what is needed; the one that a person has to see to comes first."""
    for error in errors:
        if error.code == "ACCESS_DENIED":
            scopes = tuple(dict.fromkeys(_SCOPE.findall(str((error.extensions or {}).get("requiredAccess", "")))))
            field = next((str(step) for step in reversed(error.path or []) if isinstance(step, str)), "a field")
            granting = f" It needs {' or '.join(scopes)}: connect the shop again and grant it." if scopes else ""
            return Denied(f"Shopify does not let this app see “{field}”.{granting}", scopes=scopes)
    for error in errors:
        if error.code in ("INTERNAL_SERVER_ERROR", "TIMEOUT", "SERVICE_UNAVAILABLE"):
            return RetryLater("Shopify has a trouble of its own: it could not answer the query.")
        if error.code == "SHOP_INACTIVE":
            return RetryLater("Shopify says that the shop is not active. ProfitPeek asks again every hour.", after=AN_HOUR)
    return BadPayload(f"Shopify did not accept the query: {errors[0].message[:300]}")
