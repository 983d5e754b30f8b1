"""Offer files of ad spend as kinds of files: a person's own, Meta Ads Manager's, Google Ads'."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from connectors.files.costs.columns import columns_read
from connectors.files.costs.cost_files import options_of
from connectors.files.costs.spend_imports import SpendReport, import_spend, undo_spend
from connectors.files.kind import Count, FileKind, Found, Guard, Progress, Sum, Undone, unguarded
from connectors.models import FileImport
from connectors.platforms.files.ad_columns import AD_SPEND, GOOGLE_ADS, KINDS, META_ADS
from connectors.platforms.files.cost_sheet import CURRENCY, DAY_ORDER, DECIMAL_SIGN, Kind
from connectors.platforms.files.headers import fits, plain_header, recognise
from ledger.money import decimal, in_minor_units


def _look(row: FileImport, path: Path, now: datetime, progress: Progress) -> Found:
    report = import_spend(row, path, options=options_of(row), now=now, progress=progress, guard=unguarded, dry_run=True)
    return _found(report, KINDS[row.kind], written=False)


def _take(row: FileImport, path: Path, now: datetime, progress: Progress, guard: Guard) -> Found:
    return _found(import_spend(row, path, options=options_of(row), now=now, progress=progress, guard=guard), KINDS[row.kind], written=True)


def _undo(found: Sequence[FileImport], now: datetime, actor: str, progress: Progress, guard: Guard) -> Undone:
    return undo_spend(found, now=now, actor=actor, progress=progress, guard=guard)


def _found(report: SpendReport, kind: Kind, *, written: bool) -> Found:
    file = report.file
    read = columns_read(kind, file.layout, file.first_rows)
    counts = [
        Count(label, value)
        for label, value in (
            ("total rows left out", report.total_rows), ("rows without an amount left out", report.without_amount),
            ("rows that cover several days", report.spread), ("blank rows left out", file.blank_rows),
        )
        if value
    ]  # fmt: skip
    return Found(
        filename=file.filename, kind=kind.name, encoding=file.encoding, delimiter=file.delimiter, import_id=file.import_id, rows=file.rows,
        counts=counts, sums=[
            Sum(f"spend on {platform.replace('_', ' ')}", str(in_minor_units(decimal(units), code)), code)
            for (platform, code), units in sorted(report.spends.items())
        ],
        columns=read.columns, dropped_columns=list(file.dropped_columns), headings=read.headings, first_rows=read.first_rows,
        unit="days of ad spend", new=file.added, changed=file.changed, unchanged=file.unchanged, entries=file.entries,
        notes=_notes(report), warnings=_warnings(report, written=written),
    )  # fmt: skip


def _notes(report: SpendReport) -> list[str]:
    layout, notes = report.file.layout, []
    if layout is not None:
        notes.append(f"Decimal sign “{layout.decimal_sign}”, currency where a row names none {layout.currency}.")
    if len(report.levels) > 1:
        levels = ", ".join(level.label for level in sorted(report.levels))
        notes.append(f"Rows are told at several levels ({levels}). They tell the same money, so each day is booked at one of them.")
    if report.without_platform:
        notes.append("Rows without a platform count as other ads; a column “Platform” says whose they are.")
    if report.gave_way:
        notes.append(f"Days that the platform itself tells too: {report.gave_way:,}. That stands; this file's are kept, not booked.")
    if report.replaced:
        notes.append(f"Days that a file of your own, or one without the account, told before: {report.replaced:,}. This file stands; those are kept.")
    if report.kept_exact:
        notes.append(f"{report.kept_exact:,} days are told exactly by another file; that stands.")
    return notes


def _warnings(report: SpendReport, *, written: bool) -> list[str]:
    warnings = []
    if report.spread:
        warnings.append(
            f"{report.spread:,} row{'s cover' if report.spread > 1 else ' covers'} several days. What they cost is spread over those evenly and "
            "marked estimated; export the report broken down by day, and it takes their place."
        )
    whole = set(report.spends.values())
    if len(report.levels) == 1 and len(report.spends) == 1 and report.totals and not report.totals & whole:
        warnings.append("The file's total row is not the sum of its rows: some may be missing. Compare it with the page it came from.")
    if report.beside:
        names = ", ".join(f"“{name}”" for name in sorted(report.beside)[:MOST_NAMED]) + (", …" if len(report.beside) > MOST_NAMED else "")
        warnings.append(
            f"A file of your own tells campaigns that the platform's own does not name on the same days: {names}. They are booked beside it. If they "
            "are called otherwise there, they count twice: name them as the platform does, and import again."
        )
    for platform in sorted(report.without_account):
        warnings.append(
            f"Some files of your own for {platform.replace('_', ' ')} name the advertising account and some do not. Where two tell the same days of "
            "the same account, they count twice: name it each time, and undo the import without it."
        )
    if report.file.held:
        days = f"{report.file.held:,} day{'' if report.file.held == 1 else 's'}"
        waits = f"wait{'s' if report.file.held == 1 else ''}" if written else "would wait"
        warnings.append(f"{days} {waits} for an exchange rate, in no figure until it is there; load rates.")
    return warnings


def _is_meta(header: Sequence[str]) -> bool:
    """Tell whether a header is Meta's: its own words for spend, with the currency behind them, or with the span it reports on."""
    if not fits(header, META_ADS.fields):
        return False
    found = recognise(header, META_ADS.fields)
    return "start" in found.places or bool(found.currency)


def _is_google(header: Sequence[str]) -> bool:
    """Tell whether a header is Google's: its words for day, campaign and cost, with the currency's code or impressions as it calls them."""
    plain = {plain_header(text) for text in header}
    own = {name for field in GOOGLE_ADS.fields if field.name in ("currency", "impressions") for name in field.headers}
    return fits(header, GOOGLE_ADS.fields) and bool(plain & own)


MOST_NAMED = 5
"""Campaigns that a warning names."""
ASKS = (DECIMAL_SIGN, DAY_ORDER, CURRENCY)
META_ADS_FILES = FileKind(
    name=META_ADS.name, label=META_ADS.label,
    where_from="In Meta Ads Manager under Campaigns: Breakdown, By time, Day; then Export, as .csv.",
    recognises=_is_meta, look=_look, take=_take, undo=_undo, asks=ASKS,
)  # fmt: skip
GOOGLE_ADS_FILES = FileKind(
    name=GOOGLE_ADS.name, label=GOOGLE_ADS.label,
    where_from="In Google Ads under Campaigns: Segment, Time, Day, with the columns Cost and Currency code; then Download, as .csv.",
    recognises=_is_google, look=_look, take=_take, undo=_undo, asks=ASKS,
)  # fmt: skip
AD_SPEND_FILES = FileKind(
    name=AD_SPEND.name, label=AD_SPEND.label,
    where_from="A spreadsheet of yours, or any platform's report: a day and an amount in each row, the platform and the campaign, as CSV.",
    recognises=lambda header: fits(header, AD_SPEND.fields), look=_look, take=_take, undo=_undo, asks=ASKS,
)  # fmt: skip
