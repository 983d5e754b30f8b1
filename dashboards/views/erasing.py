"""Ask whether a store is to be deleted with everything of it, and have it done."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from dashboards.access import OWNERS, actor_of, store_or_404, stores_for
from dashboards.pages.erasures import ErasureForm
from ledger.erasure.erasing import NotErasable
from ledger.models import Batch, Order, Store
from ledger.tasks import submit_erasure


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def delete_store(request: HttpRequest, slug: str) -> HttpResponse:
    """Say what would go with a store and ask for its name; POST with the name deletes it, and nothing of it is seen from then on."""
    store = store_or_404(request, slug, roles=OWNERS)
    form = ErasureForm(request.POST if request.method == "POST" else None, store=store)
    if request.method == "POST" and form.is_valid():
        try:
            submit_erasure(store, actor=actor_of(request), now=timezone.now())
        except NotErasable as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, f"{store.name} is out of sight for everybody now, and is being deleted.")
            return redirect("home")
    context = {
        "store": store, "stores": stores_for(request.user), "section": "people", "form": form, "problems": form.problems(), "held": _held(store),
    }  # fmt: skip
    return render(request, "dashboards/people/delete_store.html", context)


def _held(store: Store) -> dict[str, int]:
    """Count what a person would miss."""
    return {
        "orders": Order.objects.filter(store=store).count(),
        "entries": Batch.objects.filter(book_id=store.pk).aggregate(whole=Sum("entries"))["whole"] or 0,
        "files": store.file_imports.count(),
        "people": store.memberships.count(),
    }
