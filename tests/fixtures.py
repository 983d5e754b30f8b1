"""Hold what tests of many parts start from."""

import pytest
from django.test import Client

from ledger.models import Store
from ledger.people import Role
from tests.dashboards.people import a_person, browser_of


@pytest.fixture
def editor(store: Store) -> Client:
    """Return the browser of somebody who may edit the costs of the store that the test's module opens."""
    return browser_of(a_person(store, email="ann@example.com", role=Role.COST_EDITOR))
