"""Hold the demo store's file: a year of an invented pottery shop."""
