"""Keep one append-only book of revenue and cost per store, and answer from it."""
