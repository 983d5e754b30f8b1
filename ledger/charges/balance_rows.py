"""Write the rows of payment processors' balances, their payouts with what the rows in them add up to, and disputes; read what recording needs."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection

from ledger.facts import BalanceFact, DisputeFact, PayoutFact
from ledger.kinds import BalanceMeaning
from ledger.money import Tenk, decimal, tenk

_UPSERT = """
    INSERT INTO ledger_balancetransaction AS b (
        store_id, platform, external_id, at, day, type, meaning, amount, fee, currency, order_ref, payment_ref, payout_ref, reason,
        dispute_ref
    ) SELECT %s, * FROM unnest(
        %s::text[], %s::text[], %s::timestamptz[], %s::date[], %s::text[], %s::int[], %s::numeric[], %s::numeric[], %s::text[],
        %s::text[], %s::text[], %s::text[], %s::text[], %s::text[]
    ) ON CONFLICT (store_id, platform, external_id) DO UPDATE SET
        at = excluded.at, day = excluded.day, type = excluded.type, meaning = excluded.meaning, amount = excluded.amount, fee = excluded.fee,
        currency = excluded.currency, order_ref = excluded.order_ref, payment_ref = excluded.payment_ref, payout_ref = excluded.payout_ref,
        reason = excluded.reason, dispute_ref = excluded.dispute_ref
    WHERE (b.at, b.day, b.type, b.meaning, b.amount, b.fee, b.currency, b.order_ref, b.payment_ref, b.payout_ref, b.reason, b.dispute_ref)
        IS DISTINCT FROM (excluded.at, excluded.day, excluded.type, excluded.meaning, excluded.amount, excluded.fee, excluded.currency,
            excluded.order_ref, excluded.payment_ref, excluded.payout_ref, excluded.reason, excluded.dispute_ref)
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
# Two searches, each by an index, rather than one OR that is answered by reading every payment.
_TO_LOOK_AT = """
    SELECT type, currency, meaning, sum(rows)::bigint, sum(left_over) FROM (
        SELECT type, currency, meaning, count(*) AS rows, sum(amount - fee) AS left_over FROM ledger_balancetransaction
        WHERE store_id = %(store)s AND (%(platform)s::text IS NULL OR platform = %(platform)s) AND meaning = ANY(%(always)s)
            AND (%(types)s::text[] IS NULL OR type = ANY(%(types)s))
        GROUP BY 1, 2, 3
        UNION ALL
        SELECT type, currency, meaning, count(*), sum(amount - fee) FROM ledger_balancetransaction
        WHERE store_id = %(store)s AND (%(platform)s::text IS NULL OR platform = %(platform)s) AND meaning = ANY(%(without_order)s) AND order_ref = ''
            AND (%(types)s::text[] IS NULL OR type = ANY(%(types)s))
        GROUP BY 1, 2, 3
    ) AS found GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
_PAYOUTS = """
    INSERT INTO ledger_payout AS p (store_id, platform, external_id, issued_at, status, amount, currency, summary)
    SELECT %s, * FROM unnest(%s::text[], %s::text[], %s::timestamptz[], %s::text[], %s::numeric[], %s::text[], %s::jsonb[])
    ON CONFLICT (store_id, platform, external_id) DO UPDATE SET
        issued_at = excluded.issued_at, status = excluded.status, amount = excluded.amount, currency = excluded.currency, summary = excluded.summary
    WHERE (p.issued_at, p.status, p.amount, p.currency, p.summary)
        IS DISTINCT FROM (excluded.issued_at, excluded.status, excluded.amount, excluded.currency, excluded.summary)
