"""Narrow lists of rules: to those that hold now, and to those about one thing or about everything."""

from datetime import date, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from ledger.models import Store
from ledger.stores import today_of

SOON = timedelta(days=30)


class HoldsFilter(admin.SimpleListFilter):
    """Finds the rules that hold today, will hold, end soon or are over, by each store's own day."""

    title = "when"
    parameter_name = "when"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return what can be asked for."""
        return [("today", "holds today"), ("soon", f"ends within {SOON.days} days"), ("future", "begins later"), ("over", "is over")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the rules that were asked for."""
        asked = self.value()
        if asked not in ("today", "soon", "future", "over"):
            return queryset
        found = Q(pk__in=[])
        for store in Store.objects.filter(pk__in=queryset.order_by().values("store")):
            found |= Q(store=store) & _when(asked, today_of(store, timezone.now()))
        return queryset.filter(found)


def _when(asked: str, today: date) -> Q:
    if asked == "soon":
        return Q(effective_to__range=(today, today + SOON))
    if asked == "future":
        return Q(effective_from__gt=today)
    if asked == "over":
        return Q(effective_to__lt=today)
    return (Q(effective_from=None) | Q(effective_from__lte=today)) & (Q(effective_to=None) | Q(effective_to__gte=today))


def about_filter(field: str, one: str, everything: str) -> type[admin.SimpleListFilter]:
    """Return a filter that parts rules about one thing, told by `field`, from those about everything."""

    class AboutFilter(admin.SimpleListFilter):
        title = "about"
        parameter_name = "about"

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
            return [("one", one), ("everything", everything)]

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            empty = Q(**{f"{field}__isnull": True}) if queryset.model._meta.get_field(field).is_relation else Q(**{field: ""})
            return {"one": queryset.exclude(empty), "everything": queryset.filter(empty)}.get(self.value() or "", queryset)

    return AboutFilter
