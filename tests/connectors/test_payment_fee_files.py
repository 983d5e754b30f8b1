"""Fee files of Shopify Payments, Stripe and PayPal: which fee belongs to which order, and what becomes of the other rows."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from msgspec import structs

from connectors.files import kinds as file_kinds
from connectors.files.costs.fee_files import PAYPAL_FILES, SHOPIFY_PAYMENTS_FILES, STRIPE_FILES
from connectors.files.kind import Listed, Loose, Sum
from connectors.files.spool import unpack
from connectors.models import RawPayload
from connectors.platforms.files.cost_values import day_reader
from connectors.platforms.files.faults import FileRefused
from ledger.audit import check_all
from ledger.models import OrderCharge, Store
from ledger.sealing import unseal
from tests.builders import a_payment, a_store, an_order, book_of, write
from tests.connectors.taking import look, saved, take, undo
from tests.ledger_text import assert_entries

pytestmark = pytest.mark.django_db

HEADER = (
    "Transaction Date,Type,Order,Card Brand,Card Source,Payout Status,Payout Date,Payout ID,Available On,Amount,Fee,Net,Checkout,Payment Method Name,"
    "Presentment Amount,Presentment Currency,Currency"
)


def shopify(*rows: str, more: str = "") -> str:
    """Return a Shopify Payments export: each row gives date, type, order, amount, fee, net."""
    lines = [HEADER + (f",{more}" if more else "")]
    for row in rows:
        date, kind, order, amount, fee, net, *rest = row.split("|")
        paid_out = ("visa", "online", "paid", "2026-03-05", "9", "2026-03-05")
        lines.append(",".join([date, kind, order, *paid_out, amount, fee, net, "#C1", "card", amount, "EUR", "EUR", *rest]))
    return "\n".join(lines)


ODD = ["line", "type", "order", "date", "amount", "fee", "currency", "why"]
CHARGE = "2026-03-03 13:00:00 +0100|charge|#1001|50.00|1.70|48.30"
STRIPE = """
    id,Type,Source,Amount,Fee,Net,Currency,Created (UTC),Available On (UTC),Description,Customer Facing Amount,order_id (metadata)
    txn_1,charge,ch_1,50.00,1.75,48.25,eur,2026-03-03 12:00,2026-03-10 00:00,Ann Example bought order #1001,50.00,
    txn_2,refund,re_1,-50.00,0.00,-50.00,eur,2026-03-09 12:00,2026-03-09 12:00,REFUND FOR CHARGE (Order 1001),-50.00,
    txn_3,stripe_fee,,-2.00,0.00,-2.00,eur,2026-03-09 12:00,2026-03-09 12:00,Radar,,
    txn_4,charge,ch_2,20.00,0.80,19.20,eur,2026-03-04 12:00,2026-03-10 00:00,,20.00,1003
    txn_5,payout,po_1,-10.00,0.00,-10.00,eur,2026-03-11 12:00,2026-03-11 12:00,STRIPE PAYOUT,,
"""
PAYPAL = """
    "Date","Time","TimeZone","Name","Type","Status","Currency","Gross","Fee","Net","From Email Address","Transaction ID","Invoice Number"
    "03.03.2026","12:00:00","PST","Ann","Express Checkout Payment","Completed","EUR","50,00","-2,09","47,91","ann@example.org","7AB","WC-1001"
    "09.03.2026","12:00:00","PST","Ann","Payment Refund","Completed","EUR","-50,00","0,35","-49,65","ann@example.org","7AC","WC-1001"
    "10.03.2026","12:00:00","PST","","General Withdrawal","Completed","EUR","-1.000,00","0,00","-1.000,00","","7AD",""
    "31.03.2026","12:00:00","PST","Bo","Express Checkout Payment","Pending","EUR","9,00","-0,50","8,50","bo@example.com","7AE","1002"
