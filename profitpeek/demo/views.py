"""Load the demo store from a page, and show how far that is."""

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from dashboards.access import stores_for
from ledger.models import Store
from ledger.stores import today_of
from profitpeek.demo.business import calendar
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
    context = {"stores": stores_for(request.user), "section": "home", "job": latest_job() if store is not None else None}
    return render(request, "demo/load.html", context)


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
    }
    return render(request, "demo/about.html", context)
