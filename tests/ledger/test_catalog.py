"""Record what a platform's catalogue tells of products and variants."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from ledger.catalogue import catalog
from ledger.facts import GoneFact, LineFact, VariantFact
from ledger.kinds import CostOrigin
from ledger.models import CogsRule, CostChange, Order, OrderLine, Product, Store, Variant, VariantCost, VariantPrice
from ledger.rules.rules import change
from tests.builders import a_store, an_order, write
from tests.dashboards.people import a_person, browser_of

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


def a_variant(key: str = "71", **told: object) -> VariantFact:
    known = {"sku": "MUG-1", "title": "Blue", "product": "81", "product_title": "Mug", "price": 12_0000, "compare_at": None, "currency": "EUR"}
    return VariantFact(platform="shopify", external_id=key, **{**known, **told})  # type: ignore[arg-type]


def sell(store: Store, number: str, named: str, sku: str = "MUG-1") -> None:
    """Record an order of one unit whose line names its variant."""
    line = LineFact("1", 1, 12_0000, named, sku, "Mug")
    write(store, replace(an_order(number), platform="shopify", external_id=number, lines=(line,)))


def tell(store: Store, *facts: VariantFact, days: int = 0) -> catalog.Catalogued:
    return catalog.record_variants(store, facts, now=NOW + timedelta(days=days))


def costs_of(store: Store) -> list[tuple[date | None, Decimal]]:
    return list(VariantCost.objects.filter(store=store, removed_by=None).order_by("effective_from").values_list("effective_from", "goods"))


def test_a_variant_is_told_with_its_product_price_stock_and_cost() -> None:
    store = a_store()
    told = tell(store, a_variant(unit_cost=4_5000, cost_currency="EUR", stock=7))
    assert told == (1, 0, 1)
    variant = Variant.objects.get()
    assert (variant.external_id, variant.sku, variant.title, variant.stock, variant.product.external_id, variant.product.title) == (
        "71", "MUG-1", "Blue", 7, "81", "Mug"
    )  # fmt: skip
    (price,) = VariantPrice.objects.all()
    assert (price.variant, price.seen_from, price.price, price.currency) == (variant, date(2026, 3, 10), Decimal(12), "EUR")
    (cost,) = VariantCost.objects.all()
    assert (cost.origin, cost.goods, cost.currency, cost.effective_from) == (CostOrigin.PLATFORM, Decimal("4.5"), "EUR", date(2026, 3, 10))


def test_the_same_again_writes_nothing() -> None:
    store = a_store()
    tell(store, a_variant(unit_cost=4_5000, cost_currency="EUR", stock=7))
    assert tell(store, a_variant(unit_cost=4_5000, cost_currency="EUR", stock=7), days=1) == (0, 1, 0)
    assert (CostChange.objects.count(), VariantPrice.objects.count()) == (1, 1)


def test_a_cost_that_changes_is_dated_and_the_former_one_stands_before() -> None:
    store = a_store()
    tell(store, a_variant(unit_cost=4_0000, cost_currency="EUR"))
    tell(store, a_variant(unit_cost=5_0000, cost_currency="EUR"), days=20)
    assert costs_of(store) == [(date(2026, 3, 10), Decimal(4)), (date(2026, 3, 30), Decimal(5))]


def test_a_cost_that_is_not_told_leaves_the_one_that_was() -> None:
    store = a_store()
    tell(store, a_variant(unit_cost=4_0000, cost_currency="EUR"))
    tell(store, a_variant(unit_cost=None), days=20)
    assert costs_of(store) == [(date(2026, 3, 10), Decimal(4))]


def test_prices_have_a_history_of_days() -> None:
    store = a_store()
    tell(store, a_variant())
    tell(store, a_variant(price=11_0000, compare_at=12_0000), days=1)
    tell(store, a_variant(price=10_0000, compare_at=12_0000), days=1)
    assert list(VariantPrice.objects.order_by("seen_from").values_list("seen_from", "price", "compare_at")) == [
        (date(2026, 3, 10), Decimal(12), None), (date(2026, 3, 11), Decimal(10), Decimal(12))
    ]  # fmt: skip


def test_what_only_one_of_two_records_tells_is_kept() -> None:
    store = a_store()
    tell(store, a_variant(), VariantFact(platform="shopify", external_id="71", stock=3, unit_cost=2_0000, cost_currency="EUR"))
    variant = Variant.objects.get()
    assert (variant.sku, variant.title, variant.stock, variant.product.title) == ("MUG-1", "Blue", 3, "Mug")
    assert costs_of(store) == [(date(2026, 3, 10), Decimal(2))]


def test_a_variant_that_a_file_named_by_its_sku_becomes_the_platforms() -> None:
    store = a_store()
    sell(store, "1", "MUG-1")
    by_file = Variant.objects.get()
    assert by_file.external_id == "MUG-1"
    cost = VariantCost(variant=by_file, goods=Decimal(3), currency="EUR", effective_from=date(2026, 1, 1))
    share = CogsRule(product=by_file.product, percentage=Decimal(30))
    change(store, add=[cost, share], actor="ann", now=NOW)
    tell(store, a_variant())
    variant = Variant.objects.get()
    assert (variant.pk, variant.external_id, variant.product_id) == (by_file.pk, "71", by_file.product_id)
    assert (variant.product.external_id, Product.objects.count()) == ("81", 1)
    sell(store, "2", "MUG-1")
    assert (Variant.objects.count(), OrderLine.objects.filter(variant=variant).count()) == (1, 2)


def test_two_variants_of_one_product_share_it() -> None:
    store = a_store()
    tell(store, a_variant(), a_variant("72", sku="MUG-2", title="Red"))
    assert Product.objects.count() == 1
    assert {variant.product_id for variant in Variant.objects.all()} == {Product.objects.get().pk}


def test_two_variants_of_one_sku_stay_two() -> None:
    store = a_store()
    tell(store, a_variant(), a_variant("72"))
    assert sorted(Variant.objects.values_list("external_id", "sku")) == [("71", "MUG-1"), ("72", "MUG-1")]


def test_a_product_that_is_deleted_stays_with_its_costs_and_is_marked() -> None:
    store = a_store()
    tell(store, a_variant(unit_cost=4_0000, cost_currency="EUR"))
    gone = GoneFact("shopify", "81", NOW)
    assert (catalog.record_gone(store, [gone]), catalog.record_gone(store, [gone])) == (1, 0)
    assert (Variant.objects.get().gone_at, Product.objects.get().gone_at) == (NOW, NOW)
    assert costs_of(store) == [(date(2026, 3, 10), Decimal(4))]
    tell(store, a_variant(), days=1)
    assert (Variant.objects.get().gone_at, Product.objects.get().gone_at) == (None, None)


def test_a_cost_from_the_platform_reaches_orders_from_its_day_and_is_estimated_before() -> None:
    store = a_store()
    sell(store, "1", "71")
    tell(store, a_variant(unit_cost=4_0000, cost_currency="EUR"))
    assert Order.objects.count() == 1
    assert list(OrderLine.objects.values_list("variant__external_id", flat=True)) == ["71"]


def test_the_admin_shows_what_a_variant_was_listed_at_and_how_many_there_are() -> None:
    store = a_store()
    tell(store, a_variant(stock=7))
    tell(store, a_variant(price=11_5000, stock=6), days=1)
    client = browser_of(a_person(email="root@example.com", superuser=True))
    text = client.get(f"/admin/ledger/variant/{Variant.objects.get().pk}/change/").content.decode()
    assert "11.5 EUR from 11 Mar 2026<br>12 EUR from 10 Mar 2026" in text
    assert client.get("/admin/ledger/variant/").status_code == 200
