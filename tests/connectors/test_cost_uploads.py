"""Files of costs are uploaded in the admin: looked at first, then taken at once or in the background, or put away."""

import csv
import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from connectors import product_cost_imports
from connectors.models import FileImport, FilePiece, RawPayload
from connectors.uploads import forget_abandoned
from ledger.models import OrderCharge, Store, VariantCost
from ledger.people import Role
from profitpeek.jobs.models import Job
from profitpeek.jobs.running import run
from tests.builders import a_store, an_order
from tests.builders import write as record
from tests.dashboards.people import a_person, browser_of, text_of
from tests.ledger.reviewing import save
from tests.ledger_text import assert_entries

pytestmark = pytest.mark.django_db(transaction=True)
UPLOAD = "/admin/connectors/fileimport/upload/"
LABELS = "Order,Cost,Tracking\n#1001,6.20,1Z1\n1009,4.00,=1Z2\n"


@pytest.fixture
def store() -> Store:
    store = a_store(slug="mugs")
    record(store, an_order("1001"), an_order("1002"))
    return store


def upload(editor: Client, store: Store, text: str, *, kind: str = "shipping-costs", **more: str) -> Any:
    """Upload a file and return the page that follows."""
    file = SimpleUploadedFile("C:\\labels.csv", text.encode())
    return editor.post(UPLOAD, {"store": store.pk, "kind": kind, "file": file, **more}, follow=True)


def decide(editor: Client, what: str = "take") -> Any:
    """Take the file that was uploaded last, or put it away."""
    answer = editor.post(f"/admin/connectors/fileimport/{FileImport.objects.latest('pk').pk}/look/", {what: "1"}, follow=True)
    ran()
    return answer


def ran() -> None:
    """Let a worker do what waits."""
    for job in Job.objects.filter(state="waiting").exclude(kind="check-costs"):
        run(job.pk)


def rows(editor: Client, what: str) -> list[list[str]]:
    """Download rows of the file that was uploaded last."""
    answer = editor.get(f"/admin/connectors/fileimport/{FileImport.objects.latest('pk').pk}/{what}.csv")
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/csv; charset=utf-8")
    return list(csv.reader(io.StringIO(answer.content.decode())))


def test_a_file_is_looked_at_and_then_taken(store: Store, editor: Client) -> None:
    said = text_of(upload(editor, store, LABELS))
    assert "labels.csv: 2 rows, 1 rows whose order is known" in said
    assert "Sum of all rows: 10.20 EUR." in said
    assert "Nothing is taken yet." in said
    assert OrderCharge.objects.count() == 0
    assert rows(editor, "unmatched") == [["line", "order", "reference", "why"], ["3", "1009", "'=1Z2", "no order fits"]]
    assert "is being imported in the background" in text_of(decide(editor))
    assert_entries(store, "source amount\n 1001 -6.20", only=("fulfilment",))
    row = FileImport.objects.get()
    assert (row.state, row.actor, row.rows, row.matched, row.pieces.count(), RawPayload.objects.count()) == ("done", "ann@example.com", 2, 1, 0, 1)
    assert OrderCharge.objects.get(order_ref="1001").cause_ref == row.cause_ref
    assert list(Job.objects.order_by("pk").values_list("kind", flat=True)) == ["import-file", "check-costs"]


def test_a_file_with_wrong_rows_cannot_be_taken_and_says_what_to_mend(store: Store, editor: Client) -> None:
    said = text_of(upload(editor, store, "Order,Cost\n1001,six\n1.2E+12,1\n"))
    assert "2 rows are wrong; nothing was taken." in said
    assert "Take this file" not in said
    assert rows(editor, "wrong")[:2] == [["line", "column", "what to mend"], ["2", "Cost", "“six” is no amount; write it as 1234.50"]]
    decide(editor)
    assert FileImport.objects.get().problem.startswith("2 rows are wrong; nothing was taken.")
    assert (OrderCharge.objects.count(), FileImport.objects.get().state) == (0, "refused")


def test_what_a_file_leaves_open_is_asked_and_answered(store: Store, editor: Client) -> None:
    assert "can mean two amounts" in text_of(upload(editor, store, 'Order,Cost\n1001,"1,234"\n'))
    assert "Sum of all rows: 1234.00 USD." in text_of(upload(editor, store, 'Order,Cost\n1001,"1,234"\n', decimal_sign=".", currency="usd"))
    assert "is not an ISO 4217 currency code" in text_of(upload(editor, store, LABELS, currency="xx"))


def test_a_file_that_is_put_away_leaves_nothing(store: Store, editor: Client) -> None:
    upload(editor, store, LABELS)
    assert "was put away; nothing of it was taken" in text_of(decide(editor, "discard"))
    assert (FileImport.objects.get().state, FilePiece.objects.count(), OrderCharge.objects.count()) == ("refused", 0, 0)
    assert decide(editor).status_code == 200
    assert OrderCharge.objects.count() == 0


