"""Hold what we ask Shopify to its schema, its prices and what may be known of people."""

import re

import pytest

from connectors.platforms.shopify import queries
from connectors.platforms.shopify.again import ITEMS_AT_ONCE, ORDERS_AT_ONCE, VARIANTS_AT_ONCE
from connectors.platforms.shopify.connector import ORDERS_A_PAGE
from connectors.sandbox.shopify_schema import pruned_schema, validate
from tests.connectors.shopify.query_cost import query_cost
from tests.sandbox.test_shopify_schema import needs_shopifys_own, queries_of_the_notes, shopifys_own

DOCUMENTS = {
    name: text for name, text in vars(queries).items() if name.isupper() and isinstance(text, str) and re.match(r"\s*(query|mutation) ", text)
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_document_is_valid_in_the_sandbox(name: str) -> None:
    assert validate(DOCUMENTS[name]) == []


@needs_shopifys_own
@pytest.mark.parametrize("name", DOCUMENTS)
def test_document_is_valid_at_shopify(name: str) -> None:
    assert validate(DOCUMENTS[name], shopifys_own()) == []


RUN_BY_THEMSELVES = [name for name, text in DOCUMENTS.items() if text.lstrip().startswith("query") and queries.FILTER not in text]


@pytest.mark.parametrize("name", [name for name in RUN_BY_THEMSELVES if "$ids" not in DOCUMENTS[name]])
def test_document_costs_what_the_pace_reckons_and_no_more_than_shopify_allows(name: str) -> None:
    text, sized = DOCUMENTS[name], "$first" in DOCUMENTS[name]
    sizes = [1, 10, ORDERS_A_PAGE, 250 if queries.COSTS[text].records < 90 else ORDERS_A_PAGE] if sized else [None]
    reckoned = [queries.points(text, size) for size in sizes]
    assert reckoned == [query_cost(text, pruned_schema(), first=size or 1) for size in sizes]
    assert max(reckoned) <= queries.MOST_POINTS


AT_ONCE = {"ORDERS_AGAIN": ORDERS_AT_ONCE, "VARIANTS_AGAIN": VARIANTS_AT_ONCE, "INVENTORY_AGAIN": ITEMS_AT_ONCE, "ORDERS_OF_RETURNS": 50}


@pytest.mark.parametrize("name", [name for name in RUN_BY_THEMSELVES if "$ids" in DOCUMENTS[name]])
def test_records_asked_for_by_id_stay_below_what_shopify_allows_though_each_counts(name: str) -> None:
    text = DOCUMENTS[name]
    assert query_cost(text, pruned_schema()) * AT_ONCE[name] <= queries.points(text, None) == queries.MOST_POINTS


@needs_shopifys_own
def test_the_reckoning_fits_prices_that_shopify_told() -> None:
    asked = {re.match(r"\s*query (\w+)", text)[1]: text for text in queries_of_the_notes()}  # type: ignore[index]
    prices = {
        name: query_cost(asked[name], shopifys_own(), first=250) for name in ("PPBalance", "PPPayouts", "PPVariants", "PPCustomers", "PPInventory")
    }
    assert prices == {"PPBalance": 47, "PPPayouts": 48, "PPVariants": 35, "PPCustomers": 24, "PPInventory": 244}


def test_no_document_asks_for_what_names_a_person_or_for_money_of_the_customers_currency() -> None:
    told = re.compile(r"\b(email|phone|firstName|lastName|address1|address2|zip|note|clientIp|staffMember|user|presentmentMoney)\b")
    assert {name: told.findall(text) for name, text in DOCUMENTS.items() if told.findall(text)} == {}
