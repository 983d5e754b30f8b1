"""Read what the address of the list of payouts asks for: which, in which order, which page."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django import forms

from dashboards.forms.addresses import DaysForm
from dashboards.forms.paging import Paged
from dashboards.forms.sorting import Heading
from ledger.charges.payouts import SORTS, Choice

NEWEST = "-issued"
PER_PAGE = 50
LAST_PAGE = 9_999
HEADINGS = {
    "issued": "Issued", "charges": "Payments", "refunds": "Refunds", "fees": "Fees", "others": "Other", "net": "Paid out", "rows": "Rows add up to",
    "difference": "Difference",
}  # fmt: skip
STATUS_WORDS = {"PAID": "paid", "SCHEDULED": "scheduled", "IN_TRANSIT": "in transit", "FAILED": "failed", "CANCELED": "cancelled"}


def status_words(status: str) -> str:
    """Return what a payout's status is called; a new one in the processor's own word."""
    return STATUS_WORDS.get(status, status.replace("_", " ").lower())


class PayoutsForm(DaysForm):
    """What narrows and sorts the list of payouts; every field may be left out."""

    class Meta:
        """Stop django-stubs' plugin from waiting for this class, which no plain form needs."""

    status = forms.CharField(label="Status", required=False, max_length=40, strip=True)
    differing = forms.BooleanField(label="With differences only", required=False)
    sort = forms.ChoiceField(
        required=False, choices=[(f"{sign}{sort}", sort) for sort in SORTS for sign in ("-", "")],
        error_messages={"invalid_choice": f"Payouts are sorted by {', '.join(SORTS)}."},
    )  # fmt: skip
    page = forms.IntegerField(required=False, min_value=1, max_value=LAST_PAGE)

    def clean(self) -> dict[str, Any]:
        """Refuse a range that ends before it begins."""
        cleaned = super().clean() or {}
        first, last = cleaned.get("first"), cleaned.get("last")
        if first and last and last < first:
            self.add_error("last", "The last day lies before the first.")
        return cleaned

    def view(self) -> "PayoutsView":
        """Return what to show; every payout, the latest first, when the input was refused."""
        if not self.is_valid():
            return PayoutsView(Choice())
        said = self.cleaned_data
        return PayoutsView(Choice(said["first"], said["last"], said["status"], said["differing"], said["sort"] or NEWEST), said["page"] or 1)


@dataclass(frozen=True, slots=True)
class PayoutsView(Paged):
    """What the list shows, and the links that change one thing of it and keep the rest."""

    choice: Choice
    page: int = 1

    @property
    def is_narrowed(self) -> bool:
        """Tell whether some payouts are left out."""
        return bool(self.choice.first or self.choice.last or self.choice.status or self.choice.only_differing)

    def query(self, changes: Mapping[str, Any]) -> str:
        """Return the query of the address with some of it changed; a change begins on the first page again."""
        choice = self.choice
        known = {
            "from": choice.first, "to": choice.last, "status": choice.status, "differing": "on" if choice.only_differing else "",
            "sort": choice.sort, "page": 1,
        } | dict(changes)  # fmt: skip
        return urlencode({name: value for name, value in known.items() if value not in ("", None, 1) and (name, value) != ("sort", NEWEST)})

    @property
    def differing_query(self) -> str:
        """Return the query of the payouts that differ from their rows."""
        return self.query({"differing": "on"})

    def moments(self, zone: str) -> tuple[datetime | None, datetime | None]:
        """Return the moments in which the first day begins and the last one ends, by the clock of the store."""
        return _begins(self.choice.first, zone), _begins(self.choice.last and self.choice.last + timedelta(days=1), zone)

    def headings(self) -> dict[str, Heading]:
        """Return the headings that sort, by what they sort by; the one that sorts now turns round."""
        found = {}
        for sort, words in HEADINGS.items():
            now = {f"-{sort}": "descending", sort: "ascending"}.get(self.choice.sort, "none")
            found[sort] = Heading(words, self.query({"sort": sort if now == "descending" else f"-{sort}"}), now)
        return found


def _begins(day: date | None, zone: str) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), ZoneInfo(zone))
