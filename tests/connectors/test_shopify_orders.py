"""Shopify's orders export becomes the right entries, trap by trap; what it does not tell is asked, estimated and listed."""

from pathlib import Path

import pytest

from connectors.files.spool import unpack
from connectors.models import FileImport, RawPayload
from connectors.platforms.files.faults import FileRefused, RowFault
from ledger.accounts import MEMO_UNPAID
from ledger.charges.charge_rows import orders_named
from ledger.kinds import SalesBasis
from ledger.models import Channel, Customer, Entry, Finding, Order, OrderLine, OrderReference, Payment, Sale, Store
from ledger.sealing import unseal
from tests.builders import a_store
from tests.connectors.shopify_files import OLDER, ORDERS, Rows, a_line, an_order, take, warned
from tests.ledger_text import assert_entries

pytestmark = pytest.mark.django_db
SALES = ("sales", "memo")


@pytest.fixture
def store() -> Store:
    return a_store(zone="Europe/Berlin")


def refused(store: Store, folder: Path, *orders: Rows, taxes: str = "auto") -> tuple[RowFault, ...]:
    """Find an export of some orders refused whole, and return why."""
    with pytest.raises(FileRefused) as refusal:
        take(store, folder, *orders, taxes=taxes)
    assert (Order.objects.count(), Entry.objects.count(), FileImport.objects.count()) == (0, 0, 0)
    return refusal.value.faults


def test_an_order_of_two_rows_is_one_order_of_two_lines(store: Store, tmp_path: Path) -> None:
    lines = [a_line("20.00", quantity=2), a_line("10.00", sku="BOWL", name="Bowl")]
    report = take(store, tmp_path, an_order(lines=lines, Shipping="5.00", Total="55.00"))
    assert (report.rows, report.orders, report.new, report.file_total, report.warnings) == (2, 1, 1, 550_000, [])
    order = Order.objects.get()
    assert (order.platform, order.external_id, order.number, order.sales_basis) == ("shopify", "5370000001001", "#1001", SalesBasis.DERIVED)
    assert (str(order.stated_total), str(order.revenue), order.country, order.region, order.shipping_method) == (
        "55.0000",
        "55.0000",
        "DE",
        "BE",
        "Standard",
    )
    assert_entries(
        store,
        """
        day         account         variant  amount  how
        2026-03-03  sales:gross     MUG      40.00   actual
        2026-03-03  sales:gross     BOWL     10.00   actual
        2026-03-03  sales:shipping  .        5.00    actual
        """,
        only=SALES,
    )


@pytest.mark.parametrize("header", [ORDERS, OLDER, [*reversed(ORDERS), "Something New"]])
def test_the_columns_may_be_fewer_and_stand_in_any_order(store: Store, tmp_path: Path, header: list[str]) -> None:
    report = take(store, tmp_path, an_order(Shipping="5.00", Total="55.00", Refunded_Amount="5.00"), header=header)
    assert (report.orders, report.file_total) == (1, 500_000)
    assert {"Billing Street", "Notes", "Tags", "Shipping Name"} <= set(report.dropped_columns)


def test_headers_may_be_spelt_otherwise(store: Store, tmp_path: Path) -> None:
    header = [{"Cancelled at": "Canceled at", "Lineitem sku": "Lineitem SKU"}.get(name, name) for name in ORDERS]
    (row,) = an_order()
    row |= {"Canceled at": "2026-03-05 08:00:00 +0100", "Lineitem SKU": "BOWL"}
    take(store, tmp_path, [row], header=header)
    assert str(Order.objects.get().cancelled_at) == "2026-03-05 07:00:00+00:00"
    assert OrderLine.objects.get().sku == "BOWL"


def test_an_export_without_a_column_that_is_needed_is_refused(store: Store, tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="has no column “Subtotal”, so it is not what Shopify's “Export orders” writes"):
        take(store, tmp_path, an_order(), header=[name for name in ORDERS if name != "Subtotal"])
    with pytest.raises(FileRefused, match="names “Total” twice"):
        take(store, tmp_path, an_order(), header=[*ORDERS, "Total"])


def test_what_processors_call_an_order_is_kept_so_that_their_files_find_it(store: Store, tmp_path: Path) -> None:
    take(store, tmp_path, an_order(Payment_Reference="c1.1 + c2.1", Payment_ID="rX", Payment_References="c1.1"), an_order(1002))
    told = OrderReference.objects.order_by("reference").values_list("reference", "order_id")
    assert list(told) == [(name, Order.objects.get(number="#1001").pk) for name in ("c1.1", "c2.1", "rX")]
    assert [len(found) for found in orders_named(store.pk, {"c2.1", "1002", "c3.1"}).values()] == [1, 1]


