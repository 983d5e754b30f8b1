"""A person who is erased is nobody's everywhere, no figure moves, nothing else changes, and whatever is told of them later is nobody's too."""

import zipfile
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import msgspec
import pytest
from django.db import connection as database
from django.utils import timezone

from connectors.files.imports import archived
from connectors.models import Connection, FileImport, ParkedRecord, PrivacyCase, PrivacyCopy, RawPayload
from connectors.privacy import copying, cutting, take
from connectors.privacy.doing import do
from connectors.privacy.sought import opened
from connectors.reading import archive
from connectors.reading.parking import body_of
from connectors.spec import PrivacyRequest
from ledger.audit import check_all
from ledger.identity import customer_hash, is_nobody
from ledger.models import Customer, ErasedIdentity, Finding, Order, Store
from ledger.sealing import unseal
from ledger.stores import open_successor
from profitpeek.jobs.models import Job
from tests.builders import a_store, an_order, book_of, write
from tests.connectors import shopify_files
from tests.connectors.people import NOW, ask_by_page, ask_by_platform, bought, changes, connect, done, everything, job_of, tell, tell_file

pytestmark = pytest.mark.django_db


@pytest.fixture
def store() -> Store:
    return a_store()


@pytest.fixture
def connection(store: Store) -> Connection:
    return connect(store)


def audited(store: Store) -> bool:
    return not any(check_all(book_of(store)).values())


def customers_of_record(connection: Connection) -> list[str | None]:
    """Return the customer of each record of the archive, nobodies without their number."""
    told = [record["customer"] for page in archive.pages(connection, "orders") for _, record in page]
    names = [None if customer is None else customer["id"].rpartition("/")[2] for customer in told]
    return ["nobody" if name and is_nobody(name) else name for name in names]


def test_a_person_is_erased_by_their_platform_and_nothing_else_changes(store: Store, connection: Connection, tmp_path: Path) -> None:
    """Order 1001 is told by a file with an e-mail address too, which leads to 1003: the platform never told that one."""
    tell_file(store, tmp_path, shopify_files.an_order(1001, Email="ann@example.com"), shopify_files.an_order(1003, Email="ann@example.com"))
    tell(connection, bought(1001, 42), bought(1002, 43))
    tell(connection, bought(1004, 42))
    other_connection = connect(other := a_store())
    tell(other_connection, bought(1001, 42))
    before = everything()
    case = ask_by_platform(connection)
    assert changes(before, everything()) == {
        "connectors_rawpayload": ["body sha256 redacted_at"] * 3,
        "ledger_customer": ["country erased_at identity_hash"] * 2,
        "ledger_erasedidentity": ["+", "+"],
        "ledger_order": ["region"] * 3,
    }
    assert (case.state, case.counts, case.notes, case.sought, case.problem) == (
        "done", {"customers": 2, "received": 2, "imported": 2}, [], None, ""
    )  # fmt: skip
    assert (audited(store), audited(other)) == (True, True)
    assert customers_of_record(connection) == ["nobody", "43", "nobody"]
    assert customers_of_record(other_connection) == ["42"]
    regions = dict(Order.objects.filter(store=store).values_list("number", "region"))
    assert regions == {"#1001": "", "#1002": "BE", "#1003": "", "#1004": ""}


def test_a_later_telling_moves_no_figure_and_brings_nobody_back(store: Store, connection: Connection) -> None:
    first, second, third = bought(1001, 42), bought(1002, 43), bought(1003, 42)
    tell(connection, first, second, third)
    case = ask_by_platform(connection)
    before = everything()
    later = [{**record, "updatedAt": "2026-11-06T10:00:00Z"} for record in (first, third)]
    # Shopify may know the customer still, or not any more.
    known = tell(connection, *later)
    unknown = tell(connection, *({**record, "customer": None, "shippingAddress": None} for record in later))
    assert (known, unknown) == (2, 2)
    told = changes(before, everything())
    assert {table: sorted({*rows}) for table, rows in told.items()} == {
        "connectors_rawpayload": ["+"],
        "ledger_order": ["facts_digest platform_updated_at"],
    }
    assert customers_of_record(connection) == ["nobody", "43", "nobody", None, None, None, None]
    assert (case.state, audited(store)) == ("done", True)


def test_a_new_order_of_somebody_who_was_erased_is_nobodys(store: Store, connection: Connection, tmp_path: Path) -> None:
    tell_file(store, tmp_path, shopify_files.an_order(1001, Email="ann@example.com"))
    ask_by_page(store, identities=["Ann@example.com "])
    tell(connection, bought(1002, 42))
    tell_file(store, tmp_path, shopify_files.an_order(1001, Email="ann@example.com"), shopify_files.an_order(1005, Email="ann@example.com"))
    known = {order.number: order.customer_id is not None for order in Order.objects.filter(store=store)}
    assert known == {"#1001": True, "#1002": True, "#1005": False}
    assert Customer.objects.filter(store=store, identity_hash=customer_hash(store.pk, "ann@example.com")).count() == 0
    (last,) = archived(FileImport.objects.latest("pk"))
    assert [row for _, rows in last for row in rows if customer_hash(store.pk, "ann@example.com").hex() in row] == []
    assert audited(store)


