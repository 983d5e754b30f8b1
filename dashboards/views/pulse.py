"""Answer open pages that ask whether anything has moved: by 304 where nothing has."""

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from dashboards import pulse
from dashboards.access import store_or_404
from dashboards.pulse import Pulse
from dashboards.views.together import together_of


@require_safe
@login_required
def book_pulse(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Tell the pulse of a store's book, and how many orders are newer than the one in the address."""
    store = store_or_404(request, slug)
    told = pulse.of_book(store, now=timezone.now())
    unmoved = get_conditional_response(request, etag=told.etag)
    if unmoved is not None:
        return _as_told(told, unmoved)
    asked = request.GET.get("newest", "")
    newer = pulse.newer_than(store, asked) if asked and asked != told.newest else 0
    return _as_told(told, JsonResponse({"tag": told.tag, "newest": told.newest, "newer": newer}))


@require_safe
@login_required
def connections_pulse(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Tell the pulse of a store's connections."""
    return _answer(request, pulse.of_connections(store_or_404(request, slug), now=timezone.now()))


@require_safe
@login_required
def order_pulse(request: HttpRequest, slug: str, number: str) -> HttpResponseBase:
    """Tell the pulse of the orders of a number."""
    store = store_or_404(request, slug)
    told = pulse.of_order(store, number, now=timezone.now()) if "\0" not in number else None
    if told is None:
        raise Http404("No such order.")
    return _answer(request, told)


@require_safe
@login_required
def stores_pulse(request: HttpRequest) -> HttpResponseBase:
    """Tell the pulse of the stores in the address; of all of a person's stores when it names none."""
    together = together_of(request)
    if isinstance(together, HttpResponseRedirect):
        return together
    return _answer(request, pulse.of_books(together.stores, chosen=together.chosen, now=timezone.now()))


def _answer(request: HttpRequest, told: Pulse) -> HttpResponseBase:
    return _as_told(told, get_conditional_response(request, etag=told.etag) or JsonResponse({"tag": told.tag, "newest": "", "newer": 0}))


def _as_told(told: Pulse, answer: HttpResponse) -> HttpResponse:
    answer["ETag"] = told.etag
    # It may be kept, by this browser alone, and is asked about each time.
    answer["Cache-Control"] = "private, no-cache"
    return answer
