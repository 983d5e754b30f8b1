"""Notice what happens in a business as its clock passes it, and write down whom it is to be told."""

import threading
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import msgspec
from msgspec import structs

from connectors.sandbox.index import seconds
from connectors.sandbox.shopify_money import stamp
from connectors.sandbox.shopify_outbox import FORGED, FORMER, Delivery, Outbox
from connectors.sandbox.shopify_pages import gid
from connectors.sandbox.shopify_payloads import Body, Payloads
from connectors.sandbox.shopify_topics import TOPICS, Ring, of_goods, of_story
from connectors.sandbox.shopify_world import WorldRows
from connectors.sandbox.story import Story
from connectors.sandbox.troubles import DELIVERY, Trouble

if TYPE_CHECKING:
    from connectors.sandbox.shopify_shop import Shop

AT_ONCE = 500
"""How many seconds of orders are written down in one go."""
TRIED_FOR = timedelta(hours=4)
"""For how long a delivery is tried: what rang longer ago while the sandbox was not there is lost, as its tries would have ended."""
REDACTED_AFTER = timedelta(hours=48)
ALWAYS = 1 << 40
"""A second after all others."""
REMEMBERED = 5_000
"""Of how many things it is known what was told last."""


class Bell:
    """One shop's bell. Who subscribed to a topic gets a delivery whenever something happens that it tells of."""

    def __init__(self, shop: "Shop", rows: WorldRows, folder: Path) -> None:
        self.shop, self.rows = shop, rows
        self.payloads = Payloads(rows.world, shop.domain)
        self.compliance: str | None = None
        """Where the app wants to be told of people's requests and of the end; no subscription names it."""
        self.overflowed = 0
        """Deliveries that found no room."""
        self.lock = threading.RLock()
        self._folder = folder
        self._outbox: Outbox | None = None
        self._rung: int | None = None
        self._goods: list[Ring] | None = None
        self._finished: set[int] = set()
        self._scopes: frozenset[str] | None = shop.tokens.installed
        self._said: OrderedDict[tuple[str, str, int], int] = OrderedDict()

    @property
    def outbox(self) -> Outbox:
        """Return what is to be delivered."""
        with self.lock:
            if self._outbox is None:
                self._outbox = Outbox(self._folder / "deliveries.sqlite")
            return self._outbox

    @property
    def has_something(self) -> bool:
        """Tell whether anything waits to be delivered."""
        return self._outbox is not None and self._outbox.waiting > 0

    def keep_in(self, path: Path, business: str) -> None:
        """Keep deliveries and placed orders in a file, and take up what it holds: once, before anything rings."""
        with self.lock:
            self._outbox = Outbox(path, business)
            rung, ended = self._outbox.note("rung"), seconds(self.shop.now() - TRIED_FOR)
            self._rung = max(int(rung), ended) if rung is not None else None
            self.compliance = self._outbox.note("compliance") or None
            app, secret = self.shop.tokens.app, self._outbox.note("secret")
            self.shop.tokens.app = replace(app, client_secret=secret or app.client_secret)
            for story in self._outbox.stories():
                self.rows.put(story)

    def set_compliance(self, uri: str | None) -> None:
        """Set where compliance topics go, as an app's own settings do."""
        self.compliance = uri
        self.outbox.write("compliance", uri or "")

    # Ringing

    def ring(self) -> None:
        """Write down what happened since the last time, up to now. The first time, only now is noted."""
        with self.lock:
            now = self.shop.now()
            until, since = seconds(now), self._rung
            if since is not None and until > since and self.shop.subscriptions:
                for rung, rings in self._chunks(since, until):
                    self._write(rings, rung)
            if self._rung != until:
                self._rung = until
                if self._outbox is not None or self.shop.subscriptions:
                    self.outbox.write("rung", str(until))
            self._look(now)

    def _chunks(self, since: int, until: int) -> Iterator[tuple[int, list[Ring]]]:
        """Yield what rings after one second and until another, by and by, each with the second it goes to."""
        rings = self.rows.index.rings
        place, last = bisect_left(rings, (since + 1, 0)), bisect_left(rings, (until + 1, 0))
        while True:
            reached = until if place + AT_ONCE >= last else rings[place + AT_ONCE][0]
            stop = bisect_left(rings, (reached + 1, 0), place, max(place, last))
            orders = sorted({order for _, order in rings[place:stop]})
            stories = (story for order in orders if (story := self.rows.world.story(order)) is not None)
            found = [ring for story in stories for ring in of_story(story, since, reached)]
            yield reached, sorted([*found, *self._of_goods(since, reached)], key=lambda ring: (ring.at, ring.place))
            if reached >= until:
                return
            since, place = reached, stop

    def _of_goods(self, since: int, until: int) -> list[Ring]:
        if self._goods is None:
            self._goods = of_goods(self.rows.world.catalogue, self.rows.world.shop)
        first, last = (bisect_right(self._goods, second, key=lambda ring: seconds(ring.at)) for second in (since, until))
        return self._goods[first:last]

    def _look(self, now: datetime) -> None:
        """Tell of what no story holds: bulk operations that ended, scopes that changed."""
        for operation in self.shop.bulk.all() if self.shop.bulk.operations else ():
            if operation.completed_at is not None and operation.number not in self._finished:
                self._finished.add(operation.number)
                self.tell("bulk_operations/finish", {
                    "admin_graphql_api_id": gid("BulkOperation", operation.number), "completed_at": stamp(operation.completed_at),
                    "created_at": stamp(operation.created_at), "error_code": operation.error.lower() if operation.error else None,
                    "status": operation.status.lower(), "type": "query",
                })  # fmt: skip
        before, self._scopes = self._scopes, self.shop.tokens.installed
        if before is not None and self._scopes is not None and before != self._scopes:
            self.tell("app/scopes_update", {
                "id": gid("AppInstallation", 1), "previous": sorted(before), "current": sorted(self._scopes), "updated_at": stamp(now),
            })  # fmt: skip

    def _write(self, rings: Iterable[Ring], rung: int) -> None:
        with self.outbox.together():
            for ring in {(each.at, each.topic, each.id): each for each in rings}.values():
                if any(True for _ in self._asking_for(ring.topic)) and (body := self.payloads.of(ring)) is not None:
                    self._address(ring.topic, body, ring.at, ring.id)
            self.outbox.write("rung", str(rung))
            self._rung = rung

    def place(self, story: Story) -> None:
        """Take in an order that somebody placed, or more that happened to it at this moment, and ring for it."""
        with self.lock:
            self.ring()
            before = self.rows.world.story(story.id)
            known = of_story(before, 0, ALWAYS) if before is not None else []
            heard = {_named(ring) for ring in known}
            fresh = [ring for ring in of_story(story, 0, ALWAYS) if _named(ring) not in heard]
            with self.outbox.together():
                self.outbox.put(story)
                self.rows.put(story)
                # what else happens in this second was rung for, or will be
                self._write(fresh, self._rung or 0)

    # Telling

    def tell(self, topic: str, body: Body, *, delay: timedelta = timedelta(0), lasting: bool = False) -> int:
        """Write down something that happens now; return to how many. What is `lasting` is delivered though its subscription ends."""
        with self.lock, self.outbox.together():
            now = self.shop.now()
            return self._address(topic, body, now, int(body.get("id") or 0) if isinstance(body.get("id"), int) else 0, now + delay, lasting=lasting)

    def uninstalled(self) -> None:
        """Tell that the app was taken out, the last that is told of a shop but for the request to forget it, two days later."""
        with self.lock:
            if self.shop.subscriptions or self.compliance:
                self.ring()
                self.tell("app/uninstalled", self.payloads.shop(self.shop.now()), lasting=True)
                self.outbox.drop()
                self.tell("shop/redact", self.payloads.redact_shop(), delay=REDACTED_AFTER)

    def about_customer(self, topic: str, customer: int) -> int:
        """Pass on that a customer asks for what is known of them, or to be forgotten; return to how many addresses."""
        orders = self.rows.index.orders_of.get(customer, ())
        body = self.payloads.of_customer(topic, customer, orders, seconds(self.shop.now()), self.shop.now())
        return self.tell(topic, body)

    def _asking_for(self, topic: str) -> Iterator[Mapping[str, Any]]:
        """Yield who is to be told of a topic: subscriptions, or the one address of the app."""
        if topic in TOPICS.values():
            yield from (row for row in list(self.shop.subscriptions.values()) if TOPICS.get(row["topic"]) == topic)
        elif self.compliance:
            yield {"id": "", "uri": self.compliance, "name": None, "includeFields": []}

    def _address(self, topic: str, body: Body, at: datetime, subject: int, due: datetime | None = None, *, lasting: bool = False) -> int:
        event, told, now = str(uuid4()), 0, self.shop.now()
        for row in self._asking_for(topic):
            said = msgspec.json.encode(_only(body, row["includeFields"]))
            if row["includeFields"] and self._is_stale(row["id"], topic, subject, said):
                continue
            struck = self.shop.troubles.strike(DELIVERY, topic)
            subscription = "" if lasting else row["id"]
            delivery = Delivery(0, subscription, row["uri"], topic, str(uuid4()), event, at, row["name"], said, due or now)
            self.overflowed += self.outbox.add(_troubled(delivery, struck))
            told += 1
        return told

    def _is_stale(self, subscription: str, topic: str, subject: int, said: bytes) -> bool:
        """Tell whether the same was said of the same before: who picks fields without one that changes is told once."""
        key, now = (subscription, topic, subject), hash(said)
        before = self._said.pop(key, None)
        self._said[key] = now
        while len(self._said) > REMEMBERED:
            self._said.popitem(last=False)
        return before == now

    def close(self) -> None:
        """Close the file."""
        with self.lock:
            if self._outbox is not None:
                self._outbox.close()
                self._outbox = None


