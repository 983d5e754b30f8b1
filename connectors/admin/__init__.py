"""Gather the admin's pages of connectors; importing them registers them."""

from connectors.admin import connections, files, webhooks

__all__ = ["connections", "files", "webhooks"]
