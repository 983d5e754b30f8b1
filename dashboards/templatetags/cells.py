"""Write the cells of tables of figures: there are hundreds on a page, so they are made here rather than by templates."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from html import escape
from typing import Any

from django import template
from django.utils.safestring import SafeString, mark_safe

from dashboards.account_words import account_words
from dashboards.charts import Chart
from dashboards.delta import Delta
from dashboards.opening import compare_query
from dashboards.pages.statement_table import Row, Table
from dashboards.templatetags.money import MISSING, count, percent, plain, points, sign_class, signed_amount, signed_count, signed_percent
from ledger.money import minor_digits

register = template.Library()
register.filter("account_words", account_words)

DIGITS = set("123456789")
ARROWS = {"up": '<span aria-hidden="true">↑</span> ', "down": '<span aria-hidden="true">↓</span> ', "same": ""}


@register.simple_tag
def column_headings(headings: Sequence[str]) -> SafeString:
    """Write the headings of a statement's periods."""
    return mark_safe("".join(f'<th scope="col">{escape(heading)}</th>' for heading in headings))  # noqa: S308  escaped words


@register.simple_tag
def statement_rows(rows: Sequence[Row], table: Table, *, has_share: bool = True) -> SafeString:
    """Write a section of a statement: each line with its accounts below it as a group of rows, its heading opening them."""
    written = []
    for row in rows:
        written.append(f'<tbody class="sum {row.key}">' if row.is_sum else "<tbody>")
        written.append(f"<tr>{_heading(row)}{statement_cells(row, table, has_share=has_share)}</tr>")
        for account in row.accounts:
            written.append(f'<tr class="account-row">{_heading(account)}{statement_cells(account, table, has_share=has_share)}</tr>')
        written.append("</tbody>\n")
    return mark_safe("".join(written))  # noqa: S308  escaped words, and cells


def _heading(row: Row) -> str:
    if row.is_account:
        return f'<th scope="row" title="{escape(row.label)}">{escape(account_words(row.label))}</th>'
    label = f"<details><summary>{escape(row.label)}</summary></details>" if row.accounts else escape(row.label)
    meaning = f' title="{escape(row.meaning)}"' if row.meaning else ""
    note = f" <small>{escape(row.note)}</small>" if row.note else ""
    return f'<th scope="row"{meaning}>{label}{note}</th>'


@register.simple_tag
def statement_cells(row: Row, table: Table, *, has_share: bool = True, totals_only: bool = False) -> SafeString:
    """Write one row of a statement: total, share, what it is compared with, and, unless left out, a cell per period."""
    currency, write = table.currency, _written(row.kind, table.currency)
    cells = [_cell("total", row.total, write, row.address)]
    cells.append(f'<td class="share">{_opening(percent(row.share), row.address) if has_share else ""}</td>')
    if table.scope.compared and row.delta:
        against = row.address and f"{row.address}&{compare_query(table.scope.compared)}"
        cells.append(_cell("compared", row.compared, write, row.compared_address))
        cells.append(f'<td class="compared {sign_class(row.delta.change)}">{_opening(_changed(row.delta.change, row.kind, currency), against)}</td>')
        cells.append(f'<td class="compared">{_opening(change(row.delta), against)}</td>')
    if not totals_only:
        cells += [_cell("", value, write, address) for value, address in row.opening_cells]
    return mark_safe("".join(cells))  # noqa: S308  figures and escaped addresses


@register.simple_tag
def grid_cells(cells: Sequence[tuple[str, Any, str]], currency: str) -> SafeString:
    """Write one row of a tab's table."""
    written = []
    for kind, value, address in cells:
        if isinstance(value, Delta):
            written.append(f"<td>{_opening(change(value), address)}</td>")
        else:
            written.append(_cell("share" if kind == "percent" else "", value, _written(kind, currency), address))
    return mark_safe("".join(written))  # noqa: S308  figures and escaped addresses


@register.simple_tag
def chart_rows(chart: Chart) -> SafeString:
    """Write the numbers of a chart as the rows of a table."""
    writers = {kind: _written(kind, chart.currency) for _, kind in chart.kinds}
    rows = []
    for heading, numbers in chart.by_heading:
        cells = "".join(_cell("", value, writers[kind], "") for kind, value in numbers)
        rows.append(f'<tr><th scope="row">{escape(heading)}</th>{cells}</tr>')
    return mark_safe("".join(rows))  # noqa: S308  escaped headings, and figures


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


Write = Callable[[Decimal], str]


def _written(kind: str, currency: str) -> Write:
    """Return how the figures of a row are written, found out once for all its cells."""
    if kind == "money":
        digits = minor_digits(currency)
        return lambda value: plain(value, digits)
    return count if kind == "count" else percent


def _cell(name: str, value: Decimal | None, write: Write, address: str) -> str:
    if value is None:
        return f'<td class="{name}">{MISSING}</td>'
    shown = f'<a href="{escape(address)}">{write(value)}</a>' if address else write(value)
    return f'<td class="{name} negative">{shown}</td>' if value < 0 else f'<td class="{name}">{shown}</td>'


def _opening(shown: str, address: str) -> str:
    return f'<a href="{escape(address)}">{shown}</a>' if address and shown not in ("", MISSING) else shown


def _changed(value: Decimal | None, kind: str, currency: str) -> str:
    if kind == "money":
        return signed_amount(value, currency)
    return signed_count(value) if kind == "count" else points(value)
