"""How a customer came is told in known words alone: nothing that an address holds names anybody, in facts and in what is kept."""

from typing import Any

import pytest
from msgspec.structs import replace

from connectors.platforms.shopify.addresses import cut_address, host_of, parameters, path_of
from connectors.platforms.shopify.mapping.journey import journey_facts, tidy
from connectors.platforms.shopify.mapping.orders import order_facts
from ledger.facts import JourneyFact, TouchFact
from ledger.kinds import Evidence, Journey, TouchKind
from tests.connectors.shopify.records import CONTEXT, a_line, agreement, an_order, nodes, sold

SHOP = "https://shop.example.com"


def a_visit(number: int = 1, landing: str | None = f"{SHOP}/products/mug", at: str = "2026-11-01T08:00:00Z", **told: Any) -> dict[str, Any]:
    """Return a visit as Shopify tells it."""
    return {
        "id": f"gid://shopify/CustomerVisit/{number}", "occurredAt": at, "landingPage": landing, "referrerUrl": None, "source": "direct",
        "utmParameters": None, **told,
    }  # fmt: skip


def utm(*words: str | None) -> dict[str, str | None]:
    return dict(zip(("source", "medium", "campaign", "term", "content"), (*words, *[None] * 5), strict=False))


def a_journey(first: dict[str, Any] | None, last: dict[str, Any] | None, *moments: dict[str, Any], ready: bool = True) -> dict[str, Any]:
    """Return an order's record that tells nothing but how its customer came."""
    summary = {"ready": ready, "firstVisit": first, "lastVisit": last, "moments": nodes(*moments)}
    return {"id": "gid://shopify/Order/5001", "createdAt": "2026-11-02T09:00:00Z", "customerJourneySummary": summary}


def the_touch(visit: dict[str, Any]) -> TouchFact:
    (fact,) = journey_facts(a_journey(visit, visit), CONTEXT)
    (touch,) = fact.touches
    return touch


@pytest.mark.parametrize(
    ("visit", "evidence", "source", "click_ids", "referrer"),
    [
        (a_visit(), Evidence.NONE, "direct", (), ""),
        (a_visit(utmParameters=utm("meta", "paid")), Evidence.UTM, "meta", (), ""),
        (a_visit(landing=f"{SHOP}/?utm_source=sms&utm_medium=text"), Evidence.UTM, "sms", (), ""),
        (a_visit(landing=f"{SHOP}/?utm_source=a+b%26c&gclid=g1", utmParameters=utm(None, "cpc")), Evidence.UTM, "a b&c", ("gclid=g1",), ""),
        (a_visit(landing=f"{SHOP}/?GCLID=g1&fbclid=f1"), Evidence.CLICK_ID, "facebook", ("fbclid=f1", "gclid=g1"), ""),
        (a_visit(landing=f"{SHOP}/?_kx=who.abc"), Evidence.CLICK_ID, "klaviyo", ("_kx=",), ""),
        (a_visit(referrerUrl="https://www.google.com/search?q=jo", source="Google"), Evidence.REFERRER, "Google", (), "google.com"),
        (a_visit(referrerUrl="android-app://com.mail", source="unknown"), Evidence.REFERRER, "com.mail", (), "com.mail"),
        (a_visit(referrerUrl=f"{SHOP}/account/login"), Evidence.NONE, "direct", (), ""),
        (a_visit(source="Email"), Evidence.PLATFORM, "Email", (), ""),
        (a_visit(source="an unknown source", landing=None), Evidence.NONE, "an unknown source", (), ""),
        (a_visit(utmParameters=utm("jo@example.com", "x")), Evidence.UTM, "direct", (), ""),
    ],
)  # fmt: skip
def test_the_links_own_words_weigh_more_than_a_click_id_and_that_more_than_where_it_was(
    visit: dict[str, Any], evidence: Evidence, source: str, click_ids: tuple[str, ...], referrer: str
) -> None:
    touch = the_touch(visit)
    assert (touch.kind, touch.evidence, touch.source, touch.click_ids, touch.referrer) == (
        TouchKind.ONLY_VISIT, evidence, source, click_ids, referrer,
    )  # fmt: skip


