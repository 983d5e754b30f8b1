"""Name why a batch was written, and by whom."""

from datetime import datetime
from typing import NamedTuple

from msgspec import Struct

from ledger.kinds import CauseKind

MOVED_BY = "moved by "
"""Begins the reference of a cause that moved orders to the store that succeeds theirs; what did it follows."""


class Cause(Struct, frozen=True):
    """Why entries are written: the kind, a reference such as `import:17`, and the person if there was one."""

    kind: CauseKind
    ref: str
    actor: str = ""


class Telling(NamedTuple):
    """Which import or connection tells facts, who started it and when, and whether it takes over what stays the same."""

    kind: CauseKind
    cause_ref: str
    actor: str
    now: datetime
    adopt: bool

    @property
    def cause(self) -> Cause:
        """Return why what it tells is written."""
        return Cause(self.kind, self.cause_ref, self.actor)
