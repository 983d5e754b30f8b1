"""Ask the sandbox's Shopify what a ledger needs, over HTTP, and hold its answers to the business behind it."""

import re
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from graphql import GraphQLObjectType, get_named_type, is_abstract_type, is_leaf_type

from connectors.sandbox.server import Sandbox
from connectors.sandbox.shopify_access import KNOWN_SCOPES
from connectors.sandbox.shopify_execute import run
from connectors.sandbox.shopify_schema import check, pruned_schema
from connectors.sandbox.shopify_shop import Shop
from connectors.sandbox.shopify_world import WorldRows
from connectors.sandbox.world import World
from tests.sandbox.conftest import APP, DOMAIN, NOW, Caller
from tests.sandbox.shopify_documents import document
from tests.sandbox.test_shopify_schema import NOTES, needs_shopifys_own, queries_of_the_notes, shopifys_own

ARGUMENTS = {
    "shop": {}, "markets": {}, "orders": {"first": 250, "lines": 50}, "order_money": {"id": "gid://shopify/Order/5000000003"},
    "balance": {"first": 250}, "payouts": {"first": 250}, "variants": {"first": 250}, "inventory": {"first": 250}, "customers": {"first": 250},
}  # fmt: skip


def in_pages(caller: Caller, text: str, name: str, **variables) -> list[dict]:
    """Read a root connection to its end."""
    rows, after = [], None
    while True:
        page = caller.data(text, after=after, **variables)[name]
        rows += page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            return rows
        after = page["pageInfo"]["endCursor"]


IDS = "query Ids($first: Int!, $after: String, $filter: String, $sort: OrderSortKeys, $reverse: Boolean) { orders(first: $first, after: $after, query: $filter, sortKey: $sort, reverse: $reverse) { pageInfo { hasNextPage endCursor } nodes { id updatedAt createdAt } } }"  # noqa: E501


def test_every_order_is_read_once_in_the_order_of_its_changes(caller: Caller, business: World) -> None:
    rows = in_pages(caller, IDS, "orders", first=37, sort="UPDATED_AT")
    assert [(row["updatedAt"], row["id"]) for row in rows] == [
        (change.at.strftime("%Y-%m-%dT%H:%M:%SZ"), f"gid://shopify/Order/{change.order}") for change in business.changes(NOW)
    ]


def test_a_span_of_changes_is_what_the_business_says_it_is(caller: Caller, business: World) -> None:
    since, until = datetime.fromisoformat("2026-01-20T00:00:00Z"), datetime.fromisoformat("2026-02-01T12:30:00Z")
    rows = in_pages(
        caller, IDS, "orders", first=50, sort="UPDATED_AT", filter=f"updated_at:>='{since.isoformat()}' AND updated_at:<'{until.isoformat()}'"
    )
    assert [row["id"] for row in rows] == [f"gid://shopify/Order/{change.order}" for change in business.changes(NOW, since=since, until=until)]


def test_reading_backwards_gives_the_same_orders(caller: Caller) -> None:
    forward = in_pages(caller, IDS, "orders", first=60, sort="CREATED_AT")
    assert in_pages(caller, IDS, "orders", first=45, sort="CREATED_AT", reverse=True) == forward[::-1]


def test_last_and_before_read_from_the_end(caller: Caller) -> None:
    text = "query L($last: Int, $before: String) { orders(last: $last, before: $before, sortKey: ID) { pageInfo { hasPreviousPage hasNextPage startCursor } nodes { id } } }"  # noqa: E501
    every = [row["id"] for row in in_pages(caller, IDS, "orders", first=100, sort="ID")]
    page = caller.data(text, last=10)["orders"]
    assert [row["id"] for row in page["nodes"]] == every[-10:]
    assert (page["pageInfo"]["hasPreviousPage"], page["pageInfo"]["hasNextPage"]) == (True, False)
    before = caller.data(text, last=10, before=page["pageInfo"]["startCursor"])["orders"]
    assert [row["id"] for row in before["nodes"]] == every[-20:-10]


