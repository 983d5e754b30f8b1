"""Read one payout: its rows, what they add up to by what they are about, and the way to it from what orders' payments say.

Everything is read by the payout's own rows, the orders these name, and the days they span; a store's other payments are not looked at.
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection

from ledger.charges.payout_walk import Elsewhere, Moved, Paid, Row, Walk, walk
from ledger.charges.payouts import has_failed
from ledger.kinds import BalanceMeaning, PaymentKind, PaymentStatus
from ledger.models import Payout, Store
from ledger.money import convert, decimal, minor_step, tenk
from ledger.rates import RateTable

GATEWAYS = {"shopify_payments": ("shopify", "shopify_payments")}
"""The platform whose orders a processor's rows name by their ids, and the gateway that payments through it name."""
LONGEST_GAP = timedelta(days=10)
"""A span begins where the payout before ended, unless that is longer ago."""
ROWS_A_PAGE = 100
PAYMENTS = (BalanceMeaning.CHARGE, BalanceMeaning.REFUND)


class BalanceRow(NamedTuple):
    """One row of a payout."""

    at: datetime
    day: date
    type: str
    meaning: int
    amount: Decimal
    fee: Decimal
    currency: str
    order_ref: str
    number: str
    """The order's; empty where no order of the store is known."""
    reason: str
    id: int

    @property
    def net(self) -> Decimal:
        """Return what of it is paid out."""
        return self.amount - self.fee


class Sum(NamedTuple):
    """The rows of a payout of one meaning and type, added up."""

    meaning: int
    type: str
    rows: int
    amount: Decimal
    fee: Decimal

    @property
    def net(self) -> Decimal:
        """Return what of them is paid out."""
        return self.amount - self.fee


_ROWS = """
    SELECT b.at, b.day, b.type, b.meaning, b.amount, b.fee, b.currency, b.order_ref, coalesce(o.number, ''), b.reason, b.id
    FROM ledger_balancetransaction b LEFT JOIN ledger_order o
        ON o.store_id = b.store_id AND o.platform = %(orders)s AND o.external_id = b.order_ref AND b.order_ref <> ''
    WHERE b.store_id = %(store)s AND b.platform = %(platform)s AND b.payout_ref = %(payout)s
    ORDER BY b.at, b.id LIMIT %(most)s OFFSET %(start)s
"""
_SUMS = """
    SELECT meaning, type, count(*), sum(amount), sum(fee) FROM ledger_balancetransaction
    WHERE store_id = %(store)s AND platform = %(platform)s AND payout_ref = %(payout)s AND currency = %(currency)s
        AND meaning <> %(itself)s AND NOT (meaning = %(returned)s AND %(failed)s)
    GROUP BY 1, 2 ORDER BY 1, 2
"""
_PAYMENT_ROWS = """
    SELECT b.day, b.meaning, b.amount, b.order_ref, b.payment_ref, coalesce((
        SELECT o.number FROM ledger_order o WHERE o.store_id = b.store_id AND o.platform = %(orders)s AND o.external_id = b.order_ref
    ), '')
    FROM ledger_balancetransaction b
    WHERE b.store_id = %(store)s AND b.platform = %(platform)s AND b.payout_ref = %(payout)s AND b.currency = %(currency)s
        AND b.meaning = ANY(%(payments)s)
    ORDER BY b.at, b.id
"""
_BEFORE = """
    SELECT max(last_at) FROM ledger_payout WHERE store_id = %(store)s AND platform = %(platform)s AND currency = %(currency)s
        AND issued_at BETWEEN %(first)s - interval '30 days' AND %(issued)s AND last_at < %(first)s
"""
# Two searches, each by an index: the payments of the days, and those of the orders that the rows name. OFFSET 0 keeps each order's payments
# a question of its own, which is cheap however large the tables are; joined, the whole table of payments may be read.
_PAID = """
    o.external_id AS order_ref, p.external_id AS payment_ref, o.number, p.processed_at, p.day,
    CASE WHEN p.kind = %(refund)s THEN -p.amount ELSE p.amount END AS amount, o.currency,
    p.processed_at > %(since)s AND p.processed_at <= %(until)s AS in_span
"""
_MOVED = "p.status = %(success)s AND p.kind = ANY(%(kinds)s) AND p.amount <> 0"
_STANDING = "NOT o.is_test AND o.withdrawn_at IS NULL AND o.platform = %(orders)s"
_PAYMENTS = f"""
    SELECT {_PAID} FROM ledger_payment p,
        LATERAL (SELECT * FROM ledger_order o WHERE o.id = p.order_id AND o.store_id = p.store_id OFFSET 0) AS o
    WHERE p.store_id = %(store)s AND p.gateway = 'shopify_payments' AND p.gateway = %(gateway)s AND p.day BETWEEN %(first_day)s AND %(last_day)s
        AND p.processed_at > %(since)s AND p.processed_at <= %(until)s AND {_MOVED} AND {_STANDING}
    UNION
    SELECT {_PAID} FROM ledger_order o,
        LATERAL (SELECT * FROM ledger_payment p WHERE p.store_id = o.store_id AND p.order_id = o.id OFFSET 0) AS p
    WHERE o.store_id = %(store)s AND o.external_id = ANY(%(named)s) AND p.gateway = %(gateway)s AND {_MOVED} AND {_STANDING}
    ORDER BY processed_at, order_ref, payment_ref
"""
_ELSEWHERE = """
    SELECT b.order_ref, b.payment_ref, b.meaning, b.amount, p.id FROM ledger_balancetransaction b
    LEFT JOIN ledger_payout p ON p.store_id = b.store_id AND p.platform = b.platform AND p.external_id = b.payout_ref
    WHERE b.store_id = %(store)s AND b.order_ref <> '' AND b.order_ref = ANY(%(named)s) AND b.platform = %(platform)s
        AND b.payout_ref <> %(payout)s AND b.meaning = ANY(%(payments)s)
"""


