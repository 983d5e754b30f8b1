"""Edit what costs fall back on in every store; what that changes is shown before it is saved."""

from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from ledger.admin.base import StoreModelAdmin
from ledger.admin.proposals import actor_of, figures_of
from ledger.admin.typed import shown
from ledger.book.reposting import costs_changed, repost
from ledger.cause import Cause
from ledger.costs import defaults
from ledger.kinds import CauseKind
from ledger.models import CostDefaults, Order, Store
from ledger.record import Contended
from ledger.rules import rules
from ledger.tasks import submit_repost

AT_ONCE = 5_000
"""Orders restated while the person waits; more are left to the background."""
NAMES = {
    "cogs_percentage": "default COGS %", "payment_fee_percentage": "default payment fee %", "payment_fee_fixed": "default payment fee per charge",
}  # fmt: skip
"""The fields that are cost rules, and what a batch calls them."""


def _restate(request: HttpRequest, stores: list[Store], why: str) -> None:
    actor = actor_of(request)
    for store in stores:
        try:
            if Order.objects.filter(store=store)[: AT_ONCE + 1].count() <= AT_ONCE:
                written = repost(store, cause=Cause(CauseKind.RULE, why[:80], actor))
                messages.success(request, f"Restated {store}: {written} entries.")
                continue
        except Contended:
            pass  # others are writing just now; the background has more time
        submit_repost(store, why=why[:80], actor=actor)
        messages.info(request, f"Orders of {store} are being restated in the background; its pages say so until that is done.")


@admin.register(CostDefaults)
class CostDefaultsAdmin(StoreModelAdmin):
    """Edits the one row of defaults; it reaches every store, so only a superuser may."""

    note = "What a sale costs when nothing better is known, in every store of this installation."
    list_display = ["__str__", "cogs", "fee", "payment_fee_fixed"]

    @admin.display(description="COGS %")
    def cogs(self, row: CostDefaults) -> str:
        """Return the percentage as people write it."""
        return shown(row.cogs_percentage)

    @admin.display(description="payment fee %")
    def fee(self, row: CostDefaults) -> str:
        """Return the percentage as people write it."""
        return shown(row.payment_fee_percentage)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the row for a superuser; it belongs to no store, so nobody else has it."""
        rows = CostDefaults.objects.all()
        return rows if request.user.is_superuser else rows.none()

    def _may(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(request.user.is_active and request.user.is_superuser)

    def changeform_view(self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Show the form, then what it would change in each store, then save it."""
        if request.method == "POST" and "confirmed" not in request.POST and self.has_change_permission(request):
            wanted = self._wanted(request, object_id)
            if wanted is not None:
                return self._confirm(request, wanted)
        answer: HttpResponse = super().changeform_view(request, object_id, form_url, extra_context)
        return answer

    def _wanted(self, request: HttpRequest, object_id: str | None) -> CostDefaults | None:
        """Return the defaults as they were filled in, where that is right and another thing than what holds."""
        row = self.get_object(request, object_id or "")
        if row is None:
            return None
        form = self.get_form(request, row, change=True)(request.POST, instance=row)
        return form.instance if form.is_valid() and form.has_changed() else None

    def _confirm(self, request: HttpRequest, wanted: CostDefaults) -> HttpResponse:
        told = _told(CostDefaults.objects.get(pk=wanted.pk), wanted)
        looked = defaults.look(wanted, actor=actor_of(request), now=timezone.now())
        context = {
            **self.admin_site.each_context(request), "title": "Look at the defaults before they are saved", "opts": self.opts, "told": told,
            "looked": looked, "effects": [figures_of(store, found) for store, found in looked.effects or ()],
            "resting": [] if looked.effects is not None else defaults.resting(),
            "values": [(name, request.POST.get(name, "")) for name in NAMES],
        }  # fmt: skip
        return TemplateResponse(request, "admin/ledger/defaults_review.html", context)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save the row, note the change in each store's log and book in one transaction; restate once that is committed."""
        with transaction.atomic():
            before = CostDefaults.objects.select_for_update().get(pk=obj.pk)
            super().save_model(request, obj, form, change)
            told = _told(before, obj)
            if told:
                stores = list(Store.objects.order_by("pk"))  # the order books are locked in
                rules.note_defaults(stores, "; ".join(told), actor=actor_of(request), now=timezone.now())
                for store in stores:
                    costs_changed(store)
                transaction.on_commit(partial(_restate, request, stores, "; ".join(told)))


def _told(before: CostDefaults, after: CostDefaults) -> list[str]:
    """Say which defaults become what."""
    changed = [name for name in NAMES if getattr(before, name) != getattr(after, name)]
    return [f"{NAMES[name]} {shown(getattr(before, name))} → {shown(getattr(after, name))}" for name in changed]
