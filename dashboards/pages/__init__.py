"""Put together what each page shows, from the ledger and for its template."""
