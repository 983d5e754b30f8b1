"""Shopify's product export, in both of its forms, as costs of products."""

from pathlib import Path

import pytest
from django.core.management import call_command

from connectors.files import kinds as file_kinds
from connectors.files.costs.product_exports import SHOPIFY_PRODUCT_FILES
from connectors.files.kind import Count, Loose
from connectors.models import FileImport
from connectors.platforms.files.faults import FileRefused
from ledger.book.reposting import repost
from ledger.cause import Cause
from ledger.facts import LineFact
from ledger.kinds import CauseKind
from ledger.models import ProposedChange, ShippingRule, Store, Variant, VariantCost
from ledger.rules import proposals
from ledger.rules.rules import change
from profitpeek.jobs.models import Job
from tests.builders import a_store, an_order, day, money, write
from tests.connectors.taking import NOW, look, saved, take, undo
from tests.ledger_text import assert_entries

pytestmark = pytest.mark.django_db

LEGACY = """
    Handle,Title,Vendor,Option1 Name,Option1 Value,Variant SKU,Variant Grams,Variant Price,Image Src,Cost per item,Status
    mug,Mug,Ann,Colour,Blue,MUG-B,300,25.00,https://img.example/1,8.50,active
    mug,,,,Red,MUG-R,300,25.00,,9.00,active
    mug,,,,,,,,https://img.example/2,,
    cup,Cup,Ann,Title,Default Title,,200,12.00,,3.00,active
    jar,Jar,Ann,Title,Default Title,JAR,200,12.00,,,active
    lid,Lid,Ann,Title,Default Title,LID,50,2.00,,0.50,active
"""
NEW = """
    Title,URL handle,Description,Status,SKU,Option1 name,Option1 value,Price,Cost per item,Weight value (grams),Product image URL
    Mug,mug,A mug,Active,MUG-B,Colour,Blue,25.00,8.50,300,https://img.example/1
    ,mug,,,MUG-R,,Red,25.00,9.00,300,
    ,mug,,,,,,,,,https://img.example/2
    Cup,cup,A cup,Active,,Title,Default Title,12.00,3.00,200,
    Jar,jar,A jar,Active,JAR,Title,Default Title,12.00,,200,
    Lid,lid,A lid,Active,LID,Title,Default Title,2.00,0.50,50,
"""


@pytest.fixture
def store() -> Store:
    """Return a store that has sold two mugs, one of them without a name, a jar, and a cup without a SKU."""
    store = a_store(slug="mugs")
    lines = [
        LineFact("1", 1, money("25"), "MUG-B", "MUG-B", ""), LineFact("2", 1, money("25"), "MUG-R", "MUG-R", "A red mug"),
        LineFact("3", 1, money("12"), "Cup", "", "Cup"), LineFact("4", 1, money("12"), "JAR", "JAR", "Jar"),
    ]  # fmt: skip
    write(store, an_order("1001", lines=lines))
    return store


def costs(store: Store) -> list[tuple[str, str, str]]:
    """Return what variants cost by hand: variant, cost and first day."""
    rows = VariantCost.objects.filter(store=store, removed_by=None).select_related("variant").order_by("variant__external_id")
    return [(row.variant.external_id, str(row.goods), str(row.effective_from)) for row in rows]


@pytest.mark.parametrize("text", [LEGACY, NEW], ids=["older form", "newer form"])
def test_costs_per_item_become_a_change_to_be_reviewed(store: Store, tmp_path: Path, text: str) -> None:
    found = take(store, saved(tmp_path, text), SHOPIFY_PRODUCT_FILES)
    assert costs(store) == []
    proposals.apply(ProposedChange.objects.get(), actor="ann", now=NOW)
    assert costs(store) == [("Cup", "3.0000", "2026-04-02"), ("MUG-B", "8.5000", "2026-04-02"), ("MUG-R", "9.0000", "2026-04-02")]
    assert (found.rows, found.new, found.unchanged) == (6, 3, 0)
    assert found.counts == [Count("variants that the store has", 3), Count("rows of further images", 1), Count("variants without a cost", 1)]
    assert (found.loose, found.loose_count) == ([Loose(7, "LID")], 1)
    assert found.warnings == ["1 variants have no cost in Shopify and keep what is set here; enter theirs under Costs."]


