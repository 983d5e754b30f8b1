"""Make up who buys, without keeping them: every customer follows from the seed and from the order that made them one.

Orders are counted through the life of a business: order n is the n-th ever placed. A customer's id is the number of
their first order, so that a returning buyer is found by looking back, not by remembering.
"""

from datetime import datetime

from connectors.sandbox.business import Customer
from connectors.sandbox.habits import Habits

MASK = (1 << 64) - 1
CUSTOMER_IDS = 8_000_000_000
Home = tuple[str, str, str, int]
"""Country, province, zip, and the tax of the place in millionths."""
HOMES = (
    ("US", "CA", "94107", 72_500), ("US", "NY", "10001", 88_750), ("US", "TX", "73301", 62_500), ("US", "OR", "97201", 0),
    ("US", "WA", "98101", 65_000), ("US", "FL", "33101", 60_000), ("US", "IL", "60601", 62_500), ("US", "NH", "03031", 0),
)  # fmt: skip
ABROAD = (("CA", "ON", "M5V 2T6", 130_000), ("GB", "ENG", "EC1A 1BB", 200_000), ("DE", "BE", "10115", 190_000), ("AU", "NSW", "2000", 100_000))
GERMAN_HOMES = (("DE", "BE", "10115", 190_000), ("DE", "BY", "80331", 190_000), ("DE", "HH", "20095", 190_000))
GERMAN_ABROAD = (("AT", "", "1010", 200_000), ("FR", "", "75001", 200_000), ("CH", "", "8001", 0), ("US", "NY", "10001", 0))


def mix(*numbers: int) -> int:
    """Return a 64-bit number that looks random and depends on all of the numbers (the finaliser of splitmix64)."""
    found = 0
    for number in numbers:
        found = (found ^ number) + 0x9E3779B97F4A7C15 & MASK
        found = (found ^ found >> 30) * 0xBF58476D1CE4E5B9 & MASK
        found = (found ^ found >> 27) * 0x94D049BB133111EB & MASK
        found ^= found >> 31
    return found


class People:
    """The customers of a business."""

    def __init__(self, seed: int, habits: Habits) -> None:
        self._seed, self._returning = seed, habits.returning
        german = habits.country == "DE"
        self._homes: tuple[Home, ...] = GERMAN_HOMES if german else HOMES
        self._abroad: tuple[Home, ...] = GERMAN_ABROAD if german else ABROAD
        self._share_abroad = habits.abroad

    def first_order(self, number: int) -> int:
        """Return the number of the first order of whoever placed an order; the number itself for a new customer."""
        while number:
            drawn = mix(self._seed, number)
            if drawn % 10_000 >= self._returning:
                break
            # most come back soon: the square of a fraction reaches back far only now and then
            back = (drawn >> 20) & 0xFFFF
            number -= 1 + (number - 1) * back * back // (1 << 32)
        return number

    def home(self, first_order: int) -> tuple[str, str, str, int]:
        """Return country, province, zip and tax rate of a customer."""
        drawn = mix(self._seed, first_order, 1)
        homes = self._abroad if drawn % 10_000 < self._share_abroad else self._homes
        return homes[(drawn >> 16) % len(homes)]

    def customer(self, first_order: int, created_at: datetime) -> Customer:
        """Return a customer by their first order."""
        country, province, code, _ = self.home(first_order)
        email = f"{mix(self._seed, first_order, 2):016x}@example.com"
        return Customer(CUSTOMER_IDS + first_order, created_at, email, country, province, code)
