"""Enter, change and remove costs by hand: the row and its entries in one transaction."""

from datetime import datetime

from django.db import connection, transaction

from ledger.accounts import FIRST_LABELLED, NAMES
from ledger.cause import Cause
from ledger.days import day_number, day_of
from ledger.drafts.entry import EntryDraft
from ledger.drafts.manual import draft_cost
from ledger.drafts.sales import RateMissing
from ledger.kinds import SourceKind
from ledger.models import Account, ManualCost
from ledger.money import tenk
from ledger.posting import Posting, post
from ledger.rates import RateTable


class CostRefused(ValueError):
    """Say why a cost cannot be booked, in words for the person who entered it."""


def account_number(name: str) -> int:
    """Return the number of an account by its name, giving a new label the next free one."""
    fixed = next((number for number, known in NAMES.items() if known == name), None)
    if fixed is not None:
        return fixed
    with transaction.atomic(), connection.cursor() as cursor:
        # labels are few: their makers take turns, so that numbers have no gap and no double
        cursor.execute("LOCK TABLE ledger_account IN SHARE ROW EXCLUSIVE MODE")
        known = Account.objects.filter(name=name).first()
        if known is None:
            last = Account.objects.order_by("-number").values_list("number", flat=True).first()
            known = Account.objects.create(number=max(last or 0, FIRST_LABELLED - 1) + 1, name=name)
    return known.number


def save_cost(cost: ManualCost, *, cause: Cause) -> Posting:
    """Save a cost and make its entries what it says; raise CostRefused when a rate it needs is not known."""
    with transaction.atomic():
        cost.full_clean(exclude=["store"])
        cost.save()
        return post(cost.store_id, {(SourceKind.MANUAL_COST.value, cost.pk): drafts_of(cost)}, cause=cause)


def remove_cost(cost: ManualCost, *, cause: Cause, now: datetime) -> Posting:
    """Take a cost back: its entries are reversed and the row stays, marked as removed."""
    with transaction.atomic():
        cost.removed_at = now
        cost.save(update_fields=["removed_at"])
        return post(cost.store_id, {(SourceKind.MANUAL_COST.value, cost.pk): []}, cause=cause)


def drafts_of(cost: ManualCost) -> list[EntryDraft]:
    """Return the entries a cost should have; raise CostRefused when a rate it needs is not known."""
    own = cost.store.currency
    table = RateTable.load(own, {cost.currency} - {own}, cost.from_day, cost.to_day)
    try:
        return draft_cost(
            account=account_number(cost.account_name), amount=tenk(cost.amount), currency=cost.currency, book_currency=own,
            first_day=day_number(cost.from_day), last_day=day_number(cost.to_day), find_rate=lambda currency, day: table.find(currency, day_of(day)),
        )  # fmt: skip
    except RateMissing as error:
        raise CostRefused(
            f"There is no exchange rate from {error.currency} to {own} on {day_of(error.day)}. "
            f"Enter the cost in {own}, or load rates first, on the server: manage.py load_rates."
        ) from error
