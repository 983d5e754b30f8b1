"""Test what a person sees."""
