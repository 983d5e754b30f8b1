"""Show what the ledger concluded, on server-rendered pages."""
