"""An owner deletes a store by typing its name; whoever it concerns sees how far it is."""

from datetime import UTC, datetime

import pytest

from ledger.models import Erasure, Store
from ledger.people import Role
from profitpeek.jobs.models import Job
from profitpeek.jobs.running import run
from tests.builders import a_store, an_order, write
from tests.dashboards.people import a_person, browser_of, signed_in, text_of

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 20, 9, tzinfo=UTC)


def test_the_page_says_what_would_go() -> None:
    store = a_store(slug="mugs")
    write(store, an_order("1"), an_order("2"))
    shown = text_of(signed_in(store).get("/mugs/delete"))
    assert "2 orders with their products, customers and payments" in shown
    assert "the roles of 1 person and all invitations" in shown
    assert "0 imported files" in shown


@pytest.mark.parametrize("typed", ["", "mugs", "Mugs!"])
def test_without_the_stores_name_nothing_is_deleted(typed: str) -> None:
    store = a_store(slug="mugs")
    answer = signed_in(store).post("/mugs/delete", {"name": typed})
    assert answer.status_code == 200
    assert "Nothing was deleted" in text_of(answer)
    assert (Erasure.objects.count(), Job.objects.count(), Store.objects.get().erasing_since) == (0, 0, None)


def test_with_the_name_it_is_out_of_sight_at_once_and_gone_when_the_job_is_done() -> None:
    store = a_store(slug="vases")
    write(store, an_order("1"))
    owner = signed_in(store)
    viewer = browser_of(a_person(store, email="viewer@example.com", role=Role.VIEWER))
    answer = owner.post("/vases/delete", {"name": " Vases "}, follow=True)
    assert "Vases is out of sight for everybody now, and is being deleted." in text_of(answer)
    assert "Vases is being deleted , as soon as the worker takes it up." in text_of(answer)
    assert [browser.get(page).status_code for browser in (owner, viewer) for page in ("/vases/today", "/vases/pnl.csv", "/vases")] == [404] * 6
    assert "Vases is being deleted" in text_of(viewer.get("/"))
    run(Erasure.objects.get().job or 0)
    assert not Store.objects.exists()
    note = Erasure.objects.get()
    assert f"Vases is deleted , with {note.deleted_rows} rows." in text_of(owner.get("/"))
    assert "Vases" not in text_of(viewer.get("/"))


def test_somebody_of_another_store_is_told_nothing() -> None:
    store, other = a_store(slug="mugs"), a_store(slug="plates")
    signed_in(store).post("/mugs/delete", {"name": "Mugs"})
    stranger = signed_in(other, email="other@example.com")
    assert "Mugs" not in text_of(stranger.get("/", follow=True))


def test_a_deletion_that_stopped_says_so_and_whom_to_ask() -> None:
    store = a_store(slug="mugs")
    owner = signed_in(store)
    owner.post("/mugs/delete", {"name": "Mugs"})
    Job.objects.update(state="dead", finished_at=NOW, error="The disk is full.")
    shown = text_of(owner.get("/"))
    assert "Deleting Mugs stopped after 0 rows: The disk is full." in shown
    assert "Ask whoever runs the installation to try it again." in shown


def test_a_store_that_another_succeeds_says_which_goes_first() -> None:
    store, later = a_store(slug="mugs"), a_store(slug="plates")
    Store.objects.filter(pk=later.pk).update(succeeds=store)
    shown = text_of(signed_in(store).post("/mugs/delete", {"name": "Mugs"}))
    assert "Plates succeeds Mugs, so its history would lose its beginning. Delete Plates first." in shown
    assert Erasure.objects.count() == 0


def test_a_stores_name_is_text_and_never_markup() -> None:
    store = a_store(slug="mugs")
    Store.objects.update(name="<form action=//evil.example><input name=pw>")
    page = signed_in(store).get("/mugs/delete").content.decode()
    assert "Exactly as it is written here: &lt;form action=//evil.example&gt;&lt;input name=pw&gt;" in page
    assert "<form action=//evil" not in page
