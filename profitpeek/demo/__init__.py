"""Invent the demo store: two years of a pottery shop, in which losses can be found (docs/demo.md)."""
