"""Hold what the sandbox's bank tells of payouts to what the oracle states of them."""

from datetime import UTC, date, datetime

import pytest

from connectors.sandbox.money import amount
from connectors.sandbox.oracle_payouts import DAYS_UNTIL, PayoutOracle
from connectors.sandbox.world import World

AT = datetime(2026, 2, 4, 12, tzinfo=UTC)


@pytest.mark.parametrize("scenario", ["quiet", "chargebacks", "foreign_payouts", "labels", "refund_storm", "reserves", "two_currencies"])
def test_every_payout_is_what_the_oracle_says_and_its_rows_add_up_to_it(scenario: str) -> None:
    world = World.live(seed=9, start=date(2026, 1, 1), days=30, orders_per_day=3, scenario=scenario)
    true, currency = PayoutOracle(world, at=AT).payouts(), world.shop.payout_currency
    told = world.payouts(AT)
    assert [(each.issued_at, amount(each.net, currency)) for each in told] == [(each.issued_at, each.net) for each in true]
    assert len(true) > 15
    moves = world.balance(AT, transfers=False)
    assert [sum(move.net for move in moves if move.payout == each.id) for each in told] == [each.net for each in told]
    waiting = sum(move.net for move in moves if move.payout_status != "PAID")
    assert PayoutOracle(world, at=AT).on_the_way() == amount(waiting, currency)
    if scenario != "foreign_payouts":
        assert [each.expected for each in true] == [each.parts.get("charges", 0) + each.parts.get("refunds", 0) for each in true]


def test_days_until_money_is_paid_out_were_counted_by_hand() -> None:
    # Monday → Wednesday, Thursday → Monday, Friday → Tuesday, Saturday → Tuesday, Sunday → Tuesday
    assert DAYS_UNTIL == (2, 2, 2, 4, 4, 3, 2)
