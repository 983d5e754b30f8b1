"""Read what the outside platforms say and hand it to the ledger as facts."""
