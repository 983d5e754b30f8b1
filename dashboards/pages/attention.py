"""List what needs a person most: what keeps figures from being right, then what is guessed or suspected, by the money that rests on it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Case, F, Q, Value, When
from django.urls import reverse

from connectors.privacy.cases import PROBLEM as PRIVACY
from dashboards.pages.notices import Restating, may_edit_costs
from dashboards.remembered import remembered
from ledger.charges.balance import PAYOUT_DIFFERS, PAYOUT_FAILED, TO_LOOK_AT
from ledger.charges.disputes import OPEN
from ledger.costs.fixes import Fix, fixes
from ledger.models import Finding, Store
from ledger.people import Role

MOST = 5
RATE_MISSING = "rate_missing"
"""The kind of findings about orders that are held, which are counted here."""
ABOUT_PAYOUTS = frozenset({PAYOUT_DIFFERS, PAYOUT_FAILED, TO_LOOK_AT, OPEN})
"""Kinds of findings that the page of payouts shows."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that needs a person: what it is, the money that rests on it (None where that is not known), and where it is mended."""

    words: str
    money: Decimal | None
    address: str
    link: str
    is_grave: bool = False


def attention(store: Store, *, held: int, restating: Restating | None, today: date) -> list[Item]:
    """Return at most five things, the gravest first, then by money in the store's currency; nothing said twice."""
    listed = remembered(store, "fixes", today, lambda: fixes(store, today=today, most=MOST))
    found = [*_of_figures(store, held, restating), *_of_findings(store), *_of_fixes(store, listed)]
    return sorted(found, key=lambda item: (not item.is_grave, item.money is None, -(item.money or 0)))[:MOST]


def _of_figures(store: Store, held: int, restating: Restating | None) -> Iterable[Item]:
    if restating and restating.state == "failed":
        yield Item("Restating costs failed: some figures carry the costs from before.", None, reverse("costs", args=[store.slug]), "Costs", True)
    if held:
        orders = f"{held:,} order{'' if held == 1 else 's'}"
        words = f"{orders} held for a missing exchange rate, in no figure until it is known."
        yield Item(words, None, f"{reverse('orders', args=[store.slug])}?held=1", "Held orders", True)


def _of_findings(store: Store) -> Iterable[Item]:
    found = Finding.objects.filter(Q(book_id=store.pk) | Q(book=None), resolved_at=None).exclude(kind=RATE_MISSING)
    first = When(severity=Finding.Severity.ERROR, then=Value(0))
    for finding in found.order_by(Case(first, default=Value(1)), F("money").desc(nulls_last=True), "-last_seen_at")[:MOST]:
        is_grave = finding.severity == Finding.Severity.ERROR
        mend = finding.mend if may_edit_costs(store) else ""
        if finding.kind in ABOUT_PAYOUTS:
            yield Item(finding.message, finding.money, reverse("payouts", args=[store.slug]), "Payouts", is_grave)
            continue
        address = f"{reverse('admin:app_list', args=['ledger'])}{mend}" if mend else reverse("costs", args=[store.slug])
        link = "Mend it" if mend else "Costs"
        if finding.kind == PRIVACY and getattr(store, "role", "") == Role.OWNER:
            address, link = reverse("privacy", args=[store.slug]), "Privacy"
        yield Item(finding.message, finding.money, address, link, is_grave)


def _of_fixes(store: Store, listed: Iterable[Fix]) -> Iterable[Item]:
    edits = may_edit_costs(store)
    for fix in listed:
        address = f"{reverse('admin:app_list', args=['ledger'])}{fix.mend}" if edits else reverse("costs", args=[store.slug])
        yield Item(f"{fix.what}: {fix.why}.", fix.at_stake, address, "Enter it" if edits else "Costs")
