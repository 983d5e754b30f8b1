"""Read what a page's address asks for, and say in words what is wrong with it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.choices import BaseChoiceIterator

from dashboards.forms.scope import BASES, EARLIEST, LATEST, Compare, Match, Scope, compared_period, days_in
from dashboards.forms.widgets import ChoiceInput, DayInput
from ledger.kinds import Basis
from ledger.models import Store
from ledger.periods import By, Period, PeriodError, cut
from ledger.rates import quoted_currencies

MOST_PERIODS = 60
"""Columns of periods shown at once; beyond that nobody reads them."""

DEFAULT_MONTHS = {By.DAY: 1, By.WEEK: 3, By.MONTH: 12, By.QUARTER: 24, By.YEAR: 60}
"""Months shown when neither the address nor the page names a range."""

LAST_DAYS = 90
"""Days that the costs page shows when the address names no range, today included."""

SUITED = ((93, By.DAY), (400, By.WEEK), (5 * 366, By.MONTH))
"""How a range is cut where the page offers no choice: up to so many days by this."""

BASIS_LABELS = [("event", "the day it happened"), ("order", "the day the order was placed")]
BY_LABELS = [(by.value, by.value) for by in By]
COMPARE_LABELS = [
    (Compare.PREVIOUS.value, "the period before"), (Compare.YEAR.value, "the same days a year before"), (Compare.CUSTOM.value, "these days"),
    (Compare.NONE.value, "nothing"),
]  # fmt: skip
MATCH_LABELS = [(Match.DATE.value, "exact date"), (Match.WEEKDAY.value, "weekday")]

_OF_COMPARISON = ("match", "compare_from", "compare_to")
IN_RANGE = [
    MinValueValidator(EARLIEST, f"Give a day from {EARLIEST} on."),
    MaxValueValidator(LATEST, f"Give a day up to {LATEST}."),
]
Booked = Callable[[Basis], Period | None]
"""Tells the first and the last day with entries on a basis, up to today; None for an empty book."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one page lets its address choose, and what it shows where the address says nothing."""

    offered: frozenset[str] = frozenset({"by", "basis", "compare", "currency"})
    by: By | None = None
    """How days are cut unless the address says; None cuts them as suits their number."""
    days: int | None = None
    """How many days are shown unless the address says; None shows `DEFAULT_MONTHS`."""
    basis: str = "event"
    compare: Compare = Compare.PREVIOUS
    """What is compared with unless the address says, where anything is booked there."""


def _day(label: str, example: str) -> forms.DateField:
    return forms.DateField(
        label=label, required=False, validators=IN_RANGE, widget=DayInput(),
        error_messages={"invalid": f"Give the {example}."},
    )  # fmt: skip


def _choice(label: str, choices: list[tuple[str, str]], refusal: str) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, required=False, choices=choices, widget=ChoiceInput, error_messages={"invalid_choice": refusal})


class DaysForm(forms.Form):
    """The first and the last day that an address names; either may be left out."""

    class Meta:
        """Stop django-stubs' plugin from waiting for this class, which no plain form needs."""

    first = _day("From", "first day as year-month-day, such as 2026-01-31")
    last = _day("To", "last day as year-month-day, such as 2026-12-31")

    def add_prefix(self, field_name: str) -> str:
        """Name the range `from` and `to` in the address; `from` cannot name a field in Python."""
        return {"first": "from", "last": "to"}.get(field_name, field_name)

    def problems(self) -> list[tuple[str, str]]:
        """List what was refused, each with the id of its field (empty for the form as a whole)."""
        return [
            (self[name].id_for_label if name in self.fields else "", str(message))
            for name, messages in self.errors.items() for message in messages
        ]  # fmt: skip


