"""Read Shopify's product export, the older and the newer form of it: what a unit of each SKU costs. Pure: texts in, costs out."""

from typing import NamedTuple

from connectors.platforms.files.cost_sheet import Cell, Context, KeptRow, Kind, Layout, Readers, reading
from connectors.platforms.files.headers import Field
from connectors.platforms.files.product_costs import ToldCost
from connectors.platforms.files.values import HEAVIEST
from ledger.money import SCALE, Tenk, divide_half_even

SHOPIFY_PRODUCTS = Kind(
    "shopify-products", "Shopify product export",
    (
        Field("handle", "the handle", ("handle", "url handle"), required=True),
        Field("title", "the title", ("title",), required=True),
        Field("sku", "the SKU", ("variant sku", "sku"), required=True),
        Field("price", "the price", ("variant price", "price"), required=True),
        Field("goods", "the cost", ("cost per item",), required=True),
        Field("grams", "the weight in grams", ("variant grams", "weight value grams")),
        Field("option1", "the first option", ("option1 value",)),
        Field("option2", "the second option", ("option2 value",)),
        Field("option3", "the third option", ("option3 value",)),
    ),
    ("price", "goods", "grams"), "",
)  # fmt: skip
NO_OPTION = "default title"
IMAGE, NO_NAME, NO_COST = "rows of further images", "variants without a SKU and a title", "variants without a cost"


class ToldVariant(NamedTuple):
    """What one row tells of a variant; `left_out` says why it tells no cost, and is empty where it does."""

    line: int
    sku: str
    title: str
    cost: Tenk
    currency: str
    left_out: str = ""
    grams: int | None = None

    def as_cost(self) -> ToldCost:
        """Return the cost it tells, from the day the file is given."""
        return ToldCost(self.line, self.sku or self.title, (self.cost, 0, 0, 0), self.currency, None)


class ProductReader:
    """Reads rows of one product export in order: only a product's first row has its title."""

    def __init__(self, layout: Layout, context: Context) -> None:
        self._readers = Readers(layout, context)
        self._names = [field.name for field in SHOPIFY_PRODUCTS.fields]
        self._titles: dict[str, str] = {}

    def check(self, row: KeptRow) -> None:
        """Raise Cell when a row cannot be used."""
        self.told(row)

    def told(self, row: KeptRow) -> ToldVariant:
        """Read one row; raise Cell when it cannot be used."""
        texts, readers = dict(zip(self._names, row[1:], strict=True)), self._readers
        if texts["title"]:
            self._titles[texts["handle"]] = texts["title"]
        line, sku = int(row[0]), reading("sku", readers.sku, texts["sku"])
        if not texts["price"]:
            return ToldVariant(line, sku, "", 0, "", IMAGE)
        reading("price", readers.amount, texts["price"])
        options = [text for text in (texts[f"option{number}"] for number in (1, 2, 3)) if text and text.lower() != NO_OPTION]
        title = " - ".join([self._titles.get(texts["handle"], ""), " / ".join(options)]).strip(" -")[:255]
        if not texts["goods"] or not (sku or title):
            return ToldVariant(line, sku, title, 0, "", NO_COST if sku or title else NO_NAME, self._grams(texts["grams"]))
        cost = reading("goods", readers.amount, texts["goods"])
        if cost.units < 0:
            raise Cell("goods", "a cost is not negative")
        currency = reading("goods", lambda text: readers.currency("", [cost]), texts["goods"])
        return ToldVariant(line, sku, title, cost.units, currency, grams=self._grams(texts["grams"]))

    def _grams(self, text: str) -> int | None:
        """Read a weight; none, and the 0 that Shopify writes where nobody entered one, is not known."""
        units = int(reading("grams", self._readers.amount, text).units) if text else 0
        if not 0 <= units <= HEAVIEST * SCALE:
            raise Cell("grams", f"“{text[:40]}” is no weight; write grams, such as 250")
        return divide_half_even(units, SCALE) or None
