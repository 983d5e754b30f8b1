"""Take what people type the way they mean it, and show it so: a label in words, a currency in small letters, a round percentage."""

from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import slugify

from ledger.money import minor_digits


class LabelField(forms.SlugField):
    """Turns words into the name of an account: “Studio rent” is studio-rent."""

    def to_python(self, value: Any) -> str:
        """Return the label in small letters, figures and hyphens; refuse words that leave none."""
        typed = super().to_python(value) or ""
        label = slugify(typed)
        if typed and not label:
            raise ValidationError("Give a label with letters a to z or figures in it, such as rent or studio-rent.")
        return label


class PercentageField(forms.DecimalField):
    """Shows 35 for 35.0000."""

    def prepare_value(self, value: Any) -> Any:
        """Return the figure without the zeros the database keeps."""
        return shown(value) if isinstance(value, Decimal) else value


def shown(value: Decimal) -> str:
    """Write a figure without zeros that say nothing."""
    return f"{value.normalize():f}"


def priced(value: Decimal, currency: str) -> str:
    """Write a price with the cents of its currency, or more where it has more, and the currency's code."""
    exponent = value.normalize().as_tuple().exponent
    digits = max(minor_digits(currency), -exponent if isinstance(exponent, int) else 0)
    return f"{value:.{digits}f} {currency}"


class CurrencyField(forms.CharField):
    """Takes eur for EUR."""

    def to_python(self, value: Any) -> str:
        """Return the code in capitals."""
        return (super().to_python(value) or "").upper()
