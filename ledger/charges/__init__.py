"""Charge orders with what files and payment processors tell that they cost."""
