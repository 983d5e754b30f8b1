"""Work out the sales of orders whose agreements do not tell them."""

import pytest

from connectors.faults import BadPayload
from ledger.kinds import SalesBasis
from tests.connectors.shopify.records import LATER, a_line, a_refund, agreement, an_order, back, bag, fact_of, nodes, sales_text, sold, whole


def shipping(price: str, *, charged: str | None = None, tax: str = "0.0", removed: bool = False) -> dict[str, object]:
    return {
        "title": "Parcel", "isRemoved": removed, "originalPriceSet": bag(price), "discountedPriceSet": bag(charged or price),
        "taxLines": [{"priceSet": bag(tax), "channelLiable": False}],
    }  # fmt: skip


def test_without_agreements_an_order_is_its_lines_and_shipping() -> None:
    order = an_order(
        total="113.05", lineItems=nodes(whole(a_line(quantity=2, price="50.0"), discount="10.0", taxes=(("17.1", False),))),
        shippingLines=nodes(shipping("5.0", tax="0.95")),
    )  # fmt: skip
    fact = fact_of(order)
    assert sales_text(fact) == ["11-02 order product 1 +2 90.00 10.00 17.10", "11-02 order shipping - +0 5.00 0.00 0.95"]
    assert (fact.sales_basis, fact.stated_total, fact.lines[0].unit_price) == (SalesBasis.DERIVED, 113_0500, 50_0000)


def test_where_prices_include_tax_it_is_taken_out_of_price_and_discount() -> None:
    order = an_order(
        total="107.1", taxesIncluded=True, lineItems=nodes(whole(a_line(quantity=2, price="59.5"), discount="11.9", taxes=(("17.1", False),))),
    )  # fmt: skip
    fact = fact_of(order)
    assert sales_text(fact) == ["11-02 order product 1 +2 90.00 10.00 17.10"]
    assert fact.lines[0].unit_price == 50_0000


def test_agreements_that_are_cut_unknown_or_do_not_add_up_are_not_taken() -> None:
    line = whole(a_line())
    cut = an_order(agreement(sold("100.0"), more=True), lineItems=nodes(line))
    unknown_type = an_order(agreement(sold("100.0", kind="CARBON_OFFSET")), lineItems=nodes(line))
    unknown_action = an_order(agreement(sold("100.0", "SWAP")), lineItems=nodes(line))
    unknown_agreement = an_order(agreement(sold("100.0"), kind="Subscription"), lineItems=nodes(line))
    other_line = an_order(agreement(sold("100.0", line=9)), lineItems=nodes(line))
    short = an_order(agreement(sold("99.0")), lineItems=nodes(line))
    for order in (cut, unknown_type, unknown_action, unknown_agreement, other_line, short):
        fact = fact_of(order)
        assert (fact.sales_basis, sales_text(fact)) == (SalesBasis.DERIVED, ["11-02 order product 1 +1 100.00 0.00 0.00"])


def test_a_refund_gives_back_its_lines_shipping_and_duties() -> None:
    order = an_order(
        total="150.0", current="20.0", totalRefundedSet=bag("130.0"), originalTotalDutiesSet=bag("20.0"),
        lineItems=nodes(whole(a_line(quantity=2, price="60.0", current=0), discount="10.0")), shippingLines=nodes(shipping("20.0")),
        refunds=[a_refund(
            "130.0", back(quantity=2, restocked=True, subtotal="110.0"), duties=[{"amountSet": bag("5.0")}],
            refundShippingLines={"nodes": [{"subtotalAmountSet": bag("15.0"), "taxAmountSet": bag("0.0")}]},
        )],
    )  # fmt: skip
    fact = fact_of(order)
    assert sales_text(fact)[3:] == [
        "11-05 return product 1 -2 -110.00 -10.00 0.00 restocked",
        "11-05 return shipping - +0 -15.00 0.00 0.00",
        "11-05 return duty - +0 -5.00 0.00 0.00",
    ]
    assert (fact.stated_total, fact.stated_refunded) == (150_0000, 130_0000)


def test_units_that_an_edit_took_out_are_neither_there_nor_given_back() -> None:
    order = an_order(total="30.0", current="20.0", edited=True, lineItems=nodes(whole(a_line(quantity=3, price="10.0", current=2))))
    assert sales_text(fact_of(order)) == [
        "11-02 order product 1 +3 30.00 0.00 0.00 estimated",
        "11-02 edit product 1 -1 -10.00 0.00 0.00 estimated",
    ]


