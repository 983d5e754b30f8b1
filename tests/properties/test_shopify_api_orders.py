"""Invent orders as Shopify's API tells them: sales add up to what was charged, refunds to what was given back, however they are read."""

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectors.platforms.shopify import bulk
from ledger.kinds import GIVEN_BACK, SalesBasis, SaleType
from ledger.money import divide_half_even, split
from tests.connectors.shopify.records import LATER, a_line, a_refund, agreement, an_order, back, bag, fact_of, nodes, sold, whole
from tests.connectors.shopify.test_bulk import lines_of

CENT = 100


def text(units: int) -> str:
    """Write an amount as Shopify does."""
    return f"{Decimal(units).scaleb(-4).normalize():f}"


@st.composite
def invented(draw: st.DrawFn) -> tuple[dict[str, Any], int, int]:
    """Return an order with lines, discounts and taxes, some of it given back with or without restocking, its total and what was given back."""
    included = draw(st.booleans())
    lines, first, later, returned = [], [], [], []
    total = given_back = money = 0
    for number in range(1, draw(st.integers(1, 4)) + 1):
        quantity, price = draw(st.integers(1, 5)), draw(st.integers(0, 20_000)) * CENT
        discount = draw(st.integers(0, price * quantity // CENT)) * CENT
        charged = price * quantity - discount
        tax = draw(st.integers(0, charged // CENT // 5)) * CENT
        gross = charged if included else charged + tax
        net = gross - tax
        off = divide_half_even(divide_half_even(discount * net, charged or 1), CENT) * CENT if included and tax else discount
        units_back = draw(st.integers(0, quantity))
        shares = [split(value, (units_back, quantity - units_back), step=CENT)[0] if units_back else 0 for value in (net, off, tax)]
        restocked = draw(st.booleans())
        line = a_line(number, quantity=quantity, price=text(price), current=quantity - units_back)
        lines.append(whole(line, discount=text(discount), taxes=((text(tax), False),)))
        first.append(sold(text(gross), line=number, quantity=quantity, tax=text(tax), discount=text(off)))
        total += gross
        if units_back:
            worth = shares[0] + shares[2]
            given_back += worth
            later.append(
                sold(text(-worth), "RETURN", line=number, quantity=-units_back, tax=text(-shares[2]), discount=text(-shares[1]))
            )  # fmt: skip
            subtotal = worth if included else shares[0]
            returned.append(back(number, units_back, restocked=restocked, subtotal=text(subtotal), tax=text(shares[2])))
    goodwill = draw(st.integers(0, 500)) * CENT if later else 0
    money = given_back + goodwill
    if goodwill:
        later.append(sold(text(-goodwill), "RETURN", "ADJUSTMENT", line=None))
    agreements = [agreement(*first)]
    if later:
        agreements.append(agreement(*later, kind="Refund", at=LATER, refund=1))
    order = an_order(
        *agreements, total=text(total), current=text(total - given_back), taxesIncluded=included, lineItems=nodes(*lines), shippingLines=nodes(),
        refunds=[a_refund(text(money), *returned)] if later else [], totalRefundedSet=bag(text(money)), refundDiscrepancySet=bag(text(-goodwill)),
    )  # fmt: skip
    return order, total, money


@given(invented())
def test_sales_add_up_to_what_was_charged_and_refunds_to_what_was_given_back(case: tuple[dict[str, Any], int, int]) -> None:
    order, total, money = case
    stated, derived = fact_of(order), fact_of({**order, "agreements": nodes()})
    assert (stated.sales_basis, derived.sales_basis) == (SalesBasis.STATED, SalesBasis.DERIVED)
    for fact in (stated, derived):
        assert sum(sale.net + sale.tax for sale in fact.sales if sale.kind not in GIVEN_BACK) == total
        assert -sum(sale.net + sale.tax for sale in fact.sales if sale.kind in GIVEN_BACK) == money
        assert (fact.stated_total, fact.stated_refunded) == (total, money)


@given(invented())
def test_both_ways_of_reading_agree_on_units_restocking_and_tax(case: tuple[dict[str, Any], int, int]) -> None:
    order, *_ = case

    def told(fact: Any) -> set[tuple[Any, ...]]:
        return {
            (sale.kind in GIVEN_BACK, sale.line, sale.quantity, sale.net, sale.tax, sale.restocked)
            for sale in fact.sales
            if sale.type == SaleType.PRODUCT
        }  # fmt: skip

    assert told(fact_of(order)) == told(fact_of({**order, "agreements": nodes()}))


@given(invented())
def test_bulk_files_tell_the_same_but_for_what_they_cannot(case: tuple[dict[str, Any], int, int]) -> None:
    order, *_ = case
    by_page, by_file = fact_of(order), fact_of(bulk.assemble(lines_of(order)))
    if not order["refunds"]:
        assert by_file == by_page
    else:
        assert by_file.coarse
        assert (by_file.lines, by_file.payments, by_file.stated_total) == (by_page.lines, by_page.payments, by_page.stated_total)
        assert sum(sale.net for sale in by_file.sales) == sum(sale.net for sale in by_page.sales)
