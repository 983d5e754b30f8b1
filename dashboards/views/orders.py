"""Show a store's orders, and one order down to its ledger entries."""

from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from dashboards.access import store_or_404, stores_for
from dashboards.forms import OrderSearchForm
from dashboards.notices import current_zone, restating
from dashboards.order_page import listed, order_pages


@require_safe
@login_required
def orders(request: HttpRequest, slug: str) -> HttpResponse:
    """List a store's orders, newest first."""
    store = store_or_404(request, slug)
    form = OrderSearchForm(request.GET)
    problems = [] if form.is_valid() else [("id_q" if name == "q" else "", text) for name, texts in form.errors.items() for text in texts]
    asked = form.cleaned_data if not problems else {}
    number, held = asked.get("q") or "", bool(asked.get("held"))
    page = listed(store, number=number, held=held, page=asked.get("page") or 1)
    context = {
        "store": store, "stores": stores_for(request.user), "section": "orders", "form": form, "problems": problems,
        "page": page, "number": number, "held": held, "restating": restating(store),
        "kept": urlencode({key: value for key, value in (("q", number), ("held", "1" if held else "")) if value}),
    }  # fmt: skip
    return render(request, "dashboards/orders.html", context)


@require_safe
@login_required
def order(request: HttpRequest, slug: str, number: str) -> HttpResponse:
    """Show every order of a store with this number."""
    store = store_or_404(request, slug)
    pages = order_pages(store, number) if "\0" not in number else []
    if not pages:
        raise Http404("No such order.")
    context = {
        "store": store, "stores": stores_for(request.user), "section": "orders", "number": number, "pages": pages, "zone": current_zone(store),
        "restating": restating(store),
    }  # fmt: skip
    return render(request, "dashboards/order.html", context)
