"""Know what a store sells, and where from."""