def rows_of(payout: Payout, *, start: int = 0, most: int = ROWS_A_PAGE) -> list[BalanceRow]:
    """Return rows of a payout in time order, the payout itself among them."""
    with connection.cursor() as cursor:
        cursor.execute(_ROWS, {**_values(payout), "most": most, "start": start})
        return [BalanceRow(*row) for row in cursor.fetchall()]


def sums_of(payout: Payout) -> list[Sum]:
    """Add the rows of a payout up by what they are about."""
    with connection.cursor() as cursor:
        cursor.execute(_SUMS, _values(payout))
        return [Sum(*row) for row in cursor.fetchall()]


def walk_of(store: Store, payout: Payout, sums: Sequence[Sum], *, now: datetime) -> Walk | None:
    """Return the way to a payout from what orders' payments say; None for a processor whose payments cannot be told from others'."""
    if payout.platform not in GATEWAYS:
        return None
    values = _values(payout)
    with connection.cursor() as cursor:
        cursor.execute(_PAYMENT_ROWS, values)
        rows = [Row(*row) for row in cursor.fetchall()]
        paid = _payments(cursor, payout, {row.order for row in rows if row.order}, store)
        told = {(row.order, row.payment) for row in rows}
        unseen = {each.order for each in paid if each.in_span and (each.order, each.payment) not in told}
        elsewhere: list[Elsewhere] = []
        if unseen:
            cursor.execute(_ELSEWHERE, {**values, "named": sorted(unseen)})
            elsewhere = [Elsewhere(*row) for row in cursor.fetchall()]
    return walk(
        rows, paid, elsewhere, _others(sums), fees=sum((each.fee for each in sums), Decimal(0)), currency=payout.currency, reported=payout.amount,
        now=now,
    )  # fmt: skip


def _others(sums: Sequence[Sum]) -> list[Moved]:
    found: dict[int, Moved] = {}
    for each in sums:
        if each.meaning not in PAYMENTS:
            before = found.get(each.meaning, Moved(each.meaning, 0, Decimal(0), Decimal(0)))
            found[each.meaning] = Moved(each.meaning, before.rows + each.rows, before.amount + each.amount, before.fee + each.fee)
    return [found[meaning] for meaning in sorted(found)]


def _payments(cursor: Any, payout: Payout, named: Collection[str], store: Store) -> list[Paid]:
    """Return the payments of a payout's span, and those of the orders that its rows name."""
    if payout.first_at is None or payout.last_at is None:
        return []
    values = {**_values(payout), "first": payout.first_at, "issued": payout.issued_at}
    cursor.execute(_BEFORE, values)
    (before,) = cursor.fetchone()
    earliest = payout.first_at - LONGEST_GAP
    # a payment of the payout's first moment is in its span
    since = max(before, earliest) if before is not None else payout.first_at - timedelta(microseconds=1)
    span = {
        "since": since, "until": payout.last_at, "first_day": since.date() - timedelta(days=1), "last_day": payout.last_at.date() + timedelta(days=1),
        "named": sorted(named), "success": PaymentStatus.SUCCESS.value, "refund": PaymentKind.REFUND.value,
        "kinds": [PaymentKind.SALE.value, PaymentKind.CAPTURE.value, PaymentKind.REFUND.value],
    }  # fmt: skip
    cursor.execute(_PAYMENTS, {**values, **span})
    found = cursor.fetchall()
    foreign = {row[6] for row in found} - {payout.currency}
    days = [row[4] for row in found]
    table = RateTable.load(payout.currency, foreign, min(days), max(days)) if foreign else None
    return [
        Paid(order, payment, number, at, day, amount, currency, _converted(amount, currency, day, payout.currency, table), in_span)
        for order, payment, number, at, day, amount, currency, in_span in found
    ]


def _converted(amount: Decimal, currency: str, day: date, target: str, table: RateTable | None) -> Decimal | None:
    if currency == target or table is None:
        return amount
    rate = table.find(currency, day)
    if rate is None:
        return None
    return decimal(convert(tenk(amount), rate.value, minor_step(target)))


def _values(payout: Payout) -> dict[str, Any]:
    orders, gateway = GATEWAYS.get(payout.platform, ("", ""))
    return {
        "store": payout.store_id, "platform": payout.platform, "payout": payout.external_id, "currency": payout.currency, "orders": orders,
        "gateway": gateway, "itself": BalanceMeaning.PAYOUT.value, "returned": BalanceMeaning.RETURNED.value, "failed": has_failed(payout),
        "payments": [meaning.value for meaning in PAYMENTS],
    }  # fmt: skip
