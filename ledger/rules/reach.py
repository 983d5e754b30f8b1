"""Say which orders a change of cost rules can reach, so that only those are looked at and drafted again.

The answer may name orders that turn out unchanged, never leave one out that would change.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from django.db import connection
from django.db.models import Q
from msgspec import Struct

from ledger.models import (
    BundlePart,
    CogsRule,
    CostChange,
    CostOverride,
    FeeRule,
    ManualCost,
    PartnerCode,
    ProfitGoal,
    ShippingRule,
    Store,
    VariantCost,
)
from ledger.models.rules import Rule

COGS = frozenset({CogsRule, VariantCost, BundlePart, CostOverride})
"""Rules that move nothing of an order but what its units cost."""

READ_AHEAD = 20
"""Chunks whose orders are read at once."""

Part = tuple[str, list[Any]]
"""A condition on `ledger_order o` with its parameters."""


class Reach(Struct, frozen=True):
    """Orders of one store, as a condition on `ledger_order o`."""

    store: int
    condition: str
    parameters: tuple[Any, ...]
    only_cogs: bool
    """Whether nothing but unit costs and COGS can move."""

    def ids(self, *, after: int = 0, limit: int | None = None) -> list[int]:
        """Return the orders' ids, ascending, past `after`, at most `limit`."""
        sql = f"SELECT o.id FROM ledger_order o WHERE o.store_id = %s AND o.id > %s AND ({self.condition}) ORDER BY o.id"
        with connection.cursor() as cursor:
            cursor.execute(sql + ("" if limit is None else " LIMIT %s"), [self.store, after, *self.parameters, *([] if limit is None else [limit])])
            return [row[0] for row in cursor.fetchall()]

    def chunks(self, size: int) -> Iterator[list[int]]:
        """Yield the orders' ids, ascending, so many at a time.

        Finding them looks at every order of the store, so more than one chunk's are read ahead.
        """
        last = 0
        while found := self.ids(after=last, limit=READ_AHEAD * size):
            yield from (found[start : start + size] for start in range(0, len(found), size))
            last = found[-1]

    def count(self) -> int:
        """Return how many orders they are."""
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM ledger_order o WHERE o.store_id = %s AND ({self.condition})", [self.store, *self.parameters])
            return int(cursor.fetchone()[0])


def every_order(store: Store) -> Reach:
    """Reach every order of a store, in everything that is drafted of it."""
    return Reach(store.pk, "true", (), only_cogs=False)


def reach_since(store: Store, after: int, through: int) -> Reach:
    """Return the orders that the changes reach which made the book's costs versions past `after`, up to `through`.

    They are every order where something else than a kept change made one of them (the defaults did, or a rate).
    """
    changes = CostChange.objects.filter(store=store, costs_version__gt=after, costs_version__lte=through).values("pk")
    if changes.count() != through - after:
        return every_order(store)
    changed = [rule for kind in _OF_KIND for rule in kind._default_manager.filter(Q(added_by__in=changes) | Q(removed_by__in=changes), store=store)]
    return reach_of(store, changed)


def reach_of(store: Store, changed: Iterable[Rule]) -> Reach:
    """Return the orders that rules, added or removed, can reach."""
    by_kind: dict[type[Rule], list[Any]] = {}
    for rule in changed:
        by_kind.setdefault(type(rule), []).append(rule)
    parts = [part for kind, rules in by_kind.items() for part in _OF_KIND[kind](store, rules)]
    condition = " OR ".join(f"({sql})" for sql, _ in parts) or "false"
    return Reach(store.pk, condition, tuple(value for _, values in parts for value in values), only_cogs=set(by_kind) <= COGS)


def _days(rule: Rule, column: str = "o.day") -> Part:
    parts: Sequence[tuple[str, Any]] = ((f"{column} >= %s", rule.effective_from), (f"{column} <= %s", rule.effective_to))
    known = [(sql, value) for sql, value in parts if value is not None]
    return " AND ".join(sql for sql, _ in known) or "true", [value for _, value in known]


