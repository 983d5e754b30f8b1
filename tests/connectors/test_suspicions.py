"""A file that looks as if it were of another shop is told of before anybody takes it."""

import pytest

from connectors.files.kind import Found, Sum
from connectors.files.suspicions import suspicions


def found(**said: object) -> Found:
    """Make a report on a file of ten rows and ten orders."""
    return Found("file.csv", "order-lines", **{"rows": 10, "new": 10, "sums": [Sum("all rows", "10.00", "EUR")], **said})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("said", "suspected"),
    [
        ({}, ""),
        ({"sums": [Sum("all rows", "9.00", "USD")]}, "Every amount of this file is in USD, and this store's currency is EUR."),
        ({"sums": [Sum("all rows", "9.00", "USD"), Sum("all rows", "9.00", "EUR")]}, ""),
        ({"new": 0, "unchanged": 10, "loose_count": 10}, "No row fits an order of this store."),
        ({"new": 0, "unchanged": 10, "loose_count": 10, "loose_what": "SKU"}, "No row fits a SKU of this store."),
        ({"loose_count": 9}, ""),
        ({"rows": 4, "loose_count": 4}, ""),
        ({"new": 0, "changed": 6, "unchanged": 4}, "6 of 10 orders are known here and would be changed by this file."),
        ({"new": 1, "changed": 6, "unchanged": 3}, ""),
        ({"new": 0, "changed": 5, "unchanged": 5}, ""),
    ],
)
def test_a_file_of_another_shop_is_suspected(said: dict[str, object], suspected: str) -> None:
    warnings = suspicions(found(**said), "EUR")
    assert [warning.startswith(suspected) for warning in warnings] == ([True] if suspected else [])
