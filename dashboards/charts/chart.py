"""Hold what every chart has: a title, what it finds, a figure, and the same numbers as a table."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

import orjson
from django.utils.safestring import SafeString

from dashboards.templatetags.money import money, percent
from ledger.periods import By

Figure = dict[str, Any]

UNITS = {By.DAY: "day", By.WEEK: "week", By.MONTH: "month", By.QUARTER: "quarter", By.YEAR: "year"}


class Series(NamedTuple):
    """One row of numbers that a chart draws, and how they are written: money, count or percent."""

    label: str
    kind: str
    cells: Sequence[Decimal | None]
    """None where nothing is booked: a gap, never a zero."""


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart: what it shows, what it finds, and the same numbers as a table."""

    key: str
    """Names its elements on the page."""
    title: str
    finding: str
    figure: Figure
    headings: Sequence[str]
    series: Sequence[Series]
    currency: str
    corner: str = "Period"
    """What the headings are, for the table."""

    @property
    def kinds(self) -> list[tuple[str, str]]:
        """Return the table's columns: the name of each and how its numbers are written."""
        return [(series.label, series.kind) for series in self.series]

    @property
    def by_heading(self) -> list[tuple[str, list[tuple[str, Decimal | None]]]]:
        """Return the numbers for the table: a line per heading, each number with how it is written."""
        return [
            (heading, [(series.kind, series.cells[place]) for series in self.series]) for place, heading in enumerate(self.headings)
        ]  # fmt: skip

    @property
    def has_figures(self) -> bool:
        """Tell whether there is anything to draw; without it, axes would show a range of their own making."""
        return any(value is not None for series in self.series for value in series.cells)

    @property
    def json(self) -> SafeString:
        """Return the figure for a data block, written so that no text in it can end the block."""
        written = orjson.dumps(self.figure).decode()
        return SafeString(written.replace("<", "\\u003C").replace(">", "\\u003E").replace("&", "\\u0026"))


def drawn(values: Sequence[Decimal | None]) -> list[float | None]:
    """Turn numbers into what plotly draws; a missing one stays a gap."""
    return [None if value is None else float(value) for value in values]


def hover(name: str, values: Sequence[Decimal | None], currency: str, *, kind: str = "money") -> Figure:
    """Return the texts on hover, written from the decimals."""
    texts = ["" if value is None else percent(value) if kind == "percent" else money(value, currency) for value in values]
    return {"customdata": texts, "hovertemplate": f"{name} %{{customdata}}<extra></extra>"}