def test_a_file_that_nobody_decides_about_is_kept_for_a_week(store: Store, editor: Client) -> None:
    upload(editor, store, LABELS)
    now = timezone.now()
    assert (forget_abandoned(now=now + timedelta(days=6)), FilePiece.objects.count()) == (0, 1)
    assert (forget_abandoned(now=now + timedelta(days=8)), FilePiece.objects.count()) == (1, 0)


def test_product_costs_become_a_change_to_be_looked_at(store: Store, editor: Client) -> None:
    text = "SKU,Cost\nSKU-1,12.00\nSKU-7,1.00\n"
    assert "2 rows, 1 rows whose SKU is known" in text_of(upload(editor, store, text, kind="product-costs", effective_from="2026-03-01"))
    answer = editor.post(f"/admin/connectors/fileimport/{FileImport.objects.get().pk}/look/", {"take": "1"})
    assert "Saved:" in save(editor, answer)
    assert [(cost.goods, str(cost.effective_from)) for cost in VariantCost.objects.all()] == [(12, "2026-03-01")]
    upload(editor, store, text, kind="product-costs", effective_from="2026-03-01")
    assert "says what holds already: there is nothing to change" in text_of(decide(editor))
    undo = {"action": "undo", "_selected_action": [FileImport.objects.latest("pk").pk]}
    assert "Undone: labels.csv." in text_of(editor.post("/admin/connectors/fileimport/", undo, follow=True))
    assert set(FileImport.objects.values_list("state", flat=True)) == {"undone"}
    assert VariantCost.objects.filter(removed_by=None).count() == 0


def test_labels_are_undone_in_the_admin(store: Store, editor: Client) -> None:
    upload(editor, store, LABELS)
    decide(editor)
    editor.post("/admin/connectors/fileimport/", {"action": "undo", "_selected_action": [FileImport.objects.get().pk]}, follow=True)
    ran()
    assert FileImport.objects.get().state == "undone"
    assert_entries(store, "amount", only=("fulfilment",), live=True)


def test_a_long_file_is_looked_at_in_the_background(store: Store, editor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.deciding.MOST_LOOKED_AT", 1)
    assert "being imported" not in text_of(upload(editor, store, LABELS))
    row = FileImport.objects.get()
    assert (row.state, FilePiece.objects.count()) == ("looking", 1)
    ran()
    row.refresh_from_db()
    assert (row.state, row.job) == ("waiting", None)
    assert "2 rows, 1 rows whose order is known" in text_of(editor.get(f"/admin/connectors/fileimport/{row.pk}/look/"))
    decide(editor)
    row.refresh_from_db()
    assert (row.state, row.matched, OrderCharge.objects.count(), FilePiece.objects.count()) == ("done", 1, 2, 0)
    assert Job.objects.get(pk=row.job).subject == "labels.csv into Mugs"


def test_a_file_is_taken_once(store: Store, editor: Client) -> None:
    upload(editor, store, LABELS)
    decide(editor)
    decide(editor)
    assert (FileImport.objects.get().state, OrderCharge.objects.count()) == ("done", 2)


def test_nobody_meets_another_stores_file(store: Store, editor: Client) -> None:
    upload(editor, store, LABELS)
    stranger = browser_of(a_person(a_store(slug="other"), email="ben@example.com", role=Role.COST_EDITOR))
    decide(stranger)
    pk = FileImport.objects.get().pk
    assert stranger.get(f"/admin/connectors/fileimport/{pk}/unmatched.csv").status_code == 404
    assert "labels.csv" not in text_of(stranger.get(f"/admin/connectors/fileimport/{pk}/look/", follow=True))
    assert "Select a valid choice" in text_of(upload(stranger, store, LABELS))
    assert (FileImport.objects.get().state, OrderCharge.objects.count()) == ("waiting", 0)


def test_the_upload_page_is_found_from_the_list(editor: Client) -> None:
    assert f'href="{UPLOAD}"' in editor.get("/admin/connectors/fileimport/").content.decode()
    assert Path(editor.get(UPLOAD).templates[0].name or "").name == "upload.html"


def test_a_long_file_of_product_costs_is_refused_before_it_is_gone_through(store: Store, editor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(product_cost_imports, "MOST_ROWS", 2)
    said = text_of(upload(editor, store, "SKU,Cost\nA,1\nB,1\nC,x\n", kind="product-costs"))
    assert "labels.csv has more than 2 rows. Split it; each part is a change of its own." in said


def test_orders_that_would_wait_for_a_rate_are_told_before_a_file_is_taken(store: Store, editor: Client) -> None:
    said = text_of(upload(editor, store, "Order,Cost,Currency\n1001,6.20,TRY\n1002,6.20,EUR\n"))
    assert "1 order would leave every figure and wait for an exchange rate; load rates, then repost." in said