"""


@pytest.fixture
def store() -> Store:
    store = a_store(slug="mugs")
    write(store, an_order("1001", gateway=""), an_order("1002", gateway=""))
    return store


def fees(store: Store, table: str) -> None:
    """Compare what is live of a store's fees and chargebacks with a table, and see that the book holds."""
    assert_entries(store, table, only=["fees", "sales:returns", "marketing"], live=True)
    assert [problems for problems in check_all(book_of(store)).values() if problems] == []


def test_shopifys_charge_takes_the_estimates_place_and_other_orders_keep_theirs(store: Store, tmp_path: Path) -> None:
    found = take(store, saved(tmp_path, shopify(CHARGE)), SHOPIFY_PAYMENTS_FILES)
    fees(store, """
        source  account       event_day   amount  how
        1001    fees:payment  2026-03-03  -1.70   actual
        1002    fees:payment  2026-03-03  -1.75   estimated
    """)  # fmt: skip
    assert (found.rows, found.new, found.entries, found.loose_count) == (1, 1, 2, 0)
    assert found.sums == [Sum("amounts", "50.00", "EUR"), Sum("fees", "1.70", "EUR")]


def test_each_type_of_shopifys_comes_to_what_it_is(store: Store, tmp_path: Path) -> None:
    found = take(store, saved(tmp_path, shopify(
        CHARGE,
        "2026-03-04 13:00:00 +0100|refund|#1001|-20.00|0.00|-20.00",
        "2026-03-05 13:00:00 +0100|chargeback|#1002|-50.00|15.00|-65.00",
        "2026-03-06 13:00:00 +0100|chargeback won|#1002|50.00|-15.00|65.00",
        "2026-03-07 13:00:00 +0100|marketplace sales tax|#1001|-4.00|0.00|-4.00",
        "2026-03-08 13:00:00 +0100|shop_cash_credit|#1002|10.00|0.00|10.00",
        "2026-03-09 13:00:00 +0100|shop_cash_campaign_billing_debit||-27.00|0.00|-27.00",
        "2026-03-10 13:00:00 +0100|adjustment||-3.00|0.00|-3.00",
        "2026-03-11 13:00:00 +0100|payout||-100.00|0.00|-100.00",
        "2026-03-12 13:00:00 +0100|moon fee||-5.00|0.00|-5.00",
    )), SHOPIFY_PAYMENTS_FILES)  # fmt: skip
    fees(store, """
        source          account                    event_day   amount  how
        1001            fees:payment               2026-03-03  -1.70   actual
        1002            fees:payment               2026-03-03  -1.46   estimated
        1002            fees:dispute               2026-03-05  -15.00  actual
        1002            fees:dispute               2026-03-06  15.00   actual
        1002            sales:returns:chargebacks  2026-03-05  -50.00  actual
        1002            sales:returns:chargebacks  2026-03-06  50.00   actual
        Shop_campaigns  marketing:other-ads        2026-03-09  -27.00  actual
    """)  # fmt: skip
    assert found.notes[1:] == [
        "Not booked: 1 row of “refund”, −20.00 EUR: a refund without a fee: what was kept of the charge stays kept.",
        "Not booked: 1 row of “marketplace sales tax”, −4.00 EUR: tax that the marketplace pays itself, no cost of the store's.",
        "Not booked: 1 row of “payout”, −100.00 EUR: money on its way to or from the bank or a reserve, no cost.",
        "Advertising taken off payouts is booked under marketing: 27.00 EUR.",
    ]
    assert found.sums == [Sum("amounts", "-99.00", "EUR"), Sum("fees", "1.70", "EUR")]
    assert found.warnings == [
        "Not booked: 1 row of “adjustment”, −3.00 EUR: a correction, and the file does not say of what.",
        "Not booked: 1 row of “moon fee”, −5.00 EUR: what such rows are about is not known.",
    ]


