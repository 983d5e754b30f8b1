"""Name why a batch was written, and by whom."""

from msgspec import Struct

from ledger.kinds import CauseKind


class Cause(Struct, frozen=True):
    """Why entries are written: the kind, a reference such as `import:17`, and the person if there was one."""

    kind: CauseKind
    ref: str
    actor: str = ""
