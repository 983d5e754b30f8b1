"""Change the dated cost rules: the only writer of them.

Rules are never edited. A change removes rules and adds others, says who did it and why, books what belongs to days
at once, and has the store's orders drafted again. Undoing a change is another change (ledger/rules/undoing.py).
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Exists, F, Field, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from ledger.book.reposting import costs_changed
from ledger.cause import Cause
from ledger.costs import manual_costs
from ledger.costs.manual_costs import CostRefused
from ledger.kinds import CauseKind
from ledger.models import (
    BundlePart,
    CogsRule,
    CostChange,
    CostOverride,
    FeeRule,
    ManualCost,
    PartnerCode,
    Product,
    ProfitGoal,
    ShippingRule,
    Store,
    Variant,
    VariantCost,
)
from ledger.models.rules import Rule
from ledger.posting import hold_book
from ledger.stores import today_of
from ledger.tasks import submit_check, submit_repost

SCOPES: dict[type[Rule], tuple[str, ...] | None] = {
    CogsRule: ("product",),
    VariantCost: ("variant", "origin", "effective_from"),
    BundlePart: ("bundle", "component"),
    CostOverride: ("order_id", "line"),
    FeeRule: ("gateway", "currency"),
    ShippingRule: ("position",),
    PartnerCode: ("code",),
    ProfitGoal: (),
    ManualCost: None,
}
"""What two rules must share to be about the same thing; of those only one holds on a day. None: any number may."""

TOLD = 5
"""Rules that the line about a change names."""
ONE_DAY = timedelta(days=1)


class RuleRefused(ValueError):
    """Say why a change of rules cannot be made, in words for the person who wants it."""


def change(
    store: Store,
    *,
    add: Sequence[Rule] = (),
    remove: Sequence[Rule] = (),
    actor: str,
    reason: str = "",
    now: datetime,
    undoes: CostChange | None = None,
) -> CostChange:
    """Remove and add rules of a store in one transaction, and have its orders restated and its rules checked.

    What an added rule covers of a standing one of the same scope ends there: the standing rule is removed and its
    uncovered days are added again. Raise RuleRefused when a rule is wrong in itself or was removed meanwhile.
    """
    with transaction.atomic():
        Store.objects.select_for_update(no_key=True).get(pk=store.pk)  # so that changes of one store follow each other
        made = write(store, add=add, remove=remove, actor=actor, reason=reason, now=now, undoes=undoes)
        refresh_shown(store, today_of(store, now))
        hold_book(store.pk)  # last and shortly: a price list takes seconds to write, and orders keep posting meanwhile
        settle(made, now=now)
        if moves_orders([*add, *remove]):
            made.costs_version = costs_changed(store)
            made.save(update_fields=["costs_version"])
            submit_repost(store, why="costs changed", actor=actor)  # the check of rules follows it
        elif any(isinstance(rule, ManualCost) for rule in (*add, *remove)):
            submit_check(store, actor=actor)
    return made


def refresh_shown(store: Store, today: date) -> None:
    """Write the percentages that hold today where lists and the API show them, on the store and its products; rules alone decide."""
    holding = live(CogsRule, store).filter(
        Q(effective_from=None) | Q(effective_from__lte=today), Q(effective_to=None) | Q(effective_to__gte=today)
    )  # fmt: skip
    of_store = Store.objects.filter(pk=store.pk)
    _show(of_store, holding.filter(product=None))
    store.cogs_percentage = of_store.values_list("cogs_percentage", flat=True).get()
    own = holding.filter(product=OuterRef("pk"))
    _show(Product.objects.filter(Q(cogs_percentage__isnull=False) | Exists(own), store=store), own)


def _show(rows: Any, holding: Any) -> None:
    """Set the percentage of rows to that of the rule that holds, where it is another."""
    share, none = Subquery(holding.values("percentage")[:1]), Decimal(-1)
    shown = Coalesce(F("cogs_percentage"), none)
    rows.annotate(shown=shown, share=Coalesce(share, none)).exclude(shown=F("share")).update(cogs_percentage=share)


def write(
    store: Store, *, add: Sequence[Rule] = (), remove: Sequence[Rule] = (), actor: str, reason: str = "", now: datetime,
    undoes: CostChange | None = None,
) -> CostChange:  # fmt: skip
    """Write a change of rules and nothing that follows from it; a preview does, and takes it back. Raise RuleRefused as `change` does."""
    _load_variants(add)
    for rule in add:
        _check(rule, store)
    made = CostChange.objects.create(
        store=store, at=now, actor=actor, reason=reason[:200], summary=summary_of(add, remove, undoes)[:300], undoes=undoes
    )  # fmt: skip
    for rule in remove:
        _remove(rule, made)
    _add_costs([rule for rule in add if isinstance(rule, VariantCost)], made)
    for rule in (rule for rule in add if not isinstance(rule, VariantCost)):
        _make_room(rule, made)
        if isinstance(rule, BundlePart):
            _refuse_nested(rule, store)
        _add(rule, made)
    return made


def settle(made: CostChange, *, now: datetime) -> None:
    """Book what a change does to costs of days; raise RuleRefused when a rate it needs is not known."""
    added, removed = rules_of(made)
    costs = [rule for rule in (*added, *removed) if isinstance(rule, ManualCost)]
    if costs:
        try:
            manual_costs.settle(made.store, costs, cause=Cause(CauseKind.RULE, f"costs:{made.pk}", made.actor), today=today_of(made.store, now))
        except CostRefused as error:
            raise RuleRefused(str(error)) from error


def moves_orders(changed: Sequence[Rule]) -> bool:
    """Tell whether orders must be drafted again for these rules."""
    return any(rule.basis in ManualCost.OF_ORDERS if isinstance(rule, ManualCost) else not isinstance(rule, ProfitGoal) for rule in changed)


def note_defaults(stores: Iterable[Store], told: str, *, actor: str, now: datetime) -> None:
    """Tell in each store's log of changes that what it falls back on was changed for the whole installation."""
    for store in stores:
        CostChange.objects.create(store=store, at=now, actor=actor, summary=told[:300], reason="for every store of this installation")


