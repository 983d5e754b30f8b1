"""Hold the jobs: what is to be done, by whom it is being done, and what became of it."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class Job(models.Model):
    """One piece of background work. Times are the database's: of all clocks, the workers share only that one."""

    class State(models.TextChoices):
        WAITING = "waiting", "waiting"
        RUNNING = "running", "running"
        DONE = "done", "done"
        DEAD = "dead", "dead"
        CANCELLED = "cancelled", "cancelled"
        SUPERSEDED = "superseded", "replaced by a later one"

    class Fault(models.TextChoices):
        RETRYABLE = "retryable", "will be tried again"
        PERMANENT = "permanent", "cannot succeed"
        ATTENTION = "attention", "needs attention"
        CRASHED = "crashed", "unexpected error"
        TIMEOUT = "timeout", "took too long"
        LOST = "lost", "worker ended"

    kind = models.CharField(max_length=60)
    key = models.CharField(max_length=200, help_text="What names the work: of jobs with one key, one waits and one runs at most.")
    parameters = models.JSONField(default=dict, blank=True)
    subject = models.CharField(max_length=200, blank=True, help_text="What the work is about, in words.")
    actor = models.CharField(max_length=150, blank=True, help_text="Who asked for it.")
    request_id = models.CharField(max_length=64, blank=True, help_text="The request it was asked for in, as the log names it.")

    state = models.CharField(max_length=12, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveIntegerField(default=0, help_text="Tries that count, the present one included.")
    max_attempts = models.PositiveIntegerField()
    run = models.PositiveIntegerField(default=0, help_text="Number of the latest run; only its holder may write what it did.")
    not_before = models.DateTimeField(db_default=Now())
    rung_at = models.DateTimeField(null=True, help_text="When a worker was last told of it.")
    lease_until = models.DateTimeField(null=True)
    worker = models.CharField(max_length=120, blank=True)
    cancel_requested = models.BooleanField(default=False)

    step = models.CharField(max_length=120, blank=True)
    done = models.PositiveBigIntegerField(default=0)
    whole = models.PositiveBigIntegerField(default=0, help_text="0 while it is not known.")

    fault = models.CharField(max_length=12, choices=Fault.choices, blank=True)
    error = models.TextField(blank=True)
    detail = models.TextField(blank=True, help_text="The end of the traceback, for whoever mends the program.")

    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "key"], condition=Q(state="waiting"), name="one_waiting_job_per_key"),
            models.UniqueConstraint(fields=["kind", "key"], condition=Q(state="running"), name="one_running_job_per_key"),
            models.CheckConstraint(condition=~Q(state="running") | Q(lease_until__isnull=False), name="running_job_has_a_lease"),
            models.CheckConstraint(condition=Q(state__in=["waiting", "running"]) | Q(finished_at__isnull=False), name="ended_job_says_when_it_ended"),
        ]
        indexes = [
            models.Index(fields=["not_before"], condition=Q(state="waiting"), name="job_due"),
            models.Index(fields=["lease_until"], condition=Q(state="running"), name="job_leased"),
            models.Index(fields=["finished_at"], condition=Q(state="done"), name="job_finished"),
            models.Index(fields=["started_at"], name="job_begun"),
            models.Index(fields=["state", "-id"], name="job_by_state"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class Pause(models.Model):
    """A kind of job that is not started for the time being; what runs already runs on."""

    kind = models.CharField(max_length=60, primary_key=True)
    reason = models.CharField(max_length=200, blank=True)
    actor = models.CharField(max_length=150, blank=True)
    since = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.kind


class Recurrence(models.Model):
    """When a recurring job is due next."""

    name = models.CharField(max_length=60, primary_key=True)
    next_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