def test_the_sums_of_an_order_are_those_of_the_business(caller: Caller, business: World) -> None:
    read = caller.data(document("orders"), first=250, lines=50)["orders"]["nodes"]
    told = {f"gid://shopify/Order/{order.id}": order for order in business.orders(NOW)}
    for row in read:
        order = told[row["id"]]
        amounts = {key: row[key]["shopMoney"]["amount"] for key in ("totalPriceSet", "currentTotalPriceSet", "totalTaxSet", "netPaymentSet")}
        totals = order.totals
        minor = (totals.total, totals.current_total, totals.tax, totals.net_payment)
        assert {key: _cents(value) for key, value in amounts.items()} == dict(zip(amounts, minor, strict=True))
        assert [line["quantity"] for line in row["lineItems"]["nodes"]] == [line.quantity for line in order.lines]


def test_agreements_tell_every_sale_of_the_business(caller: Caller, business: World) -> None:
    order = next(order for order in business.orders(NOW) if len(order.agreements) > 1 and order.refunds and order.refunds[0].lines)
    row = caller.data(document("order_money"), id=f"gid://shopify/Order/{order.id}")["order"]
    sales = [
        (sale["actionType"], sale["lineType"], sale["quantity"], sale["totalAmount"]["shopMoney"]["amount"])
        for agreement in row["agreements"]["nodes"]
        for sale in agreement["sales"]["nodes"]
    ]
    assert [(action, kind, quantity, _cents(total)) for action, kind, quantity, total in sales] == [
        (sale.action, sale.line_type, sale.quantity, sale.total) for agreement in order.agreements for sale in agreement.sales
    ]
    assert [line["quantity"] for refund in row["refunds"] for line in refund["refundLineItems"]["nodes"]] == [
        line.quantity for refund in order.refunds for line in refund.lines
    ]
    assert [agreement["__typename"] for agreement in row["agreements"]["nodes"]] == [agreement.kind for agreement in order.agreements]


def test_the_balance_adds_up_to_the_payouts(caller: Caller, business: World) -> None:
    text = "query B($first: Int!, $after: String) { shopifyPaymentsAccount { balanceTransactions(first: $first, after: $after, hideTransfers: true) { pageInfo { hasNextPage endCursor } nodes { net { amount } type associatedPayout { id } } } } }"  # noqa: E501
    rows, after = [], None
    while True:
        page = caller.data(text, first=100, after=after)["shopifyPaymentsAccount"]["balanceTransactions"]
        rows += page["nodes"]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert [row["type"] for row in rows] == [move.type for move in business.balance(NOW, transfers=False)]
    payouts = caller.data(document("payouts"), first=250)["shopifyPaymentsAccount"]["payouts"]["nodes"]
    assert [payout["net"]["amount"] for payout in payouts] == [_decimal(payout.net) for payout in business.payouts(NOW)]
    paid = {payout["id"] for payout in payouts}
    assert sum(_cents(row["net"]["amount"]) for row in rows if row["associatedPayout"]["id"] in paid) == sum(
        _cents(payout["net"]["amount"]) for payout in payouts
    )


def _cents(amount: str) -> Decimal:
    return Decimal(amount) * 100


def _decimal(minor: int) -> str:
    return str(minor / 100)


def test_transfers_stand_in_the_balance_unless_hidden(caller: Caller, business: World) -> None:
    text = 'query T($hide: Boolean) { shopifyPaymentsAccount { balanceTransactions(first: 250, query: "transaction_type:transfer", hideTransfers: $hide) { nodes { type net { amount } } } } }'  # noqa: E501
    shown = caller.data(text, hide=False)["shopifyPaymentsAccount"]["balanceTransactions"]["nodes"]
    assert [row["net"]["amount"] for row in shown] == [_decimal(-payout.net) for payout in business.payouts(NOW)]
    assert caller.data(text, hide=True)["shopifyPaymentsAccount"]["balanceTransactions"]["nodes"] == []