def test_an_adjustments_fee_is_booked_and_its_amount_is_listed_for_a_person(store: Store, tmp_path: Path) -> None:
    found = take(store, saved(tmp_path, shopify(CHARGE, "2026-03-10|adjustment|#1002|-3.00|0.40|-3.40")), SHOPIFY_PAYMENTS_FILES)
    fees(store, """
        source  account       event_day   amount  how
        1001    fees:payment  2026-03-03  -1.70   actual
        1002    fees:payment  2026-03-03  -1.75   estimated
        1002    fees:payment  2026-03-10  -0.40   actual
    """)  # fmt: skip
    why = "a correction, and the file does not say of what; its fee is booked"
    assert found.warnings == [f"Not booked: 1 row of “adjustment”, −3.00 EUR: {why}."]
    assert found.lists == [
        Listed("Not booked, or not wholly", ODD, [["3", "adjustment", "1002", "2026-03-10", "−3.00", "0.40", "EUR", why]], 1)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("payout||-100.00|1.00|-101.00", "money on its way to or from the bank or a reserve, no cost; its fee is of no order; enter it under Costs"),
        ("lending_debit||-9.00|0.50|-9.50", "a loan or an advance, lent or paid back, no cost; its fee is of no order; enter it under Costs"),
        ("shipping_label|#1001|-5.00|0.00|-5.00", "a cost that another file may tell as well; bring in that file, or enter it under Costs"),
        ("referral_fee||-2.00|0.00|-2.00", "the row names no order"),
        ("moon_fee|#1001|-2.00|0.30|-2.30", "what such rows are about is not known"),
    ],
)  # fmt: skip
def test_no_row_that_may_cost_something_is_passed_over(store: Store, tmp_path: Path, row: str, why: str) -> None:
    found = take(store, saved(tmp_path, shopify(CHARGE, f"2026-03-10|{row}")), SHOPIFY_PAYMENTS_FILES)
    kind, order, amount, fee, _ = row.split("|")
    cells = ["3", kind, order.removeprefix("#"), "2026-03-10", amount.replace("-", "−"), fee, "EUR", why]
    assert found.lists == [Listed("Not booked, or not wholly", ODD, [cells], 1)]
    assert len(found.warnings) == 1
    assert found.new == 1


def test_a_fee_in_a_row_of_its_own_is_booked_on_the_order_it_names(store: Store, tmp_path: Path) -> None:
    found = take(store, saved(tmp_path, shopify(CHARGE, "2026-03-10|referral_fee|#1001|-2.00|0.00|-2.00")), SHOPIFY_PAYMENTS_FILES)
    fees(store, """
        source  account       event_day   amount  how
        1001    fees:payment  2026-03-03  -1.70   actual
        1001    fees:payment  2026-03-10  -2.00   actual
        1002    fees:payment  2026-03-03  -1.75   estimated
    """)  # fmt: skip
    assert (found.warnings, found.lists) == ([], [])


def test_a_fee_of_an_order_that_was_paid_through_another_processor_is_pointed_out(tmp_path: Path) -> None:
    store = a_store(slug="mugs")
    write(store, an_order("1001", gateway="paypal"), an_order("1002", gateway="shopify_payments"), an_order("1003", gateway="cash"))
    rows = (CHARGE, CHARGE.replace("#1001", "#1002"), CHARGE.replace("#1001", "#1003"))
    found = take(store, saved(tmp_path, shopify(*rows)), SHOPIFY_PAYMENTS_FILES)
    assert found.warnings == [
        "2 fees are of orders that were not paid through Shopify Payments. Booked all the same, beside the fee of the payment that is known: is the "
        "file of another shop, or the number another order's?"
    ]
    assert found.lists == [
        Listed("Fees of orders that were paid otherwise", ODD[:-1], [
            ["2", "charge", "1001", "2026-03-03", "50.00", "1.70", "EUR"], ["4", "charge", "1003", "2026-03-03", "50.00", "1.70", "EUR"],
        ], 2)
    ]  # fmt: skip
    assert look(store, saved(tmp_path, shopify(*rows), "again.csv"), SHOPIFY_PAYMENTS_FILES).lists == found.lists