def _named(ring: Ring) -> tuple[object, ...]:
    """Return what tells a ring from others: an order may be changed again and again, everything else happens once."""
    return (ring.topic, ring.id, ring.at) if ring.topic == "orders/updated" else (ring.topic, ring.id)


def _only(body: Body, fields: list[str]) -> Body:
    """Leave of a body what a subscription names; `a.b` names a part of a part, or of each of several."""
    if not fields:
        return body
    found: Body = {}
    for name in dict.fromkeys(field.partition(".")[0] for field in fields):
        inner = [rest for field in fields for head, _, rest in (field.partition("."),) if head == name and rest]
        value = body.get(name)
        if name not in body:
            continue
        if inner and name not in fields:
            value = [_only(each, inner) for each in value] if isinstance(value, list) else _only(value, inner) if isinstance(value, dict) else value
        found[name] = value
    return found


def _troubled(delivery: Delivery, struck: Mapping[str, Trouble]) -> list[Delivery]:
    """Return what becomes of a delivery in its troubles."""
    if "former_secret" in struck:
        delivery = structs.replace(delivery, signed=FORMER)
    if "late" in struck:
        delivery = structs.replace(delivery, due=delivery.due + timedelta(seconds=struck["late"].settings.get("seconds", 60)))
    if "out_of_order" in struck:
        trouble = struck["out_of_order"]
        waits = trouble.seen * 7919 % (trouble.settings.get("seconds", 10) * 1000 + 1)
        delivery = structs.replace(delivery, due=delivery.due + timedelta(milliseconds=waits))
    copies = 1 + struck["repeated"].settings.get("copies", 1) if "repeated" in struck else 1
    found = [delivery] * (0 if "lost" in struck else copies)
    if "forged" in struck:
        found.append(structs.replace(delivery, webhook_id=str(uuid4()), subscription="", signed=FORGED))
    return found
