"""Read what the address of the orders list asks for: which orders, in which order, from which one on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import ValidationError

from dashboards.forms.addresses import DaysForm
from ledger.countries import codes_by_name
from ledger.models import Channel, Store
from ledger.orders.order_question import Choice, Flag, Key, Sort

FLAGS = {
    Flag.LOSS: "Lost money", Flag.ESTIMATED: "Estimated", Flag.NO_COST: "No known cost", Flag.REFUNDED: "Refunded", Flag.DISPUTED: "Disputed",
    Flag.EDITED: "Edited", Flag.HELD: "Held",
}  # fmt: skip
LIST, MARGINS = "list", "margins"
SORTS = [f"{sign}{sort}" for sort in Sort for sign in ("-", "")]
NEWEST = f"-{Sort.DAY}"
_LONGEST_KEY = 80


class OrdersForm(DaysForm):
    """Everything that narrows and sorts the list of orders; every field may be left out."""

    class Meta:
        """Stop django-stubs' plugin from waiting for this class, which no plain form needs."""

    q = forms.CharField(label="Number or id", required=False, max_length=120, strip=True)
    flag = forms.MultipleChoiceField(
        label="Only orders that are", required=False, choices=[(flag.value, words) for flag, words in FLAGS.items()],
        error_messages={"invalid_choice": "“%(value)s” is not something that orders can be narrowed to."},
    )  # fmt: skip
    held = forms.BooleanField(required=False)
    """What other pages ask for in short: `flag=held`."""
    channel = forms.TypedChoiceField(
        label="Channel", required=False, coerce=int, empty_value=None, error_messages={"invalid_choice": "This store has no such channel."}
    )
    country = forms.CharField(label="Country", required=False, max_length=60, strip=True)
    gateway = forms.CharField(label="Gateway", required=False, max_length=60, strip=True)
    code = forms.CharField(label="Discount code", required=False, max_length=80, strip=True)
    source = forms.CharField(label="Came from", required=False, max_length=255, strip=True)
    sort = forms.ChoiceField(
        required=False, choices=[(sort, sort) for sort in SORTS],
        error_messages={"invalid_choice": "Orders are sorted by day, revenue, profit or margin."},
    )  # fmt: skip
    after = forms.CharField(required=False, max_length=_LONGEST_KEY)
    before = forms.CharField(required=False, max_length=_LONGEST_KEY)
    show = forms.ChoiceField(
        required=False, choices=[(LIST, LIST), (MARGINS, MARGINS)], error_messages={"invalid_choice": "Orders are shown as a list or by margins."}
    )
    wide = forms.BooleanField(required=False)
    """Whether a phone is given the whole table."""

    def __init__(self, data: Any, *, store: Store) -> None:
        """Bind to the address; the channels to choose from are the store's."""
        super().__init__(data)
        self.channels = dict(Channel.objects.filter(store=store).order_by("label").values_list("number", "label"))
        field = self.fields["channel"]
        assert isinstance(field, forms.TypedChoiceField)  # noqa: S101
        field.choices = [("", "Every channel"), *((str(number), label) for number, label in self.channels.items())]

    def clean_country(self) -> str:
        """Take a two-letter code or an English name."""
        given = str(self.cleaned_data["country"])
        code = codes_by_name().get(given.lower(), given.upper())
        if given and not (len(code) == 2 and code.isascii() and code.isalpha()):
            raise ValidationError(f"“{given}” is not a country: give its two letters, such as DE, or its English name.")
        return code

    def clean(self) -> dict[str, Any]:
        """Refuse a range that ends before it begins, and a page that begins nowhere."""
        cleaned = super().clean() or {}
        first, last = cleaned.get("first"), cleaned.get("last")
        if first and last and last < first:
            self.add_error("last", "The last day lies before the first.")
        for name in ("after", "before"):
            if cleaned.get(name):
                try:
                    cleaned[name] = _read_key(cleaned[name], self._sort(cleaned)[0], before=name == "before")
                except (ValueError, InvalidOperation):
                    self.add_error(None, "The page asked for begins at no order. Follow the links at the end of the list.")
        return cleaned

    def _sort(self, cleaned: dict[str, Any]) -> tuple[Sort, bool]:
        asked = cleaned.get("sort") or NEWEST
        return Sort(asked.removeprefix("-")), asked.startswith("-")

    def view(self) -> "View":
        """Return what to show; every order, newest first, when the input was refused."""
        if not self.is_valid():
            return View(Choice(), None, LIST, {})
        said = self.cleaned_data
        sort, descending = self._sort(said)
        flags = frozenset(Flag(flag) for flag in said["flag"]) | ({Flag.HELD} if said["held"] else set())
        choice = Choice(
            named=said["q"], first=said["first"], last=said["last"], flags=flags, channel=said["channel"], country=said["country"],
            gateway=said["gateway"], code=said["code"], source=said["source"], sort=sort, descending=descending,
        )  # fmt: skip
        key = said["before"] or said["after"] or None
        return View(choice, key, said["show"] or LIST, self.channels, wide=said["wide"])


