"""Show what the product takes from the outside, against real servers on this machine."""
