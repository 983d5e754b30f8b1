"""Give each request an id that its log lines, its answer and its error page share."""

import re
import time
from collections.abc import Callable
from http import HTTPStatus
from uuid import uuid4

import structlog
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template import TemplateDoesNotExist
from django.template.loader import get_template

log = structlog.get_logger(__name__)

HEADER = "X-Request-ID"
# An id from outside goes into logs and pages: only a short and plain one is taken over.
_PLAIN = re.compile(r"[A-Za-z0-9._-]{1,64}")
_STATIC = "/static/"


class RequestLog:
    """Bind the request's id to everything logged meanwhile, and log one line when it is answered."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request, and say so."""
        request_id = id_of(request)
        request.id = request_id  # type: ignore[attr-defined]
        started = time.monotonic()
        # The path alone: what follows the question mark may be a token.
        with structlog.contextvars.bound_contextvars(request_id=request_id, method=request.method, path=request.path):
            response = self.get_response(request)
            response[HEADER] = request_id
            # Open pages ask whether anything has moved; that nothing has is no news.
            if not request.path.startswith(_STATIC) and response.status_code != HTTPStatus.NOT_MODIFIED:
                log.info("request", status=response.status_code, ms=round((time.monotonic() - started) * 1000), **_who(request))
        return response


def id_of(request: HttpRequest) -> str:
    """Return the id a proxy has given the request, or a new one."""
    given = request.headers.get(HEADER, "")
    return given if _PLAIN.fullmatch(given) else uuid4().hex


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer with the page for our own failures; it shows the id, and asks nothing of the database."""
    context = {"request_id": getattr(request, "id", "")}
    try:
        # Without the request no context processor runs, which may have been what failed.
        return HttpResponse(get_template("500.html").render(context), status=500)
    except TemplateDoesNotExist:
        return HttpResponse(f"Something failed on our side. The log says what, under {context['request_id']}.", "text/plain", status=500)


def _who(request: HttpRequest) -> dict[str, object]:
    """Name the person and the store, as far as the answer had to find them out."""
    # Django keeps the user here once somebody has asked; asking now would be a query for a log line.
    user = getattr(request, "_cached_user", None)
    match = request.resolver_match
    found = {"user": user.pk if user is not None else None, "store": match.kwargs.get("slug") if match else None}
    return {name: value for name, value in found.items() if value is not None}
