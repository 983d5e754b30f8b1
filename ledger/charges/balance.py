"""Record what a payment processor's balance tells: fees, chargebacks and labels become charges of orders, advertising becomes ad spend.

What moves the balance and belongs to no order, or whose meaning is not known, is in no figure by itself: it is kept, added up by
type, and shown as a finding until a person has seen to it.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from ledger import findings
from ledger.advertising import spending
from ledger.charges import balance_rows, charges
from ledger.charges.balance_rows import PaidOut
from ledger.charges.charges import ChargeFact
from ledger.days import day_of
from ledger.drafts.told_fees import balance_reference
from ledger.facts import AdDayFact, BalanceFact, PayoutFact
from ledger.kinds import AdLevel, AdTeller, BalanceMeaning, CauseKind, ChargeKind
from ledger.models import Finding, Store
from ledger.money import Tenk, minor_digits
from ledger.orders.build import Zones
from ledger.posting import hold_book

SHOP_CAMPAIGNS = "shop_campaigns"
"""The advertising platform of what Shopify takes off a balance for its own campaigns."""
ALWAYS = (BalanceMeaning.COST, BalanceMeaning.ADJUSTMENT, BalanceMeaning.UNKNOWN)
WITHOUT_ORDER = (
    BalanceMeaning.CHARGE, BalanceMeaning.REFUND, BalanceMeaning.DISPUTE, BalanceMeaning.DISPUTE_FEE, BalanceMeaning.FEE, BalanceMeaning.LABEL,
)  # fmt: skip
"""Meanings whose rows a person should see: always, or where they name no order."""
TO_LOOK_AT = "balance_to_look_at"
PAYOUT_DIFFERS = "payout_differs"
PAYOUT_FAILED = "payout_failed"
"""Kinds of findings: rows in no figure, a payout that its rows do not add up to, one that did not reach the bank."""


class Balanced(NamedTuple):
    """What recording rows of a balance did."""

    changed: int = 0
    unchanged: int = 0
    entries: int = 0


def record_balance(store: Store, facts: Sequence[BalanceFact], *, cause_ref: str, now: datetime) -> Balanced:
    """Record rows of processors' balances in the caller's transaction, post what they charge orders with, and return what was news.

    The same facts again write nothing. A payment's fee that the order's platform states itself is not told twice. Raises Contended as
    `record()` does.
    """
    changed = entries = 0
    for platform in sorted({fact.platform for fact in facts}):
        own = {fact.external_id: fact for fact in facts if fact.platform == platform}
        done = _record(store, platform, list(own.values()), cause_ref, now)
        changed, entries = changed + done.changed, entries + done.entries
    return Balanced(changed, len(facts) - changed, entries)


def _record(store: Store, platform: str, facts: list[BalanceFact], cause_ref: str, now: datetime) -> Balanced:
    zones = Zones.load(store)
    days = {fact.external_id: day_of(zones.local(fact.at)[1]) for fact in facts}
    moved = balance_rows.payouts_of(store.pk, platform, [fact.external_id for fact in facts])
    news = balance_rows.write(store.pk, facts, days)
    changed = [fact for fact in facts if fact.external_id in news]
    if not changed:
        return Balanced(0, len(facts), 0)
    stated = balance_rows.with_stated_fee(store.pk, [fact for fact in changed if fact.meaning == BalanceMeaning.CHARGE])
    told = [
        charge
        for fact in changed
        if (fact.order, fact.payment) not in stated or fact.meaning != BalanceMeaning.CHARGE
        for charge in _charges(fact, days[fact.external_id])
    ]
    entries = 0
    if told:
        entries = charges.record_charges(store, told, cause_ref=cause_ref, actor="", now=now, kind=CauseKind.SYNC).entries
    advertising = {days[fact.external_id] for fact in changed if fact.meaning == BalanceMeaning.ADVERTISING}
    if advertising:
        spend = [
            AdDayFact(SHOP_CAMPAIGNS, AdLevel.CAMPAIGN, day, amount, currency, campaign_name="Shop campaigns", teller=AdTeller.PLATFORM)
            for day, currency, amount in balance_rows.advertised(store.pk, platform, advertising)
        ]
        entries += spending.record_spend(store, spend, cause_ref=cause_ref, actor="", now=now, kind=CauseKind.SYNC).entries
    _note_what_is_in_no_figure(store, platform, {fact.type[:60] for fact in changed}, now)
    _check_payouts(store, platform, {fact.payout for fact in changed if fact.payout} | moved, now)
    return Balanced(len(changed), len(facts) - len(changed), entries)


def _charges(fact: BalanceFact, day: date) -> Iterator[ChargeFact]:
    """Yield what a row charges its order with."""
    if not fact.order:
        return
    reference = balance_reference(fact.external_id)

    def charge(kind: ChargeKind, amount: Tenk, covers: Tenk = 0) -> ChargeFact:
        return ChargeFact(kind, fact.order, reference, amount, fact.currency, day, covers=covers, processor=fact.platform)

    if fact.meaning == BalanceMeaning.CHARGE and fact.fee:
        yield charge(ChargeKind.PAYMENT_FEE, fact.fee, max(fact.amount, 0))
    elif fact.meaning == BalanceMeaning.REFUND and fact.fee:
        yield charge(ChargeKind.PAYMENT_FEE, fact.fee)
    elif fact.meaning == BalanceMeaning.DISPUTE:
        if fact.amount:
            yield charge(ChargeKind.CHARGEBACK, -fact.amount)
        if fact.fee:
            yield charge(ChargeKind.DISPUTE_FEE, fact.fee)
    elif fact.meaning == BalanceMeaning.DISPUTE_FEE:
        yield charge(ChargeKind.DISPUTE_FEE, fact.fee - fact.amount)
    elif fact.meaning == BalanceMeaning.FEE:
        yield charge(ChargeKind.PAYMENT_FEE, fact.fee - fact.amount)
    elif fact.meaning == BalanceMeaning.LABEL:
        yield charge(ChargeKind.LABEL, fact.fee - fact.amount)


def _note_what_is_in_no_figure(store: Store, platform: str, types: Collection[str], now: datetime) -> None:
    found = balance_rows.to_look_at(store.pk, platform, types, always=ALWAYS, without_order=WITHOUT_ORDER)
    for each in found:
        amount = f"{each.left:,.{minor_digits(each.currency)}f} {each.currency}"
        rows = "1 row" if each.rows == 1 else f"{each.rows:,} rows"
        findings.note(
            store.pk, TO_LOOK_AT, f"{platform} {each.type} {each.currency}",
            f"{rows} “{each.type.lower().replace('_', ' ')}” of {platform.replace('_', ' ')} moved its balance by {amount} in all and are in no "
            "figure, since they name no order, or what they are for is not told. Look at them; what is a cost, enter under Costs.",
            mend="balancetransaction/", now=now, money=each.left if each.currency == store.currency else None,
        )  # fmt: skip


def record_payouts(store: Store, facts: Sequence[PayoutFact], *, now: datetime) -> int:
    """Record payouts in the caller's transaction, each as it is told last, hold them against the rows in them, and return how many were news."""
    written = balance_rows.write_payouts(store.pk, list({(fact.platform, fact.external_id): fact for fact in facts}.values()))
    for platform in sorted({fact.platform for fact in facts}):
        _check_payouts(store, platform, {fact.external_id for fact in facts if fact.platform == platform}, now)
    return written