def test_nothing_personal_passes_the_door(store: Store, tmp_path: Path) -> None:
    take(store, tmp_path, an_order(Notes="call Ann", Tags="vip"), an_order(1002, Email="buyer1001@example.com"))
    archived = str(unpack(unseal(bytes(RawPayload.objects.get().body))))
    for personal in ("Ann", "Example Lane", "example.com", "555", "10115", "vip"):
        assert personal not in archived
    customer = Customer.objects.get()
    assert customer.order_count == 2


def test_a_buyer_without_e_mail_is_known_by_telephone_else_by_name_and_postal_code(store: Store, tmp_path: Path) -> None:
    anyone = {"Email": "", "Phone": ""}
    take(
        store, tmp_path,
        an_order(1001, **anyone, Billing_Phone="+49 30 / 555 01"), an_order(1002, **anyone, Shipping_Phone="493055501"),
        an_order(1003, **anyone), an_order(1004, **anyone, Billing_Name="ANN EXAMPLE", Billing_Zip="10115"),
        an_order(1005, **anyone, Billing_Name=""),
    )  # fmt: skip
    assert sorted(Customer.objects.values_list("order_count", flat=True)) == [2, 2]
    assert Order.objects.get(number="#1005").customer is None


def test_a_discount_code_is_spread_over_lines_by_price_to_the_cent(store: Store, tmp_path: Path) -> None:
    lines = [a_line("10.00", sku=sku) for sku in ("A", "B", "C")]
    take(store, tmp_path, an_order(lines=lines, Discount_Code="SPRING, FRIENDS", Discount_Amount="10.00", Subtotal="20.00", Total="20.00"))
    assert_entries(
        store,
        """
        account          variant  amount
        sales:gross      A        10.00
        sales:gross      B        10.00
        sales:gross      C        10.00
        sales:discounts  A        -3.34
        sales:discounts  B        -3.33
        sales:discounts  C        -3.33
        """,
        only=SALES,
    )
    assert Order.objects.get().discount_codes == ["FRIENDS", "SPRING"]


def test_a_lines_own_discount_is_a_part_of_the_orders_and_never_added_to_it(store: Store, tmp_path: Path) -> None:
    lines = [a_line("40.00", sku="A", discount="8.00"), a_line("10.00", sku="B")]
    take(store, tmp_path, an_order(lines=lines, Discount_Amount="12.20", Subtotal="37.80", Total="37.80"))
    # 8.00 of the line's own, then 4.20 over 32.00 and 10.00
    assert_entries(
        store,
        """
        account          variant  amount
        sales:gross      A        40.00
        sales:gross      B        10.00
        sales:discounts  A        -11.20
        sales:discounts  B        -1.00
        """,
        only=SALES,
    )


def test_tax_that_is_added_is_memo_and_tax_that_is_included_is_taken_out(store: Store, tmp_path: Path) -> None:
    lines = [a_line("59.50", sku="A"), a_line("23.80", sku="B")]
    added = an_order(1001, lines=lines, Subtotal="83.30", Shipping="10.00", Taxes="15.83", Total="109.13", Tax_1_Name="NY State Tax 19%")
    included = an_order(
        1002, lines=lines, Subtotal="74.97", Discount_Amount="8.33", Shipping="11.90", Taxes="13.87", Total="86.87", Tax_1_Name="VAT 19%"
    )  # fmt: skip
    report = take(store, tmp_path, added, included)
    assert (report.undecided, report.file_total) == (0, 1_960_000)
    assert_entries(
        store,
        """
        source         account          variant  amount
        5370000001001  sales:gross      A        59.50
        5370000001001  sales:gross      B        23.80
        5370000001001  sales:shipping   .        10.00
        5370000001001  memo:tax         A        11.31
        5370000001001  memo:tax         B        4.52
        5370000001002  sales:gross      A        50.00
        5370000001002  sales:gross      B        20.00
        5370000001002  sales:discounts  A        -5.00
        5370000001002  sales:discounts  B        -2.00
        5370000001002  sales:shipping   .        10.00
        """.replace("memo:tax         A", "memo:tax         .").replace("memo:tax         B", "memo:tax         .")
        + """
        5370000001002  memo:tax         .        8.55
        5370000001002  memo:tax         .        3.42
        5370000001002  memo:tax         .        1.90
        """,
        only=SALES,
    )
    assert [str(value) for value in OrderLine.objects.order_by("order_id", "part").values_list("unit_price", flat=True)] == [
        "59.5000", "23.8000", "50.0000", "20.0000",
    ]  # fmt: skip


