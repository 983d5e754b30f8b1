"""Lay out requests about personal data: the list of a store's, one of them, and the form that asks."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from connectors.models import PrivacyCase, PrivacyCopy
from connectors.privacy.cases import asked_by
from connectors.privacy.sought import Sought, opened
from dashboards.forms.people_forms import PageForm
from ledger.models import Store
from ledger.sealing import Unsealable
from profitpeek.jobs.models import Job

MOST_LISTED = 200
MOST_NAMED = 30
"""Orders that are named one by one before a request is confirmed."""
MOST_TYPED = 500
Kind, State = PrivacyCase.Kind, PrivacyCase.State

COUNTED = {
    "customers": "Customers, each known by a keyed hash",
    "guests": "Orders of guests that lost their province and how they came",
    "orders": "Orders",
    "pages_found": "Pages received from platforms that tell of these orders",
    "parts_found": "Parts of imported files that tell of these orders",
    "received": "Records as a platform told them",
    "imported": "Rows as files told them",
    "parked": "Records that wait to be understood",
    "waiting": "Uploaded files that nobody had decided on, put away",
    "bulk": "Lines of files that a platform made of its past",
    "copies": "Copies that waited to be passed on, deleted",
    "pages": "Pages as the platform told them, deleted",
    "deliveries": "Deliveries of changes, and the secrets they are signed with, deleted",
    "bulk_folders": "Downloads of the platform’s past, deleted",
    "unopened": "Pages sealed with a key that is gone: nobody can read them, and they stay",
}
"""Places, as people read them; in the order in which they are shown."""
WORDS = {
    Kind.DATA_REQUEST: ("Copy of what is held of a person", "Make the copy"),
    Kind.ERASE_PERSON: ("Erasure of a person", "Erase this person"),
    Kind.ERASE_ACCOUNT: ("Erasure of an account that was left", ""),
}


STATES = {
    State.LOOKED: ("not confirmed", ""), State.OPEN: ("under way", "info"), State.FAILED: ("not done", "danger"), State.DONE: ("done", "success"),
}  # fmt: skip


class PrivacyForm(PageForm):
    """Whom a request is about, and what is asked."""

    kind = forms.ChoiceField(
        label="What is asked for", choices=[(Kind.DATA_REQUEST, "A copy of what is held of them"), (Kind.ERASE_PERSON, "That they are erased")]
    )  # fmt: skip
    email = forms.EmailField(
        label="Their e-mail address", required=False, widget=forms.EmailInput(attrs={"autocomplete": "off"}),
        help_text="Finds orders that files told. It is kept, sealed, until the request is done, and then forgotten.",
    )  # fmt: skip
    orders = forms.CharField(
        label="Numbers of their orders", required=False, max_length=10_000, widget=forms.Textarea(attrs={"rows": 2, "autocomplete": "off"}),
        help_text="Such as #1001, #1002. Every other order of the same buyer is found through them.",
    )  # fmt: skip
    customer = forms.CharField(
        label="Their number on the platform", required=False, max_length=80, widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="In Shopify, the digits at the end of the address of the customer’s page. Finds all orders that the connection told.",
    )  # fmt: skip

    def clean_orders(self) -> list[str]:
        """Split the numbers."""
        numbers = [text for text in re.split(r"[\s,;]+", self.cleaned_data["orders"]) if text.removeprefix("#")]
        if len(numbers) > MOST_TYPED:
            raise ValidationError(f"Those are {len(numbers):,} numbers; give at most {MOST_TYPED} at once. One order of a buyer is enough.")
        return numbers

    def clean(self) -> dict[str, Any]:
        """Refuse a request that is about nobody."""
        cleaned = super().clean() or {}
        if not self.errors and not any(cleaned.get(name) for name in ("email", "orders", "customer")):
            self.add_error(None, "Say whom it is about: an e-mail address, the number of an order, or the customer’s number on the platform.")
        return cleaned

    def sought(self) -> Sought:
        """Return whom a valid form is about."""
        given = self.cleaned_data
        return Sought(identities=[text.strip() for text in (given["email"], given["customer"]) if text.strip()], orders=given["orders"])


@dataclass(frozen=True, slots=True)
class CaseView:
    """One request, as its page and the list show it."""

    row: PrivacyCase
    title: str
    do_words: str
    asked_by: str
    state: str
    css: str
    """How its state is drawn."""
    counts: list[tuple[str, int]]
    orders: list[str]
    more_orders: int
    job: Job | None
    copy: PrivacyCopy | None
    is_late: bool

    @property
    def is_under_way(self) -> bool:
        """Tell whether something is to be waited for."""
        return self.row.state == State.OPEN


def cases_of(store: Store, *, now: datetime) -> list[CaseView]:
    """Return a store's requests, the latest first; what was looked at and not confirmed is no request yet."""
    rows = PrivacyCase.objects.filter(store=store).exclude(state=State.LOOKED).select_related("connection")
    return _views(list(rows.defer("sought")[:MOST_LISTED]), now=now)


def case_view(row: PrivacyCase, *, now: datetime) -> CaseView:
    """Return one request; before it is confirmed, with the orders it is about."""
    return _views([row], now=now)[0]


def _views(rows: Iterable[PrivacyCase], *, now: datetime) -> list[CaseView]:
    rows = list(rows)
    jobs = Job.objects.in_bulk([row.job for row in rows if row.job is not None])
    copies = {copy.case_id: copy for copy in PrivacyCopy.objects.filter(case__in=rows, expires_at__gt=now).defer("body", "about")}
    return [_view(row, jobs.get(row.job or 0), copies.get(row.pk), now) for row in rows]


def _view(row: PrivacyCase, job: Job | None, copy: PrivacyCopy | None, now: datetime) -> CaseView:
    title, do_words = WORDS[Kind(row.kind)]
    numbers = _numbers(row) if row.state == State.LOOKED else []
    state, css = STATES[State(row.state)]
    return CaseView(
        row=row, title=title, do_words=do_words, asked_by=asked_by(row), state=state, css=css,
        counts=[(label, row.counts[name]) for name, label in COUNTED.items() if row.counts.get(name)],
        orders=numbers[:MOST_NAMED], more_orders=max(0, len(numbers) - MOST_NAMED), job=job, copy=copy, is_late=row.is_late(now),
    )  # fmt: skip


def _numbers(row: PrivacyCase) -> list[str]:
    """Return the numbers of the orders that were found, while the request is looked at."""
    try:
        return opened(row).numbers
    except Unsealable:
        return []