"""
_RECOUNT = """
    UPDATE ledger_payout p SET
        rows = s.rows, charges = s.charges, refunds = s.refunds, others = s.others, fees = s.fees, first_at = s.first_at, last_at = s.last_at
    FROM unnest(%(payouts)s::text[]) AS asked (external_id), LATERAL (
        SELECT count(*) FILTER (WHERE counted) AS rows, coalesce(sum(amount) FILTER (WHERE meaning = %(charge)s), 0) AS charges,
            coalesce(sum(amount) FILTER (WHERE meaning = %(refund)s), 0) AS refunds,
            coalesce(sum(amount) FILTER (WHERE counted AND meaning NOT IN (%(charge)s, %(refund)s)), 0) AS others,
            coalesce(sum(fee) FILTER (WHERE counted), 0) AS fees,
            min(at) FILTER (WHERE meaning IN (%(charge)s, %(refund)s)) AS first_at,
            max(at) FILTER (WHERE meaning IN (%(charge)s, %(refund)s)) AS last_at
        FROM (
            SELECT b.at, b.meaning, b.amount, b.fee,
                b.meaning <> %(payout)s AND NOT (b.meaning = %(returned)s AND q.status = ANY(%(failed)s)) AS counted
            FROM ledger_balancetransaction b JOIN ledger_payout q
                ON q.store_id = b.store_id AND q.platform = b.platform AND q.external_id = b.payout_ref
            WHERE b.store_id = %(store)s AND b.platform = %(platform)s AND b.payout_ref = asked.external_id AND b.currency = q.currency
        ) AS r
    ) AS s
    WHERE p.store_id = %(store)s AND p.platform = %(platform)s AND p.external_id = asked.external_id
        AND (p.rows, p.charges, p.refunds, p.others, p.fees, p.first_at, p.last_at)
            IS DISTINCT FROM (s.rows, s.charges, s.refunds, s.others, s.fees, s.first_at, s.last_at)
"""
_CHECKED = """
    SELECT id, external_id, issued_at, status, amount, told, currency, rows > 0 OR EXISTS (
        SELECT FROM ledger_balancetransaction b
        WHERE b.store_id = p.store_id AND b.platform = p.platform AND b.meaning = %(charge)s AND b.at > p.issued_at
            AND b.day >= (p.issued_at - interval '1 day')::date
    ), status = ANY(%(failed)s) AND NOT EXISTS (
        SELECT FROM ledger_payout later WHERE later.store_id = p.store_id AND later.platform = p.platform AND later.currency = p.currency
            AND later.issued_at > p.issued_at AND later.status = %(paid)s
    )
    FROM ledger_payout p WHERE store_id = %(store)s AND platform = %(platform)s
        AND (external_id = ANY(%(payouts)s) OR status = ANY(%(failed)s))
    ORDER BY issued_at, id
