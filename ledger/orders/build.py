"""Build mirror rows from facts: ids and parts that stay, days in the store's zone, dimensions resolved."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import NamedTuple, Protocol
from zoneinfo import ZoneInfo

from ledger.days import day_number, moment
from ledger.facts import OrderFact
from ledger.kinds import Journey
from ledger.models import Store, StoreZone
from ledger.orders import dimensions
from ledger.orders.rows import CostRow, LineRow, OrderRow, PaymentRow, SaleRow


class Known(NamedTuple):
    """What the mirror knows of an order before it is locked."""

    id: int
    digest: bytes | None
    updated: int | None
    external_id: str


class Zones:
    """Tells the store's local day of a moment, by the zone that was in force then."""

    def __init__(self, rows: Sequence[tuple[date, str]]) -> None:
        if not rows:
            raise ValueError("a store has at least one time zone")
        self._from = [day for day, _ in rows]
        self._zones = [ZoneInfo(name) for _, name in rows]
        self._last: tuple[datetime, int, int] | None = None

    @classmethod
    def load(cls, store: Store) -> "Zones":
        """Read the store's zones in time order."""
        return cls(list(StoreZone.objects.filter(store=store).order_by("from_day").values_list("from_day", "zone")))

    def zone_on(self, day: date) -> ZoneInfo:
        """Return the zone in force on a day; the first one before any is."""
        return self._zones[max(bisect_right(self._from, day) - 1, 0)]

    def local(self, at: datetime) -> tuple[int, int]:
        """Return a time as (moment, day number in the store's zone)."""
        last = self._last
        if last is not None and last[0] is at:  # the lines of an order share one time: the same object
            return last[1], last[2]
        zone = self._zones[0] if len(self._zones) == 1 else self.zone_on(at.astimezone(self._zones[0]).date())
        found = (at, moment(at), day_number(at.astimezone(zone).date()))
        self._last = found
        return found[1], found[2]


class _HasIdentity(Protocol):
    external_id: str
    part: int


class _Parts:
    """Gives each row under an order its part: the one it had, or the next free number."""

    def __init__(self, before: Iterable[_HasIdentity]) -> None:
        self._known = {row.external_id: row.part for row in before}
        self._last = max(self._known.values(), default=0)
        self._told: set[str] = set()

    def of(self, external_id: str) -> int:
        """Return the part of a row; raise ValueError for one that was told before: two rows of one name are no two rows."""
        if external_id in self._told:
            raise ValueError(f"“{external_id}” is told twice")
        self._told.add(external_id)
        part = self._known.get(external_id)
        if part is None:
            part = self._last = self._last + 1
            self._known[external_id] = part
        return part


class OrderBuilder:
    """Builds the rows of one batch of facts of one platform, resolving what they point at once for all."""

    def __init__(self, store: Store, facts: Sequence[OrderFact], *, before: Iterable[OrderRow], cause_ref: str) -> None:
        self._cause_ref = cause_ref
        self._erased = dimensions.erased(store.pk, {order.customer for order in before if order.customer is not None})
        self._zones = Zones.load(store)
        self._channels = dimensions.channel_numbers(store.pk, {fact.channel for fact in facts})
        wanted = {line.variant: (line.sku, line.title) for fact in reversed(facts) for line in fact.lines if line.variant is not None}
        platform = facts[0].platform if facts else ""
        self._variants = dimensions.variants(store.pk, platform, wanted)
        self._customers = dimensions.customers(store.pk, {fact.customer: fact.country for fact in facts if fact.customer is not None})

    def build(self, fact: OrderFact, digest: bytes, before: OrderRow | None, order_id: int) -> OrderRow:
        """Build one order; `before` lends its parts, and the charges that files tell of it."""
        placed, day = self._zones.local(fact.placed_at)
        order = OrderRow(
            order_id, fact.platform, fact.external_id, fact.number, placed, day, fact.currency, self._channels[fact.channel],
            fact.financial_status, fact.sales_basis,
            customer=None if fact.customer is None else self._customers[fact.customer],
            country=fact.country, region=fact.region, is_test=fact.is_test, shipped=fact.shipped,
            cancelled=None if fact.cancelled_at is None else moment(fact.cancelled_at),
            stated_total=fact.stated_total, stated_refunded=fact.stated_refunded,
            platform_updated=None if fact.updated_at is None else moment(fact.updated_at),
            digest=digest, cause_ref=self._cause_ref, shipping_method=fact.shipping_method[:120], grams=fact.grams, journey=fact.journey,
            location=fact.location[:60],
            discount_codes=tuple(sorted({code.strip().upper()[:80] for code in fact.discount_codes if code.strip()})),
        )  # fmt: skip
        self._add_lines(order, fact, before)
        self._add_events(order, fact, before)
        if before is not None:
            order.charges = before.charges
            order.journey = max(before.journey, fact.journey)
            if before.customer in self._erased:
                # Who was erased stays so, whatever is told of the order: it is nobody's for good, and counts as it did, for its country too.
                order.customer, order.country, order.region = before.customer, order.country or before.country, ""
                order.journey = Journey.NOT_TOLD
        return order

    def _add_lines(self, order: OrderRow, fact: OrderFact, before: OrderRow | None) -> None:
        part_of = _Parts(before.lines if before else ()).of
        variants = self._variants
        sold_as = {line.external_id: line for line in before.lines if line.variant is not None} if before else {}
        for line in fact.lines:
            ref = variants[line.variant] if line.variant is not None else None
            row = LineRow(
                line.external_id, part_of(line.external_id), line.quantity, line.unit_price,
                ref.variant if ref else None, ref.product if ref else None, line.sku, line.title,
                stated_cost=line.unit_cost, grams=ref.grams if ref else None,
            )  # fmt: skip
            if line.by_name and line.external_id in sold_as:
                former = sold_as[line.external_id]
                row.variant, row.product, row.grams = former.variant, former.product, former.grams
            order.lines.append(row)

    def _add_events(self, order: OrderRow, fact: OrderFact, before: OrderRow | None) -> None:
        local = self._zones.local
        lines = {line.external_id: line.part for line in order.lines}
        part_of = _Parts(before.sales if before else ()).of
        for sale in fact.sales:
            happened, day = local(sale.happened_at)
            order.sales.append(
                SaleRow(
                    sale.external_id, part_of(sale.external_id), lines[sale.line] if sale.line is not None else None, happened, day,
                    sale.kind, sale.type, sale.quantity, sale.net, sale.discount, sale.tax, sale.restocked, sale.estimated,
                )
            )  # fmt: skip
        part_of = _Parts(before.payments if before else ()).of
        for payment in fact.payments:
            processed, day = local(payment.processed_at)
            order.payments.append(
                PaymentRow(
                    payment.external_id, part_of(payment.external_id), payment.kind, payment.status, payment.gateway, payment.amount,
                    payment.fee, payment.fee_currency, processed, day,
                )
            )  # fmt: skip
        part_of = _Parts(before.costs if before else ()).of
        for cost in fact.costs:
            happened, day = local(cost.happened_at)
            order.costs.append(CostRow(cost.external_id, part_of(cost.external_id), cost.account, cost.amount, happened, day))
