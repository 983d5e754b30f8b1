"""Ask Shopify which shop this is, and tell its owner what is not granted and what follows from that."""

import msgspec
import pytest

from connectors.faults import BadPayload
from connectors.platforms.shopify import queries
from connectors.platforms.shopify.probe import SCOPES, counted, probe
from connectors.spec import AccountInfo, Request, Response, Send

SHOP = {"name": "Maple & Finch", "myshopifyDomain": "maple.myshopify.com", "currencyCode": "EUR", "ianaTimezone": "Europe/Berlin"}


def shop(*scopes: str, version: str = queries.VERSION, data: object = None) -> Send:
    """Return a shop that granted scopes."""
    told = {"shop": SHOP, "currentAppInstallation": {"accessScopes": [{"handle": scope} for scope in scopes]}} if data is None else data

    def send(request: Request) -> Response:
        return Response(status=200, headers={"x-shopify-api-version": version}, content=msgspec.json.encode({"data": told}))

    return send


def test_a_shop_that_granted_everything_needs_no_note() -> None:
    assert probe(shop(*SCOPES)) == AccountInfo(
        ref="maple.myshopify.com", name="Maple & Finch", currency="EUR", zone="Europe/Berlin", scopes=tuple(sorted(SCOPES))
    )  # fmt: skip


def test_without_all_orders_the_sixty_days_are_said_as_what_they_are() -> None:
    (note,) = probe(shop(*(scope for scope in SCOPES if scope != "read_all_orders"))).notes
    assert note.startswith("Shopify shows this app only the orders of the last 60 days: older ones are not missing by mistake.")


def test_the_right_to_write_is_enough_and_what_is_needed_is_named() -> None:
    granted = ["write_orders", *(scope for scope in SCOPES if scope not in ("read_orders", "read_products"))]
    (note,) = probe(shop(*granted)).notes
    assert note == "This app may not read products, which ProfitPeek needs. Grant it and connect again."


def test_an_interface_that_is_not_the_pinned_one_is_told() -> None:
    (note,) = probe(shop(*SCOPES, version="2027-01")).notes
    assert note.startswith("Shopify answers with version 2027-01 of its interface instead of 2026-10")


@pytest.mark.parametrize("data", [[], {}, {"shop": None}, {"shop": SHOP}, {"shop": {**SHOP, "currencyCode": None}, "currentAppInstallation": {}}])
def test_an_answer_of_another_shape_is_refused(data: object) -> None:
    with pytest.raises(BadPayload):
        probe(shop(data=data))


def test_orders_are_counted_for_progress() -> None:
    assert counted({"data": {"ordersCount": {"count": 1234, "precision": "EXACT"}}}) == 1234
    assert counted({"data": {"ordersCount": {"count": None}}}) == 0
