"""Rules as spreadsheets: taken out as they stand, taken in as a difference, proposed, and saved by nothing else."""

import io
import zipfile
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from ledger import rules
from ledger.admin import sheet_files
from ledger.models import (
    BundlePart,
    CogsRule,
    CostChange,
    FeeRule,
    ManualCost,
    Partner,
    Product,
    ProposedChange,
    ShippingRule,
    Store,
    Variant,
    VariantCost,
)  # fmt: skip
from ledger.models.rules import Rule
from ledger.people import Role
from tests.builders import a_line, a_store, an_order, at, day, write
from tests.dashboards.people import a_person, browser_of, text_of
from tests.ledger.reviewing import save

pytestmark = pytest.mark.django_db

NOW = at("2026-03-03 12:00")
COSTS = "/admin/ledger/variantcost"
HEADINGS = "SKU,Goods,Freight,Currency,From"


@pytest.fixture
def store() -> Store:
    """Open a store that has sold two things, SKU-1 and SKU-2."""
    store = a_store(slug="shop")
    write(store, an_order("1", lines=2))
    return store


@pytest.fixture
def editor(store: Store) -> Client:
    """Return the browser of somebody who may edit costs."""
    return browser_of(a_person(store, email="ann@example.com", role=Role.COST_EDITOR))


def variant(sku: str) -> Variant:
    """Return what is sold under a SKU."""
    return Variant.objects.get(sku=sku)


def standing(store: Store, *added: Rule) -> None:
    """Let rules hold in a store."""
    rules.write(store, add=added, actor="before", now=NOW)


def a_cost(sku: str, goods: str, since: str | None = None, **parts: Any) -> VariantCost:
    """Make the cost of a variant."""
    return VariantCost(variant=variant(sku), goods=Decimal(goods), currency="EUR", effective_from=day(since) if since else None, **parts)


def csv_file(*lines: str, name: str = "costs.csv") -> SimpleUploadedFile:
    """Make a CSV file."""
    return SimpleUploadedFile(name, "\n".join(lines).encode(), "text/csv")


def workbook(*rows: Sequence[Any], formats: dict[str, str] | None = None) -> SimpleUploadedFile:
    """Make an Excel workbook; `formats` gives cells a number format."""
    book = openpyxl.Workbook()
    sheet: Any = book.active
    for row in rows:
        sheet.append(list(row))
    for place, number_format in (formats or {}).items():
        sheet[place].number_format = number_format
    saved = io.BytesIO()
    book.save(saved)
    return SimpleUploadedFile("costs.xlsx", saved.getvalue())


def look(client: Client, store: Store, file: SimpleUploadedFile, page: str = COSTS, reason: str = "") -> Any:
    """Choose a file and return the page that shows what it would change."""
    return client.post(f"{page}/import/", {"store": store.pk, "import_file": file, "reason": reason, "resource": "0"})


def confirm(client: Client, looked: Any, page: str = COSTS) -> Any:
    """Confirm what was looked at and return the answer."""
    return client.post(f"{page}/process_import/", {"digest": looked.context["held"].digest})


def counts(looked: Any) -> tuple[int, int, int]:
    """Return how many rows are new, changed and unchanged."""
    (_, new), (_, changed) = looked.context["kinds"]
    return len(new), len(changed), looked.context["unchanged"]


def problems(looked: Any) -> list[tuple[int, str, str]]:
    """Return what is to be mended: row, column, words."""
    return [tuple(problem) for problem in looked.context["resource"].problems]


def refusal(looked: Any) -> str:
    """Return why a file was not read."""
    return " ".join(looked.context["form"].errors["import_file"])


def exported(client: Client, page: str, kind: str = "0", query: str = "") -> bytes:
    """Take a list out as a file: CSV is 0, a workbook 1."""
    answer = client.post(f"{page}/export/{query}", {"format": kind, "resource": "0"})
    assert answer.status_code == 200, answer
    assert "attachment" in answer.get("Content-Disposition", ""), answer.content.decode()
    return bytes(answer.content)


def lines_of(data: bytes) -> list[str]:
    """Return the lines of a CSV file."""
    return data.decode("utf-8-sig").split("\r\n")[:-1]


def nothing_saved() -> bool:
    """Tell whether no rule was written and no change made."""
    return not any(kind.objects.exists() for kind in (*rules.SCOPES, CostChange))


# Taking in.


