"""Tell how much of what a store sold rests on known costs, on rules, and on defaults; and what to fix next, by money.

Reads daily totals (`ledger_productdaytotal`, `ledger_daytotal`), the cost rules, and what was counted of recent orders by night
(`ledger_seen`): never orders, so the cost grows with products and days, not with orders. Definitions: docs/metrics, "Coverage".
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection
from msgspec import Struct

from ledger import accounts
from ledger.costs.costing import BY_PERCENTAGE, Costing
from ledger.days import day_number
from ledger.kinds import Basis, CostSource
from ledger.models import CostDefaults, FeeRule, ShippingRule, Store
from ledger.models.rules import Rule, holds
from ledger.money import SCALE, split
from ledger.periods import Period

ACTUAL, RULE, DEFAULT, EITHER = "actual", "rule", "default", "either"
LABELS = {ACTUAL: "actual", RULE: "by a rule", DEFAULT: "by default", EITHER: "by a rule or default"}
"""Where a cost comes from. The totals of fees and shipping do not tell apart which estimate was a rule's on days on which a
rule holds that fits only some orders: those are “by a rule or default”."""

KNOWN = frozenset({CostSource.OVERRIDE, CostSource.STATED, CostSource.VARIANT_MANUAL, CostSource.BUNDLE, CostSource.VARIANT_PLATFORM})
GUESSED_BY_DEFAULT = frozenset({CostSource.NONE, CostSource.DEFAULT_PERCENTAGE})
PERCENTAGES = BY_PERCENTAGE | {CostSource.NONE}
"""Sources of a variant without any known cost."""

ZERO = Decimal(0)
TENTHS = 1_000
"""Shares are whole tenths of a per cent, so that those shown add up to 100.0 %."""


class Part(NamedTuple):
    """What one source covers: an amount in the store's currency, and its share, 0 to 1 (None where there is nothing to share)."""

    key: str
    amount: Decimal
    share: Decimal | None

    @property
    def label(self) -> str:
        """Return the source in words."""
        return LABELS[self.key]


class Covered(NamedTuple):
    """One kind of cost, by where it comes from; the shares add up to exactly 1."""

    parts: tuple[Part, ...]

    @property
    def whole(self) -> Decimal:
        """Return the sum of the parts."""
        return sum((part.amount for part in self.parts), ZERO)

    def share(self, key: str) -> Decimal | None:
        """Return the share of one source."""
        return next((part.share for part in self.parts if part.key == key), None)


class Uncosted(Struct):
    """A product that sold while nothing is known of what one or more of its variants cost."""

    product: int | None
    title: str
    skus: dict[int, str]
    """By variant."""
    revenue: Decimal
    """Net product sales whose cost is a percentage's guess."""
    cogs: Decimal
    """What that guess booked; positive is a cost."""
    by_default: bool
    """Whether any of it is the installation's default."""


class Coverage(Struct):
    """Coverage of a span: goods weighed by net product sales, fees and shipping by what they cost."""

    period: Period
    goods: Covered
    fees: Covered
    shipping: Covered
    uncosted: list[Uncosted]
    """Products without a known cost, those with most revenue first."""


def coverage(store: Store, period: Period) -> Coverage:
    """Return how much of a span's revenue and cost is actual, by a rule, and by default.

    Goods: net product sales (after discounts and returns, tax removed) on the day their order was placed, which is the day
    that decides the cost. A variant's day on which some units had a stated cost and others a guessed one is parted by COGS.
    Fees: what was booked on each day. Shipping: on the day of its order; an order whose shipping was neither charged nor
    stated costs 0 and is not in it. A cost converted at a stand-in rate counts as by a rule.
    """
    goods, products = _goods(store, period)
    return Coverage(period, covered(goods), _fees(store, period), _shipping(store, period), products)


def uncosted(store: Store, period: Period) -> list[Uncosted]:
    """Return the products that sold in a span and have no known cost, those with most revenue first, as coverage lists them."""
    return _goods(store, period)[1]


def covered(amounts: Mapping[str, Decimal]) -> Covered:
    """Return amounts by source with their shares, by largest remainder; an amount below zero has the share 0."""
    weights = [max(0, int(amount * SCALE)) for amount in amounts.values()]
    shares: Sequence[Decimal | None] = [Decimal(part) / TENTHS for part in split(TENTHS, weights)] if any(weights) else [None] * len(weights)
    return Covered(tuple(Part(key, amount, share) for (key, amount), share in zip(amounts.items(), shares, strict=True)))


