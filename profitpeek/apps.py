"""Prepare every process of the product, whichever it is: web server, worker or command."""

import gc

from django.apps import AppConfig

YOUNG = 50_000
"""New objects until the collector looks for circles among them. At Python's own 700 a page of orders, whose thousands of small objects
hold none, is looked through again and again: a third of what reading it costs."""


class ProfitPeekConfig(AppConfig):
    """The wiring."""

    name = "profitpeek"

    def ready(self) -> None:
        """Let the collector rest longer."""
        gc.set_threshold(YOUNG, 10, 10)
