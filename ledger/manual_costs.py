"""Book the costs that a person entered and that belong to days, not to orders."""

from collections.abc import Sequence
from datetime import date

from django.db import connection, transaction

from ledger.accounts import FIRST_LABELLED, NAMES
from ledger.cause import Cause
from ledger.days import day_number, day_of
from ledger.drafts.entry import EntryDraft
from ledger.drafts.manual import draft_cost
from ledger.drafts.sales import RateMissing
from ledger.kinds import SourceKind
from ledger.models import Account, ManualCost, Store
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
    given = Account.objects.filter(name=name).first()
    if given is not None:
        return given.number
    with transaction.atomic(), connection.cursor() as cursor:
        # labels are few: their makers take turns, so that numbers have no gap and no double
        cursor.execute("LOCK TABLE ledger_account IN SHARE ROW EXCLUSIVE MODE")
        known = Account.objects.filter(name=name).first()
        if known is None:
            last = Account.objects.order_by("-number").values_list("number", flat=True).first()
            known = Account.objects.create(number=max(last or 0, FIRST_LABELLED - 1) + 1, name=name)
    return known.number


def settle(store: Store, costs: Sequence[ManualCost], *, cause: Cause, today: date) -> Posting:
    """Make the entries of costs what they say through today: those taken back have none. Call it in a transaction.

    Raise CostRefused when a rate that one needs is not known.
    """
    desired = {
        (SourceKind.MANUAL_COST.value, cost.pk): drafts_of(cost, today=today) if cost.removed_by_id is None else [] for cost in costs
    }  # fmt: skip
    return post(store.pk, desired, cause=cause)


def drafts_of(cost: ManualCost, *, today: date) -> list[EntryDraft]:
    """Return the entries a cost should have through today; raise CostRefused when a rate it needs is not known."""
    assert cost.effective_from is not None and cost.effective_to is not None and cost.net_amount is not None  # noqa: S101
    own = cost.store.currency
    table = RateTable.load(own, {cost.currency} - {own}, cost.effective_from, cost.effective_to)
    try:
        return draft_cost(
            account=account_number(cost.account_name), amount=tenk(cost.net_amount), currency=cost.currency, book_currency=own,
            first_day=day_number(cost.effective_from), last_day=day_number(cost.effective_to),
            find_rate=lambda currency, day: table.find(currency, day_of(day)),
        )  # fmt: skip
    except RateMissing as error:
        raise CostRefused(
            f"There is no exchange rate from {error.currency} to {own} on {day_of(error.day)}. "
            f"Enter the cost in {own}, or load rates first, on the server: manage.py load_rates."
        ) from error
