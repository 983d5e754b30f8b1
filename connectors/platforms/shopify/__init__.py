"""Describe Shopify: its queries, how its records become facts, how accounts are connected and what its refusals mean."""
