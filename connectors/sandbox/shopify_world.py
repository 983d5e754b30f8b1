"""Show a simulated business as a shop of Shopify's: every type's rows as of a moment."""

import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import cache, cached_property

from connectors.sandbox import bank
from connectors.sandbox import shopify_facts as facts
from connectors.sandbox.business import Variant
from connectors.sandbox.index import moment, seconds
from connectors.sandbox.shopify_catalogue_rows import CatalogueRows, customer_row, location_row, market_rows, shop_row
from connectors.sandbox.shopify_index import BusinessIndex, ByChange, Changes
from connectors.sandbox.shopify_money import Row, money, stamp
from connectors.sandbox.shopify_order_rows import OrderRow
from connectors.sandbox.shopify_pages import Key, Table, gid
from connectors.sandbox.shopify_payment_rows import balance_row, dispute_row, payout_row
from connectors.sandbox.shopify_search import Fact
from connectors.sandbox.shopify_tables import Keyed, Listed, Orders
from connectors.sandbox.story import Story
from connectors.sandbox.telling import order_at
from connectors.sandbox.told import BalanceTransaction, Dispute, Order, Payout
from connectors.sandbox.totals import JOURNEY_TAKES
from connectors.sandbox.world import World

WEEK = timedelta(days=7)
"""Longer than anything waits to be paid out."""
KEPT = 5000
"""How many orders are kept as they were told last."""


class WorldRows:
    """The rows of one business. It lives through the business once, when it is first asked."""

    def __init__(self, world: World, domain: str | None = None) -> None:
        self.world, self.domain = world, domain or world.shop.domain
        self._lock, self._building = threading.Lock(), threading.Lock()
        self._index: BusinessIndex | None = None
        self._changes: dict[int, Changes] = {}
        self._told: dict[tuple[int, int, bool], Order] = {}

    @property
    def index(self) -> BusinessIndex:
        """Return what is known beforehand: one index, whoever asks first."""
        with self._building:
            if self._index is None:
                self._index = BusinessIndex(self.world)
            return self._index

    def view(self, now: datetime, *, since: datetime | None, lag: int) -> "WorldView":
        """Return the rows as of a moment."""
        with self._lock:
            if lag not in self._changes:
                self._changes[lag] = Changes(self.index.changes, lag)
        return WorldView(self, now, since, self._changes[lag].at(seconds(now)))

    def put(self, story: Story) -> None:
        """Take in an order that somebody placed, or more that happened to it."""
        with self._building:
            index = self._index
            if index is None:  # it takes the order in when it is made
                self.world.put(story)
                return
        with self._lock:
            before = self.world.story(story.id)
            self.world.put(story)
            for at, order in index.put(story, before):
                for changes in self._changes.values():
                    changes.put(at, order)

    def told(self, number: int, now: datetime) -> Order | None:
        """Tell an order as of a moment; told once, it is kept for as long as nothing happens to it."""
        story = self.world.story(number)
        if story is None or story.created_at > now:
            return None
        key = (number, sum(each.at <= now for each in story.happenings), now >= story.created_at + JOURNEY_TAKES)
        known = self._told.get(key)
        if known is None:
            known = order_at(story, now)
            if known is not None:
                if len(self._told) >= KEPT:
                    self._told.clear()
                self._told[key] = known
        return known


