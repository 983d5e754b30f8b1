"""Count what a store's recent orders name: the only reader of orders behind rule checks and the list of what to fix.

Five queries over the orders of the last 180 days, in the background, after restating and by night; pages read the few rows
that come of it, so their cost does not grow with orders.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from msgspec import Struct, structs

from ledger.accounts import FULFILMENT_SHIPPING
from ledger.kinds import ChargeKind, PaymentKind, PaymentStatus
from ledger.models import PartnerCode, Seen, Store
from ledger.money import convert, decimal, minor_step, tenk
from ledger.rates import RateTable

RECENT = 90
"""Days, today included, whose charges and orders are counted."""
WINDOW = 180
"""Days, today included, in which something must have been named to count as in use."""
MOST_NAMES = 1_000
"""Different names kept of a kind, the latest first."""


class Count(Struct, frozen=True):
    """One row to be kept."""

    kind: Seen.Kind
    name: str
    currency: str
    count: int
    amount: Decimal | None
    last_day: date


_ORDERS = """
    FROM ledger_order o WHERE o.store_id = %(store)s AND o.day BETWEEN %(since)s AND %(today)s AND NOT o.is_test AND o.withdrawn_at IS NULL
"""
_GATEWAYS = """
    SELECT lower(trim(p.gateway)), o.currency, p.day, count(*) FILTER (WHERE p.fee IS NULL AND f.id IS NULL),
        sum(p.amount) FILTER (WHERE p.fee IS NULL AND f.id IS NULL)
    FROM ledger_order o JOIN ledger_payment p ON p.store_id = o.store_id AND p.order_id = o.id
    LEFT JOIN LATERAL (SELECT c.id FROM ledger_ordercharge c WHERE c.store_id = o.store_id AND c.order_id = o.id AND c.kind = %(fee)s
        AND c.covers > 0 AND c.removed_at IS NULL LIMIT 1) AS f ON true
    WHERE o.store_id = %(store)s AND o.day BETWEEN %(since)s AND %(today)s AND NOT o.is_test AND o.withdrawn_at IS NULL AND o.hold = 0
        AND p.kind = ANY(%(charges)s) AND p.status = %(success)s AND p.amount > 0 AND p.day BETWEEN %(since)s AND %(today)s
    GROUP BY 1, 2, 3
"""
_NAMES = f"""
    SELECT {{name}}, count(*) FILTER (WHERE o.day >= %(recent)s), max(o.day) {_ORDERS} AND {{name}} <> ''
    GROUP BY 1 ORDER BY 3 DESC, 1 LIMIT %(most)s
"""
_CODES = f"""
    SELECT code, count(*) FILTER (WHERE day >= %(recent)s), max(day)
    FROM (SELECT unnest(o.discount_codes) AS code, o.day {_ORDERS} AND o.discount_codes && %(codes)s::varchar[]) AS used
    WHERE code = ANY(%(codes)s) GROUP BY code
"""
_LABELS = f"""
    SELECT platform, file, count(*) FILTER (WHERE day >= %(recent)s), sum(shipping) FILTER (WHERE day >= %(recent)s), max(day) FROM (
        SELECT o.day, o.shipping,
            EXISTS (SELECT 1 FROM ledger_ordercost c WHERE c.store_id = o.store_id AND c.order_id = o.id AND c.account = %(shipping)s) AS platform,
            EXISTS (SELECT 1 FROM ledger_ordercharge c WHERE c.store_id = o.store_id AND c.order_id = o.id AND c.kind = %(label)s
                AND c.removed_at IS NULL) AS file
        {_ORDERS} AND o.shipped AND o.hold = 0
    ) AS sent GROUP BY 1, 2
