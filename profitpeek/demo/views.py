"""Load the demo store from a page, and show how far that is."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from connectors.faults import Fault
from connectors.oauth import ask
from connectors.registry import find
from dashboards.access import stores_for
from dashboards.views.connections import return_address
from ledger.models import Store
from ledger.stores import StoreRefused, today_of
from profitpeek.demo.business import calendar
from profitpeek.demo.connected import PLATFORM, connected_store, open_connected, sandbox_shop
from profitpeek.demo.fill import demo_store, is_filled
from profitpeek.demo.tasks import latest_job, submit_demo


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def load_demo(request: HttpRequest) -> HttpResponse:
    """Say what is in the demo store, or how far its making is; POST has it made, for whoever runs the installation."""
    store, runs = demo_store(), isinstance(request.user, User) and request.user.is_superuser
    sees = store is not None and stores_for(request.user).filter(pk=store.pk).exists()
    if not (runs or (sees and request.method != "POST")):
        raise PermissionDenied("The demo store is loaded by the person who runs this installation.")
    if store is not None and is_filled(store):
        return _about(request, store)
    if request.method == "POST":
        submit_demo(actor=getattr(request.user, "email", "") or request.user.get_username())
        return redirect("load_demo")
    context = {
        "stores": stores_for(request.user), "section": "home", "job": latest_job() if store is not None else None,
        "sandbox": sandbox_shop() if runs else None, "connected": connected_store(),
    }  # fmt: skip
    return render(request, "demo/load.html", context)


@require_POST
@login_required
def connect_sandbox(request: HttpRequest) -> HttpResponse:
    """Open the demo store that is read from the simulated shop, and lead to the page on which that shop asks for consent."""
    if not (isinstance(request.user, User) and request.user.is_superuser):
        raise PermissionDenied("The simulated shop is connected by the person who runs this installation.")
    shop = sandbox_shop()
    if shop is None:
        raise Http404("No simulated shop runs beside this installation.")
    try:
        store = open_connected(request.user)
        connector = find(PLATFORM)
        address = ask(
            store, connector, account=shop.domain, foreign=shop.base_url, told=shop.told, user=request.user,
            session=request.session.session_key or "", redirect=return_address(request, PLATFORM), now=timezone.now(),
        )  # fmt: skip
    except (StoreRefused, Fault) as refused:
        messages.error(request, str(refused))
        return redirect("load_demo")
    context = {"stores": stores_for(request.user), "connector": connector, "account": shop.domain, "address": address}
    return render(request, "dashboards/connections/leaving.html", context)


def _about(request: HttpRequest, store: Store) -> HttpResponse:
    """Tell what the demo store holds and which losses are hidden in it."""
    stores = stores_for(request.user)
    days = calendar(today_of(store, store.created_at))
    context = {
        "stores": stores,
        "store": stores.filter(pk=store.pk).first(),
        "section": "about",
        "days": days,
        "own": stores.filter(is_demo=False).first(),
        "sandbox": sandbox_shop() if getattr(request.user, "is_superuser", False) else None,
        "connected": connected_store(),
    }
    return render(request, "demo/about.html", context)
