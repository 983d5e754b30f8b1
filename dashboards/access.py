"""Decide which stores a person may see: the one gate every page of a store goes through."""

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import QuerySet
from django.http import Http404, HttpRequest

from ledger.models import Store


def stores_for(user: AbstractBaseUser | AnonymousUser) -> QuerySet[Store]:
    """Return the stores a person may see: all for a superuser, else those with a membership."""
    if not user.is_authenticated or not user.is_active:
        return Store.objects.none()
    if getattr(user, "is_superuser", False):
        return Store.objects.all()
    return Store.objects.filter(memberships__user_id=user.pk)


def store_or_404(request: HttpRequest, slug: str) -> Store:
    """Return the store with its book, or answer 404 alike for a store that is not there and one that is not yours."""
    store = stores_for(request.user).select_related("book").filter(slug=slug, book__isnull=False).first()
    if store is None:
        raise Http404("No such store.")
    return store