@pytest.mark.parametrize(
    "text",
    [
        shopify(CHARGE).replace(",Payout ID", "").replace(",9,", ","),
        shopify(f"{CHARGE}|0.00", more="VAT"),
        shopify(f"{CHARGE}|0.00|Mugs Ltd|7", more="VAT,Business Entity Name,Business Entity ID"),
        shopify("2026/3/3|charge|#1001|$50.00|$1.70|$48.30").replace("EUR", "USD"),
    ],
    ids=["16 columns", "18 columns", "20 columns", "dollar signs and slashes"],
)
def test_every_form_of_shopifys_export_is_read(tmp_path: Path, text: str) -> None:
    store = a_store(currency="USD" if "$" in text else "EUR")
    write(store, an_order("1001", gateway="shopify_payments", currency=store.currency))
    take(store, saved(tmp_path, text), SHOPIFY_PAYMENTS_FILES)
    fees(store, "account event_day amount how\nfees:payment 2026-03-03 -1.70 actual")


def test_the_same_rows_in_another_form_of_date_are_the_same(store: Store, tmp_path: Path) -> None:
    take(store, saved(tmp_path, shopify(CHARGE)), SHOPIFY_PAYMENTS_FILES)
    again = shopify("2026/3/3|charge|#1001|50.00|1.70|48.30", "2026/3/28|charge|#1002|50.00|1.80|48.20")
    found = take(store, saved(tmp_path, again, "again.csv"), SHOPIFY_PAYMENTS_FILES)
    assert (found.new, found.changed, found.unchanged) == (1, 0, 1)


def test_a_split_payment_keeps_the_estimate_of_what_another_processor_took(tmp_path: Path) -> None:
    store = a_store()
    write(store, an_order("1001", lines=2, payments=[a_payment("100.00", gateway="shopify_payments + paypal")]))
    take(store, saved(tmp_path, shopify("2026-03-03|charge|#1001|60.00|2.04|57.96")), SHOPIFY_PAYMENTS_FILES)
    fees(store, """
        account       event_day   amount  how
        fees:payment  2026-03-03  -2.04   actual
        fees:payment  2026-03-03  -1.46   estimated
    """)  # fmt: skip


def test_a_row_whose_order_comes_later_waits_for_it(store: Store, tmp_path: Path) -> None:
    found = take(store, saved(tmp_path, shopify(CHARGE, "2026-03-20|charge|#2001|50.00|1.60|48.40")), SHOPIFY_PAYMENTS_FILES)
    assert (found.loose, found.loose_count) == ([Loose(3, "2001", "charge 2026-03-20 50")], 1)
    write(store, an_order("2001", gateway="", when="2026-03-20 12:00"))
    fees(store, """
        source  account       event_day   amount  how
        1001    fees:payment  2026-03-03  -1.70   actual
        1002    fees:payment  2026-03-03  -1.75   estimated
        2001    fees:payment  2026-03-20  -1.60   actual
    """)  # fmt: skip


def test_undoing_gives_the_estimate_back_and_takes_the_advertising_off(store: Store, tmp_path: Path) -> None:
    path = saved(tmp_path, shopify(CHARGE, "2026-03-09|shop_cash_campaign_billing_debit||-27.00|0.00|-27.00"))
    take(store, path, SHOPIFY_PAYMENTS_FILES)
    undo(store, path, SHOPIFY_PAYMENTS_FILES)
    fees(store, """
        source  account       event_day   amount  how
        1001    fees:payment  2026-03-03  -1.75   estimated
        1002    fees:payment  2026-03-03  -1.75   estimated
    """)  # fmt: skip


def test_undoing_the_later_of_two_files_lets_the_first_stand(store: Store, tmp_path: Path) -> None:
    debit = "2026-03-09|shop_cash_campaign_billing_debit||{0}|0.00|{0}"
    first = saved(tmp_path, shopify(CHARGE, debit.format("-27.00")))
    later = saved(tmp_path, shopify(CHARGE.replace("1.70|48.30", "1.80|48.20"), debit.format("-30.00")), "later.csv")
    take(store, first, SHOPIFY_PAYMENTS_FILES)
    take(store, later, SHOPIFY_PAYMENTS_FILES)
    undo(store, later, SHOPIFY_PAYMENTS_FILES)
    fees(store, """
        source          account              event_day   amount  how
        1001            fees:payment         2026-03-03  -1.70   actual
        1002            fees:payment         2026-03-03  -1.75   estimated
        Shop_campaigns  marketing:other-ads  2026-03-09  -27.00  actual
    """)  # fmt: skip


