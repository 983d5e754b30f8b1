"""Read files of what products cost, by SKU. Pure: texts in, costs out."""

from datetime import date
from typing import NamedTuple

from connectors.platforms.files.cost_sheet import Cell, Context, KeptRow, Kind, Layout, Readers, reading
from connectors.platforms.files.headers import Field
from connectors.platforms.files.order_charges import CURRENCY
from ledger.money import Tenk

PARTS = ("goods", "freight", "duty", "packaging")
"""The parts of what a unit costs landed, as rules name them."""

PRODUCT_COSTS = Kind(
    "product-costs", "Product costs by SKU",
    (
        Field("sku", "the SKU", ("sku", "variant sku", "seller sku", "item sku", "item code", "article number", "product code"), required=True),
        Field("goods", "the cost of the goods", (
            "goods", "cost of goods", "cost per item", "unit cost", "cost", "purchase price", "cost price", "goods cost", "landed cost", "cogs",
        ), required=True),
        Field("freight", "freight", ("freight", "inbound freight", "inbound shipping", "freight cost", "shipping")),
        Field("duty", "duty", ("duty", "duties", "customs", "customs duty", "import duty", "tariff")),
        Field("packaging", "packaging", ("packaging", "packing", "packaging cost")),
        CURRENCY,
        Field("day", "the first day", ("effective from", "valid from", "from", "start date", "effective date", "date")),
    ),
    PARTS, "day",
)  # fmt: skip


class ToldCost(NamedTuple):
    """What one row tells: what a unit of every variant with a SKU costs from a day on (None: the day the file is given)."""

    line: int
    sku: str
    parts: tuple[Tenk, ...]
    currency: str
    day: date | None


class CostReader:
    """Reads rows of one file of product costs, and sees that it tells each cost once."""

    def __init__(self, layout: Layout, context: Context) -> None:
        self._readers = Readers(layout, context)
        self._of = {field.name: PRODUCT_COSTS.place(field.name) for field in PRODUCT_COSTS.fields}
        self._seen: dict[tuple[str, date | None], int] = {}

    def check(self, row: KeptRow) -> None:
        """Raise Cell when a row cannot be used, or tells again what an earlier one told."""
        told = self.told(row)
        before = self._seen.setdefault((told.sku, told.day), told.line)
        if before != told.line:
            raise Cell("sku", f"line {before} tells the cost of “{told.sku}” from the same day; keep one of them")

    def told(self, row: KeptRow) -> ToldCost:
        """Read one row; raise Cell when it cannot be used."""
        readers = self._readers
        sku = reading("sku", readers.sku, row[self._of["sku"]])
        if not sku:
            raise Cell("sku", "the SKU is missing")
        if not row[self._of["goods"]]:
            raise Cell("goods", "the cost is missing; write 0 where a unit costs nothing")
        amounts = {part: reading(part, readers.amount, row[self._of[part]] or "0") for part in PARTS}
        for part, amount in amounts.items():
            if amount.units < 0:
                raise Cell(part, "a cost is not negative")
        currency = reading("currency", lambda text: readers.currency(text, amounts.values()), row[self._of["currency"]])
        day = row[self._of["day"]]
        parts = tuple(amount.units for amount in amounts.values())
        return ToldCost(int(row[0]), sku, parts, currency, reading("day", readers.day, day) if day else None)
