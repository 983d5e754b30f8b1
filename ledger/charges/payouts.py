"""Read payouts: which there were, what is still on its way, what is held back, and in which payout an order's money came."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import F, QuerySet, Sum

from ledger.accounts import FEES_PAYMENT
from ledger.charges.balance import ALWAYS, WITHOUT_ORDER
from ledger.charges.balance_rows import FAILED, PAID, ToLookAt, to_look_at
from ledger.kinds import BalanceMeaning, Basis
from ledger.models import DayTotal, Payout, Store

ZERO = Decimal(0)
MOST_DISPUTES = 200
RESERVES = "^(RESERVED_FUNDS|RISK_)"
"""How Shopify calls what it keeps back for a while."""


class Choice(NamedTuple):
    """Which payouts, in which order: a field of the list, with a minus in front for the largest first."""

    first: date | None = None
    last: date | None = None
    status: str = ""
    only_differing: bool = False
    sort: str = "-issued"


SORTS = {
    "issued": F("issued_at"), "charges": F("charges"), "refunds": F("refunds"), "fees": F("fees"), "others": F("others"), "net": F("amount"),
    "rows": F("told"), "difference": F("difference"),
}  # fmt: skip


def payouts_of(store: Store, choice: Choice, *, days: Sequence[datetime | None] = (None, None)) -> QuerySet[Payout]:
    """Return the payouts of a choice, in its order; `days` are the moments in which its first day begins and its last one ends."""
    found = Payout.objects.filter(store=store)
    since, until = days
    if since is not None:
        found = found.filter(issued_at__gte=since)
    if until is not None:
        found = found.filter(issued_at__lt=until)
    if choice.status:
        found = found.filter(status=choice.status)
    if choice.only_differing:
        found = found.exclude(difference=0)
    by = SORTS[choice.sort.removeprefix("-")]
    return found.order_by(by.desc() if choice.sort.startswith("-") else by.asc(), "-issued_at", "-pk")


def statuses_of(store: Store) -> list[str]:
    """Return the statuses that payouts of a store have."""
    return sorted(Payout.objects.filter(store=store).order_by().values_list("status", flat=True).distinct())


class Waiting(NamedTuple):
    """What moved the balance on a day and is in no payout that reached the bank."""

    processor: str
    currency: str
    day: date
    rows: int
    amount: Decimal


# The payouts that rows name are found by leaping through an index: some hundreds a year, however many rows are in them.
_WAITING = """
    WITH RECURSIVE known AS (
        (SELECT platform, payout_ref FROM ledger_balancetransaction WHERE store_id = %(store)s ORDER BY platform, payout_ref LIMIT 1)
        UNION ALL
        SELECT further.* FROM known, LATERAL (
            SELECT b.platform, b.payout_ref FROM ledger_balancetransaction b
            WHERE b.store_id = %(store)s AND (b.platform, b.payout_ref) > (known.platform, known.payout_ref)
            ORDER BY b.platform, b.payout_ref LIMIT 1
        ) AS further
    ), unpaid AS (
        SELECT platform, payout_ref FROM known WHERE NOT EXISTS (
            SELECT FROM ledger_payout p WHERE p.store_id = %(store)s AND p.platform = known.platform AND p.external_id = known.payout_ref
                AND p.status = ANY(%(ended)s)
        )
    )
    -- added up within, so that each payout is read by the index and never the whole table
    SELECT unpaid.platform, moved.currency, moved.day, sum(moved.rows)::bigint, sum(moved.amount) FROM unpaid, LATERAL (
        SELECT b.currency, b.day, count(*) AS rows, sum(b.amount - b.fee) AS amount FROM ledger_balancetransaction b
        WHERE b.store_id = %(store)s AND b.platform = unpaid.platform AND b.payout_ref = unpaid.payout_ref AND b.meaning <> ALL(%(payouts)s)
        GROUP BY 1, 2
    ) AS moved GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
_HELD = """
    SELECT platform, currency, coalesce(-sum(amount) FILTER (WHERE meaning = %(transfer)s AND type ~ %(reserves)s), 0),
        coalesce(sum(amount) FILTER (WHERE meaning = %(financing)s), 0), coalesce(sum(fee) FILTER (WHERE meaning = %(financing)s), 0)
    FROM ledger_balancetransaction WHERE store_id = %(store)s AND meaning IN (%(transfer)s, %(financing)s) GROUP BY 1, 2
"""
_FAILED = """
    SELECT platform, currency, sum(amount) FROM ledger_payout p WHERE store_id = %(store)s AND status = ANY(%(failed)s) AND NOT EXISTS (
        SELECT FROM ledger_payout later WHERE later.store_id = p.store_id AND later.platform = p.platform AND later.currency = p.currency
            AND later.issued_at > p.issued_at AND later.status = %(paid)s
    ) GROUP BY 1, 2
"""


class Balance(NamedTuple):
    """What a processor holds in one currency: what is on its way, by day; payouts that failed; reserves; what was lent and not paid back."""

    processor: str
    currency: str
    waiting: list[Waiting]
    failed: Decimal
    reserved: Decimal
    lent: Decimal
    lent_fees: Decimal

    @property
    def on_the_way(self) -> Decimal:
        """Return what moved the balance and has not reached the bank, payouts that failed aside."""
        return sum((each.amount for each in self.waiting), ZERO)


