"""Write amounts, moments and ids as Shopify's answers have them. The rows made here are shared: nobody changes them."""

from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import Any

from connectors.sandbox.money import digits, exchange
from connectors.sandbox.told import Order, TaxLine

Row = dict[str, Any]


def decimal(minor: int, places: int) -> str:
    """Return minor units as Shopify's Decimal: zeros at the end are cut, but one digit behind the point stays."""
    if places == 0:
        return f"{minor}.0"
    whole, rest = divmod(abs(minor), 10**places)
    text = f"{'-' if minor < 0 else ''}{whole}.{rest:0{places}d}".rstrip("0")
    return text + "0" if text.endswith(".") else text


def price(minor: int, currency: str) -> str:
    """Return minor units as Shopify's Money, which keeps its zeros."""
    places = digits(currency)
    return f"{minor // 10**places}.{minor % 10**places:0{places}d}" if places else str(minor)


@lru_cache(maxsize=50_000)
def money(minor: int, currency: str) -> Row:
    """Return a MoneyV2."""
    return {"amount": decimal(minor, digits(currency)), "currencyCode": currency}


@lru_cache(maxsize=100_000)
def bag(minor: int, currency: str, presented: str, rate: int) -> Row:
    """Return a MoneyBag of an amount in the shop's currency and what that is in the one its customer paid in."""
    shop = money(minor, currency)
    other = shop if presented == currency else money(exchange(minor, rate, currency, presented), presented)
    return {"shopMoney": shop, "presentmentMoney": other}


class Bags:
    """Write the amounts of one order."""

    __slots__ = ("_currency", "_presented", "_rate")

    def __init__(self, order: Order) -> None:
        self._currency, self._presented, self._rate = order.currency, order.presentment_currency, order.presentment_rate

    def of(self, minor: int) -> Row:
        """Return a MoneyBag."""
        return bag(minor, self._currency, self._presented, self._rate)

    def or_null(self, minor: int, *, there: bool) -> Row | None:
        """Return a MoneyBag, or null where an order has nothing of the kind."""
        return self.of(minor) if there else None

    def tax(self, line: TaxLine) -> Row:
        """Return a tax line."""
        return {
            "title": line.title, "rate": line.rate / 1_000_000, "ratePercentage": line.rate / 10_000, "channelLiable": line.channel_liable,
            "priceSet": self.of(line.amount),
        }  # fmt: skip


@lru_cache(maxsize=50_000)
def stamp(moment: datetime) -> str:
    """Return a moment as a DateTime."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def stamped(moment: datetime | None) -> str | None:
    """Return a moment as a DateTime; none as null."""
    return stamp(moment) if moment is not None else None


def day_stamp(day: date | None) -> str | None:
    """Return the beginning of a day as a DateTime; none as null."""
    return stamp(datetime.combine(day, time(), UTC)) if day is not None else None
