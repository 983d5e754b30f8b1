"""Show the profit statement of a store, the tabs beside it, and the sheet to print."""

from collections.abc import Callable

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from dashboards.access import store_or_404
from dashboards.charts import cost_share_chart, margin_chart, profit_chart
from dashboards.converted import conversion_of
from dashboards.forms.scope import Scope
from dashboards.pages.breakdown_tables import cost_grids, revenue_grids
from dashboards.pages.freshness import freshness
from dashboards.pages.grid import Grid
from dashboards.pages.notices import may_edit_costs, open_findings, restating
from dashboards.pages.pnl_page import frame, has_entries, open_figures, scope_form
from dashboards.pages.statement_table import statement_table
from dashboards.pages.tiles import tiles
from ledger.book.snapshot import snapshot
from ledger.models import Store


@require_safe
@login_required
def pnl(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the statement of the range in the address; the last twelve months with entries when it names none."""
    store = store_or_404(request, slug)
    with snapshot():
        form = scope_form(request, store)
        scope = form.scope() if has_entries(store) else None
        table = open_figures(store, statement_table(store, scope)) if scope else None
        costs = restating(store)
        told = freshness(store, estimated_share=table.estimated_share if table else None, restating=costs)
        context = {
            **frame(request, store, form, scope, told, tab="pnl"), "table": table, "tiles": tiles(table) if table else [],
            "chart": profit_chart(table, today=form.today) if table else None,
            "margin_chart": margin_chart(table, today=form.today) if table else None,
            "findings": open_findings(store), "may_edit": may_edit_costs(store), "restating": costs,
        }  # fmt: skip
    return render(request, "dashboards/pnl.html", context)


@require_safe
@login_required
def pnl_revenue(request: HttpRequest, slug: str) -> HttpResponse:
    """Show net revenue by channel, by product and by country."""
    return _tab(request, slug, "pnl_revenue", revenue_grids)


@require_safe
@login_required
def pnl_costs(request: HttpRequest, slug: str) -> HttpResponse:
    """Show costs by kind with what of them is actual, by channel and by platform, and their share of net revenue over time."""
    return _tab(request, slug, "pnl_costs", cost_grids, with_chart=True)


@require_safe
@login_required
def pnl_print(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the statement as a sheet that fits one page of A4; what the P&L would refuse is sent there to be mended."""
    store = store_or_404(request, slug)
    with snapshot():
        form = scope_form(request, store)
        scope = form.scope() if has_entries(store) else None
        if scope is None or form.problems():
            answer = redirect("pnl", slug)
            answer["Location"] += f"?{request.GET.urlencode()}"
            return answer
        table = statement_table(store, scope)
        told = freshness(store, estimated_share=table.estimated_share, restating=restating(store))
    context = {"store": store, "scope": scope, "table": table, "freshness": told, "zone": form.zone, "now": timezone.now(), "query": scope.query()}
    return render(request, "dashboards/pnl_print.html", context)


def _tab(request: HttpRequest, slug: str, tab: str, grids: Callable[[Store, Scope], list[Grid]], *, with_chart: bool = False) -> HttpResponse:
    store = store_or_404(request, slug)
    with snapshot():
        form = scope_form(request, store)
        scope = form.scope() if has_entries(store) else None
        table = statement_table(store, scope) if scope and with_chart else None
        costs = restating(store)
        told = freshness(store, estimated_share=table.estimated_share if table else None, restating=costs)
        context = {
            **frame(request, store, form, scope, told, tab=tab), "grids": grids(store, scope) if scope else [],
            "chart": cost_share_chart(table, today=form.today) if table else None, "restating": costs,
            "converted": table.converted if table else conversion_of(store, scope) if scope else None,
        }  # fmt: skip
    return render(request, "dashboards/pnl_tab.html", context)
