"""Define what happens to an order: what its people meant and did, dated. Platforms tell it in their words, the oracle in its own.

Amounts are minor units of the shop's currency as shown to the customer: with tax where prices include it. They are
positive unless a docstring says otherwise.
"""

from datetime import datetime

from msgspec import Struct

from connectors.sandbox.business import Visit

GOODS, GIFT_CARD, TIP = "goods", "gift_card", "tip"
"""What a line may be. A line of goods without a variant is a custom one, such as package protection."""


class Levy(Struct, frozen=True):
    """One tax: its name and its rate in millionths."""

    title: str
    rate: int
    channel_liable: bool = False
    """A marketplace pays it to the state."""


class Discount(Struct, frozen=True):
    """A discount of an order: a code, or one that applies by itself."""

    code: str | None
    title: str
    percent: int | None = None
    """None: an amount."""
    on_shipping: bool = False


class Item(Struct, frozen=True):
    """One line as it was put into an order."""

    id: int
    quantity: int
    price: int
    """Of one unit, as shown."""
    variant: int | None = None
    product: int | None = None
    sku: str = ""
    title: str = ""
    variant_title: str | None = None
    vendor: str = ""
    kind: str = GOODS
    discount: int = 0
    """Off the whole line, as shown."""
    allocations: tuple[tuple[int, int], ...] = ()
    """What each discount of the order took off: its index and amount. They add up to `discount`."""
    levies: tuple[Levy, ...] = ()
    requires_shipping: bool = True


class Carriage(Struct, frozen=True):
    """One shipping line."""

    id: int
    title: str
    price: int
    discount: int = 0
    allocations: tuple[tuple[int, int], ...] = ()
    levies: tuple[Levy, ...] = ()

    @property
    def quantity(self) -> int:
        """Return 1: an order is carried once by each of its shipping lines."""
        return 1


class Duty(Struct, frozen=True):
    """A customs duty collected with a line."""

    id: int
    item: int
    amount: int
    country_of_origin: str = "CN"
    code: str = "6109.10"


class ExtraFee(Struct, frozen=True):
    """A fee that the customer pays with the order (a bag, recycling) or for a return. Its tax is always added."""

    id: int
    name: str
    amount: int
    levies: tuple[Levy, ...] = ()


class ProcessorFee(Struct, frozen=True):
    """What Shopify Payments kept of a payment, in the shop's payout currency."""

    amount: int
    currency: str
    rate: int
    """In millionths."""
    flat: int


class Payment(Struct, frozen=True):
    """One movement of money, or a try. What is paid in and what is paid back are both positive; `kind` tells which."""

    id: int
    at: datetime
    kind: str
    """SALE, AUTHORIZATION, CAPTURE, VOID, REFUND, CHANGE."""
    status: str
    """SUCCESS, PENDING, FAILURE, ERROR, AWAITING_RESPONSE."""
    gateway: str
    amount: int
    parent: int | None = None
    fee: ProcessorFee | None = None
    rounding: int = 0
    """What rounding to coins adds to (or takes from) `amount` for the money that changed hands; signed."""
    test: bool = False
    created_at: datetime | None = None
    """None: at once with `at`, when it was processed."""
    error: str | None = None


class Told(Struct, frozen=True, tag=True, tag_field="happened"):
    """What every happening is, where it is written down: named."""


class Paid(Told, frozen=True):
    """Money moved, or failed to."""

    at: datetime
    payment: Payment


class Shipped(Told, frozen=True):
    """Goods left the warehouse. `label` is what the label cost in the payout currency where it was bought of Shopify."""

    at: datetime
    items: tuple[tuple[int, int], ...] = ()
    """Lines and units; none: everything that had not left."""
    label: int | None = None
    label_id: int = 0


class Edited(Told, frozen=True):
    """Somebody changed an order. `discounts` are taken off what remains of a line, in all."""

    at: datetime
    id: int
    added: tuple[Item, ...] = ()
    removed: tuple[tuple[int, int], ...] = ()
    discounts: tuple[tuple[int, int], ...] = ()
    carriage: Carriage | None = None


class GoodsBack(Struct, frozen=True):
    """Units of a line that are given back. `restock` is RETURN, CANCEL (they never left) or NO_RESTOCK."""

    id: int
    item: int
    quantity: int
    restock: str
    location: int | None = None

    @property
    def restocked(self) -> bool:
        """Tell whether the units can be sold again."""
        return self.restock in ("RETURN", "CANCEL")


