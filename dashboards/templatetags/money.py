"""Write amounts, percentages and counts the way a reader expects: tabular, with a true minus sign."""

from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel.numbers import format_currency
from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from ledger.money import minor_digits

register = template.Library()

LOCALE = "en"
MINUS = "−"
NO_BREAK = "\u00a0"
MISSING = SafeString('<span class="missing"><span aria-hidden="true">—</span><span class="visually-hidden">no figure</span></span>')


@lru_cache(maxsize=32)
def _step(digits: int) -> Decimal:
    return Decimal(1).scaleb(-digits)


def rounded(value: Decimal, digits: int) -> Decimal:
    """Round half-even to a number of decimals; zero has no sign."""
    result = value.quantize(_step(digits), rounding=ROUND_HALF_EVEN)
    return result if result else abs(result)


def plain(value: Decimal, digits: int) -> str:
    """Write a number with grouping and a fixed number of decimals."""
    return f"{rounded(value, digits):,f}".replace("-", MINUS)


@register.filter
def amount(value: Decimal | None, currency: str) -> str:
    """Write an amount with its currency's decimals and no symbol, for columns whose heading names the currency."""
    return MISSING if value is None else plain(value, minor_digits(currency))


@register.filter
def money(value: Decimal | None, currency: str) -> str:
    """Write an amount with its currency's decimals and symbol."""
    if value is None:
        return MISSING
    text = plain(value, minor_digits(currency))
    before, after = _around(currency, below_zero=text.startswith(MINUS))
    return f"{before}{text.removeprefix(MINUS)}{after}"


@lru_cache(maxsize=512)
def _around(currency: str, *, below_zero: bool) -> tuple[str, str]:
    """Return what the locale writes before and after the digits of an amount; asked once, because it takes as long as a whole table row."""
    sample = format_currency(Decimal(-1 if below_zero else 1), currency, locale=LOCALE, currency_digits=False)
    before, _, after = sample.partition("1.00")
    return before.replace("-", MINUS), after


@register.filter
def percent(share: Decimal | None) -> str:
    """Write a share (0.125) as a percentage with one decimal."""
    return MISSING if share is None else f"{plain(share * 100, 1)}{NO_BREAK}%"


PLUS = "+"


def _signed(value: Decimal, text: str) -> str:
    """Put a plus before what grew, unless nothing of it is left after rounding."""
    return f"{PLUS}{text}" if value > 0 and any(digit in text for digit in "123456789") else text


@register.filter
def signed_amount(value: Decimal | None, currency: str) -> str:
    """Write a change of an amount: as `amount`, with a plus before what grew."""
    return MISSING if value is None else _signed(value, plain(value, minor_digits(currency)))


@register.filter
def signed_money(value: Decimal | None, currency: str) -> str:
    """Write a change of an amount with the currency's symbol and a plus before what grew."""
    return MISSING if value is None else _signed(value, money(value, currency))


@register.filter
def signed_count(value: Decimal | int | None) -> str:
    """Write a change of a count, with a plus before what grew."""
    return MISSING if value is None else _signed(Decimal(value), plain(Decimal(value), 0))


@register.filter
def signed_percent(share: Decimal | None) -> str:
    """Write a relative change (0.125) as a percentage with a sign."""
    return MISSING if share is None else _signed(share, f"{plain(share * 100, 1)}{NO_BREAK}%")


@register.filter
def points(change: Decimal | None) -> str:
    """Write the difference of two shares (0.021) in percentage points, with a sign."""
    return MISSING if change is None else _signed(change, f"{plain(change * 100, 1)}{NO_BREAK}points")


@register.filter
def count(value: Decimal | int | None) -> str:
    """Write a whole number with grouping."""
    return MISSING if value is None else plain(Decimal(value), 0)


@register.filter
def missing(value: object) -> object:
    """Write an em dash for what is not known, and anything else as it is."""
    return MISSING if value is None or value == "" else value


@register.filter
def sign_class(value: Decimal | int | None) -> str:
    """Name the class of a negative figure; the minus sign tells it too."""
    return "negative" if value is not None and value < 0 else ""


@register.filter
def day(value: date | None) -> str:
    """Write a day, such as 31 Jan 2026; nothing for none. Django's filter writes the same from a pattern it reads anew each time."""
    return "" if value is None else f"{value:%-d %b %Y}"


@register.filter
def day_in(at: datetime, zone: str) -> str:
    """Write the day that a moment falls on in a time zone."""
    return day(at.astimezone(ZoneInfo(zone)).date())


@register.filter
def title_words(name: str) -> str:
    """Write a name that programs use as people do: shopify_payments is Shopify Payments."""
    return name.replace("_", " ").title()


@register.filter
def in_zone(at: datetime | None, zone: str) -> str:
    """Write a time in a time zone, naming the zone."""
    if at is None:
        return MISSING
    return f"{at.astimezone(ZoneInfo(zone)):%-d %b %Y, %H:%M} {zone}"


@register.simple_tag
def time_tag(at: datetime, zone: str) -> str:
    """Write a `<time>` element with the machine's form in its attribute."""
    return mark_safe(f'<time datetime="{at.isoformat()}">{in_zone(at, zone)}</time>')  # noqa: S308  zone is a valid IANA name, checked on entry


@register.simple_tag
def clock_tag(at: datetime, zone: str) -> str:
    """Write a `<time>` element without the name of the zone, for tables that name it once."""
    return format_html('<time datetime="{}">{}</time>', at.isoformat(), f"{at.astimezone(ZoneInfo(zone)):%-d %b %Y, %H:%M}")


@register.simple_tag
def second_tag(at: datetime, zone: str) -> str:
    """Write the time of day to the second in a time zone, with the day in the machine's form alone."""
    return format_html('<time datetime="{}">{}</time>', at.isoformat(), f"{at.astimezone(ZoneInfo(zone)):%H:%M:%S}")


@register.filter
def normal(value: Decimal) -> str:
    """Write a rate without the zeros at its end."""
    return f"{value.normalize():f}"
