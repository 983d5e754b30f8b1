"""Give, read and delete the papers that prove a cost, on the cost's own page."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_POST, require_safe

from ledger.admin.proposals import actor_of
from ledger.costs import documents
from ledger.costs.documents import DocumentRefused
from ledger.models import CostDocument, ManualCost
from ledger.sealing import Unsealable


class DocumentPages:
    """Adds the documents of a row to its admin page; a row of another store has none to give."""

    def get_urls(self: Any) -> list[Any]:
        """Return the addresses, the documents' before those that take anything."""
        gated, one = self.admin_site.admin_view, "<int:pk>/documents/<int:document>/"
        pages = [
            path("<int:pk>/documents/add/", gated(self.add_document), name="ledger_manualcost_document_add"),
            path(one, gated(self.read_document), name="ledger_manualcost_document"),
            path(f"{one}delete/", gated(self.delete_document), name="ledger_manualcost_document_delete"),
        ]
        return [*pages, *super().get_urls()]  # type: ignore[misc]

    def render_change_form(self: Any, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> HttpResponse:
        """List the documents of the cost, and offer to add one."""
        cost = kwargs.get("obj")
        if cost is not None:
            listed = cost.documents.defer("body").order_by("added_at", "pk")
            context["documents"] = [(each, _address("document", cost, each), _address("document_delete", cost, each)) for each in listed]
            context["add_document"] = _address("document_add", cost)
            context["largest"] = documents.LARGEST // 1_000_000
        answer: HttpResponse = super().render_change_form(request, context, *args, **kwargs)  # type: ignore[misc]
        return answer

    @method_decorator(require_POST)
    def add_document(self: Any, request: HttpRequest, pk: int) -> HttpResponse:
        """Keep the file that was given."""
        cost, file = self._cost(request, pk), request.FILES.get("document")
        if file is None:
            messages.error(request, "Choose a file first.")
        elif (file.size or 0) > documents.LARGEST:
            messages.error(request, f"“{file.name}” has more than {documents.LARGEST // 1_000_000} MB. Make it smaller, or keep it elsewhere.")
        else:
            try:
                kept = documents.attach(
                    cost, file.read(), filename=file.name or "", media_type=file.content_type or "", actor=actor_of(request), now=timezone.now()
                )
                messages.success(request, f"“{kept.filename}” is kept with this cost.")
            except DocumentRefused as refused:
                messages.error(request, str(refused))
        return redirect("admin:ledger_manualcost_change", cost.pk)

    @method_decorator(require_safe)
    def read_document(self: Any, request: HttpRequest, pk: int, document: int) -> HttpResponse:
        """Give the document as it was given; a browser saves it and does not guess what it is."""
        kept = self._document(request, pk, document)
        try:
            body = documents.body_of(kept)
        except Unsealable as error:
            raise PermissionDenied("This document cannot be opened: the key it was sealed with is not in FIELD_KEYS any more.") from error
        answer = HttpResponse(body, content_type=kept.media_type)
        answer["Content-Disposition"] = content_disposition_header(True, kept.filename)
        answer["X-Content-Type-Options"] = "nosniff"
        return answer

    @method_decorator(require_POST)
    def delete_document(self: Any, request: HttpRequest, pk: int, document: int) -> HttpResponse:
        """Delete the document."""
        kept = self._document(request, pk, document)
        documents.delete(kept)
        messages.success(request, f"“{kept.filename}” is deleted.")
        return redirect("admin:ledger_manualcost_change", pk)

    def _cost(self: Any, request: HttpRequest, pk: int) -> ManualCost:
        if not self.has_view_permission(request):
            raise PermissionDenied
        cost: ManualCost | None = self.get_queryset(request).filter(pk=pk).first()
        if cost is None:
            raise Http404("There is no such cost.")
        return cost

    def _document(self: Any, request: HttpRequest, pk: int, document: int) -> CostDocument:
        found: CostDocument | None = self._cost(request, pk).documents.filter(pk=document).first()
        if found is None:
            raise Http404("There is no such document.")
        return found


def _address(page: str, cost: ManualCost, document: CostDocument | None = None) -> str:
    return reverse(f"admin:ledger_manualcost_{page}", args=[cost.pk] if document is None else [cost.pk, document.pk])
