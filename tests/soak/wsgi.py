"""Serve the product by a simulated clock."""

from profitpeek.wsgi import application  # isort: skip  it sets Django up, which what follows needs

from connectors.webhooks import front
from tests.soak import simulated

front.datetime = simulated.Simulated  # type: ignore[attr-defined,misc]

__all__ = ["application"]
