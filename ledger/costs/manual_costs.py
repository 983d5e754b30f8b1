"""Book the costs that a person entered and that belong to days, not to orders, through today."""

from collections.abc import Mapping, Sequence
from datetime import date

from django.db.models import QuerySet, Sum

from ledger.accounts import AD_SPEND
from ledger.book.entries import Source
from ledger.cause import Cause
from ledger.costs import documents
from ledger.costs.labels import account_number, account_numbers, known_numbers
from ledger.days import day_number, day_of
from ledger.drafts.entry import EntryDraft
from ledger.drafts.manual import DayCost, Drafted, draft_cost, draft_share, net_of_vat
from ledger.kinds import Basis, SourceKind
from ledger.models import Channel, DayTotal, ManualCost, Store
from ledger.money import minor_step, tenk
from ledger.posting import NOTHING, Posting, post
from ledger.rates import RateTable

NO_CHANNEL = 0
"""The channel of what belongs to none, and of a cost about a channel that the store has not sold through yet."""


class CostRefused(ValueError):
    """Say why a cost cannot be booked, in words for the person who entered it."""


def standing_costs(store: Store) -> "QuerySet[ManualCost]":
    """Return the costs entered by hand that stand in a store."""
    return ManualCost.objects.filter(store=store, removed_by=None)


def is_spread(cost: ManualCost) -> bool:
    """Tell whether a cost is an amount spread over days, once or again and again."""
    return cost.basis == ManualCost.Basis.ONCE or cost.basis in ManualCost.RECURRING


def source_of(cost: ManualCost) -> Source:
    """Return what a cost's entries come from."""
    return SourceKind.MANUAL_COST.value, cost.pk


def settle(store: Store, costs: Sequence[ManualCost], *, cause: Cause, today: date) -> Posting:
    """Make the entries of changed costs what they say through today: those taken back have none. Call it in a transaction.

    Their documents go over to what takes their place. Shares of ad spend follow in a batch of their own, since the changed
    costs may be ad spend. Raise CostRefused when a rate that a cost needs is not known.
    """
    standing = [cost for cost in costs if cost.removed_by_id is None]
    account_numbers(cost.account_name for cost in standing)  # of costs of orders too: drafting an order only looks them up
    documents.follow(costs)
    desired: dict[Source, list[EntryDraft]] = {
        source_of(cost): [] for cost in costs if cost.removed_by_id is not None and cost.basis not in ManualCost.OF_ORDERS
    }  # fmt: skip
    desired |= {source_of(cost): drafts_of(cost, today=today) for cost in standing if is_spread(cost)}
    return plus(post(store.pk, desired, cause=cause) if desired else NOTHING, settle_shares(store, cause=cause, today=today))


def settle_shares(store: Store, *, cause: Cause, today: date) -> Posting:
    """Make every share of ad spend follow what was spent through today. Call it in a transaction that holds the book."""
    shares = standing_costs(store).filter(basis=ManualCost.Basis.AD_SPEND)
    desired = {source_of(cost): drafts_of(cost, today=today) for cost in shares}
    return post(store.pk, desired, cause=cause) if desired else NOTHING


def plus(one: Posting, other: Posting) -> Posting:
    """Add up what two posts wrote."""
    return Posting(one.batches + other.batches, one.added + other.added, one.reversed + other.reversed)


def drafts_of(cost: ManualCost, *, today: date) -> list[EntryDraft]:
    """Return the entries a cost should have of its own through today: none where it belongs to orders.

    Raise CostRefused when a rate it needs is not known.
    """
    if cost.basis == ManualCost.Basis.AD_SPEND:
        return _share_of_spend(cost, today)
    if not is_spread(cost):
        return []
    drafted = draft_spread(cost, today=today)
    if drafted.waiting:
        own = cost.store.currency
        raise CostRefused(
            f"There is no exchange rate from {cost.currency} to {own} on {day_of(drafted.waiting[0])}. "
            f"Enter the cost in {own}, or load rates first, on the server: manage.py load_rates."
        )
    return drafted.entries


def draft_spread(cost: ManualCost, *, today: date) -> Drafted:
    """Draft the days of a spread cost through today, with the days that wait for a rate."""
    assert cost.effective_from is not None and cost.amount is not None  # noqa: S101
    if cost.effective_from > today:
        return Drafted([], [])
    own, step = cost.store.currency, minor_step(cost.currency)
    vat = tenk(cost.vat_percentage) if cost.includes_vat else 0
    spread = DayCost(
        account_number(cost.account_name), _channels(cost).get(cost.channel, NO_CHANNEL), cost.basis, net_of_vat(tenk(cost.amount), vat, step),
        cost.currency, cost.effective_from, cost.effective_to,
    )  # fmt: skip
    table = RateTable.load(own, {cost.currency} - {own}, cost.effective_from, min(cost.effective_to or today, today))
    return draft_cost(spread, through=today, book_currency=own, find_rate=lambda currency, day: table.find(currency, day_of(day)))


def _share_of_spend(cost: ManualCost, today: date) -> list[EntryDraft]:
    """Draft a percentage of each day's ad spend; an account of ad spend holds no such share, so it never counts itself."""
    assert cost.percentage is not None  # noqa: S101
    spent = DayTotal.objects.filter(book_id=cost.store_id, basis=Basis.EVENT, account__in=known_numbers(AD_SPEND).values(), day__lte=today)
    if cost.effective_from is not None:
        spent = spent.filter(day__gte=cost.effective_from)
    if cost.effective_to is not None:
        spent = spent.filter(day__lte=cost.effective_to)
    channel = NO_CHANNEL
    if cost.channel:
        channel = _channels(cost).get(cost.channel, NO_CHANNEL)
        spent = spent.filter(channel=channel) if channel else spent.none()
    by_day = spent.values_list("day").annotate(amount=Sum("amount")).order_by("day")
    return draft_share(
        account=account_number(cost.account_name), channel=channel, percentage=tenk(cost.percentage),
        spent=[(day_number(day), tenk(amount)) for day, amount in by_day], book_currency=cost.store.currency,
    )  # fmt: skip


def _channels(cost: ManualCost) -> Mapping[str, int]:
    return dict(Channel.objects.filter(store_id=cost.store_id, key=cost.channel).values_list("key", "number")) if cost.channel else {}
