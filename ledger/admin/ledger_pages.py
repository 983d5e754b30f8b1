"""Read a book in the admin: its batches, one batch, its entries. Nothing is changed here; entries are never edited."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from ledger import accounts
from ledger.admin.base import stores_of
from ledger.book import journal
from ledger.book.journal import PAGE, BatchView, EntryRow
from ledger.book.sought import Key, Sought, key_of, written
from ledger.costs.labels import known_numbers
from ledger.kinds import SourceKind
from ledger.models import Book, CostChange, ManualCost, Order, Store
from ledger.models.costs import EARLIEST
from ledger.money import in_minor_units
from ledger.people import EDITORS
from ledger.stores import today_of

RESTATED = "repost"
"""What batches that restated orders are noted under."""
SHOWN_DAYS = 31
"""Days that are shown where none are chosen."""
MOST_DAYS = 366
MOST_PAGES = 10
"""Stores whose books a page links to; of more, the list of books is the way."""


def book_links(request: HttpRequest) -> list[tuple[str, str]]:
    """Return the ways to the batches of the person's books."""
    return [(f"Batches of {store}", batches_address(store)) for store in stores_of(request, EDITORS)[:MOST_PAGES]]


def batches_address(store: Store, **query: Any) -> str:
    """Return the address of a book's batches."""
    return reverse("admin:ledger_book_batches", args=[store.pk]) + (f"?{urlencode(query)}" if query else "")


class WithBatches:
    """Adds to changes of rules the ways to what they wrote into the book."""

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """List the changes, with the ways to the books they went into."""
        listed: HttpResponse = super().changelist_view(request, {"page_links": book_links(request), **(extra_context or {})})  # type: ignore[misc]
        return listed

    @admin.display(description="entries it wrote")
    def wrote(self, change: CostChange) -> str:
        """Link to a change's own batches, and to those that restated orders (several changes may share one)."""
        ways = []
        ref = f"costs:{change.pk}"
        if journal.batches(change.store.book, ref=ref):
            ways.append((batches_address(change.store, ref=ref), "batches of this change"))
        if change.costs_version is not None:
            ways.append((batches_address(change.store, ref=RESTATED), "batches that restated orders, of this and other changes"))
        return format_html_join(", ", '<a href="{}">{}</a>', ways) or "none"


class EntriesForm(forms.Form):
    """Asks which entries of a book to show."""

    order = forms.CharField(max_length=80, required=False, label="Order number")
    account = forms.ChoiceField(required=False)
    first = forms.DateField(required=False, label="From", widget=forms.DateInput({"type": "date"}))
    last = forms.DateField(required=False, label="Through", widget=forms.DateInput({"type": "date"}))

    def __init__(self, store: Store, today: date, asked: Any) -> None:
        super().__init__(asked)
        self.store, self.today = store, today
        # accounts are numbered for all stores together, and another store's labels are not this one's to read
        labels = {cost.account_name for cost in ManualCost.objects.filter(store=store).only("category", "label")}
        own = [(number, name) for name, number in sorted(known_numbers(labels).items()) if number not in accounts.NAMES]
        choice: Any = self.fields["account"]
        choice.choices = [("", "every account"), *accounts.NAMES.items(), *own]

    def clean_order(self) -> tuple[int, int] | None:
        """Return the order as the source of its entries."""
        number = str(self.cleaned_data["order"]).strip().removeprefix("#")
        if not number:
            return None
        found = Order.objects.filter(store=self.store, number__in=[number, f"#{number}"]).order_by("-placed_at").values_list("pk", flat=True).first()
        if found is None:
            raise ValidationError(f"{self.store} has no order with the number “{number}”.")
        return int(SourceKind.ORDER), found

    def clean(self) -> dict[str, Any]:
        """Fill in the last month where no days are chosen; one order or cost is shown whole."""
        values: dict[str, Any] = super().clean() or {}
        if not values.get("order") and "source" not in self.data:
            last = values.get("last") or self.today
            values |= {"last": last, "first": values.get("first") or max(last, EARLIEST) - timedelta(days=SHOWN_DAYS - 1)}
        first, last = values.get("first"), values.get("last")
        if first and last and not 0 <= (last - first).days < MOST_DAYS:
            self.add_error("last", f"Choose at most {MOST_DAYS} days, the first before the last.")
        return values


