"""Hold each pitfall of Shopify's API, by its number in our notes on it.

1 refund without money · 2 money without lines · 3 shipping refunds · 4 exchanges · 5 edits keep old allocations · 6 refunds belong to their own
day · 7 day boundaries · 8 ties and index lag · 9 what does not bump an order · 10 deleted orders · 11 deleted products · 12 cost without history ·
13 gift cards · 14 tips, duties, marketplace tax · 15 three currencies · 16 unknown fees · 17 fees on refunds · 18 attempts · 19 tests and
cancellations · 20 numeric sources · 21 protection apps · 22 returning customers · 23 two shops · 24 new balance types · 25 cursors · 26 clocks
"""

from datetime import timedelta

import pytest
from msgspec import structs

from connectors.faults import BadPayload
from connectors.platforms.files.shopify import words as file_words
from connectors.platforms.shopify import queries, whose, words
from connectors.platforms.shopify.asking import changed_within, time_of
from connectors.platforms.shopify.connector import BALANCE, DELETIONS, ORDERS, REFUNDS, SHOPIFY
from connectors.platforms.shopify.mapping.balance import balance_facts
from connectors.platforms.shopify.mapping.catalogue import variant_facts
from connectors.platforms.shopify.mapping.customers import customer_facts
from connectors.spec import Window
from ledger.facts import CustomerFact
from ledger.kinds import BalanceMeaning, FinancialStatus, PaymentKind, PaymentStatus, SalesBasis, SaleType
from ledger.money import decimal
from tests.connectors.shopify.records import (
    CONTEXT,
    LATER,
    NOW,
    PLACED,
    a_line,
    a_refund,
    a_transaction,
    agreement,
    an_order,
    back,
    bag,
    fact_of,
    nodes,
    sales_text,
    sold,
    whole,
)
from tests.connectors.shopify.test_balance_and_catalogue import a_row, a_variant, money
from tests.connectors.shopify.test_derived import shipping


def test_pitfall_01_goods_that_come_back_without_money_reverse_revenue_and_no_cash() -> None:
    order = an_order(
        agreement(sold("27.0")), agreement(sold("-27.0", "RETURN"), kind="Refund", at=LATER, refund=1), total="27.0", current="0.0",
        refunds=[a_refund("0.0", back(restocked=True, subtotal="27.0"))], lineItems=nodes(a_line(price="27.0", current=0)),
    )  # fmt: skip
    fact = fact_of(order)
    assert sales_text(fact)[1] == "11-05 return product 1 -1 -27.00 0.00 0.00 restocked"
    assert [(payment.kind, payment.amount) for payment in fact.payments] == [(PaymentKind.SALE, 27_0000)]
    assert (fact.stated_total, fact.stated_refunded) == (0, 0)


def test_pitfall_02_money_without_lines_is_never_taken_from_the_lines() -> None:
    order = an_order(
        total="15.0", totalRefundedSet=bag("15.0"), lineItems=nodes(whole(a_line(price="15.0", current=0))), current="0.0",
        refunds=[a_refund("15.0", back(restocked=False, subtotal="0.0"))],
    )  # fmt: skip
    fact = fact_of(order)
    assert sum(sale.net for sale in fact.sales) == 0
    assert sales_text(fact)[1:] == ["11-05 return product 1 -1 0.00 0.00 0.00", "11-05 refund adjustment - +0 -15.00 0.00 0.00 estimated"]


def test_pitfall_03_shipping_that_is_given_back_is_in_its_own_list() -> None:
    stated = an_order(
        agreement(sold("100.0"), sold("10.0", kind="SHIPPING")), agreement(sold("-10.0", "RETURN", "SHIPPING"), kind="Refund", at=LATER),
        total="110.0", current="100.0", totalRefundedSet=bag("10.0"), refunds=[a_refund("10.0")],
    )  # fmt: skip
    assert sales_text(fact_of(stated))[2] == "11-05 return shipping - +0 -10.00 0.00 0.00"
    lines = {"nodes": [{"subtotalAmountSet": bag("10.0"), "taxAmountSet": bag("0.0")}]}
    derived = an_order(
        total="110.0", current="100.0", totalRefundedSet=bag("10.0"), lineItems=nodes(whole(a_line())), shippingLines=nodes(shipping("10.0")),
        refunds=[a_refund("10.0", refundShippingLines=lines)],
    )  # fmt: skip
    assert sales_text(fact_of(derived))[2] == "11-05 return shipping - +0 -10.00 0.00 0.00"


