"""Number the accounts that people's labels make; the only writer of their table."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.db import connection

from ledger.accounts import NAMES, forget_labels
from ledger.models import Account

_MAKE = "INSERT INTO ledger_account (name, number) VALUES (%s, nextval('ledger_account_number')) ON CONFLICT (name) DO NOTHING"
# Counted down from the last number there can be, while those that are kept are counted up. Nobody else sees what a transaction
# has not committed: who needs such a number meanwhile waits until this one is taken back, and then takes the same.
_TRY = """
    INSERT INTO ledger_account (name, number) SELECT %s, coalesce(min(number), 32768) - 1 FROM ledger_account WHERE number > 32000
    ON CONFLICT (name) DO NOTHING
"""

_trying: ContextVar[bool] = ContextVar("trying", default=False)


@contextmanager
def only_trying() -> Iterator[None]:
    """Give new labels numbers that none of those to be kept is used up for, in a transaction that is taken back."""
    token = _trying.set(True)
    try:
        yield
    finally:
        _trying.reset(token)


def account_number(name: str) -> int:
    """Return the number of an account by its name, giving a new label a number of its own."""
    return account_numbers([name])[name]


def account_numbers(names: Iterable[str]) -> dict[str, int]:
    """Return the numbers of accounts by their names, giving new labels numbers that no other account ever had.

    A number whose transaction is taken back is not used again, since processes remember which account it was; what is
    only tried takes none (`only_trying`).
    """
    wanted = set(names)
    numbers = known_numbers(wanted)
    missing = sorted(wanted - numbers.keys())
    if missing:
        with connection.cursor() as cursor:
            # where somebody else is making the same account just now, this waits for theirs
            cursor.executemany(_TRY if _trying.get() else _MAKE, [[name] for name in missing])
        if _trying.get():
            forget_labels()
        numbers |= known_numbers(missing)
    return numbers


def known_numbers(names: Iterable[str]) -> dict[str, int]:
    """Return the numbers of those accounts that there are, by their names."""
    wanted = set(names)
    numbers = {name: number for number, name in NAMES.items() if name in wanted}
    return numbers | dict(Account.objects.filter(name__in=wanted - numbers.keys()).values_list("name", "number"))
