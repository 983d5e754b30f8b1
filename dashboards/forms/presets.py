"""Offer the ranges people ask for most, the spans beside the one shown, and the words that name it: what the bar of a page holds."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import parse_qsl, urlencode

from dashboards.forms.addresses import COMPARE_LABELS, ScopeForm
from dashboards.forms.scope import ONE_DAY, Scope
from ledger.periods import By, Period


@dataclass(frozen=True, slots=True)
class Preset:
    """One range as a link: its words, its query, and whether it is the one shown."""

    label: str
    query: str
    is_shown: bool


@dataclass(frozen=True, slots=True)
class Step:
    """A link to the span before or after the one shown."""

    period: Period
    query: str


@dataclass(frozen=True, slots=True)
class ScopeBar:
    """What `parts/scope.html` shows: the form filled in, links to other ranges, and what stays in the address beside them."""

    form: ScopeForm
    scope: Scope
    presets: list[Preset]
    range_name: str
    earlier: Step | None
    later: Step | None
    kept: list[tuple[str, str]]
    problem_fields: frozenset[str]

    @property
    def compare_label(self) -> str:
        """Return what is compared with, in words."""
        return dict(COMPARE_LABELS)[self.scope.compare.value]

    @property
    def scope_pairs(self) -> list[tuple[str, str]]:
        """Return what the address says of the scope, for a form beside the bar that sets something else."""
        return parse_qsl(self.scope.query())

    @property
    def has_range_problem(self) -> bool:
        """Tell whether one of the days was refused, so that its fields are shown open."""
        return bool(self.problem_fields & {"first", "last", "__all__"})

    @property
    def has_compare_problem(self) -> bool:
        """Tell whether what to compare with was refused."""
        return bool(self.problem_fields & {"compare", "match", "compare_from", "compare_to"})

    @property
    def has_view_problem(self) -> bool:
        """Tell whether the length of columns, the basis or the currency was refused."""
        return bool(self.problem_fields & {"by", "basis", "currency"})


def scope_bar(form: ScopeForm, scope: Scope, *, kept: Mapping[str, str] | None = None) -> ScopeBar:
    """Return the bar of a page; `kept` is what the page has in its address beside the scope, and stays in every link."""
    more = list((kept or {}).items())
    offered = presets(scope, kept=more)
    return ScopeBar(
        form.shown(), scope, offered, range_name(scope, offered), _step(scope, scope.earlier, more), _step(scope, scope.later, more), more,
        frozenset(form.errors),
    )  # fmt: skip


def presets(scope: Scope, *, kept: list[tuple[str, str]] | None = None) -> list[Preset]:
    """Return the ranges up to the store's today, each cut as suits it; what is compared, and the basis, stay."""
    ranges = _ranges(scope.today, scope.fiscal_month)
    same = [label for label, period, _ in ranges if period == scope.period]
    # On some days several names mean one range; the one that cuts it like the page comes first.
    shown = next((label for label, _, by in ranges if label in same and by == scope.by), same[0] if same else None)
    return [Preset(label, _linked(scope.query(period=period, by=by), kept), label == shown) for label, period, by in ranges]


def range_name(scope: Scope, offered: list[Preset]) -> str:
    """Name the range shown: a preset's words, nothing for days somebody chose, or how the default comes about."""
    preset = next((one.label for one in offered if one.is_shown), "")
    if preset or scope.is_range_chosen:
        return preset
    first, last = scope.period
    until = "today" if last == scope.today else "the last day with entries"
    if first.day != 1:
        return f"{(last - first).days + 1} days up to {until}"
    months = (last.year - first.year) * 12 + last.month - first.month + 1
    return f"{months} month{'s' if months > 1 else ''} up to {until}"


def _ranges(today: date, fiscal_month: int) -> list[tuple[str, Period, By]]:
    """Return every range with its words and the length of the periods it is cut into; years and quarters are fiscal ones."""
    month = today.replace(day=1)
    last_month = (month - ONE_DAY).replace(day=1)
    year = _months_before(month, (month.month - fiscal_month) % 12)
    fiscal = "fiscal " if fiscal_month != 1 else ""
    days = [(f"Last {count} days", Period(today - timedelta(days=count - 1), today), By.WEEK if count > 31 else By.DAY) for count in (7, 28, 30, 90)]
    return [
        ("Today", Period(today, today), By.DAY),
        ("Yesterday", Period(today - ONE_DAY, today - ONE_DAY), By.DAY),
        *days,
        ("Month to date", Period(month, today), By.DAY),
        ("Last month", Period(last_month, month - ONE_DAY), By.DAY),
        (f"{fiscal}quarter to date".capitalize(), Period(_months_before(month, (month.month - fiscal_month) % 3), today), By.WEEK),
        (f"{fiscal}year to date".capitalize(), Period(year, today), By.MONTH),
        (f"This {fiscal}year", Period(year, _months_before(year, -12) - ONE_DAY), By.MONTH),
        ("Last 12 months", Period(_months_before(month, 11), today), By.MONTH),
    ]


def _step(scope: Scope, period: Period | None, kept: list[tuple[str, str]]) -> Step | None:
    return Step(period, _linked(scope.query(period=period), kept)) if period else None


def _linked(query: str, kept: list[tuple[str, str]] | None) -> str:
    return f"{query}&{urlencode(kept)}" if kept else query


def _months_before(month: date, count: int) -> date:
    months = month.year * 12 + month.month - 1 - count
    return date(months // 12, months % 12 + 1, 1)
