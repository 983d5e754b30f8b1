"""Register the connectors app."""

from django.apps import AppConfig


class ConnectorsConfig(AppConfig):
    """Name the connectors app for Django."""

    name = "connectors"
