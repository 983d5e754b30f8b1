"""Write figures by their kind, and say on hover or tap what they mean."""

from decimal import Decimal
from typing import Any

from django import template

from dashboards.metrics import METRICS
from dashboards.templatetags.money import MISSING, amount, count, money, percent, plain

register = template.Library()


@register.simple_tag
def figure(value: Decimal | None, kind: str, currency: str = "", *, symbol: bool = False) -> str:
    """Write a figure by its kind: money (with its symbol, or without one under a heading that names the currency), count, percent, multiple."""
    if value is None:
        return MISSING
    if kind == "multiple":
        return plain(value, 2)
    if kind == "money":
        return str(money(value, currency) if symbol else amount(value, currency))
    return str(count(value) if kind == "count" else percent(value))


@register.filter
def exact(value: Decimal) -> str:
    """Write a number with all its decimals and no more."""
    return f"{value.normalize():f}"


@register.inclusion_tag("parts/definition.html", takes_context=True)
def definition(context: dict[str, Any], key: str) -> dict[str, Any]:
    """Draw a mark that opens what a figure means; it works without a script."""
    return {"metric": METRICS[key], "store": context["store"]}
