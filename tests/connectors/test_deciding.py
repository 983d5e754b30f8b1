"""Two people press buttons about one kept file at once, or a worker is killed: the file is taken once, as it was looked at, and never lost."""

import io
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from connectors.files import deciding
from connectors.files.uploads import forget_abandoned, look_at, looked, taken
from connectors.models import FileImport, FilePiece
from connectors.platforms.files.faults import FileRefused
from connectors.platforms.files.template import load
from connectors.tasks import submit_file
from ledger.models import Order, OrderCharge, Store, VariantCost
from profitpeek.jobs import queue
from profitpeek.jobs.models import Job
from profitpeek.jobs.running import run
from tests.builders import a_store, an_order
from tests.builders import write as record
from tests.connectors.files import HEADER
from tests.connectors.test_import_job import MANY, cut_after
from tests.connectors.test_workbooks import workbook_of

pytestmark = pytest.mark.django_db(transaction=True)

LABELS = "Order,Affiliate,Cost,Amount\n1001,Ben,3.00,4.00\n"


@pytest.fixture
def store() -> Store:
    store = a_store(slug="mugs")
    record(store, an_order("1001"))
    return store


def given(store: Store, text: str, filename: str = "file.csv") -> FileImport:
    data = text.encode()
    [row] = deciding.receive_file(store, io.BytesIO(data), filename=filename, size=len(data), actor="ann", now=timezone.now())
    return row


def again(row: FileImport) -> FileImport:
    """Return the row as another request reads it."""
    return FileImport.objects.select_related("store", "proposal").get(pk=row.pk)


def work() -> None:
    """Let a worker do what waits."""
    for job in Job.objects.filter(state="waiting").exclude(kind="check-costs"):
        run(job.pk)


def test_a_file_that_was_taken_between_anothers_choice_and_its_look_is_not_looked_at_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    row = given(store, LABELS)
    monkeypatch.setattr(deciding, "MOST_LOOKED_AT", 0)  # every look is a worker's
    ann, ben = again(row), again(row)
    deciding.read_as(ann, "commissions", {})
    deciding.read_as(ben, "shipping-costs", {})
    deciding.look(ben, actor="ben", now=timezone.now())
    work()
    deciding.take(again(row), actor="ben", now=timezone.now())
    with pytest.raises(FileRefused, match="was taken or put away already, or is read otherwise by now"):
        deciding.look(ann, actor="ann", now=timezone.now())
    work()
    assert (again(row).state, again(row).kind, FilePiece.objects.count()) == ("done", "shipping-costs", 0)
    assert [(charge.kind, str(charge.amount)) for charge in OrderCharge.objects.all()] == [(1, "3.0000")]


def test_what_a_look_found_of_another_kind_than_the_file_is_by_now_is_not_kept(store: Store) -> None:
    row = given(store, LABELS)
    ann, ben = again(row), again(row)
    deciding.read_as(ann, "commissions", {})
    deciding.read_as(ben, "shipping-costs", {})
    look_at(ann, now=timezone.now(), progress=lambda *_: None)
    assert looked(row) is None
    with pytest.raises(FileRefused, match="was not looked at yet"):
        deciding.take(again(row), actor="ann", now=timezone.now())


def test_a_file_that_a_worker_looks_at_can_be_neither_taken_nor_read_otherwise(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    row = given(store, LABELS)
    monkeypatch.setattr(deciding, "MOST_LOOKED_AT", 0)
    deciding.read_as(row, "shipping-costs", {})
    deciding.look(row, actor="ann", now=timezone.now())
    with pytest.raises(FileRefused):
        deciding.take(again(row), actor="ben", now=timezone.now())
    with pytest.raises(FileRefused):
        deciding.read_as(again(row), "commissions", {})
    work()
    assert (again(row).state, again(row).kind, FilePiece.objects.count()) == ("waiting", "shipping-costs", 1)


def test_an_import_job_leaves_a_file_alone_that_is_being_looked_at(store: Store) -> None:
    row = given(store, LABELS)
    deciding.take(row, actor="ann", now=timezone.now())
    FileImport.objects.filter(pk=row.pk).update(state="looking")
    work()
    assert (again(row).state, FilePiece.objects.count()) == ("looking", 1)


def abandoned(store: Store, monkeypatch: pytest.MonkeyPatch) -> FileImport:
    """Import a file whose worker is killed after two of three chunks, and let a week pass."""
    row = submit_file(store, io.BytesIO(f"{HEADER}\n{MANY}".encode()), load("generic-order-lines"), filename="a.csv", actor="ann", now=timezone.now())
    cut_after(2, row, monkeypatch)
    assert row.job is not None
    queue.cancel(row.job)
    Job.objects.filter(pk=row.job).update(finished_at=timezone.now() - timedelta(days=8))
    assert forget_abandoned(now=timezone.now()) == 1
    return again(row)


def test_an_import_that_was_abandoned_halfway_can_be_undone(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    row = abandoned(store, monkeypatch)
    assert (row.state, row.chunks_done, FilePiece.objects.count()) == ("partly", 2, 0)
    assert Order.objects.filter(withdrawn_at=None).count() == 2_001
    deciding.undo(row, actor="ann", now=timezone.now())
    work()
    assert again(row).state == "undone"
    assert Order.objects.filter(withdrawn_at=None).count() == 1


def test_an_import_that_was_abandoned_halfway_goes_on_with_the_same_file(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    row = abandoned(store, monkeypatch)
    later = submit_file(store, io.BytesIO(f"{HEADER}\n{MANY}".encode()), load("generic-order-lines"), filename="b.csv", actor="a", now=timezone.now())
    work()
    assert (again(later).state, again(later).new_orders, Order.objects.count()) == ("done", 500, 2_501)
    deciding.undo(again(later), actor="ann", now=timezone.now())
    work()
    assert (again(row).state, again(later).state, Order.objects.filter(withdrawn_at=None).count()) == ("undone", "undone", 1)


def test_a_long_file_of_costs_is_looked_at_taken_and_undone_by_a_worker(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deciding, "MOST_REVIEWED", 1)
    row = given(store, "SKU,Unit cost\nSKU-1,12.00\nSKU-2,3.00\n")
    assert row.state == "looking"
    work()
    assert deciding.take(again(row), actor="ann", now=timezone.now()) is None
    assert again(row).state == "waiting"
    work()
    row = again(row)
    assert row.proposal is not None
    assert (row.state, row.proposal.state, row.new_orders, FilePiece.objects.count()) == ("done", "open", 1, 0)
    deciding.undo(row, actor="ann", now=timezone.now())
    assert again(row).state == "undoing"
    work()
    assert (again(row).state, VariantCost.objects.count()) == ("undone", 0)


def test_what_became_of_a_workbook_is_told_before_and_after_it_is_taken(store: Store, tmp_path: Path) -> None:
    path = workbook_of(tmp_path, {"Labels": [["Order", "Cost", "Tracking"], [1001, 6.2, 120210000000000001]], "More": [["Order", "Cost"], [1001, 1]]})
    rows = deciding.receive_file(store, path.open("rb"), filename="labels.xlsx", size=path.stat().st_size, actor="ann", now=timezone.now())
    assert [row.filename for row in rows] == ["labels (Labels).xlsx", "labels (More).xlsx"]
    told = looked(rows[1])
    assert told is not None and told.found is not None
    assert (told.found.rows, told.found.warnings) == (1, [])
    deciding.take(rows[1], actor="ann", now=timezone.now())
    work()
    found = taken(rows[1])
    assert found is not None and found.new == 1
    refused = looked(rows[0])
    assert refused is not None and refused.refusal is not None
