"""Name troubles: each is the habits of a business in which one thing happens much more than usual."""

from msgspec import structs

from connectors.sandbox.habits import Habits

QUIET = Habits()

SCENARIOS: dict[str, Habits] = {
    "quiet": QUIET,
    # the days about Thanksgiving's Friday, whatever the year, and the twelfth day, so that a short business has one, too
    "black_friday": structs.replace(QUIET, busy_days=((11, 26), (11, 27), (11, 28), (11, 29), (11, 30), (0, 11)), discounted=7000),
    "refund_storm": structs.replace(QUIET, refunded=4500, goodwill=1500, restock_only=1000, withheld=1500, shipping_refunded=5000),
    "price_and_cost_changes": structs.replace(QUIET, cost_change_days=12, price_change_days=10, unknown_cost=1500, late_cost=2000),
    "zone_change": structs.replace(QUIET, zone_changes=((20, "America/Los_Angeles"), (40, "Europe/Berlin"))),
    "currency_change": structs.replace(QUIET, currency_change=(30, "EUR")),
    "two_currencies": structs.replace(QUIET, presentment_currencies=("EUR", "GBP", "JPY"), foreign_currency=4000, abroad=5000),
    "foreign_payouts": structs.replace(QUIET, payout_currency="CAD", disputed=400),
    "tax_included": structs.replace(
        QUIET, country="DE", zone="Europe/Berlin", currency="EUR", payout_currency="EUR", taxes_included=True, discounted=4000, refunded=1500
    ),
    "exchanges": structs.replace(QUIET, exchanged=3500, return_fee=5000),
    "edits": structs.replace(QUIET, edited=4000),
    "chargebacks": structs.replace(QUIET, disputed=1500),
    "gift_cards": structs.replace(QUIET, gift_card_sold=2500, gift_card_redeemed=2500, refunded=1500),
    "cancellations": structs.replace(QUIET, cancelled=2500, cancelled_without_refund=2000, bank_deposit=1500, authorised=3000, voided=3000),
    "tills": structs.replace(QUIET, pos=7000, offline_pos=3000, tip=3000, extra_fee=2000),
    "labels": structs.replace(QUIET, labels=8000),
    "late_fees": structs.replace(QUIET, late_fees=6000),
    "reserves": structs.replace(QUIET, reserves=3000),
    "marketplace_taxes": structs.replace(QUIET, other_app=4000, marketplace_tax=True, refunded=1500),
    "long_orders": structs.replace(QUIET, long_order=800),
    "deleted_products": structs.replace(QUIET, deleted_products=4000),
    "expired_cards": structs.replace(QUIET, authorised=4000, expired=3000),
    "deleted_orders": structs.replace(QUIET, deleted=800),
    "old_orders": structs.replace(QUIET, imported=1500),
    "ties_in_updated_at": structs.replace(QUIET, touched_together=7),
    "merged_customers": structs.replace(QUIET, merged=4000, returning=5000),
    "test_orders": structs.replace(QUIET, test=1500),
}
"""Every trouble by its name."""


def habits_of(scenario: str) -> Habits:
    """Return the habits of a named scenario; raise KeyError, naming those there are."""
    if scenario not in SCENARIOS:
        raise KeyError(f"no scenario {scenario!r}; there are {', '.join(sorted(SCENARIOS))}")
    return SCENARIOS[scenario]
