"""Read which figure an address opens: its key or account, its days and basis, and what narrows it."""

from datetime import date
from typing import Any, NamedTuple

from django import forms

from dashboards.forms.addresses import Reading, ScopeForm
from dashboards.forms.scope import Compare, Scope
from dashboards.metrics import METRICS
from dashboards.ratios import RATIOS
from ledger import accounts, countries
from ledger.book.beneath import LINES, numbers_under, prefixes_of
from ledger.book.sought import Sought
from ledger.kinds import Basis
from ledger.models import Channel, DayTotal, Store
from ledger.periods import Period
from ledger.statements import SUMS

READING = Reading(offered=frozenset({"basis", "compare", "currency"}), days=30, compare=Compare.NONE)
"""The last 30 days, where the address names none; compared with others only where it says so."""
OPENED = (*LINES, *SUMS, *RATIOS)
LARGEST_BATCH = 2**63 - 1


class Asked(NamedTuple):
    """The figure an address opens."""

    key: str
    """Of a line, a sum or a ratio; empty where an account of no line is opened."""
    account: str
    scope: Scope
    channel: Channel | None
    country: str
    batch: int | None

    @property
    def period(self) -> Period:
        """Return the days it counts."""
        return self.scope.period

    @property
    def basis(self) -> Basis:
        """Return the basis it counts on."""
        return self.scope.basis


class EntriesForm(ScopeForm):
    """The figure that is opened, its days and basis, and a channel, a country or a batch that narrows it."""

    class Meta:
        """Stop django-stubs' plugin from waiting for this class, which no plain form needs."""

    line = forms.ChoiceField(
        label="Figure", required=False, choices=[(key, METRICS[key].term) for key in OPENED],
        error_messages={"invalid_choice": "There is no figure of that name. The list of all terms is under “What every figure means”."},
    )  # fmt: skip
    account = forms.CharField(label="Account", required=False, max_length=60)
    channel = forms.CharField(label="Channel", required=False, max_length=60)
    country = forms.RegexField(
        r"(?a:^[A-Za-z]{2}\Z)", label="Country", required=False, error_messages={"invalid": "A country is two letters, such as DE."}
    )  # fmt: skip
    batch = forms.IntegerField(label="Batch", required=False, min_value=1, max_value=LARGEST_BATCH)

    def __init__(self, data: Any, *, store: Store, today: date, zone: str) -> None:
        """Bind to the address; days that it does not name are the last 30 of the store."""
        super().__init__(data, store=store, today=today, zone=zone, reading=READING)

    def clean_account(self) -> str:
        """Refuse a name that is no account of this store: another store's labels are not this one's to read."""
        name = str(self.cleaned_data["account"])
        if not name or name in accounts.NAMES.values():
            return name
        numbers = [number for number in numbers_under((name,)) if accounts.name_of(number) == name]
        if not numbers or not DayTotal.objects.filter(book_id=self.store.pk, account__in=numbers).exists():
            raise forms.ValidationError(f"{self.store} has no account “{name}”.")
        return name

    def clean_channel(self) -> Channel | None:
        """Return the channel of the store."""
        key = str(self.cleaned_data["channel"])
        found = Channel.objects.filter(store=self.store, key=key).first() if key else None
        if key and found is None:
            raise forms.ValidationError(f"{self.store} has no channel “{key}”.")
        return found

    def clean(self) -> dict[str, Any]:
        """Refuse what no totals are kept of."""
        cleaned = super().clean() or {}
        if cleaned.get("channel") and cleaned.get("country"):
            self.add_error(None, "Choose a channel or a country: no totals are kept of both at once.")
        if cleaned.get("batch") and cleaned.get("line") in RATIOS and not cleaned.get("account"):
            self.add_error("batch", "A ratio has no entries of its own. Choose a line of the statement.")
        return cleaned

    def asked(self) -> Asked:
        """Return the figure to open; net profit of the last 30 days when the address was refused."""
        cleaned = self.cleaned_data if self.is_valid() else {}
        account = cleaned.get("account") or ""
        key = _key_of(account) if account else cleaned.get("line") or "net_profit"
        return Asked(
            key, account, self.dated_scope(), cleaned.get("channel"), (cleaned.get("country") or "").upper(), cleaned.get("batch"),
        )  # fmt: skip


def _key_of(account: str) -> str:
    """Return the key of the line an account is on; empty for one on none."""
    return next((key for key, line in LINES.items() if any(accounts.under(account, prefix) for prefix in line.prefixes)), "")


def sought_of(store: Store, asked: Asked) -> Sought:
    """Return the entries beneath a figure; a ratio has none of its own."""
    if asked.account:
        numbers = tuple(number for number in numbers_under((asked.account,)) if accounts.name_of(number) == asked.account)
    else:
        numbers = () if asked.key in RATIOS else numbers_under(prefixes_of(asked.key))
    return Sought(
        store.pk, asked.period.first, asked.period.last, accounts=numbers, seq=asked.batch, basis=asked.basis,
        channel=asked.channel.number if asked.channel else None, country=countries.number(asked.country) if asked.country else None,
    )  # fmt: skip
