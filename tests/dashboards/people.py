"""Make people who may see a store."""

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.test import Client

from ledger.models import Store
from ledger.people import Role, set_role

EMAIL, PASSWORD = "owner@example.com", "a long password 7"


def a_person(*stores: Store, email: str = EMAIL, role: Role = Role.OWNER, superuser: bool = False) -> User:
    """Make an account with a role in the stores."""
    people = get_user_model().objects
    make = people.create_superuser if superuser else people.create_user
    person: User = make(username=email, email=email, password=PASSWORD)
    for store in stores:
        set_role(store, person, role)
    return person


def browser_of(person: User) -> Client:
    """Return a browser in which the person is signed in."""
    client = Client()
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


def signed_in(*stores: Store, email: str = EMAIL, role: Role = Role.OWNER) -> Client:
    """Return a browser signed in as somebody with a role in the stores."""
    return browser_of(a_person(*stores, email=email, role=role))