ADDRESSES = [
    (f"{SHOP}/products/mug?utm_source=a&email=jo%40example.com&gclid=x#jo", f"{SHOP}/products/mug?utm_source=a&gclid=x"),
    (f"{SHOP}/?utm_content=jo@example.com&utm_term=a%2540b&utm_id=7", f"{SHOP}/?utm_id=7"),
    (f"{SHOP}/?utm_campaign=50%25+off%26more&utm_term=50%", f"{SHOP}/?utm_campaign=50%25+off%26more&utm_term=50%25"),
    (f"{SHOP}/5550001/orders/abcdef0123/authenticate?key=s3cret", f"{SHOP}/5550001/…"),
    (f"{SHOP}/account/activate/7/abc", f"{SHOP}/account/…"),
    (f"{SHOP}/de-ch/pages/jo@example.com", f"{SHOP}/de-ch/pages/…"),
    (f"{SHOP}/de/checkouts/cn/abc", f"{SHOP}/de/checkouts/…"),
    ("https://jo:word@shop.example.com/collections/a", f"{SHOP}/collections/a"),
    ("jo@example.com", "/"),
    ("", "/"),
    ("/products/mug?fbclid=1", "/products/mug?fbclid=1"),
    (f"{SHOP}?_kx=jo.key", f"{SHOP}/?_kx="),
]


@pytest.mark.parametrize(("address", "kept"), ADDRESSES)
def test_of_an_address_only_what_is_known_and_names_nobody_is_kept(address: str, kept: str) -> None:
    assert cut_address(address) == kept
    assert cut_address(kept) == kept
    assert (list(parameters(kept)), path_of(kept), host_of(kept)) == (list(parameters(address)), path_of(address), host_of(address))


def test_every_visit_is_told_once_in_the_order_of_time() -> None:
    first, between, last = a_visit(1), a_visit(2, at="2026-11-01T09:00:00Z"), a_visit(3, at="2026-11-01T09:00:00Z")
    (fact,) = journey_facts(a_journey(first, last, last, between, first), CONTEXT)
    assert (fact.platform, fact.order, fact.journey) == ("shopify", "5001", Journey.WHOLE)
    assert [touch.kind for touch in fact.touches] == [TouchKind.FIRST_VISIT, TouchKind.MOMENT, TouchKind.LAST_VISIT]


def test_what_is_not_ready_is_asked_again_and_told_as_that_meanwhile() -> None:
    assert list(journey_facts(a_journey(None, None, ready=False), CONTEXT)) == []
    assert list(journey_facts({"id": "gid://shopify/Order/5001", "customerJourneySummary": None}, CONTEXT)) == []
    assert list(journey_facts(a_journey(None, None), CONTEXT)) == [JourneyFact("shopify", "5001", Journey.WHOLE)]
    record = an_order(agreement(sold("100.0")))
    untold, waiting, told = (
        next(iter(order_facts({**record, "customerJourneySummary": summary}, CONTEXT)))
        for summary in (None, {"ready": False}, {"ready": True, "firstVisit": a_visit(), "lastVisit": a_visit()})
    )
    assert [fact.journey for fact in (untold, waiting, told)] == [Journey.NOT_TOLD, Journey.NOT_READY, Journey.ENDS]
    assert replace(told, journey=Journey.NOT_TOLD, touches=()) == untold


def test_what_is_kept_of_a_record_names_nobody_and_maps_to_the_same() -> None:
    visit = a_visit(
        landing=f"{SHOP}/products/mug?utm_source=a&email=jo%40example.com&_kx=jo", referrerUrl="https://mail.example.com/?to=jo%40example.com",
        source="jo@example.com", utmParameters=utm("a", "mail", None, None, "jo@example.com"),
    )  # fmt: skip
    record = {**a_journey(visit, visit, visit), "lineItems": nodes(a_line())}
    kept = tidy(record)
    assert "jo" not in str(kept)
    assert kept["lineItems"] is record["lineItems"]
    assert list(journey_facts(kept, CONTEXT)) == list(journey_facts(record, CONTEXT))
    assert tidy(kept) == kept
    for odd in ({}, {"customerJourneySummary": 7}, {"customerJourneySummary": ["jo@example.com", None]}):
        assert "@" not in str(tidy(odd))
