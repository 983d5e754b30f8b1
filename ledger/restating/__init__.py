"""Restate many orders at once inside the database: Python decides what the rules say, SQL applies it, chunk by chunk."""