@dataclass(frozen=True, slots=True)
class View:
    """What the page shows, and the links that change one thing of it and keep the rest."""

    choice: Choice
    key: Key | None
    show: str
    channels: dict[int, str]
    wide: bool = False

    def query(self, *, key: Key | None = None, changes: Mapping[str, Any] | None = None) -> str:
        """Return the query of the address with some of it changed; a page is only kept where its key is given."""
        choice = self.choice
        known: dict[str, Any] = {
            "q": choice.named, "from": choice.first, "to": choice.last, "flag": [flag for flag in FLAGS if flag in choice.flags],
            "channel": choice.channel, "country": choice.country, "gateway": choice.gateway, "code": choice.code, "source": choice.source,
            "sort": f"{'-' if choice.descending else ''}{choice.sort}", "show": self.show, "wide": "1" if self.wide else "",
        } | dict(changes or {})  # fmt: skip
        unsaid = (("sort", NEWEST), ("show", LIST))
        known = {name: value for name, value in known.items() if value not in (None, "", []) and (name, value) not in unsaid}
        if key is not None:
            known["before" if key.before else "after"] = _written(key)
        return urlencode(known, doseq=True)

    def sorted_by(self, sort: Sort) -> str:
        """Return the query that sorts by something, the largest first; once more turns it round."""
        falling = not (self.choice.sort == sort and self.choice.descending)
        return self.query(changes={"sort": f"{'-' if falling else ''}{sort}"})

    @property
    def first_query(self) -> str:
        """Return the query of the newest orders of the view, whatever page and order it is read in."""
        return self.query(changes={"sort": NEWEST})

    @property
    def list_query(self) -> str:
        """Return the query of the list."""
        return self.query(changes={"show": LIST})

    @property
    def margins_query(self) -> str:
        """Return the query of the spread of margins."""
        return self.query(changes={"show": MARGINS})

    @property
    def file_query(self) -> str:
        """Return the query of the files: the same orders in the same order, all of them."""
        return self.query(changes={"show": LIST, "wide": ""})

    @property
    def wide_query(self) -> str:
        """Return the query that shows a phone the table, or the summaries again."""
        return self.query(key=self.key, changes={"wide": "" if self.wide else "1"})

    @property
    def loss_query(self) -> str:
        """Return the query of the orders that lost money, the worst first."""
        return self.query(changes={"show": LIST, "flag": sorted({*self.choice.flags, Flag.LOSS}), "sort": Sort.PROFIT.value})

    def ranges(self, today: date) -> list[tuple[str, str, bool]]:
        """Return ranges of days up to a store's today: words, query, and whether it is the one shown."""
        month = today.replace(day=1)
        before = month - timedelta(days=1)
        offered: Sequence[tuple[str, date | None, date | None]] = [
            ("All days", None, None), ("Last 30 days", today - timedelta(days=29), today), ("Last 90 days", today - timedelta(days=89), today),
            ("This month", month, today), ("Last month", before.replace(day=1), before), ("This year", today.replace(month=1, day=1), today),
        ]  # fmt: skip
        choice = self.choice
        shown = next((words for words, first, last in offered if (first, last) == (choice.first, choice.last)), "")
        return [(words, self.query(changes={"from": first, "to": last}), words == shown) for words, first, last in offered]


def _written(key: Key) -> str:
    value = "" if key.value is None else key.value.isoformat() if isinstance(key.value, date) else f"{key.value:f}"
    return f"{value}_{key.id}"


def _read_key(text: str, sort: Sort, *, before: bool) -> Key:
    """Read where a page begins, as `_written` writes it; raise ValueError or InvalidOperation when it is nothing of the kind."""
    value, _, given = text.rpartition("_")
    pk = int(given)
    if not 0 <= pk < 2**63:
        raise ValueError(given)
    if sort == Sort.DAY:
        return Key(date.fromisoformat(value), pk, before)
    figure = Decimal(value) if value else None
    if figure is not None and not (figure.is_finite() and abs(figure.adjusted()) < 30):
        raise ValueError(value)
    return Key(figure, pk, before)
