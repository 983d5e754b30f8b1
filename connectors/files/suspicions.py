"""Warn of a file that may belong to another shop, before anybody takes it."""

from connectors.files.kind import Found
from connectors.files.words import article

FEWEST = 5
"""Orders or rows below which nothing is suspected: a handful proves nothing."""


def suspicions(found: Found, currency: str) -> list[str]:
    """Return what looks as if the file were of another shop; `currency` is the store's."""
    warnings = []
    told = {one.currency for one in found.sums}
    if told and currency not in told:
        warnings.append(
            f"Every amount of this file is in {' or '.join(sorted(told))}, and this store's currency is {currency}. Is it a file of another shop?"
        )
    if found.rows >= FEWEST and found.loose_count == found.rows:
        warnings.append(f"No row fits {article(found.loose_what)} of this store. Is it a file of another shop, or are its orders not imported yet?")
    orders = found.new + found.changed + found.unchanged
    if orders >= FEWEST and found.changed * 2 > orders and not found.new:
        warnings.append(
            f"{found.changed:,} of {orders:,} {found.unit} are known here and would be changed by this file. "
            "If it is of another shop whose numbers are alike, put it away."
        )
    return warnings
