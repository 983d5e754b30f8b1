"""Send a person to their store, or list their stores."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from dashboards.access import actor_of, stores_for
from dashboards.pages.erasures import erasures_for


@require_safe
@login_required
def home(request: HttpRequest) -> HttpResponse:
    """Open the only store's Today, or list the stores, or say how to make the first; who opens stores always gets the list."""
    stores = list(stores_for(request.user))
    erasures = erasures_for(request.user, actor=actor_of(request), now=timezone.now())
    if len(stores) == 1 and not erasures and not getattr(request.user, "is_superuser", False):
        return redirect("today", slug=stores[0].slug)
    return render(request, "dashboards/home.html", {"stores": stores, "erasures": erasures})
