"""Make people who may see a store."""

from django.contrib.auth import get_user_model
from django.test import Client

from ledger.models import Membership, Store

EMAIL, PASSWORD = "owner@example.com", "a long password 7"


def signed_in(*stores: Store, email: str = EMAIL) -> Client:
    """Return a browser signed in as the owner of the stores."""
    person = get_user_model().objects.create_user(username=email, email=email, password=PASSWORD)
    for store in stores:
        Membership.objects.create(store=store, user=person, role=Membership.Role.OWNER)
    client = Client()
    client.force_login(person)
    return client
