"""Change the dated rules of costs: propose, look first, make, undo."""
