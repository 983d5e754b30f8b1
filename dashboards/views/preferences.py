"""Save how a person likes their pages."""

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from dashboards.theme import THEMES, remember


# Open to strangers, since the sign-in page has a theme as well. Without a token, which would set a cookie on every page
# and keep two refused pages from being alike: the worst a foreign page can do here is to turn the lights off.
@csrf_exempt
@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Save the theme and go back to the page it was chosen on."""
    chosen = request.POST.get("theme", "")
    if chosen not in THEMES:
        return HttpResponseBadRequest("The theme is system, light or dark.", content_type="text/plain; charset=utf-8")
    back = request.POST.get("next", "")
    known = url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    # Not by `redirect`, which takes a word such as "pnl" for the name of a view.
    response = HttpResponseRedirect(back) if known else redirect("home")
    remember(response, chosen, secure=request.is_secure())
    return response
