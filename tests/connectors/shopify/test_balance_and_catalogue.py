"""Map Shopify Payments' balance and payouts, the catalogue and what was deleted."""

from typing import Any

import pytest

from connectors.faults import BadPayload
from connectors.platforms.shopify.balance_types import MEANINGS
from connectors.platforms.shopify.connector import BALANCE, SHOPIFY
from connectors.platforms.shopify.mapping.balance import balance_facts, dispute_facts, payout_facts
from connectors.platforms.shopify.mapping.catalogue import gone_facts, stock_facts, variant_facts
from connectors.spec import Request
from ledger.facts import BalanceFact, DisputeFact, GoneFact, PayoutFact, VariantFact
from ledger.kinds import BalanceMeaning
from tests.connectors.shopify.records import CONTEXT, LATER, NOW
from tests.sandbox.test_shopify_schema import needs_shopifys_own, shopifys_own


def money(amount: str, currency: str = "EUR") -> dict[str, str]:
    return {"amount": amount, "currencyCode": currency}


def a_row(**told: Any) -> dict[str, Any]:
    return {
        "id": "gid://shopify/ShopifyPaymentsBalanceTransaction/11", "type": "CHARGE", "test": False, "transactionDate": LATER,
        "amount": money("100.0"), "fee": money("1.75"), "sourceOrderTransactionId": "9001", "adjustmentReason": None, "associatedOrder": {"id": "gid://shopify/Order/5001"},
        "associatedPayout": {"id": None}, **told,
    }  # fmt: skip


def test_a_row_of_the_balance_names_its_order_and_payment_by_their_numbers() -> None:
    (fact,) = balance_facts(a_row(), CONTEXT)
    assert fact == BalanceFact(
        "shopify_payments", "11", NOW.replace(month=11, day=5, hour=10), "CHARGE", BalanceMeaning.CHARGE, 100_0000, 1_7500, "EUR", "5001", "9001"
    )  # fmt: skip


def test_a_type_that_is_new_is_kept_in_its_own_words() -> None:
    (fact,) = balance_facts(a_row(type="MOON_DUST", sourceOrderTransactionId=None, associatedOrder=None), CONTEXT)
    assert (fact.type, fact.meaning, fact.order, fact.payment) == ("MOON_DUST", BalanceMeaning.UNKNOWN, "", "")


def test_what_was_only_tried_out_is_left_out() -> None:
    assert list(balance_facts(a_row(test=True), CONTEXT)) == []


@needs_shopifys_own
def test_every_type_that_shopify_documents_has_a_meaning() -> None:
    documented = set(shopifys_own().type_map["ShopifyPaymentsTransactionType"].values)  # type: ignore[attr-defined]
    assert len(documented) == 113
    assert documented - MEANINGS.keys() == set()
    assert MEANINGS.keys() - documented == {"CURRENCY_CONVERSION"}


def test_a_shop_without_shopify_payments_has_no_rows_and_no_next_page() -> None:
    answer = {"data": {"shopifyPaymentsAccount": None}}
    assert list(BALANCE.items(answer)) == []
    assert BALANCE.pages.next(Request(path=""), answer) is None


def test_a_row_of_a_dispute_names_it() -> None:
    told = [a_row(sourceId="5", sourceType=kind) for kind in ("DISPUTE", "CHARGE")]
    assert [fact.dispute for row in told for fact in balance_facts(row, CONTEXT)] == ["5", ""]


def test_a_payout_is_what_reached_the_bank() -> None:
    record = {"id": "gid://shopify/ShopifyPaymentsPayout/77", "issuedAt": LATER, "status": "PAID", "net": money("98.25")}
    (fact,) = payout_facts(record, CONTEXT)
    assert fact == PayoutFact("shopify_payments", "77", NOW.replace(day=5, hour=10), "PAID", 98_2500, "EUR")


def test_money_taken_from_the_bank_is_negative_and_a_payout_says_what_it_is_made_of() -> None:
    summary = {"chargesGross": money("10.0"), "chargesFee": money("0.30"), "refundsFeeGross": money("-20.0"), "adjustmentsFee": money("0.20")}
    record = {"id": "gid://shopify/ShopifyPaymentsPayout/78", "issuedAt": LATER, "status": "PAID", "transactionType": "WITHDRAWAL",
              "net": money("10.5"), "summary": summary}  # fmt: skip
    (fact,) = payout_facts(record, CONTEXT)
    assert (fact.amount, fact.summary) == (-10_5000, (("charges", 10_0000), ("refunds", -20_0000), ("fees", 5000)))


