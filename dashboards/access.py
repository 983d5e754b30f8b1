"""Decide which stores a person may see: the one gate every page of a store goes through."""

from collections.abc import Sequence

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db.models import CharField, F, QuerySet, Value
from django.http import Http404, HttpRequest

from ledger.models import Store
from ledger.people import EVERY_ROLE, OWNERS, Role, stores_of

__all__ = ["EVERY_ROLE", "OWNERS", "Role", "actor_of", "roles_in", "store_or_404", "stores_for"]


def stores_for(user: AbstractBaseUser | AnonymousUser) -> QuerySet[Store]:
    """Return the stores a person may see, each with the `role` it is seen in; a superuser sees all as their owner."""
    role = Value(Role.OWNER.value, CharField()) if getattr(user, "is_superuser", False) else F("memberships__role")
    return stores_of(user).annotate(role=role)


def roles_in(user: AbstractBaseUser | AnonymousUser, store: Store) -> frozenset[Role]:
    """Return what a person is in a store: nothing, one role, or every role as a superuser."""
    if getattr(user, "is_superuser", False) and user.is_active:
        return EVERY_ROLE
    return frozenset(Role(role) for role in stores_of(user).filter(pk=store.pk).values_list("memberships__role", flat=True))


def store_or_404(request: HttpRequest, slug: str, *, roles: frozenset[Role] = EVERY_ROLE) -> Store:
    """Return the store with its book; answer 404 alike for no store and one that is not yours, 403 for a role of yours that is too little."""
    store = stores_for(request.user).select_related("book", "start_end").filter(slug=slug, book__isnull=False).first()
    if store is None:
        raise Http404("No such store.")
    if roles != EVERY_ROLE and not roles & roles_in(request.user, store):
        named = " or ".join(sorted(str(role.label) for role in roles))
        raise PermissionDenied(f"This page is for the {named} of {store.name}. Ask an owner of the store if you need it.")
    return store


def several_or_404(stores: Sequence[Store], slugs: Sequence[str]) -> list[Store]:
    """Return those of a person's stores that are named, in their own order; answer 404 alike for no store and one that is not theirs."""
    if not set(slugs) <= {store.slug for store in stores}:
        raise Http404("No such store.")
    return [store for store in stores if store.slug in slugs]


def actor_of(request: HttpRequest) -> str:
    """Return the name that what a person does is noted under."""
    return str(getattr(request.user, "email", "") or request.user.get_username())
