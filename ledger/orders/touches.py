"""Keep how customers came, the only writer and reader of touches: visits are told by platforms, codes stand on their orders.

Touches change no entry. What tells more of a journey is never replaced by what tells less, so that it does not matter in
which order an order's page, a file of all orders and a journey told by itself arrive.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from django.db import connection
from django.db.models import Q

from ledger.book import pgcopy as pg
from ledger.days import moment
from ledger.facts import JourneyFact, OrderFact, TouchFact
from ledger.kinds import Evidence, Journey, TouchKind
from ledger.models import Order, Store, Touch
from ledger.orders import mirror
from ledger.orders.rows import OrderRow

_COLUMNS = (
    "store_id, order_id, position, kind, evidence, happened_at, source, medium, campaign, term, content, click_ids, landing, referrer"
)  # fmt: skip
LONGEST, LONGEST_HOST = 255, 120


class TouchView(NamedTuple):
    """One contact before an order: a visit, or a discount code used with it."""

    order: int
    position: int
    happened_at: datetime
    kind: TouchKind
    evidence: Evidence
    source: str
    medium: str
    campaign: str
    term: str
    content: str
    click_ids: tuple[str, ...]
    landing: str
    referrer: str
    code: str = ""


def note(store_id: int, told: Sequence[tuple[OrderRow, OrderFact, OrderRow | None]]) -> None:
    """Keep the touches of orders that are being recorded, each with its fact and what was mirrored of it; without any, nothing is asked."""
    fresh: dict[int, Sequence[TouchFact]] = {}
    stale = []
    for order, fact, was in told:
        known = Journey.NOT_TOLD if was is None else was.journey
        if fact.journey < max(known, Journey.ENDS) or order.journey < Journey.ENDS:
            continue
        if known >= Journey.ENDS:
            stale.append(order.id)
        if fact.touches:
            fresh[order.id] = fact.touches
    if fresh or stale:
        _replace(store_id, stale, fresh)


def record_journeys(store: Store, facts: Sequence[JourneyFact]) -> int:
    """Keep how customers came of orders of one platform that are known, in the caller's transaction; return how many changed.

    Orders that are not known yet are left out: they tell the ends of their journeys themselves.
    """
    told = {fact.order: fact for fact in facts}
    found = Order.objects.filter(store=store, platform__in={fact.platform for fact in facts}, external_id__in=told)
    found = found.filter(Q(customer=None) | Q(customer__erased_at=None))
    ids = sorted(found.values_list("pk", flat=True))
    if not ids:
        return 0
    mirror.hold(store.pk, ids)
    held = {order: (told[name], journey) for order, name, journey in found.values_list("pk", "external_id", "journey")}
    kept = _kept(store.pk, held)
    news = {
        order: fact for order, (fact, journey) in held.items()
        if fact.journey > journey or (fact.journey == journey and kept.get(order, ()) != fact.touches)
    }  # fmt: skip
    if news:
        _replace(store.pk, [order for order in news if order in kept], {order: fact.touches for order, fact in news.items()})
        mirror.tell_journeys(store.pk, {order: fact.journey for order, fact in news.items()})
    return len(news)


def of_orders(store_id: int, orders: Collection[int]) -> dict[int, list[TouchView]]:
    """Return the touches of orders by order: visits in the order of time, then the discount codes used when it was placed."""
    found: dict[int, list[TouchView]] = {order: [] for order in orders}
    for row in Touch.objects.filter(store_id=store_id, order_id__in=orders).order_by("order_id", "position"):
        found[row.order_id].append(
            TouchView(
                row.order_id, row.position, row.happened_at, TouchKind(row.kind), Evidence(row.evidence), row.source, row.medium, row.campaign,
                row.term, row.content, tuple(row.click_ids), row.landing, row.referrer,
            )
        )  # fmt: skip
    for order, placed, codes in Order.objects.filter(store=store_id, pk__in=orders).values_list("pk", "placed_at", "discount_codes"):
        for code in codes:
            own = found[order]
            own.append(TouchView(order, len(own) + 1, placed, TouchKind.CODE, Evidence.DISCOUNT_CODE, "", "", "", "", "", (), "", "", code))
    return found


def forget(store_id: int, orders: Collection[int]) -> int:
    """Delete what is kept of how the customers of held orders came, as if nothing had been told; return how many touches that were."""
    mirror.tell_journeys(store_id, dict.fromkeys(orders, Journey.NOT_TOLD))
    return _delete(store_id, orders)


def _delete(store_id: int, orders: Collection[int]) -> int:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM ledger_touch WHERE store_id = %s AND order_id = ANY(%s::bigint[])", [store_id, pg.array(orders)])
        return int(cursor.rowcount)


def _kept(store_id: int, orders: Collection[int]) -> dict[int, tuple[TouchFact, ...]]:
    rows = Touch.objects.filter(store_id=store_id, order_id__in=orders).order_by("order_id", "position")
    return {order: tuple(map(_fact, own)) for order, own in groupby(rows, key=attrgetter("order_id"))}


def _fact(row: Touch) -> TouchFact:
    return TouchFact(
        row.happened_at, TouchKind(row.kind), Evidence(row.evidence), row.source, row.medium, row.campaign, row.term, row.content,
        tuple(row.click_ids), row.landing, row.referrer,
    )  # fmt: skip


def _replace(store_id: int, stale: Collection[int], fresh: Mapping[int, Sequence[TouchFact]]) -> None:
    if stale:
        _delete(store_id, stale)
    pg.copy_rows("ledger_touch", _COLUMNS, _rows(store_id, fresh))


def _rows(store_id: int, fresh: Mapping[int, Sequence[TouchFact]]) -> Iterator[bytes]:
    store = b"\0\x0e" + pg.i4(store_id)
    for order, own in fresh.items():
        head = store + pg.i8(order)
        for position, touch in enumerate(own, 1):
            yield b"".join((
                head, pg.i2(position), pg.i2(touch.kind), pg.i2(touch.evidence), pg.i8(moment(touch.happened_at)), pg.text(touch.source[:LONGEST]),
                pg.text(touch.medium[:LONGEST]), pg.text(touch.campaign[:LONGEST]), pg.text(touch.term[:LONGEST]), pg.text(touch.content[:LONGEST]),
                pg.texts(tuple(each[:LONGEST] for each in touch.click_ids)), pg.text(touch.landing[:LONGEST]), pg.text(touch.referrer[:LONGEST_HOST]),
            ))  # fmt: skip
