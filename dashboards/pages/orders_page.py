"""Lay out the list of orders: what stands in each row, which links beside it, and how margins are spread."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from django.urls import NoReverseMatch, reverse

from dashboards.forms.order_forms import FLAGS, View
from dashboards.forms.sorting import Heading
from ledger.kinds import FinancialStatus, Hold
from ledger.models import Seen, Store
from ledger.orders.order_list import Listed, Page
from ledger.orders.order_question import Flag, Key, Sort

FLAG_WORDS = {
    Flag.LOSS: "loss", Flag.ESTIMATED: "estimated", Flag.NO_COST: "no cost", Flag.REFUNDED: "refunded", Flag.DISPUTED: "disputed",
    Flag.EDITED: "edited",
}  # fmt: skip
FLAG_CLASS = {Flag.LOSS: "loss", Flag.ESTIMATED: "estimated", Flag.NO_COST: "estimated", Flag.DISPUTED: "held"}
COLUMNS = [(Sort.REVENUE, "Revenue"), (Sort.PROFIT, "Profit"), (Sort.MARGIN, "Margin")]


@dataclass(frozen=True, slots=True)
class Row:
    """One order as the list shows it; None where nothing is known, as of a held order."""

    order: Listed
    address: str
    channel: str
    flags: list[tuple[str, str]]

    @property
    def revenue(self) -> Decimal | None:
        """Return what was charged."""
        return None if self.order.hold else self.order.revenue

    @property
    def costs(self) -> list[Decimal | None]:
        """Return COGS, shipping, fees with tax, and marketing, negative as costs are."""
        order = self.order
        fees = order.tax + order.payment_fees + order.other_fees
        return [None if order.hold else -cost for cost in (order.cogs, order.shipping, fees, order.marketing_costs)]

    @property
    def other_costs(self) -> Decimal | None:
        """Return all costs but COGS: shipping, tax and fees, and marketing, negative."""
        return None if self.order.hold else self.order.profit - self.order.revenue + self.order.cogs

    @property
    def profit(self) -> Decimal | None:
        """Return what is left."""
        return None if self.order.hold else self.order.profit


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of the list."""

    rows: list[Row]
    newer: str
    older: str
    searched_to: Any
    """The day before which nothing was looked at; None when the list is whole."""


def listing(store: Store, view: View, page: Page) -> Listing:
    """Lay out a page of the list."""
    return Listing(rows_of(store, page.orders, view.channels), _link(view, page.newer), _link(view, page.older), page.looked_back_to)


def _link(view: View, key: Key | None) -> str:
    return "" if key is None else view.query(key=key)


def rows_of(store: Store, orders: Iterable[Listed], channels: dict[int, str]) -> list[Row]:
    """Lay out orders as rows."""
    return [Row(one, order_address(store, one.number), channels.get(one.channel, ""), flags_of(one)) for one in orders]


def order_address(store: Store, number: str) -> str:
    """Return the address of an order's page; empty for a number no address can hold."""
    try:
        return reverse("order", kwargs={"slug": store.slug, "number": number})
    except NoReverseMatch:
        return ""


class Flagged(Protocol):
    """What an order in a list and on its own page both tell of what is special about it."""

    @property
    def hold(self) -> int: ...
    @property
    def flags(self) -> frozenset[Flag]: ...
    @property
    def is_test(self) -> bool: ...
    @property
    def is_cancelled(self) -> bool: ...
    @property
    def is_withdrawn(self) -> bool: ...
    @property
    def counts(self) -> bool: ...
    @property
    def financial_status(self) -> int: ...


def flags_of(order: Flagged) -> list[tuple[str, str]]:
    """Name what is special about an order: (css class, words)."""
    named = [("held", f"held: {Hold(order.hold).label}")] if order.hold else []
    # What has no cost is an estimate; saying so twice on every second row would hide the rest.
    shown = order.flags - {Flag.ESTIMATED} if Flag.NO_COST in order.flags else order.flags
    named += [(FLAG_CLASS.get(flag, "quiet"), words) for flag, words in FLAG_WORDS.items() if flag in shown]
    named += [("quiet", "test")] if order.is_test else []
    named += [("quiet", "cancelled")] if order.is_cancelled else []
    named += [("quiet", "taken out")] if order.is_withdrawn else []
    if not (order.counts or order.is_test or order.is_withdrawn or order.hold):
        named.append(("quiet", f"not counted ({FinancialStatus(order.financial_status).label})"))
    return named


def headings(view: View) -> dict[str, Heading]:
    """Return the headings that sort, by what they sort by."""
    named = [(Sort.DAY, "Placed"), *COLUMNS]
    choice = view.choice
    return {
        sort.value: Heading(words, view.sorted_by(sort), ("descending" if choice.descending else "ascending") if choice.sort == sort else "none")
        for sort, words in named
    }


def flag_choices(view: View) -> list[tuple[str, str, bool]]:
    """Return the flags to narrow by: key, words, whether it is chosen."""
    return [(flag.value, words, flag in view.choice.flags) for flag, words in FLAGS.items()]


def gateways(store: Store) -> list[str]:
    """Return the gateways that recent charges named."""
    found = Seen.objects.filter(store=store, kind=Seen.Kind.GATEWAY).exclude(name="").order_by("name")
    return list(found.values_list("name", flat=True).distinct()[:50])


def told(store: Store, view: View, channels: dict[int, str]) -> list[tuple[str, str]]:
    """Say what narrows the list, each with the query that leaves it out."""
    choice = view.choice
    days = " to ".join(f"{day:%-d %b %Y}" if day else open_end for day, open_end in ((choice.first, "the first day"), (choice.last, "now")))
    parts: list[tuple[str, dict[str, Any]]] = [(f"number or id “{choice.named}”", {"q": ""})] if choice.named else []
    parts += [(days, {"from": None, "to": None})] if choice.first or choice.last else []
    chosen = [flag for flag in FLAGS if flag in choice.flags]
    parts += [(FLAGS[flag].lower(), {"flag": [one for one in chosen if one != flag]}) for flag in chosen]
    parts += [(f"sold on {channels.get(choice.channel, choice.channel)}", {"channel": None})] if choice.channel is not None else []
    parts += [(f"to {choice.country}", {"country": ""})] if choice.country else []
    parts += [(f"paid through {choice.gateway}", {"gateway": ""})] if choice.gateway else []
    parts += [(f"with the code {choice.code.upper()}", {"code": ""})] if choice.code else []
    parts += [(f"that came from {choice.source}", {"source": ""})] if choice.source else []
    return [(words, view.query(changes=changes)) for words, changes in parts]
