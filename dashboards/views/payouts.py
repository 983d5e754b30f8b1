"""Show a store's payouts as a list and as files, and one payout down to its rows."""

from zoneinfo import ZoneInfo

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from dashboards.access import store_or_404, stores_for
from dashboards.files.payouts_files import MOST_IN_FILE, PAYOUTS, ROWS, as_csv, as_xlsx, payout_cells, row_cells
from dashboards.forms.payouts_form import LAST_PAGE, PayoutsForm, status_words
from dashboards.pages.notices import current_zone, may_edit_costs
from dashboards.pages.payouts_page import payout_page, payouts_page
from ledger.book.snapshot import snapshot
from ledger.charges.payouts import payouts_of, statuses_of
from ledger.models import Payout, Store

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@require_safe
@login_required
def payouts(request: HttpRequest, slug: str) -> HttpResponse:
    """List the payouts that the address asks for, with what is on its way, fees and disputes."""
    store = store_or_404(request, slug)
    with snapshot():
        form = PayoutsForm(request.GET)
        view, zone = form.view(), current_zone(store)
        statuses = statuses_of(store)
        page = payouts_page(store, view, zone=zone, today=timezone.localdate(timezone=ZoneInfo(zone)))
    context = {
        "store": store, "stores": stores_for(request.user), "section": "payouts", "form": form, "problems": form.problems(), "view": view,
        "page": page, "zone": zone, "headings": view.headings(), "statuses": [(status, status_words(status)) for status in statuses],
        "may_edit": may_edit_costs(store),
    }  # fmt: skip
    return render(request, "dashboards/payouts.html", context)


@require_safe
@login_required
def payouts_file(request: HttpRequest, slug: str, kind: str) -> HttpResponse:
    """Send every payout that the address asks for as a line of a CSV file or a workbook; refuse what the page would refuse."""
    store = store_or_404(request, slug)
    form = PayoutsForm(request.GET)
    view, zone = form.view(), current_zone(store)
    refused = [message for _, message in form.problems()]
    if not refused and payouts_of(store, view.choice, days=view.moments(zone))[MOST_IN_FILE : MOST_IN_FILE + 1].exists():
        refused = [f"These are more than {MOST_IN_FILE:,} payouts, which is the most one file holds. Choose fewer days."]
    if refused:
        return HttpResponse("\n".join(refused), status=400, content_type="text/plain; charset=utf-8")
    lines = payout_cells(store, view, zone)
    return _file(store, "payouts", kind, as_csv(PAYOUTS, lines) if kind == "csv" else as_xlsx("Payouts", PAYOUTS, lines))


@require_safe
@login_required
def payout(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Show one payout: what was expected, what came, why they differ, and its rows."""
    store = store_or_404(request, slug)
    number = request.GET.get("page", "1")
    page = min(max(int(number), 1), LAST_PAGE) if number.isascii() and number.isdigit() and len(number) <= 4 else 1
    with snapshot():
        found = get_object_or_404(Payout, store=store, pk=pk)
        told = payout_page(store, found, page=page, now=timezone.now())
    context = {
        "store": store, "stores": stores_for(request.user), "section": "payouts", "payout": found, "page": told, "zone": current_zone(store),
    }  # fmt: skip
    return render(request, "dashboards/payout.html", context)


@require_safe
@login_required
def payout_file(request: HttpRequest, slug: str, pk: int, kind: str) -> HttpResponse:
    """Send the rows of one payout as a CSV file or a workbook."""
    store = store_or_404(request, slug)
    found = get_object_or_404(Payout, store=store, pk=pk)
    if found.rows > MOST_IN_FILE:
        too_many = f"The payout has more than {MOST_IN_FILE:,} rows, which is the most one file holds."
        return HttpResponse(too_many, status=400, content_type="text/plain; charset=utf-8")
    lines = row_cells(store, found, current_zone(store))
    body = as_csv(ROWS, lines) if kind == "csv" else as_xlsx("Rows", ROWS, lines)
    return _file(store, f"payout-{found.issued_at:%Y-%m-%d}-{found.pk}", kind, body)


def _file(store: Store, name: str, kind: str, body: bytes) -> HttpResponse:
    content_type = "text/csv; charset=utf-8" if kind == "csv" else XLSX
    return HttpResponse(body, content_type=content_type, headers={"Content-Disposition": f'attachment; filename="{store.slug}-{name}.{kind}"'})