def test_pitfall_04_the_refunds_total_of_an_exchange_is_net_and_the_sales_are_not_taken_from_it() -> None:
    order = an_order(
        agreement(sold("100.0")), agreement(sold("-100.0", "RETURN"), sold("130.0", line=2), kind="Return", at=LATER), total="230.0", current="130.0",
        totalRefundedSet=bag("0.0"), lineItems=nodes(a_line(current=0), a_line(2, price="130.0")), refunds=[a_refund("0.0", back(subtotal="100.0"))],
    )  # fmt: skip
    assert [sale.net for sale in fact_of(order).sales] == [100_0000, -100_0000, 130_0000]


def test_pitfall_05_units_taken_out_by_an_edit_take_their_share_of_the_discount_and_no_more() -> None:
    order = an_order(
        total="40.0", current="26.67", edited=True, lineItems=nodes(whole(a_line(quantity=3, price="16.67", current=2), discount="10.01")),
    )  # fmt: skip
    out = fact_of(order).sales[1]
    assert (out.net, out.discount, out.quantity) == (-13_3300, -3_3400, -1)


def test_pitfall_06_a_late_refund_is_of_its_own_day_and_leaves_the_orders_day_alone() -> None:
    before = an_order(agreement(sold("100.0")))
    after = an_order(
        agreement(sold("100.0")), agreement(sold("-100.0", "RETURN"), kind="Refund", at="2026-12-30T10:00:00Z"), current="0.0",
        totalRefundedSet=bag("100.0"), refunds=[a_refund("100.0", back(), at="2026-12-30T10:00:00Z")],
    )  # fmt: skip
    assert sales_text(fact_of(after))[0] == sales_text(fact_of(before))[0]
    assert sales_text(fact_of(after))[1].startswith("12-30 return")


def test_pitfall_07_times_stay_in_utc_and_days_are_cut_by_the_ledger() -> None:
    fact = fact_of(an_order(agreement(sold("100.0")), processedAt="2026-10-25T01:30:00+02:00"))
    assert fact.placed_at.utcoffset() in (timedelta(0), timedelta(hours=2))
    assert fact.placed_at.timestamp() == fact_of(an_order(agreement(sold("100.0")), processedAt="2026-10-24T23:30:00Z")).placed_at.timestamp()


def test_pitfall_08_the_window_ends_before_now_and_begins_before_what_was_seen() -> None:
    assert ORDERS.cursor is not None
    assert (ORDERS.cursor.settle, ORDERS.cursor.overlap) == (timedelta(seconds=30), timedelta(minutes=10))
    text = changed_within(Window(since=NOW - timedelta(hours=1), until=NOW))
    assert text == "updated_at:>='2026-11-20T11:00:00Z' AND updated_at:<'2026-11-20T12:00:00Z'"
    assert "status" not in text
    assert time_of({"updatedAt": "2026-11-20T11:59:30Z"}) == NOW - timedelta(seconds=30)


def test_pitfall_09_fees_and_chargebacks_have_a_cursor_of_their_own() -> None:
    assert BALANCE.cursor is not None
    assert BALANCE.cursor.changed_at({"transactionDate": PLACED}) == NOW.replace(day=2, hour=9)
    assert BALANCE.every == timedelta(hours=1)


def test_pitfall_10_orders_are_listed_and_those_asked_for_by_id_that_are_not_there_are_gone() -> None:
    comparison, again = ORDERS.comparison, ORDERS.again
    assert comparison is not None
    assert again is not None
    listed: dict[str, object] = {
        "id": "gid://shopify/Order/5001",
        "updatedAt": LATER,
        "currentTotalPriceSet": bag("100.0"),
        "totalRefundedSet": bag("0.0"),
    }
    listed["totalCashRoundingAdjustment"] = {"paymentSet": bag("0.0")}
    plain = comparison.told({**listed, "refundDiscrepancySet": bag("0.0")})
    assert (plain.id, plain.changed_at, plain.total) == ("5001", NOW.replace(day=5, hour=10), 100)
    rounded = {**listed, "refundDiscrepancySet": bag("0.0"), "totalCashRoundingAdjustment": {"paymentSet": bag("0.02")}}
    assert comparison.told(rounded).total == decimal(100_0200)
    assert comparison.told({**listed, "refundDiscrepancySet": bag("-5.0")}).total is None
    assert comparison.told({**listed, "refundDiscrepancySet": bag("0.0"), "taxLines": [{"channelLiable": True}]}).total is None
    request = again.request(["5001", "5002"])
    assert request.body is not None
    assert request.body["variables"] == {"ids": ["gid://shopify/Order/5001", "gid://shopify/Order/5002"]}
    assert again.found({"data": {"nodes": [None, {"id": "gid://shopify/Order/5002"}]}}) == [{"id": "gid://shopify/Order/5002"}]


