"""Look at a proposed change of cost rules, then save it, go back, or put it away."""

from datetime import date
from decimal import Decimal
from typing import Any

from django.contrib import admin, messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html

from ledger.admin.base import StoreFilter, StoreModelAdmin
from ledger.book.reposting import is_restating
from ledger.models import Book, ProposedChange, Store
from ledger.models.rules import Rule
from ledger.rules import proposals, rules
from ledger.rules.preparing import Prepared, Stage, prepare
from ledger.rules.proposal_tasks import submit_preview
from ledger.rules.rules import RuleRefused

REASON = 200
"""Characters a reason may have."""


def actor_of(request: HttpRequest) -> str:
    """Return the name that changes are noted under."""
    user: Any = request.user
    return str(user.email or user.get_username())


def to_review(proposed: ProposedChange) -> HttpResponse:
    """Send the person to look at what they propose."""
    return redirect("admin:ledger_proposedchange_review", proposed.pk)


@admin.register(ProposedChange)
class ProposedChangeAdmin(StoreModelAdmin):
    """Lists changes that nobody has saved yet, and shows what each would do."""

    note = "Changes of cost rules that were entered but not saved. Nothing of them holds. Those of the last week are kept."
    empty = "Nothing waits to be saved: whatever was entered is saved or dismissed."
    list_display = ["summary", "store", "at", "actor", "state"]
    list_filter = [StoreFilter, "state"]
    list_select_related = ["store", "made", "undoes"]
    search_fields = ["summary", "reason", "actor"]
    ordering = ["-at", "-pk"]

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Answer no: a proposal is applied or dismissed, on its own page."""
        return False

    def get_urls(self) -> list[Any]:
        """Return the addresses, the review's before those that take anything."""
        review = path("<path:object_id>/review/", self.admin_site.admin_view(self.review), name="ledger_proposedchange_review")
        return [review, *super().get_urls()]

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Show what the proposal would do."""
        return self.review(request, object_id)

    def review(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show what a proposal would do, and save it or put it away when asked to."""
        proposed = self.get_object(request, object_id)
        if proposed is None:
            absent: HttpResponse = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
            return absent
        if request.method == "POST" and ("save" in request.POST or "dismiss" in request.POST):
            return self._decide(request, proposed)
        if request.method == "POST" and "again" in request.POST:
            proposals.note_job(proposed, None)
            return to_review(proposed)
        seen = _version(proposed)  # before what is shown is read, so that a change in between is noticed
        effect = _effect(proposed)  # first: what it ends is worked out with it
        context = {**self.admin_site.each_context(request), **self._told(proposed), **effect, "seen": seen}
        return TemplateResponse(request, "admin/ledger/proposedchange/review.html", context)

    def _decide(self, request: HttpRequest, proposed: ProposedChange) -> HttpResponse:
        if "save" in request.POST and request.POST.get("seen", _version(proposed)) != _version(proposed):
            proposals.note_job(proposed, None)
            messages.warning(request, "Cost rules of the store were changed while you looked. Nothing is saved yet: look at what this changes now.")
            return to_review(proposed)
        try:
            if "dismiss" in request.POST:
                proposals.dismiss(proposed)
                messages.info(request, "Dismissed: nothing has changed.")
                return redirect(_back(proposed) or "admin:ledger_costchange_changelist")
            made = proposals.apply(proposed, actor=actor_of(request), now=timezone.now(), reason=request.POST.get("reason", proposed.reason))
        except RuleRefused as refused:
            messages.error(request, str(refused))
            return to_review(proposed)
        messages.success(request, format_html('Saved: <a href="{}">{}</a>.{}', _change(made.pk), made.summary, _follows(made)))
        return redirect(_asked_from(proposed) or _list_of(proposed))

    def _told(self, proposed: ProposedChange) -> dict[str, Any]:
        try:
            add, remove = proposals.rules_of(proposed)
            refused = ""
        except RuleRefused as error:
            add, remove, refused = [], [], str(error)
        return {
            "title": "Look at a change before it is saved", "opts": self.opts, "proposed": proposed, "refused": refused,
            "sets": named_rules(add), "takes_back": named_rules(remove), "ends": (proposed.effect or {}).get("ends", [])[: proposals.TOLD],
            "more_ends": max(len((proposed.effect or {}).get("ends", [])) - proposals.TOLD, 0),
            "open": proposed.state == proposals.State.OPEN, "back": _back(proposed), "longest_reason": REASON,
            "made": _change(proposed.made_id) if proposed.made_id else "",
        }  # fmt: skip


