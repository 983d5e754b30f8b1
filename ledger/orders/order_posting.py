"""Post the drafts of orders together with their customers', note what holds them, and draft mirrored orders again."""

from collections.abc import Collection, Mapping, Sequence

from django.utils import timezone

from ledger import findings
from ledger.book.entries import Source
from ledger.cause import Cause
from ledger.days import day_of
from ledger.drafts.entry import EntryDraft
from ledger.kinds import Hold, SourceKind
from ledger.models import Finding, Store
from ledger.orders import customers, mirror, same_people
from ledger.orders.drafting import draft_orders, load_terms
from ledger.orders.rows import OrderRow
from ledger.posting import Posting, post


def redraft(store: Store, before: Sequence[OrderRow], *, cause: Cause) -> tuple[Posting, list[OrderRow]]:
    """Draft locked orders again from what the mirror holds of them now, write those that change, and post the difference.

    Return what posting wrote, and the orders as they are then.
    """
    orders = mirror.load(store.pk, [order.id for order in before])
    terms = load_terms(store, orders)
    drafts = draft_orders(orders, terms)
    changed = [order for order, was in zip(orders, before, strict=True) if order != was]
    mirror.write(store.pk, changed, replaced=[order.id for order in changed])
    return post_orders(store, orders, drafts, before=before, cause=cause, costs_version=terms.costs_version), orders


def post_orders(
    store: Store,
    orders: Sequence[OrderRow],
    drafts: Mapping[Source, list[EntryDraft]],
    *,
    before: Sequence[OrderRow],
    cause: Cause,
    costs_version: int,
    count_again: Collection[int] = (),
) -> Posting:
    """Post written orders; `before` holds what was mirrored of those that are not new.

    Customers are recounted where an order of theirs began or ceased to count, moved or changed hands; and `count_again`.
    """
    was = {order.id: order for order in before}
    moved = {pk for order in orders if order.id in was for pk in _touched(order, was[order.id])}
    arrived = [order for order in orders if order.id not in was and order.counts and order.customer is not None and order.customer not in moved]
    # One that does not count is still one of those that a platform counts of a customer.
    uncounted = {order.customer for order in orders if order.id not in was and not order.counts and order.customer is not None}
    count_again = {*count_again, *uncounted}
    customers.lock(store.pk, moved | count_again | {order.customer for order in arrived if order.customer is not None})
    again = count_again | same_people.learn(store.pk, orders, was)
    desired = {**drafts, **customers.arrive(store.pk, arrived), **customers.recount(store.pk, moved | again)}
    fresh = {(SourceKind.ORDER.value, order.id) for order in orders if order.id not in was}
    posting = post(store.pk, desired, cause=cause, fresh=fresh, costs_version=costs_version)
    _note_held(store, orders)
    return posting


def _touched(order: OrderRow, was: OrderRow) -> set[int]:
    now = (order.customer, order.counts, order.placed, order.day, order.channel, order.country)
    if now == (was.customer, was.counts, was.placed, was.day, was.channel, was.country):
        return set()
    return {pk for pk in (order.customer, was.customer) if pk is not None}


def _note_held(store: Store, orders: Sequence[OrderRow]) -> None:
    held: dict[str, list[OrderRow]] = {}
    for order in orders:
        if order.hold == Hold.RATE_MISSING:
            held.setdefault(order.hold_currency, []).append(order)
    for currency, waiting in held.items():
        first = min(waiting, key=lambda order: order.day)
        findings.note(
            store.pk, "rate_missing", currency,
            f"No exchange rate from {currency} to {store.currency} around {day_of(first.day)} (order {first.number}): such orders are listed "
            "but not in any figure until a rate is known. Load rates, or enter one by hand, then repost.",
            severity=Finding.Severity.ERROR, now=timezone.now(),
        )  # fmt: skip
