"""Compute an order's columns from its entries, and the share of money that is estimated."""

from collections.abc import Iterable

from ledger import accounts
from ledger.drafts.entry import EntryDraft
from ledger.money import Tenk, divide_half_even
from ledger.orders.rows import Columns

WHOLE = 10_000


def estimated_share(pairs: Iterable[tuple[Tenk, Tenk]]) -> Tenk | None:
    """Return the estimated part of the money that moved, in ten-thousandths; None when nothing moved.

    Pairs are (amount, estimated amount) per account. Share = Σ|estimated| ÷ Σ(|estimated| + |actual|): revenue and
    cost both count, so a statement of actual sales over guessed costs does not read as certain.
    """
    estimated = moved = 0
    for amount, guess in pairs:
        estimated += abs(guess)
        moved += abs(guess) + abs(amount - guess)
    return divide_half_even(estimated * WHOLE, moved) if moved else None


def order_columns(entries: Iterable[EntryDraft]) -> Columns:
    """Add entries up into the order's columns; marketing holds what is directly linked to it (a partner's code, a cost per order)."""
    amounts: dict[int, Tenk] = {}
    guesses: dict[int, Tenk] = {}
    for entry in entries:
        amounts[entry.account] = amounts.get(entry.account, 0) + entry.amount
        if entry.estimated:
            guesses[entry.account] = guesses.get(entry.account, 0) + entry.amount
    columns = Columns()
    for account, amount in amounts.items():
        for name, sign in accounts.order_columns(account):
            setattr(columns, name, getattr(columns, name) + sign * amount)
    columns.estimated_share = estimated_share((amount, guesses.get(account, 0)) for account, amount in amounts.items() if accounts.in_profit(account))
    return columns