def test_money_beyond_the_goods_is_an_estimated_adjustment_on_the_refunds_day() -> None:
    order = an_order(totalRefundedSet=bag("15.0"), refundDiscrepancySet=bag("-15.0"), lineItems=nodes(whole(a_line())), refunds=[a_refund("15.0")])
    fact = fact_of(order)
    assert sales_text(fact)[1] == "11-05 refund adjustment - +0 -15.00 0.00 0.00 estimated"
    assert (fact.stated_total, fact.stated_refunded) == (100_0000, 15_0000)


def test_what_no_line_explains_is_an_estimated_adjustment() -> None:
    fact = fact_of(an_order(total="103.0", lineItems=nodes(whole(a_line()))))
    assert sales_text(fact)[1] == "11-02 order adjustment - +0 3.00 0.00 0.00 estimated"


@pytest.mark.parametrize("lines", [1, 2])
def test_a_discount_that_an_edit_gave_is_one_with_its_tax(lines: int) -> None:
    """Lines go on telling the discounts they had at first; the order's sums tell of the later one."""
    goods = [whole(a_line(number, price="50.0"), taxes=(("5.0", False),)) for number in range(1, lines + 1)]
    order = an_order(
        total=f"{55 * lines - 11}.0", current=f"{55 * lines - 11}.0", edited=True, lineItems=nodes(*goods), totalTaxSet=bag(f"{5 * lines - 1}.0"),
        totalDiscountsSet=bag("10.0"),
    )  # fmt: skip
    line = "1" if lines == 1 else "-"
    assert sales_text(fact_of(order))[lines:] == [f"11-02 order product {line} +0 -10.00 10.00 -1.00 estimated"]


def test_where_prices_include_tax_a_discount_that_an_edit_gave_is_told_with_it() -> None:
    order = an_order(
        total="44.0", taxesIncluded=True, edited=True, lineItems=nodes(whole(a_line(price="55.0"), taxes=(("5.0", False),))),
        totalTaxSet=bag("4.0"), totalDiscountsSet=bag("11.0"),
    )  # fmt: skip
    assert sales_text(fact_of(order))[1:] == ["11-02 order product 1 +0 -10.00 10.00 -1.00 estimated"]


def test_tax_beyond_the_lines_is_tax() -> None:
    order = an_order(total="121.9", originalTotalDutiesSet=bag("20.0"), lineItems=nodes(whole(a_line())), totalTaxSet=bag("1.9"))
    assert sales_text(fact_of(order))[2:] == ["11-02 order adjustment - +0 0.00 0.00 1.90 estimated"]


@pytest.mark.parametrize("tax", ["50.0", "-1.0"])
def test_a_sum_of_taxes_that_fits_to_nothing_is_not_taken(tax: str) -> None:
    order = an_order(total="103.0", lineItems=nodes(whole(a_line())), totalTaxSet=bag(tax), totalDiscountsSet=bag("9.0"))
    assert sales_text(fact_of(order))[1:] == ["11-02 order adjustment - +0 3.00 0.00 0.00 estimated"]


def test_an_order_that_ends_elsewhere_than_its_events_lead_gets_the_difference() -> None:
    fact = fact_of(an_order(current="93.0", lineItems=nodes(whole(a_line()))))
    assert sales_text(fact)[1] == "11-02 refund adjustment - +0 -7.00 0.00 0.00 estimated"
    assert fact.stated_total == 93_0000


def test_a_tip_is_no_product() -> None:
    tip = whole(a_line(2, price="5.0", title="Tip", product=None, variant=None, sku=None))
    fact = fact_of(an_order(total="105.0", totalTipReceivedSet=bag("5.0"), lineItems=nodes(whole(a_line()), tip)))
    assert sales_text(fact)[1] == "11-02 order tip 2 +0 5.00 0.00 0.00"
    assert fact.lines[1].variant is None


def test_an_exchange_is_not_taken_for_money_kept_back() -> None:
    order = an_order(
        total="180.0", current="80.0", totalRefundedSet=bag("20.0"),
        lineItems=nodes(whole(a_line(current=0)), whole(a_line(2, price="80.0"))),
        refunds=[a_refund("20.0", back(subtotal="100.0"), at=LATER)],
    )  # fmt: skip
    assert sales_text(fact_of(order)) == [
        "11-02 order product 1 +1 100.00 0.00 0.00", "11-02 order product 2 +1 80.00 0.00 0.00",
        "11-05 return product 1 -1 -100.00 0.00 0.00 restocked",
    ]  # fmt: skip


def test_an_order_that_was_not_read_whole_is_refused_not_guessed() -> None:
    with pytest.raises(BadPayload, match="not read whole"):
        fact_of(an_order())
