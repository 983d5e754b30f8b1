"""Set the payouts that the product shows beside the oracle's truth."""

from decimal import Decimal

from connectors.sandbox.oracle_payouts import PayoutOracle
from ledger.charges.payout_view import sums_of, walk_of
from ledger.charges.payouts import balances
from ledger.models import Finding, Payout
from tests.journeys.sandbox_shop import Connected

ZERO = Decimal(0)


def differing_payouts(shop: Connected) -> list[str]:
    """List where payouts, what was expected of them, or what is on its way differ from the truth; and what is not explained or was noticed."""
    now = shop.sandbox.clock.now()
    oracle = PayoutOracle(shop.world, at=now)
    true, told = oracle.payouts(), list(Payout.objects.filter(store=shop.store).order_by("issued_at"))
    found = [] if len(true) == len(told) else [f"{len(told)} payouts, {len(true)} in truth"]
    for payout, really in zip(told, true, strict=False):
        walk = walk_of(shop.store, payout, sums_of(payout), now=now)
        assert walk is not None
        checks = {
            "issued": (payout.issued_at, really.issued_at), "net": (payout.amount, really.net), "rows": (payout.told, really.net),
            "payments": (payout.charges, really.parts.get("charges", ZERO)), "refunds": (payout.refunds, really.parts.get("refunds", ZERO)),
            "fees": (payout.fees, really.fees), "expected": (walk.expected, really.expected), "unexplained": (walk.unexplained, ZERO),
            "causes": (walk.expected + walk.explained, really.net), "missing": (walk.items_of("missing"), []),
        }  # fmt: skip
        found += [
            f"payout of {payout.issued_at:%Y-%m-%d} {name}: {ours}, {truth} in truth" for name, (ours, truth) in checks.items() if ours != truth
        ]
    waiting = sum((balance.on_the_way for balance in balances(shop.store)), ZERO)
    found += [] if waiting == oracle.on_the_way() else [f"{waiting} on the way, {oracle.on_the_way()} in truth"]
    return found + list(Finding.objects.filter(kind__startswith="payout_", resolved_at=None).values_list("message", flat=True))