def rules_of(made: CostChange) -> tuple[list[Rule], list[Rule]]:
    """Return the rules a change added and those it removed."""
    added = [rule for kind in SCOPES for rule in _rows(kind).filter(added_by=made).order_by("pk")]
    removed = [rule for kind in SCOPES for rule in _rows(kind).filter(removed_by=made).order_by("pk")]
    return added, removed


def live(kind: type[Rule], store: Store) -> Any:
    """Return the rules of a kind that stand in a store."""
    return _rows(kind).filter(store=store, removed_by=None)


def _rows(kind: type[Rule]) -> Any:
    return kind._default_manager.all()


def _remove(rule: Rule, made: CostChange) -> None:
    if not _rows(type(rule)).filter(pk=rule.pk, store_id=made.store_id, removed_by=None).update(removed_by=made):
        raise RuleRefused(f"The rule “{rule}” is not there any more. Look again at what holds now.")
    rule.removed_by = made


def _check(rule: Rule, store: Store) -> None:
    """Bring a rule's values into their form, and refuse what is wrong whatever else holds, or is about another store."""
    found = []
    for name, told in (("product", "not sold by"), ("variant", "not sold by"), ("bundle", "not sold by"), ("component", "not sold by"),
                       ("partner", "no partner of")):  # fmt: skip
        about = getattr(rule, name, None)
        if about is not None and about.store_id != store.pk:
            raise RuleRefused(f"“{about}” is {told} {store}.")
        found += [name] if about is not None else []
    try:
        rule.full_clean(exclude=["store", "added_by", "removed_by", *found], validate_unique=False, validate_constraints=False)
    except ValidationError as error:
        raise RuleRefused("; ".join(error.messages)) from error


def _refuse_nested(part: BundlePart, store: Store) -> None:
    """Refuse a bundle within a bundle: its cost would come from parts that have parts."""
    standing = _in_days(live(BundlePart, store), part)
    if standing.filter(bundle=part.component).exists():
        raise RuleRefused(
            f"“{part.component}” is a bundle itself on some of these days. Name what it is made of as parts of “{part.bundle}” instead."
        )
    if standing.filter(component=part.bundle).exists():
        raise RuleRefused(
            f"“{part.bundle}” is part of another bundle on some of these days, so it cannot be a bundle itself. Take it out of that one first."
        )


