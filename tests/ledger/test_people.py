"""Check the one writer of memberships: the last owner stays, and the admin's door follows the role."""

import threading

import pytest
from django.contrib.auth.models import User
from django.db import connection

from ledger.models import Membership, Store
from ledger.people import EDITORS, LastOwner, Role, remove_member, set_role, stores_of
from tests.builders import a_store

pytestmark = pytest.mark.django_db


def a_user(name: str) -> User:
    """Make an account."""
    return User.objects.create_user(f"{name}@example.com", f"{name}@example.com", "a long password 7")


def roles(store: Store) -> dict[str, str]:
    """Return who is what in a store."""
    return dict(Membership.objects.filter(store=store).values_list("user__email", "role"))


def is_staff(user: User) -> bool:
    """Read whether the admin's door is open."""
    return User.objects.get(pk=user.pk).is_staff


def test_the_admin_s_door_follows_the_role() -> None:
    one, two, ann, bob = a_store(), a_store(), a_user("ann"), a_user("bob")
    set_role(one, bob, Role.OWNER)
    seen = []
    for role in Role:
        set_role(one, ann, role)
        seen.append((role.value, is_staff(ann), ann.is_staff))
    assert seen == [("owner", True, True), ("analyst", False, False), ("cost_editor", True, True), ("viewer", False, False)]
    set_role(two, ann, Role.OWNER)
    assert is_staff(ann)
    set_role(two, bob, Role.OWNER)
    remove_member(two, ann)
    assert not is_staff(ann)


def test_a_superuser_stays_staff_without_any_role() -> None:
    store, root, bob = a_store(), User.objects.create_superuser("root", "root@example.com", "pw"), a_user("bob")
    set_role(store, bob, Role.OWNER)
    set_role(store, root, Role.VIEWER)
    assert is_staff(root)
    remove_member(store, root)
    assert is_staff(root)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.ANALYST, Role.COST_EDITOR])
def test_the_last_owner_cannot_be_demoted_or_removed(role: Role) -> None:
    store, ann, bob = a_store(slug="shop"), a_user("ann"), a_user("bob")
    set_role(store, ann, Role.OWNER)
    set_role(store, bob, role)
    with pytest.raises(LastOwner, match=r"Shop would be left without an owner\. Make somebody else an owner first\."):
        set_role(store, ann, role)
    with pytest.raises(LastOwner):
        remove_member(store, ann)
    assert roles(store) == {"ann@example.com": "owner", "bob@example.com": role.value}
    assert is_staff(ann)


def test_an_owner_who_cannot_sign_in_does_not_count() -> None:
    store, ann, gone = a_store(), a_user("ann"), a_user("gone")
    set_role(store, gone, Role.OWNER)
    set_role(store, ann, Role.OWNER)
    User.objects.filter(pk=gone.pk).update(is_active=False)
    with pytest.raises(LastOwner):
        remove_member(store, ann)
    remove_member(store, gone)
    assert roles(store) == {"ann@example.com": "owner"}


def test_stores_are_found_by_role_and_only_for_who_may_sign_in() -> None:
    one, two, ann, bob = a_store(), a_store(), a_user("ann"), a_user("bob")
    for store in (one, two):
        set_role(store, bob, Role.OWNER)
    set_role(one, ann, Role.COST_EDITOR)
    set_role(two, ann, Role.VIEWER)
    assert set(stores_of(ann)) == {one, two}
    assert set(stores_of(ann, EDITORS)) == {one}
    ann.is_active = False
    assert set(stores_of(ann)) == set()


@pytest.mark.django_db(transaction=True)
def test_two_owners_cannot_remove_each_other_at_once() -> None:
    store, ann, bob = a_store(), a_user("ann"), a_user("bob")
    for _ in range(10):
        for owner in (ann, bob):
            set_role(store, owner, Role.OWNER)
        together, outcomes = threading.Barrier(2), []

        def leave(user: User, together: threading.Barrier = together, outcomes: list[str] = outcomes) -> None:
            together.wait(timeout=10)
            try:
                remove_member(store, user)
                outcomes.append("removed")
            except LastOwner:
                outcomes.append("refused")
            finally:
                connection.close()

        threads = [threading.Thread(target=leave, args=[user]) for user in (ann, bob)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=30)
        assert sorted(outcomes) == ["refused", "removed"]
        assert list(roles(store).values()) == ["owner"]
