"""The history of imports is narrowed, sorted, paged and saved as a file; column mappings are listed, renamed and deleted."""

import csv
import io
from datetime import timedelta
from io import BytesIO

import pytest
from django.test import Client
from django.utils import timezone
from openpyxl import load_workbook

from connectors.files.orders.order_line_templates import save_template, templates_of
from connectors.models import FileImport, OrderLineTemplate
from connectors.platforms.files.template import Columns, Template, as_json
from ledger.models import Store
from ledger.people import Role
from tests.builders import a_store, at
from tests.dashboards.people import signed_in, text_of

pytestmark = pytest.mark.django_db

NOW = at("2026-03-20 12:00")
LISTED = ["file", "kind", "state", "brought in", "by", "rows", "new", "changed", "unchanged", "ended", "undone"]


@pytest.fixture
def store() -> Store:
    return a_store(slug="mugs", zone="Europe/Berlin")


@pytest.fixture
def owner(store: Store) -> Client:
    return signed_in(store)


def brought(
    store: Store, filename: str, state: str = "done", kind: str = "order-lines", hours: int = 0, job: int | None = 1, **values: int
) -> FileImport:
    return FileImport.objects.create(
        store=store, filename=filename, state=state, kind=kind, template={}, started_at=NOW + timedelta(hours=hours), job=job, actor="ann", **values
    )  # fmt: skip


@pytest.fixture
def files(store: Store) -> list[FileImport]:
    return [
        brought(store, "b.csv", rows=30, changed_orders=5, new_orders=3, unchanged_orders=1),
        brought(store, "A-labels.csv", kind="shipping-costs", hours=1, rows=20, changed_orders=9, new_orders=9),
        brought(store, "=c.csv", state="refused", hours=2),
        brought(store, "d.csv", state="waiting", hours=3, job=None),
        brought(store, "e.csv", state="waiting", hours=4),
        brought(store, "f.csv", state="partly", hours=5, rows=90, changed_orders=1, new_orders=1),
    ]  # fmt: skip


def listed(client: Client, query: str = "") -> list[list[str]]:
    """Return the lines of the list as a CSV file."""
    answer = client.get(f"/mugs/imports.csv?{query}")
    assert (answer.status_code, answer["Content-Disposition"]) == (200, 'attachment; filename="mugs-imports.csv"')
    return list(csv.reader(io.StringIO(answer.content.decode())))


def names(client: Client, query: str) -> list[str]:
    return [line[0] for line in listed(client, query)[1:]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["f.csv", "e.csv", "d.csv", "'=c.csv", "A-labels.csv", "b.csv"]),
        ("q=LABELS", ["A-labels.csv"]),
        ("kind=shipping-costs", ["A-labels.csv"]),
        ("state=undecided", ["d.csv"]),
        ("state=busy", ["e.csv"]),
        ("state=partly", ["f.csv"]),
        ("state=refused", ["'=c.csv"]),
        ("state=taken&kind=order-lines", ["b.csv"]),
        ("sort=when", ["b.csv", "A-labels.csv", "'=c.csv", "d.csv", "e.csv", "f.csv"]),
        ("sort=file", ["'=c.csv", "A-labels.csv", "b.csv", "d.csv", "e.csv", "f.csv"]),
        ("sort=-rows&state=taken", ["b.csv", "A-labels.csv"]),
        ("sort=-new&state=taken", ["A-labels.csv", "b.csv"]),
        ("sort=-changed&state=taken", ["b.csv", "A-labels.csv"]),
    ],
)
def test_the_list_is_narrowed_and_sorted(owner: Client, files: list[FileImport], query: str, found: list[str]) -> None:
    assert names(owner, query) == found
    page = owner.get(f"/mugs/imports?{query}").content.decode()
    places = [page.index(f">{name.removeprefix(chr(39))}</a>") for name in found]
    assert places == sorted(places)
    assert page.count('<th scope="row">') == len(found)


def test_a_line_says_what_the_page_says(owner: Client, files: list[FileImport]) -> None:
    assert listed(owner, "q=b.csv") == [
        LISTED, ["b.csv", "Order lines", "taken", "2026-03-20 13:00:00+01:00", "ann", "30", "3", "2", "1", "", ""],
    ]  # fmt: skip


def test_the_workbook_holds_the_same_with_numbers_as_numbers(owner: Client, files: list[FileImport]) -> None:
    answer = owner.get("/mugs/imports.xlsx?sort=file")
    sheet = load_workbook(BytesIO(answer.content)).active
    assert sheet is not None
    rows = [list(row) for row in sheet.iter_rows(values_only=True)]
    assert rows[0] == LISTED
    assert [row[0] for row in rows[1:4]] == ["=c.csv", "A-labels.csv", "b.csv"]
    assert rows[3][5:9] == [30, 3, 2, 1]


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("kind=moon", "No kind of file is called so."),
        ("state=lost", "No file can be in such a state."),
        ("sort=colour", "Files are sorted by when, file, rows, new, changed."),
    ],
)
def test_what_cannot_be_asked_is_said_and_no_file_is_sent(owner: Client, files: list[FileImport], query: str, told: str) -> None:
    said = text_of(owner.get(f"/mugs/imports?{query}"))
    assert told in said
    assert "Every file is shown instead." in said
    answer = owner.get(f"/mugs/imports.csv?{query}")
    assert (answer.status_code, answer.content.decode()) == (400, told)