def test_a_file_is_shown_then_proposed_then_saved(store: Store, editor: Client) -> None:
    looked = look(editor, store, csv_file(HEADINGS, "SKU-1,3.20,0.30,EUR,2026-03-01", "SKU-2,0,0,EUR,"), reason="new price list")
    assert (counts(looked), nothing_saved(), ProposedChange.objects.count()) == ((2, 0, 0), True, 0)
    answer = confirm(editor, looked)
    assert (nothing_saved(), ProposedChange.objects.get().reason, ProposedChange.objects.get().actor) == (True, "new price list", "ann@example.com")
    save(editor, answer)
    found = VariantCost.objects.order_by("variant__sku").values_list("variant__sku", "goods", "freight", "currency", "effective_from")
    assert list(found) == [
        ("SKU-1", Decimal("3.2"), Decimal("0.3"), "EUR", date(2026, 3, 1)), ("SKU-2", Decimal(0), Decimal(0), "EUR", None)
    ]  # fmt: skip
    assert CostChange.objects.get().reason == "new price list"


def test_rows_are_new_changed_or_unchanged(store: Store, editor: Client) -> None:
    standing(store, a_cost("SKU-1", "3", "2026-03-01"), a_cost("SKU-2", "7", "2026-03-01", duty=Decimal(1)))
    looked = look(
        editor, store, csv_file(HEADINGS, "SKU-1,3.50,,EUR,2026-03-01", "SKU-2,7.00,,EUR,2026-03-01", "SKU-2,8,,EUR,2026-04-01")
    )  # fmt: skip
    assert counts(looked) == (1, 1, 1)
    page = looked.content.decode()
    assert "<del>3</del> → <ins>3.5</ins>" in page
    assert "1 new, 1 changed, 1 unchanged" in text_of(looked)
    save(editor, confirm(editor, looked))
    found = VariantCost.objects.filter(removed_by=None).order_by("variant__sku", "effective_from").values_list("variant__sku", "goods", "duty")
    assert list(found) == [("SKU-1", Decimal("3.5"), 0), ("SKU-2", 7, 1), ("SKU-2", 8, 0)]
    assert VariantCost.objects.count() == 4


def test_a_file_that_says_what_stands_changes_nothing(store: Store, editor: Client) -> None:
    standing(store, a_cost("SKU-1", "3", "2026-03-01"))
    looked = look(editor, store, csv_file(HEADINGS, "SKU-1,3,,EUR,2026-03-01"))
    assert (counts(looked), "there is nothing to change" in text_of(looked), "Look at what this would do" in text_of(looked)) == (
        (0, 0, 1), True, False
    )  # fmt: skip


def test_every_wrong_row_is_told_and_none_is_taken(store: Store, editor: Client) -> None:
    looked = look(
        editor, store,
        csv_file(
            HEADINGS,
            "SKU-1,3,,EUR,2026-03-01",
            "SKU-9,3,,EUR,2026-03-01",
            "SKU-2,three,,EUR,2026-03-01",
            "SKU-2,-1,,EUR,2026-03-02",
            "SKU-2,1,,EUR,03/04/2026",
            "SKU-2,1,,EUX,2026-03-04",
            "SKU-1,4,,EUR,2026-03-01",
            "SKU-2,,,EUR,2026-03-05",
        ),
    )  # fmt: skip
    assert problems(looked) == [
        (3, "SKU", "Shop sells nothing with the SKU “SKU-9”. Correct it, or take the row out: a variant is known here once an order has sold it."),
        (4, "Goods", "“three” is not a plain number. Write the number alone, such as 12.50; without a unit or a currency sign."),
        (5, "Goods", "Ensure this value is greater than or equal to 0."),
        (6, "From", "“03/04/2026” is not a day that is read here. Write year-month-day, such as 2026-03-01."),
        (7, "Currency", "“EUX” is not an ISO 4217 currency code such as EUR or USD."),
        (8, "", "This row is about the same thing and day as row 2. Keep one of them."),
        (9, "Goods", "Give a value."),
    ]
    assert "Look at what this would do" not in text_of(looked)
    assert editor.post(f"{COSTS}/process_import/", {"digest": looked.context["held"].digest}).headers["Location"] == f"{COSTS}/import/"
    assert (nothing_saved(), ProposedChange.objects.count()) == (True, 0)


def test_what_excel_did_to_a_file_is_told(store: Store, editor: Client) -> None:
    for sku, kept in (("SKU-1", "007"), ("SKU-2", "123456789012")):
        Variant.objects.filter(sku=sku).update(sku=kept)
    headings = ("SKU", "Goods", "Currency", "From")
    looked = look(
        editor, store,
        workbook(
            headings,
            (7, 3, "EUR", date(2026, 3, 1)),
            ("1.23E+11", 3, "EUR", date(2026, 3, 1)),
            ("007", "=1+2", "EUR", date(2026, 3, 2)),
            ("007", date(2026, 2, 3), "EUR", date(2026, 3, 3)),
            ("007", "#REF!", "EUR", date(2026, 3, 4)),
            ("007", 3, "EUR", 46082),
            ("007", "1,234", "EUR", date(2026, 3, 5)),
        ),
    )  # fmt: skip
    assert [(line, heading, told.partition("”. ")[2] or told) for line, heading, told in problems(looked)] == [
        (2, "SKU", "Is “007” meant? Excel drops zeros at the front: format the column as text and enter the SKU again."),
        (3, "SKU", "Excel has shortened it: format the column as text and enter the SKU again."),
        (4, "Goods", "This is a formula. Copy the cell and paste it as a value."),
        (5, "Goods", "“2026-02-03” is not a plain number. Excel has taken it for a date: format the column as a number and enter it again."),
        (6, "Goods", "Excel shows “#REF!” here because a formula failed. Enter the value itself."),
        (7, "From", "“46082” is not a day that is read here. It is how Excel counts days: format the column as a date, such as 2026-03-01."),
        (8, "Goods", "“1,234” is not a plain number. Write it without thousands separators and with a point before the decimals, such as 1234.50."),
    ]


