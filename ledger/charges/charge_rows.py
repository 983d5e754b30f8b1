"""Read and write the charges that files tell of orders, and find the orders they are about: the only writer of their table."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from django.db import connection
from django.db.models import QuerySet

from ledger.accounts import FULFILMENT_SHIPPING
from ledger.costs.fees import CHARGES
from ledger.days import day_number
from ledger.kinds import ChargeStatus, PaymentStatus
from ledger.models import Order, OrderCharge, OrderCost, Partner, Payment
from ledger.money import tenk
from ledger.orders import references
from ledger.orders.rows import ChargeRow, OrderRow


def bare(ref: str) -> str:
    """Return how an order is named whether or not the file writes its #."""
    return ref.strip().removeprefix("#")


def names_of(order: OrderRow) -> set[str]:
    """Return the names a file can give an order: its number and its platform's id."""
    return {bare(order.number), bare(order.external_id)}


_PLATFORMS = """
    WITH RECURSIVE known AS (
        (SELECT platform FROM ledger_order WHERE store_id = %(store)s ORDER BY platform LIMIT 1)
        UNION ALL
        SELECT (SELECT o.platform FROM ledger_order o WHERE o.store_id = %(store)s AND o.platform > known.platform ORDER BY o.platform LIMIT 1)
        FROM known WHERE known.platform IS NOT NULL
    ) SELECT array_agg(platform) FILTER (WHERE platform IS NOT NULL) FROM known
"""
# Two searches, each by an index, rather than one OR that is answered by reading every order.
_NAMED = """
    SELECT id, number, external_id FROM ledger_order WHERE store_id = %(store)s AND withdrawn_at IS NULL AND number = ANY(%(names)s)
    UNION
    SELECT id, number, external_id FROM ledger_order
    WHERE store_id = %(store)s AND withdrawn_at IS NULL AND platform = ANY(%(platforms)s) AND external_id = ANY(%(names)s)
"""


def orders_named(store_id: int, refs: Collection[str]) -> dict[str, set[int]]:
    """Find the orders of a store by bare number, platform's id or a processor's name for them, with or without #; one that fits none is left out.

    Withdrawn orders are not found: nothing can be booked on them.
    """
    found: dict[str, set[int]] = {}
    if not refs:
        return found
    wanted = set(refs)
    with connection.cursor() as cursor:
        cursor.execute(_PLATFORMS, {"store": store_id})
        platforms = cursor.fetchone()[0] or []
        names = sorted({name for ref in wanted for name in (ref, f"#{ref}")})
        cursor.execute(_NAMED, {"store": store_id, "names": names, "platforms": platforms})
        for order_id, number, external_id in cursor.fetchall():
            for name in {bare(number), bare(external_id)} & wanted:
                found.setdefault(name, set()).add(order_id)
    _add_called(store_id, wanted - found.keys(), found)
    return found


def _add_called(store_id: int, names: Collection[str], found: dict[str, set[int]]) -> None:
    """Add the orders that payment processors call by some names."""
    called = references.orders_called(store_id, names) if names else []
    standing = Order.objects.filter(store=store_id, pk__in={order for _, order in called}, withdrawn_at=None)
    there = set(standing.values_list("pk", flat=True)) if called else set()
    for name, order in called:
        if order in there:
            found.setdefault(name, set()).add(order)


_ANY_WAITS = "SELECT EXISTS (SELECT 1 FROM ledger_ordercharge WHERE store_id = %s AND order_id IS NULL AND removed_at IS NULL)"


def waiting_for(store_id: int, orders: Sequence[OrderRow], *, lock: bool = False) -> dict[int, list[OrderCharge]]:
    """Return the waiting charges that belong to some orders, by order; those that more than one order fits stay waiting.

    Where no charge of the store waits, this is one question to an index. With `lock`, they are held until the
    transaction ends.
    """
    with connection.cursor() as cursor:
        cursor.execute(_ANY_WAITS, [store_id])
        if not cursor.fetchone()[0]:
            return {}
    named: dict[str, set[int]] = {}
    for order in orders:
        if order.withdrawn is None:
            for name in names_of(order):
                named.setdefault(name, set()).add(order.id)
    for name, pk in references.names_of(store_id, [order.id for order in orders if order.withdrawn is None]):
        named.setdefault(name, set()).add(pk)
    waiting = list(_held(_live(store_id).filter(order_id=None, order_ref__in=list(named)), lock=lock))
    if not waiting:
        return {}
    told = {order.id for order in orders}
    others = orders_named(store_id, {charge.order_ref for charge in waiting})
    fitting: dict[int, list[OrderCharge]] = {}
    for charge in waiting:
        # what the mirror holds of the told orders is about to be replaced
        fits = named[charge.order_ref] | (others.get(charge.order_ref, set()) - told)
        if len(fits) == 1 and fits <= told:
            fitting.setdefault(next(iter(fits)), []).append(charge)
    return fitting


def attach(store_id: int, orders: Sequence[OrderRow]) -> None:
    """Give orders that arrive the charges that wait for them. Call it with the orders locked, before they are drafted."""
    waiting = waiting_for(store_id, orders, lock=True)
    if waiting:
        influencers = influencers_of([charge for charges in waiting.values() for charge in charges])
        for order in orders:
            mine = [as_row(charge, influencers) for charge in waiting.get(order.id, ())]
            order.charges = sorted([*order.charges, *mine], key=lambda charge: charge.id)
        give({charge.pk: order_id for order_id, charges in waiting.items() for charge in charges})


def give(orders: Mapping[int, int | None]) -> None:
    """Write which order charges belong to, by charge."""
    sql = "UPDATE ledger_ordercharge c SET order_id = v.order_id FROM unnest(%s::int[], %s::bigint[]) AS v (id, order_id) WHERE c.id = v.id"
    with connection.cursor() as cursor:
        cursor.execute(sql, [list(orders), list(orders.values())])


