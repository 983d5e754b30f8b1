"""Keep the mirror of orders: build it from facts, read and write it, draft and post it, list and show it."""
