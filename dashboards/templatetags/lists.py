"""Write the rows of long lists: a page of entries or orders has a hundred, so they are made here rather than by templates."""

from collections.abc import Sequence
from html import escape

from django import template
from django.utils.safestring import SafeString, mark_safe

from dashboards.pages import entries_page, orders_page
from dashboards.templatetags.metrics import exact, figure
from dashboards.templatetags.money import MISSING, amount, count, day, money, percent, sign_class

register = template.Library()

COSTS = ("COGS", "Shipping", "Tax and fees", "Marketing")
"""What the costs of an order are called, in the order of `orders_page.Row.costs`."""


@register.simple_tag
def entry_rows(page: entries_page.Opened, currency: str, changes_url: str) -> SafeString:
    """Write the entries of a page: day, source, account, amount, running sum, what it was converted from, and what its batch changed."""
    asked = page.asked
    first, last = asked.period
    changes = f"{changes_url}?from={first.isoformat()}&amp;to={last.isoformat()}&amp;basis={asked.scope.basis_key}"
    rows = []
    for row in page.rows:
        entry = row.entry
        happened = f" <small>happened {day(entry.event_day)}</small>" if entry.event_day != row.day else ""
        note = f" <small>{entry.note}</small>" if entry.note else ""
        flag = '<span class="flag estimated">estimated</span> ' if entry.estimated else ""
        rows.append(
            f'<tr><th scope="row" class="day">{day(row.day)}{happened}</th><td class="text source-cell">{_linked(row.source, row.address)}{note}</td>'
            f'<td class="text">{escape(entry.account)}</td>'
            f'<td class="amount {sign_class(entry.amount)}">{flag}{figure(entry.amount, page.kind, currency)}</td>'
        )
        if entry.running is not None:
            rows.append(f'<td class="{sign_class(entry.running)}">{figure(entry.running, page.kind, currency)}</td>')
        if page.is_converted:
            original = "" if entry.original_amount is None else money(entry.original_amount, entry.currency or currency)
            rows.append(f"<td>{original}</td><td>{'' if entry.rate is None else exact(entry.rate)}</td>")
        rows.append(f'<td><a href="{changes}&amp;after={row.before}&amp;through={row.seq}">{count(row.seq)}</a></td></tr>\n')
    return mark_safe("".join(rows))  # noqa: S308  escaped words, and figures


@register.simple_tag
def order_rows(rows: Sequence[orders_page.Row], currency: str) -> SafeString:
    """Write orders as the rows of the list's table."""
    written = []
    for row in rows:
        order = row.order
        place = ", ".join(filter(None, (row.channel, order.country)))
        cogs, other = amount(row.costs[0], currency), amount(row.other_costs, currency)
        written.append(
            f'<tr data-row="{order.id}"><th scope="row">{_number(row)}</th><td class="text day">{day(order.day)}</td>'
            f'<td class="text short">{escape(place) or MISSING}</td><td>{amount(row.revenue, currency)}</td>'
            f'<td class="cost">{cogs}</td><td class="cost">{other}</td><td class="made {sign_class(row.profit)}">{amount(row.profit, currency)}</td>'
            f'<td>{percent(order.margin)}</td><td class="text flagged">{_flags(row)}</td></tr>\n'
        )
    return mark_safe("".join(written))  # noqa: S308  escaped words, and figures


@register.simple_tag
def order_summaries(rows: Sequence[orders_page.Row], currency: str) -> SafeString:
    """Write orders as the summaries that small screens show instead of the table."""
    written = []
    for row in rows:
        order = row.order
        flags = f'<p class="flags">{_flags(row)}</p>' if row.flags else ""
        facts = [("Revenue", amount(row.revenue, currency)), *((words, amount(cost, currency)) for words, cost in zip(COSTS, row.costs, strict=True))]
        facts += [("Channel", escape(row.channel) or MISSING), ("Country", escape(order.country) or MISSING)]
        details = "".join(f"<div><dt>{words}</dt><dd>{shown}</dd></div>" for words, shown in facts)
        written.append(
            f'<li data-row="{order.id}"><p class="summary-line"><span>{_number(row)}</span> <span class="{sign_class(row.profit)}">'
            f'<span class="visually-hidden">Profit </span>{amount(row.profit, currency)}</span></p>'
            f'<p class="summary-line quiet"><span>{day(order.day)}</span> '
            f'<span><span class="visually-hidden">Margin </span>{percent(order.margin)}</span></p>{flags}'
            f'<details><summary>Details<span class="visually-hidden"> of {escape(order.number)}</span></summary><dl>{details}</dl></details></li>\n'
        )
    return mark_safe("".join(written))  # noqa: S308  escaped words, and figures


def _number(row: orders_page.Row) -> str:
    return _linked(row.order.number, row.address) or MISSING


def _linked(words: str, address: str) -> str:
    return f'<a href="{escape(address)}">{escape(words)}</a>' if address else escape(words)


def _flags(row: orders_page.Row) -> str:
    return "".join(f'<span class="flag {css}">{escape(words)}</span> ' for css, words in row.flags)
