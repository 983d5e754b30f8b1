"""Record what advertising cost."""
