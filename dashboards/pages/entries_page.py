"""Read what a figure opens to: its definition, the figure, the accounts and sources beneath it, and a page of its entries."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from django.urls import reverse

from dashboards.forms.entries_form import Asked, sought_of
from dashboards.metrics import METRICS, Metric
from dashboards.opening import entries_url
from dashboards.pages.entries_beside import Compared, OfRevenue, compared, of_revenue
from dashboards.pages.notices import may_edit_costs
from dashboards.pages.orders_page import order_address
from dashboards.pages.statement_table import period_label
from dashboards.ratios import MULTIPLES, RATIOS, figure_of, parts_of, ratio
from ledger import accounts
from ledger.book import journal
from ledger.book.beneath import Beneath, Tied, beneath, beneath_batch, sums_by_period, sums_of_accounts
from ledger.book.conversion import Conversion, conversion
from ledger.book.journal import EntryRow
from ledger.book.sought import Key, Sought
from ledger.models import Batch, Store
from ledger.periods import By, Period, cut
from ledger.statements import SUMS, share_of, statement_of

ZERO = Decimal(0)
MOST_PARTS = 62
"""Days that a figure with too many entries is parted into; of a longer span, months."""


@dataclass(frozen=True, slots=True)
class Part:
    """A figure that another is made of: how it is called, what it comes to, and where it opens."""

    label: str
    amount: Decimal
    url: str
    estimated: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Row:
    """One entry as the page lists it."""

    entry: EntryRow
    source: str
    address: str
    """Where its source is shown; empty where there is no page for it, or none for this person."""
    is_count: bool

    @property
    def seq(self) -> int:
        """Return the batch it was written in."""
        return self.entry.key[1]

    @property
    def before(self) -> int:
        """Return the batch before that, so that what it changed can be shown."""
        return self.seq - 1

    @property
    def day(self) -> date:
        """Return the day it counts on."""
        return self.entry.key[0]


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What a figure comes to in another currency, and at which rates; None where none of its days has one."""

    amount: Decimal | None
    converted: Conversion


@dataclass(slots=True)
class Opened:
    """A figure with everything beneath it; amounts in the store's currency, counts for statistics."""

    asked: Asked
    metric: Metric | None
    title: str
    kind: str
    """How the figure is written: money, count, percent or multiple."""
    figure: Decimal | None
    why_unknown: str = ""
    estimated_share: Decimal | None = None
    of_revenue: OfRevenue | None = None
    compared: Compared | None = None
    parts: list[Part] = field(default_factory=list)
    """Of a ratio: the figures it is reckoned from."""
    beneath: Beneath | None = None
    by_account: list[Part] = field(default_factory=list)
    by_period: list[Part] = field(default_factory=list)
    """Where there are too many entries for one page to add up: shorter spans, each of which opens."""
    rows: list[Row] = field(default_factory=list)
    following: Key | None = None
    elsewhere: "Elsewhere | None" = None
    """What it comes to in another currency, where the address names one."""
    recorded: int | None = None
    """How many entries the batch was recorded with, where one is opened."""

    @property
    def is_converted(self) -> bool:
        """Tell whether any entry of the page was converted from another currency."""
        return any(row.entry.rate is not None for row in self.rows)

    @property
    def is_result(self) -> bool:
        """Tell whether below zero means a loss; a cost is negative as a matter of course."""
        return not self.asked.account and self.asked.key in (*SUMS, "margin")

    @property
    def astray(self) -> Sequence[Tied]:
        """Return the accounts whose entries do not sum to their totals; there should never be one."""
        return self.beneath.astray if self.beneath else []


def opened(store: Store, asked: Asked, *, after: Key | None = None, page: int | None = None) -> Opened:
    """Open a figure: read it from the totals, add up its entries where they are few enough, and list those after a place."""
    metric = METRICS.get(asked.key)
    if asked.key in RATIOS and not asked.account:
        return _ratio(store, asked, METRICS[asked.key])
    sought = sought_of(store, asked)
    is_count = bool(asked.key) and accounts.NAMES.get(next(iter(sought.accounts or ()), 0), "").startswith("stat:")
    found = lying_beneath(store, asked, sought)
    estimated = None if is_count else share_of((each.amount, each.estimated) for each in found.by_account)
    opened = Opened(
        asked, metric, asked.account or METRICS[asked.key].term, "count" if is_count else "money", found.amount,
        estimated_share=estimated, of_revenue=of_revenue(store, asked, found.amount), beneath=found,
        by_account=[_account(store, asked, each) for each in found.by_account],
    )  # fmt: skip
    opened.compared = compared(store, asked, sought, opened.figure, opened.kind)
    opened.elsewhere = None if is_count or asked.batch else _elsewhere(store, asked, sought)
    if asked.batch:
        opened.recorded = Batch.objects.filter(book_id=store.pk, seq=asked.batch).values_list("entries", flat=True).first()
    elif found.entries is None:
        opened.by_period = _by_period(store, asked, sought)
    most = page or journal.PAGE
    rows = journal.entries(sought, after=after, page=most, days=_days_of_a_page(asked.period, found.entries, most))
    names = journal.named(store.book, {row.source for row in rows[:most]})
    opened.rows = [_row(store, row, names[row.source]) for row in rows[:most]]
    opened.following = rows[most - 1].key if len(rows) > most else None
    return opened