def test_the_shop_says_who_it_is_and_what_was_granted(caller: Caller, business: World) -> None:
    data = caller.data(document("shop"))
    assert data["shop"] == {
        "id": "gid://shopify/Shop/6000007", "name": "Maple & Finch", "myshopifyDomain": DOMAIN, "currencyCode": "USD",
        "ianaTimezone": "America/New_York", "timezoneOffsetMinutes": -240, "taxesIncluded": False, "taxShipping": True,
        "createdAt": "2025-11-02T04:00:00Z", "plan": {"publicDisplayName": "Basic", "shopifyPlus": False, "partnerDevelopment": False},
        "enabledPresentmentCurrencies": ["USD"], "shopAddress": {"countryCodeV2": "US"},
    }  # fmt: skip
    assert [scope["handle"] for scope in data["currentAppInstallation"]["accessScopes"]] == sorted(KNOWN_SCOPES)
    assert data["ordersCount"] == {"count": len(list(business.orders(NOW))), "precision": "EXACT"}


def test_costs_and_prices_are_those_of_the_moment(caller: Caller, business: World) -> None:
    rows = caller.data(document("variants"), first=250)["productVariants"]["nodes"]
    variants = business.variants(NOW)
    assert [(row["sku"], row["price"], row["inventoryItem"]["unitCost"] and row["inventoryItem"]["unitCost"]["amount"]) for row in rows] == [
        (each.sku, f"{each.price_at(NOW).minor / 100:.2f}", None if each.cost_at(NOW) is None else _decimal(each.cost_at(NOW) or 0))
        for each in sorted(variants, key=lambda each: each.id)[:250]
    ]


def test_customers_are_sorted_by_their_last_change(caller: Caller, business: World) -> None:
    rows = in_pages(caller, document("customers"), "customers", first=50)
    assert len(rows) == len(list(business.customers(NOW)))
    assert [row["updatedAt"] for row in rows] == sorted(row["updatedAt"] for row in rows)
    by_id = {row["id"]: row for row in rows}
    for customer in business.customers(NOW):
        orders = [business.order(order, NOW) for order in business.orders_of(customer.id, NOW)]
        row = by_id[f"gid://shopify/Customer/{customer.id}"]
        assert (row["numberOfOrders"], row["amountSpent"]["amount"]) == (
            str(len(orders)),
            _decimal(sum(order.totals.net_payment for order in orders if order)),
        )


def test_an_order_hears_nothing_of_what_is_yet_to_come(caller: Caller, business: World) -> None:
    order = next(order for order in business.orders(NOW) if order.refunds)
    caller.sandbox.clock.set(order.created_at)
    row = caller.data(document("order_money"), id=f"gid://shopify/Order/{order.id}")["order"]
    assert (row["refunds"], len(row["agreements"]["nodes"])) == ([], 1)
    caller.sandbox.clock.set(order.created_at - timedelta(seconds=1))
    assert caller.data(document("order_money"), id=f"gid://shopify/Order/{order.id}") == {"order": None}


def test_node_finds_rows_of_every_kind(caller: Caller) -> None:
    ids = ["gid://shopify/Order/5000000000", "gid://shopify/Location/71000001", "gid://shopify/Order/1", "gid://shopify/Nothing/1"]
    rows = caller.data("query N($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on Order { name } ... on Location { isActive } } }", ids=ids)
    assert rows["nodes"] == [
        {"__typename": "Order", "id": ids[0], "name": "#1001"}, {"__typename": "Location", "id": ids[1], "isActive": True}, None, None,
    ]  # fmt: skip


