"""The real order lines of a real retailer become a statement that ties to the penny.

The file (UCI "Online Retail", CC BY 4.0) is not part of the project; where it lies beside the checkout it is
imported whole.
"""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from django.db.models import Sum

from connectors.files.orders.order_line_imports import import_order_lines
from connectors.platforms.files.template import load
from ledger import accounts
from ledger.audit import check_all
from ledger.models import Book, Entry, Store
from ledger.money import decimal
from ledger.periods import By, cut
from ledger.statements import amount, profit
from ledger.stores import open_store
from tests.connectors.files import undo_order_lines

FILE = Path(__file__).resolve().parents[3] / "shared/datasets/orders/uci_online_retail_lines_2010-12_2011-06.csv.gz"
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.slow,
    pytest.mark.skipif(not FILE.exists(), reason="the retailer's file does not lie beside the checkout"),
]


def from_the_file(store: Store) -> Decimal:
    """Sum the entries whose amounts stand in the file: sales, memo and fees the retailer stated; no rule's guess."""
    stated = [n for n, name in accounts.NAMES.items() if name.startswith(("sales:", "memo:", "fees:"))]
    found = Entry.objects.filter(book_id=store.pk, account__in=stated, estimated=False).aggregate(total=Sum("amount"))["total"]
    return Decimal(found or 0)


def test_the_retailers_file_ties_to_the_penny_in_out_and_in_again() -> None:
    store = open_store(slug="retailer", name="Retailer", currency="GBP", zone="Europe/London")
    template = load("uci-online-retail")
    report = import_order_lines(store, FILE, template, now=NOW)
    assert (report.rows, report.orders, report.sale_orders, report.return_orders) == (245_903, 12_795, 10_789, 2_006)
    assert (decimal(report.file_total), decimal(report.rounding)) == (Decimal("4397950.7610"), Decimal("0.0010"))
    assert from_the_file(store) == Decimal("4397950.7600")
    months = profit(Book.objects.get(pk=store.pk), cut(date(2010, 12, 1), date(2011, 6, 30), By.MONTH))
    assert [str(amount(month, "net_revenue")) for month in months] == NET_REVENUE
    assert [str(month.net_profit) for month in months] == NET_PROFIT
    undo_order_lines(store, FILE, template, now=NOW)
    assert from_the_file(store) == 0
    again = import_order_lines(store, FILE, template, now=NOW)
    assert (again.new, again.changed, again.held) == (0, 12_795, 0)
    assert from_the_file(store) == Decimal("4397950.7600")
    assert not any(check_all(Book.objects.get(pk=store.pk)).values())


NET_REVENUE = ["789170.8100", "594317.9200", "509790.1600", "694560.4400", "493576.1400", "736728.3300", "701870.9400"]
NET_PROFIT = ["391098.1200", "288149.3900", "268837.2600", "371870.3700", "272642.6100", "383484.2300", "360521.5700"]