class Refunded(Told, frozen=True):
    """Goods, shipping or money were given back.

    `goodwill` is money given back for nothing; `withheld` is what of the value of the goods and shipping was kept.
    """

    at: datetime
    id: int
    goods: tuple[GoodsBack, ...] = ()
    shipping: tuple[tuple[int, int], ...] = ()
    """Shipping lines and how much of each, as shown."""
    duties: tuple[int, ...] = ()
    """Ids of duties given back."""
    goodwill: int = 0
    withheld: int = 0
    payments: tuple[Payment, ...] = ()
    note: str = ""
    processed_at: datetime | None = None
    """None: at once with `at`."""


class Returned(Told, frozen=True):
    """Goods came back, perhaps for others, and perhaps for a fee. Its refund tells what was restocked and moves the money."""

    at: datetime
    id: int
    refund_id: int
    goods: tuple[GoodsBack, ...]
    exchanged: tuple[Item, ...] = ()
    fees: tuple[ExtraFee, ...] = ()
    payments: tuple[Payment, ...] = ()


class Cancelled(Told, frozen=True):
    """An order was cancelled; a refund tells what was given back."""

    at: datetime
    reason: str = "CUSTOMER"


class Disputed(Told, frozen=True):
    """A bank took money back (`amount`, and a fee that Shopify charges), both in the payout currency. An inquiry takes none."""

    at: datetime
    id: int
    type: str
    """CHARGEBACK or INQUIRY."""
    reason: str
    amount: int
    fee: int
    payment: int


class Settled(Told, frozen=True):
    """A dispute ended: WON gives money and fee back, LOST and ACCEPTED nothing."""

    at: datetime
    dispute: int
    status: str


class Touched(Told, frozen=True):
    """Something that moves no money was changed, such as a tag."""

    at: datetime
    tag: str = ""


class Merged(Told, frozen=True):
    """Its customer turned out to be another one, whose orders are theirs from then on."""

    at: datetime
    into: int


class Expired(Told, frozen=True):
    """Nobody charged what was held on a card in time: the hold is gone."""

    at: datetime


class FeeTold(Told, frozen=True):
    """The platform begins to tell what it kept of a payment; its balance told at once. The order does not count as changed."""

    at: datetime
    payment: int


class Banked(Told, frozen=True):
    """The balance of Shopify Payments moved for a reason of the bank's own that earns and costs nothing, such as a reserve."""

    at: datetime
    id: int
    type: str
    amount: int
    """Signed, in the payout currency."""


class Closed(Told, frozen=True):
    """The order was archived."""

    at: datetime


class Deleted(Told, frozen=True):
    """The order is gone: the platform answers as if it had never been."""

    at: datetime


Happening = (
    Paid | Shipped | Edited | Refunded | Returned | Cancelled | Disputed | Settled | Touched | Merged | Expired | FeeTold | Banked | Closed | Deleted
)


class Story(Struct, frozen=True):
    """One order: how it was placed, and everything that happens to it, in time order."""

    id: int
    name: str
    created_at: datetime
    """When the platform came to know of it."""
    processed_at: datetime
    """When it was placed: what its day is reckoned by."""
    items: tuple[Item, ...]
    happenings: tuple[Happening, ...]
    currency: str
    presentment_currency: str
    presentment_rate: int = 1_000_000
    """Units of presentment currency for one of the shop's, in millionths."""
    taxes_included: bool = False
    carriages: tuple[Carriage, ...] = ()
    discounts: tuple[Discount, ...] = ()
    duties: tuple[Duty, ...] = ()
    fees: tuple[ExtraFee, ...] = ()
    customer: int | None = None
    country: str | None = None
    province: str | None = None
    zip: str | None = None
    source_name: str = "web"
    app: tuple[int, str] = (580111, "Online Store")
    location: int | None = None
    test: bool = False
    first_visit: Visit | None = None
    last_visit: Visit | None = None
    other_visits: tuple[Visit, ...] = ()
    """Between the first and the last."""
    tags: tuple[str, ...] = ()

    def customer_at(self, moment: datetime) -> int | None:
        """Return whose order it is at a moment."""
        merged = [each.into for each in self.happenings if isinstance(each, Merged) and each.at <= moment]
        return merged[-1] if merged else self.customer