@pytest.mark.parametrize("name", sorted(ARGUMENTS))
def test_what_is_copied_plainly_is_what_graphql_core_answers_by_itself(shop: Shop, name: str) -> None:
    parsed = check(document(name)).document
    assert parsed is not None
    quick, slow = (run(shop.schema, parsed, dict(ARGUMENTS[name]), None, shop.asking(KNOWN_SCOPES), plainly=plainly) for plainly in (True, False))
    assert slow.errors is None
    assert quick == slow


@pytest.mark.skipif(not NOTES.exists(), reason="the notes on Shopify are not at hand")
@pytest.mark.parametrize("number", range(9))
def test_query_of_the_notes_is_answered(caller: Caller, number: int) -> None:
    variables = {"first": 10, "lines": 20, "query": "", "q": "", "id": "gid://shopify/Order/5000000003"}
    data = caller.data(queries_of_the_notes()[number], **variables)
    assert None not in data.values()


def everything(kind, seen: tuple[str, ...] = ()) -> str:
    """Write a selection of every field of a type, two levels of the same type never within each other."""
    parts = ["__typename"]
    for name, field in kind.fields.items():
        of = get_named_type(field.type)
        if of.name in seen or len(seen) > 5:
            continue
        given = [f"{key}: {value}" for key, value in (("first", 3), ("names", '["available"]')) if key in field.args]
        arguments = f"({', '.join(given)})" if given else ""
        if is_leaf_type(of):
            parts.append(f"{name}{arguments}")
        elif is_abstract_type(of):
            kinds = [f"... on {each.name} {{ {_aliased(each, (*seen, of.name, each.name))} }}" for each in pruned_schema().get_possible_types(of)]
            parts.append(f"{name}{arguments} {{ {' '.join(kinds)} }}")
        else:
            parts.append(f"{name}{arguments} {{ {everything(of, (*seen, of.name))} }}")
    return " ".join(parts)


def _aliased(kind: GraphQLObjectType, seen: tuple[str, ...]) -> str:
    return everything(kind, seen)


ROOTS = {
    "orders": "OrderConnection", "products": "ProductConnection", "inventoryItems": "InventoryItemConnection",
    "customers": "CustomerConnection", "markets": "MarketConnection", "locations": "LocationConnection", "events": "EventConnection",
    "shopifyPaymentsAccount": "ShopifyPaymentsAccount", "shop": "Shop", "currentAppInstallation": "AppInstallation",
}  # fmt: skip


@pytest.mark.parametrize("root", sorted(ROOTS))
def test_every_field_of_the_schema_is_answered(shop: Shop, root: str) -> None:
    kind = pruned_schema().type_map[ROOTS[root]]
    arguments = "(first: 60)" if ROOTS[root].endswith("Connection") else ""
    text = f"{{ {root}{arguments} {{ {everything(kind, (ROOTS[root],))} }} }}"
    parsed = check(text)
    assert parsed.errors == ()
    assert parsed.document is not None
    assert run(shop.schema, parsed.document, {}, None, shop.asking(KNOWN_SCOPES)).errors is None


@pytest.mark.parametrize(
    ("scenario", "kinds"), [("exchanges", {"FeeSale", "OrderEditAgreement", "ReturnAgreement"}), ("tills", {"TipSale", "AdditionalFeeSale"})]
)
def test_every_field_of_agreements_and_sales_is_answered(sandbox: Sandbox, scenario: str, kinds: set[str]) -> None:
    made = World.live(seed=5, start=date(2026, 1, 1), days=30, orders_per_day=4, scenario=scenario)
    shop = sandbox.add_shop(DOMAIN, WorldRows(made), app=APP)
    types = pruned_schema().type_map
    sales = everything(types["SaleConnection"], ("Order", "LineItem", "SaleConnection"))
    each = [
        f"... on {kind.name} {{ {everything(kind, ('Order', 'LineItem', 'SaleConnection', kind.name))} }}"
        for kind in pruned_schema().get_possible_types(types["SalesAgreement"])
    ]
    inside = f"agreements(first: 50) {{ nodes {{ __typename {' '.join(each)} sales(first: 50) {{ {sales} }} }} }}"
    text = f"{{ orders(first: 250) {{ nodes {{ {inside} }} }} }}"
    parsed = check(text)
    assert parsed.document is not None
    quick, slow = (run(shop.schema, parsed.document, {}, None, shop.asking(KNOWN_SCOPES), plainly=plainly) for plainly in (True, False))
    assert (quick.errors, slow.errors) == (None, None)
    assert quick.data == slow.data
    assert kinds | {"OrderAgreement", "RefundAgreement", "ProductSale", "ShippingLineSale"} <= set(
        re.findall(r"'__typename': '(\w+)'", repr(quick.data))
    )


