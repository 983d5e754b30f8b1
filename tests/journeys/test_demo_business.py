"""Check the demo's invented business by itself: the same for the same day, and nothing in it that a shop could not have."""

import csv
from collections import Counter
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

from profitpeek.demo import files
from profitpeek.demo.business import calendar, orders, vat_in

TODAY = date(2026, 4, 1)


def test_the_same_day_gives_the_same_business_and_another_seed_another() -> None:
    first, again, other = list(orders(TODAY)), list(orders(TODAY)), list(orders(TODAY, seed="another"))
    assert first == again
    assert first[0] != other[0]


def test_it_ends_the_day_before_and_lasts_two_years() -> None:
    sold = list(orders(TODAY))
    days = calendar(TODAY)
    assert (days.first, days.last) == (date(2024, 4, 1), date(2026, 3, 31))
    assert ({order.at.date() for order in sold} - {days.first + timedelta(days=number) for number in range(730)}) == set()
    assert max(refund.at.date() for order in sold for refund in order.refunds) == date(2026, 3, 30)
    assert all(earlier.at.date() <= later.at.date() for earlier, later in pairwise(sold))
    assert len({order.number for order in sold}) == len(sold)


def test_what_goes_wrong_lies_within_its_last_year() -> None:
    days = calendar(TODAY)
    assert (days.free_postage, days.free_postage_ends) == (date(2025, 10, 1), date(2025, 10, 31))
    assert (days.influencer, days.dearer_clay, days.dearer_freight) == (date(2026, 1, 9), date(2025, 4, 1), date(2024, 11, 1))


def test_no_more_comes_back_than_was_sold_and_never_before() -> None:
    for order in orders(TODAY):
        sold = Counter({line.sku: line.quantity for line in order.lines})
        for refund in order.refunds:
            assert refund.at > order.at
            assert refund.line.sku == "goodwill" or refund.line.quantity <= sold[refund.line.sku]


def test_vat_in_an_amount_is_rounded_to_the_nearest_cent() -> None:
    assert [vat_in(1_230, 23), vat_in(1_800, 23), vat_in(490, 23), vat_in(1_190, 19), vat_in(999, 0)] == [230, 337, 92, 190, 0]


def test_every_row_of_the_order_file_adds_up_to_what_its_customer_paid(tmp_path: Path) -> None:
    sold = {order.number: order for order in orders(TODAY)}
    path = tmp_path / "orders.csv"
    files.write_orders(path, list(sold.values()), calendar(TODAY))
    paid: Counter[str] = Counter()
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            if int(row["quantity"]) > 0:
                paid[row["order"]] += cents(row["unit_price"]) * int(row["quantity"]) - cents(row["discount"])
    assert paid == {number: order.paid for number, order in sold.items()}


def cents(text: str) -> int:
    """Read an amount with two decimals."""
    return int(text.replace(".", ""))
