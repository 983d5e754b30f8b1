"""Edit stores, their time zones and their people."""

from collections.abc import Callable
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html

from ledger import people
from ledger.admin.base import StoreFilter, StoreModelAdmin, TabularInline, stores_of
from ledger.admin.typed import shown
from ledger.models import Membership, Store, StoreZone
from ledger.people import OWNERS
from ledger.stores import StoreRefused, refuse_reserved


class StoreZoneInline(TabularInline):  # type: ignore[misc]
    """Adds a time zone from a day on; those in force are shown only, because days already given never move."""

    model = StoreZone
    extra = 0

    def has_view_permission(self, request: HttpRequest, obj: Store | None = None) -> bool:
        """Answer yes: whoever sees the store sees its zones."""
        return True

    def has_add_permission(self, request: HttpRequest, obj: Store | None = None) -> bool:
        """Answer whether the person owns the store."""
        return obj is not None and stores_of(request, OWNERS).filter(pk=obj.pk).exists()

    def has_change_permission(self, request: HttpRequest, obj: Store | None = None) -> bool:
        """Answer no."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Store | None = None) -> bool:
        """Answer no: a store always has a zone."""
        return False


class StoreForm(forms.ModelForm):
    """Refuses a short name that is part of our own addresses."""

    class Meta:
        labels: ClassVar[dict[str, str]] = {"week_starts_on_sunday": "Week starts on Sunday"}

    def clean_slug(self) -> str:
        """Return the short name if a store may have it."""
        slug = str(self.cleaned_data["slug"])
        try:
            refuse_reserved(slug)
        except StoreRefused as refused:
            raise ValidationError(str(refused)) from refused
        return slug


@admin.register(Store)
class StoreAdmin(StoreModelAdmin):
    """Edits a store. Stores are opened by `create_store`, together with their book."""

    store_path = "pk"
    note = (
        "COGS % is the share of the list price, tax removed, that a product costs today when neither its cost nor its own percentage is known. "
        "It is set by dated rules."
    )
    empty = "Stores are opened on the site, or on the server with manage.py create_store."
    help_texts = {
        "slug": "The store's part of every address; links to its pages change with it.",
        "fiscal_year_start_month": "1 is January, 12 is December.",
        "week_starts_on_sunday": "Otherwise weeks start on Monday.",
        "margin_basis": "What an order's margin is a percentage of.",
        "currency": "Every figure of the store is in it. Another currency is a new store that succeeds this one.",
        "succeeds": "The store this one follows, where the currency has changed.",
    }
    list_display = ["name", "slug", "currency", "percentage"]
    search_fields = ["name", "slug"]
    fixed = ("currency", "succeeds", "is_demo")
    settings = ("name", "slug", "fiscal_year_start_month", "week_starts_on_sunday", "margin_basis")
    fields = (*settings, "percentage", *fixed)
    form = StoreForm
    inlines = [StoreZoneInline]

    def get_readonly_fields(self, request: HttpRequest, obj: Store | None = None) -> tuple[str, ...]:
        """Leave a cost editor nothing to change here: what things cost is set by rules."""
        if obj is not None and stores_of(request, OWNERS).filter(pk=obj.pk).exists():
            return (*self.fixed, "percentage")
        return (*self.fixed, "percentage", *self.settings)

    @admin.display(description="COGS % today", ordering="cogs_percentage")
    def percentage(self, store: Store) -> str:
        """Return the percentage that holds today, and the way to another one."""
        now = "the default" if store.cogs_percentage is None else shown(store.cogs_percentage)
        return format_html('{} (<a href="{}?store={}">set a new one</a>)', now, reverse("admin:ledger_cogsrule_add"), store.pk)


@admin.register(Membership)
class MembershipAdmin(StoreModelAdmin):
    """Edits who may do what. Owners only: a cost editor could otherwise become one."""

    roles = OWNERS
    note = "Owners and cost editors come into the admin and see their own stores there; analysts and viewers have the pages of the site."
    empty = "Nobody has a role in a store yet. People are invited on the site."
    help_texts = {
        "user": "Somebody who has an account already; others are invited on the site.",
        "role": " ".join(f"{people.Role(role).label.capitalize()}: {told}" for role, told in people.WHAT_ROLES_MAY.items()),
    }
    list_display = ["user", "store", "role"]
    search_fields = ["user__email", "store__name"]
    ordering = ["store", "user__email", "pk"]
    list_filter = [StoreFilter, "role"]
    list_select_related = ["user", "store"]
    fields = ["store", "user", "role"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Answer whether the person owns a store."""
        return self._may(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Answer whether the membership is of a store the person owns."""
        return self._may(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Membership | None = None) -> list[str]:
        """Keep a role with its person and its store; another person's is another row."""
        return ["store", "user"] if obj else []

    def save_model(self, request: HttpRequest, obj: Membership, form: Any, change: bool) -> None:
        """Give the role, which opens and closes the door to the admin as well."""
        obj.pk = people.set_role(obj.store, obj.user, obj.role).pk

    def delete_model(self, request: HttpRequest, obj: Membership) -> None:
        """Take the role away."""
        people.remove_member(obj.store, obj.user)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Take each of the chosen roles away, or none of them."""
        with transaction.atomic():
            for membership in queryset.select_related("store", "user").order_by("store", "pk"):
                self.delete_model(request, membership)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Save, or say that the store would have no owner."""
        return self._keeping_an_owner(request, super().changeform_view, *args, **kwargs)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Delete, or say that the store would have no owner."""
        return self._keeping_an_owner(request, super().delete_view, *args, **kwargs)

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """List, and act on what was chosen or say that a store would have no owner."""
        return self._keeping_an_owner(request, super().changelist_view, *args, **kwargs)

    def _keeping_an_owner(self, request: HttpRequest, view: Callable[..., HttpResponse], *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except people.LastOwner as error:
            messages.error(request, str(error))
            return HttpResponseRedirect(request.get_full_path())