def test_an_import_that_told_of_them_can_be_undone_and_told_again(store: Store, tmp_path: Path) -> None:
    tell_file(store, tmp_path, shopify_files.an_order(1001, Email="ann@example.com"), shopify_files.an_order(1002, Email="ann@example.com"))
    ask_by_page(store, orders=["1002"])
    path = tmp_path / "orders_export.csv"
    assert shopify_files.undo(store, path, "shopify-orders") is not None
    assert audited(store)
    tell_file(store, tmp_path, shopify_files.an_order(1001, Email="ann@example.com"), shopify_files.an_order(1002, Email="ann@example.com"))
    assert set(Customer.objects.filter(store=store).values_list("order_count", "country")) == {(2, "")}
    assert audited(store)


def test_a_parked_record_is_cut_as_well(connection: Connection) -> None:
    tell(connection, {**bought(1001, 42), "processedAt": "soon"}, {**bought(1002, 43), "processedAt": "soon"})
    assert ParkedRecord.objects.count() == 2
    case = ask_by_platform(connection)
    told = [body_of(row)["customer"]["id"].rpartition("/")[2] for row in ParkedRecord.objects.order_by("external_id")]
    assert ([is_nobody(name) for name in told], case.counts) == ([True, False], {"parked": 1, "received": 1})


def test_a_till_that_many_orders_name_is_not_followed(store: Store, connection: Connection, tmp_path: Path) -> None:
    tell_file(store, tmp_path, *(shopify_files.an_order(1001 + number, Email="till@example.com") for number in range(55)))
    tell(connection, bought(1001, 42))
    case = ask_by_platform(connection)
    assert case.notes == [
        "1 more identity is told with these orders, but also with orders of others, or with more than 50: "
        "the address of a till or a marketplace rather than of one person. It was left alone."
    ]
    assert Customer.objects.filter(store=store, erased_at=None).values_list("order_count", flat=True).get() == 54


def test_nothing_that_says_who_it_was_is_left_in_the_case_its_job_or_a_finding(store: Store, connection: Connection, tmp_path: Path) -> None:
    tell_file(store, tmp_path, shopify_files.an_order(1001, Email="ann@example.com"))
    case = ask_by_page(store, identities=["ann@example.com"], orders=["#1001"])
    assert not list(PrivacyCase.objects.exclude(sought=None))
    with database.cursor() as cursor:
        cursor.execute("SELECT to_jsonb(c)::text || to_jsonb(j)::text FROM connectors_privacycase c JOIN jobs_job j ON j.id = c.job")
        text = cursor.fetchone()[0]
    assert [word for word in ("example.com", "1001", customer_hash(store.pk, "ann@example.com").hex()) if word in text] == ["example.com"]
    assert text.count("ann@example.com") == text.count(case.actor)


def test_a_platform_that_asks_twice_is_obeyed_once(connection: Connection) -> None:
    tell(connection, bought(1001, 42))
    case = ask_by_platform(connection)
    assert done(case).counts == {"customers": 1, "received": 1}
    again = ask_by_platform(connection)
    assert (again.pk == case.pk, again.counts, ErasedIdentity.objects.count()) == (False, {}, 1)


def test_a_page_that_was_being_read_is_waited_for(connection: Connection) -> None:
    tell(connection, bought(1001, 42))
    reader = Job.objects.create(
        kind="sync-stream", key="x", state="running", max_attempts=1, parameters={"connection": connection.pk}, started_at=NOW, lease_until=NOW,
    )  # fmt: skip
    case = ask_by_platform(connection)
    assert (case.state, case.counts, job_of(case).state, job_of(case).attempts) == ("open", {}, "waiting", 0)
    assert opened(case).identities == ["42"]
    assert ErasedIdentity.objects.count() == 1
    # It ends by keeping a page of before.
    Job.objects.filter(pk=reader.pk).update(state="done", finished_at=NOW)
    archive.keep_page(connection, "orders", [("5370000001002", bought(1002, 42))], now=NOW)
    Job.objects.filter(pk=case.job).update(not_before=NOW)
    assert done(case).counts == {"customers": 1, "received": 2}
    assert customers_of_record(connection) == ["nobody", "nobody"]


