"""Show the jobs to whoever runs the installation: what waits, runs and failed, with a way to try again."""

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.forms import ChoiceField
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.module_loading import import_string

from profitpeek.jobs import kinds, queue
from profitpeek.jobs.health import HEARTBEAT
from profitpeek.jobs.models import Job, Pause

ModelAdmin: Any = import_string(settings.MODEL_ADMIN)


class InstallationAdmin(ModelAdmin):  # type: ignore[misc]
    """Open to the superuser only: jobs belong to the installation, not to a store."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Answer whether the person runs the installation."""
        return bool(request.user.is_active and request.user.is_superuser)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Answer whether the person runs the installation."""
        return self.has_module_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Answer no: a job changes by being run."""
        return False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Answer no: jobs are asked for by what needs them."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Answer no: old ones go by themselves."""
        return False


@admin.register(Job)
class JobAdmin(InstallationAdmin):
    """Lists jobs, the dead ones a click away, and lets them be tried again or cancelled."""

    note = (
        "Times are UTC. Finished heartbeats, one a minute, are left out until you filter. "
        "Tick jobs and choose what to do with them: try again, or cancel."
    )
    list_display = ["id", "what", "subject", "state", "how_far", "attempts", "not_before", "started_at", "finished_at", "error_start"]
    list_filter = ["state", "kind", "fault"]
    search_fields = ["key", "subject", "error", "actor", "request_id"]
    ordering = ["-id"]
    fields = [
        "kind",
        "subject",
        "state",
        "fault",
        "error",
        "attempts",
        "max_attempts",
        "step",
        "done",
        "whole",
        "actor",
        "created_at",
        "not_before",
        "started_at",
        "finished_at",
        "worker",
        "lease_until",
        "rung_at",
        "cancel_requested",
        "key",
        "parameters",
        "request_id",
        "run",
        "detail",
    ]
    actions = ["retry", "cancel"]
    list_per_page = 50
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        """Leave finished heartbeats out of the list until somebody filters or searches; they would fill it."""
        rows: QuerySet[Job] = super().get_queryset(request)
        asked = request.resolver_match is None or request.GET or not (request.resolver_match.url_name or "").endswith("changelist")
        return rows if asked or request.method != "GET" else rows.exclude(kind=HEARTBEAT, state=Job.State.DONE)

    @admin.display(description="kind", ordering="kind")
    def what(self, job: Job) -> str:
        """Return the kind as people read it."""
        known = kinds.table().get(job.kind)
        return known.label if known else job.kind

    @admin.display(description="progress")
    def how_far(self, job: Job) -> str:
        """Return the step and the counts."""
        if not job.step:
            return "—"
        counts = f": {job.done:,}" + (f" of {job.whole:,}" if job.whole else "") if job.done else ""
        return f"{job.step}{counts}"

    @admin.display(description="what went wrong")
    def error_start(self, job: Job) -> str:
        """Return the beginning of the error, whole on hovering."""
        return format_html('<span title="{}">{}</span>', job.error, job.error[:120]) if job.error else "—"

    def has_retry_permission(self, request: HttpRequest) -> bool:
        """Answer whether the person runs the installation."""
        return self.has_module_permission(request)

    @admin.action(description="Try again (dead and cancelled jobs)", permissions=["retry"])
    def retry(self, request: HttpRequest, chosen: QuerySet[Job]) -> None:
        """Let the chosen jobs wait again, with all their tries."""
        told = [queue.retry(pk) for pk in chosen.values_list("pk", flat=True)]
        if any(told):
            messages.success(request, f"{sum(told)} of {len(told)} jobs wait for another try.")
        if not all(told):
            messages.warning(request, "Jobs that are not dead or cancelled, or whose work waits already under the same key, were left alone.")

    @admin.action(description="Cancel (waiting and running jobs)", permissions=["retry"])
    def cancel(self, request: HttpRequest, chosen: QuerySet[Job]) -> None:
        """Take the chosen jobs back."""
        told = [queue.cancel(pk) for pk in chosen.values_list("pk", flat=True)]
        messages.success(request, f"{sum(told)} of {len(told)} jobs are cancelled, or will be at their next step.")


@admin.register(Pause)
class PauseAdmin(InstallationAdmin):
    """Pauses kinds of jobs, and lets them go on by deleting the pause."""

    list_display = ["kind", "reason", "actor", "since"]
    fields = ["kind", "reason"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Answer whether the person runs the installation."""
        return self.has_module_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Answer whether the person runs the installation."""
        return self.has_module_permission(request)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer the kinds there are."""
        if db_field.name == "kind":
            return ChoiceField(choices=[(name, kind.label) for name, kind in sorted(kinds.table().items())], label="kind of job")
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Pause, form: Any, change: bool) -> None:
        """Pause through the queue's own door."""
        queue.pause([obj.kind], reason=obj.reason, actor=request.user.get_username())

    def delete_model(self, request: HttpRequest, obj: Pause) -> None:
        """Resume through the queue's own door."""
        queue.resume([obj.kind])

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Pause]) -> None:
        """Resume every chosen kind."""
        queue.resume(list(queryset.values_list("kind", flat=True)))
