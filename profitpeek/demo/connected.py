"""Open a second demo store that is read from a simulated Shopify, by the same pages and requests as a real one."""

from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from connectors.sandbox.serving import app_of
from ledger.models import Store
from ledger.people import Role, kept_stores, set_role
from ledger.stores import open_store
from profitpeek.demo.fill import CONNECTED_SLUG

NAME, CURRENCY, ZONE = "Demo: Maple & Finch", "USD", "America/New_York"
"""As the sandbox's shop sells and lives."""
PLATFORM = "shopify"


@dataclass(frozen=True, slots=True)
class SandboxShop:
    """Where the simulated shop of this installation is, and what lets in there."""

    base_url: str
    domain: str
    told: dict[str, str]


def sandbox_shop() -> SandboxShop | None:
    """Return the simulated shop that `serve` runs beside the pages; None where there is none."""
    if not settings.SANDBOX_SHOP:
        return None
    app = app_of()
    domain = urlsplit(settings.SANDBOX_SHOP).path.rsplit("/", 1)[-1]
    return SandboxShop(settings.SANDBOX_SHOP, domain, {"client_id": app.client_id, "client_secret": app.client_secret})


def connected_store() -> Store | None:
    """Return the demo store that is read from the simulated shop, once it is connected."""
    return kept_stores().filter(slug=CONNECTED_SLUG, is_demo=True, connections__isnull=False).first()


def open_connected(person: User) -> Store:
    """Return that store, opened now if there is none, with the person as an owner; raise StoreRefused when its short name is taken."""
    if not Store.objects.filter(slug=CONNECTED_SLUG, is_demo=True).exists():
        with suppress(IntegrityError), transaction.atomic():  # somebody else opened it a moment ago
            open_store(slug=CONNECTED_SLUG, name=NAME, currency=CURRENCY, zone=ZONE, is_demo=True)
    store = Store.objects.get(slug=CONNECTED_SLUG, is_demo=True)
    set_role(store, person, Role.OWNER)
    return store
