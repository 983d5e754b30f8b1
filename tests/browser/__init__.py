"""Look at the pages in a real browser: what they draw, refuse, and let a keyboard do."""