def test_a_net_that_does_not_add_up_is_refused_with_its_row(store: Store, tmp_path: Path) -> None:
    with pytest.raises(FileRefused) as refused:
        take(store, saved(tmp_path, shopify(CHARGE, "2026-03-20|charge|#1002|50.00|1.70|48.00")), SHOPIFY_PAYMENTS_FILES)
    assert [str(each) for each in refused.value.faults] == [
        "line 3, Net: 48.00 is not the amount less the fee, 48.3; the row was changed, or two columns changed places: export the file again"
    ]
    assert not OrderCharge.objects.exists()


def test_the_vat_on_fees_is_told_and_not_booked(store: Store, tmp_path: Path) -> None:
    found = take(store, saved(tmp_path, shopify("2026-03-03|charge|#1001|50.00|1.70|47.98|0.32", more="VAT")), SHOPIFY_PAYMENTS_FILES)
    assert "VAT on the fees, 0.32 EUR, is not booked: it is taken off the tax that is owed." in found.notes
    fees(store, """
        source  account       event_day   amount  how
        1001    fees:payment  2026-03-03  -1.70   actual
        1002    fees:payment  2026-03-03  -1.75   estimated
    """)  # fmt: skip


def test_stripes_rows_find_their_orders_in_metadata_or_description(store: Store, tmp_path: Path) -> None:
    found = take(store, saved(tmp_path, STRIPE), STRIPE_FILES)
    fees(store, """
        source  account       event_day   amount  how
        1001    fees:payment  2026-03-03  -1.75   actual
        1002    fees:payment  2026-03-03  -1.75   estimated
    """)  # fmt: skip
    assert found.loose == [Loose(5, "1003", "txn_4")]
    assert found.warnings == ["Not booked: 1 row of “stripe_fee”, −2.00 EUR: the row names no order."]
    assert found.lists == [
        Listed("Not booked, or not wholly", ODD, [["4", "stripe_fee", "", "2026-03-09", "−2.00", "0.00", "EUR", "the row names no order"]], 1)
    ]  # fmt: skip


def test_a_transaction_that_a_file_tells_twice_counts_once(store: Store, tmp_path: Path) -> None:
    twice = STRIPE.rstrip() + "\n" + STRIPE.strip().splitlines()[1]
    found = take(store, saved(tmp_path, twice), STRIPE_FILES)
    assert found.new == 2
    assert "1 row tells a transaction that an earlier row told, and is left out." in found.notes


@pytest.mark.parametrize("order", [("list", "report"), ("report", "list")])
def test_a_dispute_is_the_same_in_stripes_list_and_in_its_report(store: Store, tmp_path: Path, order: tuple[str, str]) -> None:
    told = "Chargeback withdrawal for ch_1, order #1001"
    texts = {
        "list": f"""
            id,Type,Amount,Fee,Net,Currency,Created (UTC),Description
            txn_9,adjustment,-50.00,15.00,-65.00,eur,2026-03-20 12:00,"{told}"
        """,
        "report": f"""
            balance_transaction_id,created_utc,currency,gross,fee,net,reporting_category,description
            txn_9,2026-03-20 12:00:00,eur,-50.00,15.00,-65.00,dispute,"{told}"
        """,
    }
    for each in order:
        take(store, saved(tmp_path, texts[each], f"{each}.csv"), STRIPE_FILES)
        assert_entries(store, """
            source  account                    event_day   amount
            1001    fees:payment               2026-03-03  -1.75
            1002    fees:payment               2026-03-03  -1.75
            1001    fees:dispute               2026-03-20  -15.00
            1001    sales:returns:chargebacks  2026-03-20  -50.00
        """, only=("fees", "sales:returns:chargebacks"), live=True)  # fmt: skip