def test_a_workbook_means_what_it_shows(store: Store, editor: Client) -> None:
    looked = look(
        editor, store,
        workbook(("Product", "COGS %", "From"), ("", 0.35, date(2026, 3, 1)), ("thing 1", 35.5, date(2026, 3, 1)), formats={"B2": "0%"}),
        "/admin/ledger/cogsrule",
    )  # fmt: skip
    assert problems(looked) == []
    save(editor, confirm(editor, looked, "/admin/ledger/cogsrule"))
    assert sorted(str(rule) for rule in CogsRule.objects.all()) == ["35 % for every product", "35.5 % for Thing 1"]


def test_numbers_of_a_workbook_are_those_it_shows(store: Store, editor: Client) -> None:
    looked = look(editor, store, workbook(("SKU", "Goods", "Currency", "From"), ("SKU-1", 4.9 + 4e-16, "eur", None)))
    confirm(editor, looked)
    assert [rule["values"]["goods"] for rule in ProposedChange.objects.get().add] == ["4.9"]


@pytest.mark.parametrize(
    ("text", "goods"), [("3,20", "3.2"), ("3.20", "3.2"), ("0", "0"), (" 12 ", "12"), ("1,2345", "1.2345"), (".5", "0.5"), ("12.", "12")]
)
def test_amounts_are_read(store: Store, editor: Client, text: str, goods: str) -> None:
    looked = look(editor, store, csv_file("SKU;Goods;Currency;From", f"SKU-1;{text};EUR;01.03.2026"))
    confirm(editor, looked)
    values = ProposedChange.objects.get().add[0]["values"]
    assert (Decimal(values["goods"]), values["effective_from"]) == (Decimal(goods), "2026-03-01")


@pytest.mark.parametrize("text", ["1,234.50", "1.234,50", "€3", "3 €", "NaN", "Infinity", "1e3", "3.00001", "--1", "1 000", "10000000000000000"])
def test_amounts_that_could_mean_two_things_are_refused(store: Store, editor: Client, text: str) -> None:
    looked = look(editor, store, csv_file("SKU;Goods;Currency;From", f"SKU-1;{text};EUR;"))
    assert [(line, heading) for line, heading, _ in problems(looked)] == [(2, "Goods")]


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([], "The submitted file is empty."),
        ([HEADINGS], "The file has headings and no row beneath them."),
        (
            ["SKU,Goods,Colour,Currency,From", "SKU-1,3,red,EUR,"],
            "The heading “Colour” is not known here. Headings: Store, SKU, Product, Variant, Goods",
        ),
        (["SKU,Goods,Currency", "SKU-1,3,EUR"], "The heading “From” is missing."),
        (["SKU,sku,Goods,Currency,From", "a,b,3,EUR,"], "The heading “SKU” stands there twice."),
        ([HEADINGS, "SKU-1,3,,EUR,,note"], "Row 2 has a value in column 6, which has no heading."),
        ([HEADINGS, 'SKU-1,"3" x,,EUR,'], "Row 2 is not valid CSV"),
        ([HEADINGS, *["SKU-1,3,,EUR,"] * 5001], "More than 5,000 rows are not read here."),
        ([HEADINGS, "x" * 1001], "Row 2 has a cell of more than 1,000 letters."),
    ],
)
def test_files_that_cannot_be_read_say_why(store: Store, editor: Client, lines: list[str], told: str) -> None:
    assert told in refusal(look(editor, store, csv_file(*lines)))


def test_binary_files_say_what_they_are(store: Store, editor: Client) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as other:
        other.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
    for data, told in (
        (sheet_files.OLD_EXCEL + b"x", "old Excel format"), (packed.getvalue(), "cannot be read"), (b"PK\x03\x04", "cannot be read"),
        (b"\x00\x01", "neither a spreadsheet"), (b"x" * 2_000_001, "larger than 2 MB"),
    ):  # fmt: skip
        assert told in refusal(look(editor, store, SimpleUploadedFile("costs.xlsx", data)))