def test_costs_may_hold_from_another_day(store: Store, tmp_path: Path) -> None:
    take(store, saved(tmp_path, LEGACY), SHOPIFY_PRODUCT_FILES, effective_from="2026-01-01")
    proposals.apply(ProposedChange.objects.get(), actor="ann", now=NOW)
    assert {first for *_, first in costs(store)} == {"2026-01-01"}


def test_variants_without_a_name_are_named_and_others_keep_theirs(store: Store, tmp_path: Path) -> None:
    found = take(store, saved(tmp_path, LEGACY), SHOPIFY_PRODUCT_FILES)
    assert dict(Variant.objects.values_list("external_id", "title")) == {"MUG-B": "Mug - Blue", "MUG-R": "A red mug", "Cup": "Cup", "JAR": "Jar"}
    assert found.notes == [
        "Costs hold from 2026-04-02.",
        "1 variants without a name in the catalogue are named as the export names them.",
        "4 variants whose weight is not known are given the export's; orders weigh what their variants do.",
    ]


def test_weights_fill_in_and_orders_weigh_what_their_variants_do(store: Store, tmp_path: Path) -> None:
    change(store, add=[ShippingRule(name="letter", position=1, amount="2.00", most_grams=2_000)], actor="ann", now=NOW)
    Variant.objects.filter(sku="MUG-R").update(grams=999)
    found = take(store, saved(tmp_path, NEW), SHOPIFY_PRODUCT_FILES)
    assert dict(Variant.objects.values_list("external_id", "grams")) == {"MUG-B": 300, "MUG-R": 999, "Cup": 200, "JAR": 200}
    assert "3 variants whose weight is not known are given the export's; orders weigh what their variants do." in found.notes
    assert Job.objects.filter(kind="redraft").count() == 1
    repost(store, cause=Cause(CauseKind.RULE, "repost"))
    assert_entries(store, "source amount\n1001 -2.00", only=["fulfilment"], live=True)


def test_the_same_export_again_changes_nothing(store: Store, tmp_path: Path) -> None:
    take(store, saved(tmp_path, LEGACY), SHOPIFY_PRODUCT_FILES)
    proposals.apply(ProposedChange.objects.get(), actor="ann", now=NOW)
    found = take(store, saved(tmp_path, NEW, "again.csv"), SHOPIFY_PRODUCT_FILES)
    assert (found.new, found.unchanged) == (0, 3)
    assert FileImport.objects.order_by("-pk").values_list("state", flat=True)[0] == "unchanged"


def test_a_sku_at_two_costs_is_left_out_and_named(store: Store, tmp_path: Path) -> None:
    found = look(store, saved(tmp_path, LEGACY.replace("MUG-R", "MUG-B")), SHOPIFY_PRODUCT_FILES)
    assert (found.new, found.loose) == (1, [Loose(2, "MUG-B", "", True), Loose(7, "LID")])
    assert found.warnings[1] == (
        "Several variants share a SKU at different costs (“MUG-B”); their costs are not taken. Give them SKUs of their own."
    )  # fmt: skip


def test_a_cost_that_is_none_names_its_row(store: Store, tmp_path: Path) -> None:
    with pytest.raises(FileRefused) as refused:
        look(store, saved(tmp_path, LEGACY.replace("8.50", "eight")), SHOPIFY_PRODUCT_FILES)
    assert [str(fault) for fault in refused.value.faults] == ["line 2, Cost per item: “eight” is no amount; write it as 1234.50"]


def test_undoing_takes_the_costs_back(store: Store, tmp_path: Path) -> None:
    path = saved(tmp_path, LEGACY)
    take(store, path, SHOPIFY_PRODUCT_FILES)
    proposals.apply(ProposedChange.objects.get(), actor="ann", now=NOW)
    undo(store, path, SHOPIFY_PRODUCT_FILES)
    assert costs(store) == []


def test_the_export_is_told_apart_from_a_list_of_costs(store: Store, tmp_path: Path) -> None:
    for text in (LEGACY, NEW):
        assert file_kinds.recognise(store, saved(tmp_path, text)).candidates[0].kind is SHOPIFY_PRODUCT_FILES


def test_the_command_sets_the_costs_at_once(store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("import_file", "mugs", str(saved(tmp_path, LEGACY)), "--kind", "shopify-products", "--effective-from", "2026-01-01")
    assert "3 new costs of variants" in capsys.readouterr().out
    assert [variant for variant, *_ in costs(store)] == ["Cup", "MUG-B", "MUG-R"]
    assert VariantCost.objects.filter(effective_from=day("2026-01-01")).count() == 3
