"""Write the inputs that stand on every page of figures without a template each, which takes several times as long."""

from typing import Any

from django import forms
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString


class DayInput(forms.DateInput):
    """An input for a day, as the browser's own calendar."""

    def __init__(self) -> None:
        """Write days as the browser wants them, year first."""
        super().__init__(attrs={"type": "date"}, format="%Y-%m-%d")

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        """Write the input, as Django's template does."""
        shown = self.format_value(value)
        told = {"type": "date", "name": name, **({} if shown is None else {"value": shown})}
        return format_html("<input{}>", flatatt(told | self.build_attrs(self.attrs, attrs)))


class ChoiceInput(forms.Select):
    """A list to choose one of."""

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        """Write the list, as Django's template does; it has no groups."""
        chosen = set(self.format_value(value))
        options = [(str(key), " selected" if str(key) in chosen else "", words) for key, words in self.choices]
        written = format_html_join("\n", '  <option value="{}"{}>{}</option>', options)
        return format_html("<select{}>\n{}\n</select>", flatatt({"name": name} | self.build_attrs(self.attrs, attrs)), written)
