"""Let real writers meet on real connections, and die at bad moments."""