def _version(proposed: ProposedChange) -> str:
    """Return the version of the costs of the proposal's book, as the page carries it."""
    return str(Book.objects.values_list("costs_version", flat=True).get(pk=proposed.store_id))


def _effect(proposed: ProposedChange) -> dict[str, Any]:
    """Return what the review shows of the effect: its figures, or how far they are worked out."""
    now = timezone.now()
    if proposed.state == proposals.State.OPEN:
        prepared = prepare(proposed, submit=submit_preview, now=now)
    else:
        prepared = Prepared(Stage.READY if proposed.effect_version is not None else Stage.FAILED)
    told = {"stage": prepared.stage.name, "prepared": prepared}
    if prepared.stage != Stage.READY:
        return told
    return {**told, **figures_of(proposed.store, proposed.effect or {})}


def figures_of(store: Store, found: dict[str, Any]) -> dict[str, Any]:
    """Return the figures of an effect as the page shows them."""
    months = [{**_amounts(row), "month": date.fromisoformat(row["month"])} for row in found["months"]]
    return {
        "store": store, "currency": store.currency, "effect": found, "months": months,
        "whole": {name: sum((row[name] for row in months), Decimal(0)) for name in AMOUNTS},
        "orders": [{**_amounts(row), "number": row["number"], "day": date.fromisoformat(row["day"])} for row in found["orders"]],
        "first": _day(found["first"]), "last": _day(found["last"]), "correction_day": _day(found["correction_day"]),
        "restating": is_restating(store),
    }  # fmt: skip


AMOUNTS = ("before", "after", "difference")


def _amounts(row: dict[str, str]) -> dict[str, Any]:
    return {name: Decimal(row[name]) for name in AMOUNTS}


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def named_rules(listed: list[Rule]) -> list[str]:
    """Name rules with their days, the first of them one by one."""
    told = [f"{rule}{rules.span_of(rule) or ', always'}" for rule in listed[: proposals.TOLD]]
    return [*told, f"and {len(listed) - len(told)} more"] if len(listed) > len(told) else told


def _back(proposed: ProposedChange) -> str:
    """Return the address of the page a proposal comes from, which fills itself in again; empty for a file."""
    if not proposed.origin.startswith("/"):
        return ""
    return f"{proposed.origin}{'&' if '?' in proposed.origin else '?'}proposed={proposed.pk}"


def _asked_from(proposed: ProposedChange) -> str:
    """Return the page of the store a proposal was made on, to go on there; empty for the admin's pages and files."""
    return proposed.origin if proposed.origin.startswith("/") and not proposed.origin.startswith(reverse("admin:index")) else ""


def _list_of(proposed: ProposedChange) -> str:
    """Return the list where what was changed is found."""
    kinds = {each["model"] for each in (*proposed.add, *proposed.remove)}
    return reverse(f"admin:ledger_{kinds.pop() if len(kinds) == 1 else 'costchange'}_changelist")


def _change(pk: int) -> str:
    return reverse("admin:ledger_costchange_change", args=[pk])


def _follows(made: Any) -> str:
    """Say what the store's pages do until a change is everywhere."""
    if made.costs_version is None:
        return ""
    return f" Orders of {made.store} are being restated in the background; its pages say so until that is done."
