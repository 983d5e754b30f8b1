"""When an account's owner has left, what was received of it goes, its secrets too, and its buyers become nobodies; the books stay."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from connectors import registry
from connectors.files.kind import untold
from connectors.files.uploads import look_at, receive
from connectors.models import Connection, ConsentRequest, FileImport, FilePiece, PrivacyCase, SyncCursor, WebhookDelivery, WebhookDoor
from connectors.platforms.shopify import bulk
from connectors.platforms.shopify.connector import SHOPIFY
from connectors.privacy import take
from connectors.reading import runs
from connectors.reading.bulk_files import BulkFile, BulkRecords, build
from connectors.spec import PrivacyRequest
from ledger.audit import check_all
from ledger.models import Customer, Finding, Store
from ledger.sealing import seal
from profitpeek.jobs.models import Job
from tests.builders import a_store, book_of
from tests.connectors import shopify_files
from tests.connectors.bazaar import BAZAAR, a_record, open_bazaar
from tests.connectors.connecting import connected, pull
from tests.connectors.people import NOW, ask_by_page, ask_by_platform, bought, changes, connect, done, everything, job_of, tell, tell_file
from tests.dashboards.people import a_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def store() -> Store:
    return a_store()


@pytest.fixture
def connection(store: Store) -> Connection:
    return connect(store)


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.BULK_FOLDER = tmp_path / "bulk"
    return tmp_path / "bulk"


def test_an_account_that_was_left_is_erased_and_the_books_stay(store: Store, connection: Connection, tmp_path: Path, folder: Path) -> None:
    other = connect(store, "south.myshopify.com")
    tell_file(store, tmp_path, shopify_files.an_order(1009, Email="ann@example.com"))
    tell(connection, bought(1001, 42), bought(1002, 43), bought(1003, 42), {**bought(1005, 42), "processedAt": "soon"})
    tell(connection, bought(1006, None))
    tell(other, bought(1004, 44), bought(1007, None))
    runs.add_cursors(connection, SHOPIFY.streams)
    runs.add_cursors(other, SHOPIFY.streams)
    (folder / f"{connection.pk}-orders").mkdir(parents=True)
    (folder / f"{connection.pk}-orders" / "x.jsonl").write_bytes(b"{}\n")
    ConsentRequest.objects.create(
        state_hash="x", user=a_person(store), session_hash="y", store=store, platform="shopify", account_ref=connection.account_ref,
        secrets=b"sealed", created_at=NOW, expires_at=NOW,
    )  # fmt: skip
    Connection.objects.filter(pk=connection.pk).update(secrets=seal(b"{}"), status="needs_consent")
    WebhookDoor.objects.create(connection=connection, token_hash="x", token=b"sealed", signing=b"sealed", made_at=NOW)
    WebhookDelivery.objects.create(connection=connection, topic="orders/create", delivery_id="x", received_at=NOW, state="dead", body=b"sealed")
    before = everything()
    case = ask_by_platform(connection, "erase_account", person="")
    told = changes(before, everything())
    assert {table: (rows[0], len(rows)) for table, rows in told.items()} == {
        "connectors_connection": ("status secrets disconnected_at", 1),
        "connectors_consentrequest": ("-", 1),
        "connectors_parkedrecord": ("-", 1),
        "connectors_rawpayload": ("-", 2),
        "connectors_synccursor": ("-", len(SHOPIFY.streams)),
        "connectors_webhookdelivery": ("-", 1),
        "connectors_webhookdoor": ("-", 1),
        "ledger_customer": ("country erased_at identity_hash", 2),
        "ledger_order": ("region", 4),
    }
    assert (case.state, case.counts) == ("done", {"pages": 2, "parked": 1, "deliveries": 2, "bulk_folders": 1, "customers": 2, "guests": 1})
    assert (list(folder.iterdir()), any(check_all(book_of(store)).values())) == ([], False)
    assert SyncCursor.objects.filter(connection=other).count() == len(SHOPIFY.streams)


def test_an_account_that_answers_is_not_erased_without_a_person(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.CONNECTORS, "bazaar", BAZAAR)
    with open_bazaar() as bazaar:
        bazaar.add(a_record(1))
        connection = connected(store, bazaar)
        pull(connection)
        before = everything()
        case = ask_by_platform(connection, "erase_account", person="")
        assert (case.state, case.problem[:50], job_of(case).fault) == ("failed", "The account is connected and answers, so it was no", "attention")
        assert changes(before, everything()) == {"connectors_connection": ["scopes last_ok_at"], "ledger_finding": ["+"]}
        bazaar.switches.refuse = {"/shop": (503, {})}
        Job.objects.filter(pk=case.job).update(state="waiting", not_before=NOW, finished_at=None)
        assert (done(case).state, case.problem[:20]) == ("failed", "Bazaar answered 503.")
        # It was uninstalled, and nobody told.
        bazaar.switches.refuse = {"": (401, {})}
        Job.objects.filter(pk=case.job).update(not_before=NOW)
        assert (done(case).state, case.counts, Finding.objects.get(kind="privacy_request").resolved_at is not None) == ("done", {"pages": 1}, True)
        assert Connection.objects.get().secrets is None


def test_a_buyer_of_an_account_that_comes_back_is_somebody_new_and_old_orders_stay_nobodys(connection: Connection) -> None:
    first = bought(1001, 42)
    tell(connection, first)
    Connection.objects.update(status="disconnected")
    ask_by_platform(connection, "erase_account", person="")
    before = everything()
    tell(connection, {**first, "updatedAt": "2026-11-07T10:00:00Z"})
    assert set(changes(before, everything())) == {"connectors_rawpayload", "ledger_customer", "ledger_order"}
    tell(connection, bought(1002, 42))
    assert sorted((row.order_count, row.erased_at is None) for row in Customer.objects.filter(order_count=1)) == [(1, False), (1, True)]
    assert not any(check_all(book_of(connection.store)).values())


LINES: list[dict[str, Any]] = [
    {"__typename": "Order", **{key: value for key, value in bought(number, customer).items() if not isinstance(value, dict) or "nodes" not in value}}
    for number, customer in ((1001, 42), (1002, 43), (1003, 42))
]  # fmt: skip


def test_lines_of_bulk_files_are_overwritten_where_they_stand(connection: Connection, folder: Path) -> None:
    own = folder / f"{connection.pk}-orders"
    own.mkdir(parents=True)
    path, children = own / "a-0.jsonl", {"__typename": "LineItem", "id": "gid://shopify/LineItem/1", "__parentId": LINES[0]["id"]}
    lines = [LINES[0], children, LINES[1], LINES[2]]
    path.write_bytes(b"\n".join(msgspec.json.encode(line) for line in lines))
    index = own / "a.sqlite"
    build(index, [BulkFile(path, False)], bulk.ORDERS, lambda count: None)
    size = path.stat().st_size
    assert ask_by_platform(connection).counts == {"bulk": 2}
    with BulkRecords(index, [BulkFile(path, False)]) as records:
        told = list(records.lines(1, 10))
    assert [[line.get("customer", "no line of an order") for line in lines] for lines in told] == [
        [None, "no line of an order"], [{"id": "gid://shopify/Customer/43"}], [None]
    ]  # fmt: skip
    assert (path.stat().st_size, b"Customer/42" in path.read_bytes()) == (size, False)


def test_what_is_fetched_of_a_file_by_half_is_thrown_away(connection: Connection, folder: Path) -> None:
    own = folder / f"{connection.pk}-orders"
    own.mkdir(parents=True)
    for name in ("a-0.draft", "a-0.validator", "a-1.jsonl", "a.draft"):
        (own / name).write_bytes(msgspec.json.encode(LINES[1])[:-20])
    ask_by_platform(connection)
    assert sorted(path.name for path in own.iterdir()) == ["a-1.jsonl", "a.draft"]


def test_an_uploaded_file_that_names_them_is_put_away_whoever_else_is_in_it(store: Store, tmp_path: Path) -> None:
    kept = []
    for name, email in (("hers.csv", "Ann@Example.com"), ("others.csv", "joann@example.com")):
        path = shopify_files.write_orders(tmp_path, shopify_files.an_order(1001 if name == "hers.csv" else 1002, Email=email), name=name)
        with path.open("rb") as file:
            row = receive(store, file, kind="shopify-orders", template={"options": {}}, filename=name, actor="", now=NOW)
        look_at(row, now=NOW, progress=untold)
        kept.append(row)
    case = ask_by_page(store, identities=["ann@example.com"])
    assert case.counts == {"waiting": 1}
    assert [FileImport.objects.get(pk=row.pk).state for row in kept] == ["refused", "waiting"]
    assert "a person in it had their data erased" in FileImport.objects.get(pk=kept[0].pk).problem
    assert set(FilePiece.objects.values_list("file_import", flat=True)) == {kept[1].pk}


def test_a_delivery_is_taken_once_and_in_the_callers_transaction(connection: Connection) -> None:
    request = PrivacyRequest("data_request", "42", ("1",), "asked-7")
    for _ in range(2):
        take(connection, request, delivery_id="one", now=NOW)
    take(connection, PrivacyRequest("erase_person", "42", ()), delivery_id="two", now=NOW)
    assert sorted(PrivacyCase.objects.values_list("kind", "reference")) == [("data_request", "asked-7"), ("erase_person", "two")]
    assert [sorted(job.parameters) for job in Job.objects.filter(kind="privacy-case")] == [["case"], ["case"]]
