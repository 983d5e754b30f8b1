"""Register the ledger app."""

from django.apps import AppConfig


class LedgerConfig(AppConfig):
    """Name the ledger app for Django."""

    name = "ledger"
    verbose_name = "Costs and books"
