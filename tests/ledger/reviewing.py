"""Go through the review of a change in the browser, as a person does."""

import re
from typing import Any

from django.test import Client


def review_of(answer: Any) -> str:
    """Return the path of the review that an answer leads to."""
    found = re.fullmatch(r"/admin/ledger/proposedchange/\d+/review/", answer.get("Location", ""))
    assert found, (answer.status_code, answer.get("Location"), answer.content.decode()[-3000:])
    return found[0]


def save(client: Client, answer: Any, **fields: str) -> str:
    """Save the change whose review an answer leads to, and return what the next page says."""
    path = review_of(answer)
    return client.post(path, {"save": "1", **fields}, follow=True).content.decode()
