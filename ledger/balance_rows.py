"""Write and read the rows of payment processors' balances and their payouts."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection

from ledger.facts import BalanceFact, PayoutFact
from ledger.kinds import BalanceMeaning
from ledger.money import Tenk, decimal, tenk

_UPSERT = """
    INSERT INTO ledger_balancetransaction AS b (
        store_id, platform, external_id, at, day, type, meaning, amount, fee, currency, order_ref, payment_ref, payout_ref, reason
    ) SELECT %s, * FROM unnest(
        %s::text[], %s::text[], %s::timestamptz[], %s::date[], %s::text[], %s::int[], %s::numeric[], %s::numeric[], %s::text[],
        %s::text[], %s::text[], %s::text[], %s::text[]
    ) ON CONFLICT (store_id, platform, external_id) DO UPDATE SET
        at = excluded.at, day = excluded.day, type = excluded.type, meaning = excluded.meaning, amount = excluded.amount, fee = excluded.fee,
        currency = excluded.currency, order_ref = excluded.order_ref, payment_ref = excluded.payment_ref, payout_ref = excluded.payout_ref,
        reason = excluded.reason
    WHERE (b.at, b.day, b.type, b.meaning, b.amount, b.fee, b.currency, b.order_ref, b.payment_ref, b.payout_ref, b.reason)
        IS DISTINCT FROM (excluded.at, excluded.day, excluded.type, excluded.meaning, excluded.amount, excluded.fee, excluded.currency,
            excluded.order_ref, excluded.payment_ref, excluded.payout_ref, excluded.reason)
    RETURNING external_id
"""
_STATED = """
    SELECT o.external_id, p.external_id FROM ledger_order o JOIN ledger_payment p ON p.store_id = o.store_id AND p.order_id = o.id
    WHERE o.store_id = %s AND o.external_id = ANY(%s) AND p.external_id = ANY(%s) AND p.fee IS NOT NULL
"""
_BY_DAY = """
    SELECT day, currency, sum(fee - amount) FROM ledger_balancetransaction
    WHERE store_id = %s AND platform = %s AND meaning = %s AND day = ANY(%s) GROUP BY 1, 2 ORDER BY 1, 2
"""
_TO_LOOK_AT = """
    SELECT type, currency, count(*), sum(amount - fee) FROM ledger_balancetransaction
    WHERE store_id = %s AND platform = %s AND type = ANY(%s) AND (meaning = ANY(%s) OR (meaning = ANY(%s) AND order_ref = ''))
    GROUP BY 1, 2 ORDER BY 1, 2
"""
_PAYOUTS = """
    INSERT INTO ledger_payout AS p (store_id, platform, external_id, issued_at, status, amount, currency)
    SELECT %s, * FROM unnest(%s::text[], %s::text[], %s::timestamptz[], %s::text[], %s::numeric[], %s::text[])
    ON CONFLICT (store_id, platform, external_id) DO UPDATE SET issued_at = excluded.issued_at, status = excluded.status, amount = excluded.amount
    WHERE (p.issued_at, p.status, p.amount) IS DISTINCT FROM (excluded.issued_at, excluded.status, excluded.amount)
"""
_PAYOUT_SUMS = """
    SELECT p.external_id, p.amount, p.currency, sum(b.amount - b.fee)
    FROM ledger_payout p JOIN ledger_balancetransaction b ON b.store_id = p.store_id AND b.platform = p.platform AND b.payout_ref = p.external_id
    WHERE p.store_id = %s AND p.platform = %s AND p.external_id = ANY(%s) AND b.meaning <> %s GROUP BY 1, 2, 3
"""


class ToLookAt(NamedTuple):
    """Rows of one type that are in no figure; `left` is what they moved the balance by, their fees taken off."""

    type: str
    currency: str
    rows: int
    left: Decimal


class PaidOut(NamedTuple):
    """A payout, and what the rows in it add up to."""

    external_id: str
    amount: Decimal
    currency: str
    rows: Decimal


def write(store_id: int, facts: Sequence[BalanceFact], days: Mapping[str, date]) -> set[str]:
    """Write rows where they are news, and return the ids of those that were."""
    columns: list[list[Any]] = [
        [fact.platform for fact in facts], [fact.external_id for fact in facts], [fact.at for fact in facts],
        [days[fact.external_id] for fact in facts], [fact.type[:60] for fact in facts], [int(fact.meaning) for fact in facts],
        [decimal(fact.amount) for fact in facts], [decimal(fact.fee) for fact in facts], [fact.currency for fact in facts],
        [fact.order[:120] for fact in facts], [fact.payment[:120] for fact in facts], [fact.payout[:120] for fact in facts],
        [fact.reason[:120] for fact in facts],
    ]  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_UPSERT, [store_id, *columns])
        return {row[0] for row in cursor.fetchall()}


def with_stated_fee(store_id: int, facts: Collection[BalanceFact]) -> set[tuple[str, str]]:
    """Return those orders and payments, by the platform's ids, whose fee the order's platform states itself."""
    named = [fact for fact in facts if fact.order and fact.payment]
    if not named:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(_STATED, [store_id, [fact.order for fact in named], [fact.payment for fact in named]])
        return {(order, payment) for order, payment in cursor.fetchall()}


def advertised(store_id: int, platform: str, days: Collection[date]) -> list[tuple[date, str, Tenk]]:
    """Return what advertising was taken off the balance on days, by day and currency."""
    with connection.cursor() as cursor:
        cursor.execute(_BY_DAY, [store_id, platform, BalanceMeaning.ADVERTISING.value, sorted(days)])
        return [(day, currency, tenk(spend)) for day, currency, spend in cursor.fetchall()]


def to_look_at(store_id: int, platform: str, types: Collection[str], *, always: Collection[int], without_order: Collection[int]) -> list[ToLookAt]:
    """Return the rows of some types that are in no figure, added up by type and currency."""
    with connection.cursor() as cursor:
        cursor.execute(_TO_LOOK_AT, [store_id, platform, sorted(types), list(always), list(without_order)])
        return [ToLookAt(*row) for row in cursor.fetchall()]


def write_payouts(store_id: int, facts: Sequence[PayoutFact]) -> int:
    """Write payouts where they are news, and return how many were."""
    columns = [[getattr(fact, name) for fact in facts] for name in ("platform", "external_id", "issued_at", "status")]
    with connection.cursor() as cursor:
        cursor.execute(_PAYOUTS, [store_id, *columns, [decimal(fact.amount) for fact in facts], [fact.currency for fact in facts]])
        written: int = cursor.rowcount
    return written


def paid_out(store_id: int, platform: str, payouts: Collection[str]) -> list[PaidOut]:
    """Return payouts of which rows are known, with what these add up to; rows of the payout itself are left out."""
    with connection.cursor() as cursor:
        cursor.execute(_PAYOUT_SUMS, [store_id, platform, sorted(payouts), BalanceMeaning.PAYOUT.value])
        return [PaidOut(*row) for row in cursor.fetchall()]
