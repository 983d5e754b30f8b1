"""A worker that is killed while it erases a person leaves nothing half known, and the next one goes on."""

import pytest
from django.utils import timezone

from connectors.models import PrivacyCase
from connectors.privacy import take
from connectors.reading import archive
from connectors.spec import PrivacyRequest
from ledger.audit import check_all
from ledger.models import Customer
from tests.builders import a_store, book_of
from tests.connectors.people import bought, connect, tell
from tests.races.processes import finish, start, url_of_the_test_database, wait_for


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_an_eraser_killed_again_and_again_leaves_the_rest_to_the_next_and_erases_everything_once() -> None:
    connection = connect(a_store())
    for number in range(40):
        tell(connection, bought(1_001 + number, 42 + number % 2))
    take(connection, PrivacyRequest("erase_person", "42", ()), delivery_id="one", now=timezone.now())
    url, case = url_of_the_test_database(), PrivacyCase.objects.get()
    for transactions in (1, 3, 12):
        process = start(url, "privacy_eraser", str(case.pk))
        wait_for(process, transactions)
        process.kill()
        process.wait()
    assert PrivacyCase.objects.get().state == "open"
    finish(url, "privacy_eraser", str(case.pk))
    case.refresh_from_db()
    assert (case.state, case.counts, case.sought) == ("done", {"customers": 1, "received": 20}, None)
    told = [record["customer"]["id"].rpartition("/")[2] for page in archive.pages(connection, "orders") for _, record in page]
    assert sorted({"nobody" if name.startswith("erased-") else name for name in told}) == ["43", "nobody"]
    assert Customer.objects.filter(erased_at=None).count() == 1
    assert not any(check_all(book_of(connection.store)).values())
