"""Map orders whose sales Shopify states in agreements."""

from ledger.kinds import SalesBasis
from tests.connectors.shopify.records import LATER, a_line, a_refund, agreement, an_order, back, bag, fact_of, nodes, sales_text, sold


def test_an_order_is_its_sales_after_discount_and_without_tax() -> None:
    order = an_order(
        agreement(sold("107.1", tax="17.1", discount="10.0", quantity=2), sold("5.95", kind="SHIPPING", tax="0.95")),
        total="113.05", lineItems=nodes(a_line(quantity=2, price="50.0")),
    )  # fmt: skip
    fact = fact_of(order)
    assert sales_text(fact) == ["11-02 order product 1 +2 90.00 10.00 17.10", "11-02 order shipping - +0 5.00 0.00 0.95"]
    assert (fact.sales_basis, fact.stated_total, fact.stated_refunded) == (SalesBasis.STATED, 113_0500, 0)
    (line,) = fact.lines
    assert (line.external_id, line.quantity, line.unit_price, line.variant, line.sku, line.by_name) == ("1", 2, 50_0000, "71", "MUG-1", False)


def test_the_first_agreement_is_dated_by_when_the_order_was_processed() -> None:
    order = an_order(agreement(sold("100.0"), at="2026-11-04T00:00:00Z"), processedAt="2019-03-01T12:00:00Z")
    assert sales_text(fact_of(order)) == ["03-01 order product 1 +1 100.00 0.00 0.00"]
    assert fact_of(order).placed_at.year == 2019


def test_an_edit_that_adds_and_removes_is_of_its_own_day_and_no_return() -> None:
    order = an_order(
        agreement(sold("100.0")),
        agreement(sold("-100.0", "RETURN"), sold("60.0", line=2), kind="OrderEdit", at=LATER),
        total="160.0", current="60.0", edited=True, lineItems=nodes(a_line(current=0), a_line(2, price="60.0")),
    )  # fmt: skip
    assert sales_text(fact_of(order)) == [
        "11-02 order product 1 +1 100.00 0.00 0.00",
        "11-05 edit product 1 -1 -100.00 0.00 0.00",
        "11-05 edit product 2 +1 60.00 0.00 0.00",
    ]


def test_a_change_of_price_moves_no_units() -> None:
    order = an_order(
        agreement(sold("100.0")), agreement(sold("-20.0", "UPDATE", discount="20.0", quantity=1), kind="OrderEdit", at=LATER),
        total="80.0", edited=True,
    )  # fmt: skip
    assert sales_text(fact_of(order))[1] == "11-05 edit product 1 +0 -20.00 20.00 0.00"


def test_an_exchange_returns_one_thing_and_sells_another_on_its_own_day() -> None:
    order = an_order(
        agreement(sold("100.0")),
        agreement(sold("-100.0", "RETURN"), sold("80.0", line=2), kind="Return", at=LATER),
        current="80.0", totalRefundedSet=bag("20.0"), lineItems=nodes(a_line(current=0), a_line(2, price="80.0")),
        refunds=[a_refund("20.0", back(restocked=True, subtotal="100.0"))],
    )  # fmt: skip
    fact = fact_of(order)
    assert sales_text(fact)[1:] == ["11-05 return product 1 -1 -100.00 0.00 0.00 restocked", "11-05 edit product 2 +1 80.00 0.00 0.00"]
    assert (fact.stated_total, fact.stated_refunded) == (100_0000, 20_0000)


def test_units_of_one_return_that_are_restocked_and_others_that_are_not_are_told_apart() -> None:
    order = an_order(
        agreement(sold("100.0", quantity=3)), agreement(sold("-100.0", "RETURN", quantity=-3), kind="Refund", at=LATER, refund=1),
        current="0.0", totalRefundedSet=bag("100.0"), lineItems=nodes(a_line(quantity=3, price="33.34", current=0)),
        refunds=[a_refund("100.0", back(quantity=2, restocked=True), back(quantity=1, restocked=False))],
    )  # fmt: skip
    rows = sales_text(fact_of(order))
    assert rows[1:] == ["11-05 return product 1 -2 -66.67 0.00 0.00 restocked", "11-05 return product 1 -1 -33.33 0.00 0.00"]


def test_the_refund_that_an_agreement_names_says_what_was_restocked_not_one_nearer_in_time() -> None:
    order = an_order(
        agreement(sold("200.0", quantity=2)), agreement(sold("-100.0", "RETURN"), kind="Refund", at=LATER, refund=1),
        agreement(sold("-100.0", "RETURN"), kind="Refund", at="2026-11-06T10:00:00Z", refund=2),
        total="200.0", current="0.0", totalRefundedSet=bag("200.0"), lineItems=nodes(a_line(quantity=2, current=0)),
        refunds=[
            a_refund("100.0", back(restocked=False), number=2, at=LATER),
            a_refund("100.0", back(restocked=True), number=1, at="2026-11-06T10:00:00Z"),
        ],
    )  # fmt: skip
    assert [row.endswith("restocked") for row in sales_text(fact_of(order))[1:]] == [True, False]


def test_while_the_lines_of_refunds_are_not_known_a_return_is_not_restocked_and_estimated() -> None:
    order = an_order(
        agreement(sold("100.0")), agreement(sold("-100.0", "RETURN"), kind="Refund", at=LATER, refund=1),
        current="0.0", totalRefundedSet=bag("100.0"),
        refunds=[{"id": "gid://shopify/Refund/1", "createdAt": LATER, "totalRefundedSet": bag("100.0")}],
    )  # fmt: skip
    fact = fact_of(order)
    assert sales_text(fact)[1] == "11-05 return product 1 -1 -100.00 0.00 0.00 estimated"
    assert fact.coarse is True
