"""Answer what is asked of Shopify's root, and the fields whose arguments choose among what a row holds."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from graphql import FieldNode, GraphQLError

from connectors.sandbox.shopify_execute import Asking, resolves
from connectors.sandbox.shopify_money import stamp
from connectors.sandbox.shopify_pages import count_of, gid, number_of, page_of_table
from connectors.sandbox.shopify_schema import API_VERSION

Arguments = dict[str, Any]

TABLES: Mapping[str, tuple[str, str]] = {
    "orders": ("Order", "PROCESSED_AT"),
    "products": ("Product", "ID"),
    "productVariants": ("ProductVariant", "ID"),
    "inventoryItems": ("InventoryItem", "ID"),
    "customers": ("Customer", "ID"),
    "markets": ("Market", "ID"),
    "locations": ("Location", "NAME"),
    "events": ("BasicEvent", "ID"),
}
"""Root field → the type of its rows and how they are sorted unless told otherwise."""
SINGLES = {
    "order": "Order", "product": "Product", "productVariant": "ProductVariant", "inventoryItem": "InventoryItem", "customer": "Customer",
    "location": "Location", "refund": "Refund", "return": "Return",
}  # fmt: skip
COUNTS = {"ordersCount": "Order", "productsCount": "Product", "productVariantsCount": "ProductVariant", "customersCount": "Customer"}
TEXT_OF_KIND = {"Event": "BasicEvent"}


def _table(name: str, kind: str, sort: str) -> None:
    @resolves("QueryRoot", name)
    def many(asking: Asking, _source: Any, arguments: Arguments, node: FieldNode) -> Any:
        if name == "locations" and not arguments.get("includeInactive"):
            arguments = _narrowed(arguments, "active:true")
        return page_of_table(asking, asking.shop.view(asking).table(kind), arguments, node, sort)


def _single(name: str, kind: str) -> None:
    @resolves("QueryRoot", name)
    def one(asking: Asking, _source: Any, arguments: Arguments, _node: FieldNode) -> Any:
        return _row(asking, kind, str(arguments["id"])) if arguments.get("id") else None


def _count(name: str, kind: str) -> None:
    @resolves("QueryRoot", name)
    def count(asking: Asking, _source: Any, arguments: Arguments, node: FieldNode) -> Any:
        return count_of(asking, asking.shop.view(asking).table(kind), arguments, node)


for _name, (_kind, _sort) in TABLES.items():
    _table(_name, _kind, _sort)
for _name, _kind in SINGLES.items():
    _single(_name, _kind)
for _name, _kind in COUNTS.items():
    _count(_name, _kind)


def _narrowed(arguments: Arguments, term: str) -> Arguments:
    """Return arguments whose search asks for one more thing."""
    asked = arguments.get("query")
    return {**arguments, "query": f"({asked}) AND {term}" if asked else term}


def _row(asking: Asking, kind: str, global_id: str) -> Any:
    if not global_id.startswith("gid://shopify/"):
        raise GraphQLError(f"Invalid global id '{global_id}'", extensions={"code": "argumentLiteralsIncompatible", "typeName": "CoercionError"})
    number = number_of(global_id, kind)
    return asking.shop.view(asking).row(kind, number) if number is not None else None


@resolves("QueryRoot", "shop")
def _shop(asking: Asking, _source: Any, _arguments: Arguments, _node: FieldNode) -> Any:
    return asking.shop.view(asking).shop()


@resolves("QueryRoot", "currentAppInstallation")
def _installation(asking: Asking, _source: Any, _arguments: Arguments, _node: FieldNode) -> Any:
    app = asking.shop.tokens.app
    scopes = [{"handle": scope, "description": scope.replace("_", " ").capitalize()} for scope in sorted(asking.granted)]
    return {"id": gid("AppInstallation", 1), "accessScopes": scopes, "app": app_row(app)}


def app_row(app: Any) -> dict[str, Any]:
    """Return the app itself."""
    return {"id": gid("App", 1), "title": app.name, "handle": app.name.lower(), "apiKey": app.client_id}


@resolves("QueryRoot", "node")
def _node(asking: Asking, _source: Any, arguments: Arguments, _node: FieldNode) -> Any:
    return _any_row(asking, str(arguments["id"]))


@resolves("QueryRoot", "nodes")
def _nodes(asking: Asking, _source: Any, arguments: Arguments, _node: FieldNode) -> Any:
    if len(arguments["ids"]) > 250:
        raise GraphQLError("The input array size of 250 is the most there may be", extensions={"code": "MAX_INPUT_SIZE_EXCEEDED"})
    return [_any_row(asking, str(each)) for each in arguments["ids"]]


def _any_row(asking: Asking, global_id: str) -> Any:
    kind = global_id.removeprefix("gid://shopify/").partition("/")[0]
    if kind == "BulkOperation":
        return _bulk(asking, global_id)
    row = _row(asking, TEXT_OF_KIND.get(kind, kind), global_id)
    return row and {**row, "__typename": kind}


# Shopify Payments


@resolves("QueryRoot", "shopifyPaymentsAccount")
def _account(asking: Asking, _source: Any, _arguments: Arguments, _node: FieldNode) -> Any:
    return asking.shop.view(asking).account()


@resolves("ShopifyPaymentsAccount", "balanceTransactions")
def _balance(asking: Asking, _source: Any, arguments: Arguments, node: FieldNode) -> Any:
    arguments = _narrowed(arguments, "-transaction_type:transfer") if arguments.get("hideTransfers") else arguments
    return page_of_table(asking, asking.shop.view(asking).table("ShopifyPaymentsBalanceTransaction"), arguments, node, "PROCESSED_AT")


@resolves("ShopifyPaymentsAccount", "payouts")
def _payouts(asking: Asking, _source: Any, arguments: Arguments, node: FieldNode) -> Any:
    kind = arguments.get("transactionType")
    arguments = _narrowed(arguments, f"transaction_type:{kind}") if kind else arguments
    return page_of_table(asking, asking.shop.view(asking).table("ShopifyPaymentsPayout"), arguments, node, "ISSUED_AT")


@resolves("ShopifyPaymentsAccount", "disputes")
def _disputes(asking: Asking, _source: Any, arguments: Arguments, node: FieldNode) -> Any:
    return page_of_table(asking, asking.shop.view(asking).table("ShopifyPaymentsDispute"), arguments, node)


# Lists that arguments cut or choose from


def _cut(parent: str, name: str) -> None:
    @resolves(parent, name)
    def cut(_asking: Asking, source: Any, arguments: Arguments, _node: FieldNode) -> Any:
        rows = source[name]
        rows = rows() if callable(rows) else rows
        return rows if arguments.get("first") is None else rows[: arguments["first"]]


for _parent, _name in (("Order", "transactions"), ("Order", "refunds"), ("LineItem", "taxLines")):
    _cut(_parent, _name)


@resolves("Order", "shippingLines")
def _shipping_lines(_asking: Asking, source: Any, arguments: Arguments, _node: FieldNode) -> Any:
    rows = source["shippingLines"]
    rows = rows() if callable(rows) else rows
    return rows if arguments.get("includeRemovals") else [row for row in rows if not row["isRemoved"]]


@resolves("LineItem", "discountedTotalSet")
def _discounted_total(_asking: Asking, source: Any, arguments: Arguments, _node: FieldNode) -> Any:
    return source["discountedTotalWithCodesSet" if arguments.get("withCodeDiscounts") else "discountedTotalSet"]


@resolves("InventoryLevel", "quantities")
def _quantities(_asking: Asking, source: Any, arguments: Arguments, _node: FieldNode) -> Any:
    named = {row["name"]: row for row in source["quantities"]}
    return [named[name] for name in arguments["names"] if name in named]


# Bulk operations


def _bulk(asking: Asking, global_id: str) -> Any:
    number = number_of(global_id, "BulkOperation")
    operation = asking.shop.bulk.poll(number) if number is not None else None
    return operation and asking.shop.bulk.said(operation, asking.shop.base_url)


@resolves("QueryRoot", "bulkOperation")
def _bulk_operation(asking: Asking, _source: Any, arguments: Arguments, _node: FieldNode) -> Any:
    return _bulk(asking, str(arguments["id"]))


@resolves("QueryRoot", "bulkOperations")
def _bulk_operations(asking: Asking, _source: Any, _arguments: Arguments, _node: FieldNode) -> Any:
    desk = asking.shop.bulk
    return [desk.said(operation, asking.shop.base_url) for operation in desk.all()]


@resolves("QueryRoot", "currentBulkOperation")
def _current_bulk_operation(asking: Asking, _source: Any, arguments: Arguments, _node: FieldNode) -> Any:
    numbers = list(asking.shop.bulk.operations)
    return _bulk(asking, gid("BulkOperation", numbers[-1])) if numbers and arguments.get("type") != "MUTATION" else None


@resolves("Mutation", "bulkOperationRunQuery")
def _run_bulk(asking: Asking, _source: Any, arguments: Arguments, _node: FieldNode) -> Any:
    shop, granted = asking.shop, asking.granted
    operation, errors = shop.bulk.start(
        arguments["query"], grouped=arguments["groupObjects"], client_id=shop.tokens.app.client_id, fail_after=asking.bulk_fails_after,
        ask=lambda: shop.asking(granted, like=asking),
    )  # fmt: skip
    return {"bulkOperation": operation and shop.bulk.said(operation, shop.base_url), "userErrors": errors}


@resolves("Mutation", "bulkOperationCancel")
def _cancel_bulk(asking: Asking, _source: Any, arguments: Arguments, _node: FieldNode) -> Any:
    desk = asking.shop.bulk
    operation, errors = desk.cancel(number_of(str(arguments["id"]), "BulkOperation") or 0)
    return {"bulkOperation": operation and desk.said(operation, asking.shop.base_url), "userErrors": errors}


# Webhook subscriptions


@resolves("QueryRoot", "webhookSubscriptions")
def _subscriptions(asking: Asking, _source: Any, arguments: Arguments, _node: FieldNode) -> Any:
    rows = list(asking.shop.subscriptions.values())
    wanted = {"format": arguments.get("format"), "uri": arguments.get("uri")}
    rows = [row for row in rows if all(value is None or row[key] == value for key, value in wanted.items())]
    return [row for row in rows if arguments.get("topics") is None or row["topic"] in arguments["topics"]]


@resolves("QueryRoot", "webhookSubscription")
def _subscription(asking: Asking, _source: Any, arguments: Arguments, _node: FieldNode) -> Any:
    return asking.shop.subscriptions.get(str(arguments["id"]))


@resolves("Mutation", "webhookSubscriptionCreate")
def _subscribe(asking: Asking, _source: Any, arguments: Arguments, _node: FieldNode) -> Any:
    wanted, shop = arguments["webhookSubscription"], asking.shop
    if not _may_be_called(wanted.get("uri")):
        return _refused("Address is invalid", "uri")
    with shop.lock:
        row = _subscription_row(asking, 1 + shop.subscribed, arguments["topic"], wanted)
        if any(_same(row, other) for other in shop.subscriptions.values()):
            return _refused("Address for this topic has already been taken", "uri")
        shop.subscribed += 1
        shop.subscriptions[row["id"]] = row
        shop.changed()
    return {"webhookSubscription": row, "userErrors": []}


@resolves("Mutation", "webhookSubscriptionUpdate")
def _resubscribe(asking: Asking, _source: Any, arguments: Arguments, _node: FieldNode) -> Any:
    row = asking.shop.subscriptions.get(str(arguments["id"]))
    if row is None:
        return _refused("Webhook subscription does not exist", "id")
    wanted = {key: row[key] for key in ("uri", "format", "includeFields", "filter", "name")} | arguments["webhookSubscription"]
    if not _may_be_called(wanted["uri"]):
        return _refused("Address is invalid", "uri")
    with asking.shop.lock:
        changed = _subscription_row(asking, number_of(row["id"]) or 0, row["topic"], wanted) | {"createdAt": row["createdAt"]}
        if any(_same(changed, other) for other in asking.shop.subscriptions.values() if other["id"] != row["id"]):
            return _refused("Address for this topic has already been taken", "uri")
        asking.shop.subscriptions[row["id"]] = changed
        asking.shop.changed()
    return {"webhookSubscription": changed, "userErrors": []}


@resolves("Mutation", "webhookSubscriptionDelete")
def _unsubscribe(asking: Asking, _source: Any, arguments: Arguments, _node: FieldNode) -> Any:
    gone = asking.shop.subscriptions.pop(str(arguments["id"]), None)
    asking.shop.changed()
    errors = [] if gone else [{"field": ["id"], "message": "Webhook subscription does not exist"}]
    return {"deletedWebhookSubscriptionId": gone and gone["id"], "userErrors": errors}


def _refused(message: str, name: str) -> dict[str, Any]:
    field = ["id"] if name == "id" else ["webhookSubscription", name]
    return {"webhookSubscription": None, "userErrors": [{"__typename": "UserError", "field": field, "message": message}]}


def _may_be_called(uri: Any) -> bool:
    """Tell whether deliveries can go to an address: by https anywhere, and unencrypted on this machine only."""
    try:
        parts = urlsplit(str(uri or ""))
        _ = parts.port
    except ValueError:
        return False
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1")))


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(one[key] == other[key] for key in ("topic", "uri", "format", "filter"))


def _subscription_row(asking: Asking, number: int, topic: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
    now = stamp(asking.shop.wall())
    return {
        "id": gid("WebhookSubscription", number), "legacyResourceId": str(number), "topic": topic, "uri": wanted["uri"],
        "format": wanted.get("format") or "JSON", "includeFields": wanted.get("includeFields") or [], "filter": wanted.get("filter"),
        "name": wanted.get("name"), "createdAt": now, "updatedAt": now,
        "apiVersion": {"displayName": API_VERSION, "handle": API_VERSION, "supported": True},
    }  # fmt: skip


@resolves("Mutation", "appUninstall")
def _uninstall(asking: Asking, _source: Any, _arguments: Arguments, _node: FieldNode) -> Any:
    asking.shop.uninstall()
    return {"app": app_row(asking.shop.tokens.app), "userErrors": []}
