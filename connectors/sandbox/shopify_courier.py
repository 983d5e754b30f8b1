"""Make the requests that a bell asked for, by Shopify's rules: in time, signed, again after a failure, and not for ever."""

import base64
import hmac
import queue
import threading
import traceback
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from connectors.sandbox.posting import post
from connectors.sandbox.shopify_outbox import FORGED, FORMER, Delivery
from connectors.sandbox.shopify_schema import API_VERSION

if TYPE_CHECKING:
    from connectors.sandbox.shopify_shop import Shop

WAITS = (10, 60, 300, 600, 1_200, 2_400, 3_600, 6_230)
"""Seconds before each further try: eight, within four hours of the first."""
MOST_FAILURES = 8
"""After so many in a row a subscription ends."""
THREADS = 4
LINED_UP = 32
"""How many deliveries are read from the file ahead of those that are on their way."""
TICK = 0.05
"""Seconds of real time between two looks at the clock."""


class Courier:
    """Deliver for one shop. `waits` are the seconds of the world's time between tries."""

    def __init__(self, shop: "Shop", waits: tuple[int, ...] = WAITS) -> None:
        self.shop, self.waits = shop, waits
        self.post: Callable[[str, Mapping[str, str], bytes], int | None] = post
        self.counts = {"sent": 0, "failed": 0, "given_up": 0, "subscriptions_ended": 0}
        self.log: deque[dict[str, Any]] = deque(maxlen=1000)
        """The last tries: topic, id, which try, and what was answered."""
        self._lock = threading.Lock()
        self._succeeded: dict[str, datetime] = {}
        self._on_their_way: set[int] = set()
        self._queue: queue.Queue[Delivery | None] = queue.Queue(LINED_UP)
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []

    # One after the other, for tests

    def deliver(self) -> int:
        """Deliver all that is due now, one after the other; return how many requests were made."""
        made = 0
        while due := self.shop.bell.outbox.due(self.shop.now(), 1):
            self._try(due[0])
            made += 1
        return made

    # In the background

    def start(self) -> None:
        """Begin to deliver in the background, until it is closed."""
        if not self._threads:
            self._threads = [
                threading.Thread(target=self._line_up, daemon=True),
                *(threading.Thread(target=self._work, daemon=True) for _ in range(THREADS)),
            ]
            for thread in self._threads:
                thread.start()

    def close(self) -> None:
        """Stop delivering: what is on its way arrives, the rest stays in the file."""
        self._stopped.set()
        for thread in self._threads:
            thread.join(6)
        self._threads = []

    def _line_up(self) -> None:
        """Ring the bell and put what is due into the queue, which holds few."""
        bell = self.shop.bell
        while not self._stopped.is_set():
            try:
                bell.ring()
                with self._lock:
                    but = set(self._on_their_way)
                room = LINED_UP - self._queue.qsize()
                due = bell.outbox.due(self.shop.now(), room, but) if room > 0 and bell.has_something else []
                for each in due:
                    with self._lock:
                        self._on_their_way.add(each.id)
                    self._queue.put(each)
            except Exception:  # a fault of the sandbox itself is shown, and does not end deliveries
                traceback.print_exc()
                due = []
            self._stopped.wait(TICK if len(due) < LINED_UP // 2 else 0.002)
        for _ in range(THREADS):
            self._queue.put(None)

    def _work(self) -> None:
        while (delivery := self._queue.get()) is not None:
            try:
                if not self._stopped.is_set():
                    self._try(delivery)
            except Exception:
                traceback.print_exc()
            finally:
                with self._lock:
                    self._on_their_way.discard(delivery.id)

    # One try

    def _try(self, delivery: Delivery) -> None:
        """Make one request and note what becomes of the delivery."""
        outbox, shop = self.shop.bell.outbox, self.shop
        if (delivery.subscription and delivery.subscription not in shop.subscriptions) or self._is_taken_back(delivery):
            outbox.done(delivery.id)
            return
        began = shop.now()
        status = self.post(delivery.uri, self.headers(delivery), delivery.body)
        now = shop.now()
        delivery.tries += 1
        delivery.began = delivery.began or began
        well = status is not None and 200 <= status < 300
        self.log.append(
            {"topic": delivery.topic, "webhook_id": delivery.webhook_id, "try": delivery.tries, "status": status, "signed": delivery.signed}
        )
        with self._lock:
            self.counts["sent" if well else "failed"] += 1
        if well or delivery.signed == FORGED:
            outbox.done(delivery.id)
            if well and delivery.signed != FORGED:
                self._succeeded[delivery.subscription] = now
        elif delivery.tries >= MOST_FAILURES and self._nothing_arrived_since(delivery):
            self._end(delivery.subscription)
        elif delivery.tries > len(self.waits):
            outbox.done(delivery.id)
            self.counts["given_up"] += 1
        else:
            outbox.again(delivery, now + timedelta(seconds=self.waits[delivery.tries - 1]))

    def _nothing_arrived_since(self, delivery: Delivery) -> bool:
        """Tell whether a subscription has failed ever since a delivery was tried first."""
        last = self._succeeded.get(delivery.subscription)
        return bool(delivery.subscription) and (last is None or delivery.began is None or last <= delivery.began)

    def _is_taken_back(self, delivery: Delivery) -> bool:
        """Tell whether a shop that was to be forgotten has the app again."""
        return delivery.topic == "shop/redact" and self.shop.tokens.installed is not None

    def _end(self, subscription: str) -> None:
        """End a subscription that failed too often, with all that was to be delivered to it."""
        with self.shop.lock:
            if self.shop.subscriptions.pop(subscription, None) is not None:
                self.counts["subscriptions_ended"] += 1
                self.shop.changed()
        self.shop.bell.outbox.drop(subscription)

    def headers(self, delivery: Delivery) -> dict[str, str]:
        """Return the headers of a delivery, its signature by the secret that signs at this moment."""
        found = {
            "Content-Type": "application/json", "User-Agent": "Shopify-Captain-Hook", "Accept": "*/*", "X-Shopify-Topic": delivery.topic,
            "X-Shopify-Hmac-Sha256": self._signature(delivery), "X-Shopify-Shop-Domain": self.shop.domain, "X-Shopify-API-Version": API_VERSION,
            "X-Shopify-Webhook-Id": delivery.webhook_id, "X-Shopify-Event-Id": delivery.event_id,
            "X-Shopify-Triggered-At": delivery.triggered_at.strftime("%Y-%m-%dT%H:%M:%S.%f000Z"), "X-Shopify-Test": "false",
        }  # fmt: skip
        return found | ({"X-Shopify-Name": delivery.name} if delivery.name else {})

    def _signature(self, delivery: Delivery) -> str:
        signed = FORMER if self.shop.signs_with_former_secret() and delivery.signed != FORGED else delivery.signed
        secret = self.shop.former_secret if signed == FORMER else self.shop.tokens.app.client_secret
        key = "somebody else's" if signed == FORGED else secret
        return base64.b64encode(hmac.digest(key.encode(), delivery.body, "sha256")).decode()
