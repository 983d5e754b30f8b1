"""Suggest which order a file means where it writes the number otherwise than the platform does."""

import re
from collections.abc import Collection

from ledger.charges.charge_rows import bare, orders_named
from ledger.models import Order, Store


def likely_orders(store: Store, refs: Collection[str]) -> dict[str, tuple[int, str]]:
    """Return, by name as a file writes it, the only order that a likely other spelling fits: its id and number.

    Tried are the name without leading zeros, its part before a dash, slash or dot, its longest run of figures, and that
    between what the store's numbers usually begin and end with. A name that fits several spellings' orders has none.
    """
    latest = Order.objects.filter(store=store, withdrawn_at=None).order_by("-pk").values_list("number", flat=True).first()
    spellings = {ref: _spellings(ref, latest or "") for ref in refs}
    named = orders_named(store.pk, {spelling for each in spellings.values() for spelling in each})
    found = {ref: {order for spelling in each for order in named.get(spelling, ())} for ref, each in spellings.items()}
    only = {ref: next(iter(orders)) for ref, orders in found.items() if len(orders) == 1}
    numbers = dict(Order.objects.filter(store=store, pk__in=set(only.values())).values_list("pk", "number"))
    return {ref: (order, numbers[order]) for ref, order in only.items() if order in numbers}


def _spellings(ref: str, latest: str) -> set[str]:
    first = re.split(r"[-/. ]", ref, maxsplit=1)[0]
    figures = max(re.findall(r"\d+", ref), key=len, default="").lstrip("0")
    affixes = re.fullmatch(r"(\D*)\d+(\D*)", bare(latest))
    usual = f"{affixes[1]}{figures}{affixes[2]}" if affixes and figures else ""
    return {spelling for spelling in (ref, ref.upper(), ref.lstrip("0"), first, first.lstrip("0"), figures, usual) if spelling}
