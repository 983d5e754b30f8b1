"""Offer the ranges people ask for most, each with periods of a length that suits it."""

from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode

from dashboards.forms import View
from ledger.periods import By


@dataclass(frozen=True, slots=True)
class Preset:
    """One range as a link: its words, its query, and whether it is the one shown."""

    label: str
    query: str
    is_shown: bool


def presets(view: View, *, today: date) -> list[Preset]:
    """Return the ranges up to a store's today, on the basis in use."""
    month = today.replace(day=1)
    last_month = (month - timedelta(days=1)).replace(day=1)
    year_ago = _months_before(month, 11)
    ranges = [
        ("Last 30 days", today - timedelta(days=29), today, By.DAY),
        ("This month", month, today, By.DAY),
        ("Last month", last_month, month - timedelta(days=1), By.DAY),
        ("This quarter", _months_before(month, (month.month - 1) % 3), today, By.WEEK),
        ("Year to date", month.replace(month=1), today, By.MONTH),
        ("Last 12 months", year_ago, today, By.MONTH),
    ]
    return [Preset(label, _query(first, last, by, view.basis_key), (first, last, by) == (*view.whole, view.by)) for label, first, last, by in ranges]


def _query(first: date, last: date, by: By, basis: str) -> str:
    return urlencode({"from": first.isoformat(), "to": last.isoformat(), "by": by.value, "basis": basis})


def _months_before(month: date, count: int) -> date:
    months = month.year * 12 + month.month - 1 - count
    return date(months // 12, months % 12 + 1, 1)
