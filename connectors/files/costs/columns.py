"""Say how the columns of a file of costs were read, and its first rows, as its page shows them."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from connectors.files.kind import Sum
from connectors.platforms.files.cost_sheet import Kind, Layout
from ledger.money import Tenk, decimal, in_minor_units


class ColumnsRead(NamedTuple):
    """Each thing that is read with the header taken for it, and the first rows with a heading for each."""

    columns: list[tuple[str, str]]
    headings: list[str]
    first_rows: list[list[str]]


def columns_read(kind: Kind, layout: Layout | None, first_rows: Sequence[Sequence[str]]) -> ColumnsRead:
    """Say how a file's columns were read; kept rows are the number of the line, then a text for each field of the kind."""
    headers = layout.columns if layout else {}
    read = [
        (place, field.called.removeprefix("the "), headers[field.name]) for place, field in enumerate(kind.fields, start=1) if field.name in headers
    ]
    return ColumnsRead(
        [(called, header) for _, called, header in read], ["line", *(called for _, called, _ in read)],
        [[row[0], *(row[place] for place, *_ in read)] for row in first_rows],
    )  # fmt: skip


def sums_of(label: str, sums: Mapping[str, Tenk]) -> list[Sum]:
    """Return what a file adds up to, a sum for each currency."""
    return [Sum(label, str(in_minor_units(decimal(units), code)), code) for code, units in sorted(sums.items())]
