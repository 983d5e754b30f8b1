"""Gate every admin page by store: a person sees only rows of stores where their role lets them change something."""

from calendar import monthrange
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.db.models import DecimalField, Field, ForeignKey, Model, QuerySet
from django.forms import ModelChoiceField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.module_loading import import_string
from django.utils.text import capfirst

from ledger import people
from ledger.admin.typed import PercentageField
from ledger.models import Store
from ledger.models.rules import FIRST_YEAR, LAST_YEAR
from ledger.people import EDITORS, Role

ModelAdmin: Any = import_string(settings.MODEL_ADMIN)
TabularInline: Any = import_string(settings.TABULAR_INLINE)


def stores_of(request: HttpRequest, roles: frozenset[Role]) -> QuerySet[Store]:
    """Return the stores in which the person has one of the roles."""
    return people.stores_of(request.user, roles)


class StoreModelAdmin(ModelAdmin):  # type: ignore[misc]
    """Shows only rows of the person's stores. Nothing may be added or deleted unless a subclass says so."""

    store_path = "store"
    """The way from a row to its store."""
    roles = EDITORS
    """Who may see and change the rows."""
    note = ""
    """What a person should know above the list: units, clocks, where the rows come from."""
    empty = ""
    """What will be listed here, and what to do for it."""
    help_texts: dict[str, str] = {}
    """What the form says under a field, where the model does not say it already."""
    view_on_site = False
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the rows of the person's stores."""
        rows: QuerySet[Any] = super().get_queryset(request)
        if request.user.is_superuser:
            store = "" if self.store_path == "pk" else f"{self.store_path}__"
            return rows.filter(**{f"{store}erasing_since__isnull": True})
        return rows.filter(**{f"{self.store_path}__in": stores_of(request, self.roles)})

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Answer whether the person has anything to see here."""
        return self._may(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Answer whether the row is in the person's stores."""
        return self._may(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Answer whether the row is in the person's stores."""
        return self._may(request, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Answer no: most rows come from platforms and postings."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Answer no: what was posted rests on these rows."""
        return False

    def _may(self, request: HttpRequest, obj: Model | None = None) -> bool:
        if not (request.user.is_active and request.user.is_staff):
            return False
        if obj is None or obj.pk is None:
            return bool(request.user.is_superuser) or _in_any_store(request, self.roles)
        return self.get_queryset(request).filter(pk=obj.pk).exists()

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Head the list with what is listed; go back to the whole list where it is narrowed to days that there are not."""
        if self.date_hierarchy and not _is_a_span(request, self.date_hierarchy):
            messages.warning(request, f"There is no such day, month or year between {FIRST_YEAR} and {LAST_YEAR}, so all are listed.")
            return redirect(request.path)
        title = capfirst(str(self.opts.verbose_name_plural))
        answer: HttpResponse = super().changelist_view(request, {"title": title, **(extra_context or {})})
        return answer

    def get_form(self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any) -> Any:
        """Return the form with what is to be said under its fields."""
        return super().get_form(request, obj, change=change, **{"help_texts": self.help_texts, **kwargs})

    def formfield_for_dbfield(self, db_field: "Field[Any, Any]", request: HttpRequest, **kwargs: Any) -> Any:
        """Show a percentage as people write it."""
        if isinstance(db_field, DecimalField) and db_field.name.endswith("percentage"):
            kwargs["form_class"] = PercentageField
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Let a person choose: unfold would put the first choice in (a role: owner) where the model has no default."""
        blank = db_field.blank or not db_field.has_default()
        return super().formfield_for_choice_field(db_field, request, **{"choices": db_field.get_choices(include_blank=blank), **kwargs})

    def formfield_for_foreignkey(self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any) -> ModelChoiceField | None:
        """Offer only rows of the person's stores, and only people who are members of them."""
        target: Any = db_field.remote_field.model
        gate = self.admin_site._registry.get(target)
        if target is Store:
            kwargs["queryset"] = stores_of(request, self.roles)
        elif isinstance(gate, StoreModelAdmin):
            kwargs["queryset"] = gate.get_queryset(request)
        elif target is get_user_model() and not request.user.is_superuser:
            kwargs["queryset"] = get_user_model()._default_manager.filter(memberships__store__in=stores_of(request, self.roles)).distinct()
        field: ModelChoiceField | None = super().formfield_for_foreignkey(db_field, request, **kwargs)
        return field


def _in_any_store(request: HttpRequest, roles: frozenset[Role]) -> bool:
    """Answer whether the person has one of the roles anywhere; asked for every item of the menu, so read once a request."""
    known: dict[frozenset[Role], bool] | None = getattr(request, "in_any_store", None)
    if known is None:
        known = request.in_any_store = {}  # type: ignore[attr-defined]
    if roles not in known:
        known[roles] = stores_of(request, roles).exists()
    return known[roles]


def _is_a_span(request: HttpRequest, field: str) -> bool:
    """Answer whether what a list is narrowed to by its days is a year, a month of one or a day of one; Django reckons beyond the last year."""
    parts = [request.GET.get(f"{field}__{part}") for part in ("year", "month", "day")]
    given = [part for part in parts if part is not None]
    if not given:
        return True
    if parts[: len(given)] != given or not all(part.isascii() and part.isdecimal() and len(part) <= 4 for part in given):  # a month of no year
        return False
    year, month, day = [*map(int, given), 1, 1][:3]
    return FIRST_YEAR <= year <= LAST_YEAR and 1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1]


class StoreFilter(admin.SimpleListFilter):
    """Filters a list by store, naming only the person's own (Django's filter would name every store)."""

    title = "store"
    parameter_name = "store"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the stores to choose from, where there is a choice."""
        self.path = model_admin.store_path
        stores = [(str(pk), name) for pk, name in stores_of(request, model_admin.roles).values_list("pk", "name")]
        return stores if len(stores) > 1 else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the rows of the chosen store."""
        value = self.value()
        return queryset.filter(**{self.path: int(value)}) if value and value.isdecimal() else queryset
