"""Keep the book: its entries and totals, and everything that is asked of them."""
