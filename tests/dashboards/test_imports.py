"""Files are brought in on a page: looked at first, then taken in the background or put away, and undone."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from connectors.files.uploads import forget_abandoned
from connectors.models import FileImport, FilePiece, FileReport, RawPayload
from ledger.models import Book, Entry, Order, OrderCharge, Store, VariantCost
from ledger.people import Role
from profitpeek.jobs import queue
from profitpeek.jobs.models import Job
from tests.builders import a_store, an_order, day
from tests.builders import write as record
from tests.connectors import shopify_files
from tests.connectors.test_workbooks import workbook_of
from tests.dashboards.people import a_person, browser_of, signed_in, text_of
from tests.dashboards.uploads import LABELS, SOLD, decide, fact, latest, page, rows, undo, upload, work
from tests.ledger.reviewing import save
from tests.ledger_text import assert_entries

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def store() -> Store:
    store = a_store(slug="mugs")
    record(store, an_order("1001"), an_order("1002"))
    return store


@pytest.fixture
def owner(store: Store) -> Client:
    return signed_in(store)


def test_a_file_is_looked_at_and_then_taken(store: Store, owner: Client) -> None:
    answer = upload(owner, LABELS)
    assert [fact(answer, label) for label in ("Rows", "Rows whose order is known", "Sum of all rows", "New charges")] == ["2", "1", "€10.20", "2"]
    said = text_of(answer)
    assert "Nothing is taken yet" in said
    assert "1 row without an order" in said
    assert OrderCharge.objects.count() == 0
    assert rows(owner, "unmatched") == [["line", "order", "reference", "why"], ["3", "1009", "'=1Z2", "no order fits"]]
    assert "Taking the file Waiting for a worker" in decide(owner)
    assert_entries(store, "source amount\n 1001 -6.20", only=("fulfilment",))
    row = latest()
    assert (row.state, row.actor, row.rows, row.matched, row.pieces.count(), RawPayload.objects.count()) == ("done", "owner@example.com", 2, 1, 0, 1)
    assert (row.new_orders, row.changed_orders, row.unchanged_orders) == (2, 2, 0)
    assert list(Job.objects.order_by("pk").values_list("kind", flat=True)) == ["import-file", "check-costs"]


def test_the_result_says_what_the_file_changed_in_profit(owner: Client, store: Store) -> None:
    upload(owner, SOLD.replace("1001", "7001").replace("1002", "7002"), name="orders.csv")
    decide(owner)
    said = page(owner)
    # 100.00 less 40 % cost and 2.9 % + 0.30 of it; what was there before is the two orders of the shop
    assert "March 2026 56.50 +56.80 113.30" in said.replace("€", "")
    assert "April 2026 0.00 +28.25 28.25" in said
    assert "Net profit +€85.05" in said
    assert "Gross sales +150.00" in said
    report = FileReport.objects.get(stage="taken").body["effect"]
    entries = Entry.objects.filter(book_id=store.pk)
    assert sum(Decimal(value) for value in report["lines"].values()) == Decimal("85.05")
    assert entries.count() > 0


def test_undoing_says_first_what_it_takes_back(owner: Client, store: Store) -> None:
    upload(owner, SOLD.replace("1001", "7001").replace("1002", "7002"), name="orders.csv")
    decide(owner)
    row = latest()
    said = text_of(owner.get(f"/mugs/imports/{row.pk}/undo"))
    assert "2 orders stand as this file told them last" in said
    assert "It changed net profit by +€85.05 when it was taken, over 2 months." in said
    assert FileImport.objects.get().state == "done"
    said = undo(owner)
    assert "This import was undone" in said
    assert "All these months 141.55 −85.05 56.50" in said
    assert Order.objects.filter(store=store, withdrawn_at=None).count() == 2


def test_what_a_file_tells_of_closed_days_counts_where_the_statement_counts_it(owner: Client, store: Store) -> None:
    Book.objects.update(closed_through=day("2026-03-31"))
    upload(owner, SOLD.replace("1001", "7001").replace("1002", "7002"), name="orders.csv")
    decide(owner)
    said = page(owner).replace("€", "")
    # All of it stands in April, the first open month, as in the statement.
    assert "April 2026 0.00 +85.05 85.05" in said
    assert "March 2026" not in said
    assert "Net profit +85.05" in said
    Book.objects.update(closed_through=day("2026-04-30"))
    said = undo(owner).replace("€", "")
    # April is closed now and stays as it is; what is taken back is taken back in May.
    assert "April 2026 85.05 0.00 85.05" in said
    assert "May 2026 0.00 −85.05 −85.05" in said
    assert "All these months 85.05 −85.05 0.00" in said


def test_a_file_with_wrong_rows_cannot_be_taken_and_says_what_to_mend(owner: Client) -> None:
    said = text_of(upload(owner, "Order,Cost\n1001,six\n1.2E+12,1\n"))
    assert "2 rows are wrong; nothing was taken." in said
    assert "Take this file" not in said
    assert rows(owner, "wrong")[:2] == [["line", "column", "what to mend"], ["2", "Cost", "“six” is no amount; write it as 1234.50"]]
    decide(owner)
    assert "2 rows are wrong; nothing was taken." in page(owner)
    assert (OrderCharge.objects.count(), latest().state) == (0, "refused")
    assert rows(owner, "wrong")[2][0] == "3"


def test_what_a_file_leaves_open_is_asked_and_answered(owner: Client) -> None:
    assert "can mean two amounts" in text_of(upload(owner, 'Order,Cost\n1001,"1,234"\n'))
    assert "Sum of all rows $1,234.00" in decide(owner, options="1", decimal_sign=".", currency="usd")
    assert "“XX” is no currency code" in decide(owner, options="1", currency="xx")


def test_a_file_can_be_read_as_another_kind(owner: Client) -> None:
    said = text_of(upload(owner, "Order,Affiliate,Amount\n1001,Ben,3.00\n"))
    assert "Commissions of partners" in said
    assert "Shipping costs of orders" in decide(owner, kind="shipping-costs")
    assert (latest().kind, FileReport.objects.get().body["found"]["new"]) == ("shipping-costs", 1)
    assert "reads no file of the kind" in decide(owner, kind="nothing")


def test_a_file_that_is_put_away_leaves_nothing(owner: Client) -> None:
    upload(owner, LABELS)
    assert "was put away; nothing of it was taken" in decide(owner, discard="1")
    assert (latest().state, FilePiece.objects.count(), OrderCharge.objects.count()) == ("refused", 0, 0)
    assert "was taken or put away already" in decide(owner)
    assert OrderCharge.objects.count() == 0


def test_a_file_that_nobody_decides_about_is_kept_for_a_week(owner: Client) -> None:
    upload(owner, LABELS)
    now = timezone.now()
    assert (forget_abandoned(now=now + timedelta(days=6)), FilePiece.objects.count()) == (0, 1)
    assert (forget_abandoned(now=now + timedelta(days=8)), FilePiece.objects.count()) == (1, 0)


def test_product_costs_become_a_change_to_be_looked_at(owner: Client) -> None:
    text = "SKU,Cost\nSKU-1,12.00\nSKU-7,1.00\n"
    assert fact(upload(owner, text), "Rows whose SKU is known") == "1"
    decide(owner, options="1", effective_from="2026-03-01")
    answer = owner.post(f"/mugs/imports/{latest().pk}", {"take": "1"})
    assert "Saved:" in save(owner, answer)
    assert [(cost.goods, str(cost.effective_from)) for cost in VariantCost.objects.all()] == [(12, "2026-03-01")]
    assert "The change is applied" in page(owner)
    upload(owner, text)
    decide(owner, options="1", effective_from="2026-03-01")
    decide(owner)
    assert "It said what is known already" in page(owner)
    undo(owner)
    assert set(FileImport.objects.values_list("state", flat=True)) == {"undone"}
    assert VariantCost.objects.filter(removed_by=None).count() == 0


def test_several_files_are_decided_about_one_by_one(owner: Client) -> None:
    said = text_of(upload(owner, LABELS, SOLD, b"\xff\xd8\xff\xe0 picture"))
    assert "2 files are here. Nothing is taken yet: open each and decide." in said
    assert "is a JPEG picture, not a CSV file, whatever its name says." in said
    assert list(FileImport.objects.order_by("pk").values_list("kind", "state")) == [("shipping-costs", "waiting"), ("order-lines", "waiting")]
    assert said.count("waits for you") == 2


def test_each_sheet_of_a_workbook_is_decided_about_by_itself(owner: Client, tmp_path: Path) -> None:
    labels = [["Order", "Cost"], [1001, 6.2]]
    path = workbook_of(tmp_path, {"March": labels, "April": labels})
    said = text_of(upload(owner, path.read_bytes(), name="labels.xlsx"))
    assert "2 files are here. Nothing is taken yet: open each and decide." in said
    assert "labels (March).xlsx" in said
    assert "labels (April).xlsx" in said
    path = workbook_of(tmp_path, {"March": labels})
    assert fact(upload(owner, path.read_bytes(), name="labels.xlsx"), "Sum of all rows") == "€6.20"


def test_an_import_that_ended_in_part_says_how_to_go_on_and_can_be_undone(store: Store, owner: Client) -> None:
    upload(owner, LABELS)
    decide(owner)
    row = latest()
    FileImport.objects.filter(pk=row.pk).update(state="partly", problem="Nobody went on with it.")
    said = page(owner)
    assert "Taken in part" in said
    assert "Nobody went on with it." in said
    assert "upload the same file again" in said
    assert "This import was undone" in undo(owner)
    assert_entries(store, "source amount", only=("fulfilment",), live=True)


def test_an_upload_without_a_file_says_so(owner: Client) -> None:
    assert "Choose a file first" in text_of(owner.post("/mugs/imports", follow=True))


def test_a_long_file_is_looked_at_in_the_background(owner: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.files.deciding.MOST_LOOKED_AT", 1)
    answer = upload(owner, LABELS)
    row = latest()
    assert "Looking at the file Waiting for a worker" in text_of(answer)
    assert f'data-follow="/mugs/imports/{row.pk}/progress"' in answer.content.decode()
    assert '<noscript><meta http-equiv="refresh"' in answer.content.decode()
    assert row.state == "looking"
    work()
    assert "Nothing is taken yet" in page(owner)
    assert (latest().state, latest().job) == ("waiting", None)


def test_progress_is_told_in_counts_and_survives_leaving(owner: Client) -> None:
    upload(owner, LABELS)
    owner.post(f"/mugs/imports/{latest().pk}", {"take": "1"})
    job = latest().job
    Job.objects.filter(pk=job).update(state="running", step="charging orders", done=3_400, whole=10_000, lease_until=timezone.now())
    answer = owner.get(f"/mugs/imports/{latest().pk}/progress")
    assert "Charging orders: 3,400 of 10,000" in text_of(answer)
    assert '<progress value="3400" max="10000"' in answer.content.decode()
    assert "Charging orders: 3,400 of 10,000" in page(owner)


def test_work_that_stopped_is_told_and_tried_again(owner: Client) -> None:
    upload(owner, LABELS)
    owner.post(f"/mugs/imports/{latest().pk}", {"take": "1"})
    job = latest().job
    assert job is not None
    queue.cancel(job)
    assert "The work on this file stopped." in page(owner)
    decide(owner, retry="1")
    assert (latest().state, OrderCharge.objects.count()) == ("done", 2)
    assert "is being worked on already" in decide(owner, retry="1")


def test_a_file_whose_work_stopped_before_anything_was_taken_can_be_put_away(owner: Client) -> None:
    upload(owner, LABELS)
    owner.post(f"/mugs/imports/{latest().pk}", {"take": "1"})
    assert "was taken or put away already" in text_of(owner.post(f"/mugs/imports/{latest().pk}", {"discard": "1"}, follow=True))
    job = latest().job
    assert job is not None
    queue.cancel(job)
    assert "was put away; nothing of it was taken" in decide(owner, discard="1")
    assert (latest().state, FilePiece.objects.count()) == ("refused", 0)


def test_an_import_that_was_begun_on_the_server_says_so(store: Store, owner: Client) -> None:
    row = FileImport.objects.create(store=store, kind="order-lines", template={}, filename="a.csv", state="running", started_at=timezone.now())
    assert "This import was begun on the server and has not ended" in page(owner, row)


def test_doubts_about_a_file_are_listed_and_downloaded(owner: Client, tmp_path: Path) -> None:
    order = shopify_files.an_order(Financial_Status="partially_refunded", Refunded_Amount="10.00")
    upload(owner, shopify_files.write_orders(tmp_path, order).read_bytes(), name="orders_export.csv")
    assert "Refunds without a day" in page(owner)
    listed = rows(owner, "listed-1")
    assert listed[0] == ["order", "refunded", "currency", "put on"]
    assert listed[1][:3] == ["#1001", "10.00", "EUR"]
    assert owner.get(f"/mugs/imports/{latest().pk}/listed-2.csv").status_code == 404


def test_a_file_is_taken_once(owner: Client) -> None:
    upload(owner, LABELS)
    decide(owner)
    assert "was taken or put away already" in decide(owner)
    assert (latest().state, OrderCharge.objects.count()) == ("done", 2)


def test_the_same_file_again_is_told_before_it_is_taken(owner: Client) -> None:
    upload(owner, LABELS)
    decide(owner)
    assert "The very same file is imported already" in text_of(upload(owner, LABELS, name="again.csv"))
    decide(owner)
    assert (latest().state, OrderCharge.objects.count()) == ("unchanged", 2)
    undo(owner)
    assert set(FileImport.objects.values_list("state", flat=True)) == {"undone"}


def test_what_was_never_taken_cannot_be_undone(owner: Client) -> None:
    upload(owner, LABELS)
    assert owner.get(f"/mugs/imports/{latest().pk}/undo").status_code == 302
    assert "Nothing was undone." in text_of(owner.post(f"/mugs/imports/{latest().pk}/undo", follow=True))


def test_nobody_meets_another_stores_file(store: Store, owner: Client) -> None:
    upload(owner, LABELS)
    stranger = browser_of(a_person(a_store(slug="other"), email="ben@example.com", role=Role.COST_EDITOR))
    pk = latest().pk
    for address in (f"/mugs/imports/{pk}", f"/other/imports/{pk}", f"/other/imports/{pk}/unmatched.csv", f"/other/imports/{pk}/undo"):
        assert stranger.get(address).status_code == 404
    assert stranger.post(f"/other/imports/{pk}", {"take": "1"}).status_code == 404
    assert "labels.csv" not in text_of(stranger.get("/other/imports"))
    assert (latest().state, OrderCharge.objects.count()) == ("waiting", 0)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.ANALYST])
def test_who_may_not_change_costs_reads_the_history_only(store: Store, owner: Client, role: Role) -> None:
    upload(owner, LABELS)
    reader = signed_in(store, email="reader@example.com", role=role)
    said = reader.get("/mugs/imports").content.decode()
    assert "labels.csv" in said
    assert f"/mugs/imports/{latest().pk}" not in said
    assert 'type="file"' not in said
    assert upload(reader, LABELS).status_code == 403


def test_the_history_is_paged(store: Store, owner: Client) -> None:
    now = timezone.now()
    FileImport.objects.bulk_create(
        FileImport(store=store, kind="order-lines", template={}, filename=f"{number}.csv", state="done", started_at=now) for number in range(51)
    )
    first, second, none = (owner.get(f"/mugs/imports?page={number}").content.decode() for number in (1, 2, 3))
    assert (first.count(".csv</a>"), second.count(".csv</a>")) == (50, 1)
    assert "No files on page 3" in none


def test_pages_ask_the_database_as_often_however_much_they_show(store: Store, owner: Client) -> None:
    upload(owner, LABELS)
    asked = {}
    for number in (1, 40):
        for address in ("/mugs/imports", f"/mugs/imports/{latest().pk}"):
            with CaptureQueriesContext(connection) as queries:
                assert owner.get(address).status_code == 200
            asked[number, address.count("/")] = len(queries)
        upload(owner, "Order,Cost\n" + "".join(f"x{line},1.00\n" for line in range(400)), *[LABELS] * 15)
    assert (asked[1, 2], asked[1, 3]) == (asked[40, 2], asked[40, 3])


def test_the_admins_list_leads_to_the_stores_page(store: Store, owner: Client) -> None:
    upload(owner, LABELS)
    editor = signed_in(store, email="ann@example.com", role=Role.COST_EDITOR)
    listed = editor.get("/admin/connectors/fileimport/").content.decode()
    assert 'href="/mugs/imports"' in listed
    assert f'href="/mugs/imports/{latest().pk}"' in listed
