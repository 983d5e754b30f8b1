"""Test what the product stands on: the embedded server and the commands that use it."""
