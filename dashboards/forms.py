"""Read what a page's address asks for, and say in words what is wrong with it."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, NamedTuple

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator

from ledger.kinds import Basis
from ledger.models import Store
from ledger.periods import By, Period, PeriodError, cut

EARLIEST, LATEST = date(1990, 1, 1), date(2100, 12, 31)
MOST_PERIODS = 60
"""Columns of periods shown at once; beyond that nobody reads them."""

DEFAULT_MONTHS = {By.DAY: 1, By.WEEK: 3, By.MONTH: 12, By.QUARTER: 24, By.YEAR: 60}
"""Months shown when the address names no range."""

BASES = {"event": Basis.EVENT, "order": Basis.ORDER}
BASIS_LABELS = [("event", "the day it happened"), ("order", "the day the order was placed")]
BY_LABELS = [(by.value, by.value) for by in By]

_IN_RANGE = [
    MinValueValidator(EARLIEST, f"Give a day from {EARLIEST} on."),
    MaxValueValidator(LATEST, f"Give a day up to {LATEST}."),
]


class View(NamedTuple):
    """What a statement shows: its periods, their length, and the day things count on."""

    periods: list[Period]
    by: By
    basis_key: str

    @property
    def basis(self) -> Basis:
        """Return the basis for the ledger."""
        return BASES[self.basis_key]

    @property
    def whole(self) -> Period:
        """Return the span from the first day to the last."""
        return Period(self.periods[0].first, self.periods[-1].last)


class RangeForm(forms.Form):
    """The first and the last day that a page shows; either may be left out."""

    class Meta:
        """Stop django-stubs' plugin from waiting for this class, which no plain form needs."""

    first = forms.DateField(
        label="From", required=False, validators=_IN_RANGE, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": "Give the first day as year-month-day, such as 2026-01-31."},
    )  # fmt: skip
    last = forms.DateField(
        label="To", required=False, validators=_IN_RANGE, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": "Give the last day as year-month-day, such as 2026-12-31."},
    )  # fmt: skip

    def add_prefix(self, field_name: str) -> str:
        """Name the range `from` and `to` in the address; `from` cannot name a field in Python."""
        return {"first": "from", "last": "to"}.get(field_name, field_name)

    def problems(self) -> list[tuple[str, str]]:
        """List what was refused, each with the id of its field (empty for the form as a whole)."""
        return [
            (self[name].id_for_label if name in self.fields else "", str(message))
            for name, messages in self.errors.items() for message in messages
        ]  # fmt: skip


class StatementForm(RangeForm):
    """Date range, length of periods and basis of a statement; every field may be left out."""

    class Meta:
        """Stop django-stubs' plugin from waiting for this class, which no plain form needs."""

    by = forms.ChoiceField(
        label="Columns by", required=False, choices=BY_LABELS,
        error_messages={"invalid_choice": "Columns are by day, week, month, quarter or year."},
    )  # fmt: skip
    basis = forms.ChoiceField(
        label="Counts on", required=False, choices=BASIS_LABELS,
        error_messages={"invalid_choice": "Figures count on the day it happened (event) or the day the order was placed (order)."},
    )  # fmt: skip

    def __init__(self, data: Any, *, store: Store, booked: Callable[[Basis], Period | None]) -> None:
        """Bind to the address; `booked` tells the first and last day with entries on a basis."""
        super().__init__(data)
        self.store = store
        self.booked = booked
        self.view: View | None = None

    def clean(self) -> dict[str, Any]:
        """Cut the range into periods, or say why it cannot be."""
        cleaned = super().clean() or {}
        if not self.errors:
            try:
                self.view = self._view(cleaned["first"], cleaned["last"])
            except PeriodError as error:
                self.add_error(None, str(error))
        return cleaned

    def statement_view(self) -> View | None:
        """Return what to show; the default range when the input was refused; None when the book is empty."""
        return self.view if self.is_valid() else self._view(None, None)

    def shown(self) -> "StatementForm":
        """Return the form filled with what the page shows; refused days stay as typed, so that they can be mended."""
        view = self.statement_view()
        if view is None:
            return self
        values = {"by": view.by.value, "basis": view.basis_key}
        if self.is_valid():
            values |= {"from": view.whole.first.isoformat(), "to": view.whole.last.isoformat()}
        else:
            values |= {name: self.data[name] for name in ("from", "to") if name in self.data}
        return StatementForm(values, store=self.store, booked=self.booked)

    def _view(self, first: date | None, last: date | None) -> View | None:
        cleaned = getattr(self, "cleaned_data", {})
        by = By(cleaned.get("by") or By.MONTH)
        basis_key = cleaned.get("basis") or "event"
        booked = self.booked(BASES[basis_key])
        if booked is None and (first is None or last is None):
            return None
        last = last or (booked.last if booked else None)
        first = first or (_default_first(last, by, booked) if last else None)
        if first is None or last is None:
            return None
        periods = cut(
            first, last, by,
            week_starts_on_sunday=self.store.week_starts_on_sunday, fiscal_year_start_month=self.store.fiscal_year_start_month,
        )  # fmt: skip
        if len(periods) > MOST_PERIODS:
            raise PeriodError(f"That makes {len(periods)} columns; at most {MOST_PERIODS} are shown. Choose a shorter range or longer periods.")
        return View(periods, by, basis_key)


def _default_first(last: date, by: By, booked: Period | None) -> date:
    """Go back the default number of months, not beyond the month of the first entry."""
    months = last.year * 12 + last.month - DEFAULT_MONTHS[by]
    start = date(months // 12, months % 12 + 1, 1)
    earliest = booked.first.replace(day=1) if booked else start
    return max(start, earliest) if earliest <= last else start


LAST_DAYS = 90
"""Days that the costs page shows when the address names no range, today included."""


class CostsForm(RangeForm):
    """Date range of the costs page."""

    class Meta:
        """Stop django-stubs' plugin from waiting for this class, which no plain form needs."""

    def __init__(self, data: Any, *, today: date) -> None:
        """Bind to the address; without a range it is the 90 days up to a store's today."""
        super().__init__(data)
        self.today = today

    def clean(self) -> dict[str, Any]:
        """Refuse a range that is none."""
        cleaned = super().clean() or {}
        if not self.errors:
            try:
                cut(*self._range(cleaned), By.YEAR)
            except PeriodError as error:
                self.add_error(None, str(error))
        return cleaned

    def period(self) -> Period:
        """Return what to show; the default range when the input was refused."""
        return self._range(self.cleaned_data if self.is_valid() else {})

    def shown(self) -> "CostsForm":
        """Return the form filled with what the page shows; refused days stay as typed, so that they can be mended."""
        if not self.is_valid():
            return self
        first, last = self.period()
        return CostsForm({"from": first.isoformat(), "to": last.isoformat()}, today=self.today)

    def _range(self, cleaned: dict[str, Any]) -> Period:
        last = cleaned.get("last") or self.today
        return Period(cleaned.get("first") or last - timedelta(days=LAST_DAYS - 1), last)


class OrderSearchForm(forms.Form):
    """Find an order by its number; narrow the list to held orders; leaf through pages."""

    class Meta:
        """Stop django-stubs' plugin from waiting for this class, which no plain form needs."""

    q = forms.CharField(label="Order number", required=False, max_length=80, strip=True)
    held = forms.BooleanField(required=False)
    page = forms.IntegerField(required=False, min_value=1, max_value=100_000)
