"""List what the demo's invented pottery shop sells, what that costs it, and where it sends it. Amounts are cents."""

from typing import NamedTuple


class Item(NamedTuple):
    """One thing for sale: its price with Irish VAT, what one unit costs landed at first, and how often it is chosen."""

    sku: str
    title: str
    line: str
    price: int
    goods: int
    freight: int
    packaging: int
    grams: int
    chosen: int
    """How often it is taken, against the others."""
    costs_known: bool = True
    """Whether the shop's owner has entered what it costs."""


LOSER = "PLANTER-L"
"""What is sold below what it costs since the clay got dearer."""

ITEMS: tuple[Item, ...] = (
    Item("MUG-BLUE", "Stoneware mug, blue", "Mugs", 1_800, 430, 40, 25, 380, 62),
    Item("MUG-SAND", "Stoneware mug, sand", "Mugs", 1_800, 430, 40, 25, 380, 48),
    Item("MUG-MOSS", "Stoneware mug, moss", "Mugs", 1_800, 430, 40, 25, 380, 34),
    Item("MUG-NIGHT", "Stoneware mug, night", "Mugs", 1_800, 430, 40, 25, 380, 38),
    Item("MUG-XL", "Soup mug", "Mugs", 2_400, 610, 55, 30, 520, 22),
    Item("ESPRESSO-2", "Espresso cups, pair", "Mugs", 2_600, 640, 50, 30, 360, 24),
    Item("TUMBLER", "Travel tumbler", "Mugs", 3_200, 980, 70, 35, 450, 16),
    Item("BOWL-S", "Dipping bowl", "Bowls", 1_600, 350, 30, 20, 260, 20),
    Item("BOWL-M", "Cereal bowl", "Bowls", 2_400, 560, 55, 30, 540, 34),
    Item("BOWL-L", "Serving bowl", "Bowls", 4_200, 1_150, 110, 60, 1_300, 17),
    Item("BOWL-RAMEN", "Ramen bowl", "Bowls", 2_900, 720, 70, 35, 680, 19),
    Item("BOWL-DOG", "Dog bowl", "Bowls", 3_400, 880, 90, 45, 1_100, 9),
    Item("PLATE-S", "Side plate", "Plates", 1_900, 420, 45, 25, 420, 22),
    Item("PLATE-D", "Dinner plate", "Plates", 2_800, 660, 75, 35, 780, 24),
    Item("PLATTER", "Oval platter", "Plates", 5_800, 1_690, 160, 90, 1_800, 8),
    Item("BUTTER", "Butter dish", "Table", 3_400, 860, 70, 40, 640, 15),
    Item("JUG", "Milk jug", "Table", 3_800, 940, 75, 45, 700, 14),
    Item("TEAPOT", "Teapot", "Table", 6_800, 2_050, 140, 90, 1_250, 10),
    Item("SALT", "Salt cellar", "Table", 1_400, 300, 25, 20, 220, 18),
    Item("SPOON-REST", "Spoon rest", "Table", 1_200, 240, 20, 15, 180, 20),
    Item("VASE-BUD", "Bud vase", "Vases", 2_900, 690, 60, 40, 450, 26),
    Item("VASE-TALL", "Tall vase", "Vases", 6_400, 1_880, 190, 110, 1_900, 9),
    Item("VASE-MOON", "Moon jar", "Vases", 7_800, 2_390, 210, 120, 2_200, 6),
    Item("PLANTER-S", "Planter, small", "Planters", 2_200, 560, 90, 35, 900, 18),
    Item("PLANTER-M", "Planter, medium", "Planters", 3_100, 850, 150, 45, 1_700, 13),
    Item("PLANTER-L", "Planter, large", "Planters", 3_900, 1_180, 260, 60, 3_600, 21),
    Item("CANDLE-BEES", "Beeswax candle", "Candles", 1_200, 310, 20, 15, 210, 40),
    Item("CANDLE-FIG", "Candle, fig leaf", "Candles", 2_400, 590, 35, 30, 420, 30),
    Item("CANDLE-SEA", "Candle, sea salt", "Candles", 2_400, 590, 35, 30, 420, 26),
    Item("CANDLE-FILL", "Candle refill", "Candles", 1_500, 380, 25, 15, 260, 18),
    Item("NAPKIN-4", "Linen napkins, four", "Linen", 3_600, 1_210, 60, 20, 240, 15, costs_known=False),
    Item("APRON", "Linen apron", "Linen", 4_800, 1_730, 80, 25, 420, 11, costs_known=False),
    Item("RUNNER", "Table runner", "Linen", 4_400, 1_560, 75, 25, 380, 8, costs_known=False),
    Item("TOWEL", "Tea towel", "Linen", 1_600, 480, 25, 10, 110, 26),
    Item("PRINT-A4", "Harbour print, A4", "Prints", 2_000, 260, 10, 45, 90, 14),
    Item("PRINT-A3", "Harbour print, A3", "Prints", 3_200, 410, 15, 70, 170, 9),
    Item("CARDS-6", "Cards, six", "Prints", 1_400, 220, 10, 15, 130, 20),
    Item("SET-MUG-2", "Gift box: two mugs", "Gift boxes", 3_800, 0, 0, 0, 860, 24),
    Item("SET-BREAKFAST", "Gift box: breakfast for two", "Gift boxes", 8_900, 0, 0, 0, 2_100, 9),
    Item("SET-CANDLE-3", "Gift box: three candles", "Gift boxes", 5_400, 0, 0, 0, 1_050, 12),
)

BUNDLES: dict[str, tuple[tuple[str, int], ...]] = {
    "SET-MUG-2": (("MUG-BLUE", 1), ("MUG-SAND", 1)),
    "SET-BREAKFAST": (("MUG-NIGHT", 2), ("BOWL-M", 2), ("TOWEL", 1)),
    "SET-CANDLE-3": (("CANDLE-BEES", 1), ("CANDLE-FIG", 1), ("CANDLE-SEA", 1)),
}
"""What is in a gift box: it costs what its parts cost."""

GIFT_CARDS = (2_500, 5_000)


class Place(NamedTuple):
    """A country: its share of orders, its VAT in per cent (0: sold without), postage charged, and what a parcel costs the shop."""

    country: str
    share: int
    vat: int
    postage: int
    free_from: int
    """Worth of the goods from which postage is free; 0: never."""
    parcel: int
    per_kilo: int
    carrier: str
    is_far: bool = False


PLACES: tuple[Place, ...] = (
    Place("IE", 46, 23, 490, 6_000, 535, 60, "Coastline Parcels"),
    Place("GB", 21, 0, 1_190, 10_000, 1_080, 170, "Coastline Parcels"),
    Place("DE", 11, 19, 990, 9_000, 960, 150, "Coastline Parcels"),
    Place("FR", 6, 20, 990, 9_000, 990, 160, "Coastline Parcels"),
    Place("NL", 5, 21, 990, 9_000, 930, 150, "Coastline Parcels"),
    Place("US", 8, 0, 1_990, 0, 1_640, 620, "Long Haul Air", is_far=True),
    Place("CA", 1, 0, 1_990, 0, 1_780, 690, "Long Haul Air", is_far=True),
    Place("AU", 2, 0, 1_990, 0, 1_990, 760, "Long Haul Air", is_far=True),
)
HOME = PLACES[0]
