"""Show several stores at once: what they come to together, and side by side. A person sees those they are a member of."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from dashboards import pulse
from dashboards.access import several_or_404, stores_for
from dashboards.files.exports import statement_csv
from dashboards.files.workbook import statement_sheet, workbook
from dashboards.forms.addresses import Reading, ScopeForm
from dashboards.forms.presets import scope_bar
from dashboards.forms.scope import Compare
from dashboards.pages.together import MOST, SideBySide, Together, combinable, scope_of, side_by_side
from dashboards.pages.together_page import facts, kpis, open_columns, query_of, rates_of, store_rows
from dashboards.views.pnl_files import TYPES
from ledger.book.snapshot import snapshot

OFFERED = frozenset({"basis", "compare", "currency"})
TODAY = Reading(offered=OFFERED, days=30)
PNL = Reading(offered=OFFERED, compare=Compare.NONE)
"""Compared only where the address says so: columns of stores need the room."""


@require_safe
@login_required
def stores_today(request: HttpRequest) -> HttpResponse:
    """Show what the stores in the address come to together, and a row for each; all of a person's stores when it names none."""
    together = together_of(request)
    if isinstance(together, HttpResponseRedirect):
        return together
    with snapshot():
        form = scope_of(request.GET, together, TODAY, now=timezone.now())
        context = _frame(request, together, form, section="today")
        context["live"] = pulse.of_books(together.stores, chosen=together.chosen, now=timezone.now())
        found: SideBySide | None = context["found"]
        if found:
            context |= {"kpis": kpis(together, form.store, found.table), "rows": store_rows(together, found)}
    return render(request, "dashboards/stores/today.html", context)


@require_safe
@login_required
def stores_pnl(request: HttpRequest) -> HttpResponse:
    """Show the statement with a column for each store, beside their sum in one currency."""
    together = together_of(request)
    if isinstance(together, HttpResponseRedirect):
        return together
    with snapshot():
        form = scope_of(request.GET, together, PNL, now=timezone.now())
        context = _frame(request, together, form, section="pnl")
        found: SideBySide | None = context["found"]
        if found:
            open_columns(together, found.table)
    return render(request, "dashboards/stores/pnl.html", context)


@require_safe
@login_required
def stores_pnl_file(request: HttpRequest, kind: str) -> HttpResponse:
    """Send that statement as a CSV file or a workbook; refuse what the page would refuse."""
    together = together_of(request)
    if isinstance(together, HttpResponseRedirect):
        return together
    with snapshot():
        form = scope_of(request.GET, together, PNL, now=timezone.now())
        scope = form.scope() if _has_entries(together) else None
        if scope is None or form.problems():
            reasons = [message for _, message in form.problems()] or ["There are no entries yet."]
            return HttpResponse("\n".join(reasons), status=400, content_type="text/plain; charset=utf-8")
        found = side_by_side(together, form.store, scope)
    table = found.table
    content: bytes | str = statement_csv(table)
    if kind == "xlsx":
        content = workbook([statement_sheet(table)], facts(together, scope, found), table.currency)
    filename = f"stores-profit-{scope.period.first}-{scope.period.last}-{scope.basis_key}-{table.currency}.{kind}"
    return HttpResponse(content, content_type=TYPES[kind], headers={"Content-Disposition": f'attachment; filename="{filename}"'})


def together_of(request: HttpRequest) -> Together | HttpResponseRedirect:
    """Return the stores of the address, of those of the person; whoever has none is sent to the list, which says what to do."""
    offered = combinable(list(stores_for(request.user).filter(book__isnull=False).select_related("book", "start_end")))
    if not offered:
        return redirect("home")
    named = [slug for value in request.GET.getlist("stores") for slug in value.split(",") if slug]
    return Together((several_or_404(offered, named) if named else offered)[:MOST], offered)


def _has_entries(together: Together) -> bool:
    return any(store.book.last_seq for store in together.stores)


def _frame(request: HttpRequest, together: Together, form: ScopeForm, *, section: str) -> dict[str, Any]:
    """Return what the pages of several stores share; without a scope there is nothing to show."""
    scope = form.scope() if _has_entries(together) else None
    found = side_by_side(together, form.store, scope) if scope else None
    kept = {"stores": together.chosen} if together.chosen else {}
    return {
        "stores": stores_for(request.user), "together": together, "section": section, "scope": scope, "found": found,
        "table": found.table if found else None, "rates": rates_of(together, found) if found else [],
        "bar": scope_bar(form, scope, kept=kept) if scope else None, "problems": form.problems() if scope else [],
        "query": query_of(together, scope), "scope_query": scope.query() if scope else "", "most": MOST,
    }  # fmt: skip