def test_lines_that_are_not_taxable_bear_no_tax(store: Store, tmp_path: Path) -> None:
    lines = [a_line("30.00", sku="A"), a_line("20.00", sku="B", Lineitem_taxable="false")]
    take(store, tmp_path, an_order(lines=lines, Taxes="3.00", Total="53.00"))
    assert {(sale.external_id, str(sale.tax)) for sale in Sale.objects.all()} == {("1", "3.0000"), ("2", "0.0000")}


def test_a_total_that_tells_nothing_about_tax_follows_the_other_orders(store: Store, tmp_path: Path) -> None:
    vat = an_order(1001, Taxes="7.98", Total="50.00")
    tipped = an_order(1002, Taxes="7.98", Total="53.00")
    report = take(store, tmp_path, vat, tipped)
    assert (report.undecided, report.file_total) == (1, 1_030_000)
    assert warned(report) == [
        "line 3, Total: order #1002: its Total is neither Subtotal + Shipping + Taxes nor Subtotal + Shipping; "
        "the rest, perhaps a tip, is booked as other income and marked estimated"
    ]
    assert_entries(store, "account amount how\n sales:other 3.00 estimated", only=["sales:other"])
    finding = Finding.objects.get(kind="order_total_unexplained", resolved_at=None)
    assert finding.message.startswith("1 order with a Total that does not add up (3.00 EUR; such as #1002).")


def test_a_total_that_tells_nothing_is_asked_where_the_other_orders_do_not_tell(store: Store, tmp_path: Path) -> None:
    tipped = an_order(1001, Taxes="7.98", Total="53.00")
    (fault,) = refused(store, tmp_path, tipped)
    assert (fault.line, fault.column) == (2, "Total")
    assert "say so when you import it (taxes: added, or included)" in fault.message
    mixed = (tipped, an_order(1002, Taxes="7.98", Total="50.00"), an_order(1003, Taxes="7.98", Total="57.98"))
    assert len(refused(store, tmp_path, *mixed)) == 1
    take(store, tmp_path, *mixed, taxes="included")
    assert {sale.external_id for sale in Sale.objects.filter(estimated=True)} == {"rest"}
    assert str(Order.objects.get(number="#1001").tax) == "7.9800"


def test_a_subtotal_that_is_not_the_sum_of_the_lines_is_named_and_the_total_stays_true(store: Store, tmp_path: Path) -> None:
    report = take(store, tmp_path, an_order(Subtotal="45.00", Total="45.00"))
    assert warned(report) == [
        "line 2, Subtotal: order #1001: its lines are worth 50.00, less 0.00 discount is not the Subtotal of 45.00; "
        "the difference is booked as other income"
    ]
    assert_entries(store, "account amount how\n sales:gross 50.00 actual\n sales:other -5.00 estimated", only=SALES)


def test_a_discount_on_shipping_is_not_taken_off_the_goods(store: Store, tmp_path: Path) -> None:
    report = take(store, tmp_path, an_order(Discount_Amount="12.50", Subtotal="45.00", Total="45.00"))
    assert report.warnings == []
    assert_entries(store, "account amount\n sales:gross 50.00\n sales:discounts -5.00", only=SALES)


def test_duties_are_memo_and_a_part_of_the_total(store: Store, tmp_path: Path) -> None:
    take(store, tmp_path, an_order(Duties="4.00", Taxes="5.00", Total="59.00"))
    assert_entries(store, "account amount\n sales:gross 50.00\n memo:duty 4.00\n memo:tax 5.00", only=SALES)


def test_a_gift_card_that_is_sold_is_no_revenue(store: Store, tmp_path: Path) -> None:
    card = a_line("25.00", sku="", name="Gift Card - €25", Lineitem_requires_shipping="false", Lineitem_taxable="false")
    wrapped = a_line("5.00", sku="WRAP", name="Gift card box")
    take(store, tmp_path, an_order(lines=[card, wrapped], Subtotal="30.00", Total="30.00"))
    assert_entries(store, "account variant amount\n memo:gift_card:sold . 25.00\n sales:gross WRAP 5.00", only=SALES)


