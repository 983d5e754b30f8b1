"""Open a figure down to the entries beneath it, and say what every figure means."""

from typing import NamedTuple
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.contrib.auth.decorators import login_required
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from dashboards.access import store_or_404, stores_for
from dashboards.files.entries_files import MOST_IN_SHEET, entries_csv, entries_xlsx
from dashboards.forms.entries_form import Asked, EntriesForm, sought_of
from dashboards.forms.presets import scope_bar
from dashboards.metrics import DICTIONARY
from dashboards.pages.entries_page import lying_beneath, opened
from dashboards.pages.freshness import freshness
from dashboards.pages.notices import current_zone, restating
from dashboards.ratios import RATIOS
from ledger.book.journal import MOST_SUMMED
from ledger.book.snapshot import snapshot
from ledger.book.sought import Key, key_of, written
from ledger.models import Store

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


SCOPE = ("from", "to", "basis", "currency", "compare", "match", "compare_from", "compare_to")
"""What the bar of the page sets anew."""


def _kept(query: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in query.items() if name not in SCOPE}


class Refused(NamedTuple):
    """Why a file is not sent."""

    reasons: list[str]


def _place(request: HttpRequest, asked: Asked) -> Key | None:
    """Return the place in the address after which entries are listed; None, which is the first page, for one outside of the days asked for."""
    place = key_of(request.GET.get("after", ""))
    return place if place is not None and asked.period.first <= place[0] <= asked.period.last else None


def _form(request: HttpRequest, store: Store, zone: str) -> EntriesForm:
    return EntriesForm(request.GET, store=store, today=timezone.localdate(timezone=ZoneInfo(zone)), zone=zone)


@require_safe
@login_required
def entries(request: HttpRequest, slug: str) -> HttpResponse:
    """Open the figure in the address; net profit of the last 30 days when it names none."""
    store = store_or_404(request, slug)
    with snapshot():
        zone = current_zone(store)
        form = _form(request, store, zone)
        asked = form.asked()
        after = _place(request, asked)
        page = opened(store, asked, after=after)
        query = {name: str(value) for name, value in request.GET.items() if name != "after"}
        costs = restating(store)
        context = {
            "store": store, "stores": stores_for(request.user), "section": "pnl", "page": page, "asked": asked, "problems": form.problems(),
            "restating": costs, "zone": zone, "scope": asked.scope, "bar": scope_bar(form, asked.scope, kept=_kept(query)),
            "freshness": freshness(store, estimated_share=page.estimated_share, restating=costs), "most": MOST_SUMMED, "most_in_sheet": MOST_IN_SHEET,
            "query": urlencode(query), "first_page": urlencode(query) if after else "",
            "following": urlencode({**query, "after": written(page.following)}) if page.following else "",
        }  # fmt: skip
    return render(request, "dashboards/entries.html", context)


@require_safe
@login_required
def entries_file(request: HttpRequest, slug: str, kind: str) -> HttpResponseBase:
    """Send the same entries, all of them, as a CSV file or a workbook; refuse what the page refuses, and what is too long."""
    store = store_or_404(request, slug)
    with snapshot():
        found = _sent(request, store, most=MOST_SUMMED if kind == "csv" else MOST_IN_SHEET)
    if isinstance(found, Refused):
        return HttpResponse("\n".join(found.reasons), status=400, content_type="text/plain; charset=utf-8")
    through = store.book.last_seq
    name = f"{store.slug}-{(found.account or found.key).replace(':', '-')}-{found.period.first}-{found.period.last}-entries.{kind}"
    if kind == "csv":
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return StreamingHttpResponse(entries_csv(store, found, through=through), content_type="text/csv; charset=utf-8", headers=headers)
    return FileResponse(entries_xlsx(store, found, through=through), as_attachment=True, filename=name, content_type=XLSX)


def _sent(request: HttpRequest, store: Store, *, most: int) -> Asked | Refused:
    """Return the figure whose entries are sent, or why none are."""
    form = _form(request, store, current_zone(store))
    asked = form.asked()
    reasons = [message for _, message in form.problems()]
    if not reasons and asked.key in RATIOS and not asked.account:
        reasons = ["A ratio has no entries of its own. Open the figures it is reckoned from."]
    if reasons:
        return Refused(reasons)
    count = lying_beneath(store, asked, sought_of(store, asked)).entries
    if count is None or count > most:
        return Refused([f"More than {most:,} entries lie beneath this figure. Choose a shorter range, or one account."])
    return asked


@require_safe
@login_required
def metrics(request: HttpRequest, slug: str) -> HttpResponse:
    """List every figure's definition."""
    store = store_or_404(request, slug)
    context = {"store": store, "stores": stores_for(request.user), "section": "metrics", "dictionary": DICTIONARY}
    return render(request, "dashboards/metrics.html", context)
