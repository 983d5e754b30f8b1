"""A person says once which column of a file is which, sees how the first rows are read, and the next file needs no question."""

import pytest
from django.test import Client

from connectors.files.orders.order_line_guess import guess_columns, guess_dates, guess_decimal_sign
from connectors.models import FileImport, OrderLineTemplate
from ledger.models import Order, Sale, Store
from tests.builders import a_store
from tests.dashboards.people import signed_in, text_of
from tests.dashboards.uploads import decide, latest, page, upload

pytestmark = pytest.mark.django_db(transaction=True)
GERMAN = (
    "Nr;Datum;Art;Bezeichnung;Menge;Preis;MwSt;E-Mail\n7;03.03.2026;M;Becher;2;59,50;19,00;ann@example.com\n7;03.03.2026;porto;Versand;1;4,90;0,78;\n"
)
ANSWERS = {
    "column_order": "Nr", "column_date": "Datum", "column_quantity": "Menge", "column_unit_price": "Preis", "column_code": "Art",
    "column_title": "Bezeichnung", "column_tax": "MwSt", "date_form": "dotted", "decimal_sign": ",", "prices_include_tax": "on",
    "default_channel": "direct", "shipping_codes": "Porto", "platform": "laden", "label": "Mein Laden", "charged": "on", "write_offs": "on",
}  # fmt: skip


@pytest.fixture
def store() -> Store:
    return a_store(slug="mugs")


@pytest.fixture
def owner(store: Store) -> Client:
    return signed_in(store)


def asked(owner: Client, **changed: str) -> str:
    """Answer the questions about the latest file, and return what the next page says."""
    return text_of(owner.post(f"/mugs/imports/{latest().pk}/columns", {**ANSWERS, **changed}, follow=True))


def test_what_a_file_is_not_known_by_is_guessed_and_shown(owner: Client) -> None:
    assert "If it has one row for each line of an order, choose “Order lines”" in text_of(upload(owner, GERMAN))
    said = decide(owner, kind="order-lines")
    assert "Which column is which?" in said
    assert "Line Order number Date SKU or item code Title Quantity Unit price Tax of the row 2 7 2026-03-03 00:00 M Becher 2 59.5 19" in said
    chosen = owner.get(f"/mugs/imports/{latest().pk}/columns").content.decode()
    assert '<option value="Nr" selected>Nr · 7</option>' in chosen


def test_answers_are_kept_and_used_for_the_next_file_with_the_same_header(owner: Client, store: Store) -> None:
    upload(owner, GERMAN)
    decide(owner, kind="order-lines")
    said = asked(owner, save="1")
    assert "Kept as “Mein Laden”: the next file with these columns is read so by itself." in said
    assert "Nothing is taken yet" in said
    assert "porto (shipping)" in said
    assert "Not read, and kept nowhere: E-Mail." in said
    decide(owner)
    # 119.00 with 19.00 tax, and 4.90 with 0.78: the tax is taken out
    assert sorted(map(str, Sale.objects.filter(store_id=store.pk).values_list("net", flat=True))) == ["100.0000", "4.1200"]
    assert str(Order.objects.get(store=store).platform) == "laden"
    said = text_of(upload(owner, GERMAN.replace("7;", "8;")))
    assert "Read as “Mein Laden”." in said
    assert "Nothing is taken yet" in said
    assert OrderLineTemplate.objects.get().actor == "owner@example.com"


def test_the_first_rows_are_shown_before_anything_is_kept(owner: Client) -> None:
    upload(owner, GERMAN)
    decide(owner, kind="order-lines")
    said = asked(owner, preview="1", decimal_sign=".")
    assert "Some of these rows cannot be read: Line 2, Preis: “59,50” is no amount; write it as 1234.50" in said
    assert OrderLineTemplate.objects.count() == 0
    part = owner.post(f"/mugs/imports/{latest().pk}/columns", ANSWERS, headers={"X-Part": "preview"}).content.decode()
    assert part.strip().startswith('<section class="card" id="preview"')
    assert "<html" not in part


def test_a_column_that_is_needed_is_asked_for(owner: Client) -> None:
    upload(owner, GERMAN)
    decide(owner, kind="order-lines")
    said = asked(owner, save="1", column_order="")
    assert "This is still missing Choose the column with the order number." in said
    assert OrderLineTemplate.objects.count() == 0
    assert "Select a valid choice" in asked(owner, save="1", column_order="nothing like it")


def test_a_way_to_read_files_is_corrected_without_asking_everything_again(owner: Client) -> None:
    upload(owner, GERMAN)
    decide(owner, kind="order-lines")
    asked(owner, save="1")
    address = f"/mugs/imports/{latest().pk}/columns"
    shown = owner.get(address).content.decode()
    assert 'value="Mein Laden"' in shown and 'value="Porto"' in shown and 'value="laden"' in shown
    asked(owner, save="1", shipping_codes="")
    assert "porto (shipping)" not in page(owner)
    assert OrderLineTemplate.objects.count() == 2


def test_a_file_that_was_taken_is_not_read_otherwise(owner: Client) -> None:
    upload(owner, GERMAN)
    decide(owner, kind="order-lines")
    asked(owner, save="1")
    decide(owner)
    asked(owner, save="1", label="Later")
    assert (OrderLineTemplate.objects.count(), FileImport.objects.get().state) == (1, "done")


@pytest.mark.parametrize(
    ("header", "guessed"),
    [
        ("Order ID,Created at,Qty,Item price", {"order": "Order ID", "date": "Created at", "quantity": "Qty", "unit_price": "Item price"}),
        ("invoice,DATE,Menge,Preis,E-mail", {"order": "invoice", "date": "DATE", "quantity": "Menge", "unit_price": "Preis"}),
    ],
)  # fmt: skip
def test_columns_are_guessed_by_their_names(header: str, guessed: dict[str, str]) -> None:
    assert guess_columns(header.split(",")) == guessed


def test_dates_and_decimal_signs_are_guessed_by_what_stands_there() -> None:
    assert [guess_dates([text]) for text in ("2026-03-31", "31.03.2026 10:00", "31/03/2026", "03/31/2026", "Mar 31, 2026", "")] == [
        "iso", "dotted", "day", "month", "words", "iso",
    ]  # fmt: skip
    assert [guess_decimal_sign([text]) for text in ("1,50", "1.50", "1,234", "")] == [",", ".", ".", "."]