def test_a_heading_sorts_and_turns_round_and_keeps_what_is_narrowed(owner: Client, files: list[FileImport]) -> None:
    page = owner.get("/mugs/imports?state=taken").content.decode()
    assert '<a class="sort" href="?state=taken&amp;sort=-rows">' in page
    assert '<th scope="col" class="text" aria-sort="descending"><a class="sort" href="?state=taken&amp;sort=when">' in page
    page = owner.get("/mugs/imports?state=taken&sort=-rows").content.decode()
    assert '<th scope="col" aria-sort="descending"><a class="sort" href="?state=taken&amp;sort=rows">' in page


def test_pages_keep_what_is_narrowed(store: Store, owner: Client) -> None:
    FileImport.objects.bulk_create(
        FileImport(store=store, kind="order-lines", template={}, filename=f"{number}.csv", state="done", started_at=timezone.now())
        for number in range(51)
    )
    assert 'rel="next" href="?kind=order-lines&amp;page=2"' in owner.get("/mugs/imports?kind=order-lines").content.decode()
    assert 'rel="prev" href="?kind=order-lines"' in owner.get("/mugs/imports?kind=order-lines&page=2").content.decode()


def test_nothing_that_matches_is_told_from_nothing_at_all(owner: Client, files: list[FileImport]) -> None:
    assert "No file matches." in text_of(owner.get("/mugs/imports?q=nowhere"))


MAPPING = Template("own", "Shop lines", Columns(order="Nr", date="Datum", quantity="Menge", unit_price="Preis"))


def mapping(store: Store, label: str = "Shop lines") -> OrderLineTemplate:
    return save_template(store, Template("own", label, MAPPING.columns), actor="ann", now=NOW)


def test_mappings_are_listed_with_what_they_read_and_how_often(store: Store, owner: Client) -> None:
    mapping(store)
    FileImport.objects.create(store=store, filename="a.csv", kind="order-lines", template=as_json(MAPPING), state="done", started_at=NOW)
    said = text_of(owner.get("/mugs/imports/mappings"))
    assert "Shop lines Saved 20 Mar 2026, 13:00 Europe/Berlin by ann" in said
    assert "Files read so 1 The last one 20 Mar 2026, 13:00 Europe/Berlin Columns it reads Nr, Datum, Menge, Preis" in said


def test_a_mapping_is_renamed_and_the_next_file_is_still_read_so(store: Store, owner: Client) -> None:
    mapping(store)
    said = text_of(owner.post("/mugs/imports/mappings", {"name": "Shop lines", "rename": "  Till  lines "}, follow=True))
    assert "“Shop lines” is called “Till lines” now." in said
    assert [(template.label, template.columns) for template in templates_of(store)] == [("Till lines", MAPPING.columns)]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"name": "Shop lines", "rename": "Other"}, "Another mapping is called “Other”."),
        ({"name": "Shop lines", "rename": " "}, "A name has between one and 60 letters."),
        ({"name": "Shop lines", "rename": "x" * 61}, "A name has between one and 60 letters."),
        ({"name": "Gone", "rename": "New"}, "There is no mapping “Gone” any more."),
        ({"name": "Gone", "delete": "1"}, "There is no mapping “Gone” any more."),
    ],
)
def test_what_cannot_be_done_to_a_mapping_is_said(store: Store, owner: Client, given: dict[str, str], told: str) -> None:
    mapping(store)
    mapping(store, "Other")
    assert told in text_of(owner.post("/mugs/imports/mappings", given, follow=True))
    assert sorted(template.label for template in templates_of(store)) == ["Other", "Shop lines"]


def test_a_mapping_is_deleted_and_another_stores_is_not(store: Store, owner: Client) -> None:
    mapping(store)
    other = a_store(slug="other")
    mapping(other)
    assert "“Shop lines” is deleted." in text_of(owner.post("/mugs/imports/mappings", {"name": "Shop lines", "delete": "1"}, follow=True))
    assert (templates_of(store), len(templates_of(other))) == ([], 1)


def test_who_may_not_bring_in_files_sees_the_list_and_no_mappings(store: Store, files: list[FileImport]) -> None:
    reader = signed_in(store, email="reader@example.com", role=Role.ANALYST)
    assert names(reader, "q=b.csv") == ["b.csv"]
    assert reader.get("/mugs/imports/mappings").status_code == 403


@pytest.mark.parametrize("given", [{"name": "x\0", "delete": "1"}, {"name": "x\0", "rename": "y\0"}])
def test_a_name_that_the_database_cannot_hold_breaks_nothing(owner: Client, given: dict[str, str]) -> None:
    assert "“x”" in text_of(owner.post("/mugs/imports/mappings", given, follow=True))
