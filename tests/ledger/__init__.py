"""Show the ledger's rules as tables of facts in and entries out."""