def test_pitfall_11_a_line_whose_product_was_deleted_keeps_its_name_and_says_so() -> None:
    (line,) = fact_of(an_order(agreement(sold("100.0")), lineItems=nodes(a_line(variant=None, product=None)))).lines
    assert (line.variant, line.sku, line.title, line.by_name) == ("MUG-1", "MUG-1", "Mug 1", True)
    (nameless,) = fact_of(an_order(agreement(sold("100.0")), lineItems=nodes(a_line(variant=None, product=None, sku=None)))).lines
    assert (nameless.variant, nameless.by_name) == ("Mug 1", True)
    assert "events" in str(DELETIONS.request(Window(since=None, until=NOW)).body)


def test_pitfall_12_a_cost_is_told_as_of_now_and_never_with_the_order() -> None:
    (line,) = fact_of(an_order(agreement(sold("100.0")))).lines
    assert line.unit_cost is None
    (variant,) = variant_facts(a_variant(inventoryItem={"id": "x", "unitCost": money("4.5", "USD")}), CONTEXT)
    assert (variant.unit_cost, variant.cost_currency) == (4_5000, "USD")


def test_pitfall_13_a_gift_card_is_no_revenue_when_sold_and_a_tender_when_redeemed() -> None:
    card = a_line(price="50.0", isGiftCard=True, title="Gift card")
    order = an_order(agreement(sold("50.0", kind="GIFT_CARD")), total="50.0", lineItems=nodes(card))
    fact = fact_of(order)
    assert [(sale.type, sale.quantity, sale.net) for sale in fact.sales] == [(SaleType.GIFT_CARD, 0, 50_0000)]
    assert fact.lines[0].variant is None
    redeemed = fact_of(an_order(agreement(sold("100.0")), transactions=[a_transaction("100.0", gateway="gift_card")]))
    assert [(payment.gateway, payment.amount) for payment in redeemed.payments] == [("gift_card", 100_0000)]


def test_pitfall_14_tips_duties_and_fees_are_classes_of_their_own() -> None:
    order = an_order(
        agreement(
            sold("100.0"), sold("5.0", kind="TIP", line=2), sold("8.0", kind="DUTY"), sold("2.0", kind="ADDITIONAL_FEE"), sold("3.0", kind="FEE"),
        ),
        total="118.0", lineItems=nodes(a_line(), a_line(2, price="5.0", product=None, variant=None)),
    )  # fmt: skip
    assert [sale.type for sale in fact_of(order).sales] == [SaleType.PRODUCT, SaleType.TIP, SaleType.DUTY, SaleType.FEE, SaleType.FEE]


def test_pitfall_14_a_tax_that_the_marketplace_remits_is_not_the_stores() -> None:
    order = an_order(agreement(sold("119.0", tax="19.0")), total="119.0", taxLines=[{"channelLiable": True}])
    fact = fact_of(order)
    assert sales_text(fact) == ["11-02 order product 1 +1 100.00 0.00 0.00"]
    assert fact.stated_total == 100_0000


def test_pitfall_14_of_taxes_that_are_shared_each_bears_its_part() -> None:
    line = whole(a_line(), taxes=(("7.0", True), ("12.0", False)))
    order = an_order(
        agreement(sold("119.0", tax="19.0")), total="119.0", taxLines=[{"channelLiable": True}, {"channelLiable": False}], lineItems=nodes(line)
    )  # fmt: skip
    assert sales_text(fact_of(order)) == ["11-02 order product 1 +1 100.00 0.00 12.00"]
    assert fact_of(order).stated_total == 112_0000


