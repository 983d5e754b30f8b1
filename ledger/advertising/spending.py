"""Record what advertising accounts spent: the one door for ad spend, whoever tells it, a file or a platform.

A row says what was spent on one day at one level (ledger/models/marketing.py). All rows of one platform and day are decided together.
Locks: rows, then the book, under which the days are read once more: whoever comes second sees the other's rows.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import partial

from ledger import accounts, findings
from ledger.advertising import ad_rows
from ledger.advertising.ad_plan import Spent, plan_spend, spent
from ledger.advertising.ad_rows import AccountDay, Campaigns
from ledger.book.entries import Source
from ledger.cause import Cause, Telling
from ledger.costs.labels import account_numbers
from ledger.costs.manual_costs import plus, settle_shares
from ledger.days import day_of
from ledger.drafts.entry import EntryDraft
from ledger.drafts.spending import draft_day, giving_way
from ledger.facts import AdDayFact
from ledger.kinds import AdLevel, CauseKind, Hold, SourceKind
from ledger.models import AdDay, Finding, Store
from ledger.posting import NOTHING, Posting, hold_book, post
from ledger.rates import OLDEST_STAND_IN, RateTable
from ledger.record import persist
from ledger.stores import today_of

CHUNK = 500
"""Days of accounts drafted per transaction."""
WAITING = "ad_rate_missing"
"""The kind of finding that names a currency whose rate ad spend waits for."""
OTHER = "marketing:other-ads"

Write = Callable[[Sequence[AccountDay]], Posting]
"""Writes what is to become of some days, and posts it."""


def account_name(platform: str) -> str:
    """Return the account that a platform's ad spend is booked on: `marketing:meta_ads`, `marketing:tiktok-ads`, else `marketing:other-ads`."""
    fixed = f"marketing:{platform}"
    if fixed in accounts.NAMES.values():
        return fixed
    labelled = f"marketing:{platform.replace('_', '-')}"
    return labelled if labelled in accounts.AD_SPEND else OTHER


def record_spend(
    store: Store, facts: Sequence[AdDayFact], *, cause_ref: str, actor: str, now: datetime, adopt: bool = False, kind: CauseKind = CauseKind.IMPORT
) -> Spent:  # fmt: skip
    """Record days of ad spend, post what that changes, and return what it did.

    One transaction (a savepoint within the caller's), so at most some thousand facts a call. The same facts again change nothing; a
    fact about a known day changes it; facts of one call about the same are added up. With `adopt`, rows that stay the same are this
    import's from now on too. Percentages of ad spend follow. Raises Contended as `record()` does, ValueError for two currencies of one thing.
    """
    return persist(store, lambda: _record(store, facts, Telling(kind, cause_ref, actor, now, adopt)))


def look(store: Store, facts: Sequence[AdDayFact]) -> Spent:
    """Say what recording facts would do; write nothing."""
    plan = plan_spend(store.pk, facts, Campaigns(store.pk, facts), None)
    table = _rates(store, [(fact.currency, fact.day) for fact in facts])
    waits = {ad_rows.account_day(fact) for fact in facts if table is not None and table.find(fact.currency, fact.day) is None}
    return spent(plan, held=len(waits))


def remove(store: Store, *, cause_ref: str, cause: Cause, now: datetime) -> Posting:
    """Take back the rows that one import told last and reverse their entries, some days at a time."""

    def take(days: Sequence[AccountDay]) -> Posting:
        rows = [row for row in ad_rows.of_days(store.pk, days, lock=True) if row.cause_ref == cause_ref]
        ad_rows.remove([row.pk for row in rows], now=now)
        return _draft_again(store, days, gone=rows, cause=cause, now=now)[0]

    return _in_chunks(store, ad_rows.of_cause(store.pk, cause_ref), take)


def accounts_of(store: Store, platform: str) -> list[str]:
    """Return the accounts of a platform that people's files told of before; the empty text where one named none."""
    return ad_rows.accounts_of(store.pk, platform)


def count(store: Store, cause_ref: str) -> int:
    """Count the rows that one import told last."""
    return len(ad_rows.grains_of(store.pk, cause_ref))


def grains_of(store: Store, cause_ref: str) -> set[ad_rows.Grain]:
    """Return what the rows are about that one import told last."""
    return ad_rows.grains_of(store.pk, cause_ref)


def about(store: Store, facts: Sequence[AdDayFact]) -> list[ad_rows.Grain]:
    """Return what each fact is about, as the campaigns of the store are named now."""
    campaigns = Campaigns(store.pk, facts)
    return [ad_rows.grain(ad_rows.row_of(fact, store.pk, campaigns.find(fact) if fact.level != AdLevel.ACCOUNT else None)) for fact in facts]