def _check_payouts(store: Store, platform: str, payouts: Collection[str], now: datetime) -> None:
    """Add the rows of some payouts up; open a finding for each that they do not add up to or that failed, and close those that are mended."""
    if not payouts:
        return
    hold_book(store.pk)
    balance_rows.recount(store.pk, platform, payouts)
    for each in balance_rows.checked(store.pk, platform, payouts):
        subject, processor = f"{platform} payout {each.external_id}", platform.replace("_", " ").title()
        digits = minor_digits(each.currency)
        amount = f"{each.amount:,.{digits}f} {each.currency}"
        issued = f"{each.issued_at:%-d %B %Y}"
        if each.is_known and each.amount != each.rows:
            _note(
                store, PAYOUT_DIFFERS, subject, each,
                f"The rows of {processor}’s payout of {amount} of {issued} do not add up to it: rows are missing, or not read yet.",
                expected=amount, actual=f"{each.rows:,.{digits}f} {each.currency}", amount=abs(each.amount - each.rows), now=now,
            )  # fmt: skip
        else:
            findings.resolve(store.pk, PAYOUT_DIFFERS, subject, now=now)
        if each.has_failed:
            _note(
                store, PAYOUT_FAILED, subject, each,
                f"{processor}’s payout of {amount} of {issued} did not reach your bank ({each.status.lower()}). Check the bank account that the "
                "processor pays to; the money waits there until a later payout arrives.",
                amount=abs(each.amount), now=now, severity=Finding.Severity.ERROR,
            )  # fmt: skip
        else:
            findings.resolve(store.pk, PAYOUT_FAILED, subject, now=now)


def _note(store: Store, kind: str, subject: str, payout: PaidOut, message: str, *, amount: Decimal, now: datetime, **more: str) -> None:
    money = amount if payout.currency == store.currency else None
    findings.note(store.pk, kind, subject, message, mend=f"payout/{payout.id}/change/", money=money, now=now, **more)