def test_pitfall_15_sums_are_of_the_shops_currency_and_fees_keep_their_own() -> None:
    fees = [{"amount": {"amount": "1.9", "currencyCode": "USD"}}, {"amount": {"amount": "0.3", "currencyCode": "USD"}}]
    sale = sold("100.0")
    sale["totalAmount"] = bag("100.0", "109.0")
    order = an_order(agreement(sale), presentmentCurrencyCode="USD", transactions=[a_transaction("100.0", fees=fees)])
    fact = fact_of(order)
    assert (fact.currency, fact.sales[0].net) == ("EUR", 100_0000)
    assert [(payment.fee, payment.fee_currency) for payment in fact.payments] == [(2_2000, "USD")]


def test_pitfall_15_amounts_that_were_converted_one_by_one_may_be_a_cent_off_each() -> None:
    order = an_order(agreement(sold("33.34"), sold("66.67", line=2)), presentmentCurrencyCode="USD", lineItems=nodes(a_line(), a_line(2)))
    assert fact_of(order).sales_basis == SalesBasis.STATED
    same = an_order(agreement(sold("33.34"), sold("66.67", line=2)), lineItems=nodes(whole(a_line(price="50.0")), whole(a_line(2, price="50.0"))))
    assert fact_of(same).sales_basis == SalesBasis.DERIVED


def test_pitfall_16_no_fee_is_unknown_not_nothing() -> None:
    fact = fact_of(an_order(agreement(sold("100.0")), transactions=[a_transaction("100.0", gateway="paypal")]))
    assert [payment.fee for payment in fact.payments] == [None]
    late = fact_of(an_order(agreement(sold("100.0")), transactions=[a_transaction("100.0", gateway="shopify_payments", fees=[])]))
    assert [payment.fee for payment in late.payments] == [None]


def test_pitfall_17_a_refund_gives_no_fee_back() -> None:
    fee = [{"amount": {"amount": "3.2", "currencyCode": "EUR"}}]
    order = an_order(
        agreement(sold("100.0")), agreement(sold("-100.0", "RETURN"), kind="Refund", at=LATER), current="0.0", totalRefundedSet=bag("100.0"),
        refunds=[a_refund("100.0", back())], transactions=[a_transaction("100.0", fees=fee), a_transaction("100.0", "REFUND", number=2)],
    )  # fmt: skip
    assert [(payment.kind, payment.fee) for payment in fact_of(order).payments] == [(PaymentKind.SALE, 3_2000), (PaymentKind.REFUND, None)]


def test_pitfall_18_attempts_are_told_as_what_they_are() -> None:
    order = an_order(
        agreement(sold("100.0")),
        transactions=[
            a_transaction("100.0", "AUTHORIZATION", number=1), a_transaction("100.0", "SALE", "FAILURE", number=2),
            a_transaction("100.0", "SALE", "PENDING", number=3), a_transaction("100.0", "SALE", "SUCCESS", number=4),
            a_transaction("0.0", "VOID", number=5), a_transaction("5.0", "CHANGE", number=6), a_transaction("1.0", "SALE", number=7, test=True),
            a_transaction("9.0", "SALE", "NEW_WORD", number=8), a_transaction("9.0", "SUGGESTED_REFUND", number=9),
        ],
    )  # fmt: skip
    told = [(payment.external_id, payment.kind, payment.status) for payment in fact_of(order).payments]
    assert told == [
        ("1", PaymentKind.AUTHORIZATION, PaymentStatus.SUCCESS), ("2", PaymentKind.SALE, PaymentStatus.FAILURE),
        ("3", PaymentKind.SALE, PaymentStatus.PENDING), ("4", PaymentKind.SALE, PaymentStatus.SUCCESS),
        ("5", PaymentKind.VOID, PaymentStatus.SUCCESS), ("8", PaymentKind.SALE, PaymentStatus.ERROR),
    ]  # fmt: skip


def test_pitfall_19_tests_are_marked_and_a_cancelled_order_that_is_paid_keeps_its_sales() -> None:
    assert fact_of(an_order(agreement(sold("100.0")), test=True)).is_test is True
    cancelled = fact_of(an_order(agreement(sold("100.0")), cancelledAt=LATER))
    assert (cancelled.financial_status, cancelled.is_test, cancelled.cancelled_at) == (FinancialStatus.PAID, False, NOW.replace(day=5, hour=10))
    assert [sale.net for sale in cancelled.sales] == [100_0000]


