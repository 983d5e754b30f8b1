"""Address what lies beneath a figure: every figure of Today and P&L is linked through here."""

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from urllib.parse import quote

from django.urls import reverse

from ledger.kinds import Basis
from ledger.models import Store
from ledger.periods import Period

BASIS_KEYS = {Basis.EVENT: "event", Basis.ORDER: "order"}


def entries_url(
    store: Store, *, line: str | None = None, account: str | None = None, first: date, last: date, basis: Basis,
    channel: str | None = None, country: str | None = None, batch: int | None = None, currency: str = "",
) -> str:  # fmt: skip
    """Return the address of what lies beneath a figure: its definition, its parts, and the entries that sum to it.

    `line` is the key of a line, a sum, a count or a ratio (`dashboards.metrics.METRICS`); `account` an account's name, which goes before
    it. Days are the store's, both included. `channel` is a channel's key, `country` a two-letter code. With `batch`, only what that batch
    of entries added. `currency` is the one the figure is shown in, where it is not the store's own: entries stay in that.
    """
    parts = [f"{_page_of(store.slug)}?{_figure(line, account)}", _days(Period(first, last), basis)]
    parts += [f"channel={quote(channel, safe='')}"] if channel else []
    parts += [f"country={quote(country, safe='')}"] if country else []
    parts += [f"batch={batch}"] if batch is not None else []
    parts += [f"currency={currency}"] if currency else []
    return "&".join(parts)


class Openings:
    """The addresses beneath figures over several spans of days, for a table: each span and each figure is written once, not once a cell."""

    def __init__(self, store: Store, spans: Sequence[Period], basis: Basis, *, currency: str = "") -> None:
        """Take the spans, in the order in which `of` returns their addresses, and the currency they are shown in."""
        shown = f"&currency={currency}" if currency else ""
        self._page, self._days = _page_of(store.slug), [_days(span, basis) + shown for span in spans]

    def of(self, *, line: str | None = None, account: str | None = None) -> list[str]:
        """Return the addresses of a figure, one a span; each is what `entries_url` returns."""
        figure = f"{self._page}?{_figure(line, account)}&"
        return [figure + days for days in self._days]


def _figure(line: str | None, account: str | None) -> str:
    return f"account={quote(account, safe=':')}" if account else f"line={line or 'net_profit'}"


def _days(span: Period, basis: Basis) -> str:
    return f"from={span.first.isoformat()}&to={span.last.isoformat()}&basis={BASIS_KEYS[basis]}"


def compare_query(days: Period) -> str:
    """Return what makes such an address compare its figure with other days."""
    return f"compare=custom&compare_from={days.first.isoformat()}&compare_to={days.last.isoformat()}"


@lru_cache(maxsize=256)
def _page_of(slug: str) -> str:
    """Return where a store's entries are; a statement links hundreds of figures."""
    return reverse("entries", kwargs={"slug": slug})
