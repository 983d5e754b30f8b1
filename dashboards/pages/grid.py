"""Hold a table of a tab: columns, rows, and what each figure opens to."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from dashboards.forms.scope import Scope
from dashboards.opening import compare_query, entries_url
from ledger.models import Store


@dataclass(slots=True)
class Line:
    """One row: its name, its numbers in the order of the columns, and how it stands among the others."""

    label: str
    cells: list[Any]
    """Decimal, None where it is not known, or a Delta in a column of kind delta."""
    is_sum: bool = False
    is_part: bool = False
    """Whether it is a part of the row above it."""
    opens: dict[str, str] | None = None
    """What narrows the entries beneath its figures (`opening.entries_url`); None where no entries can be told apart."""


class Column(NamedTuple):
    """One column: its name, how it is written (money, count, percent, delta), and what its figures open to."""

    label: str
    kind: str
    opens: str | None = None
    """A line of the statement, empty for the row's own line or account, None where a figure opens to nothing."""
    is_compared: bool = False
    """Whether its figures are of the days compared with."""


@dataclass(slots=True)
class Grid:
    """One table: columns with how each is written (money, count, percent, delta), and rows."""

    key: str
    title: str
    corner: str
    columns: list[Column]
    rows: list[Line]
    store: Store
    scope: Scope

    @property
    def currency(self) -> str:
        """Return the currency its amounts are in."""
        return self.scope.currency or self.store.currency

    @property
    def cells(self) -> list[tuple[Line, list[tuple[str, Any, str]]]]:
        """Return every row with its numbers, each beside how it is written and the address of the entries beneath it, or none."""
        return [
            (row, [(column.kind, value, self._address(row, column)) for column, value in zip(self.columns, row.cells, strict=True)])
            for row in self.rows
        ]  # fmt: skip

    def _address(self, row: Line, column: Column) -> str:
        days = self.scope.compared if column.is_compared else self.scope.period
        if row.opens is None or column.opens is None or days is None:
            return ""
        line, account = column.opens or row.opens.get("line"), row.opens.get("account")
        if not (line or account):
            return ""
        address = entries_url(
            self.store, line=line, account=None if column.opens else account, first=days.first, last=days.last, basis=self.scope.basis,
            channel=row.opens.get("channel"), country=row.opens.get("country"), currency=self.scope.currency,
        )  # fmt: skip
        return f"{address}&{compare_query(self.scope.compared)}" if column.kind == "delta" and self.scope.compared else address
