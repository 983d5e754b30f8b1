"""Ask Shopify which shop it thinks this is, and what its owner should know of the connection."""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from connectors.paging import at
from connectors.platforms.shopify import queries
from connectors.platforms.shopify.asking import ask
from connectors.platforms.shopify.consent import missing
from connectors.platforms.shopify.shape import read
from connectors.spec import AccountInfo, Json, Response, Send

NEEDED = ("read_orders", "read_products")
"""Without these there is nothing to read; without the others a part is missing."""
OPTIONAL = {
    "read_all_orders": "Shopify shows this app only the orders of the last 60 days: older ones are not missing by mistake. For all of them, "
    "let the app ask for “read all orders” in the Dev Dashboard, and connect again.",
    "read_customers": "This app may not see which customer an order is of: new and returning customers cannot be told apart.",
    "read_inventory": "This app may not see the stock: only costs and prices are read.",
    "read_locations": "This app may not see what the shop's places are called: in which of them an order was sold is not shown.",
    "read_returns": "This app may not see returns by themselves: exchanges are told by the order's sales alone.",
    "read_shopify_payments_accounts": "This app may not see Shopify Payments: fees of chargebacks, labels and payouts are not read.",
    "read_shopify_payments_disputes": "This app may not see disputes of payments by themselves: chargebacks are told when their money moves.",
}
"""What an owner should know where a scope was not granted."""
SCOPES = (*NEEDED, *OPTIONAL)


class _Plan(Struct, rename="camel"):
    public_display_name: str = ""


class _Shop(Struct, rename="camel"):
    name: str
    myshopify_domain: str
    currency_code: str
    iana_timezone: str


class _Scope(Struct):
    handle: str


class _Installation(Struct, rename="camel"):
    access_scopes: list[_Scope]


class _Told(Struct, rename="camel"):
    shop: _Shop
    current_app_installation: _Installation


def probe(send: Send) -> AccountInfo:
    """Ask for the shop and the app's scopes; raise a Fault when Shopify does not let us in."""
    response = send(ask(queries.SHOP))
    data = at(response.json(), ("data",))
    told = read(data if isinstance(data, dict) else {}, _Told)
    scopes = tuple(sorted(scope.handle for scope in told.current_app_installation.access_scopes))
    shop = told.shop
    return AccountInfo(
        ref=shop.myshopify_domain, name=shop.name, currency=shop.currency_code, zone=shop.iana_timezone, scopes=scopes,
        notes=tuple(_notes(response, scopes)),
    )  # fmt: skip


def _notes(response: Response, scopes: Sequence[str]) -> Iterator[str]:
    """Yield what the owner should know: an interface that is not the pinned one, and what was not granted."""
    version = response.headers.get("x-shopify-api-version", queries.VERSION)
    if version != queries.VERSION:
        yield (
            f"Shopify answers with version {version} of its interface instead of {queries.VERSION}, which has ended. "
            "Update ProfitPeek: figures may be read wrongly."
        )
    for scope in missing(SCOPES, scopes):
        yield OPTIONAL.get(scope, f"This app may not {scope.replace('_', ' ')}, which ProfitPeek needs. Grant it and connect again.")


def counted(answer: Json) -> int:
    """Return how many records Shopify counted."""
    found = at(answer, ("data", "ordersCount", "count"))
    return found if isinstance(found, int) else 0
