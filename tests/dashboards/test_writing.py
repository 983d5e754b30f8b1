"""Check what is written by hand for speed against what the libraries write."""

from datetime import date
from decimal import Decimal

import pytest
from babel.numbers import format_currency, get_currency_precision, list_currencies
from django import forms
from django.test.html import parse_html
from django.utils.dateformat import format as format_day

from dashboards.forms.widgets import ChoiceInput, DayInput
from dashboards.opening import Openings, entries_url
from dashboards.templatetags.money import day, money
from ledger.kinds import Basis
from ledger.models import Store
from ledger.money import minor_digits
from ledger.periods import Period

AMOUNTS = [Decimal(text) for text in ("0", "-0.001", "0.005", "1", "-1", "999.995", "1234567.8", "-1234567.8")]


@pytest.mark.parametrize("amount", AMOUNTS, ids=str)
def test_money_is_written_as_the_locale_writes_it(amount: Decimal) -> None:
    alike = [currency for currency in list_currencies("en") if get_currency_precision(currency) == minor_digits(currency)]
    written = {currency: money(amount, currency) for currency in alike}
    # The locale writes a minus before what rounds to zero, and a hyphen for it.
    known = {currency: format_currency(amount, currency, locale="en") for currency in alike}
    zero = {currency: format_currency(Decimal(0), currency, locale="en") for currency in alike}
    assert written == {currency: zero[currency] if text == f"-{zero[currency]}" else text.replace("-", "−") for currency, text in known.items()}
    assert len(alike) > 200


def test_money_has_the_decimals_of_the_minor_unit_where_the_locale_leaves_them_out() -> None:
    assert (money(Decimal("1234.5"), "IQD"), money(Decimal("-2.5"), "RSD"), money(Decimal("2.5"), "JPY")) == (
        "IQD1,234.500", "−RSD2.50", "¥2",
    )  # fmt: skip


@pytest.mark.parametrize("one", [date(2026, 1, 1), date(2026, 12, 31), date(1990, 5, 9)], ids=str)
def test_days_are_written_as_django_writes_them(one: date) -> None:
    assert day(one) == format_day(one, "j M Y")


@pytest.mark.parametrize("value", [None, date(2026, 3, 1), "2026-03-01", "not a <day>"], ids=str)
def test_an_input_for_a_day_is_djangos(value: object) -> None:
    theirs = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    told = {"id": "id_from", "aria-invalid": "true", "aria-describedby": "id_from_error", "required": True, "disabled": False}
    assert parse_html(DayInput().render("from", value, told)) == parse_html(theirs.render("from", value, told))


@pytest.mark.parametrize("value", [None, "", "a", "b & c", "unknown"])
def test_a_list_to_choose_from_is_djangos(value: str | None) -> None:
    choices = [("", "any"), ("a", "the <first>"), ("b & c", "“the” second")]
    told = {"id": "id_by", "aria-invalid": "true"}
    ours, theirs = ChoiceInput(choices=choices), forms.Select(choices=choices)
    assert parse_html(ours.render("by", value, told)) == parse_html(theirs.render("by", value, told))


def test_addresses_of_a_whole_table_are_those_of_single_figures() -> None:
    shop, spans = Store(slug="shop"), [Period(date(2026, 1, 1), date(2026, 1, 31)), Period(date(2026, 2, 1), date(2026, 2, 28))]
    openings = Openings(shop, spans, Basis.ORDER)
    singly = [(span.first, span.last) for span in spans]
    assert openings.of(line="cm2") == [entries_url(shop, line="cm2", first=first, last=last, basis=Basis.ORDER) for first, last in singly]
    name = "operating:a & b"
    assert openings.of(account=name) == [entries_url(shop, account=name, first=first, last=last, basis=Basis.ORDER) for first, last in singly]
