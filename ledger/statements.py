"""Answer from the totals: the profit statement by period, on either basis, now or as it was believed before.

Every figure is a sum over daily totals, so its cost does not grow with orders. `as_of` subtracts the entries
recorded since from the totals.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection
from msgspec import Struct

from ledger import accounts
from ledger.book.conversion import Conversion, shown_in
from ledger.book.totals import DAY_OF_BASIS
from ledger.kinds import Basis
from ledger.models import Batch, Book, Order
from ledger.money import SCALE
from ledger.orders.columns import estimated_share
from ledger.periods import Period

ZERO = Decimal(0)

_REVENUE = ("gross_sales", "discounts", "returns", "shipping_charged", "other_income")
_CM1 = (*_REVENUE, "cogs")
_CM2 = (*_CM1, "fulfilment", "fees")
_CM3 = (*_CM2, "marketing")
SUMS = {"net_revenue": _REVENUE, "gross_profit": _CM1, "cm2": _CM2, "cm3": _CM3, "net_profit": (*_CM3, "operating")}
"""The lines that each sum of the statement adds up."""


class Statement(Struct):
    """The profit statement of one period, in the book's currency; costs are negative. Definitions: docs/metrics."""

    period: Period
    lines: dict[str, Decimal]
    """One amount per statement line, by key (`ledger.accounts.STATEMENT`)."""
    memo: dict[str, Decimal]
    orders: int = 0
    units: int = 0
    returned_units: int = 0
    new_customers: int = 0
    estimated_share: Decimal | None = None
    """Share of the money that moved which a rule supplied, 0 to 1; None when nothing moved."""
    accounts: dict[str, Decimal] = {}
    """The same, account by account, for opening a line."""
    estimated: dict[str, Decimal] = {}
    """How much of each account a rule supplied; the rest of it is actual."""

    @property
    def net_revenue(self) -> Decimal:
        """Return sales after discounts and returns, with shipping charged and other income; never tax."""
        return self._sum("net_revenue")

    @property
    def gross_profit(self) -> Decimal:
        """Return CM1: net revenue less COGS."""
        return self._sum("gross_profit")

    @property
    def cm2(self) -> Decimal:
        """Return CM2: gross profit less fulfilment and fees."""
        return self._sum("cm2")

    @property
    def cm3(self) -> Decimal:
        """Return CM3: CM2 less marketing."""
        return self._sum("cm3")

    @property
    def net_profit(self) -> Decimal:
        """Return net profit before income tax, interest and depreciation."""
        return self._sum("net_profit")

    def _sum(self, key: str) -> Decimal:
        return sum((self.lines[line] for line in SUMS[key]), ZERO)


STATEMENT_KEYS = (
    "gross_sales", "discounts", "returns", "shipping_charged", "other_income", "net_revenue", "cogs", "gross_profit",
    "fulfilment", "fees", "cm2", "marketing", "cm3", "operating", "net_profit",
)  # fmt: skip
"""The statement from top to bottom, sums included."""


def amount(statement: Statement, key: str) -> Decimal:
    """Return one figure of a statement by its key, a line or a sum."""
    return statement.lines[key] if key in statement.lines else getattr(statement, key)


class BookState(NamedTuple):
    """Through which batch a statement reads, when that was recorded, and how many orders wait for a rate."""

    seq: int
    recorded_at: datetime | None
    held_orders: int
    restating: bool


def state(book: Book) -> BookState:
    """Return how far the book has got."""
    held = Order.objects.filter(store_id=book.pk, hold__gt=0).count()
    return BookState(book.last_seq, book.last_recorded_at, held, book.restated_version < book.costs_version)


def seq_at(book: Book, moment: datetime) -> int:
    """Return the number of the last batch recorded at or before a moment; 0 before the first."""
    found = Batch.objects.filter(book_id=book.pk, recorded_at__lte=moment).order_by("-seq").values_list("seq", flat=True).first()
    return found or 0


_TOTALS = """
    SELECT width_bucket(total.day, %(starts)s::date[]) AS bucket, total.account, sum({amount}) AS total, sum({estimated}) AS estimated
    FROM ledger_daytotal AS total {join}
    WHERE total.book_id = %(book)s AND total.basis = %(basis)s AND total.day BETWEEN %(first)s AND %(last)s
    GROUP BY bucket, total.account
"""
_AS_BOOKED = _TOTALS.format(amount="total.amount", estimated="total.estimated_amount", join="")
_ENTRIES = """
    SELECT width_bucket({day}, %(starts)s::date[]) AS bucket, account,
        sum(amount) AS total, coalesce(sum(amount) FILTER (WHERE estimated), 0) AS estimated
    FROM ledger_entry WHERE book_id = %(book)s AND {span} AND {day} BETWEEN %(first)s AND %(last)s
    GROUP BY bucket, account
"""
# One statement, so that totals and entries are seen at one moment whatever is posted meanwhile.
_BEFORE = f"""
    SELECT bucket, account, sum(total), sum(estimated)
    FROM (({_AS_BOOKED}) UNION ALL (SELECT bucket, account, -total, -estimated FROM ({_ENTRIES}) AS since)) AS seen GROUP BY bucket, account
"""

