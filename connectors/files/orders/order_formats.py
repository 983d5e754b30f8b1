"""Say what a format of order files is: how its rows are checked, judged and mapped. The way of them all is `imports.py`."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Protocol

from django.db.models import QuerySet
from msgspec import Struct, field

from connectors.files.spool import Order as OrderRows
from connectors.files.spool import Spool
from connectors.models import FileImport
from connectors.platforms.files.faults import RowFault
from ledger.facts import OrderFact
from ledger.money import Tenk


class Report(Struct):
    """What a file holds and what importing it did. Amounts are in ten-thousandths of the store's currency."""

    filename: str
    encoding: str
    delimiter: str
    import_id: int | None = None
    rows: int = 0
    orders: int = 0
    sale_orders: int = 0
    zero_orders: int = 0
    return_orders: int = 0
    file_total: Tenk = 0
    """Sum of every row in the store's currency, sales and costs alike, before rounding to the minor unit."""
    foreign_totals: dict[str, Tenk] = field(default_factory=dict)
    """The same for rows in other currencies, one sum each."""
    rounding: Tenk = 0
    """What rounding each entry to the minor unit takes away: file_total - rounding is in the book."""
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    held: int = 0
    entries: int = 0
    dropped_columns: list[str] = field(default_factory=list)
    unknown_countries: list[str] = field(default_factory=list)
    disagreeing: list[str] = field(default_factory=list)
    """Orders whose rows say two things where an order has one, the first few; the first row that says it counts."""
    disagreeing_count: int = 0
    first_rows: list[tuple[int, tuple[str, ...]]] = field(default_factory=list)
    """Some rows as they are kept, with their lines."""
    charged: dict[str, Tenk] = field(default_factory=dict)
    """What the file says its orders came to, by currency, where it says so."""
    warnings: list[RowFault] = field(default_factory=list)
    """Rows that were taken, and what is doubtful about them; the first thousand."""
    warning_count: int = 0
    told_better: int = 0
    """Orders left as they are, since their platform itself or a later export tells of them."""
    undecided: int = 0
    """Orders whose Total does not tell whether tax is added to the prices or lies in them."""
    undated: list["UndatedRefund"] = field(default_factory=list)
    """Refunds whose day and lines the file does not tell, and that are estimated; the first ten thousand."""
    undated_count: int = 0
    undated_totals: dict[str, Tenk] = field(default_factory=dict)
    """What they give back, one sum for each currency."""


class UndatedRefund(Struct, frozen=True):
    """Money that a file says was given back, without saying when or for what."""

    order: str
    amount: Tenk
    currency: str
    day: str
    """The day it is put on, by rule."""


class OrderChecker(Protocol):
    """Checks the rows of one file, one by one."""

    faults: list[RowFault]
    fault_count: int
    dropped: list[str]
    unknown_countries: set[str]

    def keep(self, line: int, fields: list[str]) -> tuple[str, ...] | None:
        """Return the kept texts of a row, its order's number first, or None and a fault when it cannot be used."""


class OrderFormat(ABC):
    """One format of order files as it is read for one store; made anew for each file."""

    kind: str
    encoding = "auto"
    delimiter = "auto"

    @abstractmethod
    def checker(self, header: Sequence[str]) -> OrderChecker:
        """Make the checker of a file's rows; raise FileRefused when the header will not do."""

    def judge(self, spool: Spool, report: Report) -> None:
        """Look at each order as a whole before anything is written; raise FileRefused when one cannot be taken."""
        return

    @abstractmethod
    def kept(self) -> dict[str, Any]:
        """Return what is kept with the import, so that its rows can be mapped again: plain values, the platform among them."""

    @abstractmethod
    def again(self, row: FileImport) -> "OrderFormat":
        """Return this format as an import was read with it."""

    @abstractmethod
    def external_id(self, order: OrderRows) -> str:
        """Return the platform's id of an order, from its kept rows."""

    @abstractmethod
    def facts(self, orders: Sequence[OrderRows]) -> list[OrderFact]:
        """Map checked orders to facts, one each; nothing is refused here."""

    @abstractmethod
    def same(self, imports: QuerySet[FileImport]) -> QuerySet[FileImport]:
        """Narrow imports of the same file down to those that read it as this one does."""

    def hold(self) -> None:
        """Hold what facts are mapped from beside their rows until the transaction ends."""
        return

    def told_better(self, facts: Sequence[OrderFact]) -> Collection[str]:
        """Return the ids of orders that stand further on than this file tells: they are left as they are."""
        return ()

    def told_worse(self, facts: Sequence[OrderFact]) -> Collection[str]:
        """Return the ids of orders that this file tells further on than they stand."""
        return ()

    def note(self, report: Report, fact: OrderFact) -> None:
        """Add to the report what only this format has to say of an order."""
        return

    def finish(self, *, now: datetime) -> None:
        """Note for the store what stands after an import or its undoing."""
        return
