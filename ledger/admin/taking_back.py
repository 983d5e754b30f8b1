"""Take a rule back: as if it had never held, or from a day on."""

from datetime import date
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import flatten_fieldsets
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone

from ledger.admin.proposals import REASON, actor_of, to_review
from ledger.models.rules import FIRST_YEAR, LAST_YEAR, Rule
from ledger.rules import proposals, rules
from ledger.rules.rules import ONE_DAY, RuleRefused
from ledger.stores import today_of

ALTOGETHER, FROM_A_DAY = "altogether", "day"


class TakeBackForm(forms.Form):
    """Asks how much of a rule is taken back, and why."""

    how = forms.ChoiceField(
        choices=[(FROM_A_DAY, "From a day on; until then it holds as it did"), (ALTOGETHER, "Altogether, as if it had never held")],
        initial=FROM_A_DAY, widget=forms.RadioSelect, label="How much of it",
    )  # fmt: skip
    day = forms.DateField(required=False, label="The first day it holds no more", widget=forms.DateInput(attrs={"type": "date"}))
    reason = forms.CharField(max_length=REASON, required=False, label="Reason, for whoever wonders later")

    def __init__(self, rule: Rule, *args: Any, ends: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rule = rule
        if not ends:
            del self.fields["how"], self.fields["day"]

    def clean(self) -> dict[str, Any]:
        """Refuse a day on which the rule does not hold anyway."""
        values: dict[str, Any] = super().clean() or {}
        if values.get("how") != FROM_A_DAY:
            return values
        day, rule = values.get("day"), self.rule
        if day is None:
            if "day" not in self.errors:
                self.add_error("day", "Give the day, or take it back altogether.")
        elif not FIRST_YEAR <= day.year <= LAST_YEAR:
            self.add_error("day", f"Give a day in the years {FIRST_YEAR} to {LAST_YEAR}, or take it back altogether.")
        elif rule.effective_from is not None and day <= rule.effective_from:
            self.add_error("day", f"It begins on {rule.effective_from:%-d %b %Y} only. Give a later day, or take it back altogether.")
        elif rule.effective_to is not None and day > rule.effective_to:
            self.add_error("day", f"It ends on {rule.effective_to:%-d %b %Y} anyway. Give an earlier day.")
        return values

    def left(self) -> list[Rule]:
        """Return what is left of the rule: the same, ending the day before; nothing where it goes altogether."""
        if self.cleaned_data.get("how") != FROM_A_DAY:
            return []
        rest = rules.copy_of(self.rule)
        rest.effective_to = self.cleaned_data["day"] - ONE_DAY
        return [rest]


def take_back_view(page: Any, request: HttpRequest, rule: Rule | None, object_id: str) -> HttpResponse:
    """Ask how a rule is taken back, and propose that."""
    if not page.has_delete_permission(request, rule):
        raise PermissionDenied
    if rule is None:
        absent: HttpResponse = page._get_obj_does_not_exist_redirect(request, page.opts, object_id)
        return absent
    asked = request.method == "POST" and "post" in request.POST
    today = today_of(rule.store, timezone.now())
    # Costs of variants hold until the next, and those of an order line have no days: there is no last one to be set.
    ends = "effective_to" in flatten_fieldsets(page.get_fieldsets(request, rule))
    form = TakeBackForm(rule, request.POST if asked else None, ends=ends, initial={"day": _suggested(rule, today)})
    if asked and form.is_valid():
        try:
            return to_review(
                proposals.propose(
                    rule.store, add=form.left(), remove=[rule], actor=actor_of(request), reason=form.cleaned_data["reason"],
                    origin=request.path, now=timezone.now(),
                )
            )  # fmt: skip
        except RuleRefused as refused:
            form.add_error(None, str(refused))
    told = {"title": "Take a rule back", "opts": page.opts, "rule": rule, "days": rules.span_of(rule), "form": form}
    return TemplateResponse(request, "admin/ledger/take_back.html", {**page.admin_site.each_context(request), **told})


def _suggested(rule: Rule, today: date) -> date | None:
    begun = rule.effective_from is None or rule.effective_from < today
    return today if begun and (rule.effective_to is None or rule.effective_to >= today) else None


def take_back_chosen(request: HttpRequest, chosen: Any) -> HttpResponse | None:
    """Propose to take the chosen rules back altogether, for each store apart, and lead to the first review."""
    by_store: dict[int, list[Rule]] = {}
    for rule in chosen:
        by_store.setdefault(rule.store_id, []).append(rule)
    made = []
    for listed in by_store.values():
        try:
            made.append(
                proposals.propose(listed[0].store, remove=listed, actor=actor_of(request), origin=request.path, now=timezone.now())
            )  # fmt: skip
        except RuleRefused as refused:
            messages.error(request, str(refused))
    if len(made) > 1:
        messages.info(request, f"Every store has its own change to look at: {len(made)} wait under “Proposed changes”.")
        return redirect("admin:ledger_proposedchange_changelist")
    return to_review(made[0]) if made else None