Sums = dict[tuple[int, int], tuple[Decimal, Decimal]]


def profit(
    book: Book, periods: Sequence[Period], *, basis: Basis = Basis.EVENT, as_of: int | None = None, converted: Conversion | None = None
) -> list[Statement]:
    """Return one statement per period (adjoining, in time order), as of a batch number or, in another currency if asked for, of now.

    Days are the store's. On the event basis a correction to a closed day counts where it was booked; on the order
    basis everything counts on the day its order was placed.
    """
    values = {
        "book": book.pk, "basis": basis.value, "starts": [period.first for period in periods],
        "first": periods[0].first, "last": periods[-1].last, "seq": as_of,
    }  # fmt: skip
    day = DAY_OF_BASIS[basis]
    if as_of is None:
        sums = _converted(_TOTALS, values, converted)
    elif as_of * 2 < book.last_seq:  # fewer entries lie before than after: add those up instead
        sums = _query(_ENTRIES.format(day=day, span="seq <= %(seq)s"), values)
    else:
        sums = _query(_BEFORE.format(day=day, span="seq > %(seq)s"), values)
    by_period = _by_bucket(sums)
    return [statement_of(period, by_period.get(index, {})) for index, period in enumerate(periods, start=1)]


class Span(NamedTuple):
    """Some days, and the day things count on in them."""

    period: Period
    basis: Basis


SPANS = """
    unnest(%(firsts)s::date[], %(lasts)s::date[], %(bases)s::smallint[]) WITH ORDINALITY AS span (first, last, basis, number)
"""
"""The spans of a question as rows: joined to a table of totals, they are all answered by one query."""


def span_values(book: Book, spans: Sequence[Span]) -> dict[str, Any]:
    """Return the parameters of a query over `SPANS`."""
    return {
        "book": book.pk, "firsts": [span.period.first for span in spans], "lasts": [span.period.last for span in spans],
        "bases": [span.basis.value for span in spans],
    }  # fmt: skip


_OF_SPANS = f"""
    SELECT span.number, total.account, sum({{amount}}), sum({{estimated}})
    FROM {SPANS} JOIN ledger_daytotal AS total ON total.book_id = %(book)s AND total.basis = span.basis AND total.day BETWEEN span.first AND span.last
    {{join}} GROUP BY 1, 2
"""


def profit_of(book: Book, spans: Sequence[Span], *, converted: Conversion | None = None) -> list[Statement]:
    """Return one statement per span, as of now, with one query; spans may overlap, lie apart and count on different days."""
    by_span = _by_bucket(_converted(_OF_SPANS, span_values(book, spans), converted))
    return [statement_of(span.period, by_span.get(number, {})) for number, span in enumerate(spans, start=1)]


def _converted(sql: str, values: Mapping[str, Any], converted: Conversion | None) -> Sums:
    """Ask for sums of totals in the book's currency or another; accounts of which no day could be converted are left out."""
    shown = shown_in(converted)
    written = sql.format(amount=shown.amount("total.amount"), estimated=shown.amount("total.estimated_amount"), join=shown.join)
    return {key: pair for key, pair in _query(written, {**values, **shown.values}).items() if pair[0] is not None}


def _query(sql: str, values: Mapping[str, Any]) -> Sums:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return {(bucket, account): (total, estimated) for bucket, account, total, estimated in cursor.fetchall()}


def _by_bucket(sums: Sums) -> dict[int, dict[int, tuple[Decimal, Decimal]]]:
    buckets: dict[int, dict[int, tuple[Decimal, Decimal]]] = {}
    for (bucket, account), pair in sums.items():
        buckets.setdefault(bucket, {})[account] = pair
    return buckets


def statement_of(period: Period, sums: Mapping[int, tuple[Decimal, Decimal]]) -> Statement:
    """Lay the sums of a period (amount and estimated amount by account) out as a statement."""
    by_key: dict[tuple[str, str], Decimal] = {}
    named: dict[str, Decimal] = {}
    guessed: dict[str, Decimal] = {}
    for account, (total, estimated) in sums.items():
        name = accounts.name_of(account)
        named[name], guessed[name] = total, estimated
        key = accounts.report_key(account)
        if key is not None:
            by_key[key] = by_key.get(key, ZERO) + total
    counts = {line.key: int(by_key.get(("stat", line.key), ZERO)) for line in accounts.STATISTICS}
    return Statement(
        period,
        {line.key: by_key.get(("profit", line.key), ZERO) for line in accounts.STATEMENT},
        {line.key: by_key.get(("memo", line.key), ZERO) for line in accounts.MEMO},
        estimated_share=share_of(pair for account, pair in sums.items() if accounts.in_profit(account)),
        accounts=dict(sorted(named.items())),
        estimated=guessed,
        **counts,
    )


def share_of(pairs: Iterable[tuple[Decimal, Decimal]]) -> Decimal | None:
    """Return the estimated share of (amount, estimated amount) pairs, to four decimals."""
    share = estimated_share((int(total * SCALE), int(estimated * SCALE)) for total, estimated in pairs)
    return None if share is None else Decimal(share).scaleb(-4)