class LedgerPages:
    """Adds the pages that read a book to its admin; they are for owners and cost editors of its store."""

    admin_site: Any
    opts: Any

    def get_urls(self) -> list[Any]:
        """Return the addresses, ours before those that take anything."""
        pages: Sequence[tuple[str, Callable[..., HttpResponse], str]] = (
            ("<int:store>/batches/", self.batches, "batches"),
            ("<int:store>/batches/<int:seq>/", self.batch, "batch"),
            ("<int:store>/entries/", self.entries, "entries"),
        )
        ours = [path(route, self.admin_site.admin_view(require_safe(view)), name=f"ledger_book_{name}") for route, view, name in pages]
        return [*ours, *super().get_urls()]  # type: ignore[misc]  # a ModelAdmin comes after

    @admin.display(description="read")
    def ledger(self, book: Book) -> str:
        """Link to a book's batches and entries."""
        entries = reverse("admin:ledger_book_entries", args=[book.pk])
        return format_html('<a href="{}">Batches</a> <a href="{}">Entries</a>', batches_address(book.store), entries)

    def batches(self, request: HttpRequest, store: int) -> HttpResponse:
        """List a book's batches, newest first."""
        book = _book(request, store)
        before, ref = request.GET.get("before", ""), request.GET.get("ref", "").replace("\0", "")[:80]
        found = journal.batches(book, before=int(before) if _is_number(before) else None, ref=ref)
        query = {"ref": ref} if ref else {}
        older = batches_address(book.store, **query, before=found[PAGE - 1].seq) if len(found) > PAGE else ""
        return self._page(
            request,
            book,
            "batches",
            title=f"Batches of {book.store}",
            batches=[(each, _profit(book, each)) for each in found[:PAGE]],
            ref=ref,
            older=older,
        )

    def batch(self, request: HttpRequest, store: int, seq: int) -> HttpResponse:
        """Show one batch: what it added to each account, and its entries."""
        book = _book(request, store)
        found = journal.batch(book, seq)
        if found is None:
            raise Http404(f"{book.store} has no batch {seq}.")
        rows = journal.entries_of_batch(book, seq, after=_key(request))
        added = journal.sums(book, seq) if found.entries <= journal.MOST_SUMMED else []
        return self._page(
            request, book, "batch", title=f"Batch {seq} of {book.store}", batch=found, profit=_profit(book, found),
            sums=[(each, _amount(book, each.account, each.amount)) for each in added], **_listed(request, book, rows),
        )  # fmt: skip

    def entries(self, request: HttpRequest, store: int) -> HttpResponse:
        """List entries by day: of an order or a cost, an account, a span of days; with a running sum where one makes sense."""
        book = _book(request, store)
        form = EntriesForm(book.store, today_of(book.store, timezone.now()), request.GET)
        rows: list[EntryRow] = []
        source = _source(request)
        if form.is_valid():
            asked = form.cleaned_data
            some = (int(asked["account"]),) if asked["account"] else None
            rows = journal.entries(Sought(book.pk, asked["first"], asked["last"], asked["order"] or source, some), after=_key(request))
        return self._page(
            request, book, "entries", title=f"Entries of {book.store}", form=form, summed=any(row.running is not None for row in rows),
            source=f"{source[0]}:{source[1]}" if source else "", about=journal.named(book, [source])[source].words if source else "",
            **_listed(request, book, rows),
        )  # fmt: skip

    def _page(self, request: HttpRequest, book: Book, name: str, **told: Any) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "opts": self.opts, "book": book, "store": book.store, **told}
        return TemplateResponse(request, f"admin/ledger/book/{name}.html", context)


def _book(request: HttpRequest, store: int) -> Book:
    """Return the book of one of the person's stores; another store's is answered like one that does not exist."""
    book = Book.objects.select_related("store").filter(pk=store, store__in=stores_of(request, EDITORS)).first()
    if book is None:
        raise Http404("There is no such book.")
    return book


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 19


def _source(request: HttpRequest) -> tuple[int, int] | None:
    kind, _, pk = request.GET.get("source", "").partition(":")
    return (int(kind), int(pk)) if _is_number(kind) and _is_number(pk) and int(kind) in SourceKind.values else None


def _key(request: HttpRequest) -> Key | None:
    """Return the place a page follows, as its address says; None for the first page or an address that says nothing."""
    return key_of(request.GET.get("after", ""))


def _listed(request: HttpRequest, book: Book, rows: list[EntryRow]) -> dict[str, Any]:
    """Return what a table of entries needs: its rows with names and amounts in words, and the address of the next page."""
    shown = rows[:PAGE]
    names = journal.named(book, {row.source for row in shown})
    query = request.GET.copy()
    query.pop("after", None)
    first_page = f"?{query.urlencode()}"
    if len(rows) > PAGE:
        query["after"] = written(shown[-1].key)
    entries = [
        {
            "day": row.key[0], "seq": row.key[1], "revision": row.key[6], "reverses": row.key[7], "event_day": row.event_day, "account": row.account,
            "amount": _amount(book, row.account, row.amount), "estimated": row.estimated, "source": names[row.source].words,
            "source_ref": f"{row.source[0]}:{row.source[1]}", "running": None if row.running is None else _amount(book, row.account, row.running),
            "original": "" if row.original_amount is None else f"{in_minor_units(row.original_amount, row.currency or '')} {row.currency}",
            "rate": "" if row.rate is None else f"{row.rate.normalize():f}",
        }
        for row in shown
    ]  # fmt: skip
    following = f"?{query.urlencode()}" if len(rows) > PAGE else ""
    return {"entries": entries, "page": PAGE, "following": following, "first_page": first_page if _key(request) is not None else ""}


def _profit(book: Book, batch: BatchView) -> str:
    return "" if batch.profit is None else _amount(book, "", batch.profit)


def _amount(book: Book, account: str, amount: Decimal) -> str:
    """Write an amount with the decimals of the book's currency and a true minus; a count of things as a number."""
    told = f"{amount.normalize():f}" if account.startswith("stat:") else f"{in_minor_units(amount, book.currency):,f}"
    return told.replace("-", "\u2212")
