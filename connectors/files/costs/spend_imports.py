"""Import files of ad spend: check the whole, record day by day, archive what was read, and undo."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from django.db import transaction
from msgspec import Struct, field

from connectors.files.costs.cost_imports import CostReport, checked, context_of, open_file, report_on
from connectors.files.imports import archive, archived, begin, finish, hold, is_archived, move_undone, note_chunk, others_told
from connectors.files.kind import Guard, Progress, Undone, unguarded, untold
from connectors.files.spool import Order as DayTexts
from connectors.files.spool import Spool, pack
from connectors.models import FileImport
from connectors.platforms.files.ad_columns import AD_SPEND, KINDS, TELLERS
from connectors.platforms.files.ad_spend import AdReader, LeftOut, ToldSpend
from connectors.platforms.files.cost_sheet import Checker, Context, Options, as_json, from_json
from ledger.advertising import spending
from ledger.advertising.ad_plan import Spent
from ledger.cause import Cause
from ledger.facts import AdDayFact
from ledger.kinds import AdLevel, AdTeller, CauseKind
from ledger.models import Store
from ledger.money import Tenk


class SpendReport(Struct):
    """What a file of ad spend holds and what importing it did. Amounts are in ten-thousandths of their currency."""

    file: CostReport
    spends: dict[tuple[str, str], Tenk] = field(default_factory=dict)
    """What its rows add up to, by platform and currency."""
    levels: set[AdLevel] = field(default_factory=set)
    spread: int = 0
    """Rows that cover several days."""
    total_rows: int = 0
    totals: set[Tenk] = field(default_factory=set)
    """What its total rows say."""
    without_amount: int = 0
    without_platform: bool = False
    without_account: set[str] = field(default_factory=set)
    """Platforms of which rows of people's files name no account while others do, or the other way round."""
    kept_exact: int = 0
    gave_way: int = 0
    """Days that somebody surer tells."""
    replaced: int = 0
    """Days of people's files that are not booked any more, since this one tells them."""
    beside: set[str] = field(default_factory=set)
    """Campaigns of people's files that are booked beside what their platform tells of the same days."""


def import_spend(
    row: FileImport, path: Path, *, options: Options, now: datetime, progress: Progress = untold, guard: Guard = unguarded, dry_run: bool = False
) -> SpendReport:  # fmt: skip
    """Check a file and, unless it is a dry run, record its days; raise FileRefused with the rows that are wrong."""
    kind, store, context = KINDS[row.kind], row.store, context_of(row.store, now)
    opened = open_file(path, kind, options, context)
    report = SpendReport(report_on(opened, kind))
    reader = AdReader(kind, opened.found.layout, context)
    with Spool() as spool:
        for kept in checked(opened, kind, Checker(kind, opened.found, reader.check, opened.width), report.file, progress):
            told = reader.told(kept)
            if isinstance(told, LeftOut):
                _leave_out(report, told)
                continue
            _count(report, told)
            spool.add(told.first.isoformat(), kept)
        if kind is AD_SPEND:
            _note_accounts(report, store, reader)
        if dry_run:
            for chunk in spool.chunks():
                _add(report, spending.look(store, facts_of(chunk, reader)))
            return report
        layout = as_json(opened.found.layout)
        begin(row, guard, rows=report.file.rows, orders=spool.orders, template=layout, matched=spool.rows)
        report.file.import_id = row.pk
        done = 0
        for number, chunk in enumerate(spool.chunks(), start=1):
            _record_chunk(row, number, chunk, facts_of(chunk, reader), report, now, guard)
            done += sum(len(texts) for _, texts in chunk)
            progress("recording ad spend", done, spool.rows)
    finish(row, guard, now=now)
    return report


def facts_of(chunk: Sequence[DayTexts], reader: AdReader) -> list[AdDayFact]:
    """Read a chunk's rows again and return what they tell of each day."""
    told = [reader.told(text) for _, texts in chunk for text in texts]
    return reader.facts([row for row in told if not isinstance(row, LeftOut)])


def _leave_out(report: SpendReport, row: LeftOut) -> None:
    if row.is_total:
        report.total_rows += 1
        report.totals.add(row.spend)
    else:
        report.without_amount += 1


