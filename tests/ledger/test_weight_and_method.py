"""Shipping rules by weight and method, and the codes an order keeps."""

import pytest

from ledger.models import Order, ShippingRule
from ledger.rules.rules import change
from tests.builders import a_store, an_order, at, write
from tests.ledger_text import assert_entries

pytestmark = pytest.mark.django_db
NOW = at("2026-04-01 09:00")
LABELS = ("fulfilment:shipping",)


def a_rule(name: str, position: int, amount: str, **more: object) -> ShippingRule:
    """Make a shipping rule."""
    return ShippingRule(name=name, position=position, amount=amount, **more)


def test_bands_of_weight_hold_their_bounds_and_meet_without_a_gap():
    store = a_store()
    change(
        store, add=[
            a_rule("letter", 1, "2.00", most_grams=500), a_rule("parcel", 2, "5.00", least_grams=501, most_grams=2_000),
            a_rule("heavy", 3, "9.00", least_grams=2_001),
        ], actor="ann", now=NOW,
    )  # fmt: skip
    write(store, *(an_order(str(grams), grams=grams) for grams in (0, 500, 501, 2_000, 2_001)))
    assert_entries(
        store,
        """
        source amount
        0      -2.00
        500    -2.00
        501    -5.00
        2000   -5.00
        2001   -9.00
        """,
        only=LABELS,
    )


def test_an_unknown_weight_fits_no_rule_about_weight():
    store = a_store()
    change(store, add=[a_rule("letter", 1, "2.00", most_grams=500), a_rule("any", 2, "4.00")], actor="ann", now=NOW)
    write(store, an_order("1"), an_order("2", grams=100))
    assert_entries(store, "source amount\n 1 -4.00\n 2 -2.00", only=LABELS)


def test_a_rule_about_a_method_fits_every_method_with_its_words():
    store = a_store()
    change(store, add=[a_rule("fast", 1, "12.00", method="Express"), a_rule("any", 2, "4.00")], actor="ann", now=NOW)
    write(store, an_order("1", method="DHL EXPRESS worldwide"), an_order("2", method="Standard"), an_order("3"))
    assert_entries(store, "source amount\n 1 -12.00\n 2 -4.00\n 3 -4.00", only=LABELS)


def test_weight_method_and_country_must_all_fit():
    store = a_store()
    change(store, add=[a_rule("fast", 1, "12.00", method="express", most_grams=500, countries="FR"), a_rule("any", 2, "4.00")], actor="ann", now=NOW)
    write(
        store, an_order("1", method="express", grams=500, country="FR"), an_order("2", method="express", grams=501, country="FR"),
        an_order("3", method="express", grams=500), an_order("4", grams=500, country="FR"),
    )  # fmt: skip
    assert_entries(store, "source amount\n 1 -12.00\n 2 -4.00\n 3 -4.00\n 4 -4.00", only=LABELS)


def test_codes_are_kept_once_in_capitals():
    store = a_store()
    write(store, an_order(codes=["ann10", " ANN10 ", "Spring", ""], method="Express", grams=250))
    order = Order.objects.get(store=store)
    assert (order.discount_codes, order.shipping_method, order.grams) == (["ANN10", "SPRING"], "Express", 250)
