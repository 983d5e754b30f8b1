"""List every kind of background job, and every one that comes again by itself."""

from datetime import time, timedelta

from connectors.privacy.tasks import DO_CASE, KEEP_PRIVACY
from connectors.reading.sync_tasks import (
    BACKFILL,
    CHECK_ACCOUNT,
    CHECK_ACCOUNTS,
    COMPARE,
    COMPARE_ALL,
    DISPATCH_SYNCS,
    FORGET_RUNS,
    REPLAY_ALL_PARKED,
    REPLAY_PARKED,
    SYNC_STREAM,
)
from connectors.tasks import FORGET_FILES, IMPORT_FILE, LOAD_RATES, LOOK_AT_FILE, UNDO_FILE
from connectors.webhooks.tasks import (
    FOLLOW_DELIVERIES,
    FORGET_DELIVERIES,
    KEEP_ALL_SUBSCRIPTIONS,
    KEEP_SUBSCRIPTIONS,
    WATCH_DELIVERIES,
)
from dashboards.tasks import FORGET_EXPIRED
from ledger.costs.defaults import PREVIEW_DEFAULTS
from ledger.daily import SHOW_PERCENTAGES
from ledger.rules.proposal_tasks import FORGET_PROPOSALS, PREVIEW_COSTS
from ledger.tasks import (
    ACCRUE_BOOK,
    ACCRUE_BOOKS,
    AUDIT_BOOK,
    AUDIT_BOOKS,
    CHECK_COSTS,
    CHECK_COSTS_NIGHTLY,
    ERASE_STORE,
    REDRAFT,
    REPOST,
    REPOST_STALE,
)
from profitpeek.demo.tasks import LOAD_DEMO
from profitpeek.jobs.housekeeping import HEARTBEAT, PRUNE_JOBS
from profitpeek.jobs.kinds import Kind
from profitpeek.jobs.recurring import Recurring

KINDS: tuple[Kind, ...] = (
    HEARTBEAT,
    PRUNE_JOBS,
    AUDIT_BOOKS,
    AUDIT_BOOK,
    REPOST,
    REPOST_STALE,
    REDRAFT,
    SHOW_PERCENTAGES,
    CHECK_COSTS,
    CHECK_COSTS_NIGHTLY,
    ERASE_STORE,
    ACCRUE_BOOKS,
    ACCRUE_BOOK,
    PREVIEW_COSTS,
    PREVIEW_DEFAULTS,
    FORGET_PROPOSALS,
    IMPORT_FILE,
    LOOK_AT_FILE,
    UNDO_FILE,
    LOAD_RATES,
    FORGET_EXPIRED,
    FORGET_FILES,
    LOAD_DEMO,
    DISPATCH_SYNCS,
    SYNC_STREAM,
    BACKFILL,
    REPLAY_PARKED,
    REPLAY_ALL_PARKED,
    FORGET_RUNS,
    CHECK_ACCOUNT,
    CHECK_ACCOUNTS,
    COMPARE,
    COMPARE_ALL,
    DO_CASE,
    KEEP_PRIVACY,
    FOLLOW_DELIVERIES,
    KEEP_SUBSCRIPTIONS,
    KEEP_ALL_SUBSCRIPTIONS,
    WATCH_DELIVERIES,
    FORGET_DELIVERIES,
)

RECURRING: tuple[Recurring, ...] = (
    Recurring(name="heartbeat", kind=HEARTBEAT, every=timedelta(minutes=1)),
    Recurring(name="dispatch-syncs", kind=DISPATCH_SYNCS, every=timedelta(minutes=1)),
    # The doorbell rings by itself; what it lost with a process that was killed is found here.
    Recurring(name="watch-deliveries", kind=WATCH_DELIVERIES, every=timedelta(minutes=1)),
    Recurring(name="keep-subscriptions", kind=KEEP_ALL_SUBSCRIPTIONS, at=time(2, 30)),
    Recurring(name="forget-deliveries", kind=FORGET_DELIVERIES, every=timedelta(hours=6)),
    # Whatever an upgrade has learnt to understand is read within hours.
    Recurring(name="replay-parked", kind=REPLAY_ALL_PARKED, every=timedelta(hours=6)),
    Recurring(name="compare-connections", kind=COMPARE_ALL, at=time(1, 50)),
    # A shop that moved or sells in another currency tells nobody.
    Recurring(name="check-accounts", kind=CHECK_ACCOUNTS, every=timedelta(hours=6)),
    Recurring(name="forget-runs", kind=FORGET_RUNS, at=time(4, 40)),
    Recurring(name="repost-stale", kind=REPOST_STALE, every=timedelta(minutes=5)),
    # Stores' days begin at different hours, and ad spend and exchange rates come late.
    Recurring(name="accrue-costs", kind=ACCRUE_BOOKS, every=timedelta(hours=1)),
    Recurring(name="show-percentages", kind=SHOW_PERCENTAGES, every=timedelta(hours=1)),
    Recurring(name="prune-jobs", kind=PRUNE_JOBS, every=timedelta(hours=6)),
    # The bank publishes at about 16:00 its time, on working days.
    Recurring(name="exchange-rates", kind=LOAD_RATES, at=time(16, 40), zone="Europe/Berlin"),
    Recurring(name="keep-privacy", kind=KEEP_PRIVACY, every=timedelta(hours=1)),
    Recurring(name="forget-expired", kind=FORGET_EXPIRED, at=time(4, 10)),
    Recurring(name="forget-files", kind=FORGET_FILES, at=time(4, 20)),
    Recurring(name="forget-proposals", kind=FORGET_PROPOSALS, at=time(4, 30)),
    Recurring(name="check-costs", kind=CHECK_COSTS_NIGHTLY, at=time(3, 50)),
    Recurring(name="nightly-audit", kind=AUDIT_BOOKS, at=time(3, 20)),
)