@needs_shopifys_own
@pytest.mark.parametrize("name", sorted(ARGUMENTS))
def test_shopifys_own_schema_answers_the_same(shop: Shop, name: str) -> None:
    own = shopifys_own()
    parsed = check(document(name), own).document
    assert parsed is not None
    theirs, ours = (run(schema, parsed, dict(ARGUMENTS[name]), None, shop.asking(KNOWN_SCOPES)) for schema in (own, shop.schema))
    assert ours == theirs
    assert ours.errors is None


@pytest.mark.parametrize(("scenario", "kind"), [("deleted_orders", "Order"), ("deleted_products", "Product")])
def test_what_was_deleted_is_gone_and_its_event_stays(sandbox: Sandbox, scenario: str, kind: str) -> None:
    made = World.live(seed=5, start=date(2026, 1, 1), days=60, orders_per_day=4, scenario=scenario)
    caller = Caller(sandbox, sandbox.add_shop(DOMAIN, WorldRows(made), app=APP))
    text = "query E($filter: String) { events(first: 250, query: $filter, sortKey: CREATED_AT) { nodes { action createdAt ... on BasicEvent { subjectId subjectType } } } }"  # noqa: E501
    events = caller.data(text, filter=f"action:destroy AND subject_type:{kind}")["events"]["nodes"]
    gone = [(change.at, change.order) for change in made.deleted(NOW)]
    if kind == "Product":
        gone = sorted(
            (product.deleted_at, product.id) for product in made.catalogue.products.values() if product.deleted_at and product.deleted_at <= NOW
        )
    assert gone
    assert events == [
        {
            "action": "destroy",
            "createdAt": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "subjectId": f"gid://shopify/{kind}/{number}",
            "subjectType": kind.upper(),
        }
        for at, number in gone
    ]
    rows = caller.data("query N($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=[event["subjectId"] for event in events])["nodes"]
    assert rows == [None] * len(events)
    caller.session.close()


def test_refunds_and_returns_are_found_by_their_ids(sandbox: Sandbox) -> None:
    made = World.live(seed=5, start=date(2026, 1, 1), days=30, orders_per_day=4, scenario="exchanges")
    caller = Caller(sandbox, sandbox.add_shop(DOMAIN, WorldRows(made), app=APP))
    order = next(order for order in made.orders(NOW) if order.returns)
    refund, back = order.refunds[-1], order.returns[0]
    text = "query R($refund: ID!, $back: ID!) { refund(id: $refund) { id order { name } return { id } } return(id: $back) { name order { name } } node(id: $refund) { __typename } }"  # noqa: E501
    assert caller.data(text, refund=f"gid://shopify/Refund/{refund.id}", back=f"gid://shopify/Return/{back.id}") == {
        "refund": {
            "id": f"gid://shopify/Refund/{refund.id}", "order": {"name": order.name},
            "return": {"id": f"gid://shopify/Return/{refund.return_id}"} if refund.return_id else None,
        },
        "return": {"name": back.name, "order": {"name": order.name}},
        "node": {"__typename": "Refund"},
    }  # fmt: skip
    caller.session.close()
