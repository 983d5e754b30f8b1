"""List how a store's files of order lines are read, as people said it once; rename it, or forget it."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from connectors.files.orders.order_line_templates import LONGEST, forget_template, named_templates, rename_template
from connectors.platforms.files.faults import FileRefused
from dashboards.access import actor_of, store_or_404, stores_for
from dashboards.pages.notices import current_zone
from ledger.models import Store
from ledger.people import EDITORS


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def import_mappings(request: HttpRequest, slug: str) -> HttpResponse:
    """List the saved column mappings of a store; POST renames or deletes one."""
    store = store_or_404(request, slug, roles=EDITORS)
    if request.method == "POST":
        try:
            messages.success(request, _change(request, store))
        except FileRefused as refused:
            messages.error(request, refused.reason)
        return redirect("import_mappings", store.slug)
    context = {
        "store": store, "stores": stores_for(request.user), "section": "imports", "zone": current_zone(store), "mappings": named_templates(store),
        "longest": LONGEST,
    }  # fmt: skip
    return render(request, "dashboards/imports/mappings.html", context)


def _change(request: HttpRequest, store: Store) -> str:
    """Do what a button says and return what was done; raise FileRefused where it cannot be."""
    name = request.POST.get("name", "").replace("\0", "")
    if "delete" in request.POST:
        forget_template(store, name)
        return f"“{name}” is deleted. Files that were read so stay as they are; the next one with these columns is asked about."
    given = " ".join(request.POST.get("rename", "").replace("\0", "").split())
    rename_template(store, name, given, actor=actor_of(request), now=timezone.now())
    return f"“{name}” is called “{given}” now."