_SOLD = """
    SELECT s.bucket, s.variant, v.product_id, v.sku, coalesce(nullif(p.title, ''), v.title, v.external_id),
        s.net, s.guessed_cogs, s.gross, s.cogs, s.actual + s.parted, s.free, s.free_day
    FROM (
        SELECT width_bucket(t.day, %(starts)s::date[]) AS bucket, t.variant, sum(t.net) AS net, -sum(t.estimated_cogs) AS guessed_cogs,
            sum(t.gross_sales) AS gross, -sum(t.cogs) AS cogs, coalesce(sum(t.net) FILTER (WHERE t.cogs <> 0 AND t.estimated_cogs = 0), 0) AS actual,
            coalesce(sum(t.net * least(1, greatest(0, (t.cogs - t.estimated_cogs) / nullif(t.cogs, 0))))
                FILTER (WHERE t.estimated_cogs NOT IN (0, t.cogs)), 0)::numeric(21,4) AS parted,
            coalesce(sum(t.net) FILTER (WHERE t.cogs = 0), 0) AS free, max(t.day) FILTER (WHERE t.cogs = 0 AND t.net <> 0) AS free_day
        FROM (
            SELECT day, variant, gross_sales, gross_sales + discounts + returns AS net, cogs, estimated_cogs FROM ledger_productdaytotal
            WHERE book_id = %(book)s AND basis = %(basis)s AND day BETWEEN %(first)s AND %(last)s
        ) AS t GROUP BY 1, 2
    ) AS s LEFT JOIN ledger_variant v ON v.id = s.variant LEFT JOIN ledger_product p ON p.id = v.product_id ORDER BY 2, 1
"""


class _Sold(NamedTuple):
    """One variant's sums over days on which one percentage holds for it."""

    bucket: int
    variant: int | None
    product: int | None
    sku: str | None
    title: str | None
    net: Decimal
    guessed_cogs: Decimal
    gross: Decimal
    cogs: Decimal
    actual: Decimal
    """Net sales whose COGS is actual."""
    free: Decimal
    """Net sales of days on which no COGS was booked at all."""
    free_day: date | None


def _goods(store: Store, period: Period) -> tuple[dict[str, Decimal], list[Uncosted]]:
    starts = _starts(store, period)
    values: dict[str, Any] = {"book": store.pk, "basis": Basis.ORDER.value, "starts": starts, "first": period.first, "last": period.last}
    with connection.cursor() as cursor:
        cursor.execute(_SOLD, values)
        sold = [_Sold(*row) for row in cursor.fetchall()]
    sold += _without_variant(values, sold)
    asked = [row for row in sold if row.net != row.actual or row.guessed_cogs]
    costing = _costing(store, asked)
    amounts = dict.fromkeys((ACTUAL, RULE, DEFAULT), ZERO)
    amounts[ACTUAL] = sum((row.actual for row in sold), ZERO)
    products: dict[int | None, Uncosted] = {}
    for row in asked:
        source = _source(costing, row, starts[row.bucket - 1])
        guessed = row.net - row.actual - row.free
        amounts[DEFAULT if source in GUESSED_BY_DEFAULT else RULE] += guessed
        if row.free_day:
            amounts[_class(_source(costing, row, row.free_day))] += row.free
        if source in PERCENTAGES and row.variant is not None and (guessed > 0 or row.guessed_cogs > 0):
            _add(products, row, guessed, by_default=source in GUESSED_BY_DEFAULT)
    return amounts, sorted(products.values(), key=lambda one: (-one.revenue, one.title))


def _starts(store: Store, period: Period) -> list[date]:
    """Return the first days of the spans within which no COGS percentage and no bundle begins or ends."""
    sql = """
        SELECT effective_from, effective_to + 1 FROM ledger_cogsrule WHERE store_id = %(store)s AND removed_by_id IS NULL
        UNION SELECT effective_from, effective_to + 1 FROM ledger_bundlepart WHERE store_id = %(store)s AND removed_by_id IS NULL
    """
    with connection.cursor() as cursor:
        cursor.execute(sql, {"store": store.pk})
        days = {day for row in cursor.fetchall() for day in row if day is not None and period.first < day <= period.last}
    return sorted({period.first, *days})


_ALL = """
    SELECT width_bucket(day, %(starts)s::date[]), coalesce(sum(amount) FILTER (WHERE account <> %(cogs)s), 0),
        coalesce(sum(amount) FILTER (WHERE account = %(gross)s), 0), coalesce(-sum(amount) FILTER (WHERE account = %(cogs)s), 0),
        coalesce(-sum(estimated_amount) FILTER (WHERE account = %(cogs)s), 0)
    FROM ledger_daytotal WHERE book_id = %(book)s AND basis = %(basis)s AND day BETWEEN %(first)s AND %(last)s AND account = ANY(%(accounts)s)
    GROUP BY 1
"""


