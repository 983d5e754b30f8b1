"""Name what a store sells, and whom it works with, as spreadsheets do: by SKU and title, never by a number of ours."""

import re
from collections.abc import Iterable
from functools import cached_property
from typing import NamedTuple

from ledger.admin.cells import CellRefused
from ledger.admin.order_names import OrderNames
from ledger.models import Channel, Partner, Product, Store, Variant

_SHORTENED = re.compile(r"\d(\.\d+)?E\+?\d+", re.IGNORECASE)
_MONTH = "(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
_DAY = re.compile(rf"\d{{4}}-\d{{2}}-\d{{2}}|\d{{1,2}}[./-]{_MONTH}|{_MONTH}[./-]\d{{1,2}}", re.IGNORECASE)
TOLD = 3
"""Names listed where several fit."""


class Named(NamedTuple):
    """A variant and what it is called."""

    pk: int
    sku: str
    product: str
    title: str


class Names:
    """Finds the products, variants, partners and channels of one store by their names, and writes those names."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.orders = OrderNames(store)

    @cached_property
    def products(self) -> dict[int, str]:
        """Return every product's name; the platform's id is added where two are called the same."""
        rows = Product.objects.filter(store=self.store).values_list("pk", "title", "external_id")
        return _distinct((pk, (title or external_id,), external_id) for pk, title, external_id in rows)

    @cached_property
    def variants(self) -> dict[int, Named]:
        """Return every variant's names; the platform's id is added to the title where nothing else tells two apart."""
        rows = list(Variant.objects.filter(store=self.store).values_list("pk", "sku", "product_id", "title", "external_id"))
        titles = _distinct(
            (pk, (title, self.products[product], sku), external_id) for pk, sku, product, title, external_id in rows
        )  # fmt: skip
        return {pk: Named(pk, sku, self.products[product], titles[pk]) for pk, sku, product, _, _ in rows}

    @cached_property
    def _products_by_name(self) -> dict[str, list[int]]:
        return _by_name((pk, name) for pk, name in self.products.items())

    @cached_property
    def _variants_by_sku(self) -> dict[str, list[int]]:
        return _by_name((named.pk, named.sku) for named in self.variants.values() if named.sku)

    @cached_property
    def _variants_by_title(self) -> dict[str, list[int]]:
        return _by_name((named.pk, f"{named.product}\0{named.title}") for named in self.variants.values())

    @cached_property
    def _partners(self) -> dict[int, str]:
        return dict(Partner.objects.filter(store=self.store).values_list("pk", "name"))

    @cached_property
    def _channels(self) -> dict[str, str]:
        return {word.casefold(): key for key, label in Channel.objects.filter(store=self.store).values_list("key", "label") for word in (label, key)}

    def product(self, name: str) -> int:
        """Return the key of a product by its name; raise CellRefused where there is none or there are several."""
        return _only(self._products_by_name.get(name.casefold(), []), f"product “{name}”", self.store, self.products)

    def variant(self, sku: str, product: str = "", title: str = "") -> int:
        """Return the key of a variant by its SKU; by product and title where it has none, or where several share it."""
        found = self._variants_by_sku.get(sku.casefold(), []) if sku else self._variants_by_title.get(f"{product}\0{title}".casefold(), [])
        exact = [pk for pk in found if self.variants[pk].sku == sku]  # without a SKU: those that have none
        found = exact or found
        if len(found) > 1:
            narrowed = [pk for pk in found if (self.variants[pk].product, self.variants[pk].title) == (product, title)]
            found = narrowed or found
        if sku and not found:
            raise CellRefused(f"{self.store} sells nothing with the SKU “{sku}”. {self._advice(sku)}")
        told = {pk: f"{self.variants[pk].product} {self.variants[pk].title}".strip() for pk in found}
        return _only(found, f"SKU “{sku}”" if sku else f"variant “{product} {title}”", self.store, told)

    def _advice(self, sku: str) -> str:
        if _SHORTENED.fullmatch(sku):
            return "Excel has shortened it: format the column as text and enter the SKU again."
        if sku.isdigit():
            meant = next((named.sku for named in self.variants.values() if named.sku.isdigit() and named.sku.lstrip("0") == sku.lstrip("0")), None)
            if meant is not None:
                return f"Is “{meant}” meant? Excel drops zeros at the front: format the column as text and enter the SKU again."
        if _DAY.fullmatch(sku):
            return "Excel may have taken it for a day: format the column as text and enter the SKU again."
        return "Correct it, or take the row out: a variant is known here once an order has sold it."

    def partner(self, name: str) -> int:
        """Return the key of a partner by name; raise CellRefused where there is none."""
        found = [pk for pk, known in self._partners.items() if known.casefold() == name.casefold()]
        return _only(found, f"partner “{name}”", self.store, self._partners)

    def partner_name(self, pk: int) -> str:
        """Return a partner's name."""
        return self._partners[pk]

    def channel(self, name: str) -> str:
        """Return the key of a sales channel by its name; raise CellRefused naming those there are."""
        try:
            return self._channels[name.casefold()]
        except KeyError:
            there = ", ".join(sorted(set(self._channels.values()))) or "none yet"
            raise CellRefused(f"{self.store} has no sales channel “{name}”. Channels: {there}.") from None


def _only(found: list[int], what: str, store: Store, told: dict[int, str]) -> int:
    if len(found) == 1:
        return found[0]
    if not found:
        raise CellRefused(f"{store} has no {what}. Correct it, or take the row out.")
    some = ", ".join(f"“{told[pk]}”" for pk in found[:TOLD]) + (" and others" if len(found) > TOLD else "")
    raise CellRefused(f"{what[0].upper()}{what[1:]} is more than one: {some}. Name the one you mean as an export does.")


def _by_name(rows: Iterable[tuple[int, str]]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for pk, name in rows:
        found.setdefault(name.casefold(), []).append(pk)
    return found


def _distinct(rows: Iterable[tuple[int, tuple[str, ...], str]]) -> dict[int, str]:
    """Return the first word of each row by its key, with its id added where all its words stand twice."""
    known = list(rows)
    counts: dict[tuple[str, ...], int] = {}
    for _, words, _ in known:
        counts[_folded(words)] = counts.get(_folded(words), 0) + 1
    return {pk: words[0] if counts[_folded(words)] == 1 else f"{words[0]} [{external_id}]".strip() for pk, words, external_id in known}


def _folded(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word.casefold() for word in words)
