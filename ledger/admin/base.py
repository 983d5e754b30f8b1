"""Gate every admin page by store: a person sees only rows of stores where their role lets them change something."""

from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import ForeignKey, Model, QuerySet
from django.forms import ModelChoiceField
from django.http import HttpRequest

from ledger.models import Membership, Store

Role = Membership.Role
EDITORS = frozenset({Role.OWNER, Role.COST_EDITOR})
OWNERS = frozenset({Role.OWNER})


def stores_of(request: HttpRequest, roles: frozenset[Role]) -> QuerySet[Store]:
    """Return the stores in which the person has one of the roles; a superuser has every role."""
    if request.user.is_superuser:
        return Store.objects.all()
    return Store.objects.filter(memberships__user__in=[request.user.pk], memberships__role__in=roles)


class StoreModelAdmin(admin.ModelAdmin):
    """Shows only rows of the person's stores. Nothing may be added or deleted unless a subclass says so."""

    store_path = "store"
    """The way from a row to its store."""
    roles = EDITORS
    """Who may see and change the rows."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the rows of the person's stores."""
        rows = super().get_queryset(request)
        return rows if request.user.is_superuser else rows.filter(**{f"{self.store_path}__in": stores_of(request, self.roles)})

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
            return bool(request.user.is_superuser) or stores_of(request, self.roles).exists()
        return self.get_queryset(request).filter(pk=obj.pk).exists()

    def formfield_for_foreignkey(self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any) -> "ModelChoiceField[Any] | None":
        """Offer only rows of the person's stores, and only people who are members of them."""
        target: Any = db_field.remote_field.model
        gate = self.admin_site._registry.get(target)
        if target is Store:
            kwargs["queryset"] = stores_of(request, self.roles)
        elif isinstance(gate, StoreModelAdmin):
            kwargs["queryset"] = gate.get_queryset(request)
        elif target is get_user_model() and not request.user.is_superuser:
            kwargs["queryset"] = get_user_model()._default_manager.filter(memberships__store__in=stores_of(request, self.roles)).distinct()
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


class StoreFilter(admin.SimpleListFilter):
    """Filters a list by store, naming only the person's own (Django's filter would name every store)."""

    title = "store"
    parameter_name = "store"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the stores to choose from."""
        self.path = model_admin.store_path
        return [(str(pk), name) for pk, name in stores_of(request, model_admin.roles).values_list("pk", "name")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the rows of the chosen store."""
        value = self.value()
        return queryset.filter(**{self.path: int(value)}) if value and value.isdecimal() else queryset
