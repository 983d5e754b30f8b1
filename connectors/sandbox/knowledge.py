"""Say what can be known of a business by a moment: its costs, its days, its rates.

A platform tells today's unit cost and today's time zone, not yesterday's. Who began to watch a shop late, or looks at its
catalogue only now and then, cannot know what held meanwhile; the truth that can be asked of them is the truth as far as it
could be known.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from connectors.sandbox.business import Shop, UnitCost, Variant
from connectors.sandbox.catalogue import Catalogue
from connectors.sandbox.money import digits
from connectors.sandbox.rates import euro_rates

TENTH_DIGIT = Decimal("0.0000000001")


class Knowledge:
    """What is known at a moment by somebody who has watched a shop since one (None: always).

    `looks` are the moments at which they read its catalogue; without them, they learn each change on its day.
    """

    def __init__(
        self, shop: Shop, catalogue: Catalogue, *, at: datetime, watched_since: datetime | None = None, looks: Sequence[datetime] = ()
    ) -> None:
        self._looks = sorted(look for look in looks if look <= at)
        self._since = watched_since if watched_since is not None or not looks else min(looks)
        self._shop, self._catalogue, self._at = shop, catalogue, at
        self._histories: dict[int, list[tuple[date, int]]] = {}

    def day(self, moment: datetime) -> date:
        """Return the day a moment fell on, by the clock of the shop then; before it was watched, by the clock first seen."""
        seen = max(moment, self._since) if self._since is not None else moment
        return moment.astimezone(ZoneInfo(self._shop.at(seen).zone)).date()

    def cost(self, variant: int | None, day: date) -> tuple[Decimal | None, bool]:
        """Return what one unit of a variant costs on a day, and whether that is a guess; None where nobody has said yet."""
        if variant is None:
            return None, False
        history = self._history(variant)
        if not history:
            return None, False
        held = [minor for since, minor in history if since <= day]
        currency = self._shop.at(self._at).currency
        return (held[-1] if held else history[0][1]) * Decimal(1).scaleb(-digits(currency)), not held

    def _history(self, variant: int) -> list[tuple[date, int]]:
        if variant not in self._histories:
            found = self._catalogue.variants.get(variant)
            known = found is not None and not (self._since is not None and self._catalogue.is_gone(found, self._since))
            self._histories[variant] = self._seen(found) if found is not None and known else []
        return self._histories[variant]

    def _seen(self, variant: Variant) -> list[tuple[date, int]]:
        """List the costs that were seen, and from which day each holds."""
        if self._looks:
            return self._looked_at(variant)
        costs: list[UnitCost] = [each for each in variant.costs if each.changed_at <= self._at]
        if self._since is not None:
            before = [each for each in costs if each.changed_at <= self._since][-1:]
            costs = before + [each for each in costs if each.changed_at > self._since]
        return [(each.since, each.minor) for each in costs if each.minor is not None]

    def _looked_at(self, variant: Variant) -> list[tuple[date, int]]:
        found: list[tuple[date, int]] = []
        for look in self._looks:
            cost = None if self._catalogue.is_gone(variant, look) else variant.cost_at(look)
            if cost is not None and (not found or found[-1][1] != cost):
                found.append((self.day(look), cost))
        return found

    def paid_out(self, minor: int, currency: str, day: date) -> Decimal:
        """Return minor units of the payout currency in another, at a day's rate."""
        return self.exchanged(minor, self._shop.payout_currency, currency, day)

    def exchanged(self, minor: int, source: str, target: str, day: date) -> Decimal:
        """Convert minor units at the central bank's rate of a day, at weekends the last before: ten digits, then to the cent, half-even."""
        amount = minor * Decimal(1).scaleb(-digits(source))
        if source == target:
            return amount
        rate = (_euro(target, day) / _euro(source, day)).quantize(TENTH_DIGIT, ROUND_HALF_EVEN)
        return (amount * rate).quantize(Decimal(1).scaleb(-digits(target)), ROUND_HALF_EVEN)


@lru_cache(maxsize=4096)
def _euro(currency: str, day: date) -> Decimal:
    if currency == "EUR":
        return Decimal(1)
    while not (quoted := euro_rates(day)):
        day -= timedelta(days=1)
    return quoted[currency]
