"""Name the headings by which a table is sorted."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading that sorts: its words, its query, and which way the list is sorted by it (as `aria-sort` says it)."""

    words: str
    query: str
    sorted: str
