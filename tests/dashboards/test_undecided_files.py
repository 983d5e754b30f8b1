"""Files that nobody has taken: they stand in nobody's way, and cannot be taken before they were looked at."""

import pytest
from django.test import Client

from connectors.models import FileImport
from ledger.models import Store
from profitpeek.jobs.models import Job
from tests.builders import a_store, an_order
from tests.builders import write as record
from tests.dashboards.people import signed_in, text_of
from tests.dashboards.uploads import LABELS, decide, latest, undo, upload

pytestmark = pytest.mark.django_db(transaction=True)

SPEND = "Date,Campaign,Cost,Platform\n2026-03-03,Spring,6.20,tiktok\n"
SHOPIFY_PAYMENTS = (
    "Transaction Date,Type,Order,Amount,Fee,Net,Currency\n2026-03-03 13:00:00 +0100,charge,#1001,50.00,6.20,43.80,EUR\n"
)  # fmt: skip


@pytest.fixture
def store() -> Store:
    store = a_store(slug="mugs")
    record(store, an_order("1001"))
    return store


@pytest.fixture
def owner(store: Store) -> Client:
    return signed_in(store)


@pytest.mark.parametrize("text", [LABELS, SPEND, SHOPIFY_PAYMENTS])
@pytest.mark.parametrize("left", ["undecided", "put away"])
def test_a_file_that_nobody_took_does_not_keep_another_of_its_kind_from_being_undone(store: Store, owner: Client, text: str, left: str) -> None:
    upload(owner, text, name="taken.csv")
    decide(owner)
    taken = latest()
    upload(owner, text.replace("6.20", "7.20").replace("43.80", "42.80"), name="left.csv")
    if left == "put away":
        decide(owner, discard="1")
    assert "This import was undone" in undo(owner, taken)
    assert list(FileImport.objects.order_by("pk").values_list("state", flat=True)) == ["undone", "waiting" if left == "undecided" else "refused"]


@pytest.mark.parametrize("what", ["", "order-lines"])
def test_a_file_is_not_taken_before_it_was_looked_at(owner: Client, what: str) -> None:
    upload(owner, "a,b,c\n1,2,3\n", name="anything.csv")
    row = latest()
    if what:
        decide(owner, kind=what)
    said = text_of(owner.post(f"/mugs/imports/{row.pk}", {"take": "1"}, follow=True))
    assert "anything.csv was not looked at yet. Say first what it holds, and how it is read." in said
    row.refresh_from_db()
    assert (row.state, row.kind, row.job, Job.objects.count()) == ("waiting", what, None, 0)


def test_nothing_can_be_said_of_how_a_file_is_read_before_it_is_known_what_it_is(owner: Client) -> None:
    upload(owner, "a,b,c\n1,2,3\n", name="anything.csv")
    assert "There is nothing to say of it." in text_of(owner.post(f"/mugs/imports/{latest().pk}", {"options": "1"}, follow=True))
