"""Keep what taking or undoing a file did to profit, so that its page tells it without adding up the book again."""

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from decimal import Decimal

import msgspec

from connectors.files.imports import keep_report
from connectors.files.kind import Effect, Found, MonthEffect
from connectors.models import FileImport, FileReport
from ledger.book.explain import caused
from ledger.kinds import CauseKind
from ledger.models import Book, Store
from ledger.periods import By, cut
from ledger.statements import profit


def keep_taken(row: FileImport, found: Found) -> None:
    """Keep what taking a file did, with what it changed in profit: after it less its own entries is before it."""
    changed = caused(Book.objects.get(pk=row.store_id), row.cause_ref, cause=CauseKind.IMPORT)
    after = _net_profit(row.store, changed)
    lines: dict[str, Decimal] = {}
    for each in changed.values():
        for line, amount in each.items():
            lines[line] = lines.get(line, Decimal(0)) + amount
    months = [
        MonthEffect(month.isoformat(), str(after[month] - sum(changed[month].values())), str(after[month])) for month in changed
    ]  # fmt: skip
    found.effect = Effect(months, {line: str(amount) for line, amount in lines.items()})
    keep_report(row, FileReport.Stage.TAKEN, found)


def begin_undo(row: FileImport, found: Sequence[FileImport]) -> None:
    """Keep the profit of the months that imports changed, as it is before they are undone; a cut undo keeps what it found first."""
    if row.reports.filter(stage=FileReport.Stage.UNDONE).exists():
        return
    book = Book.objects.get(pk=row.store_id)
    months = {month for each in found for month in caused(book, each.cause_ref, cause=CauseKind.IMPORT)}
    if book.closed_through is not None and months and min(months) <= book.closed_through:
        # what a closed day loses is booked on the first open one
        months.add((book.closed_through + timedelta(days=1)).replace(day=1))
    before = _net_profit(row.store, months)
    keep_report(row, FileReport.Stage.UNDONE, Effect([MonthEffect(month.isoformat(), str(before[month]), "") for month in sorted(months)]))


def end_undo(row: FileImport) -> None:
    """Keep the profit of the same months as it is after the undoing."""
    effect = msgspec.convert(row.reports.get(stage=FileReport.Stage.UNDONE).body, Effect)
    after = _net_profit(row.store, [date.fromisoformat(each.month) for each in effect.months])
    months = [MonthEffect(each.month, each.before, str(after[date.fromisoformat(each.month)])) for each in effect.months]
    keep_report(row, FileReport.Stage.UNDONE, Effect(months))


def _net_profit(store: Store, months: Collection[date]) -> dict[date, Decimal]:
    """Return the net profit of months by their first days."""
    if not months:
        return {}
    periods = cut(min(months), _last_day(max(months)), By.MONTH)
    statements = profit(Book.objects.get(pk=store.pk), periods)
    return {one.period.first: one.net_profit for one in statements if one.period.first in set(months)}


def _last_day(month: date) -> date:
    following = date(month.year + month.month // 12, month.month % 12 + 1, 1)
    return following - timedelta(days=1)
