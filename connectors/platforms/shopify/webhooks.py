"""Say how Shopify rings: which topics there are, what each asks us to do, and how a delivery is known to be Shopify's."""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
from msgspec import Struct

from connectors.faults import BadPayload
from connectors.paging import GraphQLPages, at
from connectors.platforms.shopify import queries
from connectors.platforms.shopify.asking import ask, gid, records
from connectors.platforms.shopify.consent import SHOP
from connectors.platforms.shopify.queries import VERSION
from connectors.platforms.shopify.shape import Ref, read, tail
from connectors.spec import (
    BulkFinished,
    CheckAccount,
    Deleted,
    Envelope,
    Json,
    Lookup,
    Privacy,
    PrivacyRequest,
    ReadNew,
    Refetch,
    Request,
    Route,
    Subscription,
    Subscriptions,
    Uninstalled,
    Webhooks,
)

WEBHOOK, EVENT = "x-shopify-", "shopify-"
"""How the names of headers begin: of webhooks, and of what is to follow them, Events."""
LONGEST = 120
"""Characters of a topic or an id; what is longer is none."""
LIST_SIZE = 100
UPDATED = ["id", "admin_graphql_api_id", "updated_at"]
"""All that deliveries of orders carry: no name and no address leaves Shopify.
Without `updated_at` two changes would look alike, and one be left out.
"""

Number = int | str | None


class _Thing(Struct, omit_defaults=True):
    id: Number = None
    admin_graphql_api_id: str = ""


class _Edit(Struct, omit_defaults=True):
    order_id: Number = None


class _Kept(Struct, omit_defaults=True):
    """All that is read of a payload: ids, and when it was made."""

    id: Number = None
    admin_graphql_api_id: str = ""
    updated_at: str | None = None
    order_id: Number = None
    order_edit: _Edit | None = None
    variants: list[_Thing] = []
    variant_gids: list[_Thing] = []
    customer: _Thing | None = None
    orders_requested: list[Number] = []
    orders_to_redact: list[Number] = []
    data_request: _Thing | None = None
    shop_domain: str = ""
    myshopify_domain: str = ""


_decoder = msgspec.json.Decoder(_Kept)


def keep(body: bytes) -> Json:
    """Take the ids from a payload; raise BadPayload when it is not what Shopify documents."""
    try:
        told = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadPayload("The payload is not what Shopify documents.") from error
    if not told.shop_domain:
        # Only what the law asks for is about a person, and it alone names its shop so.
        told.customer = None
    kept: Json = msgspec.to_builtins(told)
    return kept


def signing(secrets: Mapping[str, str]) -> str:
    """Return the app's client secret, which signs; empty where only a token was pasted."""
    return secrets.get("client_secret", "")


def signed(body: bytes, headers: Mapping[str, str], secrets: Sequence[str]) -> bool:
    """Tell whether one of the secrets signed this body: base64 of HMAC-SHA256. All are tried, so that time tells nothing."""
    given = _header(headers, "hmac-sha256").encode("utf-8", "replace")
    right = False
    for secret in secrets:
        right |= hmac.compare_digest(base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)), given)
    return right


def envelope(headers: Mapping[str, str]) -> Envelope:
    """Read a delivery's headers; raise BadPayload where they are not Shopify's."""
    topic, delivery, account = (_header(headers, name) for name in ("topic", "webhook-id", "shop-domain"))
    if not topic or not delivery or not SHOP.fullmatch(account) or not _header(headers, "hmac-sha256"):
        raise BadPayload("The headers are not those of a delivery.")
    if not all(each.isascii() and each.isprintable() and len(each) <= LONGEST for each in (topic, delivery)):
        raise BadPayload("The headers hold what no delivery has.")
    return Envelope(
        topic=topic, delivery=delivery, event=_header(headers, "event-id")[:LONGEST], account=account, at=_moment(_header(headers, "triggered-at")),
        version=_header(headers, "api-version")[:20],
    )  # fmt: skip


def _header(headers: Mapping[str, str], name: str) -> str:
    return headers.get(WEBHOOK + name) or headers.get(EVENT + name, "")


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def about(kept: Json) -> str:
    """Return the shop that a payload names, as those of the law and of the shop itself do."""
    return str(kept.get("shop_domain") or kept.get("myshopify_domain") or "")


def number(found: object) -> str:
    """Return an id as facts call it; raise BadPayload when it is none."""
    text = tail(found) if isinstance(found, str) and found.startswith("gid://") else str(found)
    if not (text.isascii() and text.isdigit() and len(text) <= 20):
        raise BadPayload("The payload does not name the record it is about.")
    return text


def _its_own(kept: Json) -> Sequence[str]:
    return [number(kept.get("id") or kept.get("admin_graphql_api_id"))]


def _order_of(kept: Json) -> Sequence[str]:
    return [number(kept.get("order_id"))]


def _order_of_edit(kept: Json) -> Sequence[str]:
    return [number(kept.get("order_edit", {}).get("order_id"))]


def _variants(kept: Json) -> Sequence[str]:
    """Return the variants of a product. A product of many tells only the first of them whole, and the ids of all."""
    told = [*kept.get("variants", ()), *kept.get("variant_gids", ())]
    return list(dict.fromkeys(number(each.get("id") or each.get("admin_graphql_api_id")) for each in told))


class _Return(Struct):
    order: Ref


def _orders_found(answer: Json) -> Sequence[str]:
    nodes = at(answer, ("data", "nodes"))
    if not isinstance(nodes, list):
        raise BadPayload("The answer has no list of returns.")
    return [tail(read(node, _Return).order.id) for node in nodes if isinstance(node, dict) and "order" in node]


