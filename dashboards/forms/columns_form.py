"""Ask which column of a file of order lines is which, and make a template of the answers."""

import re
from typing import Any

from django import forms

from connectors.files.orders.order_line_guess import DATES, guess_columns, guess_dates, guess_decimal_sign
from connectors.files.orders.order_line_rows import Sample
from connectors.platforms.files.template import CALLED, Code, Columns, Returns, Template

REQUIRED = ("order", "date", "quantity", "unit_price")
HINTS = {
    "order": "Rows with one number are one order.", "quantity": "Negative for what came back.", "unit_price": "For one piece, before any discount.",
    "code": "Costs are kept by it.", "discount": "An amount for the whole row.", "tax": "An amount for the whole row.",
    "customer": "Kept as a keyed hash only, to know who bought again.", "currency": "Without it: the store's.",
    "channel": "Without it: the channel below.",
}  # fmt: skip
DATE_LABELS = {
    "iso": "2026-03-31, with or without a time", "dotted": "31.03.2026", "day": "31/03/2026 (day first)", "month": "03/31/2026 (month first)",
    "words": "31 Mar 2026 or March 31, 2026",
}  # fmt: skip


class ColumnsForm(forms.Form):
    """Asks how a file of order lines is read; its columns are those of the file."""

    class Meta:
        """Stop django-stubs' plugin from waiting for this class, which no plain form needs."""

    date_form = forms.ChoiceField(label="How dates are written", choices=list(DATE_LABELS.items()), help_text="A time of day may follow.")
    decimal_sign = forms.ChoiceField(label="Decimal sign", choices=[(".", "point: 1234.50"), (",", "comma: 1234,50")])
    prices_include_tax = forms.BooleanField(label="Prices include tax: the tax column is taken out of them", required=False)
    charged = forms.BooleanField(label="Every sale was paid by card or the like: a payment fee is estimated", required=False, initial=True)
    default_channel = forms.CharField(label="Sales channel", max_length=60, initial="direct")
    shipping_codes = forms.CharField(
        label="Item codes that are postage",
        max_length=200,
        required=False,
        initial="shipping",
        help_text="Separated by commas; capitals do not matter.",
    )
    discount_codes_of_rows = forms.CharField(
        label="Item codes that are discounts", max_length=200, required=False, initial="discount", help_text="Separated by commas."
    )
    return_prefix = forms.CharField(
        label="Orders that are returns begin with", max_length=20, required=False,
        help_text="Such as C, where returns have numbers of their own. Empty: returns are rows with a negative quantity.",
    )  # fmt: skip
    restocked = forms.BooleanField(label="What comes back goes on the shelf again: its cost is given back", required=False)
    write_offs = forms.BooleanField(label="Negative rows at price 0 are stock thrown away, not returns", required=False, initial=True)
    platform = forms.SlugField(
        label="Where the orders come from", max_length=20, initial="file",
        help_text="A short name. Two shops that number orders alike need two names; the same shop always the same.",
    )  # fmt: skip
    label = forms.CharField(label="Name of this way to read files", max_length=60, help_text="The next file with these columns is read so by itself.")

    def __init__(self, *args: Any, begun: Sample, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", "— not in the file —"), *((header, _with_example(header, begun)) for header in begun.header if header)]
        for field, called in CALLED.items():
            needed = field in REQUIRED
            offered = [("", "choose a column"), *choices[1:]] if needed else choices
            self.fields[_name(field)] = forms.ChoiceField(
                label=called[0].upper() + called[1:], choices=offered, required=needed, help_text=HINTS.get(field, ""),
                error_messages={"required": f"Choose the column with the {called}."},
            )  # fmt: skip

    def columns(self) -> list[forms.BoundField]:
        """Return the fields that ask for a column, those that are needed first."""
        return [self[_name(field)] for field in CALLED]

    def others(self) -> list[forms.BoundField]:
        """Return the fields that ask how the cells are read, those that are ticked last."""
        fields = [self[name] for name in self.fields if not name.startswith("column_") and name != "label"]
        return sorted(fields, key=lambda field: isinstance(field.field, forms.BooleanField))

    def problems(self) -> list[tuple[str, str]]:
        """List what was refused, each with the id of its field."""
        return [(self[name].id_for_label, str(message)) for name, found in self.errors.items() if name in self.fields for message in found]

    def template(self) -> Template:
        """Return what was said as a template; call it when the form is valid."""
        said = self.cleaned_data
        prefix = said["return_prefix"].strip()
        return Template(
            name=said["platform"], label=said["label"].strip(), platform=said["platform"], channel=said["default_channel"].strip(),
            columns=Columns(**{field: said[_name(field)] for field in CALLED}), date_formats=DATES[said["date_form"]],
            decimal_sign=said["decimal_sign"], prices_include_tax=said["prices_include_tax"], charged=said["charged"],
            returns=Returns(f"{re.escape(prefix)}.*" if prefix else "", said["restocked"], said["write_offs"]),
            codes=(*_codes(said["shipping_codes"], "shipping"), *_codes(said["discount_codes_of_rows"], "discount")),
        )  # fmt: skip


def first_answers(begun: Sample, filename: str) -> dict[str, Any]:
    """Guess the answers from the beginning of a file."""
    columns = guess_columns(begun.header)
    prices = [text for field in ("unit_price", "discount", "tax") for text in begun.column(columns.get(field, ""))]
    return {
        **{_name(field): header for field, header in columns.items()}, "date_form": guess_dates(begun.column(columns.get("date", ""))),
        "decimal_sign": guess_decimal_sign(prices), "label": filename.rsplit(".", 1)[0][:60],
    }  # fmt: skip


def answers_of(template: Template) -> dict[str, Any]:
    """Return the answers that make a template, as far as the form asks for them."""
    codes = {meaning: ", ".join(_text_of(code) for code in template.codes if code.meaning == meaning) for meaning in ("shipping", "discount")}
    return {
        **{_name(field): getattr(template.columns, field) for field in CALLED},
        "date_form": next((name for name, forms_ in DATES.items() if forms_ == template.date_formats), "iso"),
        "decimal_sign": template.decimal_sign, "prices_include_tax": template.prices_include_tax, "charged": template.charged,
        "default_channel": template.channel, "shipping_codes": codes["shipping"], "discount_codes_of_rows": codes["discount"],
        "return_prefix": re.sub(r"\\(.)", r"\1", template.returns.order_pattern.removesuffix(".*")), "restocked": template.returns.restocked,
        "write_offs": template.returns.free_negative_rows_are_write_offs, "platform": template.platform, "label": template.label,
    }  # fmt: skip


def _name(field: str) -> str:
    return f"column_{field}"


def _codes(text: str, meaning: str) -> list[Code]:
    return [Code(re.escape(code.strip()), meaning) for code in text.split(",") if code.strip()]


def _text_of(code: Code) -> str:
    return re.sub(r"\\(.)", r"\1", code.match)


def _with_example(header: str, begun: Sample) -> str:
    """Return a column's name with the first text that stands in it."""
    example = next((text.strip() for text in begun.column(header) if text.strip()), "")
    return f"{header} · {example[:24]}{'…' if len(example) > 24 else ''}" if example else f"{header} · empty"
