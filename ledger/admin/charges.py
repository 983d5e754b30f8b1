"""Look through what files charge orders with, decide about commissions, and find the orders that rows were about."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeVar

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from ledger.admin.base import StoreFilter, StoreModelAdmin
from ledger.admin.partners import PartnerFilter
from ledger.admin.proposals import actor_of
from ledger.admin.typed import shown
from ledger.cause import Cause
from ledger.charges import charge_rows, charges
from ledger.drafts.charges import standing
from ledger.kinds import CauseKind, ChargeKind, ChargeStatus, Hold
from ledger.models import OrderCharge, Store
from ledger.orders import mirror
from ledger.orders.likely_orders import likely_orders
from ledger.orders.rows import OrderRow
from ledger.record import Contended

Result = TypeVar("Result")
WAITS = "waits for its order"


class MatchedFilter(admin.SimpleListFilter):
    """Filters charges by whether their order is known."""

    title = "order"
    parameter_name = "matched"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return both."""
        return [("yes", "known"), ("no", "waited for")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the charges whose order is known, or those that wait for it."""
        return queryset.filter(order_id__isnull=self.value() == "no") if self.value() in ("yes", "no") else queryset


@admin.register(OrderCharge)
class OrderChargeAdmin(StoreModelAdmin):
    """Lists the charges that stand; files tell them, a person decides about them."""

    note = (
        "Actual costs of single orders that files tell: labels, packing, commissions, fees, chargebacks. Amounts are positive costs. "
        "A charge whose order is not known waits for it. Pending and denied commissions are not booked."
    )
    empty = "No file has charged an order yet. Import shipping costs, commissions or the fees of a payment processor."
    list_display = ["order_ref", "kind", "money", "status", "partner", "day", "reference", "booked", "store"]
    list_filter = [StoreFilter, "kind", "status", MatchedFilter, PartnerFilter]
    list_select_related = ["store", "partner"]
    search_fields = ["order_ref", "reference", "partner__name"]
    ordering = ["-pk"]
    fields = ["store", "order_ref", "booked", "kind", "money", "status", "partner", "day", "reference", "cause_ref", "actor", "added_at"]
    actions = ["approve", "mark_paid", "deny", "find_orders", "take_back"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the charges that stand in the person's stores."""
        return super().get_queryset(request).filter(removed_at=None)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Answer no: files tell charges; what a person decides is an action."""
        return False

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Answer whether the person edits costs of any store."""
        return self._may(request)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Return the list with what each of its charges comes to, read at once for all."""
        listed = super().get_changelist_instance(request)
        _explain(list(listed.result_list))
        return listed

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Return a charge with what it comes to."""
        charge = super().get_object(request, object_id, from_field)
        if charge is not None:
            _explain([charge])
        return charge

    @admin.display(description="amount", ordering="amount")
    def money(self, charge: OrderCharge) -> str:
        """Write the amount with its currency."""
        return f"{shown(charge.amount)} {charge.currency}"

    @admin.display(description="booked")
    def booked(self, charge: OrderCharge) -> str:
        """Say whether the charge is booked, and else why not, or which order it may be about."""
        return getattr(charge, "comes_to", "")

    @admin.action(description="Approve: book these commissions", permissions=["decide"])
    def approve(self, request: HttpRequest, chosen: QuerySet[OrderCharge]) -> None:
        """Approve commissions."""
        self._decide(request, chosen, ChargeStatus.APPROVED)

    @admin.action(description="Mark these commissions paid", permissions=["decide"])
    def mark_paid(self, request: HttpRequest, chosen: QuerySet[OrderCharge]) -> None:
        """Mark commissions paid."""
        self._decide(request, chosen, ChargeStatus.PAID)

    @admin.action(description="Deny these commissions: reverse what is booked", permissions=["decide"])
    def deny(self, request: HttpRequest, chosen: QuerySet[OrderCharge]) -> None:
        """Deny commissions."""
        self._decide(request, chosen, ChargeStatus.DENIED)

    @admin.action(description="Give these to the orders that are suggested", permissions=["decide"])
    def find_orders(self, request: HttpRequest, chosen: QuerySet[OrderCharge]) -> None:
        """Give waiting charges to the orders that likely are meant."""
        found = 0
        cause = Cause(CauseKind.MANUAL, "charges given to orders", actor_of(request))
        for store, waiting in _by_store(chosen.filter(order_id=None)):
            for start in range(0, len(waiting), charges.CHUNK):
                part = waiting[start : start + charges.CHUNK]
                likely = likely_orders(store, {charge.order_ref for charge in part})
                homes = {charge.pk: likely[charge.order_ref][0] for charge in part if charge.order_ref in likely}
                if homes:
                    found += _trying(request, partial(charges.bring, store, homes, cause=cause)) or 0
        messages.success(request, f"{found} charge{'' if found == 1 else 's'} given to the suggested orders; the others still wait.")

    @admin.action(description="Take these charges back: reverse what is booked", permissions=["decide"])
    def take_back(self, request: HttpRequest, chosen: QuerySet[OrderCharge]) -> None:
        """Remove charges."""
        count, cause = 0, Cause(CauseKind.MANUAL, "charges taken back", actor_of(request))
        for store, taken in _by_store(chosen):
            ids = [charge.pk for charge in taken]
            if _trying(request, partial(charges.remove, store, ids=ids, cause=cause, now=timezone.now())) is not None:
                count += len(ids)
        messages.success(request, f"{count} charge{'' if count == 1 else 's'} taken back. Their file, imported again, tells them again.")

    def _decide(self, request: HttpRequest, chosen: QuerySet[OrderCharge], status: ChargeStatus) -> None:
        others, count = chosen.exclude(kind=ChargeKind.COMMISSION).count(), 0
        for store, decided in _by_store(chosen.filter(kind=ChargeKind.COMMISSION)):
            ids = [charge.pk for charge in decided]
            if _trying(request, partial(charges.decide, store, ids, status, actor=actor_of(request))) is not None:
                count += len(ids)
        messages.success(request, f"{count} commission{'' if count == 1 else 's'} {status.label}.")
        if others:
            messages.warning(request, f"{others} of the chosen are no commissions and stay as they are.")


def _by_store(chosen: QuerySet[OrderCharge]) -> Iterator[tuple[Store, list[OrderCharge]]]:
    """Part chosen charges by store, in the order in which books are locked."""
    found: dict[int, list[OrderCharge]] = {}
    for charge in chosen.select_related(None).order_by("store", "pk"):
        found.setdefault(charge.store_id, []).append(charge)
    for store in Store.objects.filter(pk__in=found).order_by("pk"):
        yield store, found[store.pk]


def _trying(request: HttpRequest, write: Callable[[], Result]) -> Result | None:
    try:
        return write()
    except Contended:
        messages.error(request, "Others are writing the same orders just now. Some of this is not done; try it again.")
        return None


def _explain(listed: list[OrderCharge]) -> None:
    """Give charges the words for what becomes of them, store by store."""
    for store_id in {charge.store_id for charge in listed}:
        mine = [charge for charge in listed if charge.store_id == store_id]
        orders = {order.id: order for order in mirror.load(store_id, sorted({charge.order_id for charge in mine if charge.order_id is not None}))}
        likely = likely_orders(mine[0].store, {charge.order_ref for charge in mine if charge.order_id is None})
        for charge in mine:
            charge.comes_to = _waits(likely.get(charge.order_ref)) if charge.order_id is None else _told(charge, orders[charge.order_id])  # type: ignore[attr-defined]


def _waits(likely: tuple[int, str] | None) -> str:
    return WAITS if likely is None else f"{WAITS}; is it {likely[1]}?"


def _told(charge: OrderCharge, order: OrderRow) -> str:
    row = next((row for row in order.charges if row.id == charge.pk), None)
    on = f" (order {order.number})" if charge_rows.bare(order.number) != charge.order_ref else ""
    if row is None or order.is_test:
        return f"not booked: a test order{on}"
    if order.hold != Hold.NONE:
        return f"not booked yet: the order waits for a rate of {order.hold_currency}{on}"
    return f"{standing(row, order)}{on}"
