"""Show whether a store makes money, and what needs its people: the home of a store."""

from datetime import date
from zoneinfo import ZoneInfo

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from dashboards import pulse
from dashboards.access import store_or_404, stores_for
from dashboards.forms.addresses import Reading, ScopeForm
from dashboards.forms.presets import scope_bar
from dashboards.pages.attention import attention
from dashboards.pages.freshness import freshness
from dashboards.pages.notices import current_zone, may_edit_costs, restating
from dashboards.pages.pnl_page import has_entries
from dashboards.pages.statement_table import booked_days, statement_table
from dashboards.pages.today_page import charts, efficiency, kpis
from ledger.book.snapshot import snapshot

READING = Reading(offered=frozenset({"basis", "compare", "currency"}), days=30)


@require_safe
@login_required
def today(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the figures of the days in the address; the last 30 days with entries when it names none."""
    store = store_or_404(request, slug)
    with snapshot():
        live = pulse.of_book(store, now=timezone.now())
        zone = current_zone(store)
        now: date = timezone.localdate(timezone=ZoneInfo(zone))
        form = ScopeForm(
            request.GET, store=store, today=now, zone=zone, reading=READING, booked=lambda basis: booked_days(store.book, basis, today=now)
        )  # fmt: skip
        scope = form.dated_scope() if has_entries(store) else None
        table = statement_table(store, scope) if scope else None
        costs = restating(store)
        told = freshness(store, estimated_share=table.estimated_share if table else None, restating=costs)
        context = {
            "store": store, "stores": stores_for(request.user), "section": "today", "zone": zone, "live": live, "scope": scope, "table": table,
            "bar": scope_bar(form, scope) if scope else None, "problems": form.problems() if scope else [], "freshness": told,
            "restating": costs, "may_edit": may_edit_costs(store), "kpis": kpis(store, table) if table else [],
            "efficiency": efficiency(store, table) if table else None, "charts": charts(store, table) if table else [],
            "attention": attention(store, held=told.state.held_orders, restating=costs, today=now) if table else [],
        }  # fmt: skip
    return render(request, "dashboards/today.html", context)
