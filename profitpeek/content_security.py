"""State what a page may load: from this installation only. The admin's looks need two exceptions, on its own pages."""

from collections.abc import Callable

from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.conf import settings
from django.http import HttpRequest, HttpResponse

SITE: dict[str, dict[str, list[str]]] = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
# unfold is built on Alpine, which compiles the expressions in its templates, and writes its colours into a style element.
ADMIN_ADDS = {"script-src": [UNSAFE_EVAL], "style-src": [UNSAFE_INLINE]}


def loosen_admin(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Add the exceptions to pages that the admin itself has drawn; a refusal or an error in the admin is a page of the site's."""

    def answer(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        place = request.resolver_match
        if not settings.PLAIN_ADMIN and response.status_code == 200 and place is not None and place.app_name == "admin":
            response._csp_update = ADMIN_ADDS  # type: ignore[attr-defined]  # read by django-csp
        return response

    return answer
