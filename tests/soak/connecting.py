"""Connect a store to a simulated shop, as processes of the product are to read it."""

from datetime import datetime, timedelta

from django.db.models.functions import Now

from connectors.models import Connection
from connectors.oauth import connect_with_key
from connectors.reading.sync_tasks import submit_connected
from connectors.registry import find
from connectors.sandbox.rates import euro_rates
from connectors.sandbox.shopify_shop import Shop
from connectors.webhooks.tasks import submit_subscriptions
from ledger import rates
from ledger.kinds import RateSource
from ledger.stores import open_store
from profitpeek.jobs.models import Job
from tests.journeys.sandbox_shop import CLIENT, EARLIER


def connect(shop: Shop, now: datetime, *, days: int) -> Connection:
    """Open a store and connect it to the shop, with all exchange rates of so many days to come; its past is read in the background."""
    first = now.date() - timedelta(days=EARLIER)
    dates = [first + timedelta(days=number) for number in range(EARLIER + days)]
    rates.add_rates([(currency, day, rate) for day in dates for currency, rate in euro_rates(day).items()], source=RateSource.ECB)
    setting = shop.rows.world.shop.at(now)
    store = open_store(slug="soak", name="Soak", currency=setting.currency, zone=setting.zone)
    connector = find("shopify")
    key = next(key for key in connector.keys if key.name == "credentials")
    connection = connect_with_key(store, connector, key, account=shop.domain, foreign=shop.base_url, told=CLIENT, actor="soak", now=now)
    submit_connected(connection, actor="soak")
    submit_subscriptions(connection, actor="soak")
    return connection


def is_calm() -> bool:
    """Tell whether no job waits or runs but those that come again by themselves; those that rest after a fault need not rest any longer."""
    Job.objects.filter(state="waiting", not_before__gt=Now()).update(not_before=Now(), rung_at=None)
    return not Job.objects.filter(state__in=["waiting", "running"]).exclude(key__startswith="recurring:").exists()
