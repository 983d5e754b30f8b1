"""Explain why the figures of some days changed between two moments."""

from datetime import date
from zoneinfo import ZoneInfo

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from dashboards.access import store_or_404, stores_for
from dashboards.forms.presets import scope_bar
from dashboards.pages.changes_page import ChangesForm, changes
from dashboards.pages.notices import current_zone, restating
from ledger.book.between import MOST_ENTRIES
from ledger.book.snapshot import snapshot

MOMENTS = ("since", "until", "after", "through")


@require_safe
@login_required
def why(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the statement then and now, and the difference by cause; the last seven days when the address names no moment."""
    store = store_or_404(request, slug)
    with snapshot():
        zone = current_zone(store)
        today: date = timezone.localdate(timezone=ZoneInfo(zone))
        form = ChangesForm(request.GET, store=store, today=today, zone=zone)
        scope = form.dated_scope()
        after, through = form.moments(form.cleaned_data if form.is_valid() else {})
        kept = {name: str(request.GET[name]) for name in MOMENTS if request.GET.get(name)}
        context = {
            "store": store, "stores": stores_for(request.user), "section": "pnl", "zone": zone, "scope": scope, "form": form,
            "bar": scope_bar(form, scope, kept=kept), "problems": form.problems(), "restating": restating(store), "most": MOST_ENTRIES,
            "page": changes(store, scope, after=after, through=through),
        }  # fmt: skip
    return render(request, "dashboards/changes.html", context)
