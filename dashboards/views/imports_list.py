"""Send the list of a store's files as a file."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from dashboards.access import EVERY_ROLE, store_or_404
from dashboards.pages.imports_list import MOST_IN_FILE, ImportsForm, files_of, imports_csv, imports_xlsx

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@require_safe
@login_required
def imports_file(request: HttpRequest, slug: str, kind: str) -> HttpResponse:
    """Send every file that the address asks for as a line of a CSV file or a workbook; refuse what the page would refuse."""
    store = store_or_404(request, slug, roles=EVERY_ROLE)
    form = ImportsForm(request.GET)
    view = form.view()
    refused = [message for _, message in form.problems()]
    if not refused and files_of(store, view)[MOST_IN_FILE : MOST_IN_FILE + 1].exists():
        refused = [f"These are more than {MOST_IN_FILE:,} files, which is the most one list holds. Narrow it."]
    if refused:
        return HttpResponse("\n".join(refused), status=400, content_type="text/plain; charset=utf-8")
    body, content_type = (imports_csv(store, view), "text/csv; charset=utf-8") if kind == "csv" else (imports_xlsx(store, view), XLSX)
    return HttpResponse(body, content_type=content_type, headers={"Content-Disposition": f'attachment; filename="{store.slug}-imports.{kind}"'})
