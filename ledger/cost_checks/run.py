"""Run the checks of cost rules, and keep what they find as findings."""

from collections.abc import Callable
from datetime import date, datetime

from ledger import findings
from ledger.cost_checks.amounts import above_price, jumps, zero
from ledger.cost_checks.found import MOST, WARNING, Case, Found, load_case
from ledger.cost_checks.pieces import bundles, commissions
from ledger.cost_checks.shadows import dead, overlaps
from ledger.cost_checks.spans import ends_soon, gaps
from ledger.cost_checks.twice import twice
from ledger.costs.seen import count_seen
from ledger.models import Finding, Store

KIND = "costs_"
"""What the kinds of these findings begin with; the name of the check follows."""

CHECKS: dict[str, Callable[[Case], list[Found]]] = {
    "gaps": gaps,
    "overlaps": overlaps,
    "dead": dead,
    "twice": twice,
    "above_price": above_price,
    "jumps": jumps,
    "zero": zero,
    "ends_soon": ends_soon,
    "bundles": bundles,
    "commissions": commissions,
}


def check_costs(store: Store, *, today: date, now: datetime) -> dict[str, list[Found]]:
    """Count what a store's orders name, run every check, and return what each found.

    What is found becomes a finding, what is found no more resolves its finding.
    """
    count_seen(store, today=today, now=now)
    case = load_case(store, today=today)
    results = {name: foremost(check(case)) for name, check in CHECKS.items()}
    for name, found in results.items():
        _keep(store, KIND + name, found, now)
    return results


def foremost(found: list[Found]) -> list[Found]:
    """Return the findings with most money first, at most 50; where there are more, the last says how many."""
    ordered = sorted(found, key=lambda one: (one.severity != WARNING, one.money is None, -(one.money or 0), one.subject))
    if len(ordered) <= MOST:
        return ordered
    rest = ordered[MOST - 1 :]
    return [
        *ordered[: MOST - 1],
        Found("and more", f"{len(rest):,} more like these are not listed. They appear as those above are mended.", rest[0].severity),
    ]


def _keep(store: Store, kind: str, found: list[Found], now: datetime) -> None:
    still = {one.subject[:120] for one in found}
    for subject in set(Finding.objects.filter(book_id=store.pk, kind=kind, resolved_at=None).values_list("subject", flat=True)) - still:
        findings.resolve(store.pk, kind, subject, now=now)
    for one in found:
        findings.note(store.pk, kind, one.subject, one.message, severity=one.severity, money=one.money, mend=one.mend, now=now)
