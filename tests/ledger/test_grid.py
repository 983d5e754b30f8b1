"""The grid of costs by SKU: worst gap first, typed or pasted, an empty cell no zero, and nothing saved before it is looked at."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from ledger.admin.grid_rows import PARTS, gaps
from ledger.models import BundlePart, CogsRule, ProposedChange, Store, Variant, VariantCost
from ledger.models.rules import Rule
from ledger.rules import rules
from ledger.stores import today_of
from tests.builders import a_line, a_store, an_order, at, write
from tests.dashboards.people import a_person, browser_of, text_of
from tests.ledger.reviewing import save

pytestmark = pytest.mark.django_db

GRID = "/admin/ledger/variantcost/grid/"
NOW = at("2026-03-03 12:00")
TODAY = NOW.date()


@pytest.fixture
def store() -> Store:
    """Open a store that has sold a, twice as much b, and c for nothing."""
    store = a_store(slug="shop")
    lines = [a_line("a", price="10.00"), a_line("b", price="10.00", quantity=2), a_line("c", price="0")]
    write(store, an_order("1", lines=lines, when="2026-03-01 12:00"), an_order("2", lines=[a_line("old")], when="2025-11-01 12:00"))
    return store


def variant(sku: str) -> Variant:
    """Return what is sold under a SKU."""
    return Variant.objects.get(sku=f"SKU-{sku}")


def cost(sku: str, goods: str, since: str | None = None, currency: str = "EUR", **parts: Any) -> VariantCost:
    """Make the cost of a variant."""
    return VariantCost(variant=variant(sku), goods=Decimal(goods), currency=currency, effective_from=since and at(since).date(), **parts)


def standing(store: Store, *added: Rule) -> None:
    """Let rules hold in a store."""
    rules.write(store, add=added, actor="before", now=NOW)


def listed(store: Store, **asked: Any) -> list[str]:
    """Return the SKUs of a page of the grid on 3 March 2026."""
    return [gap.sku.removeprefix("SKU-") for gap in gaps(store, today=TODAY, **asked)]


def told(store: Store) -> dict[str, tuple[str, str]]:
    """Return what each variant costs on 3 March 2026, and why."""
    return {gap.sku.removeprefix("SKU-"): (gap.cost, gap.why) for gap in gaps(store, today=TODAY, whole=True)}


def sheet(**fields: str) -> dict[str, str]:
    """Fill in the sheet."""
    return {"since": "2026-03-01", "currency": "EUR", "reason": "", "pasted": "", **fields}


def typed(part: str, sku: str) -> str:
    """Return the name of an input."""
    return f"{part}-{variant(sku).pk}"


def wrong(answer: Any) -> list[tuple[str, str]]:
    """Return what is to be mended: where, and the words."""
    return [(each.where, each.message) for each in answer.context["wrong"]]


def proposed() -> list[tuple[str, str, str | None]]:
    """Return what is proposed: SKU, parts and the first day."""
    skus = dict(Variant.objects.values_list("pk", "sku"))
    values = [each["values"] for each in ProposedChange.objects.get().add]
    parts = {each["variant_id"]: " ".join(f"{Decimal(each[part]).normalize():f}" for part in PARTS) for each in values}
    return sorted((skus[each["variant_id"]][4:], parts[each["variant_id"]], each["effective_from"]) for each in values)


# What is shown.


def test_variants_without_a_known_cost_come_first_by_revenue_of_90_days(store: Store) -> None:
    assert listed(store) == ["b", "a", "c", "old"]
    standing(store, cost("b", "3"))
    assert listed(store) == ["a", "c", "old"]
    assert listed(store, whole=True) == ["a", "c", "old", "b"]
    assert [gap.revenue for gap in gaps(store, today=TODAY)] == [Decimal(10), Decimal(0), None]


def test_a_cost_of_tomorrow_is_not_known_today(store: Store) -> None:
    standing(store, cost("b", "3", "2026-03-04 00:00"), cost("a", "3", "2026-03-03 00:00"))
    assert listed(store) == ["b", "c", "old"]
    assert told(store)["b"] == ("3.00 EUR", "first known product cost, from before it was known (estimated)")


def test_a_bundle_is_known_once_all_its_parts_are(store: Store) -> None:
    standing(store, BundlePart(bundle=variant("b"), component=variant("a"), quantity=2), BundlePart(bundle=variant("b"), component=variant("c")))
    standing(store, cost("a", "3"))
    assert listed(store) == ["b", "c", "old"]
    standing(store, cost("c", "1", currency="USD"))
    assert listed(store) == ["old"]
    assert told(store)["b"] == ("6.00 EUR + 1.00 USD", "cost of the bundle's parts")


def test_a_cost_is_told_with_its_reason(store: Store) -> None:
    standing(store, cost("a", "3.2", freight=Decimal("0.3")), CogsRule(product=variant("b").product, percentage=Decimal("33.5")))
    assert told(store) == {
        "a": ("3.50 EUR", "product cost entered by hand"),
        "b": ("3.35 EUR", "product COGS percentage (estimated): 33.5 % of the list price"),
        "c": ("0.00 EUR", "default COGS percentage (estimated): 40 % of the list price"),
        "old": ("40 % of the list price", "default COGS percentage (estimated)"),
    }


def test_the_list_price_is_the_average_of_90_days(store: Store) -> None:
    write(store, an_order("3", lines=[a_line("a", price="13.00", quantity=2)], when="2026-03-02 12:00"))
    assert {gap.sku: gap.price for gap in gaps(store, today=TODAY)} == {
        "SKU-a": Decimal("12.0000"), "SKU-b": Decimal(10), "SKU-c": Decimal(0), "SKU-old": None
    }  # fmt: skip


def test_variants_are_searched_by_sku_and_title_and_paged(store: Store, editor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (listed(store, search="sku-B"), listed(store, search="thing o"), listed(store, search="%"), listed(store, search="_")) == (
        ["b"], ["old"], [], []
    )  # fmt: skip
    assert listed(store, page=2) == []
    product = variant("a").product
    made = [Variant(store=store, product=product, platform="shop", external_id=str(n), sku=f"many-{n:03}") for n in range(150)]
    Variant.objects.bulk_create(made)
    first, second = (editor.get(f"{GRID}?q=many&page={page}") for page in (1, 2))
    assert (len(first.context["rows"]), len(second.context["rows"])) == (100, 50)
    assert (first.context["next"], first.context["previous"]) == (f"?store={store.pk}&show=&q=many&page=2", "")
    assert (second.context["next"], second.context["previous"]) == ("", f"?store={store.pk}&show=&q=many&page=1")


def test_the_page_says_what_holds_and_begins_today(store: Store, editor: Client) -> None:
    standing(store, cost("a", "3.2"))
    page = editor.get(f"{GRID}?show=all").content.decode()
    today = today_of(store, timezone.now())
    assert f'name="since" value="{today}"' in page
    assert f'name="{typed("goods", "a")}" value="" placeholder="3.2 EUR" aria-label="Goods of SKU-a"' in page
    assert 'type="module" src="/static/js/admin-grid.js"' in page


# What is typed.


def test_what_is_typed_is_proposed_then_saved(store: Store, editor: Client) -> None:
    answer = editor.post(GRID, sheet(reason="invoice 7", **{typed("goods", "a"): "3,20", typed("freight", "a"): ".3", typed("goods", "b"): "0"}))
    assert VariantCost.objects.count() == 0
    assert proposed() == [("a", "3.2 0.3 0 0", "2026-03-01"), ("b", "0 0 0 0", "2026-03-01")]
    save(editor, answer)
    assert list(VariantCost.objects.order_by("variant__sku").values_list("goods", "freight", "currency", "added_by__reason", "added_by__actor")) == [
        (Decimal("3.2"), Decimal("0.3"), "EUR", "invoice 7", "ann@example.com"), (0, 0, "EUR", "invoice 7", "ann@example.com")
    ]  # fmt: skip


def test_an_empty_cell_stays_as_it_is_and_is_never_zero(store: Store, editor: Client) -> None:
    standing(store, cost("a", "3", duty=Decimal(1)), cost("b", "7"))
    editor.post(GRID, sheet(**{typed("freight", "a"): "2", typed("goods", "a"): " ", typed("goods", "b"): ""}))
    assert proposed() == [("a", "3 2 1 0", "2026-03-01")]


def test_what_holds_already_is_no_change(store: Store, editor: Client) -> None:
    standing(store, cost("a", "3", "2026-02-01 00:00"))
    answer = editor.post(GRID, sheet(**{typed("goods", "a"): "3.00"}))
    assert "Nothing would change" in text_of(answer)
    assert ProposedChange.objects.count() == 0
    editor.post(GRID, sheet(since="2026-01-01", **{typed("goods", "a"): "3.00"}))
    assert proposed() == [("a", "3 0 0 0", "2026-01-01")]


def test_a_cost_can_hold_always(store: Store, editor: Client) -> None:
    editor.post(GRID, sheet(since="", always="on", **{typed("goods", "a"): "3"}))
    assert proposed() == [("a", "3 0 0 0", None)]


def test_what_is_wrong_is_told_by_row_and_what_was_typed_is_kept(store: Store, editor: Client) -> None:
    standing(store, cost("old", "3", currency="USD", freight=Decimal(1)))
    answer = editor.post(
        GRID,
        sheet(
            **{typed("goods", "a"): "three", typed("freight", "b"): "1", typed("goods", "c"): "-1", typed("goods", "old"): "4"},
            pasted="SKU-x\t3\nSKU-a\t3\t4\t5\t6\tEUX\nSKU-b\nSKU-c\t=1+1\nSKU-c\t1,234",
        ),
    )  # fmt: skip
    assert sorted(wrong(answer)) == [
        (
            "Pasted line 1",
            "Shop sells nothing with the SKU “SKU-x”. Correct it, or take the row out: a variant is known here once an order has sold it.",
        ),
        ("Pasted line 2", "“EUX” is not an ISO 4217 currency code such as EUR or USD."),
        ("Pasted line 3", "This line has 1 column instead of 2 to 6: sku, goods, freight, duty, packaging, currency."),
        ("Pasted line 4", "This is a formula. Copy the cell and paste it as a value."),
        (
            "Pasted line 5",
            "“1,234” is not a plain number. Write it without thousands separators and with a point before the decimals, such as 1234.50.",
        ),
        ("SKU-a", "“three” is not a plain number. Write the number alone, such as 12.50; without a unit or a currency sign."),
        ("SKU-b", "Give what the goods cost as well; 0 if they cost nothing."),
        ("SKU-c", "“-1” is negative. A cost is 0 or more."),
        ("SKU-old", "What stands for freight is in USD. Give every part in EUR, 0 for none."),
    ]
    page = answer.content.decode()
    assert f'name="{typed("goods", "a")}" value="three"' in page
    assert "SKU-x\t3" in page
    assert ProposedChange.objects.count() == 0


def test_a_sheet_needs_a_day_and_a_currency(store: Store, editor: Client) -> None:
    answer = editor.post(GRID, sheet(since="", currency="euros", **{typed("goods", "a"): "3"}))
    assert set(answer.context["sheet"].errors) == {"since", "currency"}
    assert f'name="{typed("goods", "a")}" value="3"' in answer.content.decode()


def test_back_from_the_review_fills_the_sheet_in_again(store: Store, editor: Client) -> None:
    editor.post(GRID, sheet(currency="usd", reason="invoice 7", **{typed("goods", "b"): "3"}))
    page = editor.get(f"{GRID}?proposed={ProposedChange.objects.get().pk}")
    assert [row.gap.sku for row in page.context["rows"]] == ["SKU-b"]
    text = page.content.decode()
    assert [f'name="{name}" value="{value}"' in text for name, value in (
        (typed("goods", "b"), "3"), ("since", "2026-03-01"), ("currency", "USD"), ("reason", "invoice 7"),
    )] == [True] * 4  # fmt: skip


# What is pasted.


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("SKU-a\t3\nSKU-b\t4.50", [("a", "3 0 0 0"), ("b", "4.5 0 0 0")]),
        ("SKU-a;3,20;0,30", [("a", "3.2 0.3 0 0")]),
        ("SKU-a,3.20\r\n\r\nSKU-b,4", [("a", "3.2 0 0 0"), ("b", "4 0 0 0")]),
        ("sku-a\t3\t1\t2\t4\tusd", [("a", "3 1 2 4")]),
        ("SKU\tCost\nSKU-a\t3", [("a", "3 0 0 0")]),
        ("Duty;SKU;Goods\n1;SKU-a;3", [("a", "3 0 1 0")]),
        ("SKU-a\t3\t\t2", [("a", "3 0 2 0")]),
    ],
)
def test_lines_of_sku_and_cost_are_read(store: Store, editor: Client, text: str, found: list[tuple[str, str]]) -> None:
    answer = editor.post(GRID, sheet(pasted=text))
    assert answer.status_code == 302, wrong(answer)
    assert [(sku, parts) for sku, parts, _ in proposed()] == found


@pytest.mark.parametrize(
    ("text", "where", "said"),
    [
        ("SKU-a,3,20", "Pasted line 1", "“3,20” may be 3.20 or two costs."),
        ("SKU\tColour\nSKU-a\tred", "Pasted line 1", "The headings are not known here."),
        ("SKU-a\t1\t2\t3\t4\tEUR\t7", "Pasted line 1", "This line has 7 columns instead of 2 to 6"),
        ("SKU-a\t1\nSKU-A\t2", "Pasted line 2", "This is the same variant as “Pasted line 1”."),
        ("\t3", "Pasted line 1", "The SKU is missing."),
        ("\n".join(["SKU-a\t1"] * 5001), "Pasted", "More than 5,000 lines are not read here."),
    ],
)
def test_lines_that_could_mean_two_things_are_refused(store: Store, editor: Client, text: str, where: str, said: str) -> None:
    ((found, message),) = wrong(editor.post(GRID, sheet(pasted=text)))
    assert (found, message[: len(said)]) == (where, said)
    assert ProposedChange.objects.count() == 0


def test_a_cost_by_hand_goes_before_the_platform_s_and_keeps_its_other_parts(store: Store, editor: Client) -> None:
    standing(store, cost("a", "3", freight=Decimal(1), origin=2))
    editor.post(GRID, sheet(**{typed("goods", "a"): "3"}))
    assert proposed() == [("a", "3 1 0 0", "2026-03-01")]
    assert ProposedChange.objects.get().add[0]["values"]["origin"] == 1


# Stores and people.


def test_variants_of_another_store_are_neither_shown_nor_given_a_cost(store: Store, editor: Client) -> None:
    other = a_store(slug="undisclosed")
    write(other, an_order("1", lines=[a_line("secret")]))
    foreign = Variant.objects.get(store=other)
    for query in ("", "?q=secret", f"?store={other.pk}", f"?store={other.pk}&show=all", "?show=all&page=999999", "?store=x&page=-1"):
        page = editor.get(f"{GRID}{query}").content.decode()
        assert ("SKU-secret" in page, "Undisclosed" in page) == (False, False)
    answer = editor.post(GRID, sheet(**{f"goods-{foreign.pk}": "3"}))
    assert wrong(answer) == [("Table", "One of the rows is about something that Shop does not sell. Load the page again.")]
    assert wrong(editor.post(GRID, sheet(pasted="SKU-secret\t3")))[0][0] == "Pasted line 1"
    editor.post(f"{GRID}?store={other.pk}", sheet(**{f"goods-{foreign.pk}": "3"}))
    assert ProposedChange.objects.count() == 0
    root = browser_of(a_person(email="root@example.com", superuser=True))
    root.post(f"{GRID}?store={other.pk}", sheet(**{f"goods-{foreign.pk}": "3"}))
    assert ProposedChange.objects.get().store == other
    assert "SKU-secret" not in editor.get(f"{GRID}?proposed={ProposedChange.objects.get().pk}").content.decode()


def test_who_edits_no_store_is_told(editor: Client) -> None:
    root = browser_of(a_person(email="root@example.com", superuser=True))
    Store.objects.all().delete()
    assert "There is no store whose costs you edit." in text_of(root.get(GRID))


def test_more_rows_than_a_page_come_back_as_pasted(store: Store, editor: Client) -> None:
    product = variant("a").product
    Variant.objects.bulk_create(Variant(store=store, product=product, platform="shop", external_id=str(n), sku=f"many-{n:03}") for n in range(101))
    editor.post(GRID, sheet(pasted="\n".join(f"many-{n:03}\t{n}" for n in range(101))))
    lines = editor.get(f"{GRID}?proposed={ProposedChange.objects.get().pk}").context["sheet"]["pasted"].value().splitlines()
    assert (len(lines), lines[7]) == (101, "many-007\t7\t0\t0\t0\tEUR")


def test_revenue_counts_the_last_ninety_days_and_today(store: Store) -> None:
    last = TODAY - timedelta(days=89)
    write(store, an_order("4", lines=[a_line("old", price="99.00")], when=f"{last} 12:00"))
    assert listed(store)[0] == "old"
