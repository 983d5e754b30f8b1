"""Turn what happened into the entries that should exist: pure functions, no database."""

DRAFT_VERSION = 2
"""Rises when a draft changes its mind about the same facts; `books repost` then brings every order up to it."""