def test_an_order_paid_by_gift_card_redeems_it_and_costs_no_fee(store: Store, tmp_path: Path) -> None:
    take(store, tmp_path, an_order(Payment_Method="Gift Card"))
    assert_entries(store, "account amount\n memo:gift_card:redeemed -50.00", only=["memo", "fees"])


def test_several_tenders_are_one_payment_until_the_transactions_tell(store: Store, tmp_path: Path) -> None:
    report = take(store, tmp_path, an_order(Payment_Method="Gift Card + Shopify Payments"))
    payment = Payment.objects.get()
    assert (payment.gateway, str(payment.amount)) == ("shopify_payments", "50.0000")
    assert warned(report) == [
        "line 2, Payment Method: order #1001 was paid by Gift Card + Shopify Payments: how much each took is in the transactions; "
        "until then one counts for all"
    ]


@pytest.mark.parametrize(
    ("status", "revenue", "unpaid", "paid"),
    [
        ("paid", "50.0000", "", "50.0000"), ("partially_refunded", "50.0000", "", "50.0000"), ("refunded", "50.0000", "", "50.0000"),
        ("partially_paid", "50.0000", "", "30.0000"), ("pending", "0.0000", "50.0000", ""), ("authorized", "0.0000", "50.0000", ""),
        ("voided", "0.0000", "", ""), ("expired", "0.0000", "", ""), ("on_the_house", "0.0000", "50.0000", ""),
    ],
)  # fmt: skip
def test_how_far_an_order_is_paid_decides_whether_it_is_revenue(
    store: Store, tmp_path: Path, status: str, revenue: str, unpaid: str, paid: str
) -> None:
    outstanding = "20.00" if status == "partially_paid" else "0.00"
    report = take(store, tmp_path, an_order(Financial_Status=status, Outstanding_Balance=outstanding))
    assert str(Order.objects.get().revenue) == revenue
    assert [str(amount) for amount in Entry.objects.filter(account=MEMO_UNPAID).values_list("amount", flat=True)] == ([unpaid] if unpaid else [])
    assert [str(payment.amount) for payment in Payment.objects.all()] == ([paid] if paid else [])
    asked = {"refunded", "partially_refunded", "on_the_house"}
    assert len(report.warnings) == (status in asked)


def test_a_cancelled_order_that_stays_paid_stays_revenue_and_costs_no_shipping(store: Store, tmp_path: Path) -> None:
    take(
        store, tmp_path,
        an_order(Shipping="5.00", Total="55.00", Fulfillment_Status="", Fulfilled_at="", Cancelled_at="2026-03-05 08:00:00 +0100"),
    )  # fmt: skip
    order = Order.objects.get()
    assert (str(order.revenue), str(order.shipping), str(order.cancelled_at)) == ("55.0000", "0.0000", "2026-03-05 07:00:00+00:00")


def test_an_order_paid_through_the_gateway_for_testing_is_a_test(store: Store, tmp_path: Path) -> None:
    take(store, tmp_path, an_order(Payment_Method="(For Testing) Bogus Gateway"))
    assert Order.objects.get().is_test
    assert Entry.objects.count() == 0


def test_times_are_the_shops_and_days_are_cut_in_its_zone(store: Store, tmp_path: Path) -> None:
    take(store, tmp_path, an_order(1001, Created_at="2026-03-03 00:30:00 +0100"), an_order(1002, Created_at="2026-03-02 23:30:00 UTC"))
    assert {str(order.day) for order in Order.objects.all()} == {"2026-03-03"}


@pytest.mark.parametrize(
    ("source", "channel"),
    [
        ("web", "online"), ("580111", "online"), ("", "online"), ("pos", "pos"), ("shopify_draft_order", "draft_order"),
        ("24986320897", "app_24986320897"), ("Nordstrom", "nordstrom"),
    ],
)  # fmt: skip
def test_the_source_tells_the_channel(store: Store, tmp_path: Path, source: str, channel: str) -> None:
    take(store, tmp_path, an_order(Source=source))
    assert Channel.objects.get(store=store).key == channel


def test_the_country_is_where_it_is_sent_else_who_pays(store: Store, tmp_path: Path) -> None:
    nowhere = {"Shipping_Country": "", "Shipping_Province": ""}
    take(store, tmp_path, an_order(1001, Shipping_Country="FR"), an_order(1002, **nowhere, Billing_Country="AT", Billing_Province="W"))
    assert list(Order.objects.order_by("number").values_list("country", "region")) == [("FR", "BE"), ("AT", "W")]