def _elsewhere(store: Store, asked: Asked, sought: Sought) -> Elsewhere | None:
    """Return what a figure or a ratio comes to in the currency that the address names."""
    converted = conversion(store.book, asked.scope.currency, [asked.period])
    if converted is None:
        return None
    sums = sums_of_accounts(
        store.book, asked.period, basis=asked.basis, channel=sought.channel, country=sought.country, converted=converted
    )  # fmt: skip
    amount: Decimal | None = sum((sums[number][0] for number in sought.accounts or () if number in sums), ZERO)
    if asked.key in RATIOS and not asked.account:
        amount, _ = ratio(store, asked.key, statement_of(asked.period, sums))
    return Elsewhere(amount if converted.rates or not converted.missing else None, converted)


def lying_beneath(store: Store, asked: Asked, sought: Sought) -> Beneath:
    """Return what lies beneath a figure that has entries of its own."""
    return beneath_batch(sought) if asked.batch else beneath(store.book, sought, asked.period)


def _days_of_a_page(period: Period, count: int | None, most: int) -> int:
    """Guess how many days hold a page of entries, so that few queries read it and none reads much more."""
    days = (period.last - period.first).days + 1
    return 1 if count is None else max(1, min(days, days * 2 * most // max(1, count)))


def _row(store: Store, row: EntryRow, source: journal.Source) -> Row:
    address = order_address(store, source.order) if source.order else ""
    if source.cost is not None and may_edit_costs(store):
        address = reverse("admin:ledger_manualcost_change", args=[source.cost])
    return Row(row, source.words, address, row.account.startswith("stat:"))


def _account(store: Store, asked: Asked, tied: Tied) -> Part:
    return Part(tied.account, tied.amount, _url(store, asked, account=tied.account), tied.estimated)


def _url(store: Store, asked: Asked, *, line: str | None = None, account: str | None = None, period: Period | None = None) -> str:
    """Return the address of another figure over the same days, or of this one over other days."""
    first, last = period or asked.period
    return entries_url(
        store, line=line, account=account, first=first, last=last, basis=asked.basis, channel=asked.channel.key if asked.channel else None,
        country=asked.country or None, batch=asked.batch, currency=asked.scope.currency,
    )  # fmt: skip


def _by_period(store: Store, asked: Asked, sought: Sought) -> list[Part]:
    """Part a figure into its days, or the months of a longer span, read from the totals."""
    days = (asked.period.last - asked.period.first).days + 1
    by = By.DAY if days <= MOST_PARTS else By.MONTH if days <= MOST_PARTS * 31 else By.YEAR
    parts = cut(*asked.period, by)
    sums = sums_by_period(store.book, parts, sought.accounts or (), basis=asked.basis, channel=sought.channel, country=sought.country)
    opens = {"account": asked.account} if asked.account else {"line": asked.key}
    return [Part(period_label(part, by), each, _url(store, asked, period=part, **opens)) for part, each in zip(parts, sums, strict=True)]


def _ratio(store: Store, asked: Asked, metric: Metric) -> Opened:
    sought = sought_of(store, asked)
    sums = sums_of_accounts(store.book, asked.period, basis=asked.basis, channel=sought.channel, country=sought.country)
    statement = statement_of(asked.period, sums)
    figure, why = ratio(store, asked.key, statement)
    parts = [Part(METRICS[key].term, figure_of(statement, key), _url(store, asked, line=key)) for key in parts_of(store, asked.key)]
    if asked.key == "estimated_share":
        parts = [
            Part(accounts.name_of(number), each, _url(store, asked, account=accounts.name_of(number)), guess)
            for number, (each, guess) in sums.items() if accounts.in_profit(number)
        ]  # fmt: skip
    kind = "multiple" if asked.key in MULTIPLES else "percent"
    return Opened(
        asked, metric, metric.term, kind, figure, why, compared=compared(store, asked, sought, figure, kind), parts=parts,
        elsewhere=_elsewhere(store, asked, sought),
    )  # fmt: skip
