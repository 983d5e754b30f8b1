"""Spreadsheets of rules taken in: shown as a difference, proposed, and saved by nothing else."""

import io
import zipfile
from datetime import date
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from ledger.admin import sheet_files
from ledger.models import (
    CogsRule,
    CostChange,
    FeeRule,
    ProposedChange,
    Store,
    Variant,
    VariantCost,
)
from tests.builders import a_store, an_order, day, write
from tests.dashboards.people import text_of
from tests.ledger.reviewing import save
from tests.ledger.sheets import (
    COSTS,
    HEADINGS,
    a_cost,
    confirm,
    counts,
    csv_file,
    exported,
    file_of,
    look,
    nothing_saved,
    problems,
    refusal,
    standing,
    workbook,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def store() -> Store:
    """Open a store that has sold two things, SKU-1 and SKU-2."""
    store = a_store(slug="shop")
    write(store, an_order("1", lines=2))
    return store


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


def test_fewer_rows_are_taken_where_each_is_tried_by_itself(store: Store, editor: Client) -> None:
    file = csv_file("Product,COGS %,From", *[",30,2026-03-01"] * 1001)
    assert refusal(look(editor, store, file, "/admin/ledger/cogsrule")) == "More than 1,000 rows of this kind are not taken at once. Split the file."


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
    crowded = a_workbook_of(f"<worksheet {NAMESPACE}><sheetData><row>{'<c/>' * 5_000_000}</row></sheetData></worksheet>")
    assert "far more cells or formats than a list of costs needs" in refusal(look(editor, store, crowded))


def test_a_sheet_cannot_claim_two_billion_rows(store: Store, editor: Client) -> None:
    sheet = f'<worksheet {NAMESPACE}><dimension ref="A1:XFD1048576"/><sheetData><row r="2000000000"><c t="inlineStr"><is><t>x</t></is></c></row>'
    assert "goes on beyond row 20,000" in refusal(look(editor, store, a_workbook_of(f"{sheet}</sheetData></worksheet>")))


def test_entities_of_a_sheet_are_not_multiplied(store: Store, editor: Client) -> None:
    laughs = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 9))
    sheet = f'<!DOCTYPE x [<!ENTITY e0 "{"ha" * 50}">{laughs}]><worksheet {NAMESPACE}><sheetData><row><c t="inlineStr"><is><t>&e8;</t></is></c></row>'
    assert "cannot be read" in refusal(look(editor, store, a_workbook_of(f"{sheet}</sheetData></worksheet>")))


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


@pytest.mark.parametrize("rows", [("SKU;Goods;Currency;From", "SKU-1;1.234;EUR;"), ("SKU,Goods,Freight,Currency,From", 'SKU-1,1.234,"0,50",EUR,')])
def test_thousands_in_a_file_of_decimal_commas_are_not_read_as_one_and_a_bit(store: Store, editor: Client, rows: tuple[str, ...]) -> None:
    looked = look(editor, store, csv_file(*rows))
    assert problems(looked) == [
        (2, "Goods", "“1.234” may be 1234 or 1.234: this file is written with decimal commas, or like one. Write 1234, or 1,2340.")
    ]
    plainly = look(editor, store, csv_file(*(row.replace("1.234", "1,2340") if ";" in row else row.replace("1.234", "1234") for row in rows)))
    assert (problems(plainly), counts(plainly)) == ([], (1, 0, 0))


def test_three_decimals_are_read_where_nothing_else_has_a_comma(store: Store, editor: Client) -> None:
    looked = look(editor, store, csv_file(HEADINGS, "SKU-1,1.234,0.5,EUR,"))
    confirm(editor, looked)
    assert [rule["values"]["goods"] for rule in ProposedChange.objects.get().add] == ["1.234"]
