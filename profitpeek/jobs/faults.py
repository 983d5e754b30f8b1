"""Say, as a type, what is to become of a job that could not do its work."""


class JobFault(Exception):
    """Carries what happened, in words for the person who reads the list of jobs."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Retryable(JobFault):
    """Asks for another try, which counts: after `after` seconds, or after the kind's own growing pause."""

    def __init__(self, reason: str, *, after: float | None = None) -> None:
        super().__init__(reason)
        self.after = after


class Postponed(JobFault):
    """Asks to be run again in `after` seconds; nothing failed (a quota is used up), so no try is counted."""

    def __init__(self, reason: str, *, after: float) -> None:
        super().__init__(reason)
        self.after = after


class Permanent(JobFault):
    """Says that another try would fail the same way."""


class NeedsAttention(JobFault):
    """Says that a person has to repair something first, such as sign in to a platform again."""


class Cancelled(JobFault):
    """Ends work that somebody has cancelled; what was committed stays."""


class LeaseLost(Exception):
    """Says that the job is no longer ours: somebody else was given it. Whatever is not committed must not be."""


class ConflictingSubmit(ValueError):
    """Says that work with the same key waits already, with other parameters: the key does not name the work."""