def test_paypals_fees_are_negative_and_its_refunds_give_some_back(store: Store, tmp_path: Path) -> None:
    found = take(store, saved(tmp_path, PAYPAL), PAYPAL_FILES)
    fees(store, """
        source  account       event_day   amount  how
        1001    fees:payment  2026-03-03  -2.09   actual
        1001    fees:payment  2026-03-09  0.35    actual
        1002    fees:payment  2026-03-03  -1.75   estimated
    """)  # fmt: skip
    assert "Not booked: 1 row of “Express Checkout Payment”, 9.00 EUR and fees of 0.50 EUR: its status is pending." in found.notes


def test_paypals_invoice_number_is_what_shopify_calls_the_payment(store: Store, tmp_path: Path) -> None:
    later = PAYPAL.replace("WC-1001", "c555.1")
    take(store, saved(tmp_path, later), PAYPAL_FILES)
    assert OrderCharge.objects.filter(order_id=None).count() == 2
    shop = an_order("2001", gateway="paypal", when="2026-03-03 12:00")
    write(store, structs.replace(shop, references=("c555.1", "rX")))
    fees(store, """
        source  account       event_day   amount  how
        1001    fees:payment  2026-03-03  -1.75   estimated
        1002    fees:payment  2026-03-03  -1.75   estimated
        2001    fees:payment  2026-03-03  -2.09   actual
        2001    fees:payment  2026-03-09  0.35    actual
    """)  # fmt: skip
    found = take(store, saved(tmp_path, later.replace("7AB", "8AB").replace("7AC", "8AC"), "more.csv"), PAYPAL_FILES)
    assert found.loose_count == 0


def test_what_customers_wrote_and_who_they_are_is_not_kept(store: Store, tmp_path: Path) -> None:
    take(store, saved(tmp_path, STRIPE), STRIPE_FILES)
    take(store, saved(tmp_path, PAYPAL, "paypal.csv"), PAYPAL_FILES)
    kept = [str(unpack(unseal(bytes(payload.body)))) for payload in RawPayload.objects.all()]
    assert len(kept) == 2
    assert not any(word in text for text in kept for word in ("Ann", "Example", "@", "bought"))


def test_looking_says_what_would_be_and_writes_nothing(store: Store, tmp_path: Path) -> None:
    found = look(store, saved(tmp_path, shopify(CHARGE, "2026-03-09|shop_cash_campaign_billing_debit||-27.00|0.00|-27.00")), SHOPIFY_PAYMENTS_FILES)
    assert (found.new, found.changed, found.entries) == (2, 0, 0)
    assert not OrderCharge.objects.exists()


def test_fee_files_are_told_apart_by_their_headers(store: Store, tmp_path: Path) -> None:
    texts = (shopify(CHARGE), STRIPE, PAYPAL)
    kinds = [[candidate.kind.name for candidate in file_kinds.recognise(store, saved(tmp_path, text)).candidates] for text in texts]
    assert [found[0] for found in kinds] == ["shopify-payments", "stripe-fees", "paypal-fees"]


def test_the_command_takes_fee_files(store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("import_file", "mugs", str(saved(tmp_path, shopify(CHARGE))), "--kind", "shopify-payments")
    said = capsys.readouterr().out
    assert "Sum of fees: 1.70 EUR." in said
    assert "1 new charges, 0 changed, 0 unchanged; 2 entries." in said


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kolkata", "America/St_Johns"])
@pytest.mark.parametrize("written", ["2026-03-05 23:30:00 +0000", "2026-03-06 13:30:00 +1400", "2026-03-05 12:30:00 -1100"])
def test_a_time_in_a_file_falls_on_the_stores_own_day_in_zones_far_from_utc(zone: str, written: str) -> None:
    read = day_reader("day", lambda day: ZoneInfo(zone), datetime(2026, 3, 20, tzinfo=UTC))
    assert read(written) == datetime(2026, 3, 5, 23, 30, tzinfo=UTC).astimezone(ZoneInfo(zone)).date()