class WorldView:
    """The rows of one business as of one moment. Orders created before `since` are not there."""

    def __init__(self, rows: WorldRows, now: datetime, since: datetime | None, by_change: ByChange) -> None:
        self._rows, self._world, self._index, self._now = rows, rows.world, rows.index, now
        self._since, self._by_change, self._second = since, by_change, seconds(now)
        self._order_rows: dict[int, Row] = {}
        self._catalogue = CatalogueRows(self._world.shop, now, lambda variant: self._index.sold(variant, self._second))
        self.table: Callable[[str], Table] = cache(self._table)

    # What the root asks for

    def shop(self) -> Row:
        """Return the shop itself."""
        return shop_row(self._world.shop, self._rows.domain, self._now)

    def account(self) -> Row:
        """Return the Shopify Payments account."""
        shop = self._world.shop
        return {
            "id": gid("ShopifyPaymentsAccount", shop.id), "activated": True, "country": shop.country, "defaultCurrency": shop.payout_currency,
            "balance": lambda: [money(self._waiting(), shop.payout_currency)],
        }  # fmt: skip

    def row(self, kind: str, number: int) -> Row | None:
        """Return one row by the number of its id; None for one that is not there."""
        match kind:
            case "Order":
                return self._order(number)
            case "Product" | "ProductVariant" | "InventoryItem":
                return self._goods[kind].get(number)
            case "Customer":
                return self._customer(number)
            case "Refund" | "Return":
                return self._of_order(kind, number)
        table = self.table(kind) if kind in self._tables else None
        return table.row(number) if table is not None and table.there(number) else None

    def place_among_own(self, customer: int, order: int) -> int | None:
        """Return which of its customer's orders an order is, counted from 1."""
        orders = self._index.orders_at(customer, self._second)
        return orders.index(order) + 1 if order in orders else None

    # Orders

    def _order(self, number: int) -> Row | None:
        if number not in self._order_rows:
            since = seconds(self._since) if self._since is not None else -(1 << 62)
            order = self._rows.told(number, self._now) if self._index.exists(number, self._second, since) else None
            if order is None:
                return None
            self._order_rows[number] = OrderRow(order, self).row()
        return self._order_rows[number]

    def _of_order(self, kind: str, number: int) -> Row | None:
        """Return a refund or return by its id."""
        found = self._index.order_of.get((kind, number))
        order = self._order(found) if found is not None else None
        rows = order["refunds" if kind == "Refund" else "returns"]() if order else []
        return next((row for row in rows if row["id"] == gid(kind, number)), None)

    # Customers

    def _customer(self, number: int) -> Row | None:
        orders = self._orders_of(number)
        if not orders:
            return None
        first, last = self._came_and_changed(number, orders)
        row = customer_row(self._world.source.customer(number, moment(first)), moment(last), orders)
        shown = [order for order in orders if self._world.story(order) is not None]

        def spent() -> Row:
            told = [order for each in orders if (order := self._rows.told(each, self._now)) is not None]
            currency = self._world.shop.at(self._now).currency
            return money(sum(order.totals.net_payment for order in told), currency)

        return row | {
            "amountSpent": spent, "lastOrder": lambda: self._order(shown[-1]),
            "orders": lambda: [found for order in shown if (found := self._order(order)) is not None],
        }  # fmt: skip

    def _came_and_changed(self, customer: int, orders: list[int]) -> tuple[int, int]:
        """Return the seconds in which a customer came and last changed."""
        first, last = (self._index.created[self._index.place(order) or 0] for order in (orders[0], orders[-1]))
        return first, max(last, self._index.merged_at(customer, self._second))

    def _orders_of(self, customer: int) -> list[int]:
        return [order for order in self._index.orders_at(customer, self._second) if self._index.exists(order, self._second, -(1 << 62))]

    # Catalogue

    @cached_property
    def _goods(self) -> Mapping[str, dict[int, Row]]:
        by_product: dict[int, list[Variant]] = {}
        for variant in self._world.variants(self._now):
            by_product.setdefault(variant.product, []).append(variant)
        products, variants, items = {}, {}, {}
        for product in self._world.products(self._now):
            products[product.id] = row = self._catalogue.product(product, by_product.get(product.id, []))
            for variant in by_product.get(product.id, []):
                variants[variant.id] = made = self._catalogue.variant(variant, row)
                items[variant.inventory_item] = made["inventoryItem"]
        return {"Product": products, "ProductVariant": variants, "InventoryItem": items}

    # Tables

    @property
    def _tables(self) -> Mapping[str, Callable[[], Table]]:
        return {
            "Order": lambda: Orders(self._index, self._by_change, self._now, self._since, lambda each: self._rows.told(each, self._now), self._order),
            "Product": lambda: self._goods_table("Product", {"UPDATED_AT": "updated_at", "CREATED_AT": "created_at", "TITLE": "title"}),
            "ProductVariant": lambda: self._goods_table("ProductVariant", {"SKU": "sku", "TITLE": "title"}),
            "InventoryItem": lambda: self._goods_table("InventoryItem", {}),
            "Customer": self._customers,
            "Market": lambda: _plain("Market", market_rows(self._world.shop, self._now)),
            "Location": lambda: _plain("Location", {number: location_row(number, name) for number, name in self._world.shop.locations}),
            "BasicEvent": self._events,
            "ShopifyPaymentsBalanceTransaction": self._balance,
            "ShopifyPaymentsPayout": self._payouts,
            "ShopifyPaymentsDispute": self._disputes,
        }  # fmt: skip

    def _table(self, kind: str) -> Table:
        return self._tables[kind]()

    def _goods_table(self, kind: str, sort_fields: Mapping[str, str]) -> Table:
        return Listed(kind, self._goods[kind], facts.of_row, _itself, sort_fields)

    def _customers(self) -> Table:
        """List customers by what sorting needs; their rows are made when they are asked for."""
        found: dict[int, tuple[int, int]] = {}
        for customer in list(self._index.orders_of):
            orders = self._orders_of(customer)
            if orders:
                found[customer] = self._came_and_changed(customer, orders)

        def facts(number: int) -> Mapping[str, Fact]:
            first, last = found[number]
            return {"id": lambda: number, "created_at": lambda: moment(first), "updated_at": lambda: moment(last)}

        keys: dict[str, list[Key]] = {
            "ID": sorted((number, number) for number in found),
            "UPDATED_AT": sorted((moment(last), number) for number, (_, last) in found.items()),
            "CREATED_AT": sorted((moment(first), number) for number, (first, _) in found.items()),
        }
        return Keyed("Customer", keys, facts, self._customer, {"ID": "id", "UPDATED_AT": "updated_at", "CREATED_AT": "created_at"})

    def _events(self) -> Table:
        """List what happened to things that are gone: nothing else is told by the sandbox's events."""
        orders = zip(self._index.orders, self._index.deleted, strict=False)  # one may be coming in
        gone = {order: ("ORDER", "Order", moment(at)) for order, at in orders if 0 < at <= self._second}
        for product in self._world.catalogue.products.values():
            if product.deleted_at is not None and product.deleted_at <= self._now:
                gone[product.id] = ("PRODUCT", "Product", product.deleted_at)
        rows = {number: _event(number, *what) for number, what in gone.items()}
        return Listed("BasicEvent", rows, facts.of_event, _itself, {"CREATED_AT": "created_at"})

    # Shopify Payments

    def _moves(self, order: int) -> list[BalanceTransaction]:
        story = self._world.story(order)
        return list(bank.moves(story, self._world.shop, self._now)) if story is not None else []

    def _waiting(self) -> int:
        """Return what has moved and is not yet paid out."""
        recent = {order for (at, _), order in self._index.moves if self._now - WEEK <= at <= self._now}
        return sum(move.net for order in recent for move in self._moves(order) if move.payout_status != "PAID")

    def _issued(self) -> dict[int, Payout]:
        return {payout.id: payout for payout in self._index.payouts if payout.issued_at <= self._now}

    def _balance(self) -> Table:
        payouts = self._issued()
        transfers = {transfer.id: transfer for payout in payouts.values() for transfer in (bank.transfer(payout),)}
        moved = [key for key, _ in self._index.moves if key[0] <= self._now]
        keys = sorted([*moved, *((transfer.at, transfer.id) for transfer in transfers.values())])

        def move(number: int) -> BalanceTransaction:
            if number in transfers:
                return transfers[number]
            return next(each for each in self._moves(self._index.order_of_move(number) or 0) if each.id == number)

        by: dict[str, list[Key]] = {"PROCESSED_AT": keys, "ID": sorted((number, number) for _, number in keys)}
        return Keyed("ShopifyPaymentsBalanceTransaction", by, lambda number: facts.of_move(move(number)), lambda number: balance_row(move(number)), {
            "PROCESSED_AT": "processed_at", "ID": "id",
        })  # fmt: skip

    def _payouts(self) -> Table:
        return Listed("ShopifyPaymentsPayout", self._issued(), facts.of_payout, payout_row, {"ISSUED_AT": "issued_at"})

    def _disputes(self) -> Table:
        found: dict[int, Dispute] = {}
        for order in self._index.disputed:
            story: Story | None = self._world.story(order)
            found |= {each.id: each for each in bank.disputes(story, self._world.shop, self._now)} if story is not None else {}
        return Listed(
            "ShopifyPaymentsDispute", found, facts.of_dispute, lambda each: dispute_row(each, lambda: self._order(each.order)), {}
        )  # fmt: skip


def _itself(row: Row) -> Row:
    return row


def _plain(kind: str, rows: dict[int, Row]) -> Table:
    return Listed(kind, rows, lambda row: {"name": lambda: row["name"], "active": lambda: row.get("isActive", True)}, _itself, {"NAME": "name"})


def _event(number: int, subject: str, kind: str, at: datetime) -> Row:
    said = f"Shopify Admin deleted {'an order' if subject == 'ORDER' else 'a product'}."
    return {
        "__typename": "BasicEvent", "id": gid("BasicEvent", number), "action": "destroy", "appTitle": None, "attributeToApp": False,
        "attributeToUser": True, "createdAt": stamp(at), "criticalAlert": False, "message": said, "subjectId": gid(kind, number),
        "subjectType": subject,
    }  # fmt: skip
