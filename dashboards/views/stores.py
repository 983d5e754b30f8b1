"""Open a store from a page, and find its pages by what people type."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from dashboards.access import store_or_404, stores_for
from dashboards.forms.guesses import guessed
from dashboards.forms.people_forms import StoreForm
from ledger.people import Role, set_role
from ledger.stores import StoreRefused, open_store


@require_safe
@login_required
def page_of(request: HttpRequest, slug: str, page: str = "today") -> HttpResponse:
    """Lead from an address as people type it to the page of the store."""
    answer = redirect(page, slug=store_or_404(request, slug).slug)
    if query := request.META.get("QUERY_STRING"):
        answer["Location"] += f"?{query}"
    return answer


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def new_store(request: HttpRequest) -> HttpResponse:
    """Open a store and make the person its owner; only who runs the installation may."""
    if not (isinstance(request.user, User) and request.user.is_superuser):
        raise PermissionDenied("Stores are opened by the person who runs this installation.")
    form = StoreForm(request.POST or None, initial=guessed(request.headers.get("Accept-Language", "")))
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            with transaction.atomic():
                store = open_store(slug=given["slug"], name=given["name"], currency=given["currency"], zone=given["zone"])
                set_role(store, request.user, Role.OWNER)
        except StoreRefused as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"{store.name} is open. You are its owner.")
            return redirect("start", slug=store.slug)
    stores = stores_for(request.user)
    context = {"form": form, "problems": form.problems(), "stores": stores, "demo": stores.filter(is_demo=True).first()}
    return render(request, "dashboards/people/new_store.html", context)