"""
_DISPUTES = """
    INSERT INTO ledger_dispute AS d (
        store_id, platform, external_id, opened_at, due_at, decided_at, status, kind, reason, amount, currency, order_number, wants_answer
    ) SELECT %s, * FROM unnest(
        %s::text[], %s::text[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[], %s::text[], %s::text[], %s::text[], %s::numeric[],
        %s::text[], %s::text[], %s::boolean[]
    ) ON CONFLICT (store_id, platform, external_id) DO UPDATE SET
        opened_at = excluded.opened_at, due_at = excluded.due_at, decided_at = excluded.decided_at, status = excluded.status, kind = excluded.kind,
        reason = excluded.reason, amount = excluded.amount, currency = excluded.currency, order_number = excluded.order_number,
        wants_answer = excluded.wants_answer
    WHERE (d.opened_at, d.due_at, d.decided_at, d.status, d.kind, d.reason, d.amount, d.currency, d.order_number, d.wants_answer)
        IS DISTINCT FROM (excluded.opened_at, excluded.due_at, excluded.decided_at, excluded.status, excluded.kind, excluded.reason,
            excluded.amount, excluded.currency, excluded.order_number, excluded.wants_answer)
"""
FAILED = ("FAILED", "CANCELED")
PAID = "PAID"
"""What processors call a payout that did not reach the bank, and one that did."""


class ToLookAt(NamedTuple):
    """Rows of one type that are in no figure; `left` is what they moved the balance by, their fees taken off."""

    type: str
    currency: str
    meaning: int
    rows: int
    left: Decimal


class PaidOut(NamedTuple):
    """A payout, what the rows in it add up to, and whether they should be known by now; whether it failed and nothing was paid since."""

    id: int
    external_id: str
    issued_at: datetime
    status: str
    amount: Decimal
    rows: Decimal
    currency: str
    is_known: bool
    has_failed: bool


def write(store_id: int, facts: Sequence[BalanceFact], days: Mapping[str, date]) -> set[str]:
    """Write rows where they are news, and return the ids of those that were."""
    columns: list[list[Any]] = [
        [fact.platform for fact in facts], [fact.external_id for fact in facts], [fact.at for fact in facts],
        [days[fact.external_id] for fact in facts], [fact.type[:60] for fact in facts], [int(fact.meaning) for fact in facts],
        [decimal(fact.amount) for fact in facts], [decimal(fact.fee) for fact in facts], [fact.currency for fact in facts],
        [fact.order[:120] for fact in facts], [fact.payment[:120] for fact in facts], [fact.payout[:120] for fact in facts],
        [fact.reason[:120] for fact in facts], [fact.dispute[:120] for fact in facts],
    ]  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_UPSERT, [store_id, *columns])
        return {row[0] for row in cursor.fetchall()}


def payouts_of(store_id: int, platform: str, ids: Sequence[str]) -> set[str]:
    """Return the payouts that some rows are in as far as is known: rows may be told in another one from now on."""
    sql = "SELECT DISTINCT payout_ref FROM ledger_balancetransaction WHERE store_id = %s AND platform = %s AND external_id = ANY(%s)"
    with connection.cursor() as cursor:
        cursor.execute(sql, [store_id, platform, list(ids)])
        return {payout for (payout,) in cursor.fetchall() if payout}


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


def to_look_at(
    store_id: int, platform: str | None, types: Collection[str] | None, *, always: Collection[int], without_order: Collection[int]
) -> list[ToLookAt]:  # fmt: skip
    """Return the rows of some types, or of all, that are in no figure, added up by type, currency and meaning."""
    values = {
        "store": store_id, "platform": platform, "types": None if types is None else sorted(types), "always": list(always),
        "without_order": list(without_order),
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_TO_LOOK_AT, values)
        return [ToLookAt(*row) for row in cursor.fetchall()]


def write_payouts(store_id: int, facts: Sequence[PayoutFact]) -> int:
    """Write payouts where they are news, and return how many were."""
    columns = [[getattr(fact, name) for fact in facts] for name in ("platform", "external_id", "issued_at")]
    summaries = [json.dumps({name: f"{decimal(amount).normalize():f}" for name, amount in fact.summary}) for fact in facts]
    values: list[list[Any]] = [
        [fact.status[:40] for fact in facts], [decimal(fact.amount) for fact in facts], [fact.currency for fact in facts], summaries,
    ]  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_PAYOUTS, [store_id, *columns, *values])
        written: int = cursor.rowcount
    return written


def recount(store_id: int, platform: str, payouts: Collection[str]) -> None:
    """Add the rows in some payouts up. Call it with the book held, so that whoever tells of rows and whoever tells of payouts see each other."""
    with connection.cursor() as cursor:
        cursor.execute(_RECOUNT, _values(store_id, platform, payouts))


def checked(store_id: int, platform: str, payouts: Collection[str]) -> list[PaidOut]:
    """Return some payouts, and all that failed, with what the rows in them add up to."""
    with connection.cursor() as cursor:
        cursor.execute(_CHECKED, _values(store_id, platform, payouts))
        return [PaidOut(*row) for row in cursor.fetchall()]


def _values(store_id: int, platform: str, payouts: Collection[str]) -> dict[str, Any]:
    meanings = {
        "charge": BalanceMeaning.CHARGE,
        "refund": BalanceMeaning.REFUND,
        "payout": BalanceMeaning.PAYOUT,
        "returned": BalanceMeaning.RETURNED,
    }
    named = {"store": store_id, "platform": platform, "payouts": sorted(payouts), "failed": list(FAILED), "paid": PAID}
    return {**named, **{name: meaning.value for name, meaning in meanings.items()}}


def write_disputes(store_id: int, facts: Sequence[DisputeFact]) -> int:
    """Write disputes where they are news, and return how many were."""
    columns: list[list[Any]] = [
        [fact.platform for fact in facts], [fact.external_id for fact in facts], [fact.opened_at for fact in facts],
        [fact.due_at for fact in facts], [fact.decided_at for fact in facts], [fact.status[:40] for fact in facts],
        [fact.kind[:40] for fact in facts], [fact.reason[:120] for fact in facts], [decimal(fact.amount) for fact in facts],
        [fact.currency for fact in facts], [fact.order[:80] for fact in facts], [fact.wants_answer for fact in facts],
    ]  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_DISPUTES, [store_id, *columns])
        written: int = cursor.rowcount
    return written
