"""Erase what is to be known no more: a store, or a person."""
