"""Decide whose a store is: the one rule for pages and admin, and the only writer of memberships."""

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.db import transaction
from django.db.models import QuerySet

from ledger.models import Membership, Store

Role = Membership.Role
EVERY_ROLE = frozenset(Role)
EDITORS = frozenset({Role.OWNER, Role.COST_EDITOR})
"""Who changes what things cost; they are let through the admin's door, which shows them their own stores only."""
OWNERS = frozenset({Role.OWNER})

WHAT_ROLES_MAY = {
    Role.OWNER: "Sees every page and its files, changes costs and settings, closes days, and says who else may.",
    Role.ANALYST: "Sees every page and its files; changes nothing of the store.",
    Role.COST_EDITOR: "Sees every page and its files, and changes costs, fees and COGS percentages in the admin.",
    Role.VIEWER: "Sees every page and its files; changes nothing.",
}


class LastOwner(Exception):
    """Say that a change would leave a store without an owner who can sign in."""

    def __init__(self, store: Store) -> None:
        super().__init__(f"{store.name} would be left without an owner. Make somebody else an owner first.")


def stores_of(user: AbstractBaseUser | AnonymousUser, roles: frozenset[Role] = EVERY_ROLE) -> QuerySet[Store]:
    """Return the stores in which the person has one of the roles; a superuser has every role everywhere."""
    if not user.is_authenticated or not user.is_active:
        return Store.objects.none()
    if getattr(user, "is_superuser", False):
        return kept_stores()
    return kept_stores().filter(memberships__user_id=user.pk, memberships__role__in=roles)


def kept_stores() -> QuerySet[Store]:
    """Return every store but those that are being deleted, which are there for nobody any more."""
    return Store.objects.filter(erasing_since__isnull=True)


def set_role(store: Store, user: User, role: str) -> Membership:
    """Give a person a role in a store, new or instead of the one they have; raise LastOwner rather than leave none."""
    with transaction.atomic():
        _lock(store)
        if role not in OWNERS:
            _keep_an_owner(store, without=user)
        membership, _ = Membership.objects.update_or_create(store=store, user=user, defaults={"role": Role(role)})
        _follow(user)
    return membership


def remove_member(store: Store, user: User) -> None:
    """Take a person's role in a store away; raise LastOwner rather than leave none."""
    with transaction.atomic():
        _lock(store)
        _keep_an_owner(store, without=user)
        Membership.objects.filter(store=store, user=user).delete()
        _follow(user)


def forget_members(store: int) -> int:
    """Take every role in a store away, whose number this is, because it is deleted; return how many there were."""
    members = list(User.objects.filter(memberships__store_id=store).order_by("pk"))
    deleted, _ = Membership.objects.filter(store_id=store).delete()
    for user in members:
        _follow(user)
    return deleted


def _lock(store: Store) -> None:
    """Let one change of a store's people happen at a time, so that two owners cannot remove each other."""
    # Without the key's lock: rows that point to the store may be written meanwhile.
    Store.objects.select_for_update(no_key=True).get(pk=store.pk)


def _keep_an_owner(store: Store, *, without: User) -> None:
    owners = Membership.objects.filter(store=store, role__in=OWNERS)
    if owners.filter(user=without).exists() and not owners.filter(user__is_active=True).exclude(user=without).exists():
        raise LastOwner(store)


def _follow(user: User) -> None:
    """Open or close the admin's door: staff are superusers, and editors of any store."""
    people: Any = get_user_model()._default_manager
    # Roles in two stores may change at once; the later one counts both.
    locked = people.select_for_update(no_key=True).get(pk=user.pk)
    is_staff = locked.is_superuser or Membership.objects.filter(user_id=user.pk, role__in=EDITORS).exists()
    if locked.is_staff != is_staff:
        people.filter(pk=user.pk).update(is_staff=is_staff)
    user.is_staff = is_staff
