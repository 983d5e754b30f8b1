"""Declare the app of background jobs."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    """Holds job rows, their runner and their supervisor."""

    name = "profitpeek.jobs"
    label = "jobs"
    verbose_name = "Background jobs"