def repost(store: Store, *, cause: Cause, now: datetime) -> Posting:
    """Draft every day of ad spend again with the rates that are known by now, and post what differs."""
    return _in_chunks(store, ad_rows.every_day(store.pk), lambda days: _draft_again(store, days, cause=cause, now=now)[0])


def restless(store: Store, *, today: date) -> list[AccountDay]:
    """Return the days of accounts that wait for an exchange rate, or may get a better one than the stand-in they have."""
    return ad_rows.restless(store.pk, store.currency, today - timedelta(days=OLDEST_STAND_IN))


def settle_rates(store: Store, *, cause: Cause, today: date, now: datetime) -> Posting:
    """Book days that waited for a rate which is known by now, and those whose stand-in rate is replaced."""
    days = restless(store, today=today)
    return _in_chunks(store, days, lambda chunk: _draft_again(store, chunk, cause=cause, now=now)[0])


def _in_chunks(store: Store, days: Sequence[AccountDay], write: Write) -> Posting:
    done = NOTHING
    for start in range(0, len(days), CHUNK):
        chunk = days[start : start + CHUNK]
        done = plus(done, persist(store, partial(write, chunk)))
    return done


def _record(store: Store, facts: Sequence[AdDayFact], told: Telling) -> Spent:
    campaigns = Campaigns(store.pk, facts)
    campaigns.settle(facts)
    plan = plan_spend(store.pk, facts, campaigns, told, lock=True)
    ad_rows.add(plan.new)
    ad_rows.rewrite(plan.changed)
    posting, held = NOTHING, 0
    if plan.new or plan.changed:
        days = sorted({ad_rows.account_day(row) for row in (*plan.new, *plan.changed)})
        posting, held = _draft_again(store, days, cause=told.cause, now=told.now)
    return spent(plan, held=held, entries=posting.added)


def _draft_again(
    store: Store, days: Collection[AccountDay], *, cause: Cause, now: datetime, gone: Sequence[AdDay] = ()
) -> tuple[Posting, int]:  # fmt: skip
    """Post what the rows of some accounts and days should have by now; return that and how many days wait for a rate."""
    hold_book(store.pk)
    rows = ad_rows.of_days(store.pk, days)
    table = _rates(store, [(row.currency, row.day) for row in rows])
    numbers = account_numbers({account_name(day.platform) for day in days})
    desired: dict[Source, list[EntryDraft]] = {(SourceKind.AD_DAY.value, row.pk): [] for row in (*gone, *rows)}
    holds: dict[int, Hold] = {}
    held = 0
    way = giving_way([ad_rows.as_row(row) for row in rows])
    for day, together in _by_day(rows).items():
        drafted = draft_day(
            [ad_rows.as_row(row) for row in together if row.pk not in way], account=numbers[account_name(day.platform)], book_currency=store.currency,
            find_rate=lambda currency, number: None if table is None else table.find(currency, day_of(number)),
        )  # fmt: skip
        desired |= {(SourceKind.AD_DAY.value, pk): entries for pk, entries in drafted.entries.items()}
        held += bool(drafted.waits_for)
        for row in together:
            waits = bool(drafted.waits_for) and row.pk not in way and row.currency != store.currency
            holds[row.pk] = Hold.RATE_MISSING if waits else Hold.NONE
    ad_rows.hold(rows, holds)
    posting = post(store.pk, desired, cause=cause) if desired else NOTHING
    _note_waiting(store, now)
    return plus(posting, settle_shares(store, cause=cause, today=today_of(store, now))), held


def _by_day(rows: Sequence[AdDay]) -> Mapping[AccountDay, list[AdDay]]:
    found: dict[AccountDay, list[AdDay]] = {}
    for row in rows:
        found.setdefault(ad_rows.account_day(row), []).append(row)
    return found


def _rates(store: Store, needed: Sequence[tuple[str, date]]) -> RateTable | None:
    """Load the rates that amounts need; None where all are in the store's currency."""
    foreign = [(currency, day) for currency, day in needed if currency != store.currency]
    if not foreign:
        return None
    days = [day for _, day in needed]
    return RateTable.load(store.currency, {currency for currency, _ in foreign}, min(days), max(days))


def _note_waiting(store: Store, now: datetime) -> None:
    """Open a finding for each currency that ad spend waits for, and resolve those that none waits for any more."""
    waiting = ad_rows.held_currencies(store.pk)
    for currency in waiting:
        findings.note(
            store.pk, WAITING, currency,
            f"Ad spend in {currency} waits: there is no exchange rate to {store.currency} for some of its days, so those are in no figure. "
            "Load rates, or enter one by hand; the days are booked within the hour.",
            severity=Finding.Severity.ERROR, now=now,
        )  # fmt: skip
    for currency in set(Finding.objects.filter(book=store.pk, kind=WAITING, resolved_at=None).values_list("subject", flat=True)) - waiting:
        findings.resolve(store.pk, WAITING, currency, now=now)
