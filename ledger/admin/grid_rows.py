"""Find the variants whose costs are to be filled in, worst gap first, and turn what was typed or pasted into costs."""

import csv
import io
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection

from ledger.admin import cells
from ledger.admin.cells import CellRefused
from ledger.admin.names import Names
from ledger.admin.typed import shown
from ledger.costs.costing import ESTIMATED_SOURCES, PERCENT, Costing, Segment
from ledger.days import day_number
from ledger.kinds import Basis, CostOrigin, CostSource
from ledger.models import CostDefaults, Store, VariantCost
from ledger.models.rules import first_of
from ledger.money import Tenk, decimal, divide_half_even, in_minor_units, is_currency, tenk

PAGE = 100
"""Variants of a page."""
MOST_PASTED = 5_000
REVENUE_DAYS = 90
PARTS = ("goods", "freight", "duty", "packaging")
PASTED = ("sku", *PARTS, "currency")
"""The columns of what is pasted, where no heading says otherwise."""
HEADINGS = {"cost": "goods", "unit cost": "goods", "cost per item": "goods", "price": "", **{name: name for name in PASTED}}
_ZERO = Decimal(0)

# A cost is known where one that was set holds today, or where all the parts of a bundle have one.
_KNOWN = """EXISTS (SELECT 1 FROM ledger_variantcost c WHERE c.store_id = %(store)s AND c.removed_by_id IS NULL AND c.variant_id = {variant}
    AND (c.effective_from IS NULL OR c.effective_from <= %(today)s))"""
_PARTS = """SELECT 1 FROM ledger_bundlepart b WHERE b.store_id = %(store)s AND b.removed_by_id IS NULL AND b.bundle_id = v.id
    AND (b.effective_from IS NULL OR b.effective_from <= %(today)s) AND (b.effective_to IS NULL OR b.effective_to >= %(today)s)"""
_VARIANTS = f"""
    SELECT * FROM (
        SELECT v.id, v.product_id, v.sku, v.title, coalesce(nullif(p.title, ''), p.external_id) AS product, t.gross, t.units, t.revenue,
            ({_KNOWN.format(variant="v.id")}
                OR (EXISTS ({_PARTS}) AND NOT EXISTS ({_PARTS} AND NOT {_KNOWN.format(variant="b.component_id")}))) AS known
        FROM ledger_variant v JOIN ledger_product p ON p.id = v.product_id LEFT JOIN (
            SELECT variant, sum(gross_sales) AS gross, sum(units) AS units, sum(gross_sales + discounts + returns) AS revenue
            FROM ledger_productdaytotal WHERE book_id = %(store)s AND basis = %(basis)s AND day BETWEEN %(first)s AND %(today)s GROUP BY variant
        ) t ON t.variant = v.id
        WHERE v.store_id = %(store)s AND {{condition}}
    ) found WHERE NOT known OR %(all)s
    ORDER BY known, revenue DESC NULLS LAST, sku, id LIMIT {PAGE + 1} OFFSET %(skipped)s
"""
_SEARCH = "(v.sku ILIKE %(like)s OR v.title ILIKE %(like)s OR p.title ILIKE %(like)s)"


class Gap(NamedTuple):
    """A variant of the grid: what it is, sells for and costs today, and the parts of that cost where it was set."""

    pk: int
    sku: str
    title: str
    revenue: Decimal | None
    """Net of discounts and returns, of the last 90 days, in the store's currency; None where nothing was sold."""
    price: Decimal | None
    """Average list price of the last 90 days, tax removed; None where nothing was sold."""
    cost: str
    why: str
    estimated: bool
    parts: Mapping[str, str]


class Typed(NamedTuple):
    """What somebody gave for one variant; a part that is None stays as it is."""

    variant: int
    parts: Mapping[str, Decimal | None]
    currency: str
    where: str


class Refused(NamedTuple):
    """What is wrong with a row, where it is, and which variant it is about as far as that is known."""

    where: str
    message: str
    variant: int | None = None


