"""Register the ledger's tables with the admin; each file holds one subject."""

from ledger.admin import book, costs, manual_costs, proposals, rules, stores

__all__ = ["book", "costs", "manual_costs", "proposals", "rules", "stores"]
