"""Hold what a sheet's rows turn out to be: a rule each, new, changed or as it stands, or a problem to be mended."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from import_export.results import RowResult

from ledger.models.rules import Rule


class Problem(NamedTuple):
    """What is wrong in a sheet: in which line and column, and what to do."""

    line: int
    heading: str
    message: str


class Difference(NamedTuple):
    """A cell before and after; the same where nothing changes."""

    before: str
    after: str

    @property
    def changed(self) -> bool:
        """Tell whether the cell changes."""
        return self.before != self.after


class Differences:
    """Compares a rule as it stands with what a row makes of it; shown on our page in place of the library's own."""

    def __init__(self, resource: Any, rule: Rule, new: bool) -> None:
        self.before = [""] * len(resource.get_import_fields()) if new else resource.written(rule)

    def compare_with(self, resource: Any, rule: Rule) -> None:
        """Take the rule as the row has it."""
        self.after = resource.written(rule)

    def as_html(self) -> list[Difference]:
        """Return every cell before and after."""
        return [Difference(*pair) for pair in zip(self.before, self.after, strict=True)]


class Row(RowResult):  # type: ignore[misc]  # the library has no types
    """What became of one row."""

    def add_instance_info(self, instance: Any) -> None:
        """Name the rule nowhere: it would ask for its product or variant, row by row, for a log that is not kept."""


class Line(NamedTuple):
    """One good row: where it stands, the rule it says, the standing one it is about, and what the page shows."""

    number: int
    rule: Any
    old: Rule | None
    result: RowResult


def of_kind(lines: Iterable[Line], kind: str) -> Sequence[Line]:
    """Return the lines that are new, that change something, or that change nothing ('new', 'update', 'skip')."""
    return [line for line in lines if line.result.import_type == kind]
