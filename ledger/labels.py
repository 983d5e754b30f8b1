"""Number the accounts that people's labels make; the only writer of their table."""

from collections.abc import Iterable

from django.db import connection

from ledger.accounts import NAMES
from ledger.models import Account

_MAKE = "INSERT INTO ledger_account (name, number) VALUES (%s, nextval('ledger_account_number')) ON CONFLICT (name) DO NOTHING"


def account_number(name: str) -> int:
    """Return the number of an account by its name, giving a new label a number of its own."""
    return account_numbers([name])[name]


def account_numbers(names: Iterable[str]) -> dict[str, int]:
    """Return the numbers of accounts by their names, giving new labels numbers that no other account ever had.

    A number whose transaction is taken back is not used again, since processes remember which account it was.
    """
    wanted = set(names)
    numbers = known_numbers(wanted)
    missing = sorted(wanted - numbers.keys())
    if missing:
        with connection.cursor() as cursor:
            # where somebody else is making the same account just now, this waits for theirs
            cursor.executemany(_MAKE, [[name] for name in missing])
        numbers |= known_numbers(missing)
    return numbers


def known_numbers(names: Iterable[str]) -> dict[str, int]:
    """Return the numbers of those accounts that there are, by their names."""
    wanted = set(names)
    numbers = {name: number for number, name in NAMES.items() if name in wanted}
    return numbers | dict(Account.objects.filter(name__in=wanted - numbers.keys()).values_list("name", "number"))
