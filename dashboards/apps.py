"""Register the dashboards app."""

from django.apps import AppConfig


class DashboardsConfig(AppConfig):
    """Name the dashboards app for Django."""

    name = "dashboards"