BY_RETURN = Lookup(request=lambda ids: ask(queries.ORDERS_OF_RETURNS, ids=[gid("Return", each) for each in ids]), found=_orders_found)


def _data_request(kept: Json) -> PrivacyRequest:
    reference = str(kept.get("data_request", {}).get("id", ""))[:LONGEST]
    return PrivacyRequest("data_request", _person(kept), _orders(kept, "orders_requested"), reference)


def _erase_person(kept: Json) -> PrivacyRequest:
    return PrivacyRequest("erase_person", _person(kept), _orders(kept, "orders_to_redact"))


def _erase_account(kept: Json) -> PrivacyRequest:
    if not about(kept):
        raise BadPayload("The payload does not name the shop that is to be erased.")
    return PrivacyRequest("erase_account")


def _person(kept: Json) -> str:
    return number(kept.get("customer", {}).get("id"))


def _orders(kept: Json, name: str) -> tuple[str, ...]:
    return tuple(number(each) for each in kept.get(name, ()))


CHANGED = Refetch(stream="orders", ids=_its_own)
PART = Refetch(stream="orders", ids=_order_of)

ROUTES: dict[str, Route] = {
    "orders/create": CHANGED,
    "orders/updated": CHANGED,
    "orders/cancelled": CHANGED,
    "orders/edited": Refetch(stream="orders", ids=_order_of_edit),
    "orders/delete": Deleted(stream="orders", ids=_its_own),
    "refunds/create": PART,
    "order_transactions/create": PART,
    "returns/update": Refetch(stream="orders", ids=_its_own, through=BY_RETURN),
    "products/update": Refetch(stream="variants", ids=_variants),
    "products/delete": ReadNew(streams=("deletions",)),
    "inventory_items/update": Refetch(stream="inventory", ids=_its_own),
    "disputes/create": ReadNew(streams=("disputes", "balance")),
    "disputes/update": ReadNew(streams=("disputes", "balance")),
    "bulk_operations/finish": BulkFinished(operation=lambda kept: gid("BulkOperation", number(kept.get("admin_graphql_api_id")))),
    "shop/update": CheckAccount(),
    "app/scopes_update": CheckAccount(),
    "app/uninstalled": Uninstalled(),
    "customers/data_request": Privacy(request=_data_request),
    "customers/redact": Privacy(request=_erase_person),
    "shop/redact": Privacy(request=_erase_account),
}
"""By topic. The last three are not subscribed to but named in the app's own settings."""

NEEDED: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("orders/create", "orders/updated", "orders/cancelled", "orders/edited", "orders/delete"), ("read_orders",)),
    "refunds/create": ("read_orders",), "order_transactions/create": ("read_orders",), "returns/update": ("read_returns",),
    "products/update": ("read_products",), "products/delete": ("read_products",), "inventory_items/update": ("read_inventory",),
    **dict.fromkeys(("disputes/create", "disputes/update"), ("read_shopify_payments_disputes",)),
    **dict.fromkeys(("bulk_operations/finish", "shop/update", "app/scopes_update", "app/uninstalled"), ()),
}  # fmt: skip
"""What we want to be told of, and the permissions that each needs."""
FEW_FIELDS = ("orders/create", "orders/updated", "orders/cancelled")


def enum_of(topic: str) -> str:
    """Return what Shopify's schema calls a topic."""
    return topic.replace("/", "_").upper()


TOPICS = {enum_of(topic): topic for topic in ROUTES}


class _Version(Struct):
    handle: str


class _Listed(Struct, rename="camel"):
    id: str
    topic: str
    uri: str = ""
    api_version: _Version | None = None


def _read(answer: Json) -> Sequence[Subscription]:
    listed = [read(each, _Listed) for each in records("webhookSubscriptions")(answer)]
    return [
        Subscription(
            id=each.id, topic=TOPICS.get(each.topic, each.topic), address=each.uri, version=each.api_version.handle if each.api_version else ""
        )
        for each in listed
    ]


def _make(topic: str, address: str) -> Request:
    wanted: Json = {"uri": address, "format": "JSON"} | ({"includeFields": UPDATED} if topic in FEW_FIELDS else {})
    return ask(queries.SUBSCRIBE, topic=enum_of(topic), wanted=wanted)


def _made(answer: Json) -> str:
    errors = at(answer, ("data", "webhookSubscriptionCreate", "userErrors"))
    said = [str(each.get("message", "")) for each in errors if isinstance(each, dict)] if isinstance(errors, list) else []
    return "; ".join(each for each in said if each)[:300]


SUBSCRIPTIONS = Subscriptions(
    topics=NEEDED, request=lambda: ask(queries.SUBSCRIPTIONS, size=LIST_SIZE), pages=GraphQLPages("webhookSubscriptions"), read=_read,
    make=_make, made=_made, drop=lambda which: ask(queries.UNSUBSCRIBE, id=which),
)  # fmt: skip

WITHOUT = (
    "Webhooks are off: they are signed with the client secret of your app, and this shop was connected with a token alone. "
    "It is asked every few minutes instead. To be told at once, connect it again with the client ID and secret."
)
WEBHOOKS = Webhooks(
    signing=signing, signed=signed, envelope=envelope, routes=ROUTES, keep=keep, about=about, subscriptions=SUBSCRIPTIONS, version=VERSION,
    without=WITHOUT,
)  # fmt: skip
