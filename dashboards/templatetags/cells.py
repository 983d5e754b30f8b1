"""Write the cells of tables of figures: there are hundreds on a page, so they are made here rather than by templates."""

from collections.abc import Sequence
from decimal import Decimal
from html import escape
from typing import Any

from django import template
from django.utils.safestring import SafeString, mark_safe

from dashboards.account_words import account_words
from dashboards.delta import Delta
from dashboards.opening import compare_query
from dashboards.statement_table import Row, Table
from dashboards.templatetags.metrics import figure
from dashboards.templatetags.money import MISSING, percent, points, sign_class, signed_amount, signed_count, signed_percent

register = template.Library()
register.filter("account_words", account_words)

DIGITS = set("123456789")
ARROWS = {"up": '<span aria-hidden="true">↑</span> ', "down": '<span aria-hidden="true">↓</span> ', "same": ""}


@register.simple_tag
def statement_cells(row: Row, table: Table, *, has_share: bool = True, totals_only: bool = False) -> SafeString:
    """Write one row of a statement: total, share, what it is compared with, and, unless left out, a cell per period."""
    currency, cells = table.currency, [_cell("total", row.total, row.kind, table.currency, row.address)]
    cells.append(f'<td class="share">{_opening(percent(row.share), row.address) if has_share else ""}</td>')
    if table.scope.compared and row.delta:
        against = row.address and f"{row.address}&{compare_query(table.scope.compared)}"
        cells.append(_cell("compared", row.compared, row.kind, currency, row.compared_address))
        cells.append(f'<td class="compared {sign_class(row.delta.change)}">{_opening(_changed(row.delta.change, row.kind, currency), against)}</td>')
        cells.append(f'<td class="compared">{_opening(change(row.delta), against)}</td>')
    if not totals_only:
        cells += [_cell("", value, row.kind, currency, address) for value, address in row.opening_cells]
    return mark_safe("".join(cells))  # noqa: S308  figures and escaped addresses


@register.simple_tag
def grid_cells(cells: Sequence[tuple[str, Any, str]], currency: str) -> SafeString:
    """Write one row of a tab's table."""
    written = []
    for kind, value, address in cells:
        if isinstance(value, Delta):
            written.append(f"<td>{_opening(change(value), address)}</td>")
        else:
            written.append(_cell("share" if kind == "percent" else "", value, kind, currency, address))
    return mark_safe("".join(written))  # noqa: S308  figures and escaped addresses


@register.simple_tag
def change(delta: Delta) -> SafeString:
    """Write a change with an arrow, a sign and a word; the colour only repeats them."""
    if delta.change is None:
        return MISSING
    if not delta.change and not delta.before:
        return SafeString('<span class="delta quiet">unchanged</span>')
    if delta.kind == "percent":
        told = points(delta.change)
    elif delta.share is None:
        told = f'<abbr title="no percentage: {delta.why_no_share}">n/a</abbr>'
    else:
        told = signed_percent(delta.share)
    if (delta.share is not None or delta.kind == "percent") and delta.change and not set(told) & DIGITS:
        return SafeString('<span class="delta quiet">hardly changed</span>')
    word = f' <span class="said">{delta.verdict}</span>' if delta.verdict else ""
    return SafeString(f'<span class="delta {delta.verdict}">{ARROWS[delta.direction]}{told}{word}</span>')


def _cell(name: str, value: Decimal | None, kind: str, currency: str, address: str) -> str:
    shown = figure(value, kind, currency)
    opened = f'<a href="{escape(address)}">{shown}</a>' if address and value is not None else shown
    return f'<td class="{name} {sign_class(value)}">{opened}</td>'


def _opening(shown: str, address: str) -> str:
    return f'<a href="{escape(address)}">{shown}</a>' if address and shown not in ("", MISSING) else shown


def _changed(value: Decimal | None, kind: str, currency: str) -> str:
    if kind == "money":
        return signed_amount(value, currency)
    return signed_count(value) if kind == "count" else points(value)
