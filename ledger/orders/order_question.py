"""Ask for a list of orders in SQL: which are looked through, which of those match, in which order, and from where on.

A list looks at the newest `MOST_LOOKED` orders of its days at most, in the order of the index by day; what matches is shown. No
index carries a figure that costs can change: restating would have to move it with every order (docs/orders.md).
"""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

from django.db import connection
from msgspec import Struct

from ledger import accounts
from ledger.costs.costing import BY_PERCENTAGE
from ledger.kinds import GIVEN_BACK, ChargeKind, SaleKind
from ledger.models import Store

PER_PAGE = 50
MOST_LOOKED = 100_000
"""Orders that one page looks through, newest first."""
DISPUTES = frozenset({ChargeKind.DISPUTE_FEE, ChargeKind.CHARGEBACK})
"""Kinds of files' charges that tell of a dispute."""


class Sort(StrEnum):
    """What a list is sorted by; orders without the figure come last either way."""

    DAY = "day"
    REVENUE = "revenue"
    PROFIT = "profit"
    MARGIN = "margin"


class Flag(StrEnum):
    """What can be special about an order."""

    LOSS = "loss"
    ESTIMATED = "estimated"
    REFUNDED = "refunded"
    DISPUTED = "disputed"
    EDITED = "edited"
    HELD = "held"
    NO_COST = "no-cost"


class Choice(Struct, frozen=True, kw_only=True):
    """Which orders a list is of, and how it is sorted. Flags must all apply; days are the store's."""

    named: str = ""
    """An order's number, with or without its #, or its platform's id."""
    first: date | None = None
    last: date | None = None
    flags: frozenset[Flag] = frozenset()
    channel: int | None = None
    country: str = ""
    gateway: str = ""
    code: str = ""
    source: str = ""
    """Where a visit before it came from, in the words of its touches."""
    sort: Sort = Sort.DAY
    descending: bool = True

    @property
    def filters(self) -> bool:
        """Tell whether anything but its days narrows the list."""
        return bool(self.named or self.flags or self.channel is not None or self.country or self.gateway or self.code or self.source)


class Key(NamedTuple):
    """Where a page begins: after or before the order with this value and id; a value of None is an order without the figure."""

    value: date | Decimal | None
    id: int
    before: bool = False


_HELD = "hold > 0"
_MATCHES = {
    Flag.LOSS: "hold = 0 AND profit < 0",
    Flag.ESTIMATED: "hold = 0 AND estimated_share > 0",
    Flag.REFUNDED: "EXISTS (SELECT 1 FROM ledger_sale s WHERE s.store_id = %(store)s AND s.order_id = o.id AND s.kind = ANY(%(given_back)s))",
    Flag.DISPUTED: (
        "(EXISTS (SELECT 1 FROM ledger_ordercost c WHERE c.store_id = %(store)s AND c.order_id = o.id AND c.account = %(dispute)s) OR "
        "EXISTS (SELECT 1 FROM ledger_ordercharge c WHERE c.store_id = %(store)s AND c.order_id = o.id AND c.removed_at IS NULL "
        "AND c.kind = ANY(%(disputes)s)))"
    ),
    Flag.EDITED: "EXISTS (SELECT 1 FROM ledger_sale s WHERE s.store_id = %(store)s AND s.order_id = o.id AND s.kind = %(edit)s)",
    Flag.HELD: _HELD,
    Flag.NO_COST: (
        "EXISTS (SELECT 1 FROM ledger_orderline l WHERE l.store_id = %(store)s AND l.order_id = o.id AND l.cost_source = ANY(%(percentages)s))"
    ),
}
_GATEWAY = "EXISTS (SELECT 1 FROM ledger_payment p WHERE p.store_id = %(store)s AND p.order_id = o.id AND lower(p.gateway) = lower(%(gateway)s))"
_SOURCE = "EXISTS (SELECT 1 FROM ledger_touch t WHERE t.store_id = %(store)s AND t.order_id = o.id AND lower(t.source) = lower(%(source)s))"
_LAST_VISIT = "(SELECT t.source FROM ledger_touch t WHERE t.store_id = %(store)s AND t.order_id = o.id {} ORDER BY t.position DESC LIMIT 1)"
_CAME_BY = f"coalesce({_LAST_VISIT.format('AND t.evidence > 0')}, {_LAST_VISIT.format('')})"
_NAMED = """id IN (
    SELECT id FROM ledger_order WHERE store_id = %(store)s AND number = ANY(%(numbers)s)
    UNION SELECT id FROM ledger_order WHERE store_id = %(store)s AND external_id = %(named)s
)"""
_COLUMNS = """
    o.id, o.number, o.platform, o.external_id, o.day, o.currency, o.channel, o.country, o.financial_status, o.is_test, o.counts,
    o.cancelled_at IS NOT NULL, o.withdrawn_at IS NOT NULL, o.hold, o.revenue, o.cogs, o.shipping, o.tax, o.payment_fees, o.other_fees,
    o.marketing_costs, o.profit, o.estimated_share, o.discount_codes, o.margin_share, {came_by}
"""
_FLAGS = ", ".join(_MATCHES[flag] for flag in (Flag.REFUNDED, Flag.DISPUTED, Flag.EDITED, Flag.NO_COST))
_LOOKED = """
    SELECT *, CASE WHEN hold = 0 AND {base} > 0 THEN round(profit / {base}, 8) END AS margin_share FROM ledger_order
    WHERE {within} ORDER BY day {way}, id {way} LIMIT %(looked)s
"""
_LIST = "SELECT {columns}, {flags} FROM (SELECT * FROM ({looked}) AS o WHERE {matching} {order} LIMIT %(most)s) AS o {order}"
_BOUND = "SELECT day, id FROM ledger_order WHERE {within} ORDER BY day {way}, id {way} OFFSET %(looked)s - 1 LIMIT 2"
_VALUES = {Sort.REVENUE: "CASE WHEN hold = 0 THEN revenue END", Sort.PROFIT: "CASE WHEN hold = 0 THEN profit END", Sort.MARGIN: "margin_share"}


