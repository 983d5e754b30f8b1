"""Register the alerts app."""

from django.apps import AppConfig


class AlertsConfig(AppConfig):
    """Name the alerts app for Django."""

    name = "alerts"
