"""Ask what a file holds, and what it does not say itself."""

from typing import Any

import msgspec
from django import forms

from connectors.files.costs.cost_files import options_of
from connectors.files.kind import FileKind
from connectors.files.kinds import FILE_KINDS
from connectors.models import FileImport
from connectors.platforms.files.cost_sheet import AUTO, Options
from connectors.platforms.files.shopify.orders import ADDED, INCLUDED
from ledger.money import is_currency


class KindForm(forms.Form):
    """Asks what a file holds."""

    class Meta:
        """Stop django-stubs' plugin from waiting for this class, which no plain form needs."""

    def __init__(self, *args: Any, likely: list[FileKind], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        others = [kind for kind in FILE_KINDS if kind not in likely]
        grouped = [("Fits the file's header", likely), ("Others", others)] if likely else [("Kinds of files", others)]
        choose = [] if likely else [("", "choose")]
        offered = choose + [(title, [(kind.name, kind.label) for kind in kinds]) for title, kinds in grouped if kinds]
        self.fields["kind"] = forms.ChoiceField(label="What it holds", choices=offered)


class OptionsForm(forms.Form):
    """Asks what a file does not say itself; only what its kind asks for."""

    class Meta:
        """Stop django-stubs' plugin from waiting for this class, which no plain form needs."""

    decimal_sign = forms.ChoiceField(
        label="Decimal sign", choices=[(AUTO, "find it in the file"), (".", "point: 1234.50"), (",", "comma: 1234,50")], required=False
    )
    day_order = forms.ChoiceField(
        label="Dates like 03/04/2026", choices=[(AUTO, "find it in the file"), ("day", "the day stands first"), ("month", "the month stands first")],
        required=False,
    )  # fmt: skip
    currency = forms.CharField(label="Currency", max_length=3, required=False, help_text="Of amounts without one, such as EUR. Empty: the store's.")
    taxes = forms.ChoiceField(
        label="Tax", choices=[(AUTO, "find it in the file"), (ADDED, "is added to prices"), (INCLUDED, "lies in prices")], required=False,
        help_text="Where the total of an order does not tell.",
    )  # fmt: skip
    effective_from = forms.DateField(
        label="Costs hold from", required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="Where the file names no day. Empty: today.",
    )  # fmt: skip

    def __init__(self, *args: Any, asks: tuple[str, ...], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in set(self.fields) - set(asks):
            del self.fields[name]

    def clean_currency(self) -> str:
        """Refuse a code that is no currency."""
        code = str(self.cleaned_data["currency"]).upper()
        if code and not is_currency(code):
            raise forms.ValidationError(f"“{code}” is no currency code, such as EUR or USD.")
        return code

    @property
    def options(self) -> dict[str, Any]:
        """Return what the person says of the file, as its import keeps it."""
        said = self.cleaned_data
        day = said.get("effective_from")
        options = Options(
            said.get("decimal_sign") or AUTO, said.get("day_order") or AUTO, said.get("currency") or "", day.isoformat() if day else "",
            said.get("taxes") or AUTO,
        )  # fmt: skip
        return {"options": msgspec.to_builtins(options)}


def options_form(row: FileImport, kind: FileKind, data: Any = None) -> OptionsForm | None:
    """Make the form of what a kind asks for, filled with what was said before; None for a kind that asks for nothing."""
    if not kind.asks:
        return None
    return OptionsForm(data, asks=kind.asks, initial=msgspec.to_builtins(options_of(row)))