def _and(*parts: Part) -> Part:
    return " AND ".join(sql for sql, _ in parts), [value for _, values in parts for value in values]


_LINE_OF = "EXISTS (SELECT 1 FROM ledger_orderline l WHERE l.store_id = o.store_id AND l.order_id = o.id AND l.variant_id = ANY(%s::bigint[]))"
_LINE_OF_PRODUCT = (
    "EXISTS (SELECT 1 FROM ledger_orderline l JOIN ledger_variant v ON v.id = l.variant_id "
    "WHERE l.store_id = o.store_id AND l.order_id = o.id AND v.product_id = %s)"
)


def _cogs_rules(store: Store, rules: Sequence[CogsRule]) -> list[Part]:
    return [_and(_days(rule), ("true", []) if rule.product_id is None else (_LINE_OF_PRODUCT, [rule.product_id])) for rule in rules]


def _variant_costs(store: Store, rules: Sequence[VariantCost]) -> list[Part]:
    # Whatever its day: the first cost known also serves the time before it, and ends where the next begins.
    variants = {rule.variant_id for rule in rules}
    bundles = BundlePart.objects.filter(store=store, component__in=variants).values_list("bundle_id", flat=True)
    return [(_LINE_OF, [sorted(variants | set(bundles))])]


def _bundle_parts(store: Store, rules: Sequence[BundlePart]) -> list[Part]:
    return [(_LINE_OF, [sorted({rule.bundle_id for rule in rules})])]


def _overrides(store: Store, rules: Sequence[CostOverride]) -> list[Part]:
    return [("o.id = ANY(%s::bigint[])", [sorted({rule.order_id for rule in rules})])]


def _fee_rules(store: Store, rules: Sequence[FeeRule]) -> list[Part]:
    parts = []
    for rule in rules:
        days, values = _days(rule, "p.day")
        # drafting takes every kind of space off a gateway's name, which SQL's trim does not
        gateway = ("position(%s in lower(p.gateway)) > 0", [rule.gateway]) if rule.gateway else ("true", [])
        currency = ("o.currency = %s", [rule.currency]) if rule.currency else ("true", [])
        sql, values = _and((days, values), gateway, currency)
        parts.append((f"EXISTS (SELECT 1 FROM ledger_payment p WHERE p.store_id = o.store_id AND p.order_id = o.id AND {sql})", values))
    return parts


def _shipping_rules(store: Store, rules: Sequence[ShippingRule]) -> list[Part]:
    return [_days(rule) for rule in rules]


def _partner_codes(store: Store, rules: Sequence[PartnerCode]) -> list[Part]:
    return [_and(_days(rule), ("o.discount_codes && ARRAY[%s]::varchar[]", [rule.code])) for rule in rules]


def _manual_costs(store: Store, rules: Sequence[ManualCost]) -> list[Part]:
    parts = []
    for rule in rules:
        if rule.basis in ManualCost.OF_ORDERS:
            channel = (
                ("o.channel = (SELECT c.number FROM ledger_channel c WHERE c.store_id = o.store_id AND c.key = %s)", [rule.channel])
                if rule.channel else ("true", [])
            )  # fmt: skip
            product = ("true", []) if rule.product_id is None else (_LINE_OF_PRODUCT, [rule.product_id])
            partner: Part = ("true", []) if rule.partner_id is None else ("o.discount_codes <> '{}'", [])
            parts.append(_and(_days(rule), channel, product, partner))
    return parts


def _none(store: Store, rules: Sequence[Any]) -> list[Part]:
    return []


_OF_KIND: dict[type[Rule], Callable[[Store, Sequence[Any]], list[Part]]] = {
    CogsRule: _cogs_rules,
    VariantCost: _variant_costs,
    BundlePart: _bundle_parts,
    CostOverride: _overrides,
    FeeRule: _fee_rules,
    ShippingRule: _shipping_rules,
    PartnerCode: _partner_codes,
    ManualCost: _manual_costs,
    ProfitGoal: _none,
}
