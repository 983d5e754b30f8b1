"""Guard the admin as a whole: one door in, pages of our own only, nothing that knows no stores."""

from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.admin.models import LogEntry
from django.contrib.auth.views import LogoutView, redirect_to_login
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, resolve_url
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.functional import SimpleLazyObject
from django.utils.module_loading import import_string
from django.views.decorators.cache import never_cache

from profitpeek.jobs.health import standing

Parent: Any = import_string(settings.ADMIN_SITE)

OURS = frozenset({"profitpeek", "dashboards", "alerts", "connectors", "ledger"})
"""The packages whose pages are taken: theirs are gated by store, or open to the superuser only."""
UNGATED = frozenset({"view_on_site", "search"})
"""Addresses that answer about any row, or about nothing our menu does not show."""
SUBJECTS = (
    (
        "Costs",
        (
            "ledger.VariantCost", "ledger.CogsRule", "ledger.BundlePart", "ledger.FeeRule", "ledger.ShippingRule", "ledger.ManualCost",
            "ledger.OrderCharge",
        ),
    ),
    ("Changes of costs", ("ledger.CostChange", "ledger.ProposedChange", "ledger.CostOverride", "ledger.CostDefaults")),
    ("Advertising", ("ledger.AdDay", "ledger.Campaign")),
    ("Partners and goals", ("ledger.Partner", "ledger.PartnerCode", "ledger.ProfitGoal")),
    ("Catalogue", ("ledger.Product", "ledger.Variant")),
    ("Payment processors", ("ledger.BalanceTransaction", "ledger.Payout")),
    ("Stores and people", ("ledger.Store", "ledger.Membership")),
    (
        "Books",
        ("ledger.Book", "ledger.Finding", "connectors.FileImport", "connectors.Connection", "connectors.SyncRun", "connectors.WebhookDelivery"),
    ),
    ("Installation", ("jobs.Job", "jobs.Pause", "ledger.Erasure", "auth.User", "mfa.Authenticator", "usersessions.UserSession")),
)  # fmt: skip
OTHERS = "More"


class Site(Parent):  # type: ignore[misc]
    """Shows each person the pages they may use, by subject."""

    site_header = site_title = "ProfitPeek"
    index_title = "Costs and settings"

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Take our own pages; a library's know no stores, and some run whatever is typed into them (a queue's schedules)."""
        if admin_class is not None and admin_class.__module__.partition(".")[0] in OURS:
            super().register(model_or_iterable, admin_class, **options)

    def get_urls(self) -> list[Any]:
        """Return the addresses without the ungated ones."""
        return [place for place in super().get_urls() if getattr(place, "name", None) not in UNGATED]

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the subjects, and tell whoever runs the installation of jobs that failed for good."""
        if getattr(request.user, "is_superuser", False) and (dead := standing().dead):
            messages.warning(request, f"{dead} background job{'' if dead == 1 else 's'} failed for good: see Jobs, filtered by state “dead”.")
        answer: HttpResponse = super().index(request, extra_context)
        return answer

    @method_decorator(never_cache)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        """Send everybody to the site's own sign-in, with its second factor and its limits; whatever is posted here is not read."""
        if not request.user.is_authenticated:
            return redirect_to_login(request.GET.get("next") or reverse("admin:index"), resolve_url(settings.LOGIN_URL))
        if not self.has_permission(request):
            raise PermissionDenied("The admin is for owners and cost editors of a store. Ask an owner of the store if you need it.")
        return redirect("admin:index")

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        """Sign out and show the site's sign-in."""
        return LogoutView.as_view(next_page=resolve_url(settings.LOGIN_URL))(request)

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Send people to the site's own page, which asks for what the sign-in asks for."""
        return redirect("account_change_password")

    password_change_done = password_change

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[dict[str, Any]]:
        """Return what the person may open, by subject; an app's own page keeps Django's order."""
        apps: list[dict[str, Any]] = super().get_app_list(request, app_label)
        if app_label is not None:
            return apps
        pages = {page["model"]._meta.label: page for app in apps for page in app["models"]}
        groups = [(subject, [pages.pop(label) for label in labels if label in pages]) for subject, labels in SUBJECTS]
        return [_group(subject, found) for subject, found in [*groups, (OTHERS, list(pages.values()))] if found]

    def get_log_entries(self, request: HttpRequest) -> "QuerySet[LogEntry]":
        """Return the person's own recent actions on rows that they may still see; the superuser's without that narrowing.

        Every page of the admin is given them and only the first shows them, so they are not looked for until then.
        """
        return cast("QuerySet[LogEntry]", SimpleLazyObject(lambda: self._log_entries(request)))

    def _log_entries(self, request: HttpRequest) -> "QuerySet[LogEntry]":
        person: Any = request.user
        entries = LogEntry.objects.filter(user_id=person.pk).select_related("content_type", "user")
        if person.is_superuser:
            return entries
        seen = Q(pk__in=[])
        for model, page in self._registry.items():
            if page.has_view_permission(request):
                rows = page.get_queryset(request).order_by().annotate(as_text=Cast("pk", TextField())).values("as_text")
                seen |= Q(content_type=ContentType.objects.get_for_model(model), object_id__in=rows)
        return entries.filter(seen)


def _group(subject: str, pages: list[dict[str, Any]]) -> dict[str, Any]:
    label = subject.lower().replace(" ", "-")
    return {"name": subject, "app_label": label, "app_url": pages[0]["admin_url"], "has_module_perms": True, "models": pages}