def _without_variant(values: Mapping[str, Any], sold: Iterable[_Sold]) -> list[_Sold]:
    """Return what was sold on lines that are no product of the catalogue: all sales less those of variants.

    Where such lines sold nothing, what is left over is goodwill and discounts of whole orders: they rest on no cost.
    """
    of_variants: dict[int, list[Decimal]] = {}
    for row in sold:
        sums = of_variants.setdefault(row.bucket, [ZERO] * 4)
        for index, amount in enumerate((row.net, row.gross, row.cogs, row.guessed_cogs)):
            sums[index] += amount
    numbers = {"cogs": accounts.COGS_PRODUCT, "gross": accounts.SALES_GROSS}
    which = [accounts.SALES_GROSS, accounts.SALES_DISCOUNTS, accounts.SALES_RETURNS, accounts.COGS_PRODUCT]
    with connection.cursor() as cursor:
        cursor.execute(_ALL, {**values, **numbers, "accounts": which})
        found = cursor.fetchall()
    rest = []
    for bucket, *amounts in found:
        net, gross, cogs, guessed = (amount - less for amount, less in zip(amounts, of_variants.get(bucket, [ZERO] * 4), strict=True))
        if gross:
            actual = (net * (cogs - guessed) / cogs).quantize(Decimal("0.0001")) if cogs else ZERO
            rest.append(_Sold(bucket, None, None, None, None, net, guessed, gross, cogs, actual, ZERO, None))
    return rest


def _costing(store: Store, sold: Iterable[_Sold]) -> Costing:
    defaults = CostDefaults.current()
    variants, products = {row.variant for row in sold if row.variant is not None}, {row.product for row in sold if row.product is not None}
    return Costing.load(store, defaults, variants=variants, products=products)


def _source(costing: Costing, row: _Sold, day: date) -> CostSource:
    return costing.on(row.variant, row.product, day_number(day)).source


def _class(source: CostSource) -> str:
    return ACTUAL if source in KNOWN else DEFAULT if source in GUESSED_BY_DEFAULT else RULE


def _add(products: dict[int | None, Uncosted], row: _Sold, revenue: Decimal, *, by_default: bool) -> None:
    one = products.setdefault(row.product, Uncosted(row.product, row.title or "", {}, ZERO, ZERO, False))
    if row.variant is not None:
        one.skus.setdefault(row.variant, row.sku or "")
    one.revenue += revenue
    one.cogs += row.guessed_cogs
    one.by_default = one.by_default or by_default


_BY_DAY = """
    SELECT day, -sum(amount), -sum(estimated_amount) FROM ledger_daytotal
    WHERE book_id = %s AND basis = %s AND account = %s AND day BETWEEN %s AND %s GROUP BY day
"""


def _fees(store: Store, period: Period) -> Covered:
    """Part payment fees into those the processor stated and those a rule or the default supplied."""
    rules = list(FeeRule.objects.filter(store=store, removed_by=None))
    general = [rule for rule in rules if not rule.gateway and not rule.currency]
    return _parted(store, period, accounts.FEES_PAYMENT, Basis.EVENT, rules, general)


def _shipping(store: Store, period: Period) -> Covered:
    """Part shipping cost into labels and what else was stated, and what a rule or the default supplied."""
    rules = list(ShippingRule.objects.filter(store=store, removed_by=None))
    return _parted(store, period, accounts.FULFILMENT_SHIPPING, Basis.ORDER, rules, [rule for rule in rules if fits_every_order(rule)])


def fits_every_order(rule: ShippingRule) -> bool:
    """Tell whether a shipping rule asks for nothing but its days."""
    narrow = (rule.countries.strip(), rule.channel, rule.method, rule.least_grams, rule.least_value, rule.least_units > 1)
    return not any(narrow) and all(most is None for most in (rule.most_grams, rule.most_units, rule.most_value))


def _parted(store: Store, period: Period, account: int, basis: Basis, rules: Sequence[Rule], general: Sequence[Rule]) -> Covered:
    amounts = dict.fromkeys((ACTUAL, RULE, DEFAULT, EITHER), ZERO)
    with connection.cursor() as cursor:
        cursor.execute(_BY_DAY, [store.pk, basis.value, account, period.first, period.last])
        for day, cost, guessed in cursor.fetchall():
            amounts[ACTUAL] += cost - guessed
            key = RULE if any(holds(rule, day) for rule in general) else EITHER if any(holds(rule, day) for rule in rules) else DEFAULT
            amounts[key] += guessed
    return covered(amounts)


def last_days(today: date, count: int) -> Period:
    """Return the span of so many days that ends today."""
    return Period(today - timedelta(days=count - 1), today)