def release(store_id: int, order_ids: Collection[int]) -> None:
    """Let the charges of orders that are withdrawn wait; an order that is recorded again takes them back."""
    _live(store_id).filter(order_id__in=order_ids).update(order_id=None)


def influencers_of(charges: Iterable[OrderCharge]) -> frozenset[int]:
    """Return which of the charges' partners are influencers."""
    partners = {charge.partner_id for charge in charges if charge.partner_id is not None}
    if not partners:
        return frozenset()
    return frozenset(Partner.objects.filter(pk__in=partners, kind=Partner.Kind.INFLUENCER).values_list("pk", flat=True))


def as_row(charge: OrderCharge, influencers: frozenset[int]) -> ChargeRow:
    """Return a charge as an order in memory holds it."""
    return ChargeRow(
        charge.pk, charge.kind, charge.status, charge.partner_id, charge.partner_id in influencers, tenk(charge.amount), charge.currency,
        None if charge.day is None else day_number(charge.day), tenk(charge.covers), charge.processor,
        charge.reference,
    )  # fmt: skip


def _live(store_id: int) -> QuerySet[OrderCharge]:
    return OrderCharge.objects.filter(store=store_id, removed_at=None)


def _held(charges: QuerySet[OrderCharge], *, lock: bool) -> QuerySet[OrderCharge]:
    charges = charges.order_by("pk")
    return charges.select_for_update() if lock else charges


def told_before(store_id: int, kinds: Collection[int], refs: Collection[str], *, lock: bool = False) -> list[OrderCharge]:
    """Return the charges that stand of some kinds for the orders so named."""
    return list(_held(_live(store_id).filter(kind__in=kinds, order_ref__in=refs), lock=lock))


def chosen(store_id: int, ids: Collection[int], *, lock: bool = False) -> list[OrderCharge]:
    """Return those of some charges that stand."""
    return list(_held(_live(store_id).filter(pk__in=ids), lock=lock))


def of_cause(store_id: int, cause_ref: str) -> list[int]:
    """Return the charges that stand and that one import told last."""
    return list(_live(store_id).filter(cause_ref=cause_ref).order_by("pk").values_list("pk", flat=True))


def of_partner(store_id: int, partner: int) -> list[int]:
    """Return the charges that stand of one partner."""
    return list(_live(store_id).filter(partner=partner).order_by("pk").values_list("pk", flat=True))


def waiting(store_id: int, *, after: int, limit: int) -> list[OrderCharge]:
    """Return charges that wait for their order, past one."""
    return list(_live(store_id).filter(order_id=None, pk__gt=after).order_by("pk")[:limit])


def keys_of(store_id: int, cause_ref: str) -> set[tuple[int, str, str]]:
    """Return what the charges are named that one import told last: kind, order, reference."""
    return set(_live(store_id).filter(cause_ref=cause_ref).values_list("kind", "order_ref", "reference"))


def partners_named(store_id: int, names: Collection[str]) -> dict[str, int]:
    """Return those of some partners that the store has, whatever their capitals."""
    known = {name.casefold(): pk for name, pk in Partner.objects.filter(store=store_id).values_list("name", "pk")}
    return {name: known[name.casefold()] for name in names if name.casefold() in known}


def add_partners(store_id: int, names: Collection[str]) -> None:
    """Add partners that a file names first, as affiliates; a person says who is an influencer."""
    new = {name.casefold(): name for name in sorted(names)}
    Partner.objects.bulk_create([Partner(store_id=store_id, name=name, kind=Partner.Kind.AFFILIATE) for name in new.values()], ignore_conflicts=True)


def with_stated_label(store_id: int, order_ids: Collection[int]) -> set[int]:
    """Return those of some orders whose platform states what their label cost."""
    costs = OrderCost.objects.filter(store_id=store_id, order_id__in=order_ids, account=FULFILMENT_SHIPPING)
    return set(costs.values_list("order_id", flat=True))


def with_stated_fee(store_id: int, order_ids: Collection[int]) -> set[int]:
    """Return those of some orders whose platform states the fee of a charge itself."""
    payments = Payment.objects.filter(store_id=store_id, order_id__in=order_ids, kind__in=CHARGES, fee__isnull=False)
    return set(payments.values_list("order_id", flat=True))


def gateways_of(store_id: int, order_ids: Collection[int]) -> dict[int, set[str]]:
    """Return through which gateways customers paid orders, by the order's id; orders without a charge are left out."""
    found: dict[int, set[str]] = {}
    charged = Payment.objects.filter(store_id=store_id, order_id__in=order_ids, kind__in=CHARGES, status=PaymentStatus.SUCCESS, amount__gt=0)
    for order_id, gateway in charged.values_list("order_id", "gateway"):
        found.setdefault(order_id, set()).add(gateway)
    return found


def add(charges: Sequence[OrderCharge]) -> None:
    """Write charges that are told for the first time."""
    OrderCharge.objects.bulk_create(charges)


def rewrite(charges: Sequence[OrderCharge]) -> None:
    """Write what changed of charges that stand."""
    fields = ["order_id", "partner", "status", "told_status", "amount", "currency", "day", "covers", "processor", "cause_ref", "actor"]
    OrderCharge.objects.bulk_update(charges, fields, batch_size=500)


def decide(ids: Collection[int], status: ChargeStatus) -> None:
    """Write what a person decided about charges."""
    OrderCharge.objects.filter(pk__in=ids).update(status=status)


def remove(ids: Collection[int], *, now: datetime) -> None:
    """Take charges back; their rows stay, so that entries can be explained."""
    OrderCharge.objects.filter(pk__in=ids).update(removed_at=now)