def _count(report: SpendReport, row: ToldSpend) -> None:
    key = row.platform, row.currency
    report.spends[key] = report.spends.get(key, 0) + row.spend
    report.levels.add(row.level)
    report.spread += row.first != row.last
    report.without_platform = report.without_platform or row.platform == "other"


def _note_accounts(report: SpendReport, store: Store, reader: AdReader) -> None:
    """Note the platforms whose spend may be told twice, since one file of people names its account and another does not."""
    for platform in {platform for platform, _ in report.spends}:
        named = {account for told, account in reader.accounts if told == platform} | set(spending.accounts_of(store, platform))
        if "" in named and len(named) > 1:
            report.without_account.add(platform)


def _record_chunk(
    row: FileImport, number: int, chunk: list[DayTexts], facts: Sequence[AdDayFact], report: SpendReport, now: datetime, guard: Guard
) -> None:
    """Record one chunk and archive it, in one transaction; what an earlier run recorded is only counted."""
    with transaction.atomic():
        if number <= hold(row).chunks_done:
            _add(report, spending.look(row.store, facts))
            return
        done = spending.record_spend(row.store, facts, cause_ref=row.cause_ref, actor=row.actor, now=now)
        packed = pack(chunk)
        if done.added or done.changed or not is_archived(row.store, row, packed):
            archive(row, number, packed, orders=len(chunk))
        note_chunk(row, number, new=done.added, changed=done.changed, unchanged=done.unchanged + done.kept_exact)
        guard()
    _add(report, done)


def _add(report: SpendReport, done: Spent) -> None:
    report.file.added += done.added
    report.file.changed += done.changed
    report.file.unchanged += done.unchanged + done.kept_exact
    report.file.held += done.held
    report.file.entries += done.entries
    report.kept_exact += done.kept_exact
    report.gave_way += done.gave_way
    report.replaced += done.replaced
    report.beside.update(done.beside)


def undo_spend(found: Sequence[FileImport], *, now: datetime, actor: str = "", progress: Progress = untold, guard: Guard = unguarded) -> Undone:
    """Undo imports of one file of ad spend: what another file tells of the same days stands again, the others are taken back."""
    FileImport.objects.filter(pk__in=[row.pk for row in found]).update(state=FileImport.State.UNDOING)
    days = written = 0
    for row in found:
        days += spending.count(row.store, row.cause_ref)
        written += take_spend_back(row, [each.pk for each in found], _told_by, now=now, actor=actor, guard=guard)
        progress("taking ad spend back", days, days)
        move_undone(row, guard, now=now)
    return Undone(days, written)


Told = Callable[[FileImport, Context], Iterator[list[AdDayFact]]]
"""Yields the days of ad spend that an archived import tells, chunk by chunk; none for one that tells none."""


def _told_by(row: FileImport, context: Context) -> Iterator[list[AdDayFact]]:
    if row.kind in KINDS:
        reader = AdReader(KINDS[row.kind], from_json(row.template), context)
        yield from (facts_of(chunk, reader) for chunk in archived(row))


def take_spend_back(row: FileImport, undone: Sequence[int], told_by: Told, *, now: datetime, actor: str, guard: Guard) -> int:
    """Let days of ad spend be again what the latest other import tells of them, take the rest back, and return the entries written."""
    store, written = row.store, 0
    wanted = spending.grains_of(store, row.cause_ref)
    # the surer first: what a person's file tells stands only where no file of the platform's does
    others = sorted(others_told(store, but=undone), key=lambda other: (TELLERS.get(other.kind, AdTeller.EXPORT), -other.pk)) if wanted else []
    for other in others:
        for facts in told_by(other, context_of(store, now)):
            again = [fact for fact, grain in zip(facts, spending.about(store, facts), strict=True) if grain in wanted]
            if again:
                with transaction.atomic():
                    written += spending.record_spend(store, again, cause_ref=other.cause_ref, actor=actor, now=now, adopt=True).entries
                    guard()
                wanted -= set(spending.about(store, again))
    with transaction.atomic():
        cause = Cause(CauseKind.UNDO, f"undo of {row.cause_ref}", actor)
        written += spending.remove(store, cause_ref=row.cause_ref, cause=cause, now=now).added
        guard()
    return written
