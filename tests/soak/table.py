"""List the product's jobs for a soak: all of them but the one that asks the world outside for exchange rates."""

from profitpeek.schedule import KINDS
from profitpeek.schedule import RECURRING as ALL

RECURRING = tuple(entry for entry in ALL if entry.name != "exchange-rates")

__all__ = ["KINDS", "RECURRING"]
