"""Say how a simulated business goes about its days: how often what happens. A scenario is a set of habits."""

from datetime import timedelta

from msgspec import Struct


class Habits(Struct, frozen=True):
    """How often things happen, in ten-thousandths of orders unless a name says otherwise."""

    products: int = 40
    country: str = "US"
    zone: str = "America/New_York"
    currency: str = "USD"
    payout_currency: str = "USD"
    taxes_included: bool = False
    presentment_currencies: tuple[str, ...] = ()
    foreign_currency: int = 0
    """Orders paid in one of the presentment currencies."""
    abroad: int = 1200
    returning: int = 3500
    """Orders by somebody who bought before."""
    discounted: int = 2200
    line_discounted: int = 400
    free_shipping_from: int = 7500
    """Minor units of goods."""
    pos: int = 600
    offline_pos: int = 1500
    """Of orders at the till: it was offline, and Shopify came to know hours later."""
    draft: int = 200
    other_app: int = 200
    custom_line: int = 300
    """Lines that are no product, such as package protection."""
    tip: int = 150
    duty: int = 3000
    """Of orders from abroad."""
    extra_fee: int = 100
    gift_card_sold: int = 100
    gift_card_redeemed: int = 120
    paypal: int = 1500
    klarna: int = 500
    bank_deposit: int = 100
    authorised: int = 800
    """Paid by card, captured when shipped."""
    voided: int = 500
    """Of authorised ones."""
    failed_first: int = 300
    """The first try to pay fails."""
    never_paid: int = 2000
    """Of those paid by bank deposit."""
    test: int = 20
    refunded: int = 600
    no_restock: int = 3000
    """Of refunds."""
    restock_only: int = 200
    """Of refunds: goods come back and no money goes."""
    withheld: int = 500
    """Of refunds: a part is kept."""
    goodwill: int = 100
    shipping_refunded: int = 2000
    """Of refunds."""
    cancelled: int = 120
    cancelled_without_refund: int = 500
    """Of cancelled ones."""
    exchanged: int = 100
    return_fee: int = 4000
    """Of exchanges."""
    edited: int = 150
    disputed: int = 30
    dispute_won: int = 3500
    """Of disputes."""
    labels: int = 0
    """Parcels whose label was bought of Shopify."""
    touched: int = 300
    deleted: int = 0
    imported: int = 0
    """Orders moved from an older shop: created now, processed years ago."""
    long_order: int = 0
    """Orders of sixty lines and more."""
    marketplace_tax: bool = False
    """Another app that sells for the shop pays the tax itself."""
    expired: int = 0
    """Of authorised ones: nobody charges the card in time."""
    late_fees: int = 0
    """Payments whose fee the order tells a day or more later, without counting as changed."""
    reserves: int = 0
    """Payments of which the bank holds a part back for a while, and takes a share for a loan."""
    deleted_products: int = 0
    """Products that are deleted some day."""
    visits: int = 9000
    """Of online orders: Shopify knows the visits before."""
    cost_change_days: int = 90
    """How often a variant's cost changes, on average."""
    price_change_days: int = 180
    unknown_cost: int = 500
    """Variants nobody has entered a cost of."""
    late_cost: int = 300
    """Variants whose first cost is entered after their first months."""
    zone_changes: tuple[tuple[int, str], ...] = ()
    """Day of the business and the zone from then on."""
    currency_change: tuple[int, str] | None = None
    busy_days: tuple[tuple[int, int], ...] = ()
    """Month and day, or (0, n) for the n-th day of the business, on which six times as much is bought."""
    merged: int = 0
    """Of customers: some days after their first order they turn out to be the one who bought just before them."""
    touched_together: int = 0
    """Every so many days all orders of a week are tagged within one second; 0: never."""
    growth: int = 1000
    """Growth of orders a year, in ten-thousandths."""
    latest: timedelta = timedelta(days=75)
    """No order changes later than this after it was placed, but for disputes about to end."""