def balances(store: Store) -> list[Balance]:
    """Return what processors hold for a store, each currency by itself."""
    values: dict[str, Any] = {
        "store": store.pk, "ended": [PAID, *FAILED], "failed": list(FAILED), "paid": PAID, "reserves": RESERVES,
        "payouts": [BalanceMeaning.PAYOUT.value, BalanceMeaning.RETURNED.value], "transfer": BalanceMeaning.TRANSFER.value,
        "financing": BalanceMeaning.FINANCING.value,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, values)
        waiting = [Waiting(*row) for row in cursor.fetchall()]
        cursor.execute(_HELD, values)
        held = {(platform, currency): (reserved, lent, fees) for platform, currency, reserved, lent, fees in cursor.fetchall()}
        cursor.execute(_FAILED, values)
        failed = {(platform, currency): amount for platform, currency, amount in cursor.fetchall()}
    found = sorted({(each.processor, each.currency) for each in waiting} | held.keys() | failed.keys())
    standing = []
    for key in found:
        reserved, lent, fees = held.get(key, (ZERO, ZERO, ZERO))
        own = [each for each in waiting if (each.processor, each.currency) == key]
        standing.append(Balance(key[0], key[1], own, failed.get(key, ZERO), reserved, lent, fees))
    return standing


class PaymentFees(NamedTuple):
    """Payment fees of some days, as booked: costs are negative; `estimated` is what of them a rule supplied."""

    amount: Decimal
    estimated: Decimal

    @property
    def actual(self) -> Decimal:
        """Return what processors told."""
        return self.amount - self.estimated

    @property
    def actual_share(self) -> Decimal | None:
        """Return which part of the fees is known; None where there are none."""
        whole = abs(self.actual) + abs(self.estimated)
        return abs(self.actual) / whole if whole else None


def payment_fees(store: Store, first: date, last: date) -> PaymentFees:
    """Add up the payment fees of days, both included, on the days they happened."""
    totals = DayTotal.objects.filter(book_id=store.pk, basis=Basis.EVENT, account=FEES_PAYMENT, day__range=(first, last))
    told = totals.aggregate(amount=Sum("amount"), estimated=Sum("estimated_amount"))
    return PaymentFees(told["amount"] or ZERO, told["estimated"] or ZERO)


def unbooked(store: Store) -> list[ToLookAt]:
    """Return the rows of balances that are in no figure until a person has looked at them, by type."""
    return to_look_at(store.pk, None, None, always=ALWAYS, without_order=WITHOUT_ORDER)


class Disputed(NamedTuple):
    """A disputed payment, with the fee that its rows took, and whether its order is known."""

    number: str
    opened_at: datetime | None
    due_at: datetime | None
    decided_at: datetime | None
    status: str
    kind: str
    reason: str
    amount: Decimal
    currency: str
    order_number: str
    wants_answer: bool
    fee: Decimal | None
    moved: Decimal | None
    """What its rows moved the balance by, fees aside; None while none did."""
    is_order_known: bool


_DISPUTED = """
    SELECT d.external_id, d.opened_at, d.due_at, d.decided_at, d.status, d.kind, d.reason, d.amount, d.currency, d.order_number, d.wants_answer,
        moved.fee, moved.amount, EXISTS (SELECT FROM ledger_order o WHERE o.store_id = d.store_id AND o.number = d.order_number)
    FROM ledger_dispute d LEFT JOIN LATERAL (
        SELECT sum(CASE WHEN b.meaning = %(fee)s THEN b.fee - b.amount ELSE b.fee END) AS fee,
            sum(b.amount) FILTER (WHERE b.meaning <> %(fee)s) AS amount
        FROM ledger_balancetransaction b WHERE b.store_id = d.store_id AND b.dispute_ref = d.external_id AND b.dispute_ref <> ''
            AND b.platform = d.platform
    ) AS moved ON true
    WHERE d.store_id = %(store)s
    ORDER BY d.wants_answer DESC, CASE WHEN d.wants_answer THEN d.due_at END NULLS LAST, d.opened_at DESC NULLS LAST, d.id DESC LIMIT %(most)s
"""


def disputes_of(store: Store) -> list[Disputed]:
    """Return the disputes of a store: those that want an answer first, the most urgent at the top; at most `MOST_DISPUTES`."""
    with connection.cursor() as cursor:
        cursor.execute(_DISPUTED, {"store": store.pk, "fee": BalanceMeaning.DISPUTE_FEE.value, "most": MOST_DISPUTES})
        return [Disputed(*row) for row in cursor.fetchall()]


class CameIn(NamedTuple):
    """One row of a balance about an order, and the payout it is in."""

    order: str
    """The platform's id."""
    day: date
    type: str
    meaning: int
    amount: Decimal
    fee: Decimal
    currency: str
    payout: int | None
    """None where it is in none that is known."""
    issued_at: datetime | None
    status: str

    @property
    def net(self) -> Decimal:
        """Return what of it reaches the bank."""
        return self.amount - self.fee


_CAME_IN = """
    SELECT b.order_ref, b.day, b.type, b.meaning, b.amount, b.fee, b.currency, p.id, p.issued_at, coalesce(p.status, '')
    FROM ledger_balancetransaction b
    LEFT JOIN ledger_payout p ON p.store_id = b.store_id AND p.platform = b.platform AND p.external_id = b.payout_ref AND b.payout_ref <> ''
    WHERE b.store_id = %s AND b.order_ref = ANY(%s) AND b.order_ref <> '' ORDER BY b.at, b.id
"""


def came_in(store: Store, orders: Collection[str]) -> list[CameIn]:
    """Return the rows of balances about some orders, by the platform's ids, in time order."""
    if not orders:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_CAME_IN, [store.pk, sorted(orders)])
        return [CameIn(*row) for row in cursor.fetchall()]


def has_failed(payout: Payout) -> bool:
    """Tell whether a payout did not reach the bank."""
    return payout.status in FAILED
