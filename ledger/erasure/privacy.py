"""Know what the ledger holds of a person, and make them nobody there: the one writer of who was erased.

A person is a customer known by a keyed hash, and what hangs together by it. Erased, the hash becomes that of a name made of nothing: the
orders stay together, every count and every entry stays as it is, and nothing says any more whose they are. The hash that was is
remembered by itself, so that whatever is told of it later is kept as nobody's; who was erased is never recognised again.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import F, Q, QuerySet

from ledger.facts import BY_NUMBER
from ledger.identity import a_nobody, customer_hash
from ledger.kinds import Journey
from ledger.models import Customer, ErasedIdentity, Order, OrderLine, OrderReference, Payment, Sale, Store, Touch
from ledger.orders import customers, mirror, touches

AT_ONCE = 500
VISIT = ("happened_at", "source", "medium", "campaign", "term", "content", "click_ids", "landing", "referrer")


class Named(NamedTuple):
    """One order, by all that it is called."""

    id: int
    platform: str
    number: str
    external_id: str
    customer: int | None

    @property
    def names(self) -> set[str]:
        """Return what files and platforms may call it."""
        bare = self.number.removeprefix("#")
        return {name for name in (self.number, bare, f"#{bare}", self.external_id.removeprefix(BY_NUMBER)) if name}


def orders_with(store: Store, platform: str, ids: Collection[str]) -> list[Named]:
    """Return the orders of a platform by its ids."""
    return _named(Order.objects.filter(store=store, platform=platform, external_id__in=list(ids))) if ids else []


def orders_called(store: Store, names: Collection[str], *, platform: str = "") -> list[Named]:
    """Return the orders of some numbers, written with or without #, or of some ids, of one platform or of all."""
    bare = {text for name in names if (text := name.strip().removeprefix("#"))}
    if not bare:
        return []
    found = Order.objects.filter(Q(number__in={*bare, *(f"#{name}" for name in bare)}) | Q(external_id__in=bare), store=store)
    return _named(found.filter(platform=platform) if platform else found)


def orders_of(store: Store, people: Collection[int], *, most: int) -> list[Named]:
    """Return the orders of some customers, the latest first, at most so many."""
    return _named(Order.objects.filter(store=store, customer_id__in=list(people)).order_by("-placed_at", "-id")[:most]) if people else []


def _named(orders: QuerySet[Order]) -> list[Named]:
    return [Named(*row) for row in orders.values_list("id", "platform", "number", "external_id", "customer_id")]


def people(store: Store, *, hashes: Collection[bytes] = (), ids: Collection[int] = ()) -> dict[int, bytes]:
    """Return customers by their keyed hashes or their ids, with their hashes, and those that are known to be the same people by another name.

    Those who were erased are nobody's, and left out.
    """
    there = Customer.objects.filter(store=store, erased_at=None)
    found = list(there.filter(Q(identity_hash__in=list(hashes)) | Q(pk__in=list(ids))).values_list("pk", "same_as"))
    roots = {same_as or pk for pk, same_as in found}
    everyone = there.filter(Q(pk__in=[pk for pk, _ in found]) | Q(pk__in=roots) | Q(same_as__in=roots))
    return {pk: bytes(hashed) for pk, hashed in everyone.values_list("pk", "identity_hash")}


_SHARED = """
    SELECT c.identity_hash FROM ledger_customer c WHERE c.store_id = %(store)s AND c.identity_hash = ANY(%(hashes)s) AND (
        (SELECT count(*) FROM ledger_order o WHERE o.store_id = c.store_id AND o.customer_id = c.id)
        + (SELECT count(*) FROM ledger_orderidentity i WHERE i.store_id = c.store_id AND i.customer_id = c.id) > %(most)s
        OR (SELECT count(DISTINCT o.customer_id) FROM ledger_orderidentity i JOIN ledger_order o ON o.id = i.order_id
            WHERE i.store_id = c.store_id AND i.customer_id = c.id AND o.customer_id <> c.id) > 1
    )
"""


def shared(store: Store, hashes: Collection[bytes], *, most: int) -> set[bytes]:
    """Return those of some keyed hashes that are no one person's: more orders than `most` name them, or orders of several customers."""
    with connection.cursor() as cursor:
        cursor.execute(_SHARED, {"store": store.pk, "hashes": list(hashes), "most": most})
        return {bytes(row[0]) for row in cursor.fetchall()}


def nobodies(store: Store, hashes: Collection[bytes]) -> set[bytes]:
    """Return those of some hashes that stand for people who were erased."""
    found = Customer.objects.filter(store=store, identity_hash__in=list(hashes), erased_at__isnull=False)
    return {bytes(hashed) for hashed in found.values_list("identity_hash", flat=True)}


def erased_when(store: Store, orders: Collection[int]) -> dict[int, datetime]:
    """Return when the buyers of some orders were erased, by the orders' ids; the others are left out."""
    found = Order.objects.filter(store=store, pk__in=list(orders), customer__erased_at__isnull=False)
    return {pk: at for pk, at in found.values_list("pk", "customer__erased_at") if at is not None}