class Currencies(BaseChoiceIterator):
    """What amounts can be shown in: a store's own currency, and those there are rates to. Read when they are looked at."""

    def __init__(self, own: str, *, of_several: bool) -> None:
        """Remember the store's own, or the one that most of several stores keep."""
        self._own, self._words = own, "as most of the stores" if of_several else "the store’s own"

    @cached_property
    def others(self) -> list[str]:
        """Return the currencies beside the own one."""
        return [code for code in quoted_currencies() if code != self._own]

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Yield the choices of a list."""
        yield "", f"{self._own}, {self._words}"
        yield from ((code, code) for code in self.others)


class ScopeForm(DaysForm):
    """The one form of what a page's address may ask for; every field may be left out."""

    class Meta:
        """Stop django-stubs' plugin from waiting for this class, which no plain form needs."""

    by = _choice("Columns by", BY_LABELS, "Columns are by day, week, month, quarter or year.")
    basis = _choice(
        "Counts on", BASIS_LABELS, "Figures count on the day it happened (event) or the day the order was placed (order)."
    )  # fmt: skip
    compare = _choice(
        "Compare with", [("", "the period before, if anything is booked"), *COMPARE_LABELS], "Compare with previous, year, custom or none."
    )
    currency = forms.CharField(label="Amounts in", required=False, widget=forms.Select)
    match = _choice("Match", MATCH_LABELS, "Compared days match by date or by weekday.")
    compare_from = _day("Compare from", "first day to compare with as year-month-day, such as 2025-01-31")
    compare_to = _day("Compare to", "last day to compare with as year-month-day, such as 2025-12-31")

    def __init__(self, data: Any, *, store: Store, today: date, zone: str, reading: Reading, booked: Booked | None = None) -> None:
        """Bind to the address.

        The default range ends with the last day with entries (`booked`), or today where a page does not ask for those;
        `today` is the store's today and `zone` the time zone it was read in.
        """
        super().__init__(data)
        self.store, self.today, self.zone, self.reading = store, today, zone, reading
        self._booked = booked
        self._told: dict[Basis, Period | None] = {}
        if reading.compare == Compare.NONE:
            self.fields["compare"].choices = [("", "nothing, unless days are given"), *COMPARE_LABELS]  # type: ignore[attr-defined]
        self._scope: Scope | None = None
        for name in ("by", "basis", "currency", "compare", *_OF_COMPARISON):
            if ("compare" if name in _OF_COMPARISON else name) not in reading.offered:
                del self.fields[name]

        if "currency" in self.fields:
            self.fields["currency"].widget.choices = self._currencies()

    def _currencies(self) -> Currencies:
        return Currencies(self.store.currency, of_several=self.store.pk is None)

    def clean_currency(self) -> str:
        """Return a currency there are rates for; empty for the store's own."""
        code = str(self.cleaned_data["currency"]).strip().upper()
        if code in ("", self.store.currency):
            return ""
        offered = self._currencies().others
        if code not in offered:
            known = f"There are rates for {', '.join(offered)}." if offered else "No exchange rates are loaded."
            raise forms.ValidationError(f"Amounts cannot be shown in “{code}”: there is no exchange rate to it. {known}")
        return code

    def clean(self) -> dict[str, Any]:
        """Cut the range into periods and find what to compare it with, or say why that cannot be."""
        cleaned = super().clean() or {}
        self._check_comparison(cleaned)
        if not self.errors:
            try:
                self._scope = self._read(cleaned)
            except PeriodError as error:
                self.add_error(None, str(error))
        return cleaned

    def scope(self) -> Scope | None:
        """Return what to show; the default range when the input was refused; None when the book is empty."""
        if self.is_valid():
            return self._scope
        kept = ("by", "basis", "currency")
        return self._read({name: value for name, value in self.cleaned_data.items() if name in kept})

    def dated_scope(self) -> Scope:
        """Return what to show on a page that shows so many days (`Reading.days`) even where nothing is booked."""
        scope = self.scope()
        if scope is None:
            raise ValueError("A page without a number of days of its own shows nothing of an empty book.")
        return scope

    def shown(self) -> "ScopeForm":
        """Return the form filled with what the page shows; refused days stay as typed, so that they can be mended."""
        scope = self.scope()
        if scope is None:
            return self
        values = {"by": scope.by.value, "basis": scope.basis_key, "match": scope.match.value, "currency": scope.currency}
        values["compare"] = scope.compare.value if scope.is_compare_chosen else ""
        if scope.compared and scope.compare == Compare.CUSTOM:
            values |= {"compare_from": scope.compared.first.isoformat(), "compare_to": scope.compared.last.isoformat()}
        if self.is_valid():
            values |= {"from": scope.period.first.isoformat(), "to": scope.period.last.isoformat()}
        else:
            values |= {name: self.data[name] for name in ("from", "to", "compare", "compare_from", "compare_to") if name in self.data}
        return ScopeForm(values, store=self.store, today=self.today, zone=self.zone, reading=self.reading, booked=self._booked and self._booked_on)

    def _check_comparison(self, cleaned: dict[str, Any]) -> None:
        first, last = cleaned.get("compare_from"), cleaned.get("compare_to")
        if not cleaned.get("compare") and (first or last):
            cleaned["compare"] = Compare.CUSTOM.value
        if cleaned.get("compare") != Compare.CUSTOM or self.errors.keys() & {"compare_from", "compare_to"}:
            return
        if first is None or last is None:
            self.add_error("compare_from" if first is None else "compare_to", "Give both the first and the last day to compare with.")
        elif last < first:
            self.add_error("compare_to", f"The days to compare with end ({last}) before they start ({first}).")

    def _read(self, cleaned: dict[str, Any]) -> Scope | None:
        basis_key = cleaned.get("basis") or self.reading.basis
        by = By(cleaned["by"]) if cleaned.get("by") else self.reading.by
        period = self._period(cleaned.get("first"), cleaned.get("last"), by or By.MONTH, BASES[basis_key])
        if period is None:
            return None
        by = by or _suited(period)
        periods = cut(
            *period, by, week_starts_on_sunday=self.store.week_starts_on_sunday, fiscal_year_start_month=self.store.fiscal_year_start_month
        )  # fmt: skip
        if "by" in self.reading.offered and len(periods) > MOST_PERIODS:
            raise PeriodError(f"That makes {len(periods)} columns; at most {MOST_PERIODS} are shown. Choose a shorter range or longer periods.")
        compare, match, compared = self._comparison(cleaned, period, BASES[basis_key])
        return Scope(
            tuple(periods), by, self.today, basis_key, compare, match, compared, self.zone, self.store.fiscal_year_start_month,
            is_range_chosen=bool(cleaned.get("first") or cleaned.get("last")), is_compare_chosen=bool(cleaned.get("compare")),
            currency=cleaned.get("currency") or "", offered=self.reading.offered,
        )  # fmt: skip

    def _period(self, first: date | None, last: date | None, by: By, basis: Basis) -> Period | None:
        if first and last:
            return Period(first, last)
        booked = self._booked_on(basis)
        days = self.reading.days
        if booked is None and days is None:
            return None
        last = last or (booked.last if booked else self.today)
        return Period(first or (last - timedelta(days=days - 1) if days else _default_first(last, by, booked)), last)

    def _comparison(self, cleaned: dict[str, Any], period: Period, basis: Basis) -> tuple[Compare, Match, Period | None]:
        if "compare" not in self.reading.offered:
            return Compare.NONE, Match.DATE, None
        compare, match = Compare(cleaned.get("compare") or self.reading.compare), Match(cleaned.get("match") or Match.DATE)
        if compare == Compare.CUSTOM:
            return compare, match, Period(cleaned["compare_from"], cleaned["compare_to"])
        if compare == Compare.NONE:
            return compare, match, None
        compared = compared_period(period, compare, match, today=self.today, fiscal_month=self.store.fiscal_year_start_month)
        if not cleaned.get("compare") and self._booked is not None:
            booked = self._booked_on(basis)
            if booked is None or compared.last < booked.first:
                return Compare.NONE, match, None
        return compare, match, compared

    def _booked_on(self, basis: Basis) -> Period | None:
        if self._booked is not None and basis not in self._told:
            self._told[basis] = self._booked(basis)
        return self._told.get(basis)


def _suited(period: Period) -> By:
    return next((by for most, by in SUITED if days_in(period) <= most), By.YEAR)


def _default_first(last: date, by: By, booked: Period | None) -> date:
    """Go back the default number of months, not beyond the month of the first entry."""
    months = last.year * 12 + last.month - DEFAULT_MONTHS[by]
    start = date(months // 12, months % 12 + 1, 1)
    earliest = booked.first.replace(day=1) if booked else start
    return max(start, earliest) if earliest <= last else start
