"""Show where a store's figures come from, and what is missing of them."""

from zoneinfo import ZoneInfo

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from dashboards.access import store_or_404, stores_for
from dashboards.pages.data_page import data_page
from dashboards.pages.notices import current_zone, may_edit_costs, restating
from ledger.book.snapshot import snapshot


@require_safe
@login_required
def data(request: HttpRequest, slug: str) -> HttpResponse:
    """Show sources, coverage, gaps, held orders, background work and findings as they stand now."""
    store = store_or_404(request, slug)
    with snapshot():
        zone = current_zone(store)
        today = timezone.localdate(timezone=ZoneInfo(zone))
        context = {
            "store": store, "stores": stores_for(request.user), "section": "data", "page": data_page(store, today=today), "zone": zone,
            "may_edit": may_edit_costs(store), "restating": restating(store), "today": today,
        }  # fmt: skip
    return render(request, "dashboards/data.html", context)
