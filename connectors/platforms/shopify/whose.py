"""Say which person an order of Shopify is of: a customer's number is all that is asked of them, and where the parcel went."""

from typing import Any

from connectors.platforms.shopify.mapping.journey import SUMMARY
from connectors.platforms.shopify.shape import tail
from connectors.spec import Json, Whose

_CUSTOMERS = "gid://shopify/Customer/"


def _identity(record: Json) -> str | None:
    customer = record.get("customer")
    number = customer.get("id") if isinstance(customer, dict) else None
    return tail(number) if isinstance(number, str) and number else None


def _renamed(record: Json, name: str) -> Json:
    """Keep the country, which figures are told by, and no province, nor how they came."""
    renamed: dict[str, Any] = {**record, "customer": {"id": _CUSTOMERS + name} if name else None}
    if renamed.get(SUMMARY) is not None:
        renamed[SUMMARY] = None
    address = record.get("shippingAddress")
    if isinstance(address, dict):
        renamed["shippingAddress"] = {"countryCodeV2": address.get("countryCodeV2")}
    return renamed


ORDERS = Whose(identity=_identity, renamed=_renamed)


def _itself(record: Json) -> str | None:
    found = record.get("id")
    return tail(found) if isinstance(found, str) and found else None


def _nobody(record: Json, name: str) -> Json:
    return {**record, "id": _CUSTOMERS + (name or "erased"), "numberOfOrders": "0", "defaultAddress": None}


CUSTOMERS = Whose(identity=_itself, renamed=_nobody, is_person=True)
