"""Decide what orders and days cost, by dated rules, and why; and what is not known yet."""
