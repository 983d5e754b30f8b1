"""Lead from one page of a list to the next, by the query of its address."""

from collections.abc import Mapping
from typing import Any, Protocol


class Listed(Protocol):
    """A list that an address asks for, page by page."""

    @property
    def page(self) -> int:
        """Return which page is shown."""
        ...

    def query(self, changes: Mapping[str, Any]) -> str:
        """Return the query of the address with some of it changed."""
        ...


class Paged:
    """Adds the addresses beside a list's own."""

    __slots__ = ()

    @property
    def file_query(self: Listed) -> str:
        """Return the query of the files that list the same."""
        return self.query({})

    @property
    def newer(self: Listed) -> str:
        """Return the query of the page before."""
        return self.query({"page": self.page - 1})

    @property
    def older(self: Listed) -> str:
        """Return the query of the next page."""
        return self.query({"page": self.page + 1})
