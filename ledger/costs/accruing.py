"""Book the days that have come since: costs entered by hand have entries through today, never beyond."""

from collections.abc import Sequence
from datetime import date, datetime

from django.db import connection, transaction

from ledger import findings
from ledger.advertising import spending
from ledger.cause import Cause
from ledger.costs.labels import known_numbers
from ledger.costs.manual_costs import draft_spread, is_spread, plus, settle_shares, source_of, standing_costs
from ledger.days import day_number, day_of
from ledger.drafts.manual import Drafted
from ledger.kinds import CauseKind, SourceKind
from ledger.models import Finding, ManualCost, Store
from ledger.posting import NOTHING, Posting, hold_book, post

ACCRUAL = Cause(CauseKind.RULE, "accrual")
WAITING = "cost_rate_missing"
"""The kind of finding that names a currency whose rate days of costs wait for."""


def accrue(store: Store, *, today: date, now: datetime) -> Posting:
    """Book what has become due of a store's costs of days and of ad spend that waited, and note the days that wait for an exchange rate."""
    with transaction.atomic():
        hold_book(store.pk)  # changes of costs hold it too, so none comes between the look and the write
        spread = [cost for cost in due(store, today=today) if is_spread(cost)]
        drafts = {source_of(cost): draft_spread(cost, today=today) for cost in spread}
        desired = {source: drafted.entries for source, drafted in drafts.items()}
        posting = post(store.pk, desired, cause=ACCRUAL) if desired else NOTHING
        posting = plus(posting, settle_shares(store, cause=ACCRUAL, today=today))
        posting = plus(posting, spending.settle_rates(store, cause=ACCRUAL, today=today, now=now))
        _note_waiting(store, spread, list(drafts.values()), now)
    return posting


def due(store: Store, *, today: date) -> list[ManualCost]:
    """Return the costs of days that may have something to book.

    One in the store's currency has nothing once its latest day is booked. One in another currency may get a better
    rate for any day, one of a channel that channel's number, and a share of ad spend follows whatever day is told late.
    """
    begun = list(standing_costs(store).select_related("store").exclude(basis__in=ManualCost.OF_ORDERS).exclude(effective_from__gt=today))
    moving = [cost for cost in begun if not is_spread(cost) or cost.currency != store.currency or cost.channel]
    fixed = [cost for cost in begun if cost not in moving]
    settled = _booked(store, fixed, today) - _booked_beyond(store, today)
    return moving + [cost for cost in fixed if cost.pk not in settled]


_BOOKED = """
    SELECT e.source_id FROM unnest(%s::bigint[], %s::smallint[], %s::int[]) AS latest(source_id, account, part)
    JOIN ledger_entry e ON e.book_id = %s AND e.source_kind = %s AND e.source_id = latest.source_id AND e.account = latest.account
        AND e.part = latest.part
    GROUP BY e.source_id HAVING count(*) FILTER (WHERE NOT e.reverses) > count(*) FILTER (WHERE e.reverses)
"""


def _booked(store: Store, costs: Sequence[ManualCost], today: date) -> set[int]:
    """Return the costs whose latest day through today has a live entry: so have all days before."""
    numbers = known_numbers(cost.account_name for cost in costs)
    latest = [
        (cost.pk, numbers[cost.account_name], day_number(min(cost.effective_to or today, today))) for cost in costs if cost.account_name in numbers
    ]
    if not latest:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(_BOOKED, [*(list(column) for column in zip(*latest, strict=True)), store.pk, SourceKind.MANUAL_COST.value])
        return {row[0] for row in cursor.fetchall()}


_BEYOND = """
    SELECT source_id FROM ledger_entry WHERE book_id = %s AND day > %s AND source_kind = %s
    GROUP BY source_id, account, part HAVING count(*) FILTER (WHERE NOT reverses) > count(*) FILTER (WHERE reverses)
"""


def _booked_beyond(store: Store, today: date) -> set[int]:
    """Return the costs with days booked that have not come: an earlier version booked them, or the store's time zone was moved."""
    with connection.cursor() as cursor:
        cursor.execute(_BEYOND, [store.pk, today, SourceKind.MANUAL_COST.value])
        return {row[0] for row in cursor.fetchall()}


def _note_waiting(store: Store, costs: Sequence[ManualCost], drafts: Sequence[Drafted], now: datetime) -> None:
    """Open a finding for each currency that days wait for, and resolve those that no day waits for any more."""
    waiting: dict[str, tuple[int, ManualCost]] = {}
    for cost, drafted in zip(costs, drafts, strict=True):
        for day in drafted.waiting[:1]:
            waiting[cost.currency] = min(waiting.get(cost.currency, (day, cost)), (day, cost), key=lambda pair: pair[0])
    for currency, (day, cost) in waiting.items():
        findings.note(
            store.pk, WAITING, currency,
            f"No exchange rate from {currency} to {store.currency} around {day_of(day)}: such days of “{cost}” are in no figure until a rate is "
            "known. Load rates, or enter one by hand; the days are booked within the hour.",
            severity=Finding.Severity.ERROR, now=now,
        )  # fmt: skip
    for currency in set(Finding.objects.filter(book=store.pk, kind=WAITING, resolved_at=None).values_list("subject", flat=True)) - waiting.keys():
        findings.resolve(store.pk, WAITING, currency, now=now)
