"""Connect a store to a simulated shop, read it as the product does, and set its book beside the oracle's truth."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from decimal import Decimal
from math import ceil

import time_machine

from connectors import registry
from connectors.connections import opened
from connectors.faults import BadPayload, RetryLater, TooBig
from connectors.models import Connection
from connectors.oauth import connect_with_key
from connectors.reading import runs
from connectors.reading.sync import sync
from connectors.sandbox.clock import Clock
from connectors.sandbox.coming import Came, came
from connectors.sandbox.oracle import EVENT, LINES, ORDER, Oracle
from connectors.sandbox.rates import euro_rates
from connectors.sandbox.server import Sandbox
from connectors.sandbox.shopify_access import KNOWN_SCOPES
from connectors.sandbox.shopify_shop import Shop
from connectors.sandbox.shopify_tokens import App
from connectors.sandbox.shopify_world import WorldRows
from connectors.sandbox.world import World
from connectors.succession import go_on
from ledger import rates
from ledger.kinds import Basis, Evidence, Journey, RateSource, TouchKind
from ledger.models import Order, ProductDayTotal, Store, Variant
from ledger.orders import touches
from ledger.orders.touches import TouchView
from ledger.periods import By, cut
from ledger.statements import Statement, profit
from ledger.stores import open_store
from profitpeek.jobs.models import Job
from profitpeek.jobs.running import run

CLIENT = {"client_id": "the-client-id", "client_secret": "the-client-secret"}
RESTATING = ("redraft", "repost")
EARLIER = 400
"""Days before the business began that the book is looked through: imported orders are that old."""
WITH_COSTS = ("variants", "inventory")
"""Streams that tell what a unit costs."""
BY_PRODUCT = ("gross_sales", "discounts", "returns", "cogs", "units", "returned_units")
ZERO = Decimal(0)
Lines = dict[str, Decimal]


class Connected:
    """A store that is connected to a simulated shop whose clock only the test moves."""

    def __init__(self, world: World, began: date, sandbox: Sandbox, shop: Shop, store: Store, connection: Connection) -> None:
        self.world, self.began, self.sandbox, self.shop, self.store, self.connection = world, began, sandbox, shop, store, connection
        self.connected_at = sandbox.clock.now()
        self.currency = ""
        """That of the orders which are compared; empty for all."""
        self.sees_since: datetime | None = None
        """Orders created before are beyond the app's sight; None: it sees all."""
        self.looks: list[datetime] = []
        """When the costs of the catalogue were read."""

    def read(self, *streams: str, tries: int = 60) -> None:
        """Read streams, all unless some are named, until nothing new is to be had; a wait passes on the shop's clock."""
        connector = registry.find("shopify")
        for stream in connector.streams:
            if streams and stream.name not in streams:
                continue
            for _ in range(tries):
                try:
                    with (
                        time_machine.travel(self.sandbox.clock.now(), tick=False),
                        opened(self.connection, now=self.sandbox.clock.now(), sleep=self._pass) as client,
                    ):
                        outcome = sync(self.connection, stream, client, now=self.sandbox.clock.now())
                except (RetryLater, BadPayload, TooBig) as fault:
                    # what a job would do: try again later
                    self.sandbox.clock.advance(int(getattr(fault, "after", None) or 30) + 1)
                    continue
                if outcome.done:
                    if stream.name in WITH_COSTS:
                        self.looks.append(self.sandbox.clock.now())
                    break
                self.sandbox.clock.advance(int(outcome.wait) + 1)
            else:
                raise AssertionError(f"{stream.name} did not end")

    def _pass(self, seconds: float) -> None:
        """Let seconds pass on the shop's clock, which nobody has to wait for."""
        self.sandbox.clock.advance(ceil(seconds))

    def go_on(self) -> "Connected":
        """Open the store in the currency that the shop has now, and return it; each is compared by its own orders from here on."""
        self.connection.refresh_from_db()
        fresh = go_on(self.connection, actor="test", now=self.sandbox.clock.now())
        runs.wake(fresh)
        later = Connected(self.world, self.began, self.sandbox, self.shop, fresh.store, fresh)
        self.currency, later.currency = self.store.currency, fresh.store.currency
        return later

    def restate(self) -> None:
        """Do the background work that reading asked for: draft orders again whose costs were told later."""
        while (waiting := Job.objects.filter(state=Job.State.WAITING, kind__in=RESTATING).order_by("pk").first()) is not None:
            run(waiting.pk)

    def book(self, *, basis: str = EVENT) -> dict[date, Lines]:
        """Return what the book says of each day, the lines that moved."""
        days = cut(self.began - timedelta(days=EARLIER), self.sandbox.clock.now().date() + timedelta(days=2), By.DAY)
        told = profit(self.store.book, days, basis=Basis.ORDER if basis == ORDER else Basis.EVENT)
        return {statement.period.first: moved for statement in told if (moved := _moved(statement))}

    def truth(self) -> Oracle:
        """Return the oracle of now, for who watched since the store was connected."""
        return Oracle(
            self.world, at=self.sandbox.clock.now(), watched_since=self.connected_at, looks=self.looks, currency=self.currency,
            sees_since=self.sees_since,
        )  # fmt: skip

    def differences(self, *, basis: str = EVENT) -> list[str]:
        """List where the book and the truth differ, by day and line."""
        true, told = {day: statement.moved for day, statement in self.truth().by_day(basis=basis).items()}, self.book(basis=basis)
        return [
            f"{day} {line}: {booked} in the book, {really} in truth"
            for day in sorted({*true, *told})
            for line in LINES
            if (booked := told.get(day, {}).get(line, ZERO)) != (really := true.get(day, {}).get(line, ZERO))
        ]

    def all_differences(self) -> list[str]:
        """List every difference there is: of days on both bases, of orders, of products."""
        return [*self.differences(), *self.differences(basis=ORDER), *self.differing_orders(), *self.differing_products(), *self.differing_touches()]

    def differing_orders(self) -> list[str]:
        """List orders whose profit the book and the truth tell differently."""
        true = {str(number): statement.net_profit for number, statement in self.truth().by_order().items()}
        told = {order.external_id: order.profit for order in Order.objects.filter(store=self.store)}
        return [
            f"order {number}: {told.get(number)} in the book, {true.get(number)} in truth"
            for number in sorted({*true, *told}) if (told.get(number) or 0) != (true.get(number) or 0)
        ]  # fmt: skip

    def differing_touches(self) -> list[str]:
        """List orders of which the book tells otherwise than the truth how their customers came; what is read while it is not ready is read later."""
        orders = list(Order.objects.filter(store=self.store, withdrawn_at=None))
        kept = touches.of_orders(self.store.pk, [order.pk for order in orders])
        found = []
        for order in orders:
            story = self.world.story(int(order.external_id))
            assert story is not None
            visits = [touch for touch in kept[order.pk] if touch.kind != TouchKind.CODE]
            true = came(story, self.sandbox.clock.now())
            told = tuple(_came(touch) for touch in visits)
            if order.journey == Journey.ENDS:
                true = (true[0], true[-1]) if true else true
            if told != (true or ()):
                found.append(f"{order.number} came by {told} in the book, by {true} in truth")
            if order.location != str(story.location or ""):
                found.append(f"{order.number} was sold at {order.location} in the book")
            codes = [touch.code for touch in kept[order.pk] if touch.kind == TouchKind.CODE]
            if codes != sorted({discount.code for discount in story.discounts if discount.code}):
                found.append(f"{order.number} used {codes} in the book")
        return found

    def differing_products(self) -> list[str]:
        """List where totals of a variant's day and the truth differ, by line; deleted and unknown variants are known by another name."""
        known = {
            int(variant): pk for pk, variant in Variant.objects.filter(store=self.store, external_id__regex=r"^\d+$").values_list("pk", "external_id")
        }
        true = {(known[variant], day): said for (variant, day), said in self.truth().by_variant().items() if variant in known}
        rows = ProductDayTotal.objects.filter(book_id=self.store.pk, basis=Basis.EVENT, variant__in=known.values())
        told = {(row.variant, row.day): row for row in rows}
        assert len(told) > 20, "products cannot be compared: their ids do not meet"
        return [
            f"variant {variant} on {day}, {line}: {booked} in the book, {really} in truth"
            for variant, day in sorted({*true, *told})
            for line in BY_PRODUCT
            if (booked := getattr(told.get((variant, day)), line, ZERO))
            != (really := true[variant, day].lines.get(line, ZERO) if (variant, day) in true else ZERO)
        ]