@pytest.mark.parametrize(
    ("source", "channel"),
    [("web", "online"), ("pos", "pos"), ("580111", "online"), ("24986320897", "app_24986320897"), ("Nordstrom", "nordstrom"), ("My Shop", "my_shop")],
)
def test_pitfall_20_sources_are_channels_and_the_same_ones_as_in_files(source: str, channel: str) -> None:
    assert fact_of(an_order(agreement(sold("100.0")), sourceName=source)).channel == channel == file_words.channel(source)


def test_pitfall_20_without_a_source_the_app_tells() -> None:
    order = an_order(agreement(sold("100.0")), sourceName=None, app={"id": "gid://shopify/App/129785"})
    assert fact_of(order).channel == "pos"
    assert fact_of(an_order(agreement(sold("100.0")), sourceName=None, app=None)).channel == "online"


def test_pitfall_21_what_a_protection_app_sells_is_a_line_that_a_rule_can_name() -> None:
    line = a_line(title="Package protection", sku=None, variant=None, product=None, requiresShipping=False)
    assert fact_of(an_order(agreement(sold("100.0")), lineItems=nodes(line))).lines[0].variant == "Package protection"


def test_pitfall_22_customers_are_known_by_their_number_hashed_and_guests_are_nobody() -> None:
    assert fact_of(an_order(agreement(sold("100.0")))).customer == b"#42"
    assert fact_of(an_order(agreement(sold("100.0")), customer=None)).customer is None


def test_pitfall_22_how_many_orders_shopify_counts_tells_of_those_beyond_sight_and_the_place_of_an_order_is_not_asked() -> None:
    told = {"id": "gid://shopify/Customer/42", "updatedAt": PLACED, "numberOfOrders": "3", "defaultAddress": {"countryCodeV2": "DE"}}
    assert list(customer_facts(told, CONTEXT)) == [CustomerFact("shopify", b"#42", 3, "DE")]
    assert list(customer_facts({**told, "defaultAddress": None}, CONTEXT)) == [CustomerFact("shopify", b"#42", 3)]
    assert list(customer_facts(told, structs.replace(CONTEXT, identify=lambda name: b""))) == []
    assert list(customer_facts(whose.CUSTOMERS.renamed(told, ""), CONTEXT)) == []
    with pytest.raises(BadPayload, match="is not a number of orders"):
        list(customer_facts({**told, "numberOfOrders": "many"}, CONTEXT))
    assert not any("customerOrderIndex" in text for text in vars(queries).values() if isinstance(text, str))


def test_pitfall_23_what_is_read_is_kept_per_connection_and_stream() -> None:
    names = [stream.name for stream in SHOPIFY.streams]
    assert names == [
        "orders",
        "refunds",
        "journeys",
        "customers",
        "variants",
        "inventory",
        "locations",
        "deletions",
        "balance",
        "payouts",
        "disputes",
    ]
    assert REFUNDS.name != ORDERS.name


def test_pitfall_24_words_that_are_new_are_kept_and_stop_nothing() -> None:
    (row,) = balance_facts(a_row(type="QUANTUM_FEE"), CONTEXT)
    assert (row.type, row.meaning) == ("QUANTUM_FEE", BalanceMeaning.UNKNOWN)
    fact = fact_of(an_order(agreement(sold("100.0")), displayFinancialStatus="HALF_PAID", displayFulfillmentStatus="TELEPORTED"))
    assert (fact.financial_status, fact.shipped) == (FinancialStatus.UNKNOWN, False)


def test_pitfall_25_a_page_without_orders_is_the_end_and_no_error() -> None:
    empty = {"data": {"orders": {"nodes": [], "pageInfo": {"hasNextPage": False, "endCursor": None}}}}
    assert list(ORDERS.items(empty)) == []
    assert ORDERS.pages.next(ORDERS.request(Window(since=None, until=NOW)), empty) is None


def test_pitfall_26_what_we_call_now_never_enters_a_fact() -> None:
    order = an_order(agreement(sold("100.0")))
    assert fact_of(order).updated_at == NOW.replace(day=5, hour=10)


def test_words_that_files_and_the_interface_share_mean_the_same() -> None:
    assert {word.lower(): status for word, status in words.STATUSES.items()} == file_words.STATUSES
    assert file_words.KINDS.items() <= {word.lower(): kind for word, kind in words.KINDS.items()}.items()
    assert [word for word in file_words.OUTCOMES if word not in ("error",) and word.upper() not in words.OUTCOMES] == []
