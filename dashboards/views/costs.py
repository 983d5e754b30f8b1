"""Show what a store's costs rest on, and what to mend next."""

from zoneinfo import ZoneInfo

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from dashboards.access import store_or_404, stores_for
from dashboards.forms.addresses import LAST_DAYS, Reading, ScopeForm
from dashboards.forms.presets import scope_bar
from dashboards.pages.costs_page import costs_page
from dashboards.pages.notices import current_zone, may_edit_costs, restating
from ledger.book.snapshot import snapshot

READING = Reading(offered=frozenset(), days=LAST_DAYS)


@require_safe
@login_required
def costs(request: HttpRequest, slug: str) -> HttpResponse:
    """Show coverage over the range in the address, the last 90 days when it names none, and what stands now."""
    store = store_or_404(request, slug)
    with snapshot():
        zone = current_zone(store)
        today = timezone.localdate(timezone=ZoneInfo(zone))
        form = ScopeForm(request.GET, store=store, today=today, zone=zone, reading=READING)
        scope = form.dated_scope()
        context = {
            "store": store, "stores": stores_for(request.user), "section": "costs", "bar": scope_bar(form, scope), "problems": form.problems(),
            "period": scope.period, "page": costs_page(store, scope.period, today=today), "zone": zone,
            "may_edit": may_edit_costs(store), "restating": restating(store),
        }  # fmt: skip
    return render(request, "dashboards/costs.html", context)
