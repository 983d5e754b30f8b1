"""Send what the P&L and its tabs show as files: the same figures, for a spreadsheet."""

from collections.abc import Callable, Sequence

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from dashboards.access import store_or_404
from dashboards.converted import conversion_of
from dashboards.files.exports import grids_csv, statement_csv
from dashboards.files.workbook import Sheet, facts, grid_sheet, statement_sheet, workbook
from dashboards.forms.scope import Scope
from dashboards.pages.breakdown_tables import cost_grids, revenue_grids
from dashboards.pages.freshness import freshness
from dashboards.pages.grid import Grid
from dashboards.pages.notices import restating
from dashboards.pages.pnl_page import has_entries, scope_form
from dashboards.pages.statement_table import statement_table
from ledger.book.snapshot import snapshot
from ledger.models import Store

TYPES = {"csv": "text/csv; charset=utf-8", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
Written = Callable[[Store, Scope, str], bytes | str]
"""Writes what a tab shows as a file of a kind: csv or xlsx."""


@require_safe
@login_required
def pnl_file(request: HttpRequest, slug: str, kind: str) -> HttpResponse:
    """Send the statement as a CSV file or a workbook."""
    return _send(request, slug, kind, "profit", _statement)


@require_safe
@login_required
def pnl_revenue_file(request: HttpRequest, slug: str, kind: str) -> HttpResponse:
    """Send net revenue by channel, product and country as a CSV file or a workbook."""
    return _send(request, slug, kind, "revenue", lambda store, scope, kind: _grids(store, scope, kind, revenue_grids(store, scope)))


@require_safe
@login_required
def pnl_costs_file(request: HttpRequest, slug: str, kind: str) -> HttpResponse:
    """Send costs by kind, channel and platform as a CSV file or a workbook."""
    return _send(request, slug, kind, "costs", lambda store, scope, kind: _grids(store, scope, kind, cost_grids(store, scope)))


def _send(request: HttpRequest, slug: str, kind: str, name: str, written: Written) -> HttpResponse:
    """Send a file; refuse what the page would refuse, rather than send another range."""
    store = store_or_404(request, slug)
    with snapshot():
        form = scope_form(request, store)
        scope = form.scope() if has_entries(store) else None
        if scope is None or form.problems():
            reasons = [message for _, message in form.problems()] or ["There are no entries yet."]
            return HttpResponse("\n".join(reasons), status=400, content_type="text/plain; charset=utf-8")
        content = written(store, scope, kind)
    shown = f"-{scope.currency}" if scope.currency else ""
    filename = f"{store.slug}-{name}-{scope.period.first}-{scope.period.last}-by-{scope.by}-{scope.basis_key}{shown}.{kind}"
    return HttpResponse(content, content_type=TYPES[kind], headers={"Content-Disposition": f'attachment; filename="{filename}"'})


def _statement(store: Store, scope: Scope, kind: str) -> bytes | str:
    table = statement_table(store, scope)
    if kind == "csv":
        return statement_csv(table)
    told = freshness(store, estimated_share=table.estimated_share, restating=restating(store))
    return workbook([statement_sheet(table)], facts(store, scope, told, now=timezone.now(), converted=table.converted), table.currency)


def _grids(store: Store, scope: Scope, kind: str, grids: Sequence[Grid]) -> bytes | str:
    if kind == "csv":
        return grids_csv(grids, scope.currency or store.currency)
    sheets: list[Sheet] = [grid_sheet(grid) for grid in grids]
    told = freshness(store, estimated_share=None, restating=restating(store))
    return workbook(sheets, facts(store, scope, told, now=timezone.now(), converted=conversion_of(store, scope)), scope.currency or store.currency)
