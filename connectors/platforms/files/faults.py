"""Name what can be wrong with a file, so that a person can mend it."""

from typing import NamedTuple


class RowFault(NamedTuple):
    """One thing wrong in one row: the line of the file, the column, what it is and what to do."""

    line: int
    column: str
    message: str

    def __str__(self) -> str:
        return f"line {self.line}, {self.column}: {self.message}"


class FileRefused(Exception):
    """Say why a file is not taken; nothing of it has been written.

    `faults` lists the first rows that are wrong, `count` how many there are.
    """

    def __init__(self, reason: str, faults: tuple[RowFault, ...] = (), count: int = 0) -> None:
        super().__init__(reason)
        self.reason, self.faults, self.count = reason, faults, count

    def __str__(self) -> str:
        shown = "".join(f"\n  {fault}" for fault in self.faults[:20])
        more = f"\n  … and {self.count - 20} more" if self.count > 20 else ""
        return f"{self.reason}{shown}{more}"