def gaps(store: Store, *, today: date, whole: bool = False, search: str = "", only: Collection[int] | None = None, page: int = 1) -> list[Gap]:
    """Return a page of variants, those without a known cost first, by revenue; `whole` has the others as well.

    `search` looks in SKUs and titles; `only` names variants. A page holds one more than PAGE where others follow.
    """
    condition = "v.id = ANY(%(only)s::bigint[])" if only is not None else _SEARCH if search else "true"
    like = search.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    parameters: dict[str, Any] = {
        "store": store.pk, "today": today, "first": today - timedelta(days=REVENUE_DAYS - 1), "basis": Basis.EVENT, "all": whole or only is not None,
        "only": list(only or ()), "like": f"%{like}%", "skipped": (page - 1) * PAGE,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_VARIANTS.format(condition=condition), parameters)
        rows = cursor.fetchall()
    costing = Costing.load(store, CostDefaults.current(), variants=[row[0] for row in rows], products=[row[1] for row in rows])
    standing = _standing(store, [row[0] for row in rows])
    return [_gap(store, row, costing, standing, today) for row in rows]


def _gap(store: Store, row: Sequence[Any], costing: Costing, standing: Mapping[int, list[VariantCost]], today: date) -> Gap:
    pk, product_id, sku, title, product, gross, units, revenue, _ = row
    price = decimal(divide_half_even(tenk(gross), int(units))) if units and units > 0 else None
    holds = costing.on(pk, product_id, day_number(today))
    cost, why = _told(store, holds, price)
    own = holding(standing.get(pk, []), today)
    parts = {name: f"{shown(getattr(own, name))} {own.currency}" for name in PARTS} if own is not None else {}
    named = product if title in ("", product) else f"{product}, {title}"
    return Gap(pk, sku, named, revenue, price, cost, why, holds.source in ESTIMATED_SOURCES, parts)


def told_today(store: Store, variants: Mapping[int, int], *, today: date) -> dict[int, tuple[str, str]]:
    """Return what variants, given with their products, cost today and why, in words."""
    costing = Costing.load(store, CostDefaults.current(), variants=variants, products=set(variants.values()))
    return {pk: _told(store, costing.on(pk, product, day_number(today)), None) for pk, product in variants.items()}


def _told(store: Store, holds: Segment, price: Decimal | None) -> tuple[str, str]:
    """Return what a unit costs and why, in words."""
    why = CostSource(holds.source).label + (" (estimated)" if holds.source in ESTIMATED_SOURCES else "")
    if holds.percentage is not None:
        share = f"{shown(decimal(holds.percentage))} % of the list price"
        if price is None:
            return share, why
        return _money(divide_half_even(tenk(price) * holds.percentage, PERCENT), store.currency), f"{why}: {share}"
    sums: Iterable[tuple[str, Tenk]] = holds.sums if holds.amount is None else [(holds.currency, holds.amount)]
    return " + ".join(_money(amount, currency) for currency, amount in sums), why


def _money(amount: Tenk, currency: str) -> str:
    return f"{in_minor_units(decimal(amount), currency):f} {currency}"


def _standing(store: Store, variants: Collection[int]) -> dict[int, list[VariantCost]]:
    found: dict[int, list[VariantCost]] = {}
    for cost in VariantCost.objects.filter(store=store, variant__in=variants, removed_by=None):
        found.setdefault(cost.variant_id, []).append(cost)
    return found


def holding(costs: Iterable[VariantCost], day: date | None) -> VariantCost | None:
    """Return the cost of a variant that was set and holds on a day, by hand before by the platform; None is the day of those that always held."""
    begun = [cost for cost in costs if cost.effective_from is None or (day is not None and cost.effective_from <= day)]
    return max(begun, key=lambda cost: (cost.origin == CostOrigin.MANUAL, first_of(cost)), default=None)


def pasted(text: str, names: Names, currency: str) -> tuple[list[Typed], list[Refused]]:
    """Read pasted lines of a SKU and what it costs: two to six columns set apart by tabs, semicolons or commas, headings or none."""
    delimiter = next((each for each in ("\t", ";") if each in text), ",")
    rows = [(line, row) for line, row in enumerate(csv.reader(io.StringIO(text), delimiter=delimiter), 1) if any(cell.strip() for cell in row)]
    if len(rows) > MOST_PASTED:
        return [], [Refused("Pasted", f"More than {MOST_PASTED:,} lines are not read here. Import them as a file.")]
    columns: tuple[str, ...] = PASTED
    found, wrong = list[Typed](), list[Refused]()
    headed = bool(rows) and not any(character.isdigit() for cell in rows[0][1][1:] for character in cell)
    if headed:
        columns = tuple(HEADINGS.get(cell.strip().casefold(), cell.strip()) for cell in rows[0][1])
        strange = [name for name in columns if name not in PASTED]
        if strange or "sku" not in columns or len(set(columns)) < len(columns):
            return [], [Refused("Pasted line 1", f"The headings are not known here. Use {', '.join(PASTED)}, or no headings at all.")]
    commas = delimiter == ";" or any(cells.has_decimal_comma(cell) for _, row in rows[headed:] for cell in row[1:])
    for line, row in rows[headed:]:
        try:
            for cell in row[1:] if commas else ():
                cells.refuse_thousands(cell)
            found.append(_read(row, columns, names, currency, f"Pasted line {line}", loose=delimiter == "," and not headed))
        except CellRefused as refused:
            wrong.append(Refused(f"Pasted line {line}", str(refused)))
    return found, wrong


