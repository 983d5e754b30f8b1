"""Rules as spreadsheets: taken out as they stand and in again, and whose files they are."""

import io
from datetime import date
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client

from ledger.models import (
    BundlePart,
    CogsRule,
    CostOverride,
    FeeRule,
    ManualCost,
    Order,
    Partner,
    PartnerCode,
    Product,
    ProfitGoal,
    ProposedChange,
    ShippingRule,
    Store,
    Variant,
    VariantCost,
)
from ledger.rules import rules
from tests.builders import a_line, a_store, an_order, day, write
from tests.dashboards.people import a_person, browser_of
from tests.ledger.reviewing import save
from tests.ledger.sheets import (
    COSTS,
    HEADINGS,
    NOW,
    a_cost,
    confirm,
    counts,
    csv_file,
    exported,
    file_of,
    lines_of,
    look,
    problems,
    standing,
    variant,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def store() -> Store:
    """Open a store that has sold two things, SKU-1 and SKU-2."""
    store = a_store(slug="shop")
    write(store, an_order("1", lines=2))
    return store


# Taking out, and in again.


def everything(store: Store) -> None:
    """Let a rule of every kind hold, with names that a spreadsheet would take for formulas."""
    Product.objects.filter(external_id="v1").update(title="=Mug, blue")
    Variant.objects.filter(sku="SKU-1").update(title="+Large")
    partner = Partner.objects.create(store=store, name="@Ada", kind="influencer")
    standing(
        store, a_cost("SKU-1", "3.2", "2026-03-01", freight=Decimal("0.3")), a_cost("SKU-2", "0"),
        CogsRule(percentage=30), CogsRule(product=variant("SKU-1").product, percentage=Decimal("33.3333"), effective_from=day("2026-03-01")),
        FeeRule(gateway="paypal", currency="USD", percentage=Decimal("3.49"), fixed=Decimal("0.49"), surcharge=2), FeeRule(percentage=2),
        ShippingRule(position=1, name="-Parcel", countries="DE FR", channel="online", most_grams=5000, amount=Decimal("4.9")),
        BundlePart(bundle=variant("SKU-2"), component=variant("SKU-1"), quantity=3, effective_to=day("2026-03-31")),
        ManualCost(
            category="marketing", label="influencer", basis="once", amount=Decimal("-500"), currency="EUR", partner=partner, note="@story",
            effective_from=day("2026-03-01"), effective_to=day("2026-03-02"),
        ),
        PartnerCode(partner=partner, code="=ADA10"), PartnerCode(partner=partner, code="ADA", effective_from=day("2026-03-01")),
        ProfitGoal(amount=1000, effective_to=day("2026-03-31")), ProfitGoal(amount=Decimal("1500.5"), effective_from=day("2026-04-01")),
        CostOverride(order_id=Order.objects.get().pk, line="1", unit_cost=Decimal("1.25"), currency="USD", told="#1: =Mug, blue"),
        ManualCost(category="fees", label="plan", basis="revenue", percentage=2, currency="EUR", includes_vat=True, vat_percentage=19),
    )  # fmt: skip


KINDS = ["variantcost", "cogsrule", "feerule", "shippingrule", "bundlepart", "manualcost", "partnercode", "profitgoal", "costoverride"]


@pytest.mark.parametrize("kind", ["0", "1"])
def test_what_is_taken_out_says_what_stands_when_taken_in_again(store: Store, editor: Client, kind: str) -> None:
    everything(store)
    for model in KINDS:
        page = f"/admin/ledger/{model}"
        looked = look(editor, store, file_of(exported(editor, page, kind)), page)
        number = {"bundlepart": 1, "shippingrule": 1, "costoverride": 1}.get(model, 2)
        assert (problems(looked), counts(looked)) == ([], (0, 0, number)), model


def test_a_list_is_taken_out_readable_and_harmless(store: Store, editor: Client) -> None:
    everything(store)
    assert lines_of(exported(editor, COSTS)) == [
        "Store,SKU,Product,Variant,Goods,Freight,Duty,Packaging,Currency,From",
        "Shop,SKU-1,\"'=Mug, blue\",'+Large,3.2,0.3,0,0,EUR,2026-03-01",
        "Shop,SKU-2,Thing 2,Thing 2,0,0,0,0,EUR,",
    ]
    assert lines_of(exported(editor, "/admin/ledger/feerule")) == [
        "Store,Gateway,Currency,Fee %,Fixed fee,Surcharge %,From,Through", "Shop,,,2,0,0,,", "Shop,paypal,USD,3.49,0.49,2,,",
    ]  # fmt: skip
    assert lines_of(exported(editor, "/admin/ledger/manualcost"))[1] == (
        "Shop,marketing,influencer,once,-500,,EUR,no,0,,,'@Ada,,'@story,2026-03-01,2026-03-02"
    )


def test_a_workbook_holds_numbers_and_days(store: Store, editor: Client) -> None:
    everything(store)
    sheet: Any = openpyxl.load_workbook(io.BytesIO(exported(editor, COSTS, "1"))).active
    cells = next([cell.value for cell in row] for row in sheet.iter_rows(min_row=2, max_row=2))
    assert [cells[1], cells[2], cells[4], cells[9].date()] == ["SKU-1", "'=Mug, blue", 3.2, date(2026, 3, 1)]
    assert [cell.coordinate for row in sheet.iter_rows() for cell in row if cell.data_type == "f"] == []


def test_a_list_is_taken_out_as_it_is_narrowed_and_only_what_stands(store: Store, editor: Client) -> None:
    everything(store)
    rules.change(store, remove=[VariantCost.objects.get(variant__sku="SKU-2")], actor="x", now=NOW)
    other = a_store(slug="other")
    write(other, an_order("1", lines=[a_line("7")]))
    standing(other, VariantCost(variant=variant("SKU-7"), goods=1, currency="EUR"))
    assert [line.split(",")[1] for line in lines_of(exported(editor, COSTS))] == ["SKU", "SKU-1"]
    assert [line.split(",")[1] for line in lines_of(exported(editor, COSTS, query="?q=nothing"))] == ["SKU"]
    assert [line.split(",")[1] for line in lines_of(exported(editor, COSTS, query=f"?store={other.pk}"))] == ["SKU", "SKU-1"]
    root = browser_of(a_person(email="root@example.com", superuser=True))
    assert [line.split(",")[:2] for line in lines_of(exported(root, COSTS))[1:]] == [["Other", "SKU-7"], ["Shop", "SKU-1"]]
    assert editor.get(f"{COSTS}/export/?nonsense=1").headers["Location"] == f"{COSTS}/?e=1"


def test_variants_without_a_sku_or_with_the_same_are_told_apart(store: Store, editor: Client) -> None:
    write(store, an_order("2", lines=[a_line("3"), a_line("4"), a_line("5")]))
    Variant.objects.filter(sku__in=["SKU-3", "SKU-4"]).update(sku="same", title="Cup")
    Variant.objects.filter(sku="SKU-5").update(sku="", title="Cup")
    for found in Variant.objects.filter(title="Cup"):
        standing(store, VariantCost(variant=found, goods=found.pk, currency="EUR"))
    assert counts(look(editor, store, file_of(exported(editor, COSTS)))) == (0, 0, 3)
    Product.objects.update(title="Things")
    assert counts(look(editor, store, file_of(exported(editor, COSTS)))) == (0, 0, 3)
    told = problems(look(editor, store, csv_file(HEADINGS, "same,3,,EUR,")))
    assert told[0][2].startswith("SKU “same” is more than one: “Things [v3] Cup”, “Things [v4] Cup”.")


# Stores and people.


def test_rows_of_another_store_are_refused_and_its_names_are_not_known(store: Store, editor: Client) -> None:
    other = a_store(slug="other")
    write(other, an_order("1", lines=[a_line("7")]))
    looked = look(editor, store, csv_file("Store,SKU,Goods,Currency,From", "Other,SKU-1,3,EUR,", "Shop,SKU-7,3,EUR,"))
    assert problems(looked) == [
        (2, "Store", "This row is of “Other”, and the file is read for Shop. Take it out, or choose that store."),
        (3, "SKU", "Shop sells nothing with the SKU “SKU-7”. Correct it, or take the row out: a variant is known here once an order has sold it."),
    ]
    foreign = look(editor, other, csv_file(HEADINGS, "SKU-7,3,,EUR,"))
    assert (list(foreign.context["form"].errors), "Other" in foreign.content.decode()) == (["store"], False)


def test_a_held_file_is_its_owner_s_and_its_session_s(store: Store, editor: Client) -> None:
    looked = look(editor, store, csv_file(HEADINGS, "SKU-1,3,,EUR,"))
    bob = browser_of(a_person(store, email="bob@example.com"))
    elsewhere = browser_of(User.objects.get(email="ann@example.com"))
    for client in (bob, elsewhere):
        assert confirm(client, looked).headers["Location"] == f"{COSTS}/import/"
    assert confirm(editor, looked, "/admin/ledger/cogsrule").headers["Location"] == "/admin/ledger/cogsrule/import/"
    assert ProposedChange.objects.count() == 0
    assert confirm(editor, looked).headers["Location"] == f"/admin/ledger/proposedchange/{ProposedChange.objects.get().pk}/review/"
    assert confirm(editor, looked).headers["Location"] == f"{COSTS}/import/"


def test_another_file_chosen_meanwhile_is_not_taken_for_the_one_looked_at(store: Store, editor: Client) -> None:
    first = look(editor, store, csv_file(HEADINGS, "SKU-1,3,,EUR,"))
    look(editor, store, csv_file(HEADINGS, "SKU-1,4,,EUR,"))
    assert confirm(editor, first).headers["Location"] == f"{COSTS}/import/"
    assert ProposedChange.objects.count() == 0


def test_who_has_left_the_store_confirms_nothing(store: Store, editor: Client) -> None:
    looked = look(editor, store, csv_file(HEADINGS, "SKU-1,3,,EUR,"))
    other = a_store(slug="other")
    person = looked.wsgi_request.user
    person.memberships.update(store=other)
    assert confirm(editor, looked).headers["Location"] == f"{COSTS}/import/"
    assert ProposedChange.objects.count() == 0


def test_a_file_that_was_not_kept_is_chosen_again(store: Store, editor: Client) -> None:
    looked = look(editor, store, csv_file(HEADINGS, "SKU-1,3,,EUR,"))
    cache.clear()
    assert "not held any more" in editor.post(f"{COSTS}/process_import/", {"digest": looked.context["held"].digest}, follow=True).content.decode()


def test_what_changed_since_the_look_is_told(store: Store, editor: Client) -> None:
    looked = look(editor, store, csv_file(HEADINGS, "SKU-1,3,,EUR,"))
    Variant.objects.filter(sku="SKU-1").update(sku="renamed")
    assert problems(confirm(editor, looked))[0][:2] == (2, "SKU")
    assert ProposedChange.objects.count() == 0


def test_a_file_s_name_is_shown_as_text(store: Store, editor: Client) -> None:
    looked = look(editor, store, csv_file(HEADINGS, "SKU-1,3,,EUR,", name="..\\x/<b>\u202e\x07costs.csv"))
    assert looked.context["held"].filename == "<b>costs.csv"
    assert "“&lt;b&gt;costs.csv”" in looked.content.decode()
    confirm(editor, looked)
    assert ProposedChange.objects.get().reason == "from <b>costs.csv"


def test_a_change_that_cannot_be_made_is_refused_in_words(store: Store, editor: Client) -> None:
    page = "/admin/ledger/bundlepart"
    looked = look(editor, store, csv_file("Bundle SKU,Part SKU,Quantity,From", "SKU-1,SKU-1,1,"), page)
    answer = confirm(editor, looked, page)
    assert answer.headers["Location"] == f"{page}/import/"
    assert ProposedChange.objects.count() == 0


def test_costs_by_hand_repeat_only_where_an_invoice_tells_them_apart(store: Store, editor: Client) -> None:
    page, row = "/admin/ledger/manualcost", "marketing,influencer,once,500,EUR,2026-03-03"
    headings = "Category,Label,Basis,Amount,Currency,From,Invoice number"
    looked = look(editor, store, csv_file(headings, f"{row},", f"{row},"), page)
    assert problems(looked) == [
        (3, "", "This row is about the same thing and day as row 2. Keep one of them; if both are meant, tell them apart by their invoice numbers.")
    ]
    assert counts(look(editor, store, csv_file(headings, f"{row},A-1", f"{row},A-2"), page)) == (2, 0, 0)


def test_codes_and_goals_are_taken_in_as_they_are_compared(store: Store, editor: Client) -> None:
    everything(store)
    codes = csv_file("Code,Partner,From,Through", "ada,@Ada,2026-03-01,2026-06-30", "bob5,@Ada,,")
    looked = look(editor, store, codes, "/admin/ledger/partnercode")
    assert (problems(looked), counts(looked)) == ([], (1, 1, 0))
    save(editor, confirm(editor, looked, "/admin/ledger/partnercode"))
    found = PartnerCode.objects.filter(removed_by=None).order_by("code").values_list("code", "effective_to")
    assert list(found) == [("=ADA10", None), ("ADA", date(2026, 6, 30)), ("BOB5", None)]
    goals = csv_file("Net profit a month,From", "1200,2026-04-15", "x,2026-05-01")
    assert problems(look(editor, store, goals, "/admin/ledger/profitgoal")) == [
        (2, "From", "A goal is for whole months. Give the first day of a month."),
        (3, "Net profit a month", "“x” is not a plain number. Write the number alone, such as 12.50; without a unit or a currency sign."),
    ]


def test_costs_of_order_lines_are_taken_in_by_number_and_sku_or_title(store: Store, editor: Client) -> None:
    page = "/admin/ledger/costoverride"
    write(store, an_order("2"))
    write(a_store(slug="other"), an_order("9"))
    looked = look(editor, store, csv_file("Order,Line,Unit cost,Currency", "#1,sku-2,1.50,EUR", "1,Thing 1,2,usd", "2,,0,EUR"), page)
    assert (problems(looked), counts(looked)) == ([], (3, 0, 0))
    save(editor, confirm(editor, looked, page))
    assert sorted(str(rule) for rule in CostOverride.objects.all()) == ["0 EUR for #2: Thing 1", "1.5 EUR for #1: Thing 2", "2 USD for #1: Thing 1"]
    assert sorted(lines_of(exported(editor, page))) == [
        "Shop,#1,1,#1: Thing 1,2,USD", "Shop,#1,2,#1: Thing 2,1.5,EUR", "Shop,#2,1,#2: Thing 1,0,EUR",
        "Store,Order,Line,About,Unit cost,Currency",
    ]  # fmt: skip
    again = look(editor, store, csv_file("Order,Line,Unit cost,Currency", "1,SKU-1,3,USD", "2,1,0,EUR"), page)
    assert (problems(again), counts(again)) == ([], (0, 1, 1))
    save(editor, confirm(editor, again, page))
    assert "3 USD for #1: Thing 1" in [str(rule) for rule in CostOverride.objects.filter(removed_by=None)]


def test_rows_about_lines_that_are_not_there_say_what_to_do(store: Store, editor: Client) -> None:
    write(a_store(slug="other"), an_order("9"))
    rows = ("9,,1,EUR", "1,,1,EUR", "1,tea,1,EUR", "1,SKU-1,-1,EUR", "1,SKU-2,,EUR", "1,Thing 1,1,EUR")
    assert problems(look(editor, store, csv_file("Order,Line,Unit cost,Currency", *rows), "/admin/ledger/costoverride")) == [
        (2, "Order", "Shop has no order with the number “9”."),
        (3, "Line", "Name one of the order's lines: SKU-1 Thing 1; SKU-2 Thing 2."),
        (4, "Line", "Name one of the order's lines: SKU-1 Thing 1; SKU-2 Thing 2."),
        (5, "Unit cost", "Ensure this value is greater than or equal to 0."),
        (6, "Unit cost", "Give a value."),
        (7, "", "This row is about the same thing and day as row 5. Keep one of them."),
    ]
