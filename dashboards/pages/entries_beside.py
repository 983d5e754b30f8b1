"""Say what a figure stands beside: its share of net revenue, and what it was in the days it is compared with."""

from dataclasses import dataclass
from decimal import Decimal

from dashboards.delta import Delta, Good
from dashboards.forms.entries_form import Asked
from dashboards.opening import entries_url
from dashboards.pages.statement_table import share
from dashboards.ratios import RATIOS, ratio
from ledger import accounts
from ledger.book.beneath import numbers_under, prefixes_of, sums_by_period, sums_of_accounts
from ledger.book.sought import Sought
from ledger.models import Store
from ledger.periods import Period
from ledger.statements import STATEMENT_KEYS, statement_of

LESS_IS_BETTER = frozenset({"returned_units", "estimated_share", "break_even_mer"})
BESIDE_PROFIT = frozenset(line.key for line in accounts.MEMO)


@dataclass(frozen=True, slots=True)
class OfRevenue:
    """The store's net revenue over the same days, in its currency, and a figure's share of it; None where it is not above zero."""

    share: Decimal | None
    revenue: Decimal
    address: str


@dataclass(frozen=True, slots=True)
class Compared:
    """A figure in the days compared with, where it opens, and the change since; unknown where nothing at all is booked in them."""

    days: Period
    figure: Decimal | None
    address: str
    delta: Delta


def of_revenue(store: Store, asked: Asked, figure: Decimal) -> OfRevenue | None:
    """Return the share of net revenue of a line or an account of the statement; None for every other figure."""
    is_all = asked.key == "net_revenue" and not (asked.channel or asked.country)
    if asked.key not in STATEMENT_KEYS or asked.batch or is_all:
        return None
    [revenue] = sums_by_period(store.book, [asked.period], numbers_under(prefixes_of("net_revenue")), basis=asked.basis)
    first, last = asked.period
    address = entries_url(store, line="net_revenue", first=first, last=last, basis=asked.basis, currency=asked.scope.currency)
    return OfRevenue(share(figure, revenue), revenue, address)


def compared(store: Store, asked: Asked, sought: Sought, figure: Decimal | None, kind: str) -> Compared | None:
    """Return a figure in the days compared with, with one query; None where nothing is compared.

    `sought` is what lies beneath the figure, and `kind` how it is written. Of a channel or a country that had nothing in days in which
    others had, it was zero.
    """
    days = asked.scope.compared
    if days is None or asked.batch:
        return None
    sums = sums_of_accounts(store.book, days, basis=asked.basis, channel=sought.channel, country=sought.country)
    before: Decimal | None = None
    is_known = bool(sums) or ((asked.channel or asked.country) and bool(sums_of_accounts(store.book, days, basis=asked.basis)))
    if is_known and asked.key in RATIOS and not asked.account:
        before, _ = ratio(store, asked.key, statement_of(days, sums))
    elif is_known:
        before = sum((sums[number][0] for number in sought.accounts or () if number in sums), Decimal(0))
    good = Good.LESS if asked.key in LESS_IS_BETTER else Good.NEITHER if asked.key in BESIDE_PROFIT else Good.MORE
    address = entries_url(
        store, line=asked.key, account=asked.account, first=days.first, last=days.last, basis=asked.basis,
        channel=asked.channel.key if asked.channel else None, country=asked.country or None, currency=asked.scope.currency,
    )  # fmt: skip
    return Compared(days, before, address, Delta(figure, before, good, kind))