def test_what_is_sealed_with_a_lost_key_is_counted(connection: Connection, settings: object) -> None:
    tell(connection, bought(1001, 42))
    RawPayload.objects.update(body=b"sealed long ago")
    assert ask_by_platform(connection).counts == {"customers": 1, "unopened": 1}


def test_what_goes_wrong_is_said_without_naming_anybody_and_tried_again(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    tell(connection, bought(1001, 42))
    monkeypatch.setattr(archive, "rewrite", lambda payload, packed, keys, now: [][42])
    case = ask_by_platform(connection)
    job = job_of(case)
    assert (case.state, job.state, job.fault) == ("failed", "waiting", "retryable")
    assert case.problem.startswith("It broke what does it: IndexError at test_erasing_people.py:")
    finding = Finding.objects.get(kind="privacy_request")
    assert finding.message.startswith("A request about personal data (erasure of a person), received on ")
    assert ("42" in finding.message.replace(":42", ""), "Customer" in f"{job.error}{job.detail}") == (False, False)
    monkeypatch.undo()
    Job.objects.filter(pk=case.job).update(not_before=NOW)
    assert (done(case).state, case.problem, case.counts) == ("done", "", {"customers": 1, "received": 1})
    finding.refresh_from_db()
    assert finding.resolved_at is not None


def test_a_copy_holds_all_that_is_held_and_goes_with_the_person(store: Store, connection: Connection, tmp_path: Path) -> None:
    tell_file(store, tmp_path, shopify_files.an_order(1001, Email="ann@example.com"), shopify_files.an_order(1002, Email="bob@example.com"))
    tell(connection, bought(1001, 42), bought(1002, 43))
    before = everything()
    case = ask_by_platform(connection, "data_request", orders=["5370000001001"])
    assert changes(before, everything()) == {}
    assert (case.state, case.counts, case.sought) == ("done", {"customers": 2, "orders": 1, "received": 1, "imported": 1}, None)
    files = zipfile.ZipFile(BytesIO(unseal(bytes(case.copy.body))))
    assert files.namelist() == ["README.txt", "data.json", "orders.csv", "goods.csv", "sales.csv", "visits.csv", "payments.csv"]
    told = msgspec.json.decode(files.read("data.json"))
    assert [order["number"] for order in told["orders"]] == ["#1001"]
    assert [each["record"]["customer"]["id"] for each in told["received"]] == ["gid://shopify/Customer/42"]
    assert "1001" in files.read("payments.csv").decode()
    assert customer_hash(store.pk, "ann@example.com").hex() not in files.read("data.json").decode()
    assert ask_by_platform(connection).counts == {"customers": 2, "received": 1, "imported": 1, "copies": 1}


class Cut(Exception):
    """Stands for a kill."""


def test_an_erasure_that_is_cut_after_any_transaction_goes_on_and_counts_everything_once(
    store: Store, connection: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cutting, "AT_ONCE", 1)
    tell_file(store, tmp_path, shopify_files.an_order(1001, Email="ann@example.com"), shopify_files.an_order(1002, Email="bob@example.com"))
    for number, customer in ((1001, 42), (1002, 43), (1003, 42), (1004, 42)):
        tell(connection, bought(number, customer))
    take(connection, PrivacyRequest("erase_person", "42", ()), delivery_id="one", now=NOW)
    case, cuts = PrivacyCase.objects.get(), 0

    def cut_at(last: int) -> Callable[[], None]:
        transactions = iter(range(last))

        def guard() -> None:
            if next(transactions, None) is None:
                raise Cut

        return guard

    while case.state != "done":
        assert cuts < 100
        with suppress(Cut):
            do(case, now=NOW, progress=lambda step, done, whole: None, guard=cut_at(cuts % 3))
        case, cuts = PrivacyCase.objects.get(), cuts + 1
    assert cuts > 10
    assert case.counts == {"customers": 2, "received": 3, "imported": 1}
    assert customers_of_record(connection) == ["nobody", "43", "nobody", "nobody"]
    assert (audited(store), Customer.objects.filter(store=store, erased_at=None).count(), ErasedIdentity.objects.count()) == (True, 2, 2)


def test_a_copy_that_is_cut_is_made_anew(store: Store, connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    tell(connection, bought(1001, 42))
    take(connection, PrivacyRequest("data_request", "42", ()), delivery_id="one", now=NOW)
    monkeypatch.setattr(copying, "make", lambda *told, **more: [][1])
    case = done(PrivacyCase.objects.get())
    assert (case.state, PrivacyCopy.objects.count()) == ("failed", 0)
    monkeypatch.undo()
    Job.objects.filter(pk=case.job).update(not_before=NOW)
    assert (done(case).counts, PrivacyCopy.objects.count()) == ({"customers": 1, "orders": 1, "received": 1}, 1)


def test_an_order_that_their_platform_names_loses_what_is_finer_than_its_country_also_where_a_guest_placed_it(connection: Connection) -> None:
    tell(connection, bought(1001, None), bought(1002, 43))
    before = everything()
    case = ask_by_platform(connection, orders=["5370000001001"])
    assert changes(before, everything()) == {"ledger_erasedidentity": ["+"], "ledger_order": ["region"]}
    assert (case.state, case.counts) == ("done", {})


def test_an_import_by_the_command_line_is_waited_for_and_one_that_was_cut_is_not(store: Store, connection: Connection) -> None:
    row = FileImport.objects.create(store=store, kind="shopify-orders", template={}, filename="x", state="running", started_at=timezone.now())
    case = ask_by_platform(connection)
    assert (case.state, job_of(case).error) == ("open", "Waiting for whoever reads already to end.")
    FileImport.objects.filter(pk=row.pk).update(started_at=timezone.now() - timedelta(hours=2))
    Job.objects.filter(pk=case.job).update(not_before=NOW)
    assert done(case).state == "done"


def test_a_store_that_goes_on_in_another_currency_is_to_be_asked_as_well(store: Store) -> None:
    later = open_successor(store, currency="USD", zone="UTC")
    assert ask_by_page(store, identities=["ann@example.com"]).notes == [
        f"{later.name} goes with this store and may hold something of them as well. Ask there too."
    ]


def test_who_was_erased_is_recognised_in_no_store_that_goes_with_it(store: Store, connection: Connection) -> None:
    tell(connection, bought(1001, 42))
    ask_by_platform(connection)
    later = open_successor(store, currency="USD", zone="UTC")
    tell(connect(later), bought(1002, 42, currencyCode="USD"), bought(1003, 43, currencyCode="USD"))
    other = a_store()
    tell(connect(other), bought(1002, 42))
    assert [Customer.objects.filter(store=each, erased_at=None).count() for each in (store, later, other)] == [0, 1, 1]


def test_a_number_that_two_platforms_use_names_nobody(store: Store, connection: Connection) -> None:
    tell(connection, bought(1001, 42))
    write(store, an_order("1001", customer="ann"))
    case = ask_by_page(store, orders=["1001", "5370000001001"])
    assert (case.counts, Customer.objects.filter(erased_at=None).count()) == ({"customers": 1, "received": 1}, 1)
    assert "1 of the numbers that were named is of several orders" in case.notes[0]


def a_customer(number: int, orders: int) -> dict[str, object]:
    return {
        "id": f"gid://shopify/Customer/{number}", "updatedAt": "2026-11-05T10:00:00Z", "numberOfOrders": str(orders),
        "defaultAddress": {"countryCodeV2": "DE"},
    }  # fmt: skip


def test_a_record_of_the_person_is_called_otherwise_and_found_by_its_number_no_more(store: Store, connection: Connection) -> None:
    """Order 1002 and customer 1002 are of different people, though they look alike."""
    tell(connection, bought(1001, 42), {**bought(1002, 42), "id": "gid://shopify/Order/7"}, bought(1003, 1002))
    tell(connection, a_customer(42, 2), a_customer(1002, 1), stream="customers")
    tell(connection, {**a_customer(42, 2), "numberOfOrders": "some"}, stream="customers")
    case = ask_by_page(store, orders=["1002"])
    assert (case.counts, case.notes) == ({"customers": 1, "received": 4, "parked": 1}, [])
    told = [name for page in archive.pages(connection, "customers") for name, _ in page]
    assert ["nobody" if is_nobody(name) else name for name in told] == ["nobody", "1002", "nobody"]
    assert is_nobody(ParkedRecord.objects.get().external_id)
    assert RawPayload.objects.filter(keys__overlap=archive.keys_of(["42"])).count() == 0
    assert Customer.objects.filter(erased_at=None).count() == 1
    tell(connection, a_customer(42, 3), stream="customers")
    assert [name for page in archive.pages(connection, "customers") for name, _ in page][-1] == "erased"
    assert (Customer.objects.filter(erased_at=None).count(), audited(store)) == (1, True)


def test_what_files_call_somebody_whom_their_platform_knows_goes_with_them(store: Store, connection: Connection, tmp_path: Path) -> None:
    tell_file(store, tmp_path, shopify_files.an_order(1001, Email="ann@example.com"), shopify_files.an_order(1003, Email="ann@example.com"))
    tell(connection, bought(1001, 42))
    before = book_of(store).last_seq
    assert Customer.objects.filter(same_as__isnull=False).count() == 1
    RawPayload.objects.filter(file_import__isnull=False).delete()
    assert ask_by_page(store, identities=["ann@example.com"]).counts == {"customers": 2, "received": 1}
    assert (audited(store), book_of(store).last_seq) == (True, before)
