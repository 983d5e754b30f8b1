"""Bundles and costs of single order lines in the admin."""

from decimal import Decimal

import pytest
from django.test import Client

from ledger.models import BundlePart, CostOverride, OrderLine, ProposedChange, Store, Variant, VariantCost
from ledger.rules import rules
from tests.builders import a_store, an_order, at, write
from tests.dashboards.people import text_of
from tests.ledger.reviewing import save

pytestmark = pytest.mark.django_db

OVERRIDE = {"unit_cost": "1.50", "currency": "eur", "reason": "a sample", "about": ""}


@pytest.fixture
def store() -> Store:
    """Open a store with an order of two lines and one of one."""
    store = a_store(slug="shop")
    write(store, an_order("1", lines=2), an_order("2"))
    return store


def test_a_part_is_put_into_a_bundle(store: Store, editor: Client) -> None:
    bundle, part = (Variant.objects.get(sku=sku) for sku in ("SKU-1", "SKU-2"))
    form = {"store": store.pk, "bundle": bundle.pk, "component": part.pk, "quantity": "2", "effective_from": "", "effective_to": "", "reason": ""}
    save(editor, editor.post("/admin/ledger/bundlepart/add/", form))
    assert [str(rule) for rule in BundlePart.objects.all()] == ["2 × Thing 2 in Thing 1"]


def test_a_bundle_s_page_tells_its_parts_and_what_they_cost_together(store: Store, editor: Client) -> None:
    bundle, part = (Variant.objects.get(sku=sku) for sku in ("SKU-1", "SKU-2"))
    added = [BundlePart(bundle=bundle, component=part, quantity=2), VariantCost(variant=part, goods=Decimal("1.5"), currency="EUR")]
    rules.write(store, add=added, actor="x", now=at("2026-03-03 12:00"))
    told = text_of(editor.get(f"/admin/ledger/bundlepart/{added[0].pk}/change/"))
    assert "2 × Thing 2, each 1.50 EUR: product cost entered by hand" in told
    assert "One Thing 1 costs 3.00 EUR: cost of the bundle&#x27;s parts" in told


def test_parts_are_of_one_s_own_store(store: Store, editor: Client) -> None:
    other = a_store(slug="other")
    write(other, an_order("1"))
    foreign, own = Variant.objects.get(store=other), Variant.objects.get(sku="SKU-2")
    for bundle, part in ((foreign, own), (own, foreign)):
        form = {"store": store.pk, "bundle": bundle.pk, "component": part.pk, "quantity": "1"}
        assert editor.post("/admin/ledger/bundlepart/add/", form).status_code == 200
    assert ProposedChange.objects.count() == 0


def test_a_line_is_named_by_its_order_and_sku(store: Store, editor: Client) -> None:
    told = text_of(editor.post("/admin/ledger/costoverride/add/", {**OVERRIDE, "store": store.pk, "order": "1"}))
    assert "Name one of the order&#x27;s lines: SKU-1 Thing 1; SKU-2 Thing 2." in told
    save(editor, editor.post("/admin/ledger/costoverride/add/", {**OVERRIDE, "store": store.pk, "order": "#1", "about": "sku-2"}))
    rule = CostOverride.objects.get()
    line = OrderLine.objects.get(order_id=rule.order_id, external_id=rule.line)
    assert (str(rule), line.sku, rule.added_by.reason) == ("1.5 EUR for #1: Thing 2", "SKU-2", "a sample")
    page = text_of(editor.get(f"/admin/ledger/costoverride/{rule.pk}/change/"))
    assert "#1: Thing 2" in page


def test_the_only_line_of_an_order_need_not_be_named(store: Store, editor: Client) -> None:
    answer = editor.post("/admin/ledger/costoverride/add/", {**OVERRIDE, "store": store.pk, "order": "2"})
    again = editor.get(f"/admin/ledger/costoverride/add/?proposed={ProposedChange.objects.get().pk}").context["adminform"].form
    assert (again["order"].initial, again["about"].initial) == ("#2", "1")
    save(editor, answer)
    assert CostOverride.objects.get().told == "#2: Thing 1"


def test_an_order_of_another_store_is_not_found(store: Store, editor: Client) -> None:
    other = a_store(slug="other")
    write(other, an_order("7"))
    told = text_of(editor.post("/admin/ledger/costoverride/add/", {**OVERRIDE, "store": store.pk, "order": "7"}))
    assert "Shop has no order with the number “7”." in told
    assert editor.post("/admin/ledger/costoverride/add/", {**OVERRIDE, "store": other.pk, "order": "7"}).status_code == 200
    assert ProposedChange.objects.count() == 0


def test_a_new_cost_of_the_same_line_begins_with_its_order_and_line(store: Store, editor: Client) -> None:
    save(editor, editor.post("/admin/ledger/costoverride/add/", {**OVERRIDE, "store": store.pk, "order": "2"}))
    form = editor.get(f"/admin/ledger/costoverride/add/?changes={CostOverride.objects.get().pk}").context["adminform"].form
    assert (form["order"].initial, form["about"].initial, form["store"].initial) == ("#2", "1", store.pk)
