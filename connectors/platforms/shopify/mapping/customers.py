"""Map what Shopify tells of a customer: by a number that is hashed at once, how many orders it counts of them."""

from collections.abc import Iterator

from msgspec import Struct

from connectors.faults import BadPayload
from connectors.platforms.shopify.mapping.orders import PLATFORM
from connectors.platforms.shopify.shape import Address, read, tail
from connectors.spec import Context, Json
from ledger.facts import CustomerFact


class Customer(Struct, rename="camel"):
    """A customer, asked for nothing that names them."""

    id: str
    number_of_orders: str | int
    default_address: Address | None = None


def customer_facts(record: Json, context: Context) -> Iterator[CustomerFact]:
    """Map a customer; nobody for one who was erased. Raise BadPayload when it is not what Shopify documents."""
    customer = read(record, Customer)
    orders = str(customer.number_of_orders)
    if not orders.isdecimal() or len(orders) > 9:
        raise BadPayload(f"“{orders[:40]}” is not a number of orders.", record=customer.id)
    number = tail(customer.id)
    if number.isdecimal() and (who := context.identify(number)):
        yield CustomerFact(PLATFORM, who, int(orders), (customer.default_address or Address()).country_code_v2 or "")