def never_recognise(store: Store, hashes: Iterable[bytes], *, now: datetime) -> None:
    """Keep whatever is told of some hashes from now on as nobody's."""
    ErasedIdentity.objects.bulk_create(
        [ErasedIdentity(store=store, identity_hash=hashed, at=now) for hashed in sorted(hashes)], ignore_conflicts=True
    )  # fmt: skip


def erase(store: Store, names: Mapping[bytes, str], *, orders: Collection[int] = (), now: datetime) -> int:
    """Make the customers of some hashes nobodies, each of the name given for it, and return how many there were. Call it in a transaction.

    `orders` are theirs besides, those of guests: what is finer than their country goes as well.
    """
    found = people(store, hashes=names)
    return _erase(store, {pk: names[hashed] for pk, hashed in found.items()}, orders, now=now)


def erase_some_told_by(store: Store, cause_ref: str, *, now: datetime) -> int:
    """Make some customers nobodies of whose orders one cause told last, each of a new name; return how many: none when all are."""
    with transaction.atomic():
        told = Order.objects.filter(store=store, cause_ref=cause_ref, customer__isnull=False, customer__erased_at=None)
        found = list(told.order_by("customer_id").values_list("customer_id", flat=True).distinct()[:AT_ONCE])
        return _erase(store, {pk: a_nobody() for pk in found if pk is not None}, now=now)


def forget_some_guests_told_by(store: Store, cause_ref: str) -> int:
    """Forget of some orders of guests, which one cause told last, what is finer than their country; return how many: none when all are."""
    with transaction.atomic():
        finer = Order.objects.filter(~Q(region="") | ~Q(journey=Journey.NOT_TOLD), store=store, cause_ref=cause_ref, customer=None)
        found = list(finer.order_by("pk").values_list("pk", flat=True)[:AT_ONCE])
        if found:
            mirror.forget_regions(store.pk, found)
            touches.forget(store.pk, found)
        return len(found)


def _erase(store: Store, names: Mapping[int, str], besides: Collection[int] = (), *, now: datetime) -> int:
    # Orders before customers, as everywhere. Their countries stay, which figures are told by; what is finer goes.
    theirs = Q(customer_id__in=list(names)) | Q(pk__in=list(besides), customer=None)
    orders = list(Order.objects.filter(theirs, store=store).values_list("id", flat=True))
    if orders:
        mirror.forget_regions(store.pk, orders)
        touches.forget(store.pk, orders)
    customers.lock(store.pk, names)
    rows = list(Customer.objects.filter(store=store, pk__in=list(names), erased_at=None))
    for row in rows:
        row.identity_hash, row.country, row.erased_at = customer_hash(store.pk, _free(store, names[row.pk])), "", now
        row.save(update_fields=["identity_hash", "country", "erased_at"])
    return len(rows)


def _free(store: Store, name: str) -> str:
    """Return a name that no customer has: one more may be told of a person whose name is given out already."""
    taken = Customer.objects.filter(store=store, identity_hash=customer_hash(store.pk, name)).exists()
    return a_nobody() if taken else name


def told_customers(store: Store, ids: Collection[int]) -> list[dict[str, Any]]:
    """Return what is held of some customers, in plain values: never their hashes, which are of use to nobody."""
    found = Customer.objects.filter(store=store, pk__in=list(ids)).order_by("pk")
    return [dict(row) for row in found.values("country", "order_count", "first_order_at", "older_orders", "told_orders")]


def told_orders(store: Store, ids: Sequence[int]) -> list[dict[str, Any]]:
    """Return what the mirror holds of some orders and what is under them, in plain values; what they cost the store is no data of the person."""
    orders: dict[int, dict[str, Any]] = {
        row["id"]: {**row, "lines": [], "sales": [], "payments": [], "references": [], "visits": []}
        for row in Order.objects.filter(store=store, pk__in=list(ids)).order_by("placed_at", "id").values(
            "id", "platform", "external_id", "number", "placed_at", "day", "currency", "country", "region", "is_test", "cancelled_at", "shipped",
            "discount_codes", "shipping_method", "grams", "stated_total", "stated_refunded",
        )
    }  # fmt: skip
    under: tuple[tuple[str, QuerySet[Any], tuple[str, ...]], ...] = (
        ("lines", OrderLine.objects.all(), ("sku", "title", "quantity", "unit_price")),
        ("sales", Sale.objects.annotate(what=F("type"), how=F("kind")), ("happened_at", "how", "what", "quantity", "net", "discount", "tax")),
        ("payments", Payment.objects.all(), ("processed_at", "kind", "status", "gateway", "amount")),
        ("references", OrderReference.objects.all(), ("reference",)),
        ("visits", Touch.objects.all(), VISIT),
    )
    for name, rows, columns in under:
        key = ("order_id", {"references": "reference", "visits": "position"}.get(name, "part"))
        for row in rows.filter(store_id=store.pk, order_id__in=list(orders)).order_by(*key).values("order_id", *columns):
            orders[row.pop("order_id")][name].append(row)
    for pk, visits in touches.of_orders(store.pk, orders).items():
        orders[pk]["visits"] = [visit._asdict() for visit in visits if not visit.code]
    for order in orders.values():
        del order["id"]
    return list(orders.values())