def test_a_dispute_wants_an_answer_while_its_bank_waits_for_one() -> None:
    record = {
        "id": "gid://shopify/ShopifyPaymentsDispute/5", "initiatedAt": LATER, "status": "NEEDS_RESPONSE", "evidenceDueBy": LATER,
        "type": "CHARGEBACK", "reasonDetails": {"reason": "FRAUDULENT"}, "amount": money("100.0"), "order": {"name": "#1001"},
    }  # fmt: skip
    (fact,) = dispute_facts(record, CONTEXT)
    at = NOW.replace(day=5, hour=10)
    assert fact == DisputeFact(
        "shopify_payments", "5", True, 100_0000, "EUR", "#1001", at, "NEEDS_RESPONSE", "CHARGEBACK", "FRAUDULENT", at
    )  # fmt: skip
    assert [each.wants_answer for each in dispute_facts({**record, "status": "LOST", "order": None}, CONTEXT)] == [False]


def a_variant(**told: Any) -> dict[str, Any]:
    return {
        "id": "gid://shopify/ProductVariant/71", "title": "Blue", "sku": " MUG-1 ", "price": "12.00", "compareAtPrice": None, "updatedAt": LATER,
        "product": {"id": "gid://shopify/Product/81", "title": "Mug"},
        "inventoryItem": {"id": "gid://shopify/InventoryItem/91", "unitCost": money("4.5")}, **told,
    }  # fmt: skip


def test_a_variant_tells_its_price_and_what_a_unit_costs() -> None:
    (fact,) = variant_facts(a_variant(), CONTEXT)
    assert fact == VariantFact("shopify", "71", "MUG-1", "Blue", "81", "Mug", 12_0000, None, "EUR", 4_5000, "EUR", None)


def test_a_cost_that_is_not_told_is_unknown_not_nothing() -> None:
    (fact,) = variant_facts(a_variant(inventoryItem={"id": "x", "unitCost": None}, title="Default Title", sku=None), CONTEXT)
    assert (fact.unit_cost, fact.title, fact.sku) == (None, "", "")
    (free,) = variant_facts(a_variant(inventoryItem={"id": "x", "unitCost": money("0.0")}), CONTEXT)
    assert free.unit_cost == 0


def test_a_cost_below_nothing_is_refused() -> None:
    with pytest.raises(BadPayload, match="less than nothing"):
        list(variant_facts(a_variant(inventoryItem={"id": "x", "unitCost": money("-1.0")}), CONTEXT))


def test_stock_is_what_is_on_hand_at_all_places() -> None:
    levels = [{"quantities": [{"name": "on_hand", "quantity": units}]} for units in (3, 4)]
    record = {
        "id": "gid://shopify/InventoryItem/91", "tracked": True, "unitCost": money("4.5"), "variants": {"nodes": [{"id": "gid://shopify/ProductVariant/71"}]},
        "inventoryLevels": {"nodes": levels, "pageInfo": {"hasNextPage": False}},
    }  # fmt: skip
    assert list(stock_facts(record, CONTEXT)) == [VariantFact("shopify", "71", unit_cost=4_5000, cost_currency="EUR", stock=7)]
    assert [fact.stock for fact in stock_facts({**record, "tracked": False}, CONTEXT)] == [None]
    more = {"nodes": levels, "pageInfo": {"hasNextPage": True}}
    assert [fact.stock for fact in stock_facts({**record, "inventoryLevels": more}, CONTEXT)] == [None]


def test_deletions_of_products_and_variants_are_told_and_others_are_not() -> None:
    event = {
        "id": "gid://shopify/BasicEvent/1",
        "action": "destroy",
        "createdAt": LATER,
        "subjectId": "gid://shopify/Product/81",
        "subjectType": "PRODUCT",
    }
    at = NOW.replace(day=5, hour=10)
    assert list(gone_facts(event, CONTEXT)) == [GoneFact("shopify", "81", at, True)]
    assert [fact.is_product for fact in gone_facts({**event, "subjectType": "PRODUCT_VARIANT"}, CONTEXT)] == [False]
    assert list(gone_facts({**event, "subjectType": "COLLECTION"}, CONTEXT)) == []
    assert list(gone_facts({**event, "action": "create"}, CONTEXT)) == []


def test_each_stream_names_scopes_that_are_asked_for() -> None:
    assert {scope for stream in SHOPIFY.streams for scope in stream.scopes} <= set(SHOPIFY.scopes)
    assert len({stream.name for stream in SHOPIFY.streams}) == len(SHOPIFY.streams)
