"""Make people who may see a store, and invite others."""

import re
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.test import Client

from ledger.models import Membership, Store
from ledger.people import Role, set_role

EMAIL, PASSWORD = "owner@example.com", "a long password 7"
CHOSEN = {"password": "a chosen password 8", "again": "a chosen password 8"}
"""What a newcomer types to choose a password."""


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


def text_of(answer: Any) -> str:
    """Return a page's words."""
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def invite(owner: Client, email: str = "new@example.com", role: str = "viewer") -> str:
    """Invite somebody and return the path of the link the page shows."""
    answer = owner.post("/shop/people", {"email": email, "role": role}, follow=True)
    return link_in(answer.content.decode())


def link_in(text: str) -> str:
    """Return the path of the link in a page, which names the host it was asked from, or in a message, which names SITE_URL."""
    found = re.search(r"(?:http://testserver|https://shop\.example\.com)(/accounts/invitation/[\w.-]+)", text)
    assert found, text
    return found[1]


def roles(store: Store) -> dict[str, str]:
    """Return who is what in a store."""
    return dict(Membership.objects.filter(store=store).values_list("user__email", "role"))
