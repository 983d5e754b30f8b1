"""Offer the ranges people ask for most, each with periods of a length that suits it."""

from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode

from dashboards.forms import LAST_DAYS, View
from ledger.periods import By, Period


@dataclass(frozen=True, slots=True)
class Preset:
    """One range as a link: its words, its query, and whether it is the one shown."""

    label: str
    query: str
    is_shown: bool


def presets(view: View, *, today: date) -> list[Preset]:
    """Return the ranges up to a store's today, on the basis in use."""
    ranges = [("Last 30 days", today - timedelta(days=29), today, By.DAY), *_calendar(today)]
    same = [label for label, first, last, _ in ranges if (first, last) == view.whole]
    # In January three names mean one range; the one that cuts it like the page comes first.
    shown = next((label for label, _, _, by in ranges if label in same and by == view.by), same[0] if same else None)
    return [Preset(label, _query(first, last, by, view.basis_key), label == shown) for label, first, last, by in ranges]


def cost_presets(period: Period, *, today: date) -> list[Preset]:
    """Return the ranges of the costs page up to a store's today."""
    ranges = [(f"Last {count} days", today - timedelta(days=count - 1), today) for count in (30, LAST_DAYS)]
    ranges += [(label, first, last) for label, first, last, _ in _calendar(today)]
    shown = next((label for label, first, last in ranges if (first, last) == period), None)
    return [Preset(label, urlencode({"from": first.isoformat(), "to": last.isoformat()}), label == shown) for label, first, last in ranges]


def _calendar(today: date) -> list[tuple[str, date, date, By]]:
    """Return the ranges that follow the calendar: their words, first and last day, and the length of their periods."""
    month = today.replace(day=1)
    last_month = (month - timedelta(days=1)).replace(day=1)
    return [
        ("This month", month, today, By.DAY),
        ("Last month", last_month, month - timedelta(days=1), By.DAY),
        ("This quarter", _months_before(month, (month.month - 1) % 3), today, By.WEEK),
        ("Year to date", month.replace(month=1), today, By.MONTH),
        ("Last 12 months", _months_before(month, 11), today, By.MONTH),
    ]


def range_name(view: View, offered: list[Preset], *, chosen: bool, today: date) -> str:
    """Name the range shown: a preset's words, nothing for days somebody chose, or how the default comes about."""
    preset = next((one.label for one in offered if one.is_shown), "")
    if preset or chosen:
        return preset
    first, last = view.whole
    months = (last.year - first.year) * 12 + last.month - first.month + 1
    return f"{months} month{'s' if months > 1 else ''} up to {'today' if last == today else 'the last day with entries'}"


def _query(first: date, last: date, by: By, basis: str) -> str:
    return urlencode({"from": first.isoformat(), "to": last.isoformat(), "by": by.value, "basis": basis})


def _months_before(month: date, count: int) -> date:
    months = month.year * 12 + month.month - 1 - count
    return date(months // 12, months % 12 + 1, 1)