def _read(row: Sequence[str], columns: Sequence[str], names: Names, currency: str, where: str, *, loose: bool) -> Typed:
    texts = [cells.tidied(cell) for cell in row]
    if not 2 <= len(texts) <= len(columns):
        told = " to ".join(str(number) for number in sorted({2, len(columns)}))
        raise CellRefused(f"This line has {len(texts)} column{'' if len(texts) == 1 else 's'} instead of {told}: {', '.join(columns)}.")
    if loose and len(texts) == 3 and texts[1].isdigit() and texts[2].isdigit() and len(texts[2]) == 2:
        raise CellRefused(
            f"“{texts[1]},{texts[2]}” may be {texts[1]}.{texts[2]} or two costs. Write {texts[1]}.{texts[2]}, or set columns apart by tabs."
        )
    values = dict(zip(columns, texts, strict=False))
    code = values.get("currency", "").upper() or currency
    if not is_currency(code):
        raise CellRefused(f"“{code}” is not an ISO 4217 currency code such as EUR or USD.")
    if not values["sku"]:
        raise CellRefused("The SKU is missing.")
    return Typed(names.variant(values["sku"]), {name: not_negative(values.get(name, "")) for name in PARTS}, code, where)


def not_negative(text: str) -> Decimal | None:
    """Read an amount from 0 up; None for an empty cell; raise CellRefused."""
    value = cells.amount(text)
    if value is not None and value < 0:
        raise CellRefused(f"“{text}” is negative. A cost is 0 or more.")
    return value


def costs_of(store: Store, given: Sequence[Typed], *, since: date | None, today: date) -> tuple[list[VariantCost], list[Refused]]:
    """Return the costs that rows make from a day on (None: always), and what is wrong with rows; those that change nothing are left out."""
    standing = _standing(store, {row.variant for row in given})
    made, wrong, seen = list[VariantCost](), list[Refused](), dict[int, str]()
    for row in given:
        if all(value is None for value in row.parts.values()):
            continue
        if row.variant in seen:
            wrong.append(Refused(row.where, f"This is the same variant as “{seen[row.variant]}”. Keep one of them.", row.variant))
            continue
        seen[row.variant] = row.where
        own = standing.get(row.variant, [])
        try:
            cost = _cost(store, row, holding(own, today), since)
        except CellRefused as refused:
            wrong.append(Refused(row.where, str(refused), row.variant))
            continue
        by_hand = holding([each for each in own if each.origin == CostOrigin.MANUAL], since)
        if by_hand is None or not _same(cost, by_hand):
            made.append(cost)
    return made, wrong


def _cost(store: Store, row: Typed, now: VariantCost | None, since: date | None) -> VariantCost:
    """Fill what was not given from the cost that holds today, where that is in the same currency."""
    left = [name for name in PARTS if row.parts[name] is None]
    if now is None:
        if row.parts["goods"] is None:
            raise CellRefused("Give what the goods cost as well; 0 if they cost nothing.")
        kept: dict[str, Decimal] = {}
    else:
        kept = {name: getattr(now, name) for name in left}
        foreign = [name for name in left if kept[name] and now.currency != row.currency]
        if foreign:
            told = " and ".join(foreign)
            raise CellRefused(f"What stands for {told} is in {now.currency}. Give every part in {row.currency}, 0 for none.")
    parts = {name: given if given is not None else kept.get(name, _ZERO) for name, given in row.parts.items()}
    return VariantCost(store_id=store.pk, variant_id=row.variant, currency=row.currency, effective_from=since, **parts)


def _same(one: VariantCost, other: VariantCost) -> bool:
    return one.currency == other.currency and all(getattr(one, name) == getattr(other, name) for name in PARTS)