@pytest.mark.parametrize("damaged", ["5.37518E+12", ""])
def test_an_order_whose_id_is_lost_is_known_by_its_name_and_the_file_says_so(store: Store, tmp_path: Path, damaged: str) -> None:
    report = take(store, tmp_path, an_order(Id=damaged))
    assert Order.objects.get().external_id == "number:#1001"
    assert "it is known by its name #1001 until a file or a connection tells the Id" in report.warnings[0].message
    again = take(store, tmp_path, an_order(), name="whole.csv")
    assert (again.new, again.changed, again.entries, Order.objects.get().external_id) == (0, 1, 0, "5370000001001")
    once_more = take(store, tmp_path, an_order(Id=damaged), name="damaged again.csv")
    assert (once_more.new, once_more.changed, once_more.entries, Order.objects.get().external_id) == (0, 0, 0, "5370000001001")


@pytest.mark.parametrize("written", ["'5370000001001", "5370000001001.0", "gid://shopify/Order/5370000001001"])
def test_an_id_may_be_written_in_several_ways(store: Store, tmp_path: Path, written: str) -> None:
    assert take(store, tmp_path, an_order(Id=written)).warnings == []
    assert Order.objects.get().external_id == "5370000001001"


def test_two_orders_with_one_id_are_refused(store: Store, tmp_path: Path) -> None:
    (fault,) = refused(store, tmp_path, an_order(1001), an_order(1002, Id="5370000001001"))
    assert str(fault) == "line 3, Id: 5370000001001 is the Id of order #1001 before; each order has its own"


def test_rows_of_one_order_that_disagree_are_refused_in_words(store: Store, tmp_path: Path) -> None:
    (fault,) = refused(store, tmp_path, an_order(), an_order(Refunded_Amount="10.00", Financial_Status="partially_refunded"))
    assert fault.column == "Financial Status"
    assert fault.line == 3
    assert fault.message.startswith("order #1001 says “partially_refunded” here and “paid” in line 2; an order has one.")


def test_an_order_that_stands_in_the_file_twice_is_refused(store: Store, tmp_path: Path) -> None:
    (fault,) = refused(store, tmp_path, an_order(), an_order())
    assert fault.message.startswith("order #1001 stands in the file more than once: its lines are worth 100.00")


def test_rows_whose_first_row_is_missing_are_refused(store: Store, tmp_path: Path) -> None:
    (fault,) = refused(store, tmp_path, an_order(lines=[a_line("20.00"), a_line("30.00")])[1:])
    assert str(fault) == "line 2, Total: no row of order #1001 tells its totals; its first row is missing. Export again, and leave no rows out"


def test_rows_that_stand_apart_are_still_one_order(store: Store, tmp_path: Path) -> None:
    first, second = an_order(lines=[a_line("20.00"), a_line("30.00")])
    take(store, tmp_path, [first], an_order(1002), [second])
    assert str(Order.objects.get(number="#1001").revenue) == "50.0000"


@pytest.mark.parametrize(
    ("column", "text", "told"),
    [
        ("Total", "5,37", "“5,37” is no amount"), ("Lineitem price", "=1+1", "“=1+1” is no amount"),
        ("Created at", "03/03/2026", "“03/03/2026” is no time as Shopify writes them"), ("Currency", "Euro", "“Euro” is no ISO 4217 currency code"),
        ("Lineitem quantity", "1.5", "“1.5” is no whole number of units"), ("Name", "", "the order's name is missing"),
        ("Paid at", "2031-01-01 00:00:00 +0000", "lies before 1990 or in the future"),
    ],
)  # fmt: skip
def test_a_cell_that_cannot_be_read_refuses_the_file(store: Store, tmp_path: Path, column: str, text: str, told: str) -> None:
    (row,) = an_order()
    (fault,) = refused(store, tmp_path, [row | {column: text}])
    assert (fault.line, fault.column) == (2, column)
    assert told in fault.message


def test_a_currencys_sign_before_an_amount_does_no_harm(store: Store, tmp_path: Path) -> None:
    assert take(store, tmp_path, an_order(Total="€50.00", Subtotal="$50.00")).warnings == []
    assert str(Order.objects.get().revenue) == "50.0000"


def test_orders_in_another_currency_wait_for_a_rate_and_the_file_may_be_anothers(store: Store, tmp_path: Path) -> None:
    report = take(store, tmp_path, an_order(Currency="USD"))
    assert (report.held, report.foreign_totals, report.file_total) == (1, {"USD": 500_000}, 0)
    assert report.warnings == []
