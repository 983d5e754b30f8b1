"""Show how far a store has got on its way to its first trusted number, and let each step be done."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST

from dashboards.access import store_or_404, stores_for
from dashboards.forms.gap_forms import GapForm, gap_forms
from dashboards.pages import start
from ledger.models import Store
from ledger.people import EDITORS
from ledger.rules import proposals
from ledger.rules.rules import RuleRefused


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def start_page(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the list of a store; POST finishes it (`finish`), puts it away (`hide`) or shows it again (`show`)."""
    store = store_or_404(request, slug, roles=EDITORS)
    if request.method == "POST":
        return _end(request, store)
    found = start.start_of(store)
    return _page(request, store, found, gap_forms(store, found.facts.gaps))


@require_POST
@login_required
def mend_gap(request: HttpRequest, slug: str) -> HttpResponse:
    """Propose the cost that was typed beside a gap, and lead to what it would change; nothing holds before it is saved there."""
    store = store_or_404(request, slug, roles=EDITORS)
    found = start.start_of(store)
    forms = gap_forms(store, found.facts.gaps, request.POST)
    asked = next((form for form in forms if form.is_bound), None)
    if asked is None:
        messages.info(request, "Nothing was saved: that gap is not among the worst any more.")
        return redirect("start", slug=store.slug)
    if asked.is_valid():
        origin = reverse("start", args=[store.slug])
        try:
            proposed = proposals.propose(store, add=asked.rules(), actor=_actor(request), origin=origin, now=timezone.now())
        except RuleRefused as refused:
            asked.add_error(None, str(refused))
        else:
            return redirect("admin:ledger_proposedchange_review", proposed.pk)
    return _page(request, store, found, forms)


def _page(request: HttpRequest, store: Store, found: start.Start, forms: list[GapForm]) -> HttpResponse:
    problems = [problem for form in forms for problem in form.problems()]
    context: dict[str, Any] = {
        "store": store, "stores": stores_for(request.user), "section": "start", "start": found, "gaps": forms, "problems": problems,
        "last_order": found.facts.last_order, "year": _latest_year(found.facts.last_order),
    }  # fmt: skip
    return render(request, "dashboards/start.html", context)


def _latest_year(last: date | None) -> str:
    """Return the query of the twelve months up to the last order, which a first profit page shows; empty without orders."""
    if last is None:
        return ""
    month = last.year * 12 + last.month - 12
    return f"?from={date(month // 12, month % 12 + 1, 1)}&to={last}&by=month"


def _end(request: HttpRequest, store: Store) -> HttpResponse:
    if "show" in request.POST:
        start.show_again(store)
        return redirect("start", slug=store.slug)
    start.end(store, by=_user(request), now=timezone.now())
    if "hide" in request.POST:
        messages.info(request, f"Put away. You find it again at {reverse('start', args=[store.slug])}.")
    back = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        return HttpResponseRedirect(back)
    return redirect("pnl", slug=store.slug)


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101  # login_required has seen to it
    return request.user


def _actor(request: HttpRequest) -> str:
    user = _user(request)
    return user.email or user.get_username()