def _add(rule: Rule, made: CostChange) -> None:
    rule.store_id, rule.added_by = made.store_id, made
    try:
        with transaction.atomic():
            rule.save(force_insert=True)
    except IntegrityError as error:
        raise RuleRefused(f"“{rule}” and another rule would hold on the same day.") from error


def _load_variants(add: Sequence[Rule]) -> None:
    """Read the variants that costs are about all at once: a price list has thousands."""
    costs = [rule for rule in add if isinstance(rule, VariantCost)]
    variants = Variant.objects.select_related("product").in_bulk({cost.variant_id for cost in costs})
    for cost in costs:
        if cost.variant_id in variants:
            cost.variant = variants[cost.variant_id]


def _add_costs(costs: Sequence[VariantCost], made: CostChange) -> None:
    """Add costs of variants all at once; each takes the place of the one with its variant, origin and first day."""
    places = {(cost.variant_id, cost.origin, cost.effective_from) for cost in costs}
    standing = live(VariantCost, made.store).filter(variant__in={cost.variant_id for cost in costs})
    replaced = [old.pk for old in standing if (old.variant_id, old.origin, old.effective_from) in places]
    _rows(VariantCost).filter(pk__in=replaced).update(removed_by=made)
    for cost in costs:
        cost.store_id, cost.added_by = made.store_id, made
    try:
        with transaction.atomic():
            VariantCost.objects.bulk_create(costs)
    except IntegrityError as error:
        raise RuleRefused("Two of these costs are of the same variant from the same day. Keep one of them.") from error


def _make_room(rule: Rule, made: CostChange) -> None:
    """End what stands where a new rule is to hold."""
    scope = SCOPES[type(rule)]
    if scope is None:
        return
    same = {name: getattr(rule, name) for name in scope}
    for old in list(_in_days(live(type(rule), made.store).filter(**same), rule)):
        _remove(old, made)
        for first, last in _uncovered(old, rule):
            rest = copy_of(old)
            rest.effective_from, rest.effective_to = first, last
            _add(rest, made)


def _in_days(standing: Any, rule: Rule) -> Any:
    """Limit rules to those that hold on a day of another one."""
    if rule.effective_to is not None:
        standing = standing.filter(Q(effective_from=None) | Q(effective_from__lte=rule.effective_to))
    if rule.effective_from is not None:
        standing = standing.filter(Q(effective_to=None) | Q(effective_to__gte=rule.effective_from))
    return standing


def _uncovered(old: Rule, new: Rule) -> Iterable[tuple[date | None, date | None]]:
    """Yield the spans of a standing rule before and after a new one."""
    if new.effective_from is not None and (old.effective_from is None or old.effective_from < new.effective_from):
        yield old.effective_from, new.effective_from - ONE_DAY
    if new.effective_to is not None and (old.effective_to is None or old.effective_to > new.effective_to):
        yield new.effective_to + ONE_DAY, old.effective_to


def copy_of(rule: Rule) -> Rule:
    """Return the same rule as a row of its own."""
    return type(rule)(**{field.attname: getattr(rule, field.attname) for field in value_fields(type(rule))})


def value_fields(kind: type[Rule]) -> "list[Field[Any, Any]]":
    """Return the fields that say what a rule is, apart from who set it when."""
    return [field for field in kind._meta.concrete_fields if field.name not in ("id", "added_by", "removed_by")]


def summary_of(add: Sequence[Rule], remove: Sequence[Rule], undoes: CostChange | None) -> str:
    """Say in a line what a change does."""
    if undoes is not None:
        return f"Undone: {undoes.summary}"
    told = [f"{rule}{span_of(rule)}" for rule in add[:TOLD]]
    told += [f"no more: {rule}{span_of(rule)}" for rule in remove[: TOLD - len(told)]]
    more = len(add) + len(remove) - len(told)
    return "; ".join(told) + (f" and {more} more" if more else "")


def span_of(rule: Rule) -> str:
    """Return the days a rule holds, in words after its name; empty for always."""
    if rule.effective_from is not None and rule.effective_from == rule.effective_to:
        return f" on {rule.effective_from:%-d %b %Y}"
    first = f" from {rule.effective_from:%-d %b %Y}" if rule.effective_from else ""
    return first + (f" through {rule.effective_to:%-d %b %Y}" if rule.effective_to else "")
