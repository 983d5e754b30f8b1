"""Every kind of file is reached through one list, and recognised by its header."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.files import kinds as file_kinds
from connectors.files.imports import new_import
from connectors.files.kind import OPTIONS, untold
from connectors.files.orders.order_line_templates import find_template, save_template
from connectors.models import FileImport, OrderLineTemplate
from connectors.platforms.files.cost_sheet import Options
from connectors.platforms.files.faults import FileRefused
from connectors.platforms.files.template import as_json, load
from ledger.models import Order, Store
from tests.builders import a_store
from tests.connectors.files import GENERIC, HEADER, own_template, write

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)


@pytest.fixture
def store() -> Store:
    return a_store(slug="mugs")


def recognised(store: Store, folder: Path, header: str) -> list[str]:
    """Return the names of the kinds that a header may be of, the likeliest first."""
    found = file_kinds.recognise(store, write(folder, "x", header=header))
    return [candidate.kind.name for candidate in found.candidates]


def test_every_kind_has_a_name_of_its_own_and_says_where_its_files_come_from() -> None:
    kinds = file_kinds.FILE_KINDS
    assert len({kind.name for kind in kinds}) == len({kind.label for kind in kinds}) == len(kinds)
    assert all(kind.where_from.endswith(".") and len(kind.name) <= 40 and set(kind.asks) <= set(OPTIONS) for kind in kinds)
    assert all(file_kinds.find(kind.name) is kind for kind in kinds)
    assert set(OPTIONS) == set(Options.__struct_fields__)
    with pytest.raises(file_kinds.UnknownFileKind, match="reads no file of the kind “nothing”"):
        file_kinds.find("nothing")


@pytest.mark.parametrize(
    ("header", "kinds"),
    [
        (HEADER, ["order-lines"]),
        ("SKU,Cost per item", ["product-costs"]),
        ("Order,Label cost,Tracking number", ["shipping-costs"]),
        ("ORDER #,Shipping-Cost (EUR)", ["shipping-costs"]),
        ("Order,Affiliate,Commission", ["commissions"]),
        # one column more, and both could be meant
        ("Order,Affiliate,Amount", ["commissions", "shipping-costs"]),
        ("Some,Other,File", []),
    ],
)
def test_a_header_says_what_a_file_may_be(store: Store, tmp_path: Path, header: str, kinds: list[str]) -> None:
    assert recognised(store, tmp_path, header) == kinds


def test_a_file_that_is_not_read_is_named_with_the_one_to_take_instead(store: Store, tmp_path: Path) -> None:
    found = file_kinds.recognise(store, write(tmp_path, "x", header="Customer ID,First Name,Email,Accepts Email Marketing,Total Spent"))
    assert found.candidates == []
    assert found.foreign.startswith("This looks like Shopify's export of customers, which is not read here. Profit needs orders")


def test_a_template_of_the_store_is_used_for_the_next_file_with_its_header(store: Store, tmp_path: Path) -> None:
    header = HEADER.replace("order,", "Nr,")
    assert recognised(store, tmp_path, header) == []
    own = load(own_template(tmp_path, GENERIC.replace('order = "order"', 'order = "Nr"').replace("Order lines, plain headers", "My shop")))
    save_template(store, own, actor="ann", now=NOW)
    found = file_kinds.recognise(store, write(tmp_path, "x", header=header))
    assert [(candidate.kind.name, candidate.template) for candidate in found.candidates] == [("order-lines", as_json(own))]
    assert recognised(a_store(), tmp_path, header) == []
    assert find_template(store, "store:My shop") == own
    with pytest.raises(FileRefused, match=r"mugs has no template “Yours”\. It has: “store:My shop”"):
        find_template(store, "store:Yours")


def test_the_latest_template_under_a_name_holds(store: Store, tmp_path: Path) -> None:
    for channel in ("old", "new"):
        save_template(store, load(own_template(tmp_path, f'channel = "{channel}"\n' + GENERIC)), actor="ann", now=NOW)
    assert find_template(store, "store:Order lines, plain headers").channel == "new"
    assert OrderLineTemplate.objects.count() == 2


def test_looking_tells_what_is_new_and_writes_nothing(store: Store, tmp_path: Path) -> None:
    kind = file_kinds.find("order-lines")
    path = write(
        tmp_path, "1,2026-03-03 23:30,MUG,Mug,2,12.50,ann@example.com,Germany\n1,2026-03-03,shipping,Post,1,4.90,,DE\n2,2026-03-04,MUG,M,-1,3,,XX"
    )
    row = new_import(store, kind.name, as_json(load("generic-order-lines")), filename=path.name, sha256="", actor="", now=NOW)
    found = kind.look(row, path, NOW, untold)
    assert (found.rows, found.new, found.changed, found.unchanged, found.unit) == (3, 2, 0, 0, "orders")
    assert [(count.label, count.value) for count in found.counts] == [("orders", 2), ("sales", 1), ("returns", 1)]
    assert [(one.amount, one.currency) for one in found.sums] == [("26.90", "EUR")]
    assert found.headings == ["line", "order number", "date", "SKU or item code", "title", "quantity", "unit price", "country"]
    assert found.first_rows == [
        ["2", "1", "2026-03-03 23:30", "MUG", "Mug", "2", "12.5", "DE"],
        ["3", "1", "2026-03-03 00:00", "shipping (shipping)", "Post", "1", "4.9", "DE"],
        ["4", "2", "2026-03-04 00:00", "MUG", "M", "-1", "3", "unknown"],
    ]
    assert found.warnings == ["Countries not recognised (left unknown): XX."]
    assert (Order.objects.count(), FileImport.objects.count()) == (0, 0)
