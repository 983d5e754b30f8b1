"""Register the ledger's tables with the admin; each file holds one subject."""

from ledger.admin import (
    advertising,
    balance,
    book,
    bundles,
    catalog,
    changes,
    charges,
    costs,
    erasures,
    goals,
    manual_costs,
    partners,
    proposals,
    rules,
    stores,
)

__all__ = [
    "advertising",
    "balance",
    "book",
    "bundles",
    "catalog",
    "changes",
    "charges",
    "costs",
    "erasures",
    "goals",
    "manual_costs",
    "partners",
    "proposals",
    "rules",
    "stores",
]