"""


def count_seen(store: Store, *, today: date, now: datetime) -> int:
    """Count anew what the orders of the 180 days to a store's today name, replace what was counted before, and return the rows kept.

    Test orders and orders of undone imports do not count. Amounts are in the store's currency, at each day's rate.
    """
    codes = PartnerCode.objects.filter(store=store, removed_by=None).values_list("code", flat=True).distinct()
    values: dict[str, Any] = {
        "store": store.pk, "today": today, "since": today - timedelta(days=WINDOW - 1), "recent": today - timedelta(days=RECENT - 1),
        "charges": [PaymentKind.SALE.value, PaymentKind.CAPTURE.value], "success": PaymentStatus.SUCCESS.value, "codes": sorted(codes),
        "shipping": FULFILMENT_SHIPPING, "label": ChargeKind.LABEL.value, "fee": ChargeKind.PAYMENT_FEE.value, "most": MOST_NAMES,
    }  # fmt: skip
    counts = [
        *_gateways(store, values), *_names(Seen.Kind.COUNTRY, "upper(o.country)", values),
        *_names(Seen.Kind.METHOD, "lower(left(o.shipping_method, 120))", values), *_codes(values), *_labels(values),
    ]  # fmt: skip
    with transaction.atomic():
        Seen.objects.filter(store=store).delete()
        Seen.objects.bulk_create([Seen(store=store, counted_at=now, **structs.asdict(count)) for count in counts])
    return len(counts)


def _rows(sql: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


def _gateways(store: Store, values: dict[str, Any]) -> Iterator[Count]:
    """Count charges by gateway and currency; those of the last 90 days whose fee nobody stated are added up, at each day's rate."""
    rows = _rows(_GATEWAYS, values)
    foreign = {currency for _, currency, *_ in rows} - {store.currency}
    table = RateTable.load(store.currency, foreign, values["since"], values["today"]) if foreign else None
    days: dict[tuple[str, str], list[tuple[date, int, Decimal | None]]] = {}
    for gateway, currency, day, charges, amount in rows:
        own = amount if table is None or currency == store.currency else _converted(amount, currency, day, table, minor_step(store.currency))
        days.setdefault((gateway, currency), []).append((day, charges, own))
    for (gateway, currency), found in days.items():
        recent = [(charges, amount) for day, charges, amount in found if day >= values["recent"] and charges]
        known = [amount for _, amount in recent if amount is not None]
        whole = sum(known, Decimal(0)) if len(known) == len(recent) else None
        yield Count(Seen.Kind.GATEWAY, gateway, currency, sum(charges for charges, _ in recent), whole, max(day for day, *_ in found))


def _converted(amount: Decimal | None, currency: str, day: date, table: RateTable, step: int) -> Decimal | None:
    rate = None if amount is None else table.find(currency, day)
    return None if rate is None or amount is None else decimal(convert(tenk(amount), rate.value, step))


def _names(kind: Seen.Kind, name: str, values: dict[str, Any]) -> Iterator[Count]:
    for named, count, last in _rows(_NAMES.format(name=name), values):
        yield Count(kind, named, "", count, None, last)


def _codes(values: dict[str, Any]) -> Iterator[Count]:
    for code, count, last in _rows(_CODES, values) if values["codes"] else ():
        yield Count(Seen.Kind.CODE, code, "", count, None, last)


def _labels(values: dict[str, Any]) -> Iterator[Count]:
    """Count shipped orders with a label's cost from the platform or a file, from both, and from neither, with what shipping those cost."""
    found = {(platform, file): (count, shipping, last) for platform, file, count, shipping, last in _rows(_LABELS, values)}
    labelled = [found[key] for key in ((True, False), (False, True), (True, True)) if key in found]
    if labelled:
        yield Count(Seen.Kind.LABELLED, "", "", sum(count for count, *_ in labelled), None, max(last for *_, last in labelled))
    for kind, key in ((Seen.Kind.LABELLED_TWICE, (True, True)), (Seen.Kind.UNLABELLED, (False, False))):
        if key in found:
            count, shipping, last = found[key]
            yield Count(kind, "", "", count, shipping if kind == Seen.Kind.UNLABELLED else None, last)