def a_workbook_of(sheet: str) -> SimpleUploadedFile:
    """Make a workbook whose sheet is a given XML."""
    real, packed = io.BytesIO(workbook(("SKU",)).read()), io.BytesIO()
    with zipfile.ZipFile(real) as source, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as made:
        for part in source.infolist():
            made.writestr(part.filename, sheet if part.filename.startswith("xl/worksheets/") else source.read(part.filename))
    return SimpleUploadedFile("costs.xlsx", packed.getvalue())


NAMESPACE = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


def test_a_small_file_cannot_be_made_to_fill_the_memory(store: Store, editor: Client) -> None:
    bomb = a_workbook_of(f"<worksheet {NAMESPACE}><sheetData/>{' ' * 40_000_000}</worksheet>")
    assert bomb.size is not None
    assert bomb.size < 100_000
    assert "larger than 30 MB once unpacked" in refusal(look(editor, store, bomb))


def test_a_sheet_cannot_claim_two_billion_rows(store: Store, editor: Client) -> None:
    sheet = f'<worksheet {NAMESPACE}><dimension ref="A1:XFD1048576"/><sheetData><row r="2000000000"><c t="inlineStr"><is><t>x</t></is></c></row>'
    assert "goes on beyond row 20,000" in refusal(look(editor, store, a_workbook_of(f"{sheet}</sheetData></worksheet>")))


def test_entities_of_a_sheet_are_not_multiplied(store: Store, editor: Client) -> None:
    laughs = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 9))
    sheet = f'<!DOCTYPE x [<!ENTITY e0 "{"ha" * 50}">{laughs}]><worksheet {NAMESPACE}><sheetData><row><c t="inlineStr"><is><t>&e8;</t></is></c></row>'
    assert "cannot be read" in refusal(look(editor, store, a_workbook_of(f"{sheet}</sheetData></worksheet>")))


# Days.


def test_open_ends_last_until_the_sheet_s_next_row(store: Store, editor: Client) -> None:
    standing(store, CogsRule(percentage=30, effective_from=day("2026-03-01")))
    page = "/admin/ledger/cogsrule"
    file = csv_file("Product,COGS %,From,Through", ",40,2026-06-01,", ",30,2026-03-01,", ",35,2026-04-01,")
    looked = look(editor, store, file, page)
    assert counts(looked) == (2, 0, 1)
    save(editor, confirm(editor, looked, page))
    found = CogsRule.objects.filter(removed_by=None).order_by("effective_from").values_list("percentage", "effective_from", "effective_to")
    assert [tuple(map(str, row)) for row in found] == [
        ("30.0000", "2026-03-01", "2026-03-31"), ("35.0000", "2026-04-01", "2026-05-31"), ("40.0000", "2026-06-01", "None")
    ]  # fmt: skip
    again = look(editor, store, file_of(exported(editor, page)), page)
    assert counts(again) == (0, 0, 3)


def file_of(data: bytes, name: str = "again.csv") -> SimpleUploadedFile:
    """Make a file of what was taken out."""
    return SimpleUploadedFile(name, data)


def test_two_rows_that_hold_on_one_day_are_refused(store: Store, editor: Client) -> None:
    file = csv_file("Product,COGS %,From,Through", ",30,2026-03-01,2026-04-15", ",35,2026-04-01,")
    assert problems(look(editor, store, file, "/admin/ledger/cogsrule")) == [
        (3, "From", "This row and row 2 would both hold on 1 Apr 2026. End row 2 the day before.")
    ]


def test_a_shorter_rule_does_not_leave_its_rest(store: Store, editor: Client) -> None:
    standing(store, FeeRule(gateway="paypal", percentage=3, effective_from=day("2026-03-01")))
    page = "/admin/ledger/feerule"
    looked = look(editor, store, csv_file("Gateway,Fee %,From,Through", "PayPal,3,2026-03-01,2026-03-31"), page)
    assert counts(looked) == (0, 1, 0)
    save(editor, confirm(editor, looked, page))
    assert [str(rule.effective_to) for rule in FeeRule.objects.filter(removed_by=None)] == ["2026-03-31"]


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
        ManualCost(category="fees", label="plan", basis="revenue", percentage=2, currency="EUR", includes_vat=True, vat_percentage=19),
    )  # fmt: skip


KINDS = ["variantcost", "cogsrule", "feerule", "shippingrule", "bundlepart", "manualcost"]


@pytest.mark.parametrize("kind", ["0", "1"])
def test_what_is_taken_out_says_what_stands_when_taken_in_again(store: Store, editor: Client, kind: str) -> None:
    everything(store)
    for model in KINDS:
        page = f"/admin/ledger/{model}"
        looked = look(editor, store, file_of(exported(editor, page, kind)), page)
        number = {"bundlepart": 1, "shippingrule": 1}.get(model, 2)
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
