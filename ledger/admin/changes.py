"""Tell every change of cost rules: what it added and removed, what was written because of it, and undo it."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils import timezone

from ledger.admin.base import StoreFilter, StoreModelAdmin
from ledger.admin.ledger_pages import WithBatches
from ledger.admin.proposals import actor_of, named_rules, to_review
from ledger.models import Batch, Book, CostChange
from ledger.rules import proposals, rules
from ledger.rules.rules import RuleRefused


@admin.register(CostChange)
class CostChangeAdmin(WithBatches, StoreModelAdmin):
    """Lists who changed which cost rules, when and why, and undoes a change."""

    note = "Every change of cost rules. Undoing one is another change: it takes back what was added and puts back what was removed."
    empty = "No cost rule has been changed yet."
    change_form_template = "admin/ledger/change.html"
    list_display = ["summary", "store", "at", "actor", "reason", "standing"]
    list_filter = [StoreFilter]
    list_select_related = ["store", "undone_by"]
    search_fields = ["summary", "reason", "actor"]
    date_hierarchy = "at"
    ordering = ["-at", "-pk"]
    fields = ["summary", "store", "at", "actor", "reason", "standing", "restated", "wrote"]
    readonly_fields = ["standing", "restated", "wrote"]
    actions = ["undo"]

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Answer no: what was done stays told."""
        return False

    @admin.display(description="stands")
    def standing(self, change: CostChange) -> str:
        """Tell whether the change was undone."""
        return "undone" if getattr(change, "undone_by", None) else "stands"

    @admin.display(description="orders")
    def restated(self, change: CostChange) -> str:
        """Tell whether the orders it reaches carry it yet."""
        if change.costs_version is None:
            return "none of them moved with it" if any(rules.rules_of(change)) else "restated with what came after it"
        behind = Book.objects.filter(pk=change.store_id, restated_version__lt=change.costs_version).exists()
        return "being restated in the background" if behind else "restated"

    def get_urls(self) -> list[Any]:
        """Return the addresses, the undoing's before those that take anything."""
        undo = path("<path:object_id>/undo/", self.admin_site.admin_view(self.undo_view), name="ledger_costchange_undo")
        return [undo, *super().get_urls()]

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> HttpResponse:
        """Add the rules that the change added and removed, and the batches that were written for it."""
        change = kwargs["obj"]
        added, removed = rules.rules_of(change)
        batches = Batch.objects.filter(book_id=change.store_id, cause_ref__in=[f"costs:{change.pk}", f"closed period; costs:{change.pk}"])
        context |= {
            "added": named_rules(added), "removed": named_rules(removed), "batches": batches.order_by("seq"), "undoes": change.undoes,
            "undone_by": getattr(change, "undone_by", None), "proposal": getattr(change, "proposal", None),
            "can_undo": (added or removed) and not getattr(change, "undone_by", None),
        }  # fmt: skip
        answer: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return answer

    def undo_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Propose to undo one change, and show what that does."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        change = self.get_object(request, object_id)
        if change is None:
            absent: HttpResponse = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
            return absent
        return self._propose(request, change) or redirect("admin:ledger_costchange_change", change.pk)

    def has_undo_permission(self, request: HttpRequest) -> bool:
        """Answer whether the person edits costs of any store."""
        return self._may(request)

    @admin.action(description="Undo the latest of these changes", permissions=["undo"])
    def undo(self, request: HttpRequest, chosen: QuerySet[CostChange]) -> HttpResponse | None:
        """Propose to undo the latest of the chosen changes; those before it rest under it."""
        listed = list(chosen.order_by("-at", "-pk"))
        if len(listed) > 1:
            messages.info(request, f"Changes are undone one by one, the latest first. This is the latest of the {len(listed)} you chose.")
        return self._propose(request, listed[0]) if listed else None

    def _propose(self, request: HttpRequest, change: CostChange) -> HttpResponse | None:
        try:
            origin = reverse("admin:ledger_costchange_change", args=[change.pk])
            return to_review(proposals.propose_undo(change, actor=actor_of(request), origin=origin, now=timezone.now()))
        except RuleRefused as refused:
            messages.error(request, f"“{change}”: {refused}")
            return None
