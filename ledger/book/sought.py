"""Say which entries of a book are sought, where each stands, and what it comes from."""

from datetime import date
from enum import StrEnum
from typing import Any, NamedTuple

from ledger import accounts
from ledger.book.totals import DAY_OF_BASIS
from ledger.drafts.charges import ACCOUNTS, FIRST_FEE_PART
from ledger.drafts.order_costs import FIRST_PART
from ledger.kinds import Basis, SourceKind

Key = tuple[date, int, int, int, int, int, int, bool]
"""Where an entry stands when a book is read by day: day (by the basis), batch, source kind and id, account, part, revision, reversal."""


def written(key: Key) -> str:
    """Write a place so that an address can hold it."""
    day, *numbers, reverses = key
    return "~".join([day.isoformat(), *map(str, numbers), "1" if reverses else "0"])


def key_of(text: str) -> Key | None:
    """Return the place that was written into an address; None for a text that says none."""
    try:
        day, *numbers, reverses = text.split("~")
        seq, kind, source, account, part, revision = (int(number) for number in numbers)
        if max(abs(number) for number in (seq, source)) >= 2**63 or max(abs(number) for number in (kind, account, part, revision)) >= 2**31:
            return None
        return date.fromisoformat(day), seq, kind, source, account, part, revision, reverses == "1"
    except ValueError:
        return None


class Origin(StrEnum):
    """Say what an entry comes from, as finely as its source, account and part tell."""

    ORDER = "orders"
    STATED = "costs an order's platform states"
    CHARGE = "charges of files"
    RULE = "rules about orders"
    CUSTOMER = "first orders of customers"
    MANUAL_COST = "costs entered by hand"
    AD_DAY = "ad spend"


_CHARGED = (*ACCOUNTS.values(), accounts.MARKETING_INFLUENCER, accounts.MARKETING_AFFILIATE)
"""Accounts on which a part of an order may be a file's charge."""
_OWN = {accounts.FEES_PAYMENT: FIRST_FEE_PART}
"""The first part that is a charge, where parts of the order's own lie below; elsewhere every part above 0 is one."""
_OF_OTHERS = {SourceKind.CUSTOMER: Origin.CUSTOMER, SourceKind.MANUAL_COST: Origin.MANUAL_COST, SourceKind.AD_DAY: Origin.AD_DAY}

ORIGIN = " ".join((
    "CASE", *(f"WHEN source_kind = {kind.value} THEN '{origin.name}'" for kind, origin in _OF_OTHERS.items()),
    f"WHEN part <= -{FIRST_PART} THEN 'RULE' WHEN part < 0 THEN 'STATED'",
    *(f"WHEN account = {account} AND part >= {_OWN.get(account, 1)} THEN 'CHARGE'" for account in _CHARGED), "ELSE 'ORDER' END",
))  # fmt: skip
"""An entry's origin, by name, as SQL."""

COLUMNS = "seq, source_kind, source_id, account, part, revision, reverses"
"""What places entries of one day."""


class Sought(NamedTuple):
    """Which entries of a book are read, by the days they count on in a basis; every one where nothing narrows them."""

    book: int
    first: date | None = None
    last: date | None = None
    source: tuple[int, int] | None = None
    accounts: tuple[int, ...] | None = None
    seq: int | None = None
    basis: Basis = Basis.EVENT
    channel: int | None = None
    country: int | None = None
    through: int | None = None
    """The last batch that is read: entries up to it never change, so that what is read page by page stays one view."""

    @property
    def day(self) -> str:
        """Return the day an entry counts on, as SQL."""
        return DAY_OF_BASIS[self.basis]

    @property
    def place(self) -> str:
        """Return where an entry stands, as SQL."""
        return f"{self.day}, {COLUMNS}"

    def condition(self) -> tuple[str, list[Any]]:
        """Return the condition on `ledger_entry` and its parameters."""
        some = None if self.accounts is None else list(self.accounts)
        parts: list[tuple[str, Any]] = [("book_id = %s", self.book)]
        for sql, value in (
            (f"{self.day} >= %s", self.first), (f"{self.day} <= %s", self.last), ("source_kind = %s", self.source and self.source[0]),
            ("source_id = %s", self.source and self.source[1]), ("account = ANY(%s::int2[])", some), ("seq = %s", self.seq),
            ("channel = %s", self.channel), ("country = %s", self.country), ("seq <= %s", self.through),
        ):  # fmt: skip
            if value is not None:
                parts.append((sql, value))
        return " AND ".join(sql for sql, _ in parts), [value for _, value in parts]