WORDS = {TouchKind.FIRST_VISIT: "first", TouchKind.MOMENT: "between", TouchKind.LAST_VISIT: "last", TouchKind.ONLY_VISIT: "only"}
EVIDENCE = {Evidence.UTM: "utm", Evidence.CLICK_ID: "click", Evidence.REFERRER: "referrer", Evidence.NONE: "none"}


def _came(touch: TouchView) -> Came:
    click = "".join(touch.click_ids)
    return Came(
        touch.happened_at, WORDS[touch.kind], EVIDENCE[touch.evidence], touch.source, touch.medium, touch.campaign, click, touch.landing,
        touch.referrer,
    )  # fmt: skip


def _moved(statement: Statement) -> Lines:
    counts = {name: Decimal(getattr(statement, name)) for name in ("orders", "units", "returned_units", "new_customers")}
    return {line: value for line, value in {**statement.lines, **statement.memo, **counts}.items() if value}


@contextmanager
def connected(world: World, *, began: date, at: datetime, live: bool = False, scopes: frozenset[str] = KNOWN_SCOPES) -> Iterator[Connected]:
    """Serve the shop of a world that began on a day, as of a moment, and connect a new store to it; `live` by what it takes to be rung, too."""
    first = began - timedelta(days=EARLIER)
    days = [first + timedelta(days=number) for number in range((at.date() - first).days + 120)]
    rates.add_rates([(currency, day, rate) for day in days for currency, rate in euro_rates(day).items()], source=RateSource.ECB)
    with Sandbox(Clock(at, still=True)) as sandbox:
        shop = sandbox.add_shop(world.shop.domain, WorldRows(world), app=App(*CLIENT.values()))
        now = world.shop.at(at)
        store = open_store(slug="shop", name="Shop", currency=now.currency, zone=now.zone)
        key = next(key for key in registry.find("shopify").keys if key.name == ("credentials" if live else "token"))
        connection = connect_with_key(
            store, registry.find("shopify"), key, account=shop.domain, foreign=shop.base_url,
            told=CLIENT if live else {"access_token": shop.tokens.permanent(scopes)}, actor="test", now=at,
        )  # fmt: skip
        runs.wake(connection)
        yield Connected(world, began, sandbox, shop, store, connection)
