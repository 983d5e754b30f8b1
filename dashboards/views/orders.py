"""Show a store's orders as a list, by margin and as files, and one order down to its ledger entries."""

from zoneinfo import ZoneInfo

from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from dashboards import pulse
from dashboards.access import store_or_404, stores_for
from dashboards.charts.margins import margins_chart
from dashboards.files.order_files import MOST_IN_CSV, MOST_IN_XLSX, orders_csv, orders_xlsx
from dashboards.forms.order_forms import MARGINS, OrdersForm
from dashboards.pages.freshness import freshness
from dashboards.pages.notices import current_zone, restating
from dashboards.pages.order_page import order_pages
from dashboards.pages.orders_page import flag_choices, gateways, headings, listing, told
from ledger.book.snapshot import snapshot
from ledger.models import Order
from ledger.orders.order_list import count_up_to, every_row, margins_of, page_of
from ledger.orders.order_question import MOST_LOOKED


@require_safe
@login_required
def orders(request: HttpRequest, slug: str) -> HttpResponse:
    """List the orders that the address asks for, or show how their margins are spread."""
    store = store_or_404(request, slug)
    with snapshot():
        live = pulse.of_book(store, now=timezone.now())
        form = OrdersForm(request.GET, store=store)
        view = form.view()
        zone, moving = current_zone(store), restating(store)
        context = {
            "store": store, "stores": stores_for(request.user), "section": "orders", "form": form, "problems": form.problems(), "view": view,
            "ranges": view.ranges(timezone.localdate(timezone=ZoneInfo(zone))), "flags": flag_choices(view), "gateways": gateways(store),
            "told": told(store, view, form.channels), "restating": moving, "headings": headings(view), "most_looked": MOST_LOOKED,
            "has_orders": Order.objects.filter(store=store).exists(), "zone": zone, "live": live,
            "freshness": freshness(store, estimated_share=None, restating=moving),
        }  # fmt: skip
        if view.show == MARGINS:
            margins = margins_of(store, view.choice)
            context |= {"margins": margins, "chart": margins_chart(margins, store.currency)}
        else:
            context["listing"] = listing(store, view, page_of(store, view.choice, view.key))
    return render(request, "dashboards/margins.html" if view.show == MARGINS else "dashboards/orders.html", context)


@require_safe
@login_required
def orders_csv_file(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Send every order of the view as CSV, line by line."""
    return _file(request, slug, "csv", MOST_IN_CSV)


@require_safe
@login_required
def orders_xlsx_file(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Send every order of the view as a workbook."""
    return _file(request, slug, "xlsx", MOST_IN_XLSX)


def _file(request: HttpRequest, slug: str, kind: str, most: int) -> HttpResponseBase:
    """Send a view as a file; refuse what the page would refuse, and what is more than fits, rather than send something else."""
    store = store_or_404(request, slug)
    form = OrdersForm(request.GET, store=store)
    view = form.view()
    refused = [message for _, message in form.problems()]
    if not refused and count_up_to(store, view.choice, most) > most:
        refused = [f"These are more than {most:,} orders, which is the most one {kind.upper()} file holds. Choose fewer days."]
    if refused:
        return HttpResponse("\n".join(refused), status=400, content_type="text/plain; charset=utf-8")
    name = "-".join([store.slug, "orders", *(day.isoformat() for day in (view.choice.first, view.choice.last) if day)])
    rows = every_row(store, view.choice, most=most)
    if kind == "xlsx":
        return FileResponse(orders_xlsx(store, rows, form.channels), as_attachment=True, filename=f"{name}.xlsx")
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return StreamingHttpResponse(orders_csv(store, rows, form.channels), content_type="text/csv; charset=utf-8", headers=headers)


@require_safe
@login_required
def order(request: HttpRequest, slug: str, number: str) -> HttpResponse:
    """Show every order of a store with this number."""
    store = store_or_404(request, slug)
    # First, so that what moves meanwhile is asked for once more rather than missed.
    live = pulse.of_order(store, number, now=timezone.now()) if "\0" not in number else None
    pages = order_pages(store, number) if live else []
    if not pages:
        raise Http404("No such order.")
    context = {
        "store": store, "stores": stores_for(request.user), "section": "orders", "number": number, "pages": pages, "zone": current_zone(store),
        "restating": restating(store), "live": live,
    }  # fmt: skip
    return render(request, "dashboards/order.html", context)
