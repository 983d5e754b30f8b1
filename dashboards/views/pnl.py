"""Show the profit statement of a store."""

from datetime import date
from zoneinfo import ZoneInfo

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from dashboards.access import store_or_404, stores_for
from dashboards.charts import profit_chart
from dashboards.exports import statement_csv
from dashboards.forms import StatementForm
from dashboards.notices import current_zone, may_edit_costs, open_findings, restating
from dashboards.presets import presets, range_name
from dashboards.statement_table import booked_days, statement_table
from dashboards.tiles import tiles
from ledger import statements
from ledger.models import Store
from ledger.snapshot import snapshot


def _today(zone: str) -> date:
    return timezone.localdate(timezone=ZoneInfo(zone))


def _form(request: HttpRequest, store: Store, *, today: date) -> StatementForm:
    return StatementForm(request.GET, store=store, booked=lambda basis: booked_days(store.book, basis, today=today))


@require_safe
@login_required
def pnl(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the statement of the range in the address; the last twelve months with entries when it names none."""
    store = store_or_404(request, slug)
    with snapshot():
        zone = current_zone(store)
        today = _today(zone)
        form = _form(request, store, today=today)
        state = statements.state(store.book)
        # A range typed for a store without anything would show a table of zeros.
        view = form.statement_view() if state.seq else None
        table = statement_table(store, view) if view else None
        offered = presets(view, today=today) if view else []
        problems = form.problems() if view else []
        chosen = not problems and any(request.GET.get(name) for name in ("from", "to"))
        context = {
            "store": store, "stores": stores_for(request.user), "section": "pnl", "form": form.shown(), "problems": problems, "view": view,
            "table": table, "tiles": tiles(table) if table else [], "chart": profit_chart(table, today=today) if table else None,
            "presets": offered, "range": range_name(view, offered, chosen=chosen, today=today) if view else "",
            "state": state, "findings": open_findings(store), "may_edit": may_edit_costs(store), "restating": restating(store), "zone": zone,
        }  # fmt: skip
    return render(request, "dashboards/pnl.html", context)


@require_safe
@login_required
def pnl_csv(request: HttpRequest, slug: str) -> HttpResponse:
    """Send the same statement as a CSV file; refuse what the page would refuse, rather than send another range."""
    store = store_or_404(request, slug)
    form = _form(request, store, today=_today(current_zone(store)))
    view = form.statement_view()
    if view is None or form.problems():
        reasons = [message for _, message in form.problems()] or ["There are no entries yet."]
        return HttpResponse("\n".join(reasons), status=400, content_type="text/plain; charset=utf-8")
    name = f"{store.slug}-profit-{view.whole.first}-{view.whole.last}-by-{view.by}-{view.basis_key}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    with snapshot():
        table = statement_table(store, view)
    return HttpResponse(statement_csv(table), content_type="text/csv; charset=utf-8", headers=headers)
