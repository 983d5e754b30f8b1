"""Edit the rules that decide costs; a change restates every order it touches, at once or in the background."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from ledger.admin.base import StoreFilter, StoreModelAdmin
from ledger.admin.typed import shown
from ledger.cause import Cause
from ledger.kinds import CauseKind
from ledger.models import CostDefaults, Order, Product, Store
from ledger.record import Contended
from ledger.reposting import costs_changed, repost
from ledger.tasks import submit_repost

AT_ONCE = 5_000
"""Orders restated while the person waits; more are left to the background."""


class CostRuleAdmin(StoreModelAdmin):
    """Notes a changed rule with the row it is in, then restates the orders of every store it reaches."""

    rules: dict[str, str]
    """The fields that are cost rules, and what a batch calls them."""

    def affected(self, row: Any) -> Iterable[Store]:
        """Return the stores the row's rules reach, in key order (the order books are locked in)."""
        raise NotImplementedError

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save the row and note the change in each book in one transaction; restate once that is committed."""
        with transaction.atomic():
            before = self.model._default_manager.select_for_update().get(pk=obj.pk)
            super().save_model(request, obj, form, change)
            told = [f"{name} {_shown(before, field)} → {_shown(obj, field)}" for field, name in self.rules.items() if _differs(before, obj, field)]
            if told:
                for store in self.affected(obj):
                    costs_changed(store)
                    _restate_later(request, store, told)


def _differs(before: Model, after: Model, field: str) -> bool:
    return bool(getattr(before, field) != getattr(after, field))


def _shown(row: Model, field: str) -> str:
    value: Decimal | None = getattr(row, field)
    return "none" if value is None else shown(value)


def percentage(field: str, title: str) -> Callable[[Model], str | None]:
    """Return a list's column of percentages, written as people write them."""

    @admin.display(description=title, ordering=field)
    def column(row: Model) -> str | None:
        value: Decimal | None = getattr(row, field)
        return None if value is None else shown(value)

    return column


def _restate_later(request: HttpRequest, store: Store, told: list[str]) -> None:
    """Gather the rules changed by one request, so that a list of edited products restates its store once."""
    waiting: dict[int, list[str]] | None = getattr(request, "changed_cost_rules", None)
    if waiting is None:
        waiting = request.changed_cost_rules = {}  # type: ignore[attr-defined]
        transaction.on_commit(partial(_restate, request, waiting))
    waiting.setdefault(store.pk, []).extend(told)


def _restate(request: HttpRequest, waiting: dict[int, list[str]]) -> None:
    user: Any = request.user
    for store in Store.objects.filter(pk__in=waiting).order_by("pk"):
        actor, why = user.email or user.get_username(), "; ".join(waiting[store.pk])[:80]
        try:
            if Order.objects.filter(store=store)[: AT_ONCE + 1].count() <= AT_ONCE:
                written = repost(store, cause=Cause(CauseKind.RULE, why, actor))
                messages.success(request, f"Restated {store}: {written} entries.")
                continue
        except Contended:
            pass  # others are writing just now; the background has more time
        submit_repost(store, why=why, actor=actor)
        messages.info(request, f"Orders of {store} are being restated in the background; its pages say so until that is done.")


@admin.register(Product)
class ProductAdmin(CostRuleAdmin):
    """Lists products with their COGS percentage."""

    rules = {"cogs_percentage": "product COGS %"}
    note = "COGS % is the share of a product's list price, tax removed, that it costs. Empty: the store's percentage applies. Orders follow a change."
    empty = "Products appear here with the first orders that sold them."
    list_display = ["__str__", "store", "platform", "external_id", "cogs_percentage"]
    list_editable = ["cogs_percentage"]
    list_filter = [StoreFilter]
    list_select_related = ["store"]
    search_fields = ["title", "external_id"]
    fields = ["store", "platform", "external_id", "title", "cogs_percentage"]
    readonly_fields = ["store", "platform", "external_id", "title"]
    ordering = ["store", "title", "pk"]

    def affected(self, row: Any) -> Iterable[Store]:
        """Return the product's store."""
        return [row.store]


@admin.register(CostDefaults)
class CostDefaultsAdmin(CostRuleAdmin):
    """Edits the one row of defaults; it reaches every store, so only a superuser may."""

    note = "What a sale costs when nothing better is known, in every store of this installation."
    list_display = [
        "__str__", percentage("cogs_percentage", "COGS %"), percentage("payment_fee_percentage", "payment fee %"), "payment_fee_fixed",
    ]  # fmt: skip
    rules = {
        "cogs_percentage": "default COGS %", "payment_fee_percentage": "default payment fee %", "payment_fee_fixed": "default payment fee per charge",
    }  # fmt: skip

    def affected(self, row: Any) -> Iterable[Store]:
        """Return every store."""
        return Store.objects.order_by("pk")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the row for a superuser; it belongs to no store, so nobody else has it."""
        rows = CostDefaults.objects.all()
        return rows if request.user.is_superuser else rows.none()

    def _may(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(request.user.is_active and request.user.is_superuser)
