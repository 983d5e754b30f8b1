"""Close days of a book, and read what was noticed about it."""

from datetime import date
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from ledger.admin.base import StoreFilter, StoreModelAdmin
from ledger.admin.ledger_pages import LedgerPages
from ledger.models import Book, Finding
from ledger.money import in_minor_units
from ledger.people import OWNERS
from ledger.posting import hold_book
from ledger.stores import today_of


class BookForm(forms.ModelForm):
    """Moves the last closed day forward, never back, never past yesterday and never by a slip."""

    certain = forms.BooleanField(label="I know that this cannot be undone", required=False)

    class Meta:
        model = Book
        fields = ["closed_through"]

    def clean_closed_through(self) -> date | None:
        """Refuse a day that opens closed ones again, or that is not over."""
        asked: date | None = self.cleaned_data["closed_through"]
        closed: date | None = self.initial.get("closed_through")
        if closed is not None and (asked is None or asked < closed):
            raise ValidationError(f"Days up to {closed} are closed; a closed day is never opened again.")
        if asked is not None and asked >= today_of(self.instance.store, timezone.now()):
            raise ValidationError("Only days that are over in the store's time zone can be closed.")
        return asked

    def clean(self) -> dict[str, Any]:
        """Ask for the tick where days would be closed."""
        values: dict[str, Any] = super().clean() or {}
        asked = values.get("closed_through")
        if asked and asked != self.initial.get("closed_through") and not values.get("certain"):
            self.add_error("certain", f"Days up to {asked:%-d %b %Y} would be closed for good. Tick this to close them.")
        return values


@admin.register(Book)
class BookAdmin(LedgerPages, StoreModelAdmin):
    """Closes days; everything else in a book is moved by postings."""

    roles = OWNERS
    note = "A store's ledger. Closing days is the one thing to do here. Days are in the store's time zone, times are UTC."
    help_texts = {
        "closed_through": "The last day that never changes, in the store's time zone; later corrections are booked on the next. It cannot be undone.",
        "last_seq": "Number of the latest batch of entries.",
    }
    form = BookForm
    fields = ["store", "currency", "closed_through", "certain", "last_seq", "last_recorded_at", "costs_version", "restated_version"]
    readonly_fields = ["store", "currency", "last_seq", "last_recorded_at", "costs_version", "restated_version"]
    list_display = ["store", "currency", "closed_through", "last_seq", "last_recorded_at", "ledger"]
    list_select_related = ["store"]

    def save_model(self, request: HttpRequest, obj: Book, form: Any, change: bool) -> None:
        """Move the closed day alone, under the book's lock: the form's copy of the numbers may be behind."""
        with transaction.atomic():
            book = hold_book(obj.pk)
            if obj.closed_through is not None and (book.closed_through is None or obj.closed_through > book.closed_through):
                book.closed_through = obj.closed_through
                book.save(update_fields=["closed_through"])


@admin.register(Finding)
class FindingAdmin(StoreModelAdmin):
    """Lists what the audit, the currencies and the imports noticed; nothing is changed here."""

    store_path = "book__store"
    note = "What was noticed about the figures. Times are UTC; a finding is resolved by itself once its cause is gone."
    empty = "Nothing has been noticed: no rate is missing and no total disagrees."
    list_display = ["severity", "kind", "subject", "message", "at_stake", "mending", "book", "first_seen_at", "last_seen_at", "resolved_at"]
    fields = [
        "severity", "kind", "subject", "message", "expected", "actual", "at_stake", "mending", "book", "first_seen_at", "last_seen_at", "resolved_at",
    ]  # fmt: skip
    readonly_fields = ["at_stake", "mending"]
    list_filter = [StoreFilter, "severity", "kind", ("resolved_at", admin.EmptyFieldListFilter)]
    list_select_related = ["book__store"]
    search_fields = ["subject", "message"]
    ordering = ["-last_seen_at"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Answer no."""
        return False

    @admin.display(description="money at stake", ordering="money")
    def at_stake(self, finding: Finding) -> str:
        """Return the money at stake with its currency."""
        if finding.money is None or finding.book is None:
            return "—"
        return f"{in_minor_units(finding.money, finding.book.currency):f} {finding.book.currency}"

    @admin.display(description="mend")
    def mending(self, finding: Finding) -> str:
        """Return the link to the page that mends it."""
        if not finding.mend or finding.resolved_at is not None:
            return "—"
        return format_html('<a href="{}{}">Mend it</a>', reverse("admin:app_list", args=["ledger"]), finding.mend)
