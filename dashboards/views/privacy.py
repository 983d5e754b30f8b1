"""Show an owner what people asked about their data and what was done, and take requests that came by mail."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from connectors.models import PrivacyCase, PrivacyCopy
from connectors.privacy import cases
from connectors.privacy.cases import NotLookedAt
from dashboards.access import OWNERS, actor_of, store_or_404, stores_for
from dashboards.pages.notices import current_zone
from dashboards.pages.privacy_page import PrivacyForm, case_view, cases_of
from ledger.models import Store
from ledger.sealing import Unsealable, unseal


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def privacy(request: HttpRequest, slug: str) -> HttpResponse:
    """List a store's requests; POST looks whom a new one is about, and does nothing yet."""
    store = store_or_404(request, slug, roles=OWNERS)
    form, now = PrivacyForm(request.POST or None), timezone.now()
    if request.method == "POST" and form.is_valid():
        case = cases.ask(store, form.cleaned_data["kind"], form.sought(), actor=actor_of(request), now=now)
        return redirect("privacy_case", slug=store.slug, pk=case.pk)
    context = {**_frame(request, store), "form": form, "problems": form.problems(), "cases": cases_of(store, now=now)}
    return render(request, "dashboards/privacy/list.html", context)


@require_safe
@never_cache
@login_required
def privacy_case(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Show one request: before it is confirmed what it would do, then how far it is, then what was done."""
    store = store_or_404(request, slug, roles=OWNERS)
    view = case_view(_case(store, pk), now=timezone.now())
    return render(request, "dashboards/privacy/case.html", {**_frame(request, store), "case": view})


@require_POST
@login_required
def steer_privacy(request: HttpRequest, slug: str, pk: int, action: str) -> HttpResponse:
    """Confirm a request that was looked at, forget it, or try one again."""
    store = store_or_404(request, slug, roles=OWNERS)
    case = _case(store, pk)
    try:
        if action == "confirm":
            cases.confirm(case)
        elif action == "again":
            cases.again(case, actor=actor_of(request))
        elif action == "forget":
            cases.drop(case)
        else:
            raise Http404("No such action.")
    except NotLookedAt as refused:
        messages.error(request, f"Nothing was done. {refused}")
        return redirect("privacy_case", slug=store.slug, pk=case.pk)
    if action == "forget":
        messages.success(request, "Nothing was done, and what you looked for is forgotten.")
        return redirect("privacy", slug=store.slug)
    messages.success(request, "It is being done. This page follows it, and it goes on if you leave.")
    return redirect("privacy_case", slug=store.slug, pk=case.pk)


@require_safe
@never_cache
@login_required
def privacy_copy(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Hand an owner the copy that was made for a person, while it is kept."""
    store = store_or_404(request, slug, roles=OWNERS)
    copy = get_object_or_404(PrivacyCopy, case__store=store, case=pk, expires_at__gt=timezone.now())
    try:
        body = unseal(bytes(copy.body))
    except Unsealable:
        messages.error(request, "The copy was sealed with a key that is gone from FIELD_KEYS. Put the key back, or ask for the copy anew.")
        return redirect("privacy_case", slug=store.slug, pk=pk)
    answer = HttpResponse(body, content_type="application/zip")
    answer["Content-Disposition"] = f'attachment; filename="{store.slug}-personal-data-{pk}.zip"'
    return answer


def _case(store: Store, pk: int) -> PrivacyCase:
    return get_object_or_404(PrivacyCase.objects.select_related("connection"), store=store, pk=pk)


def _frame(request: HttpRequest, store: Store) -> dict[str, Any]:
    return {"store": store, "stores": stores_for(request.user), "section": "privacy", "zone": current_zone(store)}