class Question:
    """One list as SQL: what is looked through, what matches, and in which order, from a key on."""

    def __init__(self, store: Store, choice: Choice, key: Key | None = None, *, most: int = PER_PAGE + 1, looked: int = MOST_LOOKED) -> None:
        self.choice, self.key = choice, key
        self.descending = choice.descending != (key is not None and key.before)
        self.base = "revenue" if store.margin_basis == Store.MarginBasis.TOTAL_SALES else "(revenue - tax)"
        bare = choice.named.removeprefix("#")
        self.values: dict[str, Any] = {
            "store": store.pk, "first": choice.first, "last": choice.last, "named": choice.named, "numbers": [bare, f"#{bare}"],
            "channel": choice.channel, "country": choice.country, "gateway": choice.gateway, "code": choice.code.upper(), "source": choice.source,
            "most": most,
            "looked": looked, "given_back": [kind.value for kind in GIVEN_BACK], "edit": SaleKind.EDIT.value, "dispute": accounts.FEES_DISPUTE,
            "disputes": [kind.value for kind in DISPUTES], "percentages": [source.value for source in BY_PERCENTAGE],
            "at": key.value if key else None, "id": key.id if key else None,
        }  # fmt: skip

    @property
    def by_day(self) -> bool:
        """Tell whether the list follows the index that it is read by."""
        return self.choice.sort == Sort.DAY

    @property
    def way(self) -> str:
        """Return the direction in which orders are looked through: the newest first, unless the list is by day the other way."""
        return "DESC" if self.descending or not self.by_day else "ASC"

    def within(self) -> str:
        """Return what an index answers: days, numbers, holds, and by day where the page begins."""
        choice = self.choice
        parts = ["store_id = %(store)s"]
        parts += ["day >= %(first)s"] if choice.first else []
        parts += ["day <= %(last)s"] if choice.last else []
        parts += [_NAMED] if choice.named else []
        parts += [_HELD] if Flag.HELD in choice.flags else []
        if self.by_day and self.key is not None:
            parts.append(f"(day, id) {'<' if self.descending else '>'} (%(at)s, %(id)s)")
        return " AND ".join(parts)

    def matching(self) -> str:
        """Return what each order that is looked at is tested for."""
        choice = self.choice
        parts = [_MATCHES[flag] for flag in sorted(choice.flags)]
        parts += ["channel = %(channel)s"] if choice.channel is not None else []
        parts += ["country = %(country)s"] if choice.country else []
        parts += ["%(code)s = ANY(discount_codes)"] if choice.code else []
        parts += [_GATEWAY] if choice.gateway else []
        parts += [_SOURCE] if choice.source else []
        if not self.by_day and self.key is not None:
            parts.append(self._beyond(self.key))
        return " AND ".join(parts) or "true"

    def _beyond(self, key: Key) -> str:
        """Return the condition of lying beyond a key, where orders without the figure come last, in pages before it first."""
        value, less = _VALUES[self.choice.sort], "<" if self.descending else ">"
        nulls_ahead = not key.before
        if key.value is None:
            same = f"({value} IS NULL AND id {less} %(id)s)"
            return same if nulls_ahead else f"({value} IS NOT NULL OR id {less} %(id)s)"
        beyond = f"{value} {less} %(at)s OR ({value} = %(at)s AND id {less} %(id)s)"
        return f"({beyond} OR {value} IS NULL)" if nulls_ahead else f"({beyond})"

    def order(self) -> str:
        """Return the order of the rows."""
        way = "DESC" if self.descending else "ASC"
        if self.by_day:
            return f"ORDER BY day {way}, id {way}"
        return f"ORDER BY {_VALUES[self.choice.sort]} {way} NULLS {'FIRST' if self.key and self.key.before else 'LAST'}, id {way}"

    def looked(self) -> str:
        """Return the orders that are looked through."""
        return _LOOKED.format(base=self.base, within=self.within(), way=self.way)

    def sql(self) -> str:
        """Return the whole question."""
        return _LIST.format(
            columns=_COLUMNS.format(came_by=_CAME_BY), flags=_FLAGS, looked=self.looked(), matching=self.matching(), order=self.order()
        )

    def bound(self) -> tuple[date, int] | None:
        """Return the last order that was looked at, where the bound ended the search before the days did."""
        with connection.cursor() as cursor:
            cursor.execute(_BOUND.format(within=self.within(), way=self.way), self.values)
            found = cursor.fetchall()
        return found[0] if len(found) == 2 else None
